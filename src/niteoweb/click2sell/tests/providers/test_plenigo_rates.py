"""Rates at which plenigo's pages and services may be asked."""

from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell.providers.plenigo import limits
from niteoweb.click2sell.provisioning import rates
from niteoweb.click2sell.provisioning import TooMany
from niteoweb.click2sell.tests.cases.documentation import pages
from niteoweb.click2sell.tests.cases.documentation import with_docs
from unittest import mock

import re
import unittest


TWICE = rates.Rate("twice", 2)
LONG = rates.Rate("long", 1, rates.LONGEST)


class TestRates(unittest.TestCase):
    def setUp(self):
        self.now = datetime(2026, 11, 29, tzinfo=timezone.utc)
        self.site = "/plone"
        calls = self.enterContext(mock.patch.object(rates, "_calls", type(rates._calls)()))
        self.calls = calls
        site = mock.Mock()
        site.get.return_value.getPhysicalPath.side_effect = lambda: ("", self.site)
        self.enterContext(mock.patch.object(rates, "plone_site", site))
        self.enterContext(
            mock.patch.object(rates.timestamps, "now", side_effect=lambda: self.now)
        )

    def pass_(self, **time):
        self.now += timedelta(**time)

    def counts(self, rate, by=""):
        try:
            rate.count(by)
        except TooMany:
            return False
        return True

    def test_so_many_in_that_time(self):
        self.assertEqual([self.counts(TWICE) for _ in range(4)], [True, True, False, False])
        self.pass_(seconds=59)
        self.assertFalse(self.counts(TWICE))
        self.pass_(seconds=1)
        self.assertTrue(self.counts(TWICE))

    def test_what_was_refused_does_not_count(self):
        self.counts(TWICE)
        self.pass_(seconds=30)
        self.counts(TWICE)
        for _ in range(5):
            self.assertFalse(self.counts(TWICE))
        self.pass_(seconds=30)
        self.assertEqual([self.counts(TWICE) for _ in range(2)], [True, False])

    def test_each_counts_alone(self):
        for by in ("jane", "zoe"):
            self.assertEqual([self.counts(TWICE, by) for _ in range(3)], [True, True, False])
        self.assertTrue(self.counts(LONG, "jane"))
        self.site = "/other"
        self.assertTrue(self.counts(TWICE, "jane"))

    def test_the_addresses_of_an_ipv6_network_count_together(self):
        rate = rates.AddressRate("by address", 2)
        found = [self.counts(rate, f"2001:db8:1:2:{number:x}::{number}") for number in range(3)]
        self.assertEqual(found, [True, True, False])
        self.assertTrue(self.counts(rate, "2001:db8:1:3::1"))
        for by in ("192.0.2.7", "192.0.2.8", ""):
            self.assertEqual([self.counts(rate, by) for _ in range(3)], [True, True, False])

    def test_a_clock_that_is_set_back_keeps_nobody_out(self):
        self.counts(LONG)
        self.pass_(hours=-1)
        self.assertTrue(self.counts(LONG))

    def test_who_has_not_asked_for_long_is_forgotten(self):
        for number in range(100):
            self.counts(TWICE, str(number))
        self.pass_(minutes=5)
        self.counts(TWICE, "0")
        self.pass_(minutes=5)
        self.counts(TWICE, "new")
        self.assertEqual([by for _site, _subject, by in self.calls], ["0", "new"])


@with_docs
class TestTable(unittest.TestCase):
    def test_all_are_in_the_documentation(self):
        told = re.findall(r"\* - (.+)\n +- (\d+)\n +- (\d+)", pages()["plenigo.rst"])
        known = [one for one in vars(limits).values() if isinstance(one, rates.Rate)]
        self.assertEqual(len(known), 8)
        for one in known:
            by_address = isinstance(one, rates.AddressRate)
            self.assertEqual(by_address, one.subject.endswith("from one address"))
        self.assertEqual(
            told,
            [
                (one.subject, str(one.most), str(int(one.within.total_seconds() / 60)))
                for one in known
            ],
        )
