"""An owner's decisions about an entry, and their results."""

from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.owner.action import NotPossible
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import subscribers
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from niteoweb.click2sell.tests.proof import dump
from plone import api
from unittest import mock


WRONG = "jonh@example.org"


class DecisionTestCase(SiteTestCase):
    def key(self, outcome=Outcome.ATTENTION):
        """Key of the newest entry with an outcome."""
        return next(ledger.newest_first(self.portal, outcome=outcome))

    def correct(self, key, address=EMAIL, everything=False):
        return action.carry_out(
            decisions.Correct(key, "admin", address, everything, "mistyped")
        )

    def decide(self, key):
        return action.carry_out(decisions.Decide(key, "admin", "it is his"))

    def attach(self, key, user_id):
        return action.carry_out(decisions.Attach(key, "admin", user_id, "he says"))

    def dismiss(self, key):
        return action.carry_out(decisions.Dismiss(key, "admin", "known"))


class TestCorrect(DecisionTestCase):
    def test_the_purchase_changes_hands(self):
        self.buy(buyer_email=WRONG)
        self.correct(self.key(Outcome.ACCEPTED))
        self.assertEqual(self.groups(WRONG), [])
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assertEqual(self.fields(WRONG)["product_id"], "")
        self.assertEqual(self.fields(WRONG)["last_purchase_id"], "")
        self.assertEqual(self.fields()["product_id"], "1")
        self.assertEqual(self.attention(), [])
        self.assert_replay_changes_nothing()

    def test_in_one_commit(self):
        self.buy(buyer_email=WRONG)
        plans = self.correct(self.key(Outcome.ACCEPTED))
        self.assertEqual([bool(plan.create) for plan in plans], [False, True])
        self.assertEqual(set(plans[0].revoked), {"click2sell", "premium"})

    def test_later_notifications_of_the_transaction_follow(self):
        self.buy(buyer_email=WRONG)
        self.correct(self.key(Outcome.ACCEPTED))
        for address in (WRONG, EMAIL):
            self.assertEqual(
                self.buy(
                    buyer_email=address,
                    c2s_transaction_id=f"R of {address}",
                    transaction_type="Subscription",
                    subscription_status="Recurring",
                ).outcome,
                Outcome.ACCEPTED,
            )
        self.assertEqual(self.refund(buyer_email=WRONG).outcome, Outcome.ACCEPTED)
        self.assertEqual(self.groups(), ["click2sell"])
        self.assertEqual(self.groups(WRONG), [])

    def test_other_purchases_of_the_wrong_address_stay(self):
        self.buy(buyer_email=WRONG)
        self.correct(self.key(Outcome.ACCEPTED))
        self.buy_again(buyer_email=WRONG, product_id="2")
        self.assertEqual(self.groups(WRONG), ["click2sell", "course"])
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_everything_of_an_address(self):
        self.buy(buyer_email=WRONG)
        self.buy_again(buyer_email=WRONG, product_id="2")
        self.correct(self.key(Outcome.ACCEPTED), everything=True)
        self.assertEqual(self.groups(WRONG), [])
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])
        self.refund(buyer_email=WRONG)
        self.buy_again(3, buyer_email=WRONG)
        self.assertEqual(self.groups(WRONG), [])
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])
        self.assert_replay_changes_nothing()

    def test_and_back(self):
        self.buy(buyer_email=WRONG)
        key = self.key(Outcome.ACCEPTED)
        for address in (EMAIL, WRONG, EMAIL):
            self.correct(key, address, everything=True)
        self.assertEqual(self.groups(WRONG), [])
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.buy_again(buyer_email=WRONG, product_id="2")
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])

    def test_the_lists_of_members_follow(self):
        self.buy(buyer_email=WRONG)
        key = self.key(Outcome.ACCEPTED)
        self.refund(buyer_email=WRONG)
        for address in (EMAIL, WRONG, EMAIL):
            self.correct(key, address, everything=True)
            self.assertEqual(dump.misfiled(self.portal), [])

    def test_what_is_recorded(self):
        self.buy(buyer_email=WRONG)
        wrong = self.buyer(WRONG)
        self.correct(self.key(Outcome.ACCEPTED))
        (key,) = ledger.newest_first(self.portal, kind="correction")
        entry = ledger.get(self.portal, key)
        self.assertEqual((entry["buyer"], entry["outcome"]), (EMAIL, Outcome.ACCEPTED))
        (note,) = wrong["notes"]
        self.assertEqual((note["what"], note["text"]), ("corrected", "mistyped"))

    def test_to_the_same_buyer(self):
        self.buy()
        with self.assertRaises(NotPossible):
            self.correct(self.key(Outcome.ACCEPTED), EMAIL.upper())
        with self.assertRaises(NotPossible):
            self.correct("no such key")

    def test_a_buyer_who_has_bought_before(self):
        self.buy_again(product_id="2")
        self.buy(buyer_email=WRONG)
        key = next(
            key
            for key in ledger.newest_first(self.portal)
            if ledger.get(self.portal, key)["buyer"] == WRONG
        )
        self.correct(key)
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])

    def test_a_stranger_keeps_what_was_refused_to_the_wrong_address(self):
        """The transaction of another buyer does not change hands with a refused entry."""
        stranger = "stranger@example.org"
        self.buy(buyer_email=stranger)
        self.assertEqual(self.refund(buyer_email=WRONG).outcome, Outcome.REFUSED)
        refused = self.key(Outcome.REFUSED)
        with self.assertRaises(NotPossible):
            self.correct(refused)
        self.buy_again(buyer_email=WRONG, product_id="2")
        self.correct(refused, everything=True)
        self.assertEqual(self.groups(), ["click2sell", "course"])
        self.assertEqual(ledger.get(self.portal, refused)["outcome"], Outcome.REFUSED)
        self.assertEqual(self.groups(stranger), ["click2sell", "premium"])
        again = self.buy(buyer_email=stranger, c2s_transaction_id="R-2")
        self.assertEqual(again.outcome, Outcome.ACCEPTED)
        self.assertEqual(self.refund(buyer_email=stranger).outcome, Outcome.ACCEPTED)
        self.assertEqual(self.groups(stranger), ["click2sell"])
        self.assert_replay_changes_nothing()

    def test_what_was_refused_to_the_right_address_is_taken_in(self):
        """The provider was told the right address, and the owner corrects the purchase."""
        self.settings(mapping=["1|premium|30"])
        self.buy(buyer_email=WRONG)
        self.later(days=29)
        renewal = self.buy(
            purchase_date="2026-06-01",
            transaction_type="Subscription",
            subscription_status="Recurring",
            c2s_transaction_id="R-2",
        )
        self.assertEqual(renewal.outcome, Outcome.REFUSED)
        self.correct(self.key(Outcome.ACCEPTED))
        self.assertEqual({outcome for outcome, *_rest in self.entries()}, {Outcome.ACCEPTED})
        (end,) = self.provision().ends.values()
        self.assertGreater((end - self.now).days, 29)
        self.assert_replay_changes_nothing()

    def test_and_then_decided_for_a_third(self):
        third = "third@example.org"
        self.buy(buyer_email=WRONG)
        self.buy(buyer_email=third)
        refused = self.key(Outcome.REFUSED)
        self.correct(self.key(Outcome.ACCEPTED))
        self.decide(refused)
        self.assertEqual(self.groups(), [])
        self.assertEqual(self.groups(third), ["click2sell", "premium"])
        for number, address in enumerate((WRONG, EMAIL, third)):
            found = self.buy(
                buyer_email=address,
                c2s_transaction_id=f"R-{number + 2}",
                transaction_type="Subscription",
                subscription_status="Recurring",
            )
            self.assertEqual(found.outcome, Outcome.ACCEPTED)
        self.assertEqual(len(self.buyer(third)["keys"]), 4)
        self.assert_replay_changes_nothing()

    def test_to_an_account_that_can_administer_the_site(self):
        self.account()
        with self.owner():
            api.user.grant_roles(username=EMAIL, roles=["Manager"])
        self.buy(buyer_email=WRONG)
        self.correct(self.key(Outcome.ACCEPTED))
        self.assertEqual(self.groups(WRONG), [])
        self.assertEqual(self.groups(), [])
        self.assertEqual(self.attention(), [["privileged account", ""]])
        self.assert_replay_changes_nothing()

    def test_to_an_address_that_was_corrected_before(self):
        """The owner's last decision counts, also for later actions."""
        third = "third@example.org"
        self.buy_again(buyer_email=EMAIL, product_id="2")
        self.correct(self.key(Outcome.ACCEPTED), third, everything=True)
        self.buy(buyer_email=WRONG)
        key = next(
            key
            for key in ledger.newest_first(self.portal, provider="click2sell")
            if ledger.get(self.portal, key)["buyer"] == WRONG
        )
        self.correct(key)
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assertEqual(ledger.count(self.portal, outcome=Outcome.RECEIVED), 0)
        action.carry_out(commands.End(self.buyer()["id"], ("click2sell", "1"), "why", "admin"))
        self.assertEqual(self.groups(), ["click2sell"])
        self.assertEqual(self.groups(third), ["click2sell", "course"])
        self.assert_replay_changes_nothing()

    def test_what_an_owner_did_is_kept_when_two_buyers_become_one(self):
        self.buy(buyer_email=WRONG)
        self.correct(self.key(Outcome.ACCEPTED), "third@example.org")
        self.account("john", login="johnny")
        self.buy_again(product_id="2")
        self.attach(self.key(), "john")
        self.buyer(WRONG)
        with self.owner():
            api.user.delete(username=WRONG)
        self.later(days=1)
        self.account("new", login="newest", email=WRONG)
        self.buy_again(3, buyer_email=WRONG)
        self.attach(self.key(), "john")
        self.assertEqual(self.buyer(WRONG)["id"], self.buyer()["id"])
        self.assertEqual([note["what"] for note in self.buyer()["notes"]], ["corrected"])

    def test_a_look_changes_nothing(self):
        self.buy(buyer_email=WRONG)
        before = self.dump()
        wanted = decisions.Correct(self.key(Outcome.ACCEPTED), "admin", EMAIL, True, "mistyped")
        loser, winner = action.preview(wanted)
        self.assertEqual(set(loser.revoked), {"click2sell", "premium"})
        self.assertTrue(winner.create)
        self.assertEqual(self.dump(), before)


