"""Stripe's whole road: signed events over HTTP, its API, what the site makes of them."""

from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.provider import JsonApi
from niteoweb.click2sell.provider import JsonBody
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.stripe import client
from niteoweb.click2sell.providers.stripe.account import Account
from niteoweb.click2sell.providers.stripe.fake import TOKEN
from niteoweb.click2sell.providers.stripe.provider import PROVIDER
from niteoweb.click2sell.setup import providerchecks
from niteoweb.click2sell.tests.cases.providers import JANE
from niteoweb.click2sell.tests.cases.providers import JOE
from niteoweb.click2sell.tests.cases.providers import StripeTestCase
from random import Random
from unittest import mock

import json
import transaction


class StripeLifeTestCase(StripeTestCase):
    def buy(self, *prices, email=JANE, **more):
        """Somebody buys, and the site hears of it; the subscription, if it is one."""
        session = self.shop.checkout(*(prices or ("gold",)), email=email, **more)
        self.deliver()
        return self.shop.objects.get(session["subscription"], session)

    def recorded(self):
        """The entries, the oldest first."""
        transaction.begin()
        keys = list(ledger.newest_first(self.portal))
        return [ledger.get(self.portal, key) for key in keys[::-1]]

    def kinds(self):
        return [entry["kind"] for entry in self.recorded()]

    def amounts(self, kind):
        return [entry["amount"] for entry in self.recorded() if entry["kind"] == kind]


