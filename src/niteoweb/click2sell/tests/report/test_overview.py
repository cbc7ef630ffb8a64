"""The names of products."""

from dataclasses import replace
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.owner.action import carry_out
from niteoweb.click2sell.provisioning import recording
from niteoweb.click2sell.report import overview
from niteoweb.click2sell.settings import products
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase

import transaction


class TestProductName(SiteTestCase):
    def told(self, provider, name, **values):
        """An entry about product 1 arrives."""
        told = replace(
            self.notification(),
            key=f"{provider} {name}",
            provider=provider,
            kind=Kind.INFORMATION,
            transaction=f"{provider} {name}",
            product_id="1",
            product_name=name,
            **values,
        )
        recording.write_down(self.portal, told, self.now)
        transaction.commit()

    def names(self):
        return [
            overview.product_name(self.portal, (provider, "1"))
            for provider in ("click2sell", "plenigo")
        ]

    def test_none_was_ever_sent(self):
        self.assertEqual(self.names(), ["", ""])

    def test_that_of_the_provider(self):
        self.told("click2sell", "Book")
        self.told("plenigo", "Paper")
        self.assertEqual(self.names(), ["Book", "Paper"])
        self.told("click2sell", "Handbook")
        self.assertEqual(self.names(), ["Handbook", "Paper"])

    def test_that_of_another_one_is_not_taken(self):
        self.told("plenigo", "Paper")
        self.assertEqual(self.names(), ["", "Paper"])

    def test_what_was_brought_over_speaks_for_the_provider(self):
        self.told("migration", "Book", on_behalf_of="click2sell")
        self.told("plenigo", "Paper")
        self.assertEqual(self.names(), ["Book", "Paper"])

    def test_a_grant_is_called_as_the_provider_calls_the_product(self):
        self.told("click2sell", "Book")
        self.told("plenigo", "Paper")
        carry_out(commands.Grant(EMAIL, ("click2sell", "1"), None, "A gift.", "owner"))
        key = next(ledger.newest_first(self.portal, provider="owner"))
        self.assertEqual(ledger.get(self.portal, key)["product_name"], "Book")


class TestShown(SiteTestCase):
    def test_the_owners_title_else_the_sent_name_else_the_id(self):
        self.settings(mapping=["1|a|title=Gold", "1|b", "2|a"])
        for product_id, sent_name, expected in (
            ("1", "Book", "Gold"),
            ("1", "", "Gold"),
            ("2", "Book", "Book"),
            ("2", "", "2"),
            ("", "", ""),
        ):
            title = products.title("click2sell", product_id, sent_name)
            self.assertEqual(title, expected)
        self.assertEqual(products.title("nobody", "1", "Book"), "Book")
        self.assertEqual(products.title("click2sell", "3", "", {"1"}), "Gold")
