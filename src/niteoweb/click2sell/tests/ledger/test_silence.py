"""Whether a provider is silent for unusually long, and what the sweep makes of it."""

from dataclasses import replace
from datetime import timedelta
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import MIGRATION
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning.plan import LOOK_AGAIN
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.sweeps import SilenceTestCase
from unittest import mock


OTHER = "joe@example.org"


class TestSilent(SilenceTestCase):
    def test_two_arrivals_tell_nothing(self):
        self.arrivals(2, hours=1)
        self.later(days=100)
        self.assertIsNone(self.usual())
        self.assertEqual(self.silent(), {})

    def test_a_provider_that_never_sent_anything(self):
        self.assertIsNone(self.usual())
        self.assertEqual(silence.providers(self.portal), ())
        self.assertEqual(self.silent(), {})

    def test_what_was_adopted_from_an_old_site_is_nothing_to_wait_for(self):
        self.arrivals(3, provider=MIGRATION, minutes=1)
        self.later(days=30)
        self.assertEqual(silence.providers(self.portal), (MIGRATION,))
        self.assertEqual(self.silent(), {})

    def test_what_an_owner_does_is_nothing_to_wait_for(self):
        self.arrivals(3, provider=OWNER, minutes=1)
        self.later(days=30)
        self.assertEqual(self.silent(), {})

    def test_never_under_24_hours(self):
        self.arrivals(10, hours=1)
        last = self.now
        self.later(hours=24)
        self.assertEqual(self.silent(), {})
        self.later(seconds=1)
        self.assertEqual(self.silent(), {"click2sell": last})

    def test_twice_the_longest_pause_that_is_usual(self):
        self.arrivals(3, days=4)
        self.later(days=8)
        self.assertEqual(self.silent(), {})
        self.later(seconds=1)
        self.assertEqual(list(self.silent()), ["click2sell"])

    def test_only_the_latest_arrivals_tell_what_is_usual(self):
        with mock.patch.object(silence, "ARRIVALS", 10):
            self.arrivals(2, days=300)
            self.later(minutes=1)
            self.arrivals(8, minutes=1)
            self.assertEqual(self.usual(), timedelta(days=600))
            # The arrival before the long pause does not count any more.
            self.later(minutes=1)
            self.arrivals(1)
            self.assertEqual(self.usual(), timedelta(hours=24))

    def test_a_provider_is_given_a_day_to_catch_up(self):
        self.arrivals(10, hours=1)
        last = self.now
        self.later(days=3)
        self.arrivals(4, hours=8)
        self.assertEqual(self.silent(), {"click2sell": last})
        self.later(seconds=1)
        self.assertEqual(self.silent(), {})

    def test_each_provider_for_itself(self):
        self.arrivals(4, hours=1)
        last = self.now
        self.arrivals(40, provider="busy", hours=1)
        self.assertEqual(silence.providers(self.portal), ("busy", "click2sell"))
        self.assertEqual(self.silent(), {"click2sell": last})


