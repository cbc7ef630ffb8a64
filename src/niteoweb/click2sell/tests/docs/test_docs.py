"""The documentation tells the truth: what it shows is sent to a site and run.

``CLICK2SELL_RECORD=1 bin/test -m test_docs`` records the HTTP exchanges anew.
"""

from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.providers.click2sell.protocol import sign
from niteoweb.click2sell.testing.layers import HTTP
from niteoweb.click2sell.tests import recording
from pathlib import Path
from plone import api
from plone.testing.zca import stackConfigurationContext
from Products.SiteAccess.VirtualHostMonster import manage_addVirtualHostMonster
from unittest import mock
from urllib.parse import urlencode
from zope.component import getGlobalSiteManager
from zope.component.hooks import setSite
from zope.configuration import xmlconfig

import re
import sys
import transaction
import unittest


DOCS = Path(__file__).resolve().parents[5] / "docs"
#: The documentation prints it, so that the checksums can be computed by its readers.
SECRET_KEY = "an example of a secret key"
SALE = {
    "acquirer_transaction_id": "T-1001",
    "c2s_transaction_id": "R-2001",
    "transaction_type": "Sale",
    "payment_status": "OK",
    "purchase_date": "2025-03-01",
    "purchase_time": "10:20:30",
    "buyer_email": "john@example.com",
    "buyer_name": "John",
    "buyer_surname": "Smith",
    "buyer_country": "Slovenia",
    "product_id": "1",
    "product_name": "Basic membership",
    "product_price": "9.90 EUR",
    "affiliate_username": "partner",
}

#: What product 1 gives, and what every product gives.
GROUPS = {"basic-members", "click2sell"}

with_docs = unittest.skipUnless(
    (DOCS / "index.rst").is_file(), "the documentation is not part of an installed package"
)


def form(**changes: str | None) -> bytes:
    """The body of a signed sale; None takes a parameter away."""
    values = {**SALE, **changes}
    values.setdefault("checksum", sign(SECRET_KEY, values["acquirer_transaction_id"]))
    sent = {name: value for name, value in values.items() if value is not None}
    return urlencode(sent, safe="@").encode("ascii")


def pages() -> dict[str, str]:
    """The pages of the documentation."""
    return {path.name: path.read_text("utf-8") for path in DOCS.glob("*.rst")}


class DocsHTTPTestCase(unittest.TestCase):
    """A site with a group, a mapping and a key; nothing is mailed."""

    layer = HTTP
    maxDiff = None

    def setUp(self):
        self.portal = self.layer["portal"]
        manage_addVirtualHostMonster(self.layer["app"], "virtual_hosting")
        api.group.create(groupname="basic-members")
        settings = plone_site.settings()
        settings.secretkey = SECRET_KEY
        settings.mapping = ["1|basic-members"]
        settings.welcome_mail = "none"
        transaction.commit()

    def send(self, request: str) -> str:
        """Send a request and return the answer."""
        address = (self.layer["host"], self.layer["port"])
        answer = recording.exchange(address, request)
        transaction.begin()
        return answer

    def post(self, body: bytes) -> str:
        return self.send(recording.request_text("POST", "/@@click2sell", body))

    def compare(self, status: int, request: str) -> str:
        """Make the exchange that the test is named after, and return the answer.

        ``test_NAME`` makes ``NAME-request.http`` and ``NAME-answer.http``.
        """
        name = self.id().rpartition(".test_")[2].replace("_", "-")
        answer = self.send(request)
        self.assertIn(f" {status} ", answer.partition("\r\n")[0], answer)
        for part, text in (("request", request), ("answer", answer)):
            recorded, shown = recording.differences(f"{name}-{part}", recording.readable(text))
            self.assertEqual(recorded, shown)
        return answer


