"""An owner's commands obey the rules that notifications obey."""

from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.owner.action import NotPossible
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.layers import NOW
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import PASSWORD
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from niteoweb.click2sell.worker import sweep
from plone import api
from unittest import mock


ONE = ("click2sell", "1")


class OwnerTestCase(SiteTestCase):
    def grant(self, address=EMAIL, product=ONE, until=None, reason="a prize", **more):
        return action.carry_out(
            commands.Grant(address, product, until, reason, "admin", **more)
        )

    def end(self, product=ONE, address=EMAIL):
        return action.carry_out(
            commands.End(self.buyer(address)["id"], product, "asked for", "admin")
        )

    def extend(self, days, product=ONE, address=EMAIL):
        return action.carry_out(
            commands.Extend(self.buyer(address)["id"], product, days, "outage", "admin")
        )

    def until(self, product=ONE, address=EMAIL):
        """Until when there is access, in days from now; None for no end."""
        plan = self.provision(address)
        end = plan.ends[product]
        return None if end is None else (end - self.now) / timedelta(days=1)

    def last(self):
        """The entry that was written last."""
        return ledger.get(self.portal, next(ledger.newest_first(self.portal)))


class TestSameMoment(OwnerTestCase):
    """The clock stands still: what is looked at is what is carried out, in the same order."""

    def test_two_grants(self):
        self.grant()
        for _time in range(8):
            act = commands.Grant(EMAIL, ("click2sell", "2"), None, "a prize", "admin")
            again = commands.Grant(EMAIL, ("click2sell", "2"), None, "a prize", "admin")
            looked_at = action.preview(act)
            self.assertEqual(action.preview(again), looked_at)
            self.assertEqual(action.carry_out(again), looked_at)
        # Each of them was done.
        self.assertEqual(len(self.buyer()["keys"]), 9)

    def test_an_end_an_extension_and_a_correction(self):
        self.settings(mapping=["1|premium|30", "2|course"])
        self.buy()
        buyer_id, key = self.buyer()["id"], self.last()["key"]
        for make in (
            lambda: commands.Extend(buyer_id, ONE, 5, "outage", "admin"),
            lambda: commands.Extend(buyer_id, ONE, 5, "outage", "admin"),
            lambda: commands.End(buyer_id, ONE, "asked for", "admin"),
            lambda: commands.Extend(buyer_id, ONE, 5, "outage", "admin"),
            lambda: decisions.Correct(key, "admin", "jane@example.org", True, "typo"),
        ):
            looked_at = action.preview(make())[0]
            self.assertEqual(action.carry_out(make())[0], looked_at)

    def test_what_is_done_later_counts_where_the_providers_clock_is_ahead(self):
        self.settings(mapping=["1|premium|30", "2|course"])
        self.buy(purchase_date="2026-05-04")
        for days in range(1, 5):
            self.end()
            self.assertEqual(self.groups(), ["click2sell"])
            self.later(minutes=1)
            self.extend(days)
            self.assertEqual(self.groups(), ["click2sell", "premium"])
            self.later(minutes=1)


class TestGrant(OwnerTestCase):
    def test_makes_a_member_and_gives_the_groups(self):
        until = NOW + timedelta(days=10)
        self.grant(until=until, name="Ana Maria Šuštar", reference="P-1")
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        member = self.member()
        self.assertEqual(member.getProperty("fullname"), "Ana Maria Šuštar")
        self.assertEqual(member.getProperty("last_purchase_id"), "P-1")
        self.assertEqual(self.until(), 10)
        entry = self.last()
        self.assertEqual(
            (entry["provider"], entry["on_behalf_of"], entry["kind"], entry["outcome"]),
            ("owner", "click2sell", "purchase", Outcome.ACCEPTED),
        )
        self.assertEqual(dict(entry["payload"]), {"reason": "a prize", "by": "admin"})
        self.assertEqual(entry["amount"], None)

    def test_the_fields_of_who_has_paid_stay(self):
        self.buy()
        before = self.fields()
        self.grant(product=("click2sell", "2"))
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])
        self.assertEqual(self.fields(), before)

    def test_ends_by_itself(self):
        self.grant(until=NOW + timedelta(days=10))
        self.later(days=10)
        self.assertEqual(len(sweep.sweep().lapsed), 1)
        self.assertEqual(self.groups(), ["click2sell"])

    def test_without_an_end_gets_the_terms_of_the_product(self):
        self.settings(mapping=["1|premium|30"])
        self.grant()
        self.assertEqual(self.until(), 30)

    def test_the_same_reference_is_done_once(self):
        until = NOW + timedelta(days=10)
        self.grant(until=until, reference="P-1")
        before = self.dump()
        self.grant(until=until, reference="P-1")
        after = self.dump()
        for found in (before, after):
            for entry in found["trees"]["entries"].values():
                entry.pop("attempts")
        self.assertEqual(before, after)
        self.grant(until=until + timedelta(days=1), reference="P-1")
        self.assertEqual(len(self.entries()), 2)

    def test_an_account_that_can_administer_the_site_is_not_touched(self):
        self.account()
        with self.owner():
            api.user.grant_roles(username=EMAIL, roles=["Manager"])
        self.grant()
        self.assertEqual(self.groups(), [])
        self.assertEqual(self.attention(), [["privileged account", ""]])

    def test_mail_now_later_or_never(self):
        self.settings(welcome_mail="link")
        later = NOW + timedelta(hours=1)
        self.grant("one@example.org", mail=False)
        self.grant("two@example.org", mail_after=later)
        self.assertEqual(
            [
                (mail["to"], mail["due_at"])
                for mail in trees.tree(self.portal, "mails").values()
            ],
            [("two@example.org", timestamps.iso(later))],
        )

    def test_what_is_missing(self):
        for changes in (
            {"address": "nobody"},
            {"address": f"{'x' * 250}@example.org"},
            {"reason": " "},
            {"product": ("click2sell", "")},
        ):
            with self.subTest(changes), self.assertRaises(NotPossible):
                self.grant(**changes)
        self.assertEqual(self.entries(), [])

    def test_a_look_changes_nothing(self):
        self.buy(buyer_email="other@example.org")
        before = self.dump()
        wanted = commands.Grant(EMAIL, ONE, None, "a prize", "admin")
        with mock.patch("zope.event.notify") as notify:
            (plan,) = action.preview(wanted)
        self.assertFalse(notify.called)
        self.assertTrue(plan.create)
        self.assertEqual(set(plan.grant), {"click2sell", "premium"})
        self.assertEqual(self.dump(), before)