class TestSweep(SilenceTestCase):
    """Somebody has a subscription and somebody else a single sale, both for 30 days."""

    def setUp(self):
        super().setUp()
        latest = mock.patch.object(silence, "ARRIVALS", 20)
        latest.start()
        self.addCleanup(latest.stop)
        self.subscribe()
        self.buy(
            buyer_email="jane@example.org",
            acquirer_transaction_id="T-2",
            c2s_transaction_id="R-2",
        )
        # Sold at about 8 o'clock UTC: the grace ends 33 days later.
        self.later(days=30)

    def lapsed(self, report):
        return [found["user_id"] for found in report.lapsed]

    def test_an_outage_ends_single_sales_and_no_subscription(self):
        self.arrivals(30, hours=1)
        last = self.now
        self.later(days=2)
        report = self.sweep()
        self.assertEqual(self.lapsed(report), ["jane@example.org"])
        self.assertEqual(report.silent, {"click2sell": last})
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assertEqual(self.groups("jane@example.org"), ["click2sell"])
        # And so on, day after day.
        self.later(days=5)
        report = self.sweep(dry_run=True)
        self.assertEqual(self.lapsed(report), [])
        self.assertEqual(list(report.silent), ["click2sell"])
        self.assertEqual(self.lapsed(self.sweep()), [])
        self.assertIn("premium", self.groups())

    def test_the_owner_may_know_better(self):
        self.arrivals(30, hours=1)
        self.later(days=2)
        report = self.sweep(confirmed=True)
        self.assertEqual(sorted(self.lapsed(report)), ["jane@example.org", EMAIL])
        self.assertEqual(report.silent, {})

    def test_also_after_the_automatic_check_has_left_them_in(self):
        self.arrivals(30, hours=1)
        self.later(days=2)
        self.sweep()
        self.later(minutes=1)
        self.assertEqual(self.lapsed(self.sweep(dry_run=True, confirmed=True)), [EMAIL])
        self.assertEqual(self.lapsed(self.sweep(confirmed=True)), [EMAIL])
        self.assertNotIn("premium", self.groups())

    def test_who_did_not_renew_a_day_after_the_outage_is_out(self):
        self.arrivals(30, hours=1)
        self.later(days=3)
        self.sweep()
        self.assertIn("premium", self.groups())
        self.arrivals(2, hours=24)
        self.assertEqual(self.lapsed(self.sweep()), [])
        self.later(minutes=LOOK_AGAIN.seconds // 60)
        self.assertEqual(self.lapsed(self.sweep()), [EMAIL])

    def test_who_renews_when_it_is_over_has_lost_nothing(self):
        self.arrivals(30, hours=1)
        self.later(days=3)
        self.sweep()
        self.buy(
            transaction_type="Subscription",
            subscription_status="Recurring",
            c2s_transaction_id="R-3",
            purchase_date="2026-06-02",
        )
        self.assertEqual(self.lapsed(self.sweep()), [])
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_without_an_outage(self):
        self.arrivals(4 * 24, hours=1)
        report = self.sweep()
        self.assertEqual(sorted(self.lapsed(report)), ["jane@example.org", EMAIL])
        self.assertEqual(report.silent, {})

    def test_another_provider_does_not_excuse_it(self):
        # Click2Sell is heard of; that the other one is silent is nothing to its subscribers.
        self.arrivals(3, provider="other", hours=1)
        self.arrivals(4 * 24, hours=1)
        report = self.sweep()
        self.assertEqual(sorted(self.lapsed(report)), ["jane@example.org", EMAIL])
        self.assertEqual(list(report.silent), ["other"])

    def test_another_provider_does_not_stand_in_for_it(self):
        self.arrivals(30, hours=1)
        self.arrivals(72, provider="other", hours=1)
        report = self.sweep()
        self.assertEqual(self.lapsed(report), ["jane@example.org"])
        self.assertEqual(list(report.silent), ["click2sell"])
        self.assertIn("premium", self.groups())

    def test_a_cancelled_subscription_waits_for_no_renewal(self):
        self.later(days=-2)
        self.buy(transaction_type="Subscription", subscription_status="Cancel")
        self.assertIn("premium", self.groups())
        self.later(days=2)
        self.arrivals(30, hours=1)
        self.later(days=2)
        self.assertEqual(sorted(self.lapsed(self.sweep())), ["jane@example.org", EMAIL])

    def give(self, days):
        """Give access to the product of the subscription by hand."""
        grant = commands.Grant(EMAIL, ("click2sell", "1"), None, "a prize", "boss", days=days)
        action.carry_out(grant)

    def test_what_was_given_on_top_changes_nothing(self):
        self.arrivals(30, hours=1)
        self.give(days=4)
        self.later(days=5)
        self.assertEqual(self.lapsed(self.sweep()), ["jane@example.org"])
        self.assertIn("premium", self.groups())

    def test_a_subscription_that_was_over_before_waits_for_no_renewal(self):
        self.arrivals(4 * 24, hours=1)
        self.sweep()
        self.give(days=4)
        self.later(days=5)
        self.assertEqual(list(self.silent()), ["click2sell"])
        self.assertEqual(self.lapsed(self.sweep()), [EMAIL])

    def test_nor_does_that_of_a_suspended_customer(self):
        self.arrivals(30, hours=1)
        self.later(days=3)
        self.sweep()
        told = replace(self.notification(), key="k", transaction="C", occurred_at=self.now)
        pipeline.process(replace(told, kind=Kind.INFORMATION, customer_suspended=True))
        self.assertEqual(list(self.silent()), ["click2sell"])
        self.assertNotIn("premium", self.groups())

    def test_an_id_that_a_subscription_has_no_more_gives_no_group_meanwhile(self):
        self.settings(mapping=["old|premium", "new|course"])
        stated = {"snapshot": True, "subscription": True, "product_id": "S"}
        stated |= {"transaction": "S", "buyer": OTHER, "email": OTHER}
        stated["valid_until"] = self.now + timedelta(days=1)
        for kind, alias in ((Kind.PURCHASE, "old"), (Kind.PLAN_CHANGE, "new")):
            told = replace(self.notification(), kind=kind, occurred_at=self.now, **stated)
            pipeline.process(replace(told, key=alias, aliases=(alias,)))
            self.later(minutes=1)
        self.assertEqual(self.groups(OTHER), ["click2sell", "course"])
        since = {"click2sell": self.now}
        with mock.patch.object(silence, "silent", lambda *_: since):
            self.later(days=10)
            self.sweep()
        self.assertEqual(self.groups(OTHER), ["click2sell", "course"])
