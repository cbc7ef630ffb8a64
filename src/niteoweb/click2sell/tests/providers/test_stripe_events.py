"""Stripe's events one by one: what each is taken for, as the documentation's table says."""

from copy import deepcopy
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from decimal import Decimal
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import SEVERAL_PIECES
from niteoweb.click2sell.provider import JsonBody
from niteoweb.click2sell.providers.stripe import events
from niteoweb.click2sell.providers.stripe import protocol
from niteoweb.click2sell.providers.stripe.fakeaccount import StripeAccount
from niteoweb.click2sell.providers.stripe.provider import REASONS
from niteoweb.click2sell.testing.fake.server import Clock

import unittest


NOW = datetime(2026, 5, 3, 12, tzinfo=timezone.utc)
END = NOW + timedelta(days=30)
EMAIL = "jane@example.org"


class EventsTestCase(unittest.TestCase):
    """A shop that tells events, of which the latest is read."""

    def setUp(self):
        self.shop = StripeAccount(Clock(NOW), lambda event: None)
        for price in ("gold", "silver"):
            self.shop.add_price(price)
        self.shop.add_price("book", recurring=False, cents=1500)
        self.customer = self.shop.add_customer(EMAIL)

    def told(self, type_="", **fields):
        """The notifications of the latest event.

        :param type_: another type of it.
        :param fields: other fields of its object.
        """
        event = deepcopy(self.shop.events[-1])
        event["type"] = type_ or event["type"]
        event["data"]["object"] |= fields
        return protocol.read(JsonBody(event))

    def one(self, type_="", **fields):
        (notification,) = self.told(type_, **fields)
        return notification


class TestSubscriptions(EventsTestCase):
    def setUp(self):
        super().setUp()
        self.subscription = self.shop.subscribe(self.customer, ["gold"])

    def changed(self, **fields):
        self.shop.change(self.subscription, **fields)
        return self.one()

    def test_types(self):
        self.shop.change(self.subscription, status="active")
        for name, kind in (
            ("created", Kind.PURCHASE),
            ("updated", Kind.PLAN_CHANGE),
            ("resumed", Kind.REACTIVATION),
        ):
            with self.subTest(name):
                told = self.one(f"customer.subscription.{name}")
                self.assertEqual((told.kind, told.valid_until), (kind, END))
                self.assertTrue(told.snapshot and told.subscription)
                self.assertEqual((told.product_id, told.aliases), ("gold", ("prod_gold",)))

    def test_statuses(self):
        for status, kind, until in (
            ("active", Kind.PLAN_CHANGE, END),
            ("trialing", Kind.PLAN_CHANGE, END),
            # The period that has begun is not paid for.
            ("past_due", Kind.PLAN_CHANGE, NOW),
            ("incomplete", Kind.INFORMATION, None),
            ("incomplete_expired", Kind.INFORMATION, None),
            *((status, Kind.EXPIRY, NOW) for status in ("unpaid", "canceled", "paused")),
            ("of tomorrow", Kind.UNKNOWN, None),
        ):
            for shape in (False, True):
                self.shop.old_shape = shape
                with self.subTest(status, old_shape=shape):
                    told = self.changed(status=status)
                    self.assertEqual((told.kind, told.valid_until), (kind, until))
                    self.assertEqual(told.snapshot, kind is Kind.PLAN_CHANGE)

    def test_the_end(self):
        self.shop.clock.move(hours=2)
        self.shop.end(self.subscription)
        told = self.one(ended_at=int(NOW.timestamp()))
        self.assertEqual((told.kind, told.valid_until), (Kind.EXPIRY, NOW))
        self.assertEqual(told.occurred_at, NOW + timedelta(hours=2))

    def test_pauses_of_the_collection(self):
        for behavior, kind in (
            ("void", Kind.EXPIRY),
            ("keep_as_draft", Kind.PLAN_CHANGE),
            ("mark_uncollectible", Kind.PLAN_CHANGE),
        ):
            with self.subTest(behavior):
                told = self.changed(pause_collection={"behavior": behavior})
                self.assertEqual(told.kind, kind)

    def test_cancellations(self):
        moment = NOW + timedelta(days=10)
        for fields, kind, until in (
            ({"cancel_at_period_end": True}, Kind.CANCELLATION, END),
            ({"cancel_at_period_end": False}, Kind.REACTIVATION, END),
            ({"cancel_at": int(moment.timestamp())}, Kind.CANCELLATION, moment),
            ({"cancel_at": None}, Kind.REACTIVATION, END),
            ({"status": "active"}, Kind.PLAN_CHANGE, END),
        ):
            with self.subTest(**fields):
                told = self.changed(**fields)
                self.assertEqual((told.kind, told.valid_until), (kind, until))
                self.assertEqual(told.subscription, kind is not Kind.CANCELLATION)

    def test_a_cancellation_after_a_later_period(self):
        """Instalments: each period has to be paid for, though the last one is known."""
        end = END + timedelta(days=150)
        told = self.changed(cancel_at=int(end.timestamp()))
        self.assertEqual((told.kind, told.valid_until), (Kind.PLAN_CHANGE, END))
        self.assertTrue(told.subscription)

    def test_items(self):
        self.shop.add_item(self.subscription, "silver")
        gold, silver = self.told()
        self.assertEqual((gold.product_id, silver.product_id), ("gold", "silver"))
        self.assertNotEqual(gold.key, silver.key)
        self.shop.remove_item(self.subscription, 0)
        going, gone = self.told()
        self.assertEqual(
            (going.transaction, going.kind), (silver.transaction, Kind.PLAN_CHANGE)
        )
        self.assertEqual((gone.transaction, gone.kind), (gold.transaction, Kind.EXPIRY))
        self.assertEqual((gone.valid_until, gone.receipt), (NOW, ""))

    def test_several_pieces(self):
        item = {**deepcopy(self.subscription["items"]["data"][0]), "quantity": 2}
        told = self.changed(items={"data": [item]})
        self.assertEqual((told.kind, told.attention), (Kind.UNKNOWN, SEVERAL_PIECES))
        self.assertFalse(told.snapshot)

    def test_no_piece_at_all(self):
        item = {**deepcopy(self.subscription["items"]["data"][0]), "quantity": 0}
        told = self.changed(items={"data": [item]})
        self.assertEqual((told.kind, told.valid_until), (Kind.EXPIRY, NOW))


