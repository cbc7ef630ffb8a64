"""plenigo: which callbacks are genuine, and what they say."""

from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell import notification
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import EmptyBody
from niteoweb.click2sell.notification import EVERYTHING
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterInvalid
from niteoweb.click2sell.notification import ParameterMissing
from niteoweb.click2sell.notification import SecretKeyNotSet
from niteoweb.click2sell.notification import WrongContentType
from niteoweb.click2sell.notification import WrongSignature
from niteoweb.click2sell.provider import jsonbody
from niteoweb.click2sell.provider import signatures
from niteoweb.click2sell.providers.plenigo import orders as plenigoorders
from niteoweb.click2sell.providers.plenigo import protocol as plenigo
from niteoweb.click2sell.providers.plenigo import states as plenigostate
from types import SimpleNamespace
from typing import Any

import hmac
import json
import unittest


UTC = timezone.utc
SENT = 1729583536
NOW = datetime.fromtimestamp(SENT, UTC)
VECTOR = b'{"entityType":"SUBSCRIPTION","callbackType":"CREATION","entityId":"29","entity":{}}'
DIGEST = "b4510b80c61aec82f79ad3e656fa805b148bacaee8a068e25a736476c2d14cda"

ENTITY = {
    "subscriptionId": 29,
    "changedDate": "2024-10-22T07:00:00.250Z",
    "startDate": "2024-10-22T07:00:00Z",
    "endDate": "2025-10-22T07:00:00Z",
    "plenigoOfferId": "O_MZA1E7173120881551",
    "invoiceCustomerId": "100002",
    "deliveryCustomerId": "100003",
    "currency": "EUR",
    "paymentMethod": "CREDIT_CARD",
    "status": "ACTIVE",
    "items": [
        {
            "productId": "P_TTA1E7173120881551",
            "title": "Best monthly news",
            "price": 9.90,
            "quantity": 1,
            "status": "ACTIVE",
            "accessRightUniqueId": "global-access",
        }
    ],
}
CUSTOMER = {
    "customerId": "100003",
    "email": "Wild.Flower@example.com",
    "firstName": "Wild",
    "lastName": "Flower",
    "status": "ACTIVATED",
}


def settings(**changes: Any) -> SimpleNamespace:
    values = {"secretkey": "secret", "previous_secretkey": None, "tolerance": 300, **changes}
    return SimpleNamespace(**values)


ORDER = {
    "orderId": 29,
    "orderDate": "2024-10-22T07:00:00Z",
    "invoiceCustomerId": "100002",
    "items": [
        {"position": 0, "productId": "P_1", "subscriptionItemId": 7},
        {
            "position": 1,
            "productId": "ePaper-2026-11-28",
            "plenigoOfferId": "O_PAPER",
            "plenigoProductId": "P_PAPER",
            "accessRightUniqueId": "issue-28",
            "title": "Issue 28",
            "validityEndDate": "2099-01-01T00:00:00Z",
            "deliveryCustomerId": "100003",
        },
    ],
}
IN_STORE = {
    "appStoreSubscriptionId": 29,
    "customerId": "100003",
    "status": "ACTIVE",
    "accessRightUniqueId": "app",
    "changedDate": "2024-10-22T07:00:00Z",
}


def delivery(body: bytes = VECTOR, key: str = "secret", time: int = SENT) -> Delivery:
    return signed(body, plenigo.sign(key, time, body))


def signed(body: bytes, header: str) -> Delivery:
    return Delivery(body, jsonbody.CONTENT_TYPE, {plenigo.SIGNATURE: header})


def body_of(entity_type: str, callback_type: str, entity: Any, entity_id: Any = "29") -> bytes:
    return json.dumps(
        {
            "entityType": entity_type,
            "callbackType": callback_type,
            "entityId": entity_id,
            "entity": entity,
        }
    ).encode()


def parsed(body: bytes) -> Notification:
    (found,) = all_parsed(body)
    return found


def all_parsed(body: bytes) -> tuple[Notification, ...]:
    genuine = plenigo.verify(delivery(body), settings(), NOW)
    return plenigo.parse(genuine, UTC)


def of_type(callback_type: str, **changes: Any) -> Notification:
    """A callback about the subscription above; None takes a field of it away."""
    entity = {name: v for name, v in {**ENTITY, **changes}.items() if v is not None}
    return parsed(body_of("SUBSCRIPTION", callback_type, entity))


def item(**changes: Any) -> list[dict[str, Any]]:
    return [{**ENTITY["items"][0], **changes}]