class TestDecide(DecisionTestCase):
    def setUp(self):
        super().setUp()
        self.buy(buyer_email=WRONG)
        self.assertEqual(self.buy().outcome, Outcome.REFUSED)

    def test_the_transaction_changes_hands(self):
        self.decide(self.key(Outcome.REFUSED))
        self.assertEqual(self.groups(WRONG), [])
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assertEqual(
            self.entries(),
            [(Outcome.REFUSED, Reason.ANOTHER, ""), (Outcome.ACCEPTED, "", "")],
        )
        self.assert_replay_changes_nothing()

    def test_what_follows_goes_by_it(self):
        self.decide(self.key(Outcome.REFUSED))
        self.assertEqual(self.refund(buyer_email=WRONG).outcome, Outcome.REFUSED)
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assertEqual(self.refund().outcome, Outcome.ACCEPTED)
        self.assertEqual(self.groups(), ["click2sell"])

    def test_others_that_were_refused_are_taken_in(self):
        self.assertEqual(self.refund().outcome, Outcome.REFUSED)
        first = [
            key
            for key in ledger.newest_first(self.portal)
            if ledger.get(self.portal, key)["kind"] == "purchase"
        ][0]
        self.decide(first)
        self.assertEqual(self.groups(), ["click2sell"])
        self.assertEqual(
            [outcome for outcome, *_rest in self.entries()],
            [Outcome.REFUSED, Outcome.ACCEPTED, Outcome.ACCEPTED],
        )

    def test_another_product_of_the_same_buyer(self):
        self.decide(self.key(Outcome.REFUSED))
        self.buy(product_id="2")
        self.decide(self.key(Outcome.REFUSED))
        self.assertEqual(self.groups(), ["click2sell", "course"])

    def test_the_owner_is_not_told_what_they_decided(self):
        self.decide(self.key(Outcome.REFUSED))
        self.assertEqual(list(trees.tree(self.portal, "untold")), [])

    def test_twice(self):
        """Two owners confirm, one after the other; then one decides the other way round."""
        refused, taken = self.key(Outcome.REFUSED), self.key(Outcome.ACCEPTED)
        wanted = [decisions.Decide(refused, name, "it is his") for name in ("one", "two")]
        action.carry_out(wanted[0])
        with self.assertRaises(NotPossible):
            action.carry_out(wanted[1])
        self.assertEqual(self.groups(WRONG), [])
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.decide(taken)
        self.assertEqual(self.groups(WRONG), ["click2sell", "premium"])
        self.assertEqual(self.groups(), [])
        self.assert_replay_changes_nothing()

    def test_an_extension_follows_the_decision(self):
        """It does not bring back the product that the decision took away."""
        self.settings(mapping=["1|premium|30", "2|course|30"])
        self.buy_again(3, buyer_email=EMAIL)
        buyer_id, product = self.buyer()["id"], ("click2sell", "1")
        action.carry_out(commands.Extend(buyer_id, product, 50, "why", "admin"))
        refused = self.buy_again(3, product_id="2")
        self.assertEqual(refused.outcome, Outcome.REFUSED)
        self.decide(self.key(Outcome.REFUSED))
        self.assertEqual(self.groups(), ["click2sell", "course"])
        self.assert_replay_changes_nothing()

    def test_what_is_not_refused(self):
        self.decide(self.key(Outcome.REFUSED))
        with self.assertRaises(NotPossible):
            self.decide(self.key(Outcome.ACCEPTED))

    def test_the_reason_is_kept(self):
        key = self.key(Outcome.REFUSED)
        self.decide(key)
        (note,) = ledger.get(self.portal, key)["notes"]
        self.assertEqual((note["what"], note["text"]), ("decided", "it is his"))


