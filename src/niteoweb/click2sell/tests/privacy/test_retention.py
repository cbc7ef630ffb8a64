"""Payloads that are removed after some days, and what stays."""

from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement.outcome import compute
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.privacy import retention
from niteoweb.click2sell.provider import unreadable
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.tests.cases.sweeps import SweepTestCase
from unittest import mock

import transaction


class TestRetention(SweepTestCase):
    def buy_daily(self, days):
        """A sale a day, all of one buyer."""
        for number in range(days):
            if number:
                self.later(days=1)
            self.buy_again(number, purchase_date=f"{self.now:%Y-%m-%d}", buyer_country="AT")

    def payloads(self):
        """Whether there is a payload, entry by entry, the oldest first."""
        transaction.begin()
        keys = reversed(list(ledger.newest_first(self.portal)))
        return [bool(ledger.get(self.portal, key)["payload"]) for key in keys]

    def test_never_unless_it_is_set(self):
        self.buy_daily(2)
        self.later(days=10_000)
        for days in 0, None:
            found = mock.Mock(retention_days=days)
            with (
                mock.patch.object(plone_site, "settings", lambda found=found: found),
                self.no_commit(),
            ):
                self.assertEqual(retention.redact(self.now), 0)
        self.assertEqual(self.payloads(), [True, True])

    def test_old_ones_go_and_the_others_stay(self):
        self.buy_daily(5)
        self.settings(retention_days=2)
        self.assertEqual(self.sweep().redacted, 2)
        self.assertEqual(self.payloads(), [False, False, True, True, True])
        with self.no_commit():
            self.assertEqual(self.sweep().redacted, 0)
        self.later(days=1, seconds=1)
        self.assertEqual(self.sweep().redacted, 2)
        self.assertEqual(self.payloads(), [False] * 4 + [True])

    def test_a_dry_run_removes_nothing(self):
        self.buy_daily(3)
        self.settings(retention_days=1)
        with self.no_commit():
            self.assertEqual(self.sweep(dry_run=True).redacted, 0)
        self.assertEqual(self.payloads(), [True] * 3)

    def test_in_several_commits_and_at_one_moment(self):
        for number in range(7):
            self.buy_again(number)
        self.later(days=2)
        self.settings(retention_days=1)
        with mock.patch.object(retention, "BATCH", 3):
            self.assertEqual(retention.redact(self.now), 7)
        self.assertEqual(self.payloads(), [False] * 7)

    def test_what_needs_attention_stays_until_it_does_not(self):
        for number in range(4):
            pipeline.process(
                unreadable(
                    f"key {number}",
                    "click2sell",
                    f"T-{number}",
                    {"buyer_email": "?"},
                    "buyer_email",
                    self.now,
                )
            )
        self.buy_again()
        self.later(days=2)
        self.settings(retention_days=1)
        with mock.patch.object(retention, "BATCH", 3):
            self.assertEqual(self.sweep().redacted, 1)
        self.assertEqual(sorted(self.payloads()), [False, True, True, True, True])
        with self.no_commit():
            self.assertEqual(self.sweep().redacted, 0)
        with self.owner():
            for number in (0, 2):
                entry = ledger.get(self.portal, f"key {number}")
                ledger.set_outcome(self.portal, entry, Outcome.NOTHING)
        with mock.patch.object(retention, "BATCH", 1):
            self.assertEqual(self.sweep().redacted, 2)
        for number, kept in enumerate((False, True, False, True)):
            payload = ledger.get(self.portal, f"key {number}")["payload"]
            self.assertEqual(bool(payload), kept)
        with self.no_commit():
            self.assertEqual(self.sweep().redacted, 0)
        self.later(days=100)
        self.assertEqual(self.sweep().redacted, 0)

    def test_it_begins_where_it_ended(self):
        self.buy_daily(6)
        self.settings(retention_days=1)
        self.sweep()
        self.later(days=1, seconds=1)
        with mock.patch.object(entries, "at", wraps=entries.at) as read:
            self.assertEqual(retention.redact(self.now), 2)
        # The last one of before, the two of now, and once more the last one of now.
        self.assertEqual(read.call_count, 4)

    def test_what_was_bought_stays(self):
        self.buy_daily(2)
        self.refund(
            acquirer_transaction_id="T-0",
            c2s_transaction_id="R-0",
            purchase_date=f"{self.now:%Y-%m-%d}",
        )

        def facts():
            transaction.begin()
            found = history.entries(self.portal, self.buyer())
            outcome = compute(history.facts(found, {}), effective.policy())
            return outcome, [{**entry, "payload": None} for entry in found]

        before = facts()
        self.assertEqual(before[1][0]["country"], "AT")
        self.later(days=2)
        self.settings(retention_days=1)
        self.assertEqual(self.sweep().redacted, 3)
        self.assertEqual(facts(), before)
        # It can still be processed again, and delivered again.
        groups = self.groups()
        self.later(seconds=-timedelta(days=2).total_seconds())
        self.buy_again(0, buyer_country="AT")
        self.assertEqual(self.groups(), groups)
        self.assertEqual(self.payloads(), [False] * 3)
