"""Groups: what the mapping gives, what is missing, what a refund or the calendar takes away."""

from datetime import timedelta
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.member import group
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from plone import api

import transaction


SUBSCRIPTION = {"transaction_type": "Subscription", "subscription_status": "New"}
RENEWAL = {"transaction_type": "Subscription", "subscription_status": "Recurring"}


class TestMapping(SiteTestCase):
    def test_several_groups_a_product(self):
        self.group("forum")
        self.settings(mapping=["1|premium", "", "# the forum", " 1 | forum ", "2|course"])
        self.buy()
        self.assertEqual(self.groups(), ["click2sell", "forum", "premium"])

    def test_two_products_one_group(self):
        self.settings(mapping=["1|premium", "2|premium"])
        self.buy()
        self.buy_again(product_id="2")
        self.refund()
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.buy_again(product_id="2", transaction_type="Refund")
        self.assertEqual(self.groups(), ["click2sell"])

    def test_broken_line_does_not_hide_the_others(self):
        self.settings(mapping=["1|premium", "nonsense"])
        with self.assertLogs("niteoweb.click2sell", "ERROR") as logs:
            self.buy()
        self.assertIn("Line 2", logs.output[0])
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_members_of_other_buyers_are_left_alone(self):
        self.buy()
        self.buy(buyer_email="jane@example.org", acquirer_transaction_id="T-2")
        self.refund()
        self.assertEqual(self.groups(), ["click2sell"])
        self.assertEqual(self.groups("jane@example.org"), ["click2sell", "premium"])

    def test_line_added_later(self):
        self.buy(product_id="77")
        self.settings(mapping=["77|course"])
        self.provision()
        self.assertEqual(self.groups(), ["click2sell", "course"])

    def test_line_removed_later(self):
        self.buy()
        self.settings(mapping=["2|course"])
        self.provision()
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.provision(follow_mapping=True)
        self.assertEqual(self.groups(), ["click2sell"])

    def test_line_moved_to_another_group(self):
        self.buy()
        self.settings(mapping=["1|course"])
        self.provision()
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])
        self.refund()
        self.assertEqual(self.groups(), ["click2sell"])


class TestMissing(SiteTestCase):
    def setUp(self):
        super().setUp()
        self.settings(mapping=["1|premium", "1|forum"])

    def test_reported_and_given_when_it_is_made(self):
        with self.assertLogs("niteoweb.click2sell", "ERROR") as logs:
            result = self.buy()
        self.assertEqual(result, pipeline.Result(Outcome.ATTENTION, "group missing", "forum"))
        self.assertEqual(len(logs.output), 1)
        self.assertIn("product '1'", logs.output[0])
        self.assertIn("'forum'", logs.output[0])
        self.assertNotIn(EMAIL, logs.output[0])
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assertEqual(self.fields()["product_id"], "1")
        self.group("forum")
        self.provision()
        self.assertEqual(self.groups(), ["click2sell", "forum", "premium"])
        self.assertEqual(self.entries(), [(Outcome.ACCEPTED, "", "")])

    def test_one_item_and_one_line_in_the_log(self):
        self.buy()
        with self.assertNoLogs("niteoweb.click2sell", "WARNING"):
            self.provision()
            self.provision()
        self.assertEqual(self.attention(), [["group missing", "forum"]])

    def test_not_given_after_a_refund(self):
        self.buy()
        self.refund()
        self.assertEqual(self.attention(), [])
        self.group("forum")
        self.provision()
        self.assertEqual(self.groups(), ["click2sell"])

    def test_group_that_nobody_can_be_put_in(self):
        """Plone lists it among the groups, but who is in it is not kept anywhere."""
        self.settings(mapping=["1|AuthenticatedUsers"])
        self.assertEqual(
            self.buy(),
            pipeline.Result(Outcome.ATTENTION, "group not granted", "AuthenticatedUsers"),
        )
        self.assertEqual(self.groups(), ["click2sell"])