class TestEnd(OwnerTestCase):
    def test_of_everything_that_gives_the_product(self):
        self.buy()
        self.buy_again()
        self.grant()
        act = commands.End(self.buyer()["id"], ONE, "asked for", "admin")
        [plan] = previewed = action.preview(act)
        self.assertEqual((plan.lost, tuple(plan.revoked)), ((ONE,), ("premium",)))
        self.assertEqual(action.carry_out(act), previewed)
        self.assertEqual(self.groups(), ["click2sell"])
        self.assertEqual(len(self.entries()), 6)
        self.later(days=1)
        self.assertEqual(self.until(), -1)

    def test_a_later_payment_gives_it_again(self):
        self.buy()
        self.end()
        self.later(days=1)
        self.buy_again(purchase_date="2026-05-04", purchase_time="20:00:00")
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_other_products_stay(self):
        self.buy()
        self.buy_again(product_id="2")
        self.end()
        self.assertEqual(self.groups(), ["click2sell", "course"])

    def test_of_what_release_0_4_5_left_behind(self):
        # Its purchases are told by another provider, and speak for Click2Sell.
        self.grant()
        self.end()
        self.assertEqual(self.groups(), ["click2sell"])

    def test_what_the_providers_clock_dated_ahead(self):
        """A clock of another time zone: access began before the sale was made, and ends now."""
        self.buy(purchase_time="23:30:00")
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assertGreater(timestamps.from_iso(self.last()["occurred_at"]), self.now)
        self.end()
        self.assertEqual(self.groups(), ["click2sell"])
        self.assertEqual(self.buyer()["next_change"], "")
        self.later(days=2)
        self.provision()
        self.assertEqual(self.groups(), ["click2sell"])

    def test_what_a_silent_provider_sent_no_renewal_for(self):
        self.settings(mapping=["1|premium|30"])
        new = {"transaction_type": "Subscription", "subscription_status": "New"}
        self.buy(**new)
        self.buy_again(**new)
        self.later(days=60)
        with mock.patch.object(silence, "silent", lambda site, now: {"click2sell": NOW}):
            self.provision()
            self.assertEqual(self.groups(), ["click2sell", "premium"])
            self.end()
            self.assertEqual(self.groups(), ["click2sell"])

    def test_of_a_buyer_whose_first_address_was_another_buyers(self):
        """A decision about a purchase stays with it, though the address leads elsewhere."""
        other, third = "other@example.org", "third@example.org"
        self.buy()
        self.account("john", email=other)
        self.buy_again(buyer_email=other, product_id="2")
        (of_two,) = ledger.newest_first(self.portal, product_id="2")
        action.carry_out(decisions.Attach(of_two, "admin", EMAIL, "he says"))
        (of_one,) = ledger.newest_first(self.portal, product_id="1")
        action.carry_out(decisions.Correct(of_one, "admin", third, True, "why"))
        self.assertEqual(self.groups(), ["click2sell", "course"])
        self.end(("click2sell", "2"), other)
        self.assertEqual(self.groups(), ["click2sell"])
        self.assertEqual(self.groups(third), ["click2sell", "premium"])

    def test_nothing_to_end(self):
        self.buy()
        with self.assertRaises(NotPossible):
            self.end(("click2sell", "2"))
        self.end()
        with self.assertRaises(NotPossible):
            self.end()
        with self.assertRaises(NotPossible):
            action.preview(commands.End("nobody", ONE, "asked for", "admin"))