class TestSignature(unittest.TestCase):
    def assert_wrong(self, request: Delivery, **changes: Any) -> None:
        with self.assertRaises(WrongSignature):
            plenigo.verify(request, settings(**changes), NOW)

    def test_vector(self):
        self.assertEqual(plenigo.sign("secret", SENT, VECTOR), f"t={SENT},s={DIGEST}")
        genuine = plenigo.verify(signed(VECTOR, f"t={SENT},s={DIGEST}"), settings(), NOW)
        self.assertFalse(genuine.by_previous_key)
        self.assertEqual((genuine.transaction, genuine.moment), ("29", NOW))

    def test_every_byte_of_the_body(self):
        header = plenigo.sign("secret", SENT, VECTOR)
        for place in range(len(VECTOR)):
            changed = bytearray(VECTOR)
            changed[place] ^= 1
            self.assert_wrong(signed(bytes(changed), header))
        self.assert_wrong(signed(VECTOR + b" ", header))
        self.assert_wrong(signed(VECTOR[:-1], header))

    def test_every_digit_of_the_header(self):
        header = plenigo.sign("secret", SENT, VECTOR)
        for place, sign in enumerate(header):
            for other in "0f,=. ":
                # A space around an element is no change of it.
                if other != sign and not (other == " " and sign in "ts,="):
                    changed = header[:place] + other + header[place + 1 :]
                    with self.subTest(changed):
                        self.assert_wrong(signed(VECTOR, changed), tolerance=0)

    def test_malformed_headers(self):
        for header in (
            "",
            "t=",
            "s=",
            DIGEST,
            f"s={DIGEST}",
            f"t={SENT}",
            f"t={SENT},s=",
            f"t={SENT},s={DIGEST[:-1]}",
            f"t={SENT},s={DIGEST}0",
            f"t={SENT},s={DIGEST},s=x",
            f"t={SENT},s=x,s={DIGEST}",
            f"t={SENT},s={DIGEST},t={SENT}",
            f"t={SENT},t=1,s={DIGEST}",
            f"t=-{SENT},s={DIGEST}",
            f"t=+{SENT},s={DIGEST}",
            f"t={SENT}.0,s={DIGEST}",
            f"t=0{SENT},s={DIGEST}",
            f"t={SENT}\n,s={DIGEST}",
            f"T={SENT},S={DIGEST}",
            f"t={SENT};s={DIGEST}",
            "t=١,s=" + DIGEST,
            "t=" + "9" * 5000 + f",s={DIGEST}",
            f"t={SENT}" + f",s={DIGEST}" * 9,
        ):
            with self.subTest(header):
                self.assert_wrong(signed(VECTOR, header), tolerance=0)
        self.assert_wrong(Delivery(VECTOR, "application/json"))

    def test_a_signed_time_that_is_no_moment(self):
        message = b"999999999999." + VECTOR
        digest = hmac.new(b"secret", message, "sha256").hexdigest()
        self.assert_wrong(signed(VECTOR, f"t=999999999999,s={digest}"), tolerance=0)

    def test_several_signatures(self):
        wrong = "0" * 64
        for header in (
            f"t={SENT},s={wrong},s={DIGEST}",
            f"t={SENT},s={DIGEST},s={wrong}",
            f" s={DIGEST.upper()} , t={SENT} ",
            f"u=7,t={SENT},v2=x,s={DIGEST},",
        ):
            with self.subTest(header):
                plenigo.verify(signed(VECTOR, header), settings(), NOW)
        self.assert_wrong(signed(VECTOR, f"t={SENT},s={wrong},s={wrong}"))

    def test_tolerance_on_both_sides(self):
        for seconds in (-300, 0, 300):
            plenigo.verify(delivery(time=SENT + seconds), settings(), NOW)
        for seconds in (-301, 301, -(10**9), 10**9):
            request = delivery(time=SENT + seconds)
            self.assert_wrong(request)
            plenigo.verify(request, settings(tolerance=0), NOW)

    def test_a_tolerance_that_nobody_has_set(self):
        for seconds in (-signatures.TOLERANCE, signatures.TOLERANCE):
            plenigo.verify(delivery(time=SENT + seconds), settings(tolerance=None), NOW)
        for seconds in (-signatures.TOLERANCE - 1, signatures.TOLERANCE + 1):
            self.assert_wrong(delivery(time=SENT + seconds), tolerance=None)

    def test_rotation(self):
        rotated = {"secretkey": "new", "previous_secretkey": "secret"}
        genuine = plenigo.verify(delivery(), settings(**rotated), NOW)
        self.assertTrue(genuine.by_previous_key)
        genuine = plenigo.verify(delivery(key="new"), settings(**rotated), NOW)
        self.assertFalse(genuine.by_previous_key)
        both = f"t={SENT},s={DIGEST},{plenigo.sign('new', SENT, VECTOR).partition(',')[2]}"
        genuine = plenigo.verify(signed(VECTOR, both), settings(**rotated), NOW)
        self.assertFalse(genuine.by_previous_key)
        self.assert_wrong(delivery(), secretkey="new")
        self.assert_wrong(delivery(key="other"), **rotated)

    def test_an_empty_previous_key_opens_nothing(self):
        for previous in (None, ""):
            self.assert_wrong(delivery(key=""), previous_secretkey=previous)

    def test_no_key(self):
        for key in (None, ""):
            for request in (delivery(key=""), Delivery(b"{}", "application/json")):
                with self.assertRaises(SecretKeyNotSet):
                    plenigo.verify(
                        request, settings(secretkey=key, previous_secretkey="secret"), NOW
                    )

    def test_what_comes_before_the_key(self):
        for content_type in ("text/plain", "application/x-www-form-urlencoded", ""):
            with self.assertRaises(WrongContentType):
                plenigo.verify(Delivery(VECTOR, content_type), settings(secretkey=""), NOW)
        for content_type in ("application/json", ""):
            with self.assertRaises(EmptyBody):
                plenigo.verify(Delivery(b"", content_type), settings(secretkey=""), NOW)
        plenigo.verify(
            Delivery(VECTOR, "Application/JSON; charset=utf-8", delivery().headers),
            settings(),
            NOW,
        )