class TestLife(StripeLifeTestCase):
    def test_a_subscription_from_its_beginning_to_its_end(self):
        session = self.shop.checkout("gold", email=JANE, name="Jane Doe")
        subscription = self.shop.objects[session["subscription"]]
        self.assertEqual(self.deliver(), {200})
        self.has("premium")
        member = self.member(JANE)
        self.assertEqual(member.getProperty("fullname"), "Jane Doe")
        self.assertEqual(member.getProperty("product_id"), "gold")
        self.assertEqual(member.getProperty("product_name"), "Gold")
        self.pass_time(days=31)
        self.deliver()
        self.has("premium")
        self.assertEqual(self.amounts("renewal"), ["9.90", "9.90"])
        self.shop.change(subscription, cancel_at_period_end=True)
        self.deliver()
        self.has("premium")
        self.pass_time(days=30)
        self.deliver()
        self.has()
        self.assertEqual(self.reasons(), [])

    def test_in_any_order_and_twice(self):
        for seed in range(3):
            shuffle = Random(seed).shuffle
            self.shop.clock.now = self.now
            subscription = self.shop.checkout("gold", email=f"j{seed}@example.org")
            subscription = self.shop.objects[subscription["subscription"]]
            self.shop.change(subscription, cancel_at_period_end=True)
            self.shop.change(subscription, cancel_at_period_end=False)

            def mixed(due, shuffle=shuffle):
                shuffle(due)
                return due

            self.assertEqual(self.deliver(order=mixed, times=2), {200})
            self.has("premium", who=f"j{seed}@example.org")
            self.shop.end(subscription)
            self.deliver(times=2)
            self.has(who=f"j{seed}@example.org")
        self.assertEqual(self.reasons(), [])

    def test_a_payment_fails_and_is_made_good(self):
        subscription = self.buy()
        self.shop.let_payments_fail(subscription["customer"])
        self.pass_time(days=31)
        self.deliver()
        self.has("premium")
        self.assertIn("payment failed", self.kinds())
        self.pass_time(days=3)
        self.sweep()
        self.has()
        self.shop.recover(subscription)
        self.deliver()
        self.has("premium")

    def test_a_payment_for_a_change_within_the_period_fails(self):
        """The period is paid: the days of grace begin with the change."""
        subscription = self.buy()
        self.pass_time(days=20)
        self.deliver()
        self.shop.let_payments_fail(subscription["customer"])
        self.shop.change_price(subscription, "silver")
        self.deliver()
        self.assertEqual(subscription["status"], "past_due")
        self.has("course")
        self.pass_time(days=2)
        self.sweep()
        self.has("course")
        self.pass_time(days=2)
        self.sweep()
        self.has()
        self.shop.recover(subscription)
        self.deliver()
        self.has("course")

    def test_a_key_that_may_read_no_invoices(self):
        subscription = self.buy()
        self.fake.permissions = {"subscriptions", "customers", "checkout", "events"}
        self.shop.let_payments_fail(subscription["customer"])
        self.pass_time(days=31)
        self.deliver()
        self.has("premium")
        self.pass_time(days=3)
        self.sweep()
        self.has()

    def test_a_key_that_may_not_read_enough_says_what_it_may_not(self):
        self.fake.permissions = {"customers", "checkout", "events"}
        self.buy()
        self.assertIsNone(self.member(JANE))
        errors = {one["error"] for entry in self.recorded() for one in entry["failures"]}
        self.assertEqual(errors, {"token not accepted for subscriptions"})
        self.fake.permissions = None
        self.later(minutes=30)
        self.sweep()
        self.has("premium")

    def test_a_payment_that_is_never_made(self):
        subscription = self.buy()
        self.shop.let_payments_fail(subscription["customer"])
        self.pass_time(days=31)
        self.shop.change(subscription, status="unpaid")
        self.deliver()
        self.has()

    def test_another_price_of_an_item(self):
        subscription = self.buy()
        self.shop.clock.move(hours=1)
        self.later(hours=1)
        self.shop.change_price(subscription, "silver")
        self.deliver(order=reversed)
        self.has("course")
        self.assertEqual(self.reasons(), [])

    def test_several_items_are_several_products(self):
        subscription = self.buy("gold", "silver")
        self.has("course", "premium")
        self.assertEqual(self.amounts("renewal"), ["9.90", "4.90"])
        self.shop.clock.move(hours=1)
        self.later(hours=1)
        self.shop.remove_item(subscription, 1)
        self.deliver()
        self.has("premium")
        self.shop.clock.move(hours=1)
        self.later(hours=1)
        self.shop.add_item(subscription, "silver")
        self.deliver()
        self.has("course", "premium")
        self.shop.end(subscription)
        self.deliver()
        self.has()

    def test_a_trial(self):
        subscription = self.buy(trial_days=7)
        self.has("premium")
        self.shop.change(subscription, cancel_at_period_end=True)
        self.deliver()
        self.pass_time(days=8)
        self.deliver()
        self.has()

    def test_a_pause(self):
        subscription = self.buy()
        self.shop.change(subscription, pause_collection={"behavior": "keep_as_draft"})
        self.deliver()
        self.has("premium")
        self.shop.change(subscription, pause_collection={"behavior": "void"})
        self.deliver()
        self.has()
        self.shop.clock.move(hours=1)
        self.later(hours=1)
        self.shop.change(subscription, pause_collection=None)
        self.deliver()
        self.has("premium")

    def test_several_pieces_need_a_person(self):
        self.buy(quantity=2)
        self.assertIsNone(self.member(JANE))
        self.assertIn((Outcome.ATTENTION, "several pieces"), self.reasons())

    def test_features(self):
        self.set(mapping=["forum|premium", "video|course"])
        customer = self.shop.add_customer(JANE)
        self.shop.set_features(customer, "forum", "video")
        self.deliver()
        self.has("course", "premium")
        self.shop.clock.move(hours=1)
        self.later(hours=1)
        self.shop.set_features(customer, "video")
        self.deliver()
        self.has("course")
        self.shop.clock.move(hours=1)
        self.later(hours=1)
        self.shop.set_features(customer)
        self.deliver()
        self.has()

    def test_more_features_than_an_event_lists(self):
        many = [f"feature{number:02}" for number in range(11)]
        self.set(mapping=[f"{many[-1]}|premium", "video|course"])
        customer = self.shop.add_customer(JANE)
        self.shop.set_features(customer, many[-1])
        self.deliver()
        self.has("premium")
        for token in (TOKEN, None):
            self.assertEqual(self.reasons(), [])
            self.set(api_token=token)
            self.shop.clock.move(hours=1)
            self.later(hours=1)
            self.shop.set_features(customer, *many)
            self.deliver()
            self.has("premium")
        self.assertEqual(self.reasons(), [(Outcome.ATTENTION, "unknown kind")])

    def test_a_line_may_name_price_product_or_lookup_key(self):
        self.shop.add_price("gold2", "prod_gold2", lookup_key="gold-monthly")
        for number, name in enumerate(("gold2", "prod_gold2", "gold-monthly")):
            self.set(mapping=[f"{name}|premium"])
            self.buy("gold2", email=f"j{number}@example.org")
            self.has("premium", who=f"j{number}@example.org")
            self.pass_time(days=31)
            self.deliver()
            self.has("premium", who=f"j{number}@example.org")

    def test_a_customer_who_is_deleted(self):
        subscription = self.buy()
        self.shop.delete_customer(subscription["customer"])
        self.deliver()
        self.has()
        self.assertEqual(self.reasons(), [(Outcome.ATTENTION, "customer deleted")])

    def test_a_customer_with_another_address(self):
        subscription = self.buy()
        self.shop.change_address(subscription["customer"], JOE)
        self.deliver()
        self.pass_time(days=31)
        self.deliver()
        self.has("premium")
        self.assertIsNone(self.member(JOE))