class TestInvoices(EventsTestCase):
    def setUp(self):
        super().setUp()
        self.subscription = self.shop.subscribe(self.customer, ["gold"])
        self.invoice = self.shop.events[-1]["data"]["object"]

    def line(self, **fields):
        return {**deepcopy(self.invoice["lines"]["data"][0]), **fields}

    def of(self, *lines, **fields):
        return self.told("invoice.paid", lines={"data": list(lines)}, **fields)

    def test_it_is_a_renewal_until_the_end_of_its_line(self):
        for shape in (False, True):
            self.shop.old_shape = shape
            subscription = self.shop.subscribe(self.customer, ["gold"])
            told = self.one()
            self.assertEqual((told.kind, told.valid_until), (Kind.RENEWAL, END))
            self.assertEqual((told.amount, told.currency), (Decimal("9.90"), "EUR"))
            self.assertEqual(told.transaction, subscription["items"]["data"][0]["id"])
            self.assertEqual(told.receipt, subscription["latest_invoice"])

    def test_the_latest_end_counts_and_money_given_back_does_not(self):
        late = {"start": 0, "end": int((END + timedelta(days=30)).timestamp())}
        back = self.line(amount=-400, period=late)
        more = self.line(amount=500, period={**late, "end": int(END.timestamp()) + 60})
        (told,) = self.of(self.line(), back, more, amount_paid=1090)
        self.assertEqual(told.valid_until, END + timedelta(minutes=1))
        self.assertEqual(told.amount, Decimal("10.90"))
        (told,) = self.of(back)
        self.assertEqual(told.kind, Kind.INFORMATION)

    def test_tax_is_with_the_first_item(self):
        other = self.line()
        other["parent"] = {"invoice_item_details": {"subscription_item": "si_other"}}
        told = self.of(self.line(), other, amount_paid=2200)
        self.assertEqual([one.amount for one in told], [Decimal("12.10"), Decimal("9.90")])
        self.assertEqual(told[1].transaction, "si_other")

    def test_discounts_are_with_their_lines(self):
        """A coupon for all: no item has cost less than nothing."""
        other = self.line(discount_amounts=[{"amount": 990, "discount": "di_1"}])
        first = {**deepcopy(other), "amount": 1490}
        first["discount_amounts"][0]["amount"] = 1490
        other["parent"] = {"subscription_item_details": {"subscription_item": "si_other"}}
        told = self.of(first, other, amount_paid=0)
        self.assertEqual([one.amount for one in told], [Decimal(0), Decimal(0)])

    def test_a_period_that_is_over_stands_for_itself(self):
        over = {"start": 0, "end": int(NOW.timestamp())}
        (told,) = self.of(self.line(period=over))
        self.assertEqual(told.transaction, self.invoice["id"])

    def test_several_pieces(self):
        (told,) = self.of(self.line(quantity=2))
        self.assertEqual((told.kind, told.attention), (Kind.UNKNOWN, SEVERAL_PIECES))

    def test_no_piece_at_all(self):
        (told,) = self.of(self.line(quantity=0, amount=0))
        self.assertEqual(told.kind, Kind.INFORMATION)

    def test_pieces_that_were_used_in_a_period_that_is_over(self):
        over = {"start": 0, "end": int(NOW.timestamp())}
        (told,) = self.of(self.line(period=over, quantity=153), amount_paid=1530)
        self.assertEqual((told.kind, told.amount), (Kind.RENEWAL, Decimal("15.30")))

    def test_lines_that_are_no_items(self):
        """What is bought once along with a subscription; nothing of an invoice without one."""
        line = self.line(amount=1500)
        line["parent"] = {"invoice_item_details": {"invoice_item": "ii_1", "proration": False}}
        told = self.of(self.line(), line, amount_paid=2490)
        self.assertEqual([one.kind for one in told], [Kind.RENEWAL, Kind.PURCHASE])
        self.assertEqual((told[1].product_id, told[1].amount), ("gold", Decimal(15)))
        self.assertEqual((told[1].transaction, told[1].valid_until), (line["id"], None))
        self.assertEqual(told[0].receipt, told[1].receipt)
        (told,) = self.of(line, parent=None)
        self.assertEqual(told.kind, Kind.INFORMATION)
        for parts in ({"amount": -100}, {"pricing": None}, {"proration": True}):
            (told,) = self.of({**line, **parts})
            self.assertEqual(told.kind, Kind.INFORMATION)
        (told,) = self.of({**line, "quantity": 2})
        self.assertEqual((told.kind, told.attention), (Kind.UNKNOWN, SEVERAL_PIECES))

    def test_one_that_could_not_be_paid(self):
        told = self.one("invoice.payment_failed")
        self.assertEqual((told.kind, told.amount), (Kind.PAYMENT_FAILED, Decimal("9.90")))
        self.assertEqual(told.transaction, self.subscription["items"]["data"][0]["id"])