class TestEvents(unittest.TestCase):
    def sample(self, name: str) -> Notification:
        entity_type, _, callback_type = name.partition(" ")
        if name == "anything else":
            return parsed(body_of("INVOICE", "CREATION", {"invoiceId": 7}))
        if entity_type == "ORDER":
            return all_parsed(body_of("ORDER", "CREATION", ORDER))[-1]
        if entity_type == "APP_STORE_SUBSCRIPTION":
            return parsed(body_of(entity_type, callback_type, IN_STORE))
        if callback_type == "with a quantity above one":
            return of_type("CREATION", items=item(quantity=2))
        if entity_type == "CUSTOMER":
            entity = None if callback_type == "DELETION" else CUSTOMER
            return parsed(body_of(entity_type, callback_type, entity, "100003"))
        return parsed(body_of(entity_type, callback_type, ENTITY))

    def test_every_event_is_of_its_kind(self):
        for event in plenigo.EVENTS:
            with self.subTest(event.name):
                self.assertIs(self.sample(event.name).kind, event.kind)
                self.assertTrue(event.effect)
        names = [event.name for event in plenigo.EVENTS]
        self.assertEqual(len(names), len(set(names)))
        for callback_type in plenigo.KINDS:
            self.assertIn(f"SUBSCRIPTION {callback_type}", names)

    def test_what_all_have(self):
        self.assertEqual(plenigo.SIGNED, EVERYTHING)
        for event in plenigo.EVENTS:
            found = self.sample(event.name)
            with self.subTest(event.name):
                self.assertEqual((found.provider, len(found.key)), ("plenigo", 64))
                self.assertTrue(found.fully_signed)
                self.assertEqual(found.occurred_at.utcoffset(), timedelta(0))

    def test_others_are_recorded(self):
        for entity_type, callback_type, entity in (
            ("INVOICE", "CREATION", {"invoiceCustomerId": "100002"}),
            ("SUBSCRIPTION", "FINISHED", ENTITY),
            ("CUSTOMER", "FINISHED", CUSTOMER),
            ("APP_STORE_ORDER", "CHANGE", None),
            ("NEW_TYPE", "CHANGE", {}),
        ):
            with self.subTest(entity_type):
                entity_id = "100003" if entity_type == "CUSTOMER" else "29"
                found = parsed(body_of(entity_type, callback_type, entity, entity_id))
                self.assertIs(found.kind, Kind.INFORMATION)
                self.assertFalse(found.snapshot)
                self.assertEqual(found.payload["entityType"], entity_type)


