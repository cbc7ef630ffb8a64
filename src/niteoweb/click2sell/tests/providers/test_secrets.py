"""No secret beside the parameters of a true delivery is kept or shown, for every provider."""

from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import sample
from niteoweb.click2sell.tests.cases.services import ServiceTestCase
from niteoweb.click2sell.tests.cases.services import SITE_ADMINISTRATOR
from unittest import mock
from urllib.parse import urlencode

import json
import logging
import requests
import transaction


KEY = "a secret key of twenty signs"
OTHERS = {
    "secretkey": "SECRET-of-an-old-example",
    "Password": "PASSWORD-of-somebody",
    "api_token": "TOKEN-of-an-api",
    "Signature": "SIGNATURE-of-it",
}
EMAIL = "jane@example.org"


class TestSecrets(ServiceTestCase):
    def setUp(self):
        super().setUp()
        self.settings(site_address=self.portal.absolute_url())

    def tampered(self, body, broken):
        """A body with secrets under their own names, under others, and deep inside."""
        more = {**OTHERS, "note": KEY, "custom": f"key={KEY}", "again": OTHERS["api_token"]}
        if not body.startswith(b"{"):
            twice = "&buyer_email=again" if broken else ""
            return (
                body + f"&{urlencode({**more, KEY: 'x', 'buyer_surname': KEY})}{twice}".encode()
            )
        if broken:
            body = body.replace(EMAIL.encode(), b"no address")
        deep = {"list": [{"inner": {**more, KEY: "x"}}], "signature": {"v1": OTHERS}}
        return json.dumps({**json.loads(body), **more, "deep": deep}).encode()

    def delivered(self, provider, kind, broken):
        """Deliver a sample, with secrets in it.

        :returns: the entry.
        """
        stored = registry.settings(provider)
        stored.secretkey = KEY
        for name, value in provider.sample.SETTINGS.items():
            setattr(stored, name, value)
        if "enabled" in provider.schema:
            stored.enabled = True
        transaction.commit()
        request = sample.SampleRequest(
            kind, "1", EMAIL, f"T-{kind}-{broken}", self.now, first_name="Jane"
        )
        body = self.tampered(provider.sample.write(request)[-1], broken)
        delivery = provider.sample.sign(body, stored, self.now)
        requests.post(
            f"{self.portal.absolute_url()}/@@{provider.callback}",
            data=delivery.body,
            headers={**delivery.headers, "Content-Type": delivery.content_type},
            timeout=30,
        )
        transaction.begin()
        return ledger.get(self.portal, self.key())

    def shown(self, key):
        """All that is told of an entry."""
        here = self.portal.absolute_url()
        yield repr(self.dump())
        yield self.get(f"/{key}").text
        for page in (
            f"@@click2sell-notifications/{key}",
            f"@@click2sell-privacy?address={EMAIL}",
            f"@click2sell-privacy?address={EMAIL}",
            "@@click2sell-notifications.csv",
        ):
            yield requests.get(f"{here}/{page}", auth=SITE_ADMINISTRATOR, timeout=30).text

    def test_no_secret_is_kept(self):
        providers = [one for one in registry.registered() if one.sample is not None]
        self.assertGreater(len(providers), 2)
        with mock.patch.object(logging.Logger, "handle") as logged:
            for provider in providers:
                kind = next(iter(provider.sample.KINDS))
                for broken in (False, True):
                    with self.subTest(provider.name, broken=broken):
                        entry = self.delivered(provider, kind, broken)
                        self.assertEqual(entry["provider"], provider.name)
                        self.assertTrue(entry["payload"])
                        for text in self.shown(entry["key"]):
                            for secret in (KEY, *OTHERS.values()):
                                self.assertNotIn(secret, text)
            lines = [call.args[0].getMessage() for call in logged.call_args_list]
            for secret in (KEY, *OTHERS.values()):
                self.assertNotIn(secret, "\n".join(lines))
