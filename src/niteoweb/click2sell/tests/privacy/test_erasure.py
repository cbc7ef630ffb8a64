"""Erasing a buyer: what goes, what stays, and what arrives afterwards."""

from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.interfaces import IAccessRevokedEvent
from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.mail import messages
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.privacy import erasure
from niteoweb.click2sell.privacy import export
from niteoweb.click2sell.privacy import preview
from niteoweb.click2sell.provider import unreadable
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.report import notifications
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees as store
from niteoweb.click2sell.tests.cases.erasure import ErasureTestCase
from niteoweb.click2sell.tests.cases.erasure import PERSONAL
from niteoweb.click2sell.tests.cases.erasure import REASON
from niteoweb.click2sell.tests.cases.site import EMAIL
from plone import api
from typing import Any
from unittest import mock

import transaction
import zope.event


OTHER = "jane@example.org"
FIGURES = (
    "provider",
    "kind",
    "received_at",
    "occurred_at",
    "product_id",
    "product_name",
    "amount",
    "currency",
    "country",
    "subscription",
    "valid_until",
    "outcome",
    "reason",
    "days",
    "exclusive",
    "terms_known",
    "counts",
)


class TestWhatGoes(ErasureTestCase):
    def test_names_go_and_figures_stay(self):
        self.settings(welcome_mail="link")
        self.registry(email_from_address="site@example.net")
        with mock.patch.object(messages, "send"):
            self.buy(buyer_country="AT")
            self.later(minutes=1)
            self.buy_again()
        for text in PERSONAL:
            self.assertIn(text, self.stored())
        before = [{name: entry[name] for name in FIGURES} for entry in self.found().entries]
        self.later(days=1)
        self.erase()
        self.assertNothingPersonal()
        after = [{name: entry[name] for name in FIGURES} for entry in self.found().entries]
        self.assertEqual(after, before)
        self.assertIn("AT", [figures["country"] for figures in before])
        self.assertFalse(any(entry["payload"] for entry in self.found().entries))

    def test_it_is_one_commit(self):
        self.buy()
        self.refund(c2s_transaction_id="R-4")
        with mock.patch.object(transaction, "commit", wraps=transaction.commit) as commits:
            self.erase()
        self.assertEqual(commits.call_count, 1)

    def test_all_or_nothing(self):
        self.buy()
        before = self.dump()
        for name in ("_record", "_entry"):
            with (
                mock.patch(
                    f"niteoweb.click2sell.privacy.redaction.{name}",
                    side_effect=RuntimeError("no"),
                ),
                self.assertRaises(RuntimeError),
            ):
                self.erase()
            self.assertEqual(self.dump(), before)

    def test_an_account_that_stays_loses_what_was_granted(self):
        events = []
        self.account()
        with self.owner():
            api.group.add_user(groupname="course", username=EMAIL)
        self.buy()
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])
        zope.event.subscribers.append(events.append)
        self.addCleanup(zope.event.subscribers.remove, events.append)
        told = self.erase()
        self.assertEqual(told["account"], "left")
        self.assertEqual(self.groups(), ["course"])
        self.assertEqual(self.fields()["last_purchase_id"], "")
        self.assertEqual(self.member().getProperty("email"), EMAIL)
        [revoked] = [event for event in events if IAccessRevokedEvent.providedBy(event)]
        self.assertEqual((revoked.product_id, revoked.groups), ("1", ("premium",)))
        self.assertEqual(dict(store.tree(self.portal, "buyer_by_user")), {})
        self.assertEqual(counters.number(self.portal, *counters.WITH_ACCESS), 0)

    def test_an_account_that_is_deleted(self):
        self.buy()
        told = self.erase(delete_member=True)
        self.assertEqual(told["account"], "deleted")
        self.assertIsNone(self.member())
        self.assertEqual(self.groups(), [])
        self.assertNotIn(EMAIL, repr(self.dump()))

    def test_a_privileged_account_is_left_alone(self):
        self.buy()
        with self.owner():
            api.user.grant_roles(username=EMAIL, roles=["Manager"])
        before = (self.fields(), self.groups())
        with self.assertRaises(erasure.NotPossible):
            self.erase(delete_member=True)
        self.assertEqual(self.record()["user_id"], EMAIL)
        self.erase()
        self.assertEqual((self.fields(), self.groups()), before)
        self.assertEqual(self.record()["user_id"], "")

    def test_mails_that_wait_are_given_up(self):
        self.settings(welcome_mail="link")
        self.registry(email_from_address="site@example.net")
        with mock.patch.object(messages, "send", side_effect=OSError):
            self.buy()
        [mail] = self.found().mails
        self.assertEqual(mail["state"], outbox.DUE)
        self.erase()
        [mail] = self.found().mails
        self.assertEqual(mail["state"], outbox.DROPPED)
        self.assertEqual(list(store.tree(self.portal, "mails_due")), [])
        self.assertTrue(mail["to"].startswith(pseudonyms.MARK))

    def test_what_could_not_be_read(self):
        payload = {"buyer_email": "John@Example.org", "buyer_name": "John", "price": "x"}
        pipeline.process(unreadable("k" * 64, "click2sell", "T-1", payload, "price", self.now))
        self.assertEqual(self.entry()["outcome"], Outcome.ATTENTION)
        self.erase()
        self.assertNothingPersonal("john", "t-1", "example.org")
        self.assertEqual(list(store.tree(self.portal, "mentions")), [])
        [key] = ledger.newest_first(self.portal)
        entry = ledger.get(self.portal, key)
        self.assertEqual((entry["outcome"], entry["reason"]), (Outcome.NOTHING, "erased"))
        result = pipeline.process(
            unreadable("k" * 64, "click2sell", "T-1", payload, "price", self.now)
        )
        self.assertEqual(result.outcome, Outcome.NOTHING)
        self.assertEqual(len(store.tree(self.portal, "entries")), 1)

    def test_what_was_not_settled(self):
        self.buy(product_id="9", transaction_type="Subscription", purchase_date="2026-05-09")
        with (
            mock.patch(
                "niteoweb.click2sell.provisioning.plan.make", side_effect=RuntimeError(EMAIL)
            ),
            self.assertRaises(pipeline.Failed),
        ):
            pipeline.process(self.notification(acquirer_transaction_id="T-2"))
        self.assertEqual(
            {outcome for outcome, *_rest in self.entries()}, {Outcome.ATTENTION, Outcome.FAILED}
        )
        self.erase()
        self.assertEqual(set(self.entries()), {(Outcome.NOTHING, "erased", "")})
        self.assertEqual(self.sweep().entries, {})
        self.assertEqual({entry["error"] for entry in self.found().entries}, {""})

    def test_other_buyers_stay(self):
        self.buy(buyer_email=OTHER, c2s_transaction_id="R-7", acquirer_transaction_id="T-7")
        other = dict(self.record(OTHER)), dict(self.entry(OTHER)), self.groups(OTHER)
        self.buy()
        self.later(minutes=1)
        # Refused: the transaction is Jane's.
        self.buy(acquirer_transaction_id="T-7", c2s_transaction_id="R-1", product_id="2")
        self.assertEqual([outcome for outcome, *_ in self.entries()][-1], Outcome.REFUSED)
        self.erase()
        self.assertEqual(
            (dict(self.record(OTHER)), dict(self.entry(OTHER)), self.groups(OTHER)), other
        )
        self.assertEqual(self.entry()["outcome"], Outcome.REFUSED)
        self.assertEqual(ownership.owner_of(self.portal, ("click2sell", "T-7")), (OTHER, "1"))
        self.assertNothingPersonal("john@", "'r-1'")

    def test_several_addresses_of_one_buyer(self):
        self.buy()
        self.buy_again(buyer_email=OTHER)
        record = self.record()
        with self.owner():
            self.member().setMemberProperties({"email": OTHER})
        self.provision(OTHER)
        self.erase(OTHER)
        self.assertNothingPersonal("john", "jane", "example.org")
        self.assertEqual(self.record()["id"], record["id"])

    def test_the_record_of_it(self):
        self.buy()
        buyer_id = self.record()["id"]
        told = self.erase()
        self.assertEqual(erasure.latest(self.portal, 5), [told])
        self.assertEqual(
            told,
            {
                "what": "erased",
                "at": timestamps.iso(self.now),
                "by": "owner",
                "reason": REASON,
                "buyers": (buyer_id,),
                "entries": 1,
                "mails": 0,
                "account": "left",
            },
        )
        self.later(days=1)
        with self.assertRaises(erasure.NotPossible):
            self.erase()
        self.buy(buyer_email=OTHER, acquirer_transaction_id="T-7")
        second = self.erase(OTHER)
        self.assertEqual(erasure.latest(self.portal, 5), [second, told])
        self.assertEqual(erasure.latest(self.portal, 1), [second])

    def test_reasons(self):
        self.buy()
        for reason in ("", "  ", "x" * 501, f"for {EMAIL.upper()}", "and anna@example.net"):
            with self.subTest(reason), self.assertRaises(erasure.NotPossible):
                self.erase(reason=reason)
        self.assertEqual(self.record()["addresses"], (EMAIL,))

    def test_nothing_is_stored(self):
        with self.assertRaises(erasure.NotPossible):
            self.erase()
        self.assertFalse(pseudonyms.in_use(self.portal))

    def test_only_what_the_dry_run_showed(self):
        self.buy()
        fingerprint = preview.of(self.found()).fingerprint
        self.assertEqual(preview.of(self.found(f" {EMAIL.upper()} ")).fingerprint, fingerprint)
        self.later(minutes=1)
        self.buy_again()
        with self.assertRaises(erasure.Changed):
            self.erase(fingerprint=fingerprint)
        self.assertEqual(self.record()["addresses"], (EMAIL,))
        planned = preview.of(self.found())
        self.assertEqual((planned.addresses, planned.entries), ((EMAIL,), 2))
        self.assertEqual(planned.accounts[0].groups, ("click2sell", "premium"))
        self.erase(fingerprint=planned.fingerprint)

    def test_busy(self):
        self.buy()
        with (
            mock.patch.object(transaction, "commit", side_effect=transactions.ConflictError),
            mock.patch.object(transactions, "PAUSES", ()),
            self.assertRaises(transactions.Busy),
        ):
            self.erase()
        self.assertEqual(self.record()["addresses"], (EMAIL,))