@with_docs
class TestExchanges(DocsHTTPTestCase):
    """A test for each recorded exchange with the callback."""

    def record(self, status: int, body: bytes = b"", method: str = "POST", **kwargs) -> None:
        """Make the exchange that the test is named after."""
        self.compare(status, recording.request_text(method, "/@@click2sell", body, **kwargs))

    def test_sale(self):
        self.record(200, form())
        member = api.user.get(userid="john@example.com")
        self.assertEqual(member.getProperty("fullname"), "John Smith")
        self.assertIn("basic-members", member.getGroups())

    def test_delivered_again(self):
        self.assertIn(" 200 ", self.post(form()))
        self.record(200, form())
        self.assertEqual(ledger.count(self.portal), 1)

    def test_refund(self):
        self.post(form())
        self.record(
            200,
            form(
                transaction_type="Refund",
                purchase_date="2025-03-09",
                c2s_transaction_id="R-2002",
            ),
        )
        member = api.user.get(userid="john@example.com")
        self.assertNotIn("basic-members", member.getGroups())

    def test_another_buyer(self):
        self.post(form())
        self.record(409, form(buyer_email="mallory@example.com"))
        self.assertIsNone(api.user.get(userid="mallory@example.com"))

    def test_wrong_signature(self):
        self.record(403, form(checksum=sign("another key", "T-1001")))
        self.assertEqual(ledger.count(self.portal), 0)

    def test_wrong_network(self):
        plone_site.settings().allowed_networks = ["192.0.2.0/24"]
        transaction.commit()
        self.record(403, form())
        self.assertEqual(ledger.count(self.portal), 0)

    def test_missing_parameter(self):
        self.record(400, form(buyer_email=None))

    def test_malformed_parameter(self):
        self.record(400, form(purchase_date="1 March"))

    def test_not_configured(self):
        plone_site.settings().secretkey = None
        transaction.commit()
        self.record(503, form())

    def test_get(self):
        self.record(405, method="GET")

    def test_empty(self):
        self.record(400)

    def test_wrong_content_type(self):
        self.record(415, b'{"product_id": "1"}', content_type="application/json")


@with_docs
class TestReadme(DocsHTTPTestCase):
    """The line to try on the demo's site, whose key is ``secret``."""

    def test_the_curl_line(self):
        plone_site.settings().secretkey = "secret"
        transaction.commit()
        readme = (DOCS.parent / "README.rst").read_text("utf-8")
        ((body, url),) = re.findall(r'curl -d "([^"]+)" (\S+)', readme)
        self.assertTrue(url.endswith("/@@click2sell"), url)
        answer = self.post(body.encode("ascii"))
        self.assertTrue(answer.endswith("\r\n\r\nPOST successfully parsed."), answer)
        member = api.user.get(userid="test@example.org")
        self.assertEqual(set(member.getGroups()) & GROUPS, GROUPS)


@with_docs
class TestSubscriberExample(DocsHTTPTestCase):
    """The package that the page on events shows."""

    def setUp(self):
        super().setUp()
        path = mock.patch.object(sys, "path", [str(DOCS / "examples"), *sys.path])
        path.start()
        self.addCleanup(path.stop)
        self.addCleanup(self.forget)
        import mysite

        # As at the start of Zope: for all sites, and so not in the database of this one.
        setSite(None)
        context = stackConfigurationContext(self.layer["configurationContext"])
        xmlconfig.file("subscribers.zcml", mysite, context=context)
        setSite(self.portal)
        for name in ("loyal-members", "former-members"):
            api.group.create(groupname=name)
        transaction.commit()

    def forget(self):
        from mysite import purchases

        for handler in (
            purchases.remember_country,
            purchases.thank_subscriber,
            purchases.welcome_back,
            purchases.remember_former_member,
        ):
            self.assertTrue(getGlobalSiteManager().unregisterHandler(handler))
        for name in ("mysite.purchases", "mysite"):
            del sys.modules[name]

    def test_a_sale_and_a_renewal(self):
        self.post(form(transaction_type="Subscription", subscription_status="New"))
        member = api.user.get(userid="john@example.com")
        self.assertEqual(member.getProperty("location"), "Slovenia")
        self.assertNotIn("loyal-members", member.getGroups())
        self.post(
            form(
                transaction_type="Subscription",
                subscription_status="Recurring",
                purchase_date="2025-04-01",
                buyer_country="Austria",
            )
        )
        member = api.user.get(userid="john@example.com")
        self.assertIn("loyal-members", member.getGroups())
        self.assertEqual(member.getProperty("location"), "Slovenia")
        # What a subscriber gives counts as given by hand.
        record = buyers.of_user(self.portal, "john@example.com")
        self.assertNotIn("loyal-members", record["grants"])

    def test_access_that_ends_and_begins_again(self):
        user_id = "john@example.com"
        self.post(form())
        self.assertNotIn("former-members", api.user.get(userid=user_id).getGroups())
        self.post(form(transaction_type="Refund", purchase_date="2025-03-09"))
        groups = api.user.get(userid=user_id).getGroups()
        self.assertIn("former-members", groups)
        self.assertNotIn("basic-members", groups)
        self.post(form(acquirer_transaction_id="T-1002", purchase_date="2025-04-01"))
        groups = api.user.get(userid=user_id).getGroups()
        self.assertNotIn("former-members", groups)
        self.assertIn("basic-members", groups)

    def test_a_subscriber_that_fails_loses_no_purchase(self):
        with mock.patch("plone.api.user.get", side_effect=KeyError("john")) as get:
            answer = self.post(form())
        get.assert_called()
        self.assertIn(" 200 ", answer)
        self.assertEqual(ledger.count(self.portal, "outcome", ledger.ACCEPTED), 1)
        self.assertIn("basic-members", api.user.get(userid="john@example.com").getGroups())