class TestOrder(unittest.TestCase):
    def order(self, **changes: Any) -> tuple[Notification, ...]:
        return all_parsed(body_of("ORDER", "CREATION", {**ORDER, **changes}))

    def test_single_products(self):
        about, found = self.order()
        self.assertEqual((about.kind, about.transaction), (Kind.INFORMATION, "order 29"))
        self.assertFalse(plenigo.is_prompt(about))
        self.assertEqual((found.kind, found.transaction), (Kind.PURCHASE, "order 29/1"))
        self.assertEqual(found.product_id, "O_PAPER")
        self.assertEqual(found.aliases, ("ePaper-2026-11-28", "P_PAPER", "issue-28"))
        self.assertEqual((found.customer_id, found.receipt), ("100003", "29"))
        self.assertEqual(found.valid_until, datetime(2099, 1, 1, tzinfo=UTC))
        self.assertFalse(found.snapshot or found.subscription)

    def test_one_key_however_it_became_known(self):
        read = jsonbody.read(json.dumps({**ORDER, "type": "ORDER"}).encode())
        (found,) = plenigoorders.of_order(read, NOW)
        self.assertEqual(found.key, self.order()[1].key)

    def test_an_item_that_cannot_be_read_keeps_no_other_out(self):
        item = ORDER["items"][1]
        order = {**ORDER, "items": [{**item, "position": None}, {**item, "position": 2}]}
        read = plenigoorders.of_order(jsonbody.read(json.dumps(order).encode()), NOW)
        self.assertEqual(next(read).transaction, "order 29/2")
        with self.assertRaises(ParameterMissing):
            next(read)

    def test_it_is_asked_for_where_the_callback_does_not_tell(self):
        (about,) = all_parsed(body_of("ORDER", "CREATION", {"orderId": 29}))
        self.assertTrue(plenigo.is_prompt(about))

    def test_several_pieces_and_bought_vouchers(self):
        item = {"position": 0, "productId": "P", "deliveryCustomerId": "1"}
        _about, found = self.order(items=[{**item, "quantity": 2}])
        self.assertEqual((found.kind, found.attention), (Kind.UNKNOWN, "several pieces"))
        self.assertEqual(len(self.order(items=[{**item, "voucherPurchase": {"a": 1}}])), 1)

    def test_cancelled(self):
        _about, bought = self.order()
        _about, found = self.order(status="CANCELLED", changedDate="2024-10-23T07:00:00Z")
        self.assertEqual((found.kind, found.transaction), (Kind.REFUND, "order 29/1"))
        self.assertNotEqual(found.key, bought.key)


class TestAppStore(unittest.TestCase):
    def store(self, **changes: Any) -> Notification:
        entity = {name: v for name, v in {**IN_STORE, **changes}.items() if v is not None}
        return parsed(body_of("APP_STORE_SUBSCRIPTION", "CHANGE", entity))

    def test_states(self):
        end = {"endDate": "2099-01-01T00:00:00Z"}
        for changes, kind in (
            ({}, Kind.PLAN_CHANGE),
            ({"cancellationDate": "2024-10-01T00:00:00Z", **end}, Kind.CANCELLATION),
            ({"status": "PAUSED"}, Kind.EXPIRY),
            ({"status": "INACTIVE"}, Kind.EXPIRY),
            ({"status": "IGNORED", "startDate": "2099-01-01T00:00:00Z"}, Kind.EXPIRY),
            ({"customerId": None}, Kind.INFORMATION),
        ):
            with self.subTest(changes):
                found = self.store(**changes)
                self.assertEqual((found.kind, found.transaction), (kind, "app store 29"))
                self.assertEqual(found.snapshot, kind in (Kind.PLAN_CHANGE, Kind.CANCELLATION))
        self.assertEqual(self.store().product_id, "app")
        with self.assertRaises(ParameterInvalid):
            self.store(status="NEW")


class TestCustomerStatus(unittest.TestCase):
    def customer(self, **changes: Any) -> Notification:
        return parsed(body_of("CUSTOMER", "CHANGE", {**CUSTOMER, **changes}, "100003"))

    def test_suspended_and_not_any_more(self):
        for status in ("BLOCKED", "DEACTIVATED", "DISABLED"):
            self.assertIs(self.customer(status=status).customer_suspended, True)
        self.assertIs(self.customer(status="ACTIVATED").customer_suspended, False)
        self.assertIsNone(self.customer(status="NEW").customer_suspended)

    def test_blocked_for_processing(self):
        found = self.customer(processingBlocked=True)
        self.assertEqual((found.kind, found.buyer), (Kind.EXPIRY, ""))
        self.assertTrue(found.customer_deleted)

    def test_an_address_that_plenigo_made_up(self):
        self.assertEqual(self.customer(email="x1@plenigo-mail.com").buyer, "")


class TestSecrets(unittest.TestCase):
    def test_each_callback_may_have_its_own(self):
        first, second = "the first secret of it", "the second secret of it"
        stored = settings(secretkey=f"{first}|{second}")
        for secret in (first, second, stored.secretkey):
            body = body_of("CUSTOMER", "CREATION", CUSTOMER)
            genuine = plenigo.verify(delivery(body, secret), stored, NOW)
            self.assertFalse(genuine.by_previous_key)
        for secret in ("", "the third secret of it", f"{first}|"):
            with self.assertRaises(WrongSignature):
                plenigo.verify(delivery(body, secret), stored, NOW)
        with self.assertRaises(WrongSignature):
            plenigo.verify(delivery(body, "x"), settings(secretkey="x|y"), NOW)


