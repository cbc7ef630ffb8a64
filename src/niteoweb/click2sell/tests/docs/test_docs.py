"""The documentation tells the truth: what it shows is sent to a site and run.

``CLICK2SELL_RECORD=1 bin/test -m test_docs`` records the HTTP exchanges anew.
"""

from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.providers.click2sell.protocol import sign
from niteoweb.click2sell.tests.cases import recording
from niteoweb.click2sell.tests.cases.documentation import DOCS
from niteoweb.click2sell.tests.cases.documentation import DocsHTTPTestCase
from niteoweb.click2sell.tests.cases.documentation import form
from niteoweb.click2sell.tests.cases.documentation import with_docs
from plone import api
from plone.testing.zca import stackConfigurationContext
from unittest import mock
from zope.component import getGlobalSiteManager
from zope.component.hooks import setSite
from zope.configuration import xmlconfig

import re
import sys
import transaction


#: What product 1 gives, and what every product gives.
GROUPS = {"basic-members", "click2sell"}


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
        self.assertEqual(ledger.count(self.portal, outcome=Outcome.ACCEPTED), 1)
        self.assertIn("basic-members", api.user.get(userid="john@example.com").getGroups())