class TestAttach(DecisionTestCase):
    def test_the_account_that_an_owner_chooses(self):
        self.account("john", login="johnny")
        self.buy()
        self.assertEqual(self.attention(), [["account not certain", ""]])
        self.attach(self.key(), "john")
        self.assertEqual(self.attention(), [])
        self.assertEqual(self.groups("john"), ["click2sell", "premium"])
        self.assertEqual(self.buyer()["made"], False)

    def test_one_that_is_a_buyers_already(self):
        self.buy(buyer_email="new@example.org")
        self.account("john", login="johnny")
        self.buy_again(product_id="2")
        self.attach(self.key(), "new@example.org")
        self.assertEqual(self.groups("new@example.org"), ["click2sell", "course", "premium"])
        self.assertEqual(self.buyer()["id"], self.buyer("new@example.org")["id"])

    def test_who_cannot_be_chosen(self):
        self.account("john", login="johnny")
        self.buy()
        key = self.key()
        with self.assertRaises(NotPossible):
            self.attach(key, "nobody")
        with self.owner():
            api.user.grant_roles(username="john", roles=["Manager"])
        with self.assertRaises(NotPossible):
            self.attach(key, "john")
        self.account("other", email="other@example.org")
        self.attach(key, "other")
        with self.assertRaises(NotPossible):
            self.attach(key, "other")

    def test_one_that_is_refused(self):
        """A refused entry needs a decision about the transaction, not about the account."""
        self.buy(buyer_email=WRONG)
        self.account("john", login="johnny")
        self.assertEqual(self.buy().outcome, Outcome.REFUSED)
        with self.assertRaises(NotPossible):
            self.attach(self.key(Outcome.REFUSED), "john")
        self.assertEqual(self.groups("john"), [])

    def test_a_new_payment_after_the_chosen_member_was_deleted(self):
        self.account("john", login="johnny", email="johnny@example.org")
        self.account("other", login=EMAIL, email="other@example.org")
        self.buy()
        self.attach(self.key(), "john")
        with self.owner():
            api.user.delete(username="john")
            api.user.delete(username="other")
        self.later(days=1)
        self.provision()
        self.assertEqual(self.buyer()["user_id"], "")
        self.buy_again(product_id="2")
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])
        self.assertTrue(self.buyer()["made"])
        self.assert_replay_changes_nothing()

    def test_the_new_account_is_told_of_its_access(self):
        """The account that had the access before went without Plone's telling us."""
        self.account("john", login="johnny")
        self.buy()
        key = self.key()
        self.attach(key, "john")
        with mock.patch.object(subscribers, "_site", lambda: None), self.owner():
            api.user.delete(username="john")
        self.provision()
        self.assertEqual(self.attention(), [["account missing", ""]])
        self.account("other", email="other@example.org")
        (plan,) = self.attach(key, "other")
        self.assertEqual(plan.gained, (("click2sell", "1"),))
        self.assertEqual(counters.number(self.portal, *counters.WITH_ACCESS), 1)

    def test_after_the_account_is_gone(self):
        self.account("john", login="johnny")
        self.buy()
        key = self.key()
        self.attach(key, "john")
        with self.owner():
            api.user.delete(username="john")
        self.assertEqual(self.buyer()["chosen"], "")
        self.account("other", email="other@example.org")
        # Only a later payment gives access again.
        with self.assertRaises(NotPossible):
            self.attach(key, "other")