class TestSessions(EventsTestCase):
    def test_payments(self):
        self.shop.checkout("book", email=EMAIL, metadata={"product": "book"})
        for name, status, kind in (
            ("completed", "paid", Kind.PURCHASE),
            # A coupon for all of it.
            ("completed", "no_payment_required", Kind.PURCHASE),
            ("completed", "unpaid", Kind.INFORMATION),
            ("async_payment_succeeded", "paid", Kind.PURCHASE),
            ("async_payment_failed", "unpaid", Kind.PAYMENT_FAILED),
        ):
            with self.subTest(name, status=status):
                told = self.one(f"checkout.session.{name}", payment_status=status)
                self.assertEqual((told.kind, told.email), (kind, EMAIL))
                is_sale = kind is Kind.PURCHASE
                self.assertEqual(told.product_id, "book" if is_sale else "")
                self.assertEqual(told.amount, Decimal(15) if is_sale else None)

    def test_a_subscription(self):
        self.shop.checkout("gold", email=EMAIL, client_reference_id="token")
        told = self.one()
        self.assertEqual((told.kind, told.email), (Kind.INFORMATION, EMAIL))
        self.assertEqual(told.member_token, "token")
        self.assertTrue(told.customer_id)


class TestMoneyBack(EventsTestCase):
    def setUp(self):
        super().setUp()
        self.payment = self.shop.payment(self.shop.checkout("book", email=EMAIL))

    def test_charges(self):
        self.shop.refund(self.payment, 100)
        told = self.one()
        self.assertEqual((told.kind, told.amount), (Kind.INFORMATION, Decimal(1)))
        self.assertEqual(told.undoing, "")
        self.shop.refund(self.payment)
        told = self.one()
        self.assertEqual((told.kind, told.amount), (Kind.REFUND, Decimal(15)))
        self.assertEqual(told.transaction, self.payment["payment_intent"])
        self.assertEqual(told.undoing, self.payment["id"])

    def test_refunds(self):
        self.shop.fail_refund(self.shop.refund(self.payment, 100))
        for name, status, kind in (
            ("created", "succeeded", Kind.INFORMATION),
            ("created", "pending", Kind.INFORMATION),
            ("updated", "succeeded", Kind.INFORMATION),
            ("updated", "failed", Kind.REACTIVATION),
            ("updated", "canceled", Kind.REACTIVATION),
            ("failed", "failed", Kind.REACTIVATION),
        ):
            # Endpoints of an API version before 2024-10-28 are told of cards by this one alone.
            types = [f"refund.{name}", *["charge.refund.updated"] * (name == "updated")]
            for type_ in types:
                self.assert_refund(type_, status, kind)

    def assert_refund(self, type_, status, kind):
        with self.subTest(type_, status=status):
            told = self.one(type_, status=status)
            self.assertEqual((told.kind, told.amount), (kind, Decimal(1)))
            undoing = self.payment["id"] if kind is Kind.REACTIVATION else ""
            self.assertEqual(told.undoing, undoing)

    def test_disputes(self):
        dispute = self.shop.dispute(self.payment)
        for name, status, kind in (
            ("created", "needs_response", Kind.CHARGEBACK),
            ("created", "warning_needs_response", Kind.INFORMATION),
            ("created", "warning_under_review", Kind.INFORMATION),
            ("funds_withdrawn", "needs_response", Kind.CHARGEBACK),
            ("closed", "won", Kind.REACTIVATION),
            ("closed", "warning_closed", Kind.REACTIVATION),
            ("closed", "lost", Kind.INFORMATION),
        ):
            with self.subTest(name, status=status):
                told = self.one(f"charge.dispute.{name}", status=status)
                self.assertEqual((told.kind, told.amount), (kind, Decimal(15)))
                undoing = "" if kind is Kind.INFORMATION else dispute["id"]
                self.assertEqual(told.undoing, undoing)


