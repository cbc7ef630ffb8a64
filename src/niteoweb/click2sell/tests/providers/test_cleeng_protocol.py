"""Cleeng: which webhooks are genuine, and what they say."""

from datetime import datetime
from datetime import timedelta
from datetime import timezone
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
from niteoweb.click2sell.providers.cleeng import protocol as cleeng
from types import SimpleNamespace
from typing import Any

import json
import unittest


UTC = timezone.utc
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
KEY = "a shared secret of thirty-two b."
HEADER = "x-cleeng-signature"

DATA = {
    "subscriptionId": "332332332",
    "offerId": "S123123123_US",
    "customerId": 123321123,
    "customerEmail": "Viewer@Example.org",
    "active": True,
    "inTrial": False,
    "expirationDate": "2026-12-22T10:30:00+01:00",
}
SPECIFIC = {"invoiceNumber": "INV-1", "subscriptionId": "vizio-77"}
CREATED = {"notificationType": "SUBSCRIPTION.CREATED"}
TRANSFER = {"prevSubscriptionId": 111, "prevCustomerId": 222}
END = datetime(2026, 12, 22, 9, 30, tzinfo=UTC)


def settings(**changes: Any) -> SimpleNamespace:
    return SimpleNamespace(
        **{
            "secretkey": KEY,
            "previous_secretkey": "",
            "tolerance": 300,
            "signature_header": "X-Cleeng-Signature",
            "signature_encoding": "hex",
            **changes,
        }
    )


def body_of(topic: str, envelope: dict[str, Any] | None = None, **changes: Any) -> bytes:
    """A webhook; None takes a field of its data away."""
    data = {name: value for name, value in {**DATA, **changes}.items() if value is not None}
    return json.dumps(
        {"broadcasterId": 123456789, "topic": topic, "data": data, **(envelope or {})}
    ).encode()


def signed(body: bytes, key: str = KEY, encoding: str = "hex") -> Delivery:
    return Delivery(body, "application/json", {HEADER: cleeng.sign(key, body, encoding)})


def all_of(body: bytes, now: datetime = NOW) -> tuple[Notification, ...]:
    return cleeng.parse(cleeng.verify(signed(body), settings(), now), UTC)


def parsed(topic: str, envelope: dict[str, Any] | None = None, **changes: Any) -> Notification:
    (found,) = all_of(body_of(topic, envelope, **changes))
    return found


def vizio(name: str, **changes: Any) -> Notification:
    return parsed("inappPurchaseSyncResult", notificationType=name, **changes)


class TestValidation(unittest.TestCase):
    """Purchases sent in for validation, and the shops that sold them."""

    def test_the_verdict(self):
        for topic, verdict in (
            ("inappPurchaseValidationSucceeded", "succeeded"),
            ("inappPurchaseValidationFailed", "failed"),
        ):
            found = parsed(topic, result="SubscriptionCreated", correlationId="q-1")
            self.assertEqual((found.validation_result, found.in_reply_to), (verdict, "q-1"))

    def test_what_was_not_validated_gives_nothing(self):
        for place in {}, {"inAppSpecificData": {**SPECIFIC, **CREATED}}, CREATED:
            found = parsed("inappPurchaseValidationFailed", **place)
            self.assertEqual(
                (found.kind, found.validation_result), (Kind.INFORMATION, "failed")
            )

    def test_another_topic_is_no_answer(self):
        found = parsed("subscriptionCreated", correlationId="q-1")
        self.assertEqual((found.validation_result, found.in_reply_to), ("", ""))

    def test_the_origin_is_what_vizio_calls_it(self):
        for name in "inAppSpecificData", "InAppSpecificData":
            found = parsed("subscriptionRenewed", **{name: SPECIFIC})
            self.assertEqual(found.external_subscription_id, "vizio-77")
        self.assertEqual(parsed("subscriptionRenewed").external_subscription_id, "")

    def test_of_a_transfer_both_have_it_and_one_is_the_answer(self):
        changes = {"result": "SubscriptionTransferred", "correlationId": "q-1", **TRANSFER}
        old, new = all_of(
            body_of("inappPurchaseValidationSucceeded", inAppSpecificData=SPECIFIC, **changes)
        )
        self.assertEqual(
            (old.external_subscription_id, old.in_reply_to, old.validation_result),
            ("vizio-77", "", ""),
        )
        self.assertEqual((new.external_subscription_id, new.in_reply_to), ("vizio-77", "q-1"))
        self.assertEqual(new.validation_result, "succeeded")


