"""The signed hook: Standard Webhooks, proved with the library of the specification."""

from collections.abc import Sequence
from contextlib import redirect_stdout
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from decimal import Decimal
from io import StringIO
from jsonschema import Draft202012Validator
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.command import notify
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterInvalid
from niteoweb.click2sell.notification import ParameterMissing
from niteoweb.click2sell.notification import WrongSignature
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import SampleRequest
from niteoweb.click2sell.provider import standardhook
from niteoweb.click2sell.providers.hook import protocol
from niteoweb.click2sell.providers.hook import sample
from niteoweb.click2sell.providers.hook.provider import PROVIDER
from niteoweb.click2sell.testing import conformance
from niteoweb.click2sell.testing.conformance import Sample
from niteoweb.click2sell.tests.cases import EXAMPLES
from niteoweb.click2sell.tests.cases.layers import SHOP_HTTP
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from pathlib import Path
from standardwebhooks import Webhook
from standardwebhooks import WebhookVerificationError
from types import SimpleNamespace
from typing import Any
from unittest import mock

import json
import os
import re
import requests
import subprocess
import transaction
import unittest


NOW = datetime(2026, 5, 3, 12, tzinfo=timezone.utc)
#: Of the specification's own examples.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
DOCS = Path(__file__).parents[5] / "docs" / "hook.rst"


def hook(type_: str = "purchase", **changes: Any) -> dict[str, Any]:
    data = {"transaction": "T-1", "email": "Jane@example.org", "product": "gold"}
    data |= {"name": "Jane Anne Doe", "amount": "9.90", "currency": "EUR"}
    data = {name: value for name, value in {**data, **changes}.items() if value is not None}
    return {"type": type_, "timestamp": NOW.isoformat(), "data": data}


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode("ascii")


class TestConformance(conformance.ProviderTestCase):
    provider = protocol
    maker = sample
    now = NOW
    tolerance = 300
    thorough = EXAMPLES > 1

    def samples(self) -> Sequence[Sample]:
        return [
            Sample(name, encoded(hook(name)), (kind,)) for name, kind in protocol.TYPES.items()
        ]


class TestSignature(unittest.TestCase):
    def settings(self, **changes: Any) -> SimpleNamespace:
        values = {"secretkey": SECRET, "previous_secretkey": None, "tolerance": 300}
        return SimpleNamespace(**{**values, **changes})

    def test_the_vector_of_the_specification(self):
        signed = standardhook.sign(
            SECRET,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1614265330,
            b'{"test": 2432232314}',
        )
        self.assertEqual(
            signed["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        )

    def test_the_library_signs_for_us_and_reads_ours(self):
        body = encoded(hook())
        now = timestamps.now().replace(microsecond=0)
        theirs = Webhook(SECRET).sign("msg_1", now, body.decode())
        headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(now.timestamp()))}
        delivery = Delivery(
            body, "application/json", {**headers, "webhook-signature": f"v1a,x {theirs}"}
        )
        self.assertFalse(protocol.verify(delivery, self.settings(), now).by_previous_key)
        real_now = datetime.now(timezone.utc)
        ours = standardhook.sign(SECRET, "msg_1", int(real_now.timestamp()), body)
        with mock.patch("standardwebhooks.webhooks.datetime", wraps=datetime) as clock:
            clock.now.return_value = real_now
            self.assertEqual(Webhook(SECRET).verify(body, ours), hook())
            with self.assertRaises(WebhookVerificationError):
                Webhook(SECRET).verify(body + b" ", ours)

    def test_during_a_rotation_either_key_proves_it(self):
        body = encoded(hook())
        old = standardhook.sign("whsec_b2xkIGtleQ==", "msg_1", int(NOW.timestamp()), body)
        new = standardhook.sign(SECRET, "msg_1", int(NOW.timestamp()), body)
        both = f"{old['webhook-signature']} {new['webhook-signature']}"
        delivery = Delivery(body, "application/json", {**new, "webhook-signature": both})
        self.assertFalse(protocol.verify(delivery, self.settings(), NOW).by_previous_key)
        delivery = Delivery(body, "application/json", old)
        settings = self.settings(previous_secretkey="whsec_b2xkIGtleQ==")
        self.assertTrue(protocol.verify(delivery, settings, NOW).by_previous_key)
        with self.assertRaises(WrongSignature):
            protocol.verify(delivery, self.settings(), NOW)

    def test_ids_and_times_have_one_way_of_being_written(self):
        body = encoded(hook())
        time = int(NOW.timestamp())
        for id_, shown in (
            ("", str(time)),
            ("a.b", str(time)),
            ("a", f"0{time}"),
            ("a", "1e9"),
        ):
            with self.subTest(id_, time=shown), self.assertRaises(WrongSignature):
                headers = standardhook.sign(SECRET, id_, time, body)
                headers["webhook-timestamp"] = shown
                delivery = Delivery(body, "application/json", headers)
                protocol.verify(delivery, self.settings(), NOW)