class TestDismiss(DecisionTestCase):
    def test_it_has_nothing_to_do_from_then_on(self):
        self.account("john", login="johnny")
        self.buy()
        key = self.key()
        self.dismiss(key)
        self.assertEqual(self.entries(), [(Outcome.NOTHING, "account not certain", "")])
        self.provision()
        pipeline.replay(key)
        self.assertEqual(self.attention(), [])
        self.assertEqual(self.groups("john"), [])

    def test_another_reason_needs_attention_again(self):
        self.settings(mapping=["1|missing"])
        self.buy()
        self.dismiss(self.key())
        self.settings(mapping=["1|absent"])
        self.provision()
        self.assertEqual(self.attention(), [["group missing", "absent"]])

    def test_one_of_an_unknown_kind(self):
        self.buy(transaction_type="Gift")
        key = self.key()
        self.dismiss(key)
        pipeline.replay(key)
        self.assertEqual(self.entries(), [(Outcome.NOTHING, "unknown kind", "")])

    def test_what_does_not_take_effect_binds_nothing(self):
        self.buy(purchase_date="2026-06-03")
        self.dismiss(self.key())
        self.assertNotEqual(self.buy(buyer_email="new@example.org").outcome, Outcome.REFUSED)

    def test_a_refused_one_stays_refused(self):
        self.buy(buyer_email=WRONG)
        self.buy()
        self.dismiss(self.key(Outcome.REFUSED))
        self.assertEqual(list(trees.tree(self.portal, "untold")), [])
        self.assertEqual(self.entries()[-1], (Outcome.REFUSED, Reason.ANOTHER, ""))

    def test_only_what_needs_it(self):
        self.buy()
        with self.assertRaises(NotPossible):
            self.dismiss(self.key(Outcome.ACCEPTED))


class TestMakeGroup(DecisionTestCase):
    def test_the_buyer_gets_in(self):
        self.settings(mapping=["1|missing"])
        self.buy()
        action.carry_out(decisions.MakeGroup(self.key(), "admin"))
        self.assertEqual(self.groups(), ["click2sell", "missing"])
        self.assertEqual(self.attention(), [])

    def test_a_look_makes_none(self):
        self.settings(mapping=["1|missing"])
        self.buy()
        (plan,) = action.preview(decisions.MakeGroup(self.key(), "admin"))
        self.assertEqual(plan.grant, ("missing",))
        self.assertIsNone(api.group.get("missing"))

    def test_one_that_left_roles_behind(self):
        self.settings(mapping=["1|missing"])
        self.buy()
        with self.owner():
            self.portal.manage_setLocalRoles("missing", ["Manager"])
        with self.assertRaises(NotPossible):
            action.carry_out(decisions.MakeGroup(self.key(), "admin"))