class TestSignature(unittest.TestCase):
    body = body_of("subscriptionCreated")

    def assert_wrong(self, delivery: Delivery, **changes: Any) -> None:
        with self.assertRaises(WrongSignature):
            cleeng.verify(delivery, settings(**changes), NOW)

    def with_header(self, text: str) -> Delivery:
        return Delivery(self.body, "application/json", {HEADER: text})

    def test_vectors(self):
        # RFC 4231, test case 2.
        body, key = b"what do ya want for nothing?", "Jefe"
        digest = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        self.assertEqual(cleeng.sign(key, body), digest)
        self.assertEqual(
            cleeng.sign(key, body, "base64"), "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="
        )

    def test_encodings(self):
        for encoding in cleeng.ENCODINGS:
            given = settings(signature_encoding=encoding)
            genuine = cleeng.verify(signed(self.body, encoding=encoding), given, NOW)
            self.assertEqual((genuine.moment, genuine.transaction), (NOW, "332332332"))
        self.assert_wrong(signed(self.body), signature_encoding="base64")
        self.assert_wrong(signed(self.body, encoding="base64"))
        self.assert_wrong(signed(self.body), signature_encoding="rot13")

    def test_header(self):
        digest = cleeng.sign(KEY, self.body)
        for text in (digest, digest.upper(), f" {digest} ", f"sha256={digest}"):
            cleeng.verify(self.with_header(text), settings(), NOW)
        for name in (" X-Signature ", "X_Signature", "x-signature"):
            cleeng.verify(
                Delivery(self.body, "application/json", {"x-signature": digest}),
                settings(signature_header=name),
                NOW,
            )
        base64 = cleeng.sign(KEY, self.body, "base64")
        for text in (base64, f"sha256={base64}"):
            cleeng.verify(self.with_header(text), settings(signature_encoding="base64"), NOW)
        for text in (f"sha256=sha256={digest}", f"sha512={digest}", f"sha256= {digest}"):
            self.assert_wrong(self.with_header(text))
        self.assert_wrong(self.with_header(digest), signature_header="Signature")
        for nothing in ("", None):
            self.assert_wrong(self.with_header(digest), signature_header=nothing)
        self.assert_wrong(Delivery(self.body, "application/json"))

    def test_every_byte_of_the_body(self):
        header = cleeng.sign(KEY, self.body)
        for place in range(len(self.body)):
            changed = bytearray(self.body)
            changed[place] ^= 1
            self.assert_wrong(Delivery(bytes(changed), "application/json", {HEADER: header}))
        self.assert_wrong(Delivery(self.body + b"\n", "application/json", {HEADER: header}))

    def test_every_sign_of_the_signature(self):
        for encoding in cleeng.ENCODINGS:
            header = cleeng.sign(KEY, self.body, encoding)
            for place, sign in enumerate(header):
                for other in "0aZ=+ \n\u0663":
                    if other.lower() != sign.lower():
                        changed = header[:place] + other + header[place + 1 :]
                        with self.subTest(changed):
                            self.assert_wrong(
                                self.with_header(changed), signature_encoding=encoding
                            )

    def test_malformed(self):
        digest = cleeng.sign(KEY, self.body)
        for text in ("", "x", digest[:-2], digest + "00", f"{digest},{digest}", "sha256="):
            for encoding in cleeng.ENCODINGS:
                self.assert_wrong(self.with_header(text), signature_encoding=encoding)

    def test_base64_can_be_written_in_one_way_only(self):
        header = cleeng.sign(KEY, self.body, "base64")
        deliveries = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        spare = deliveries[deliveries.index(header[-2]) ^ 1]
        for text in (f"{header[:-2]}{spare}=", header[:-1], header + "=", header + "\n"):
            self.assert_wrong(self.with_header(text), signature_encoding="base64")

    def test_rotation(self):
        rotated = {"secretkey": "new", "previous_secretkey": KEY}
        self.assertTrue(
            cleeng.verify(signed(self.body), settings(**rotated), NOW).by_previous_key
        )
        genuine = cleeng.verify(signed(self.body, "new"), settings(**rotated), NOW)
        self.assertFalse(genuine.by_previous_key)
        self.assert_wrong(signed(self.body), secretkey="new")
        for nothing in ("", None):
            self.assert_wrong(signed(self.body, ""), previous_secretkey=nothing)

    def test_what_comes_before_the_signature(self):
        for content_type in ("text/plain", ""):
            with self.assertRaises(WrongContentType):
                cleeng.verify(Delivery(b"{}", content_type), settings(secretkey=""), NOW)
        with self.assertRaises(EmptyBody):
            cleeng.verify(Delivery(b"", "application/json"), settings(secretkey=""), NOW)
        for nothing in ("", None):
            with self.assertRaises(SecretKeyNotSet):
                cleeng.verify(signed(self.body, ""), settings(secretkey=nothing), NOW)

    def test_a_time_in_the_body(self):
        for seconds in (-300, 0, 300):
            sent_at = NOW + timedelta(seconds=seconds)
            body = body_of("subscriptionCreated", {"timestamp": sent_at.isoformat()})
            (found,) = all_of(body)
            self.assertEqual(found.occurred_at, sent_at)
        for seconds in (-301, 301):
            sent_at = int((NOW + timedelta(seconds=seconds)).timestamp())
            delivery = signed(body_of("subscriptionCreated", {"timestamp": sent_at}))
            self.assert_wrong(delivery)
            cleeng.verify(delivery, settings(tolerance=0), NOW)

    def test_a_time_that_is_none_is_told_by_parse(self):
        genuine = cleeng.verify(
            signed(body_of("subscriptionCreated", {"timestamp": "now"})), settings(), NOW
        )
        with self.assertRaises(ParameterInvalid) as caught:
            cleeng.parse(genuine, UTC)
        self.assertEqual(caught.exception.parameter, "timestamp")

    def test_what_is_no_json_is_genuine_all_the_same(self):
        genuine = cleeng.verify(signed(b'{"topic":'), settings(), NOW)
        self.assertEqual(genuine.transaction, "")
        with self.assertRaises(ParameterInvalid):
            cleeng.parse(genuine, UTC)