class TestSubscription(unittest.TestCase):
    def test_creation(self):
        found = of_type("CREATION")
        self.assertIs(found.kind, Kind.PURCHASE)
        self.assertEqual(found.transaction, "29")
        self.assertEqual(found.customer_id, "100003")
        self.assertEqual((found.buyer, found.email), ("", ""))
        self.assertEqual(found.product_id, "O_MZA1E7173120881551")
        self.assertEqual(found.aliases, ("P_TTA1E7173120881551", "global-access"))
        self.assertEqual(found.product_name, "Best monthly news")
        self.assertEqual(found.valid_until, datetime(2025, 10, 22, 7, tzinfo=UTC))
        self.assertEqual(found.occurred_at, datetime(2024, 10, 22, 7, 0, 0, 250000, UTC))
        self.assertTrue(found.snapshot)
        self.assertTrue(plenigo.is_prompt(found))
        self.assertEqual(found.payload["entity.items.0.price"], "9.9")
        self.assertNotIn(DIGEST, repr(found))

    def test_what_gives_access_states_all(self):
        for callback_type, kind in (
            ("CREATION", Kind.PURCHASE),
            ("CHANGE", Kind.PLAN_CHANGE),
            ("UNDO_CANCELLATION", Kind.REACTIVATION),
            ("CANCELLATION", Kind.CANCELLATION),
        ):
            with self.subTest(callback_type):
                found = of_type(callback_type)
                self.assertEqual((found.kind, found.snapshot), (kind, True))
                self.assertEqual(found.valid_until, datetime(2025, 10, 22, 7, tzinfo=UTC))
                self.assertIsNone(of_type(callback_type, endDate=None).valid_until)

    def test_the_time(self):
        self.assertEqual(of_type("CHANGE", changedDate=None).occurred_at, NOW)

    def test_the_key_is_the_body(self):
        body = body_of("SUBSCRIPTION", "CREATION", ENTITY)
        first, second = (
            plenigo.parse(plenigo.verify(delivery(body, time=time), settings(), NOW), UTC)
            for time in (SENT, SENT + 60)
        )
        self.assertEqual(first[0].key, second[0].key)
        self.assertNotEqual(first[0].key, parsed(body + b" ").key)

    def test_products(self):
        for changes, product, aliases in (
            ({"plenigoOfferId": None}, "P_TTA1E7173120881551", ("global-access",)),
            (
                {"plenigoOfferId": None, "items": item(productId="")},
                "global-access",
                (),
            ),
            ({"items": None}, "O_MZA1E7173120881551", ()),
            (
                {"items": item(accessRightUniqueId="O_MZA1E7173120881551")},
                "O_MZA1E7173120881551",
                ("P_TTA1E7173120881551",),
            ),
            (
                {"items": item(status="INACTIVE") + item(productId="P2", title="Two")},
                "O_MZA1E7173120881551",
                ("P2", "global-access"),
            ),
            (
                {"plenigoOfferId": None, "items": item(status="INACTIVE")},
                "P_TTA1E7173120881551",
                ("global-access",),
            ),
            ({"plenigoOfferId": 7}, "7", ("P_TTA1E7173120881551", "global-access")),
        ):
            with self.subTest(changes):
                found = of_type("CREATION", **changes)
                self.assertEqual((found.product_id, found.aliases), (product, aliases))

    def test_the_end(self):
        for end, until in (
            ("2024-10-22T06:00:00Z", datetime(2024, 10, 22, 6, tzinfo=UTC)),
            ("2025-10-22T07:00:00Z", datetime(2024, 10, 22, 7, 0, 0, 250000, UTC)),
            (None, datetime(2024, 10, 22, 7, 0, 0, 250000, UTC)),
        ):
            with self.subTest(end):
                found = of_type("ENDED", endDate=end, status="INACTIVE")
                self.assertEqual((found.kind, found.snapshot), (Kind.EXPIRY, False))
                self.assertEqual(found.valid_until, until)
        self.assertIs(of_type("ENDED", status="IGNORED").kind, Kind.EXPIRY)
        self.assertIs(of_type("ENDED").kind, Kind.EXPIRY)

    def test_a_status_that_gives_nothing(self):
        for callback_type in ("CREATION", "CHANGE", "UNDO_CANCELLATION", "CANCELLATION"):
            with self.subTest(callback_type):
                found = of_type(callback_type, status="INACTIVE")
                self.assertEqual((found.kind, found.snapshot), (Kind.EXPIRY, False))
                found = of_type(callback_type, status="IGNORED")
                self.assertEqual((found.kind, found.snapshot), (Kind.EXPIRY, False))
                found = of_type(callback_type, accessBlocked=True)
                self.assertEqual((found.kind, found.snapshot), (Kind.EXPIRY, False))
                self.assertEqual(found.valid_until, found.occurred_at)
        self.assertIs(of_type("CREATION", status=None).kind, Kind.PURCHASE)

    def test_money_that_went_back_or_did_not_come(self):
        for callback_type, kind in (
            ("PAYMENT_REVOKED", Kind.CHARGEBACK),
            ("PAYMENT_FAILED", Kind.PAYMENT_FAILED),
        ):
            found = of_type(callback_type)
            self.assertEqual((found.kind, found.transaction), (kind, "29"))
            # Not of the customer who pays.
            self.assertEqual(found.customer_id, "100003")
            self.assertEqual(found.product_id, "O_MZA1E7173120881551")
            self.assertFalse(found.snapshot)
        found = parsed(body_of("FAILED_PAYMENT", "PAYMENT_FAILED", {}, "7"))
        self.assertEqual((found.kind, found.transaction), (Kind.PAYMENT_FAILED, ""))
        failed = {"subscriptionId": 29, "customerId": "100003"}
        found = parsed(body_of("FAILED_PAYMENT", "PAYMENT_FAILED", failed, "7"))
        self.assertEqual((found.transaction, found.customer_id), ("29", "100003"))

    def test_several_users_and_pieces(self):
        for changes, why in (
            ({"items": item(quantity=2)}, notification.SEVERAL_PIECES),
            ({"items": item() + item(quantity=3)}, notification.SEVERAL_PIECES),
            ({"multiuserSettings": {"enableSelfService": True}}, notification.SEVERAL_USERS),
            ({"subscriptionType": "TIME_BASED_MULTIUSER"}, notification.SEVERAL_USERS),
        ):
            for callback_type in ("CREATION", "CHANGE", "UNDO_CANCELLATION", "CANCELLATION"):
                with self.subTest(changes, callback_type=callback_type):
                    found = of_type(callback_type, **changes)
                    self.assertEqual((found.kind, found.attention), (Kind.UNKNOWN, why))
                    self.assertFalse(found.snapshot)
                    self.assertIsNone(found.valid_until)
            # What ends access ends it all the same.
            self.assertIs(of_type("ENDED", **changes).kind, Kind.EXPIRY)
            self.assertIs(of_type("PAYMENT_REVOKED", **changes).kind, Kind.CHARGEBACK)
        found = parsed(body_of("MULTIUSER_SUBSCRIPTION", "CREATION", {"whatever": 1}, "31"))
        self.assertEqual(found.attention, notification.SEVERAL_USERS)
        self.assertEqual((found.transaction, found.customer_id), ("31", ""))

    def test_missing(self):
        for name, body in (
            ("entityType", b'{"callbackType":"CREATION","entityId":"29"}'),
            ("callbackType", b'{"entityType":"SUBSCRIPTION","entityId":"29"}'),
            ("entityId", body_of("SUBSCRIPTION", "CREATION", ENTITY, None)),
            ("entityId", body_of("CUSTOMER", "DELETION", None, "")),
            ("entity.deliveryCustomerId", VECTOR),
            (
                "entity.plenigoOfferId",
                body_of("SUBSCRIPTION", "CHANGE", {"deliveryCustomerId": "1"}),
            ),
        ):
            with self.subTest(name), self.assertRaises(ParameterMissing) as caught:
                parsed(body)
            self.assertEqual(caught.exception.parameter, name)

    def test_who_pays_gets_it_where_nobody_else_is_named(self):
        found = of_type("CREATION", deliveryCustomerId=None)
        self.assertEqual(found.customer_id, ENTITY["invoiceCustomerId"])
        for changes in ({"giftInfo": {"notifyGiftee": True}}, {"invoiceCustomerId": None}):
            with self.subTest(changes), self.assertRaises(ParameterMissing) as caught:
                of_type("CREATION", deliveryCustomerId=None, **changes)
            self.assertEqual(caught.exception.parameter, "entity.deliveryCustomerId")

    def test_a_start_to_come(self):
        found = of_type("CREATION", startDate="2099-01-01T00:00:00Z")
        self.assertEqual(found.valid_from, datetime(2099, 1, 1, tzinfo=UTC))
        self.assertIsNone(of_type("CREATION", startDate="2024-10-22T07:05:00Z").valid_from)

    def test_a_pause(self):
        pause = {"startPauseDate": "2024-10-01", "endPauseDate": "2024-12-01"}
        found = of_type("CHANGE", paused={**pause, "pauseType": "STANDARD"})
        self.assertEqual(found.valid_from, datetime(2024, 12, 1, tzinfo=UTC))
        for name, changes in (
            ("paused", {"pauseType": "PAYMENT_ONLY"}),
            ("paused", {"startPauseDate": "2024-11-01"}),
            ("deliveryPaused", {}),
        ):
            with self.subTest(name, **changes):
                found = of_type("CHANGE", **{name: {**pause, **changes}})
                self.assertIsNone(found.valid_from)
        with self.assertRaises(ParameterInvalid):
            of_type("CHANGE", paused={**pause, "endPauseDate": "soon"})

    def test_malformed(self):
        for changes, name in (
            ({"subscriptionId": 30}, "subscriptionId"),
            ({"endDate": "2090-02-01TT17:32:12Z"}, "endDate"),
            ({"endDate": "2025-10-22"}, "endDate"),
            ({"changedDate": "yesterday"}, "changedDate"),
            ({"status": "PAUSED"}, "status"),
            ({"accessBlocked": "no"}, "accessBlocked"),
            ({"deliveryCustomerId": ["1"]}, "deliveryCustomerId"),
            ({"plenigoOfferId": "O\n"}, "plenigoOfferId"),
            ({"items": {}}, "items"),
            ({"items": ["P"]}, "items.0"),
            ({"items": item(quantity="2")}, "items.0.quantity"),
        ):
            with self.subTest(changes), self.assertRaises(ParameterInvalid) as caught:
                of_type("CREATION", **changes)
            self.assertEqual(caught.exception.parameter, f"entity.{name}")
        for entity in ([], "x", 7):
            with self.assertRaises(ParameterInvalid) as caught:
                parsed(body_of("SUBSCRIPTION", "CREATION", entity))
            self.assertEqual(caught.exception.parameter, "entity")

    def test_a_broken_callback_is_recorded_by_what_can_be_read(self):
        genuine = plenigo.verify(delivery(b"[1"), settings(), NOW)
        self.assertEqual(genuine.transaction, "")
        self.assertEqual(genuine.payload(), {"(unreadable)": "2 bytes"})
        with self.assertRaises(ParameterInvalid):
            plenigo.parse(genuine, UTC)
        genuine = plenigo.verify(delivery(), settings(), NOW)
        self.assertEqual(genuine.transaction, "29")
        self.assertEqual(genuine.payload()["callbackType"], "CREATION")