class TestWhatFollows(ErasureTestCase):
    def setUp(self):
        super().setUp()
        self.buy()
        self.later(days=1)

    def gone(self, **options: Any) -> dict[str, Any]:
        """Erase with the account, and keep what is there then."""
        self.erase(delete_member=True, **options)
        self.assertEqual(self.members(), ["test_user_1_"])
        self.later(minutes=1)
        return self.dump()

    def test_delivered_again(self):
        before = self.gone()
        self.later(days=1)
        self.assertEqual(self.buy().outcome, Outcome.ACCEPTED)
        self.assertEqual(self.dump(), before)

    def test_delivered_again_when_it_was_refused(self):
        self.buy(buyer_email=OTHER, c2s_transaction_id="R-9")
        self.erase(OTHER)
        before = self.dump()
        self.assertEqual(
            self.buy(buyer_email=OTHER, c2s_transaction_id="R-9").outcome, Outcome.REFUSED
        )
        self.assertEqual(self.dump(), before)

    def test_replayed(self):
        self.refund(c2s_transaction_id="R-4")
        self.gone()
        self.replay_all()

    def replay_all(self) -> None:
        before = self.dump()
        for key in list(ledger.newest_first(self.portal)):
            outcome = ledger.get(self.portal, key)["outcome"]
            self.assertEqual(pipeline.replay(key).outcome, outcome)
        for entry in before["trees"]["entries"].values():
            self.assertEqual(entry["attempts"], 1)
        self.assertEqual(self.dump(), before)

    def test_a_renewal_waits_for_the_owner(self):
        self.gone()
        result = self.buy(
            transaction_type="Subscription",
            subscription_status="Recurring",
            purchase_date="2026-05-04",
            c2s_transaction_id="R-2",
        )
        self.assertEqual(result, pipeline.Result(Outcome.ATTENTION, "erased buyer"))
        self.assertEqual(self.members(), ["test_user_1_"])
        self.assertEqual(self.groups(), [])
        # It goes to the erased buyer, who can be erased again.
        self.assertEqual(len(self.record()["keys"]), 2)
        self.assertEqual(self.entry()["buyer"], EMAIL)
        self.erase()
        self.assertNothingPersonal("john", "t-1", "r-1", "r-2", "smith")
        self.replay_all()

    def test_another_purchase_waits_for_the_owner(self):
        self.gone()
        self.assertEqual(self.buy_again().reason, "erased buyer")
        self.assertEqual(self.members(), ["test_user_1_"])
        key = self.entry()["key"]
        self.assertEqual(pipeline.replay(key).reason, "erased buyer")
        self.assertEqual(self.members(), ["test_user_1_"])
        self.sweep()
        self.provision()
        self.assertEqual(self.members(), ["test_user_1_"])
        self.assertEqual(self.groups(), [])

    def test_another_purchase_when_the_account_stayed(self):
        self.erase()
        self.assertEqual(self.buy_again().reason, "erased buyer")
        self.assertEqual(self.groups(), [])
        self.assertEqual(self.fields()["product_id"], "")

    def test_a_refund_changes_nothing_for_the_account_that_stayed(self):
        self.erase()
        with self.owner():
            api.group.add_user(groupname="premium", username=EMAIL)
        self.assertEqual(self.refund().reason, "erased buyer")
        self.assertEqual(self.groups(), ["premium"])

    def test_the_transaction_is_still_the_buyers(self):
        self.gone()
        result = self.buy(buyer_email=OTHER, c2s_transaction_id="R-9")
        self.assertEqual(result.outcome, Outcome.REFUSED)
        self.assertEqual(self.members(), ["test_user_1_"])

    def test_the_count_of_a_transaction_goes_on(self):
        self.gone()
        with mock.patch.object(ownership, "ENTRIES_PER_TRANSACTION", 1):
            self.assertEqual(self.refund().outcome, Outcome.NOT_KEPT)

    def test_taken_in_again(self):
        self.gone()
        self.buy_again(product_id="2")
        self.later(days=28)
        self.buy(
            transaction_type="Subscription",
            subscription_status="Recurring",
            purchase_date="2026-06-01",
            c2s_transaction_id="R-2",
        )
        told = erasure.take_in(EMAIL.upper(), "Bought again", "owner")
        self.assertEqual((told["what"], told["entries"]), ("taken in again", 2))
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])
        self.assertEqual(self.attention(), [])
        self.assertEqual(self.fields()["product_id"], "1")
        # From now on as with every buyer; the old notifications are still redacted.
        self.buy_again(3)
        self.assertEqual(self.attention(), [])
        self.assertNotIn("smith", repr(dict(self.entry(number=0))).lower())
        # A refund finds the purchase that was erased.
        self.refund(acquirer_transaction_id="T-1", purchase_date="2026-06-02")
        self.assertEqual(self.attention(), [])

    def test_nobody_is_taken_in_for_nothing(self):
        with self.assertRaises(erasure.NotPossible):
            erasure.take_in(EMAIL, REASON, "owner")
        self.gone()
        with self.assertRaises(erasure.NotPossible):
            erasure.take_in(EMAIL, REASON, "owner")
        self.buy_again()
        with self.assertRaises(erasure.NotPossible):
            erasure.take_in(EMAIL, "", "owner")
        self.assertEqual(self.members(), ["test_user_1_"])

    def test_a_refund_after_taking_in_undoes_the_erased_purchase(self):
        # It has to be found by its transaction, which was erased.
        self.settings(unmatched_refund_needs_attention=True)
        self.gone()
        self.buy_again(product_id="2")
        erasure.take_in(EMAIL, REASON, "owner")
        # Not paid for anew: the first purchase gives access again with the new account.
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])
        self.later(days=1)
        self.refund(purchase_date="2026-05-05")
        self.assertEqual(self.groups(), ["click2sell", "course"])
        self.assertEqual(self.attention(), [])

    def test_nothing_is_hashed_while_nobody_was_erased(self):
        with mock.patch.object(pseudonyms, "_hash") as hashed:
            self.buy_again()
            self.refund()
            self.found()
        hashed.assert_not_called()

    def test_lists_find_what_waits_by_its_address(self):
        self.gone()
        self.buy_again()
        found = notifications.Listing(self.portal, notifications.Filters(buyer=EMAIL))
        self.assertEqual(found.total, 2)
        # An old link leads to the entry still.
        old = self.notification().key
        self.assertTrue(pseudonyms.is_erased(ledger.get(self.portal, old)))
        self.assertEqual(history.entries(self.portal, self.record())[0]["tie"], "000000 ")