class TestEvents(unittest.TestCase):
    def samples(self, name: str) -> list[tuple[Notification, ...]]:
        """Webhooks that tell an event; of Vizio's, in all places where they may be named."""
        if name in cleeng.VIZIO:
            named = {"notificationType": name}
            return [
                all_of(body_of(name)),
                all_of(body_of("inappPurchaseSyncResult", **named)),
                all_of(body_of("subscriptionRenewed", **named)),
                all_of(body_of("x", inAppSpecificData={**SPECIFIC, **named})),
                all_of(body_of("x", InAppSpecificData={**SPECIFIC, **named})),
            ]
        topic, _, result = name.partition(" ")
        if name.startswith("a result"):
            return [
                all_of(body_of(cleeng.VALIDATED, result="SubscriptionLost")),
                all_of(body_of(cleeng.VALIDATED)),
                all_of(body_of("subscriptionRenewed", notificationType="SUBSCRIPTION.X")),
            ]
        if result and topic == cleeng.VALIDATED:
            return [all_of(body_of(topic, result=result, **TRANSFER))]
        return [all_of(body_of("customerRegistered" if topic == "any" else topic))]

    def test_every_event_is_of_its_kind(self):
        for event in cleeng.EVENTS:
            for found in self.samples(event.name):
                with self.subTest(event.name):
                    self.assertIs(found[-1].kind, event.kind)
                    self.assertTrue(event.effect)
                    for notification in found:
                        self.assertTrue(notification.fully_signed)
                        self.assertTrue(notification.subscription)
        names = [event.name for event in cleeng.EVENTS]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(cleeng.SIGNED, EVERYTHING)

    def test_recorded_only(self):
        for topic in ("inappPurchaseValidationFailed", "transactionCreated", "other"):
            (found,) = all_of(json.dumps({"topic": topic, "data": {"reason": "x"}}).encode())
            self.assertEqual((found.kind, found.transaction), (Kind.INFORMATION, ""))
            self.assertIsNone(found.valid_until)
        found = vizio("SUBSCRIPTION.DOWNGRADE.PENDING")
        self.assertEqual((found.kind, found.snapshot), (Kind.INFORMATION, False))
        self.assertIsNone(found.valid_until)