class TestCustomer(unittest.TestCase):
    def test_address(self):
        for callback_type in ("CREATION", "CHANGE"):
            found = parsed(body_of("CUSTOMER", callback_type, CUSTOMER, "100003"))
            self.assertIs(found.kind, Kind.INFORMATION)
            self.assertEqual(
                (found.customer_id, found.transaction), ("100003", "customer 100003")
            )
            self.assertEqual(found.email, "Wild.Flower@example.com")
            self.assertEqual(found.buyer, "wild.flower@example.com")
            self.assertEqual(found.fullname, "Wild Flower")
            self.assertFalse(plenigo.is_prompt(found))

    def test_no_address(self):
        found = parsed(body_of("CUSTOMER", "CHANGE", {"username": "wild"}, "100003"))
        self.assertEqual((found.customer_id, found.buyer, found.email), ("100003", "", ""))

    def test_deletion(self):
        for entity in (None, {}, {"customerId": "100003"}):
            found = parsed(body_of("CUSTOMER", "DELETION", entity, "100003"))
            self.assertTrue(found.customer_deleted)
            self.assertIs(found.kind, Kind.EXPIRY)
            self.assertEqual((found.customer_id, found.product_id), ("100003", ""))

    def test_malformed(self):
        for entity, name in (
            ({"customerId": "100004"}, "entity.customerId"),
            ({"email": "nobody"}, "entity.email"),
            ({"email": 7}, "entity.email"),
        ):
            with self.assertRaises(ParameterInvalid) as caught:
                parsed(body_of("CUSTOMER", "CHANGE", entity, "100003"))
            self.assertEqual(caught.exception.parameter, name)


