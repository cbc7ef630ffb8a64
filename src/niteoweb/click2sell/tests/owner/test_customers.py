"""An owner's acts on subscriptions of customers whom their provider names by ids of its own."""

from datetime import timedelta
from niteoweb.click2sell.browser.desk import buyercures
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.privacy import erasure
from niteoweb.click2sell.privacy import export
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.settings import membertoken
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase

import transaction


WRONG, OTHER = "jonh@example.org", "jane@example.org"
GOLD = ("cleeng", "gold")


class CustomerTestCase(SiteTestCase):
    def told(self, email=WRONG, customer="C-1", kind=Kind.PURCHASE, **changes):
        """A statement of a subscription that gives access for a month; its key."""
        self.later(hours=1)
        notification = Notification(
            **{
                "key": f"{kind} {email} {self.now}",
                "provider": "cleeng",
                "kind": kind,
                "transaction": "S-1",
                "receipt": "",
                "occurred_at": self.now,
                "buyer": email,
                "email": email,
                "product_id": "gold",
                "subscription": True,
                "customer_id": customer,
                "valid_until": self.now + timedelta(days=30),
                "fully_signed": True,
                "snapshot": True,
                **changes,
            }
        )
        pipeline.process(notification)
        return notification.key

    def of_shop(self, email, customer, transaction_, kind=Kind.PURCHASE):
        """A statement of a subscription that was bought in a shop."""
        return self.told(
            email, customer, kind, transaction=transaction_, external_subscription_id="V-1"
        )

    def correct(self, key, address=EMAIL, everything=False):
        self.later(hours=1)
        action.carry_out(decisions.Correct(key, "admin", address, everything, "mistyped"))

    def who(self):
        """User ids of the members with access."""
        transaction.begin()
        records = trees.tree(self.portal, "buyers").values()
        return sorted(record["user_id"] for record in records if record["live"])


class TestCorrected(CustomerTestCase):
    def setUp(self):
        super().setUp()
        self.first = self.told()
        self.correct(self.first)
        self.assertEqual(self.who(), [EMAIL])

    def test_a_renewal_is_the_right_buyers(self):
        self.told(kind=Kind.RENEWAL)
        self.assertEqual(self.who(), [EMAIL])
        self.assert_replay_changes_nothing()

    def test_its_provider_learns_the_right_address_too(self):
        self.told(EMAIL, kind=Kind.RENEWAL)
        self.assertEqual(self.who(), [EMAIL])

    def test_access_is_ended_by_hand(self):
        buyer_id = self.buyer(EMAIL)["id"]
        action.carry_out(commands.End(buyer_id, GOLD, "fraud", "admin"))
        self.assertEqual(self.who(), [])

    def test_the_correction_is_undone(self):
        cures = buyercures.undo(self.portal, self.buyer(EMAIL), self.now)
        fields = [cure.fields for cure in cures.values() if cure.fields["what"] == "correct"][0]
        before = len(trees.tree(self.portal, "buyers"))
        self.correct(self.first, fields["address"])
        self.assertEqual(self.who(), [WRONG])
        self.assertEqual(len(trees.tree(self.portal, "buyers")), before)
        self.told("new@example.org", kind=Kind.RENEWAL)
        self.assertEqual(self.who(), [WRONG])
        customer = customers.buyer(self.portal, ("cleeng", "C-1"))
        self.assertEqual(customer["user_id"], WRONG)


class TestEverythingCorrected(CustomerTestCase):
    """A customer states the address that somebody pays under; an owner corrects the address."""

    def setUp(self):
        super().setUp()
        self.buy(buyer_email=WRONG)
        self.paid = next(iter(ledger.newest_first(self.portal)))
        self.stated = self.told()
        transaction.begin()

    def assert_all_moved(self, key):
        self.correct(key, OTHER, everything=True)
        self.assertEqual(self.who(), [OTHER])
        buyer = self.buyer(OTHER)
        self.assertEqual({GOLD, ("click2sell", "1")}, set(buyer["live"]))
        action.carry_out(commands.End(buyer["id"], GOLD, "fraud", "admin"))
        self.assertEqual(self.buyer(OTHER)["live"], (("click2sell", "1"),))
        self.refund(buyer_email=WRONG)
        self.assertEqual(self.who(), [])

    def test_by_the_purchase(self):
        self.assert_all_moved(self.paid)

    def test_by_the_subscription(self):
        self.assert_all_moved(self.stated)

    def test_a_later_customer_is_named_by_the_id_alone(self):
        self.correct(self.stated, OTHER, everything=True)
        later = {"customer": "C-2", "transaction": "S-2", "product_id": "silver"}
        self.told(**later)
        self.assertIn(("cleeng", "silver"), self.buyer(OTHER)["live"])
        self.told("", kind=Kind.EXPIRY, valid_until=None, snapshot=False, **later)
        self.assertEqual(self.attention(), [])
        self.assertNotIn(("cleeng", "silver"), self.buyer(OTHER)["live"])


class TestStatedAddressOfTheErased(CustomerTestCase):
    """A customer states the address of a buyer who was erased."""

    def test_acts_of_the_owner_take_effect(self):
        self.buy(buyer_email=WRONG)
        erasure.erase(WRONG, "a letter", "admin", delete_member=True)
        self.told()
        self.assertEqual(self.who(), [WRONG])
        customer = customers.buyer(self.portal, ("cleeng", "C-1"))
        action.carry_out(commands.Extend(customer["id"], GOLD, 5, "why", "admin"))
        self.later(hours=1)
        action.carry_out(commands.End(customer["id"], GOLD, "fraud", "admin"))
        self.assertEqual(self.who(), [])
        self.assertEqual(self.attention(), [])
        self.assert_replay_changes_nothing()