class TestExtend(OwnerTestCase):
    def setUp(self):
        super().setUp()
        self.settings(mapping=["1|premium|30", "2|course"])
        self.buy()
        self.end_at_first = self.until()

    def test_from_the_end(self):
        self.extend(5)
        self.assertAlmostEqual(self.until(), self.end_at_first + 5)

    def test_from_now_when_it_is_over(self):
        self.later(days=100)
        sweep.sweep()
        self.assertEqual(self.groups(), ["click2sell"])
        self.extend(5)
        self.assertEqual(self.until(), 5)
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_what_an_owner_has_ended(self):
        self.end()
        self.later(days=1)
        self.extend(5)
        self.assertEqual(self.until(), 5)
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_keeps_a_cancellation(self):
        self.buy(transaction_type="Subscription", subscription_status="Cancel")
        self.extend(5)
        self.assertEqual(self.attention(), [])
        self.assertAlmostEqual(self.until(), self.end_at_first + 5)

    def test_a_renewal_that_is_told_late_is_not_lost(self):
        self.later(days=31)
        self.extend(2)
        self.buy(
            transaction_type="Subscription",
            subscription_status="Recurring",
            c2s_transaction_id="R-2",
            purchase_date="2026-06-01",
        )
        self.assertEqual(self.attention(), [])
        self.assertGreater(self.until(), 28)

    def test_what_the_providers_clock_dated_ahead(self):
        self.buy_again(purchase_time="23:30:00")
        before = self.until()
        self.extend(5)
        self.assertEqual(self.attention(), [])
        self.assertAlmostEqual(self.until(), before + 5)

    def test_up_to_the_end_of_the_calendar(self):
        self.grant(until=datetime(9999, 12, 30, tzinfo=timezone.utc))
        with self.assertRaises(NotPossible):
            self.extend(5)

    def test_what_cannot_be_extended(self):
        self.buy_again(product_id="2")
        open_end = ("click2sell", "2")
        for days, product in ((0, ONE), (100000, ONE), (5, open_end), (5, ("x", "1"))):
            with self.subTest((days, product)), self.assertRaises(NotPossible):
                self.extend(days, product)
        self.refund()
        with self.assertRaises(NotPossible):
            self.extend(5)


class TestRules(OwnerTestCase):
    def test_a_replay_of_everything_changes_nothing(self):
        self.settings(mapping=["1|premium|30", "2|course"])
        self.buy()
        self.grant(product=("click2sell", "2"))
        self.extend(5)
        self.end(("click2sell", "2"))
        self.assert_replay_changes_nothing()

    def test_an_action_that_fails_leaves_nothing(self):
        self.buy(buyer_email="other@example.org")
        before = self.dump()
        with (
            mock.patch.object(ledger, "set_outcome", side_effect=ZeroDivisionError),
            self.assertRaises(ZeroDivisionError),
        ):
            self.grant()
        self.assertEqual(self.dump(), before)


class TestResend(OwnerTestCase):
    def resend(self, way):
        return outbox.get(
            self.portal, commands.Resend(self.buyer()["id"], way, "admin").carry_out()
        )

    def test_a_link_although_welcome_mails_are_off(self):
        self.buy()
        mail = self.resend("link")
        self.assertEqual((mail["to"], mail["by"], mail["state"]), (EMAIL, "admin", outbox.DUE))

    def test_names_the_latest_product_with_access(self):
        self.settings(mapping=["1|premium|30|title=Gold", "2|course|30|title=Silver"])
        self.buy()
        self.later(minutes=1)
        self.buy_again(product_id="2")
        self.assertEqual(self.resend("link")["product"], "Silver")
        self.later(minutes=1)
        self.end(("click2sell", "2"))
        self.assertEqual(self.resend("link")["product"], "Gold")

    def test_nobody_is_thanked_for_access_that_is_over(self):
        self.settings(mapping=["1|premium|30"])
        self.buy()
        self.later(minutes=1)
        self.end()
        with self.assertRaises(NotPossible) as caught:
            self.resend("link")
        self.assertIn("has no access", str(caught.exception.message))

    def test_a_new_password_for_an_account_that_we_made(self):
        self.buy()
        before = self.buyer()["password_print"]
        self.settings(site_address="http://nohost/plone")
        self.resend("password")
        self.assertNotEqual(self.buyer()["password_print"], before)

    def test_others_keep_their_password(self):
        self.account()
        self.buy()
        with self.assertRaises(NotPossible):
            self.resend("password")
        self.resend("link")
        self.assertEqual(self.authenticates(EMAIL, PASSWORD), EMAIL)

    def test_who_gets_none(self):
        with self.assertRaises(NotPossible):
            commands.Resend("nobody", "link", "admin").carry_out()
        self.buy()
        with self.owner():
            api.user.grant_roles(username=EMAIL, roles=["Manager"])
        with self.assertRaises(NotPossible):
            self.resend("link")