class TestCustomers(EventsTestCase):
    def test_the_address_follows(self):
        self.shop.change_address(self.customer, "Joe@example.org")
        told = self.one()
        self.assertEqual((told.kind, told.customer_id), (Kind.INFORMATION, self.customer))
        self.assertEqual((told.buyer, told.email), ("joe@example.org", "Joe@example.org"))

    def test_the_address_is_known_from_the_beginning(self):
        customer = self.shop.create_customer(EMAIL)
        told = self.one()
        self.assertEqual((told.kind, told.customer_id), (Kind.INFORMATION, customer))
        self.assertEqual(told.email, EMAIL)

    def test_deleted(self):
        self.shop.delete_customer(self.customer)
        told = self.one()
        self.assertEqual((told.kind, told.customer_id), (Kind.EXPIRY, self.customer))
        self.assertTrue(told.customer_deleted)

    def test_features(self):
        self.shop.set_features(self.customer, "video", "forum")
        told = self.one()
        self.assertEqual((told.kind, told.snapshot), (Kind.PLAN_CHANGE, True))
        self.assertEqual((told.aliases, told.valid_until), (("forum", "video"), None))
        self.shop.set_features(self.customer)
        told = self.one()
        self.assertEqual((told.kind, told.valid_until), (Kind.EXPIRY, NOW))

    def test_thin_events(self):
        """They name an object only; those of a style that nobody reads are not lost unseen."""
        event = {
            "id": "evt_thin",
            "object": "v2.core.event",
            "type": "v1.customer.subscription.created",
            "created": "2026-05-03T12:00:00.000Z",
            "livemode": True,
            "related_object": {"id": "sub_1", "type": "subscription", "url": "/v1/sub_1"},
        }
        (told,) = protocol.read(JsonBody(event))
        self.assertEqual((told.kind, told.attention), (Kind.UNKNOWN, events.THIN))
        self.assertIn("Snapshot", REASONS[events.THIN])
        (told,) = protocol.read(JsonBody({**event, "type": "v1.product.created"}))
        self.assertEqual(told.kind, Kind.INFORMATION)

    def test_anything_else(self):
        self.shop.change_address(self.customer, EMAIL)
        told = self.one("product.created")
        self.assertEqual((told.kind, told.customer_id), (Kind.INFORMATION, ""))