class TestGroupOfAllBuyers(SiteTestCase):
    def test_made_when_missing(self):
        self.assertFalse(group.exists("click2sell"))
        self.buy()
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        found = self.portal.portal_groups.getGroupById("click2sell")
        self.assertEqual(found.getGroupTitleOrName(), "Click2Sell")
        self.assertEqual(found.getRoles(), ["Authenticated"])

    def test_one_that_exists_is_used(self):
        self.group("click2sell", ["Reviewer"])
        self.buy()
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        roles = self.portal.portal_groups.getGroupById("click2sell").getRoles()
        self.assertIn("Reviewer", roles)

    def test_switched_off(self):
        self.settings(buyers_group="")
        self.buy()
        self.assertEqual(self.groups(), ["premium"])
        self.assertFalse(group.exists("click2sell"))

    def test_another_name(self):
        self.settings(buyers_group="All buyers")
        self.buy()
        self.assertEqual(self.groups(), ["All buyers", "premium"])

    def test_id_of_a_member(self):
        self.account("everybody", "everybody@example.org")
        self.settings(buyers_group="everybody")
        self.assertEqual(
            self.buy(),
            pipeline.Result(Outcome.ATTENTION, "group not granted", "everybody"),
        )
        self.assertFalse(group.exists("everybody"))
        self.assertEqual(self.groups(), ["premium"])

    def test_id_that_cannot_be_one(self):
        self.settings(buyers_group="all/buyers")
        self.buy()
        self.assertEqual(self.attention(), [["group not granted", "all/buyers"]])
        self.assertFalse(group.exists("all/buyers"))

    def test_also_named_by_a_line(self):
        self.settings(mapping=["1|click2sell"])
        self.buy()
        self.assertEqual(self.groups(), ["click2sell"])
        self.refund()
        self.assertEqual(self.groups(), ["click2sell"])

    def test_buyers_of_what_no_line_names_are_in_it(self):
        self.buy(product_id="77")
        self.assertEqual(self.groups(), ["click2sell"])


class TestRefund(SiteTestCase):
    def test_revokes_what_was_granted_and_nothing_else(self):
        self.group("choir")
        self.buy()
        with self.owner():
            self.portal.portal_groups.addPrincipalToGroup(EMAIL, "choir")
        self.assertEqual(self.refund(), pipeline.Result(Outcome.ACCEPTED))
        self.assertEqual(self.groups(), ["choir", "click2sell"])
        self.assertEqual(self.fields()["product_id"], "1")

    def test_chargeback_like_refund_keeps_the_other_product(self):
        self.buy()
        self.buy_again(product_id="2")
        self.refund()
        self.assertEqual(self.groups(), ["click2sell", "course"])

    def test_bought_again_after_the_refund(self):
        self.buy()
        self.refund()
        self.buy_again(purchase_date="2026-05-04")
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_group_that_the_member_was_in_before(self):
        self.account()
        with self.owner():
            self.portal.portal_groups.addPrincipalToGroup(EMAIL, "premium")
        self.buy()
        self.refund()
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_group_of_the_refund_is_gone(self):
        self.buy()
        with self.owner():
            api.group.delete("premium")
        self.assertEqual(self.refund(), pipeline.Result(Outcome.ACCEPTED))
        self.assertEqual(self.groups(), ["click2sell"])


class TestDays(SiteTestCase):
    """Access that ends by itself, once somebody looks."""

    def setUp(self):
        super().setUp()
        self.settings(mapping=["1|premium|30"])

    def test_single_sale(self):
        self.buy()
        self.later(days=29)
        self.provision()
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.later(days=1)
        plan = self.provision()
        self.assertEqual(plan.lost, (("click2sell", "1"),))
        self.assertEqual(self.groups(), ["click2sell"])

    def test_subscription_has_days_of_grace(self):
        self.buy(**SUBSCRIPTION)
        self.later(days=32)
        self.provision()
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.later(days=2)
        self.provision()
        self.assertEqual(self.groups(), ["click2sell"])

    def test_renewal_goes_on(self):
        self.buy(**SUBSCRIPTION)
        self.later(days=30)
        self.buy(c2s_transaction_id="R-2", purchase_date="2026-06-02", **RENEWAL)
        self.later(days=29)
        self.provision()
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.later(days=5)
        self.provision()
        self.assertEqual(self.groups(), ["click2sell"])

    def test_renewal_after_the_end_gives_back(self):
        self.buy(**SUBSCRIPTION)
        self.later(days=40)
        self.provision()
        self.assertEqual(self.groups(), ["click2sell"])
        self.buy(c2s_transaction_id="R-2", purchase_date="2026-06-12", **RENEWAL)
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_old_sale_gives_nothing_now(self):
        self.buy(purchase_date="2026-01-01")
        self.assertEqual(self.entries(), [(Outcome.ACCEPTED, "", "")])
        self.assertEqual(self.groups(), ["click2sell"])

    def test_days_are_those_of_the_day_of_arrival(self):
        self.buy()
        self.settings(mapping=["1|premium|1"])
        self.later(days=20)
        self.provision()
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_next_change_is_filed(self):
        self.buy()
        sold = timestamps.from_iso("2026-05-03T10:20:30+00:00")
        self.assertEqual(self.buyer()["next_change"], timestamps.iso(sold + timedelta(days=30)))
        self.refund()
        self.assertEqual(self.buyer()["next_change"], "")
        transaction.abort()