class TestFields(unittest.TestCase):
    def test_purchase(self):
        found = parsed("subscriptionCreated", inAppSpecificData=SPECIFIC)
        self.assertIs(found.kind, Kind.PURCHASE)
        self.assertEqual(found.transaction, "332332332")
        self.assertEqual(found.receipt, "INV-1")
        self.assertEqual(found.customer_id, "123321123")
        self.assertEqual(found.email, "Viewer@Example.org")
        self.assertEqual(found.buyer, "viewer@example.org")
        self.assertEqual((found.product_id, found.aliases), ("S123123123_US", ("S123123123",)))
        self.assertEqual((found.valid_until, found.occurred_at), (END, NOW))
        self.assertFalse(found.snapshot)
        self.assertEqual(found.payload["data.inAppSpecificData.subscriptionId"], "vizio-77")

    def test_a_trial_is_a_purchase(self):
        found = parsed("subscriptionCreated", inTrial=True)
        self.assertEqual((found.kind, found.valid_until), (Kind.PURCHASE, END))

    def test_no_address(self):
        found = parsed("subscriptionCreated", customerEmail=None)
        self.assertEqual((found.buyer, found.customer_id), ("", "123321123"))
        found = parsed("subscriptionCreated", customerId=None)
        self.assertEqual((found.buyer, found.customer_id), ("viewer@example.org", ""))

    def test_both_spellings(self):
        for name in ("inAppSpecificData", "InAppSpecificData"):
            self.assertEqual(parsed("subscriptionCreated", **{name: SPECIFIC}).receipt, "INV-1")
        both = {"inAppSpecificData": SPECIFIC, "InAppSpecificData": SPECIFIC}
        with self.assertRaises(ParameterInvalid):
            parsed("subscriptionCreated", **both)

    def test_the_end(self):
        for value in ("2026-12-22T09:30:00Z", int(END.timestamp())):
            self.assertEqual(
                parsed("subscriptionRenewed", expirationDate=value).valid_until, END
            )
        self.assertEqual(parsed("subscriptionCanceled").valid_until, END)
        self.assertIsNone(parsed("subscriptionRenewed", expirationDate=None).valid_until)
        for name in ("SUBSCRIPTION.PAYMENT.FAILED", "SUBSCRIPTION.PAYMENT.REFUND"):
            self.assertIsNone(vizio(name).valid_until)

    def test_expiry(self):
        for value, until in (
            (None, NOW),
            ("2026-12-22T09:30:00Z", NOW),
            ("2026-11-20T00:00:00Z", datetime(2026, 11, 20, tzinfo=UTC)),
        ):
            for found in (
                parsed("subscriptionTerminated", expirationDate=value),
                vizio("SUBSCRIPTION.EXPIRED", expirationDate=value),
                parsed("subscriptionCreated", expirationDate=value, active=False),
                parsed("subscriptionSwitched", expirationDate=value, active=False),
            ):
                with self.subTest(value):
                    self.assertEqual((found.kind, found.valid_until), (Kind.EXPIRY, until))
                    self.assertFalse(found.snapshot)
        self.assertIs(parsed("subscriptionCanceled", active=False).kind, Kind.CANCELLATION)

    def test_switch(self):
        for found in (parsed("subscriptionSwitched"), vizio("SUBSCRIPTION.UPDATED")):
            self.assertEqual((found.kind, found.snapshot), (Kind.PLAN_CHANGE, True))
            self.assertEqual((found.product_id, found.valid_until), ("S123123123_US", END))
        found = parsed("subscriptionSwitched", toOfferId="S9_DE")
        self.assertEqual((found.product_id, found.aliases), ("S9_DE", ("S9",)))

    def test_a_renewal_says_what_the_subscription_is_on(self):
        for found in (parsed("subscriptionRenewed"), vizio("SUBSCRIPTION.PAYMENT.SUCCESSFUL")):
            self.assertEqual((found.kind, found.snapshot), (Kind.RENEWAL, True))

    def test_a_state_without_an_end_opens_none(self):
        for found in (
            parsed("subscriptionRenewed", expirationDate=None),
            parsed("subscriptionSwitched", expirationDate=None),
            vizio("SUBSCRIPTION.REACTIVATED", expirationDate=None),
        ):
            self.assertFalse(found.snapshot)
        self.assertTrue(vizio("SUBSCRIPTION.REACTIVATED").snapshot)

    def test_missing(self):
        for topic, changes, name in (
            ("subscriptionCreated", {"subscriptionId": None}, "subscriptionId"),
            ("subscriptionTerminated", {"subscriptionId": ""}, "subscriptionId"),
            ("subscriptionCreated", {"offerId": None}, "offerId"),
            ("subscriptionRenewed", {"customerId": None, "customerEmail": ""}, "customerId"),
            (
                cleeng.VALIDATED,
                {"result": cleeng.TRANSFERRED, "prevSubscriptionId": 1},
                "prevCustomerId",
            ),
        ):
            with self.subTest(name), self.assertRaises(ParameterMissing) as caught:
                parsed(topic, **changes)
            self.assertEqual(caught.exception.parameter, f"data.{name}")
        with self.assertRaises(ParameterMissing):
            parsed("")
        self.assertIs(parsed("subscriptionTerminated", offerId=None).kind, Kind.EXPIRY)

    def test_malformed(self):
        for changes, name in (
            ({"expirationDate": "2026-12-22"}, "expirationDate"),
            ({"expirationDate": 1.5}, "expirationDate"),
            ({"active": "yes"}, "active"),
            ({"customerEmail": "viewer"}, "customerEmail"),
            ({"customerId": {}}, "customerId"),
            ({"offerId": "S\x00"}, "offerId"),
            ({"notificationType": 7}, "notificationType"),
            ({"inAppSpecificData": []}, "inAppSpecificData"),
        ):
            with self.subTest(name), self.assertRaises(ParameterInvalid) as caught:
                parsed("subscriptionCreated", **changes)
            self.assertEqual(caught.exception.parameter, f"data.{name}")

    def test_payment_tokens_are_not_kept(self):
        found = parsed("subscriptionReadyForPaymentCapture", token="tok_en")
        self.assertNotIn("tok_en", repr(found))

    def test_the_key_is_the_body(self):
        body = body_of("subscriptionCreated")
        (first,), (later,) = all_of(body), all_of(body, NOW + timedelta(days=1))
        self.assertEqual(first.key, later.key)
        self.assertNotEqual(first.key, all_of(body + b" ")[0].key)