class TestAsked(StripeLifeTestCase):
    """What Stripe answers when it is asked, later than an event was made."""

    def pass_an_hour(self):
        self.shop.clock.move(hours=1)
        self.later(hours=1)

    def test_a_late_event_brings_what_is_now(self):
        subscription = self.buy()
        self.pass_an_hour()
        self.shop.change(subscription, pause_collection={"behavior": "keep_as_draft"})
        (late,) = self.fake.events.pending
        self.fake.events.pending.clear()
        self.pass_an_hour()
        self.shop.change(subscription, pause_collection=None)
        self.deliver()
        self.has("premium")
        self.pass_an_hour()
        self.shop.end(subscription)
        self.fake.events.pending.clear()
        self.assertEqual(self.fake.events.post(self.url, late).status, 200)
        transaction.begin()
        self.has()

    def test_a_payment_that_is_read_when_all_is_over(self):
        subscription = self.shop.checkout("gold", email=JANE)["subscription"]
        self.shop.end(self.shop.objects[subscription])
        self.deliver()
        self.has()
        self.assertEqual(self.amounts("renewal"), ["9.90"])

    def test_a_subscription_that_stripe_does_not_know_any_more(self):
        subscription = self.buy()
        self.pass_an_hour()
        self.shop.end(subscription)
        del self.shop.objects[subscription["id"]]
        self.deliver()
        self.has()
        self.assertEqual(self.reasons(), [])

    def test_more_items_than_a_page(self):
        prices = [self.shop.add_price(f"part{number}") for number in range(11)]
        self.set(mapping=["part10|premium"])
        self.buy(*prices)
        self.has("premium")

    def test_how_far_back(self):
        self.sweep()
        self.pass_time(days=60)
        self.fake.requests.clear()
        self.sweep()
        asked = [one.query for one in self.fake.requests if one.path == ("events",)]
        since = [int(query["created[gte]"]) for query in asked if "created[gte]" in query]
        self.assertEqual(set(since), {int((self.now - client.KEPT).timestamp())})

    def test_pages_without_end(self):
        page = JsonBody({"data": [{"id": "evt_1"}], "has_more": True})
        with (
            mock.patch.object(JsonApi, "get", return_value=page),
            self.assertRaises(Unreachable),
        ):
            list(Account(registry.settings(PROVIDER)).pages("events"))


class TestSinglePayments(StripeLifeTestCase):
    def test_a_purchase_and_its_days(self):
        self.buy("book")
        self.has("course")
        self.assertEqual(self.amounts("purchase"), ["15.00"])
        self.pass_time(days=31)
        self.sweep()
        self.has()

    def test_each_line_is_a_purchase(self):
        self.shop.add_price("box", recurring=False, cents=100)
        self.set(mapping=["book|course", "box|premium"])
        session = self.buy("book", "box")
        self.has("course", "premium")
        self.shop.refund(self.shop.payment(session))
        self.deliver()
        self.has()

    def test_one_line_is_bought_once_along_with_a_subscription(self):
        for old in (False, True):
            self.shop.old_shape = old
            email = f"{old}@example.org".lower()
            self.buy("gold", "book", email=email)
            self.has("course", "premium", who=email)
            self.assertEqual(self.amounts("renewal")[-1], "9.90")
            self.assertEqual(self.amounts("purchase")[-1], "15.00")
            self.pass_time(days=31)
            self.deliver()
            self.has("premium", who=email)
            self.assertEqual(self.reasons(), [])
        self.shop.refund(self.shop.payment(self.buy("gold", "book", email=JOE)))
        self.deliver()
        self.has(who=JOE)

    def test_a_payment_that_comes_later(self):
        session = self.shop.checkout("book", email=JANE, paid=False)
        self.deliver()
        self.assertIsNone(self.member(JANE))
        self.shop.pay_later(session)
        self.deliver()
        self.has("course")

    def test_a_payment_that_never_comes(self):
        session = self.shop.checkout("book", email=JANE, paid=False)
        self.shop.pay_later(session, succeeds=False)
        self.deliver()
        self.assertIsNone(self.member(JANE))
        self.assertIn("payment failed", self.kinds())