class TestMeaning(unittest.TestCase):
    def parsed(self, value: Any, id_: str = "msg_1") -> Notification:
        genuine = protocol.VerifiedHook(encoded(value), False, NOW, (), id=id_)
        (found,) = protocol.parse(genuine, timezone.utc)
        return found

    def test_a_purchase(self):
        found = self.parsed(hook(valid_until="2027-05-03T12:00:00Z", receipt=17, colour="red"))
        self.assertEqual((found.buyer, found.email), ("jane@example.org", "Jane@example.org"))
        self.assertEqual((found.first_name, found.last_name), ("Jane Anne", "Doe"))
        self.assertEqual((found.amount, found.currency), (Decimal("9.90"), "EUR"))
        self.assertEqual((found.receipt, found.payload["data.colour"]), ("17", "red"))
        self.assertEqual(found.valid_until, NOW + timedelta(days=365))
        self.assertFalse(found.subscription)
        self.assertTrue(self.parsed(hook(subscription=True)).subscription)

    def test_what_is_missing_is_named(self):
        for value, name in (
            ({**hook(), "type": ""}, "type"),
            ({**hook(), "timestamp": None}, "timestamp"),
            (hook(transaction=None), "data.transaction"),
            (hook(product=None), "data.product"),
            (hook(email=None), "data.email"),
        ):
            with self.subTest(name), self.assertRaises(ParameterMissing) as caught:
                self.parsed(value)
            self.assertEqual(caught.exception.parameter, name)

    def test_what_is_wrong_is_named(self):
        for value, name in (
            ({**hook(), "type": "gift"}, "type"),
            (hook(amount="9,90"), "data.amount"),
            (hook(amount=-1), "data.amount"),
            (hook(currency="eur"), "data.currency"),
            (hook(valid_until="tomorrow"), "data.valid_until"),
            (hook(email="Jane"), "data.email"),
        ):
            with self.subTest(name), self.assertRaises(ParameterInvalid) as caught:
                self.parsed(value)
            self.assertEqual(caught.exception.parameter, name)

    def test_another_body_under_an_id_that_was_used_is_another_hook(self):
        self.assertEqual(self.parsed(hook()).key, self.parsed(hook()).key)
        self.assertNotEqual(self.parsed(hook()).key, self.parsed(hook(transaction="T-2")).key)
        self.assertNotEqual(self.parsed(hook()).key, self.parsed(hook(), "msg_2").key)

    def test_the_schema_says_the_same(self):
        Draft202012Validator.check_schema(protocol.SCHEMA)
        schema = Draft202012Validator(protocol.SCHEMA)
        for kind in sample.KINDS:
            request = SampleRequest(kind, "gold", "jane@example.org", "T-1", NOW)
            (body,) = sample.write(request)
            schema.validate(json.loads(body))
        for value in ({}, hook(transaction=None), hook(email=None), hook(currency="eur")):
            self.assertFalse(schema.is_valid(value))
        for type_ in protocol.TYPES:
            with self.subTest(type_):
                nameless = hook(type_, product=None)
                try:
                    self.parsed(nameless)
                    is_read = True
                except ParameterMissing:
                    is_read = False
                self.assertEqual(schema.is_valid(nameless), is_read)


class TestSite(SiteTestCase):
    layer = SHOP_HTTP

    def setUp(self):
        super().setUp()
        self.site_url = f"http://{self.layer['host']}:{self.layer['port']}/plone"
        self.url = f"{self.site_url}/@@purchase-hook"
        settings = registry.settings(PROVIDER)
        settings.enabled, settings.secretkey = True, SECRET
        settings.mapping = ["gold|premium"]
        # A shell has the true time, and the tests have another.
        settings.tolerance = 0
        transaction.commit()

    def test_what_the_documentation_sends(self):
        text = DOCS.read_text("utf-8")
        block = re.search(r"\.\. code-block:: bash\n\n((?:   .*\n|\n)*)", text)
        lines = "\n".join(line[3:] for line in block[1].splitlines())
        lines = lines.replace("https://www.example.org/@@purchase-hook", self.url)
        lines = re.sub(r"secret=whsec_\S+", f"secret={SECRET}", lines)
        lines = re.sub(r"\$\(date -u [^)]*\)", self.now.isoformat(), lines)
        done = subprocess.run(
            ["bash", "-euc", lines],
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertIn("POST successfully parsed.", done.stdout, done.stderr)
        transaction.begin()
        member = self.portal.portal_membership.getMemberById("jane@example.org")
        self.assertIn("premium", member.getGroups())
        (key,) = ledger.newest_first(self.portal)
        entry = ledger.get(self.portal, key)
        self.assertEqual((entry["provider"], entry["amount"]), ("hook", "9.90"))

    def test_the_command_sends_one(self):
        out = StringIO()
        with mock.patch.dict(os.environ, CLICK2SELL_SECRET_KEY=SECRET), redirect_stdout(out):
            status = notify.main(
                [
                    "--provider",
                    "hook",
                    "--product",
                    "gold",
                    "--email",
                    "joe@example.org",
                    self.site_url,
                ]
            )
        self.assertEqual(status, 0, out.getvalue())

    def test_the_schema_is_there_as_long_as_hooks_are_taken_in(self):
        answer = requests.get(f"{self.url}/schema", timeout=60)
        self.assertEqual((answer.status_code, answer.json()), (200, protocol.SCHEMA))
        self.assertEqual(requests.post(f"{self.url}/schema", timeout=60).status_code, 405)
        self.assertEqual(requests.get(f"{self.url}/other", timeout=60).status_code, 404)
        self.assertEqual(requests.get(self.url, timeout=60).status_code, 405)
        registry.settings(PROVIDER).enabled = False
        transaction.commit()
        self.assertEqual(requests.get(f"{self.url}/schema", timeout=60).status_code, 404)
        self.assertEqual(requests.post(self.url, b"{}", timeout=60).status_code, 404)