class TestTransfer(unittest.TestCase):
    def transfer(self, **changes: Any) -> tuple[Notification, ...]:
        values = {"result": cleeng.TRANSFERRED, "inAppSpecificData": SPECIFIC, **TRANSFER}
        return all_of(body_of(cleeng.VALIDATED, **{**values, **changes}))

    def test_both_customers(self):
        old, new = self.transfer()
        self.assertEqual((old.kind, new.kind), (Kind.EXPIRY, Kind.PURCHASE))
        self.assertEqual((old.transaction, new.transaction), ("111", "332332332"))
        self.assertEqual((old.customer_id, new.customer_id), ("222", "123321123"))
        self.assertEqual((old.buyer, old.email), ("", ""))
        self.assertEqual(new.buyer, "viewer@example.org")
        self.assertEqual((old.valid_until, new.valid_until), (NOW, END))
        # The receipt went with the subscription.
        self.assertEqual((old.receipt, new.receipt), ("", "INV-1"))
        self.assertEqual(old.product_id, new.product_id)

    def test_two_keys_that_stay(self):
        first, again = self.transfer(), self.transfer()
        self.assertEqual(len({notification.key for notification in first}), 2)
        self.assertEqual([n.key for n in first], [n.key for n in again])

    def test_other_results_end_nothing(self):
        for result in ("SubscriptionCreated", "SubscriptionRevived"):
            self.assertEqual(len(self.transfer(result=result)), 1)
        found = parsed(cleeng.VALIDATED, result="SubscriptionRevived")
        self.assertEqual((found.kind, found.snapshot), (Kind.REACTIVATION, True))
        found = parsed(cleeng.VALIDATED, result="SubscriptionSynchronized")
        self.assertEqual((found.kind, found.snapshot), (Kind.PLAN_CHANGE, True))
