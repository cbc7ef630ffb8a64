"""The conformance kit: our providers pass it, and broken ones are caught."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from datetime import tzinfo
from niteoweb.click2sell.notification import Answer
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import DeliveryError
from niteoweb.click2sell.notification import Event
from niteoweb.click2sell.notification import EVERYTHING
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterInvalid
from niteoweb.click2sell.notification import WrongContentType
from niteoweb.click2sell.notification import WrongSignature
from niteoweb.click2sell.provider import jsonbody
from niteoweb.click2sell.provider import signatures
from niteoweb.click2sell.provider.sample import SampleRequest
from niteoweb.click2sell.providers.cleeng import protocol as cleeng
from niteoweb.click2sell.providers.cleeng import sample as cleeng_sample
from niteoweb.click2sell.providers.click2sell import protocol as click2sell
from niteoweb.click2sell.providers.click2sell import sample as click2sell_sample
from niteoweb.click2sell.providers.plenigo import protocol as plenigo
from niteoweb.click2sell.providers.plenigo import sample as plenigo_sample
from niteoweb.click2sell.providers.plenigo.provider import PROVIDER as PLENIGO
from niteoweb.click2sell.providers.stripe import protocol as stripe
from niteoweb.click2sell.providers.stripe import sample as stripe_sample
from niteoweb.click2sell.testing import conformance
from niteoweb.click2sell.testing.conformance import Sample
from niteoweb.click2sell.tests.cases import deliveries
from niteoweb.click2sell.tests.cases import EXAMPLES
from typing import Any
from urllib.parse import urlencode

import json
import logging
import secrets
import unittest


NOW = datetime(2026, 5, 3, 12, tzinfo=timezone.utc)

#: Of the provider that is made up here.
SALE = b'{"order": "A-1", "product": "gold", "email": "Jane@example.org"}'


class TestClick2Sell(conformance.ProviderTestCase):
    provider = click2sell
    maker = click2sell_sample
    thorough = EXAMPLES >= 1

    def samples(self) -> Sequence[Sample]:
        return [
            _form("sale", Kind.PURCHASE),
            _form("renewal", Kind.RENEWAL, "Subscription", "Recurring", "R-2"),
            _form("cancellation", Kind.CANCELLATION, "Subscription", "Cancel"),
            _form("failed", Kind.PAYMENT_FAILED, "Subscription", payment_status="Failed"),
            _form("refund", Kind.REFUND, "Refund"),
            _form("other", Kind.UNKNOWN, "Gift"),
        ]


class TestPlenigo(conformance.ProviderTestCase):
    provider = PLENIGO
    maker = plenigo_sample
    thorough = EXAMPLES >= 1
    tolerance = 300

    def samples(self) -> Sequence[Sample]:
        kinds = plenigo.KINDS.items()
        customer = {"customerId": "100003", "email": "Wild.Flower@example.com"}
        item = {"position": 0, "productId": "P_1", "deliveryCustomerId": "100003"}
        order = {"orderId": 29, "items": [item]}
        return [
            *(_callback("SUBSCRIPTION", name, kind, **_state(kind)) for name, kind in kinds),
            _callback("MULTIUSER_SUBSCRIPTION", "CREATION", Kind.UNKNOWN),
            _callback("CUSTOMER", "CREATION", Kind.INFORMATION, entity_id="100003", **customer),
            _callback("ORDER", "CREATION", Kind.INFORMATION, Kind.PURCHASE, **order),
        ]


class TestStripe(conformance.ProviderTestCase):
    provider = stripe
    maker = stripe_sample
    thorough = EXAMPLES >= 1
    tolerance = 300
    options: Mapping[str, Any] = {"test_mode": False}

    def samples(self) -> Sequence[Sample]:
        about = {"customer": "cus_1", "latest_invoice": "in_1"}
        gold = {"id": "price_1", "product": "prod_1", "lookup_key": "gold"}
        period = {"current_period_start": 1777000000, "current_period_end": 1779600000}
        items = {"data": [{"id": "si_1", "price": gold, "quantity": 1, **period}]}
        states = (
            ("created", Kind.PURCHASE, {"status": "active"}),
            ("updated", Kind.PLAN_CHANGE, {"status": "trialing"}),
            ("updated", Kind.CANCELLATION, {"status": "active", "cancel_at_period_end": True}),
            ("resumed", Kind.REACTIVATION, {"status": "active"}),
            ("updated", Kind.UNKNOWN, {"status": "something new"}),
            ("deleted", Kind.EXPIRY, {"status": "canceled", "ended_at": 1777800000}),
        )
        lines = {"data": [{"period": {"end": 1779600000}, "price": gold}]}
        lines["data"][0]["subscription_item"] = "si_1"
        invoice = {"id": "in_1", "customer": "cus_1", "lines": lines}
        dispute = {"id": "dp_1", "payment_intent": "pi_1", "status": "needs_response"}
        return [
            *(
                _event(f"customer.subscription.{type_}", kind, id=f"sub_{n}", **about, **more)
                for n, (type_, kind, more) in enumerate(
                    (type_, kind, {"items": items, **more}) for type_, kind, more in states
                )
            ),
            _event("invoice.paid", Kind.RENEWAL, **invoice),
            _event("invoice.payment_failed", Kind.PAYMENT_FAILED, **invoice),
            _event("charge.refunded", Kind.REFUND, id="ch_1", customer="cus_1", refunded=True),
            _event("charge.dispute.created", Kind.CHARGEBACK, **dispute),
            _event("customer.updated", Kind.INFORMATION, id="cus_1", email="J@Example.com"),
        ]


class TestCleeng(conformance.ProviderTestCase):
    provider = cleeng
    maker = cleeng_sample
    thorough = EXAMPLES >= 1
    encoding = cleeng.HEX
    dated = False

    @property
    def options(self) -> Mapping[str, Any]:
        encoding = self.encoding
        return {"tolerance": 300, "signature_header": "X-Sig", "signature_encoding": encoding}

    def samples(self) -> Sequence[Sample]:
        changes = {"result": cleeng.TRANSFERRED, "prevSubscriptionId": 1, "prevCustomerId": 2}
        return [
            *(_webhook(topic, kind) for topic, kind in cleeng.VIZIO.items()),
            _webhook("subscriptionRenewed", Kind.RENEWAL),
            _webhook(cleeng.VALIDATED, Kind.EXPIRY, Kind.PURCHASE, **changes),
            _webhook(cleeng.VALIDATED, Kind.UNKNOWN, result="SomethingNew"),
        ]


class TestCleengWithTimes(TestCleeng):
    """Webhooks that say when they were made, and signatures written in the other way."""

    encoding = cleeng.BASE64
    tolerance = 300
    dated = True

    @property
    def options(self) -> Mapping[str, Any]:
        return {"signature_header": "X-Sig", "signature_encoding": self.encoding}

    def samples(self) -> Sequence[Sample]:
        when = int(self.now.timestamp())
        return [
            replace(sample, body=sample.body[:-1] + b',"timestamp":%d}' % when)
            for sample in super().samples()
        ]


class Acme:
    """A provider that keeps all that the seam promises; the broken ones are made of it."""

    NAME = "acme"
    TITLE = "Acme"
    SIGNED = EVERYTHING
    EVENTS = (Event("paid", Kind.PURCHASE, "access"),)
    HEADER = "acme-signature"

    def verify(self, delivery: Delivery, settings: Any, now: datetime) -> signatures.SealedBody:
        keys = signatures.keys(delivery, settings)
        time, _, digest = delivery.headers.get(self.HEADER, "").partition(".")
        try:
            sent_at = datetime.fromtimestamp(int(time), timezone.utc)
            found = bytes.fromhex(digest)
        except ValueError:
            raise WrongSignature from None
        by_previous_key = self.prove([found], self.message(time, delivery.body), keys)
        if not self.in_time(sent_at, now, settings.tolerance):
            raise WrongSignature
        return signatures.SealedBody(delivery.body, by_previous_key, sent_at, ("order",))

    def parse(self, genuine: signatures.SealedBody, zone: tzinfo) -> tuple[Notification, ...]:
        body = genuine.read()
        email = body.address("email")
        notification = Notification(
            key=genuine.key(self.NAME),
            provider=self.NAME,
            kind=Kind.PURCHASE,
            transaction=body.required("order"),
            receipt="",
            occurred_at=genuine.moment,
            buyer=email.lower(),
            email=email,
            product_id=body.required("product"),
            fully_signed=True,
            payload=body.payload(),
        )
        return (notification,)

    def answer(self, status: int, text: str) -> Answer:
        return Answer(status, text)

    def message(self, time: str, body: bytes) -> bytes:
        return time.encode("ascii") + b"." + body

    prove = staticmethod(signatures.prove)
    in_time = staticmethod(signatures.in_time)


class AcmeSample:
    """Makes deliveries up, and signs as a provider does, be it a broken one."""

    KINDS = {"sale": Kind.PURCHASE}
    SETTINGS: Mapping[str, str] = {}

    def __init__(self, provider: Acme) -> None:
        self.provider = provider

    def write(self, request: SampleRequest) -> tuple[bytes, ...]:
        value = {
            "order": request.transaction,
            "product": request.product,
            "email": request.email,
        }
        return (json.dumps(value).encode("ascii"),)

    def sign(self, body: bytes, settings: Any, moment: datetime) -> Delivery:
        time = str(int(moment.timestamp()))
        message = self.provider.message(time, body)
        digest = signatures.sign(settings.secretkey.encode("utf-8"), message).hex()
        return Delivery(body, jsonbody.CONTENT_TYPE, {Acme.HEADER: f"{time}.{digest}"})

    def signatures(self, delivery: Delivery) -> tuple[str, ...]:
        return tuple(delivery.headers.values())


class TestAcme(conformance.ProviderTestCase):
    provider = Acme()
    thorough = EXAMPLES >= 1
    tolerance = 300

    @property
    def maker(self) -> AcmeSample:
        return AcmeSample(self.provider)

    def samples(self) -> Sequence[Sample]:
        return [
            Sample(body.decode("ascii"), body, (Kind.PURCHASE,))
            for body in (SALE, SALE.replace(b"A-1", b"A-2").replace(b"gold", b"silver"))
        ]


class AcceptsAll(Acme):
    def verify(self, delivery, settings, now):
        return signatures.SealedBody(delivery.body, False, now)


class ComparesNothing(Acme):
    @staticmethod
    def prove(digests, message, keys):
        return False


class TakesAnEmptyKey(Acme):
    @staticmethod
    def prove(digests, message, keys):
        try:
            return signatures.prove(digests, message, keys)
        except WrongSignature:
            return signatures.prove(digests, message, (b"", b""))


class ForgetsThePreviousKey(Acme):
    @staticmethod
    def prove(digests, message, keys):
        return signatures.prove(digests, message, (keys[0], b""))


class PrefersThePreviousKey(Acme):
    @staticmethod
    def prove(digests, message, keys):
        return not signatures.prove(digests, message, keys[::-1])


class ReportsNoPreviousKey(Acme):
    @staticmethod
    def prove(digests, message, keys):
        return signatures.prove(digests, message, keys) and False


class IgnoresTheBody(Acme):
    def message(self, time, body):
        return time.encode("ascii")


class SignsTheFirstHalf(Acme):
    def message(self, time, body):
        return super().message(time, body[: len(body) // 2])


class SignsNoTime(Acme):
    def message(self, time, body):
        return body


class TakesAnyAge(Acme):
    @staticmethod
    def in_time(sent_at, now, tolerance):
        return True


class TakesTheFuture(Acme):
    @staticmethod
    def in_time(sent_at, now, tolerance):
        return (now - sent_at).total_seconds() <= tolerance


class Changing(Acme):
    """A provider whose parsed values change afterwards."""

    def changes(self, found: Notification, genuine: signatures.SealedBody) -> dict[str, Any]:
        raise NotImplementedError

    def parse(self, genuine, zone):
        (found,) = super().parse(genuine, zone)
        return (replace(found, **self.changes(found, genuine)),)


class KeyOfTheTime(Changing):
    def changes(self, found, genuine):
        return {"key": idempotency_key("acme", str(genuine.moment), found.transaction)}


class KeyOfTheBuyer(Changing):
    def changes(self, found, genuine):
        return {"key": idempotency_key("acme", found.buyer)}


class RandomKey(Changing):
    def changes(self, found, genuine):
        return {"key": secrets.token_hex(32)}


class TimeOfArrival(Acme):
    def verify(self, delivery, settings, now):
        genuine = super().verify(delivery, settings, now)
        return signatures.SealedBody(genuine.raw, genuine.by_previous_key, now, ("order",))


class NaiveTime(Changing):
    def changes(self, found, genuine):
        return {"occurred_at": found.occurred_at.replace(tzinfo=None)}


class TimeOfAZone(Changing):
    def changes(self, found, genuine):
        zone = timezone(timedelta(hours=2))
        return {"valid_until": found.occurred_at.astimezone(zone)}


class KindAsText(Changing):
    def changes(self, found, genuine):
        return {"kind": "purchase"}


class BuyerAsWritten(Changing):
    def changes(self, found, genuine):
        return {"buyer": found.email}


class NumberAsTransaction(Changing):
    def changes(self, found, genuine):
        return {"transaction": 7}


class NumberAsOrigin(Changing):
    def changes(self, found, genuine):
        return {"external_subscription_id": 7}


class VerdictOfItsOwn(Changing):
    def changes(self, found, genuine):
        return {"validation_result": "perhaps"}


class AnotherKind(Changing):
    def changes(self, found, genuine):
        return {"kind": Kind.RENEWAL}


class KeepsTheSignature(Changing):
    def changes(self, found, genuine):
        mac = signatures.sign(conformance.SECRET_KEY.encode(), b"")
        return {"payload": {"secret": conformance.SECRET_KEY, "mac": mac.hex()}}


class LogsTheSecret(Acme):
    def verify(self, delivery, settings, now):
        logging.getLogger("acme").debug("key %s", settings.secretkey)
        return super().verify(delivery, settings, now)


class PrintsTheBody(Acme):
    def parse(self, genuine, zone):
        print(genuine.raw)
        return super().parse(genuine, zone)


class TellsTheSecret(Acme):
    def verify(self, delivery, settings, now):
        try:
            return super().verify(delivery, settings, now)
        except WrongSignature as error:
            error.args = (f"expected a signature by {settings.secretkey}",)
            raise


class TellsTheAddress(Acme):
    def parse(self, genuine, zone):
        try:
            return super().parse(genuine, zone)
        except DeliveryError:
            raise ParameterInvalid(genuine.raw.decode("utf-8", "replace")) from None


class RaisesWhatItLikes(Acme):
    def parse(self, genuine, zone):
        json.loads(genuine.raw)
        return super().parse(genuine, zone)


class TakesAnyContentType(Acme):
    def verify(self, delivery, settings, now):
        plain = replace(delivery, content_type=jsonbody.CONTENT_TYPE)
        return super().verify(plain, settings, now)


class AnswersAlways200(Acme):
    def answer(self, status, text):
        return Answer(200, text)


class TakesNoParameters(Acme):
    """Of the content type."""

    def verify(self, delivery, settings, now):
        if delivery.content_type not in ("", jsonbody.CONTENT_TYPE):
            raise WrongContentType
        return super().verify(delivery, settings, now)


class NeedsAPlainKey(Acme):
    def verify(self, delivery, settings, now):
        (settings.secretkey or "").encode("ascii")
        return super().verify(delivery, settings, now)


class ReadsAnything(AcceptsAll):
    def parse(self, genuine, zone):
        told = super().parse(signatures.SealedBody(SALE, False, NOW), zone)
        return tuple(replace(found, key=genuine.key("acme")) for found in told)


class CutsTheBody(Acme):
    """A provider that reads a cut body wrongly instead of refusing it."""

    def parse(self, genuine, zone):
        if not genuine.raw.endswith(b"}"):
            return ()
        return super().parse(genuine, zone)


class NamesNoBuyer(Changing):
    def changes(self, found, genuine):
        return {"buyer": "", "email": ""}


class NameOfAnother(Acme):
    NAME = "owner"


class NameOfValidations(Acme):
    NAME = "validation"


class TellsMoreThanItSays(Acme):
    EVENTS = (*Acme.EVENTS, Event("refunded", Kind.REFUND, "access ends"))


class Unsealed(Changing):
    """Only the order is signed, and that is said."""

    SIGNED = frozenset({"transaction"})

    def changes(self, found, genuine):
        parts = (found.transaction, found.buyer, found.product_id)
        return {"key": idempotency_key("acme", *parts), "fully_signed": False}

    def message(self, time, body):
        return time.encode("ascii") + body.partition(b",")[0]


class SealedAllTheSame(Unsealed):
    def changes(self, found, genuine):
        return {**super().changes(found, genuine), "fully_signed": True}


class OneKeyForAllBuyers(Unsealed):
    def changes(self, found, genuine):
        changes = super().changes(found, genuine)
        return {**changes, "key": idempotency_key("acme", found.transaction)}


class UnsignedTransaction(Unsealed):
    def message(self, time, body):
        return time.encode("ascii")


class UnsignedCustomer(Unsealed):
    def changes(self, found, genuine):
        return {**super().changes(found, genuine), "customer_id": found.product_id}


class UnsignedOrigin(Unsealed):
    def changes(self, found, genuine):
        return {**super().changes(found, genuine), "external_subscription_id": found.product_id}


class NothingTies(Unsealed):
    SIGNED = frozenset({"product_id"})


class TestUnsealed(TestAcme):
    """A signature that covers the transaction alone is enough, as long as that is said."""

    provider = Unsealed()


#: Broken providers, and a case that each of them has to fail.
BROKEN = (
    (AcceptsAll, "test_another_key_is_refused"),
    (AcceptsAll, "test_without_a_key_nothing_is_accepted"),
    (AcceptsAll, "test_an_empty_body_is_refused"),
    (AcceptsAll, "test_odd_headers_are_refused"),
    (ComparesNothing, "test_another_key_is_refused"),
    (ComparesNothing, "test_no_change_of_what_is_signed_is_accepted"),
    (ComparesNothing, "test_a_signature_serves_no_other_delivery"),
    (TakesAnEmptyKey, "test_another_key_is_refused"),
    (ForgetsThePreviousKey, "test_the_previous_key_is_accepted_and_told"),
    (PrefersThePreviousKey, "test_the_previous_key_is_accepted_and_told"),
    (ReportsNoPreviousKey, "test_the_previous_key_is_accepted_and_told"),
    (IgnoresTheBody, "test_no_change_of_what_is_signed_is_accepted"),
    (IgnoresTheBody, "test_a_signature_serves_no_other_delivery"),
    (SignsTheFirstHalf, "test_no_change_of_what_is_signed_is_accepted"),
    (SignsNoTime, "test_a_changed_header_is_refused_or_says_the_same"),
    (TakesAnyAge, "test_old_and_future_deliveries_are_refused"),
    (TakesTheFuture, "test_old_and_future_deliveries_are_refused"),
    (KeyOfTheTime, "test_a_repetition_has_the_same_key"),
    (RandomKey, "test_a_repetition_has_the_same_key"),
    (KeyOfTheBuyer, "test_different_notifications_have_different_keys"),
    (KeyOfTheBuyer, "test_every_order_has_the_same_result"),
    (TimeOfArrival, "test_a_delivery_says_the_same_whenever_it_comes"),
    (NaiveTime, "test_notifications_are_as_the_seam_promises"),
    (TimeOfAZone, "test_notifications_are_as_the_seam_promises"),
    (KindAsText, "test_notifications_are_as_the_seam_promises"),
    (BuyerAsWritten, "test_notifications_are_as_the_seam_promises"),
    (NumberAsTransaction, "test_notifications_are_as_the_seam_promises"),
    (NumberAsOrigin, "test_notifications_are_as_the_seam_promises"),
    (VerdictOfItsOwn, "test_notifications_are_as_the_seam_promises"),
    (AnotherKind, "test_genuine_deliveries_are_accepted"),
    (AnotherKind, "test_what_is_made_up_is_taken_for_what_it_is_to_be"),
    (RandomKey, "test_what_is_made_up_has_a_key_of_its_transaction"),
    (AcceptsAll, "test_what_is_made_up_needs_the_key_and_names_its_proof"),
    (KeepsTheSignature, "test_nothing_kept_has_a_secret_in_it"),
    (LogsTheSecret, "test_nothing_is_logged_or_printed"),
    (PrintsTheBody, "test_nothing_is_logged_or_printed"),
    (TellsTheSecret, "test_nothing_told_has_a_secret_or_an_address_in_it"),
    (TellsTheAddress, "test_nothing_told_has_a_secret_or_an_address_in_it"),
    (RaisesWhatItLikes, "test_odd_bodies_that_are_signed_are_read_or_recorded"),
    (RaisesWhatItLikes, "test_changed_bodies_that_are_signed_are_read_or_recorded"),
    (TakesAnyContentType, "test_another_content_type_is_refused"),
    (AnswersAlways200, "test_answers_keep_their_meaning"),
    (TakesNoParameters, "test_parameters_of_the_content_type_do_not_count"),
    (NeedsAPlainKey, "test_a_key_may_have_any_letters"),
    (ReadsAnything, "test_odd_bodies_are_refused"),
    (ReadsAnything, "test_no_header_can_be_missing"),
    (CutsTheBody, "test_signed_bodies_that_end_early_are_read_or_recorded"),
    (NamesNoBuyer, "test_a_payment_names_what_was_bought_and_by_whom"),
    (NameOfAnother, "test_its_name_can_be_that_of_a_page"),
    (NameOfValidations, "test_its_name_can_be_that_of_a_page"),
    (TellsMoreThanItSays, "test_there_is_a_sample_of_each_kind_told"),
    (SealedAllTheSame, "test_sealed_is_only_what_is_signed"),
    (OneKeyForAllBuyers, "test_what_is_not_signed_moves_no_purchase"),
    (UnsignedTransaction, "test_no_change_of_what_is_signed_is_accepted"),
    (UnsignedTransaction, "test_what_is_not_signed_moves_no_purchase"),
    (UnsignedCustomer, "test_what_is_not_signed_moves_no_purchase"),
    (UnsignedOrigin, "test_what_is_not_signed_moves_no_purchase"),
    (NothingTies, "test_what_is_not_signed_moves_no_purchase"),
)


class TestBroken(unittest.TestCase):
    """The kit can fail, and each case for its own reason."""

    def test_each_broken_one_is_caught(self):
        for provider, name in BROKEN:
            with self.subTest(f"{provider.__name__}, {name}"):
                case = type("Case", (TestAcme,), {"provider": provider()})
                result = unittest.TestResult()
                case(name).run(result)
                self.assertFalse(result.wasSuccessful())

    def test_every_case_can_fail(self):
        names = unittest.defaultTestLoader.getTestCaseNames(TestAcme)
        self.assertEqual(set(names), {name for _provider, name in BROKEN})

    def test_cases_that_cannot_run_are_skipped(self):
        class Case(TestAcme):
            maker = None
            tolerance = None
            dated = False

            def deliver(self, body, secret_key, moment):
                return Delivery(body, jsonbody.CONTENT_TYPE)

        for name, samples in (
            ("test_no_header_can_be_missing", None),
            ("test_a_signature_serves_no_other_delivery", None),
            ("test_a_signature_serves_no_other_delivery", []),
            ("test_odd_headers_are_refused", None),
            ("test_what_is_not_signed_moves_no_purchase", None),
            ("test_old_and_future_deliveries_are_refused", None),
            ("test_a_delivery_says_the_same_whenever_it_comes", None),
            ("test_what_is_made_up_has_a_key_of_its_transaction", None),
            ("test_genuine_deliveries_are_accepted", []),
        ):
            with self.subTest(name, samples=samples):
                case, result = Case(name), unittest.TestResult()
                if samples is not None:
                    case.samples = list
                case.run(result)
                self.assertTrue(result.skipped and result.wasSuccessful())

    def test_the_bases_are_skipped(self):
        result = unittest.TestResult()
        conformance.ProviderTestCase("test_genuine_deliveries_are_accepted").run(result)
        self.assertEqual(len(result.skipped), 1)


def _form(
    name: str,
    kind: Kind,
    transaction_type: str = "Sale",
    subscription_status: str = "New",
    c2s_transaction_id: str = "R-1",
    **changes: str,
) -> Sample:
    values = {
        **deliveries.SALE,
        "transaction_type": transaction_type,
        "subscription_status": subscription_status,
        "c2s_transaction_id": c2s_transaction_id,
        **changes,
    }
    return Sample(name, urlencode(values).encode("ascii"), (kind,))


def _state(kind: Kind) -> dict[str, Any]:
    """A subscription of plenigo, as a callback of a kind states it."""
    return {
        "subscriptionId": 29,
        "changedDate": "2026-05-03T10:00:00.250Z",
        "endDate": "2026-06-03T10:00:00Z",
        "cancellationDate": "2026-05-03T10:00:00Z" if kind is Kind.CANCELLATION else None,
        "plenigoOfferId": "O_1",
        "deliveryCustomerId": "100003",
        "status": "INACTIVE" if kind is Kind.EXPIRY else "ACTIVE",
    }


def _callback(
    entity_type: str, callback_type: str, *kinds: Kind, entity_id: str = "29", **entity: Any
) -> Sample:
    value = {"entityType": entity_type, "callbackType": callback_type, "entityId": entity_id}
    body = json.dumps({**value, "entity": entity}).encode("ascii")
    return Sample(f"{entity_type} {callback_type}", body, kinds)


def _event(type_: str, kind: Kind, **about: Any) -> Sample:
    value = {
        "id": f"evt_{type_}_{kind}",
        "type": type_,
        "created": 1777800000,
        "livemode": True,
        "data": {"object": about},
    }
    return Sample(f"{type_} {kind}", json.dumps(value).encode("ascii"), (kind,))


def _webhook(topic: str, *kinds: Kind, **changes: Any) -> Sample:
    data = {
        "subscriptionId": 332,
        "offerId": "S123_US",
        "customerId": 123,
        "customerEmail": "Viewer@Example.org",
        "active": True,
        "expirationDate": "2026-06-03T10:00:00+01:00",
        **changes,
    }
    body = json.dumps({"broadcasterId": 1, "topic": topic, "data": data}).encode("ascii")
    return Sample(f"{topic} {changes.get('result', '')}", body, kinds)