class TestMoneyBack(StripeLifeTestCase):
    def test_in_part_and_in_full(self):
        for prices in ("book", "gold"):
            email = f"{prices}@example.org"
            bought = self.buy(prices, email=email)
            payment = self.shop.payment(bought)
            self.shop.refund(payment, 100)
            self.deliver()
            group = "course" if prices == "book" else "premium"
            self.has(group, who=email)
            self.shop.refund(payment)
            self.deliver()
            self.has(who=email)
        self.assertEqual(self.amounts("refund"), ["15.00", "9.90"])
        self.assertEqual(self.reasons(), [])

    def test_a_refund_that_comes_before_its_purchase(self):
        for prices in ("book", "gold"):
            bought = self.shop.checkout(prices, email=f"{prices}@example.org")
            self.shop.refund(
                self.shop.payment(self.shop.objects.get(bought["subscription"], bought))
            )
            self.deliver(order=reversed)
            self.has(who=f"{prices}@example.org")

    def test_the_refund_of_a_guest_whose_charge_names_another_address(self):
        for number, email in enumerate((None, "other@example.org")):
            buyer = f"guest-{number}@example.org"
            payment = self.shop.payment(self.buy("book", email=buyer))
            payment["billing_details"]["email"] = email
            self.has("course", who=buyer)
            self.shop.refund(payment)
            self.deliver()
            self.has(who=buyer)
        self.assertEqual(self.reasons(), [])

    def test_the_refund_of_one_item_leaves_the_others(self):
        """It was added later, with an invoice of its own, the subscription's latest one."""
        for removed in (False, True):
            email = f"{removed}@example.org".lower()
            subscription = self.buy(email=email)
            self.shop.add_item(subscription, "silver", at_once=True)
            self.deliver()
            self.has("course", "premium", who=email)
            if removed:
                self.shop.remove_item(subscription, 1)
            self.shop.refund(self.shop.payment(subscription))
            self.deliver()
            self.has("premium", who=email)

    def test_the_refund_of_one_item_where_stripe_is_asked_late(self):
        """By then another item is there, and its invoice is the latest one."""
        for number, (refunded, left) in enumerate((("gold", "course"), ("silver", "premium"))):
            email = f"{number}@example.org"
            bought = self.shop.checkout("gold", email=email)
            subscription = self.shop.objects[bought["subscription"]]
            payments = {"gold": self.shop.payment(subscription)}
            self.shop.add_item(subscription, "silver", at_once=True)
            payments["silver"] = self.shop.payment(subscription)
            self.deliver()
            self.has("course", "premium", who=email)
            self.shop.refund(payments[refunded])
            self.deliver()
            self.has(left, who=email)

    def test_a_refund_that_fails(self):
        for prices in ("book", "gold"):
            email = f"{prices}@example.org"
            refund = self.shop.refund(self.shop.payment(self.buy(prices, email=email)))
            self.deliver()
            self.has(who=email)
            self.shop.clock.move(hours=1)
            self.later(hours=1)
            self.shop.fail_refund(refund)
            self.deliver()
            self.has("course" if prices == "book" else "premium", who=email)
            self.shop.clock.move(hours=1)
            self.later(hours=1)
            self.shop.refund(self.shop.objects[refund["charge"]])
            self.deliver()
            self.has(who=email)
        self.assertEqual(self.reasons(), [])

    def test_disputes(self):
        for status, back in (("won", True), ("lost", False)):
            for prices in ("book", "gold"):
                email = f"{prices}-{status}@example.org"
                group = ["course" if prices == "book" else "premium"]
                dispute = self.shop.dispute(self.shop.payment(self.buy(prices, email=email)))
                self.deliver()
                self.has(who=email)
                self.shop.clock.move(hours=1)
                self.later(hours=1)
                self.shop.close_dispute(dispute, status)
                self.deliver()
                self.has(*(group if back else ()), who=email)
        self.assertEqual(self.reasons(), [])

    def test_an_inquiry_takes_nothing_away(self):
        dispute = self.shop.dispute(self.shop.payment(self.buy()), "warning_needs_response")
        self.deliver()
        self.has("premium")
        self.shop.close_dispute(dispute, "warning_closed")
        self.deliver()
        self.has("premium")

    def test_a_subscription_that_is_renewed_after_its_refund(self):
        subscription = self.buy()
        self.shop.refund(self.shop.payment(subscription))
        self.deliver()
        self.pass_time(days=31)
        self.deliver()
        self.has()
        self.assertIn((Outcome.ATTENTION, "after refund"), self.reasons())


