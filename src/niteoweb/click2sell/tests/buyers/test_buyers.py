"""Buyers' records."""

from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.site import SiteTestCase


class TestId(SiteTestCase):
    def test_new_buyers_stand_at_the_end_of_the_tree(self):
        made = [buyers.new(self.portal), buyers.new(self.portal)]
        self.later(days=1)
        made.append(buyers.new(self.portal))
        self.assertEqual([one["id"] for one in made], list(trees.tree(self.portal, "buyers")))