class TestState(unittest.TestCase):
    """The state of a subscription in plenigo's API, asked later."""

    LATER = NOW + timedelta(hours=3)
    CANCELLED = {"cancellationDate": "2024-11-01T00:00:00Z"}

    def read(self, callback_type: str, **changes: Any) -> Notification:
        return plenigostate.of_subscription(
            of_type(callback_type), self.subscription(**changes), self.LATER
        )

    def subscription(self, **changes: Any) -> jsonbody.JsonBody:
        return jsonbody.read(json.dumps({**ENTITY, **changes}).encode())

    def test_the_state_counts(self):
        active, cancelled = {}, self.CANCELLED
        inactive, blocked = {"status": "INACTIVE"}, {"accessBlocked": True}
        ignored = {"status": "IGNORED"}
        for callback_type, changes, kind in (
            ("CREATION", active, Kind.PURCHASE),
            ("CREATION", cancelled, Kind.PURCHASE),
            ("CREATION", inactive, Kind.EXPIRY),
            ("CREATION", blocked, Kind.EXPIRY),
            ("CREATION", ignored, Kind.EXPIRY),
            ("CHANGE", active, Kind.PLAN_CHANGE),
            ("CHANGE", cancelled, Kind.PLAN_CHANGE),
            ("CHANGE", inactive, Kind.EXPIRY),
            ("UNDO_CANCELLATION", active, Kind.REACTIVATION),
            ("UNDO_CANCELLATION", cancelled, Kind.PLAN_CHANGE),
            ("CANCELLATION", active, Kind.PLAN_CHANGE),
            ("CANCELLATION", cancelled, Kind.CANCELLATION),
            ("CANCELLATION", inactive, Kind.EXPIRY),
            ("ENDED", active, Kind.PLAN_CHANGE),
            ("ENDED", inactive, Kind.EXPIRY),
            ("ENDED", ignored, Kind.EXPIRY),
            ("FINISHED", active, Kind.PLAN_CHANGE),
            ("FINISHED", inactive, Kind.EXPIRY),
        ):
            with self.subTest(callback_type, **changes):
                told = of_type(callback_type)
                found = self.read(callback_type, **changes)
                self.assertIs(found.kind, kind)
                self.assertEqual(found.key, told.key)
                self.assertEqual(found.occurred_at, self.LATER)
                gives = kind not in (Kind.EXPIRY, Kind.INFORMATION)
                self.assertEqual(found.snapshot, gives)
                if gives:
                    self.assertEqual(found.valid_until, datetime(2025, 10, 22, 7, tzinfo=UTC))

    def test_what_was_read_takes_the_place_of_what_was_told(self):
        found = self.read("CREATION", plenigoOfferId="O2", deliveryCustomerId="8", items=item())
        self.assertEqual((found.product_id, found.customer_id), ("O2", "8"))
        self.assertEqual(found.payload["entity.plenigoOfferId"], "O_MZA1E7173120881551")
        self.assertEqual(found.payload["read.plenigoOfferId"], "O2")
        self.assertEqual(found.payload["read.at"], self.LATER.isoformat())

    def test_the_end_that_was_read(self):
        found = self.read("CHANGE", status="INACTIVE", endDate="2030-01-01T00:00:00Z")
        self.assertEqual(found.valid_until, self.LATER)
        found = self.read("CHANGE", status="INACTIVE", endDate="2024-01-01T00:00:00Z")
        self.assertEqual(found.valid_until, datetime(2024, 1, 1, tzinfo=UTC))
        self.assertIsNone(self.read("CHANGE", endDate=None).valid_until)

    def test_what_happened_stays(self):
        for callback_type in ("PAYMENT_REVOKED", "PAYMENT_FAILED"):
            told = of_type(callback_type)
            found = self.read(callback_type, plenigoOfferId="O2", status="INACTIVE")
            self.assertEqual((found.kind, found.occurred_at), (told.kind, told.occurred_at))
            self.assertEqual(found.product_id, "O2")

    def test_several_pieces(self):
        found = self.read("CREATION", items=item(quantity=2))
        self.assertEqual(
            (found.kind, found.attention), (Kind.UNKNOWN, notification.SEVERAL_PIECES)
        )

    def test_another_subscription(self):
        with self.assertRaises(ParameterInvalid):
            self.read("CREATION", subscriptionId=30)

    def test_listed(self):
        for changes, kind in (
            ({}, Kind.PLAN_CHANGE),
            (self.CANCELLED, Kind.PLAN_CHANGE),
            ({"status": "INACTIVE"}, Kind.EXPIRY),
            ({"accessBlocked": True}, Kind.EXPIRY),
            ({"status": "IGNORED"}, Kind.EXPIRY),
            ({"items": item(quantity=2)}, Kind.UNKNOWN),
        ):
            with self.subTest(changes):
                found = plenigostate.of_listed(self.subscription(**changes), self.LATER)
                self.assertEqual((found.kind, found.transaction), (kind, "29"))
                self.assertEqual((found.customer_id, found.fully_signed), ("100003", True))
                self.assertEqual(found.occurred_at, self.LATER)

    def test_one_state_has_one_key(self):
        first = plenigostate.of_listed(self.subscription(), self.LATER)
        again = plenigostate.of_listed(self.subscription(), self.LATER + timedelta(days=1))
        other = plenigostate.of_listed(self.subscription(endDate=None), self.LATER)
        self.assertEqual(first.key, again.key)
        self.assertNotEqual(first.key, other.key)
        with self.assertRaises(ParameterMissing):
            gift = {"deliveryCustomerId": "", "giftInfo": {"notifyGiftee": True}}
            plenigostate.of_listed(self.subscription(**gift), self.LATER)

    def test_a_customer(self):
        told = of_type("CREATION")
        customer = jsonbody.read(json.dumps(CUSTOMER).encode())
        found = plenigostate.of_customer(told, customer)
        self.assertEqual(
            (found.buyer, found.fullname), ("wild.flower@example.com", "Wild Flower")
        )
        self.assertEqual(found.key, told.key)