class TestDelivery(StripeLifeTestCase):
    def test_a_rotation_of_the_secret(self):
        old = self.fake.events.secret
        self.fake.events.secret, self.fake.old_secret = "whsec_new", old
        self.buy()
        self.has("premium")
        self.fake.old_secret = ""
        self.shop.checkout("gold", email=JOE)
        self.assertEqual(self.deliver(), {403})
        self.set(secretkey="whsec_new", previous_secretkey=old)
        self.shop.clock.move(hours=1)
        self.later(hours=1)
        self.assertEqual(self.deliver(), {200})
        self.has("premium", who=JOE)

    def test_tests_and_real_purchases_never_mix(self):
        self.shop.livemode = False
        self.shop.checkout("gold", email=JANE)
        self.assertEqual(self.deliver(), {400})
        self.assertEqual(self.entries(), [])
        self.set(test_mode=True)
        self.shop.clock.move(hours=1)
        self.later(hours=1)
        self.assertEqual(self.deliver(), {200})
        self.has("premium")
        self.shop.livemode = True
        self.shop.checkout("gold", email=JOE)
        self.assertEqual(self.deliver(), {400})
        self.assertIsNone(self.member(JOE))

    def refused(self):
        """The warnings about refused notifications, by name, with how many there were."""
        transaction.begin()
        checks = providerchecks.items(self.portal, PROVIDER, ())
        found = (one for one in checks if one.name.startswith("refused_"))
        return {one.name: one.text.mapping["number"] for one in found}

    def test_the_owner_sees_what_was_refused(self):
        """With the secret of another endpoint, or while the mode is another one."""
        self.assertEqual(self.refused(), {})
        secret, self.fake.events.secret = self.fake.events.secret, "whsec_another"
        self.shop.change_address(self.shop.add_customer(JANE), JOE)
        self.assertEqual(self.deliver(), {403})
        self.assertEqual(self.refused(), {"refused_forged": 1})
        self.fake.events.secret, self.shop.livemode = secret, False
        for _ in range(2):
            self.shop.change_address(self.shop.add_customer(JANE), JOE)
        self.assertEqual(self.deliver(), {400})
        self.sweep()
        self.assertEqual(self.refused(), {"refused_forged": 1, "refused_mode": 2})
        self.fake.events.pending.clear()
        self.shop.livemode = True
        self.later(minutes=1)
        self.shop.checkout("gold", email=JANE)
        self.assertEqual(self.deliver(), {200})
        self.assertEqual(self.refused(), {})

    def test_too_old_and_from_the_future(self):
        self.shop.checkout("gold", email=JANE)
        event = self.fake.events.pending[0]
        for seconds, status in ((-301, 403), (301, 403), (-299, 200), (299, 200)):
            self.fake.clock.move(seconds=seconds)
            self.assertEqual(self.fake.events.post(self.url, event).status, status)
            self.fake.clock.move(seconds=-seconds)

    def test_thin_events_need_a_person(self):
        self.shop.checkout("gold", email=JANE)
        for pending in self.fake.events.pending:
            event = json.loads(pending.body)
            event |= {"type": f"v1.{event['type']}", "data": {}, "object": "v2.core.event"}
            pending.body = json.dumps(event).encode()
        self.assertEqual(self.deliver(), {200})
        self.assertIn((Outcome.ATTENTION, "thin event"), self.reasons())

    def test_events_that_never_came(self):
        subscription = self.buy()
        self.sweep()
        session = self.shop.checkout("book", email=JOE)
        payment = self.shop.payment(session)
        self.shop.refund(payment)
        for _ in range(150):
            self.shop.change_address(subscription["customer"], JANE)
        self.pass_time(days=29)
        self.fake.events.pending.clear()
        self.sweep()
        self.sweep()
        self.has("premium")
        self.has(who=JOE)
        self.assertIn("refund", self.kinds())
        self.pass_time(days=3)
        self.fake.events.pending.clear()
        self.sweep()
        self.has("premium")
        self.assertEqual(len(self.amounts("renewal")), 2)
        count = len(self.kinds())
        self.sweep()
        self.assertEqual(len(self.kinds()), count)

    def test_an_event_that_never_came_and_cannot_be_read(self):
        """The owner is told once: whoever has paid must not stay out unseen."""
        self.shop.checkout("gold", email=JANE)
        (paid,) = (one for one in self.shop.events if one["type"] == "invoice.paid")
        paid["data"]["object"]["lines"]["data"][0]["period"]["end"] = "soon"
        self.fake.events.pending.clear()
        for _time in range(2):
            self.sweep()
            self.later(hours=1)
        self.assertEqual(self.reasons(), [(Outcome.ATTENTION, "parameter")])
        self.has("premium")

    def test_while_stripe_does_not_answer(self):
        self.fake.outage = True
        self.buy()
        self.assertIsNone(self.member(JANE))
        self.fake.outage = False
        self.later(minutes=30)
        self.sweep()
        self.has("premium")

    def test_a_key_of_the_other_mode(self):
        self.shop.livemode = False
        customer = self.shop.add_customer(JANE)
        self.shop.livemode = True
        self.shop.subscribe(customer, ["gold"])
        self.deliver()
        self.assertIsNone(self.member(JANE))
        self.assertIn((Outcome.ATTENTION, "not told"), self.reasons())

    def test_events_of_older_versions(self):
        self.shop.old_shape = True
        subscription = self.buy()
        self.has("premium")
        self.pass_time(days=31)
        self.deliver()
        self.has("premium")
        self.shop.refund(self.shop.payment(subscription))
        self.deliver()
        self.has()
        self.assertEqual(self.reasons(), [])


