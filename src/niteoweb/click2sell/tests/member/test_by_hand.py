"""Changes that an owner makes with Plone's own tools survive every later run."""

from niteoweb.click2sell import timestamps
from niteoweb.click2sell.tests.cases.site import ByHandTestCase
from plone import api


class TestTaken(ByHandTestCase):
    def setUp(self):
        super().setUp()
        self.buy()
        self.take("premium")

    def test_is_not_given_back(self):
        self.replay_all()
        self.buy_again()
        self.buy_again(3, product_id="2")
        self.assertEqual(self.groups(), ["click2sell", "course"])
        self.assertEqual(self.attention(), [])

    def test_is_given_back_when_access_ended_and_starts_again(self):
        self.refund()
        self.assertEqual(self.groups(), ["click2sell"])
        self.buy_again()
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_stays_away_while_another_product_gives_the_group(self):
        self.settings(mapping=["1|premium", "2|premium"])
        self.buy_again(product_id="2")
        self.refund()
        self.replay_all()
        self.assertEqual(self.groups(), ["click2sell"])

    def test_put_back_by_the_owner_stays(self):
        self.put("premium")
        self.replay_all()
        self.refund()
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_of_one_member_only(self):
        self.buy(buyer_email="jane@example.org", acquirer_transaction_id="T-9")
        self.assertEqual(self.groups("jane@example.org"), ["click2sell", "premium"])

    def test_stays_away_when_the_group_is_made_again(self):
        with self.owner():
            api.group.delete("premium")
        self.group("premium")
        self.replay_all()
        self.assertEqual(self.groups(), ["click2sell"])


class TestTakenWithDays(ByHandTestCase):
    def setUp(self):
        super().setUp()
        self.settings(mapping=["1|premium|30"])
        self.buy()
        self.take("premium")
        self.later(days=31)

    def test_end_that_a_run_saw(self):
        self.provision()
        self.assertEqual(self.groups(), ["click2sell"])
        self.buy_again(purchase_date="2026-06-03")
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_end_that_no_run_saw(self):
        """Whether a sweep came by between two purchases decides nothing."""
        self.later(days=10)
        self.buy_again(purchase_date="2026-06-13")
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_payment_in_time_is_no_new_access(self):
        self.now -= self.now - timestamps.from_iso("2026-05-20T12:00:00+00:00")
        self.buy_again(purchase_date="2026-05-20")
        self.later(days=20)
        self.provision()
        self.assertEqual(self.groups(), ["click2sell"])


class TestTakenFromAllBuyers(ByHandTestCase):
    def test_is_not_given_back_by_any_run(self):
        self.buy()
        self.take("click2sell")
        self.replay_all()
        self.buy_again(product_id="2")
        self.assertEqual(self.groups(), ["course", "premium"])

    def test_is_not_given_back_by_the_end_of_access(self):
        self.buy()
        self.take("click2sell")
        self.refund()
        self.replay_all()
        self.assertEqual(self.groups(), [])

    def test_is_not_given_back_to_the_buyer_of_what_no_line_names(self):
        self.buy(product_id="77")
        self.take("click2sell")
        self.replay_all()
        self.assertEqual(self.groups(), [])

    def test_is_given_back_when_access_starts_again(self):
        self.buy()
        self.take("click2sell")
        self.refund()
        self.buy_again()
        self.assertEqual(self.groups(), ["click2sell", "premium"])


class TestPut(ByHandTestCase):
    def test_before_the_purchase(self):
        self.account()
        self.put("premium")
        self.buy()
        self.refund()
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_into_another_group_of_the_mapping(self):
        self.buy()
        self.put("course")
        self.buy_again(product_id="2")
        self.buy_again(product_id="2", transaction_type="Refund")
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])

    def test_follow_mapping_takes_only_ours(self):
        self.buy()
        self.put("course")
        self.settings(mapping=[])
        self.provision(follow_mapping=True)
        self.assertEqual(self.groups(), ["click2sell", "course"])

    def test_group_of_all_buyers_by_hand(self):
        self.account()
        self.group("click2sell")
        self.put("click2sell")
        self.buy()
        self.settings(buyers_group="")
        self.provision(follow_mapping=True)
        self.assertEqual(self.groups(), ["click2sell", "premium"])


class TestDeletedGroup(ByHandTestCase):
    def setUp(self):
        super().setUp()
        self.buy()
        with self.owner():
            api.group.delete("premium")

    def test_is_reported_and_given_again(self):
        self.provision()
        self.assertEqual(self.attention(), [["group missing", "premium"]])
        self.group("premium")
        self.assertEqual(self.groups(), ["click2sell"])
        self.provision()
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assertEqual(self.attention(), [])
        self.refund()
        self.assertEqual(self.groups(), ["click2sell"])

    def test_given_again_without_a_run_in_between(self):
        self.group("premium")
        self.provision()
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_refunded_in_between(self):
        self.refund()
        self.group("premium")
        self.provision()
        self.assertEqual(self.groups(), ["click2sell"])
        self.assertEqual(self.attention(), [])

    def test_group_of_all_buyers_is_made_again(self):
        with self.owner():
            self.portal.portal_groups.removeGroups(["click2sell"])
        self.group("premium")
        self.provision()
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_those_put_in_by_hand_are_not_given_again(self):
        self.put("course")
        with self.owner():
            api.group.delete("course")
        self.group("course")
        self.provision()
        self.assertEqual(self.groups(), ["click2sell"])

    def test_put_in_before_it_is_given_again(self):
        self.provision()
        self.group("premium")
        self.put("premium")
        self.provision()
        self.refund()
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_put_in_after_another_line_names_another_group(self):
        self.settings(mapping=["1|course"])
        self.provision()
        self.group("premium")
        self.put("premium")
        self.refund()
        self.assertEqual(self.groups(), ["click2sell", "premium"])
