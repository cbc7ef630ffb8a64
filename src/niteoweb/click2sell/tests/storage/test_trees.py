"""The trees of the add-on, which its installation creates."""

from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from zope.annotation.interfaces import IAnnotations

import transaction


class TestTrees(PageTestCase):
    PAGES = ("notifications", "members", "report", "privacy?address=x@example.org", "settings")

    def root(self):
        """All trees, as another transaction sees them."""
        transaction.begin()
        return IAnnotations(self.portal)[trees.KEY]

    def test_no_page_writes(self):
        self.buy()
        # The first page of all lets Plone write something of its own.
        self.opened()
        last = self.last_transaction()
        for page in self.PAGES:
            with self.subTest(page):
                browser = self.browser()
                browser.open(f"{self.portal.absolute_url()}/@@click2sell-{page}")
                self.assertIn("Memberships", browser.contents)
                self.assertNotIn("@@confirm-action", browser.url)
                self.assertEqual(self.last_transaction(), last)

    def test_installing_creates_the_missing_ones_and_keeps_the_others(self):
        trees.tree(self.portal, "mentions").insert(("a", "b"))
        transaction.commit()
        del self.root()["remarks"]
        transaction.commit()
        trees.install(self.portal)
        transaction.commit()
        self.assertEqual(list(self.root()["mentions"]), [("a", "b")])
        self.assertEqual(dict(self.root()["remarks"]), {})
        self.assertEqual(set(self.root()), set(trees.TREES))

    def test_a_site_without_the_add_on(self):
        del IAnnotations(self.portal)[trees.KEY]
        transaction.commit()
        self.assertFalse(trees.exists(self.portal))
        with self.assertRaises(KeyError):
            trees.tree(self.portal, "entries")