class TestWithoutKey(StripeLifeTestCase):
    with_key = False

    def test_the_events_alone(self):
        for old in (False, True):
            self.shop.old_shape = old
            email = f"{old}@example.org".lower()
            subscription = self.buy(email=email)
            self.has("premium", who=email)
            self.pass_time(days=31)
            self.deliver()
            self.has("premium", who=email)
            self.shop.change(subscription, cancel_at_period_end=True)
            self.pass_time(days=30)
            self.deliver()
            self.has(who=email)
        self.assertEqual(self.fake.requests, [])
        self.assertEqual(self.reasons(), [])

    def test_a_customer_who_was_created_in_the_dashboard(self):
        self.shop.subscribe(self.shop.create_customer(JANE), ["gold"])
        self.assertEqual(self.deliver(order=reversed), {200})
        self.has("premium")
        self.assertEqual(self.reasons(), [])

    def test_a_single_payment_names_its_product_or_needs_a_person(self):
        session = self.buy("book", metadata={"product": "book"})
        self.has("course")
        self.shop.refund(self.shop.payment(session))
        self.deliver()
        self.has()
        self.buy("book", email=JOE)
        self.assertIsNone(self.member(JOE))
        self.assertEqual(self.reasons(), [(Outcome.ATTENTION, "not told")])

    def test_one_line_is_bought_once_along_with_a_subscription(self):
        self.buy("gold", "book")
        self.has("course", "premium")
        self.assertEqual(self.reasons(), [])

    def test_a_refund_that_names_its_invoice(self):
        self.shop.old_shape = True
        self.shop.refund(self.shop.payment(self.buy()))
        self.deliver()
        self.has()

    def test_a_lookup_key_outlives_a_payment_that_does_not_name_it(self):
        self.shop.add_price("gold2", "prod_gold2", lookup_key="gold-monthly")
        self.set(mapping=["gold-monthly|premium"])
        self.buy("gold2")
        self.has("premium")
        self.pass_time(days=31)
        self.deliver()
        self.has("premium")
