"""Trees that an older site does not have yet: reading makes none, writing does."""

from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from zope.annotation.interfaces import IAnnotations

import transaction


class StoreTestCase(PageTestCase):
    def root(self):
        """What is stored, as another transaction sees it."""
        transaction.begin()
        return IAnnotations(self.portal)[trees.KEY]

    def without(self, *names):
        """A site that is older than some trees."""
        root = self.root()
        for name in names:
            del root[name]
        transaction.commit()


#: Without these the pages would not find what is there.
KEPT = ("entries", "entry_places", "facets", "counts")


class TestReading(StoreTestCase):
    PAGES = ("notifications", "members", "report", "privacy?address=x@example.org", "settings")

    def test_no_page_writes(self):
        self.buy()
        # The first page of all lets Plone write something of its own.
        self.opened()
        names = [name for name in trees.TREES if name not in KEPT]
        self.without(*names)
        last = self.last_transaction()
        for page in self.PAGES:
            with self.subTest(page):
                browser = self.browser()
                browser.open(f"{self.portal.absolute_url()}/@@click2sell-{page}")
                self.assertIn("Click2Sell", browser.contents)
                self.assertNotIn("@@confirm-action", browser.url)
                self.assertEqual(self.last_transaction(), last)
        self.assertEqual(set(self.root()), set(trees.TREES) - set(names))

    def test_what_was_only_read_is_not_stored_with_what_is_written(self):
        self.without("mentions", "buyers_with_access", "remarks")
        self.assertEqual(list(trees.tree(self.portal, "mentions")), [])
        self.assertEqual(trees.tree(self.portal, "buyers_with_access")(), 0)
        trees.tree(self.portal, "remarks")["a"] = 1
        transaction.commit()
        self.assertEqual(dict(self.root()["remarks"]), {"a": 1})
        self.assertNotIn("mentions", self.root())
        self.assertNotIn("buyers_with_access", self.root())

    def test_a_site_without_anything(self):
        transaction.begin()
        del IAnnotations(self.portal)[trees.KEY]
        transaction.commit()
        last = self.last_transaction()
        transaction.begin()
        self.assertEqual(ledger.count(self.portal), 0)
        transaction.commit()
        self.assertFalse(trees.exists(self.portal))
        self.assertEqual(self.last_transaction(), last)


class TestWriting(StoreTestCase):
    def test_a_purchase_on_a_site_that_is_older_than_all_trees(self):
        self.without(*trees.TREES)
        self.buy()
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assertEqual(trees.tree(self.portal, "buyers_with_access")(), 1)
        self.assert_replay_changes_nothing()

    def test_one_tree_in_one_transaction(self):
        self.without("mentions")
        trees.tree(self.portal, "mentions").insert(("a", "b"))
        self.assertEqual(list(trees.tree(self.portal, "mentions")), [("a", "b")])
        transaction.abort()
        self.assertEqual(list(trees.tree(self.portal, "mentions")), [])

    def test_installing_keeps_what_was_written_before(self):
        self.without("mentions", "remarks")
        trees.tree(self.portal, "mentions").insert(("a", "b"))
        trees.install(self.portal)
        trees.tree(self.portal, "remarks")["a"] = 1
        transaction.commit()
        self.assertEqual(list(self.root()["mentions"]), [("a", "b")])
        self.assertEqual(dict(self.root()["remarks"]), {"a": 1})
        self.assertEqual(set(self.root()), set(trees.TREES))