class TestAddressOfAMember(CustomerTestCase):
    """A member has bought, logged in, and named an address that is another's."""

    def test_its_erasure_leaves_the_member(self):
        self.account()
        self.buy()
        token = membertoken.issue(self.portal, EMAIL, self.now)
        self.told(key="1", member_token=token, first_name="Joe", payload={"email": WRONG})
        member = self.buyer(EMAIL)
        self.assertEqual([address for _of, address in member["stated"]], [WRONG])
        (entry,) = export.find(self.portal, WRONG).moved
        erasure.erase(WRONG, "a letter", "admin")
        self.assertEqual(export.find(self.portal, WRONG).moved, ())
        stored = repr([entry[name] for name in entry])
        self.assertNotIn(WRONG, stored)
        self.assertNotIn("Joe", stored)
        self.assertEqual(self.who(), [EMAIL])
        self.told(kind=Kind.RENEWAL)
        self.assertEqual(self.attention(), [])
        self.assertIn(GOLD, self.buyer(EMAIL)["live"])
        action.carry_out(commands.Extend(member["id"], GOLD, 5, "why", "admin"))
        self.later(hours=1)
        action.carry_out(commands.End(member["id"], GOLD, "fraud", "admin"))
        self.assertNotIn(GOLD, self.buyer(EMAIL)["live"])
        self.assertEqual(self.attention(), [])
        self.assert_replay_changes_nothing()


class TestPassedOn(CustomerTestCase):
    def test_by_a_customer_who_is_a_member(self):
        self.account()
        key = self.told(EMAIL)
        self.buy(buyer_email=OTHER)
        action.carry_out(decisions.Attach(key, "admin", OTHER, "she says"))
        self.assertEqual(buyers.of_user(self.portal, OTHER)["live"][0], GOLD)
        self.told("joe@example.org", "C-2", Kind.PLAN_CHANGE)
        transaction.begin()
        self.assertNotIn(GOLD, buyers.of_user(self.portal, OTHER)["live"])

    def test_at_the_moment_of_the_statement_before(self):
        at = self.now
        for product, first, second in (("gold", "a", "b"), ("silver", "d", "c")):
            same = {"transaction": product, "product_id": product, "occurred_at": at}
            self.told(WRONG, "C-1", key=first, **same)
            self.told(OTHER, "C-2", key=second, **same)
        # The order of their keys decides, whatever ids the buyers' records have.
        self.assertEqual(self.buyer(OTHER)["live"], (GOLD,))
        self.assertEqual(self.buyer(WRONG)["live"], (("cleeng", "silver"),))
        self.assert_replay_changes_nothing()

    def test_before_a_renewal(self):
        first = self.told()
        self.told(OTHER, "C-2")
        self.told(OTHER, "C-2", Kind.RENEWAL)
        number = ledger.count(self.portal)
        pipeline.replay(first)
        transaction.begin()
        self.assertEqual(ledger.count(self.portal), number)
        self.assertEqual(self.who(), [OTHER])

    def test_before_the_old_purchase_is_corrected(self):
        first = self.told()
        self.told(OTHER, "C-2", Kind.PLAN_CHANGE)
        self.correct(first)
        self.later(days=28)
        self.told(OTHER, "C-2", Kind.RENEWAL)
        self.assertEqual(self.who(), [OTHER])
        self.assert_replay_changes_nothing()
        # It follows the correction of the statement that says whose it is now.
        self.correct(self.told(OTHER, "C-2", Kind.RENEWAL))
        self.told(OTHER, "C-2", Kind.RENEWAL)
        self.assertEqual(self.who(), [EMAIL])

    def test_and_back_after_a_correction(self):
        first = self.told()
        self.told(OTHER, "C-2")
        self.correct(first)
        self.told(kind=Kind.RENEWAL)
        self.assertEqual(self.who(), [WRONG])

    def test_to_another_customer_who_is_the_same_member(self):
        self.told()
        self.account("jane", OTHER)
        self.told(OTHER, "C-2", Kind.RENEWAL)
        self.choose(WRONG, customer=("cleeng", "C-2"))
        self.assertEqual(self.who(), [WRONG])
        self.assert_replay_changes_nothing()

    def test_to_an_address_that_an_owner_says_is_the_same_buyers(self):
        for right, wrong in ((0, 1), (1, 0)):
            pair = [f"{right}{name}" for name in (WRONG, OTHER)]
            keys = [self.told(one, "", transaction=f"S-{right}") for one in pair]
            self.correct(keys[wrong], pair[right])
            self.assertIn(pair[right], self.who())
            self.assertNotIn(pair[wrong], self.who())

    def test_in_a_shop_after_a_correction(self):
        self.correct(self.of_shop(WRONG, "C-1", "S-1"))
        self.of_shop(OTHER, "C-2", "S-2")
        self.assertEqual(self.who(), [OTHER])

    def test_nothing_of_an_erased_buyer(self):
        self.told()
        self.of_shop(WRONG, "C-1", "S-2")
        erasure.erase(WRONG, "Asked for by letter", "admin")
        for key in list(ledger.newest_first(self.portal)):
            pipeline.replay(key)
        self.assert_replay_changes_nothing()
        self.assertEqual(len(trees.tree(self.portal, "delivered_to")), 1)