class TestWhatAnOwnerDecided(ErasureTestCase):
    """Corrections, notes and grants."""

    def corrected(self, everything: bool = True) -> None:
        """A purchase under John's address turned out to be Jane's."""
        self.buy()
        self.later(minutes=1)
        key = self.entry()["key"]
        act = decisions.Correct(key, "owner", OTHER, everything, "John mistyped")
        action.carry_out(act)
        self.later(minutes=1)

    def test_the_wrong_one_is_erased(self):
        self.corrected()
        self.assertEqual(self.groups(OTHER), ["click2sell", "premium"])
        self.assertEqual(len(self.found().moved), 2)
        self.erase()
        self.assertNothingPersonal(EMAIL, "mistyped")
        self.assertEqual(self.groups(OTHER), ["click2sell", "premium"])
        self.assertEqual([e["buyer"] for e in self.found(OTHER).entries], [OTHER, OTHER])
        # What comes under the mistyped address is still Jane's.
        self.assertEqual(self.buy_again(product_id="2").outcome, Outcome.ACCEPTED)
        self.assertEqual(self.groups(OTHER), ["click2sell", "course", "premium"])

    def test_the_right_one_is_erased(self):
        self.corrected()
        self.erase(OTHER, delete_member=True)
        self.assertNothingPersonal(OTHER)
        self.later(minutes=1)
        self.assertEqual(self.buy_again(product_id="2").reason, "erased buyer")
        self.assertEqual(len(self.record(OTHER)["keys"]), 3)

    def test_by_transaction_only(self):
        self.corrected(everything=False)
        self.erase(OTHER, delete_member=True)
        self.erase()
        self.assertNothingPersonal("john", "jane", "t-1", "r-1")
        self.later(minutes=1)
        renewal = {"transaction_type": "Subscription", "subscription_status": "Recurring"}
        self.assertEqual(self.buy(**renewal).reason, "erased buyer")
        self.assertEqual(len(self.record(OTHER)["keys"]), 3)

    def test_the_mistyped_address_is_erased_after_a_decision(self):
        """An entry that was corrected, and then refused, leads to the middle buyer only."""
        third = "jim@example.org"
        self.buy()
        self.buy(buyer_email=third, c2s_transaction_id="R-3")
        self.corrected(everything=False)
        refused = self.entry(third)
        self.assertEqual(refused["outcome"], Outcome.REFUSED)
        act = decisions.Decide(refused["key"], "owner", "He has the receipt")
        action.carry_out(act)
        self.later(minutes=1)
        self.assertEqual(self.groups(third), ["click2sell", "premium"])
        found = self.found()
        self.assertEqual({entry["buyer"] for entry in found.moved}, {OTHER})
        self.assertEqual(len(found.moved), 2)
        told = export.export(self.portal, EMAIL, self.now)
        self.assertEqual(
            {moved["key"] for moved in told["named_by_others"]},
            {entry["key"] for entry in found.moved},
        )
        self.erase()
        self.assertNothingPersonal(EMAIL)
        self.assertEqual(self.groups(third), ["click2sell", "premium"])

    def test_a_note_on_somebody_else(self):
        self.buy()
        key = self.entry()["key"]
        self.later(minutes=1)
        self.buy(transaction_type="Other", c2s_transaction_id="R-8")
        unknown = self.entry()["key"]
        for act in (
            decisions.Dismiss(unknown, "owner", f"<{OTHER.upper()}> asked."),
            decisions.Correct(key, "owner", "jim@example.org", False, f"says {OTHER}"),
        ):
            action.carry_out(act)
            self.later(minutes=1)
        found = self.found(OTHER)
        self.assertEqual((found.records, found.entries, len(found.naming)), ((), (), 1))
        self.assertEqual(len(found.moved), 2)
        told = export.export(self.portal, OTHER, self.now)
        self.assertEqual(told["named_in_notes_on_others"], 1)
        self.assertEqual(preview.of(self.found(OTHER)).others, 1)
        self.erase(OTHER)
        self.assertNothingPersonal(OTHER)
        # All else of the others stays.
        self.assertIn("john", str(ledger.get(self.portal, unknown)["payload"]).lower())
        self.assertEqual(self.groups("jim@example.org"), ["click2sell", "premium"])

    def test_mails_to_the_new_address_of_an_account(self):
        self.registry(email_from_address="site@example.net")
        self.buy()
        with self.owner():
            self.member().setMemberProperties({"email": OTHER})
        with mock.patch.object(messages, "send"):
            commands.Resend(self.buyer()["id"], "link", "owner").carry_out()
        self.assertEqual([mail["to"] for mail in self.found().mails], [OTHER])
        self.erase(delete_member=True)
        self.assertNothingPersonal(EMAIL, OTHER)

    def test_who_got_the_purchase_of_somebody_erased(self):
        self.buy()
        self.buy(buyer_email=OTHER, c2s_transaction_id="R-3")
        self.later(minutes=1)
        self.erase(delete_member=True)
        self.later(minutes=1)
        self.buy_again(product_id="2")
        erasure.take_in(EMAIL, REASON, "owner")
        act = decisions.Decide(self.entry(OTHER)["key"], "owner", "hers")
        action.carry_out(act)
        self.assertEqual(self.groups(OTHER), ["click2sell", "premium"])
        self.later(minutes=1)
        self.erase(OTHER)
        self.assertNothingPersonal(OTHER)

    def test_who_gets_the_purchase_of_somebody_erased(self):
        self.buy()
        self.buy(buyer_email=OTHER, c2s_transaction_id="R-3")
        self.later(minutes=1)
        self.erase()
        self.later(minutes=1)
        act = decisions.Decide(self.entry(OTHER)["key"], "owner", "hers")
        [plan] = action.preview(act)
        self.assertIn("premium", plan.grant)
        action.carry_out(act)
        self.assertEqual(self.groups(OTHER), ["click2sell", "premium"])
        self.assertEqual(self.groups(), [])
        self.assertNothingPersonal(EMAIL)

    def test_what_could_not_be_read_and_is_too_old(self):
        self.settings(retention_days=1)
        payload = {"buyer_email": EMAIL}
        pipeline.process(unreadable("k" * 64, "click2sell", "T-1", payload, "price", self.now))
        key = self.entry()["key"]
        action.carry_out(decisions.Dismiss(key, "owner", "known"))
        self.later(days=2)
        self.sweep()
        self.assertNothingPersonal(EMAIL)

    def test_a_deleted_account_leaves_nothing(self):
        self.buy()
        with self.owner():
            api.user.grant_roles(username=EMAIL, roles=["Reader"])
            api.user.delete(username=EMAIL)
        self.erase()
        kept = self.portal.acl_users
        self.assertNotIn(EMAIL, kept.source_groups._principal_groups)
        self.assertNotIn(EMAIL, kept.portal_role_manager._principal_roles)

    def test_notes_and_grants(self):
        act = commands.Grant(
            EMAIL, ("click2sell", "2"), None, "John's gift", "owner", "John Smith"
        )
        action.carry_out(act)
        self.buy(transaction_type="Other")
        decision_ = decisions.Dismiss(
            self.notification(transaction_type="Other").key, "owner", "John called"
        )
        action.carry_out(decision_)
        self.assertIn("called", self.stored())
        self.erase()
        self.assertNothingPersonal("john", "gift", "called", "smith")

    def test_nothing_can_be_decided_for_who_was_erased(self):
        self.buy()
        self.later(minutes=1)
        self.erase()
        before = self.dump()
        key = self.entry()["key"]
        grant = commands.Grant(EMAIL, ("click2sell", "2"), None, "x", "owner")
        for act in (
            lambda: action.carry_out(grant),
            lambda: action.preview(grant),
            lambda: action.preview(decisions.Correct(key, "owner", OTHER, True, "x")),
            lambda: action.preview(decisions.Attach(key, "owner", "test_user_1_", "x")),
        ):
            with self.assertRaises(action.NotPossible):
                act()
        self.assertEqual(self.dump(), before)

    def test_an_owner_can_act_on_who_was_taken_in_again(self):
        self.buy()
        self.later(minutes=1)
        self.erase(delete_member=True)
        self.later(minutes=1)
        self.buy_again(product_id="2")
        erasure.take_in(EMAIL, REASON, "owner")
        buyer_id = self.record()["id"]
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])
        self.later(minutes=1)
        # The purchase that was erased, and the one that was not.
        for product in ("1", "2"):
            act = commands.End(buyer_id, ("click2sell", product), "x", "owner")
            action.carry_out(act)
        self.assertEqual(self.groups(), ["click2sell"])
