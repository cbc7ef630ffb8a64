"""A callback over real HTTP, and without a publisher around it."""

from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.browser import callback
from niteoweb.click2sell.interfaces import IClick2SellLayer
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import rejections
from niteoweb.click2sell.providers.click2sell.protocol import CONTENT_TYPE
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.testing.layers import HTTP
from niteoweb.click2sell.tests.cases import deliveries
from niteoweb.click2sell.tests.cases.sweeps import SweepTestCase
from plone import api
from unittest import mock
from zope.interface import alsoProvides

import io
import requests
import transaction
import unittest


FORM = "application/x-www-form-urlencoded"


PARSED = "POST successfully parsed."


class CallbackTestCase(unittest.TestCase):
    layer = HTTP

    def setUp(self):
        self.portal = self.layer["portal"]
        self.url = f"http://{self.layer['host']}:{self.layer['port']}/plone/@@click2sell"
        settings = plone_site.settings()
        settings.secretkey = deliveries.SECRET_KEY
        settings.welcome_mail = "none"
        transaction.commit()

    def post(self, body, content_type=FORM, method="POST", headers=None, **kwargs):
        given = {"Content-Type": content_type} if content_type else {}
        return requests.request(
            method,
            kwargs.pop("url", self.url),
            data=body,
            headers={**given, **(headers or {})},
            timeout=30,
            **kwargs,
        )

    def sell(self, **changes):
        return self.post(deliveries.body(**changes))

    def recorded(self):
        transaction.begin()
        return len(trees.tree(self.portal, "entries"))

    def entries(self):
        """The entries as plain values, in the order of their arrival."""
        transaction.begin()
        found = [dict(ledger.get(self.portal, key)) for key in ledger.newest_first(self.portal)]
        return found[::-1]

    def member(self, user_id="john@example.org"):
        transaction.begin()
        return self.portal.portal_membership.getMemberById(user_id)

    def members(self):
        transaction.begin()
        return set(self.portal.acl_users.source_users.getUserIds())

    def assert_answer(self, response, status, text):
        self.assertEqual((response.status_code, response.text), (status, text))
        self.assertEqual(response.headers["Content-Type"], "text/plain; charset=utf-8")
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual("Retry-After" in response.headers, status == 503)
        self.assertEqual("Allow" in response.headers, status == 405)

    def assert_try_later(self, response):
        self.assert_answer(response, 503, "Try again later.")
        self.assertEqual(response.headers["Retry-After"], str(callback.RETRY_AFTER))

    def assert_outcomes(self, *outcomes):
        self.assertEqual([(e["outcome"], e["reason"]) for e in self.entries()], list(outcomes))


MANY = 10_000
#: The counter of wrong signatures.
FORGED = rejections.of("click2sell")


class ForgeryTestCase(SweepTestCase):
    """A clock of its own for the counters."""

    def setUp(self):
        super().setUp()
        self.seconds = 1000.0
        clock = mock.patch.object(rejections.time, "monotonic", lambda: self.seconds)
        clock.start()
        self.addCleanup(clock.stop)

    def deliver(self, body):
        """The callback's answer, without a publisher around it."""
        request = self.layer["request"].clone()
        request.method = "POST"
        request.environ["CONTENT_TYPE"] = CONTENT_TYPE
        request.other["BODYFILE"] = io.BytesIO(body)
        alsoProvides(request, IClick2SellLayer)
        transaction.begin()
        text = api.content.get_view("click2sell", self.portal, request)()
        # As the publisher does at the end.
        transaction.commit()
        return request.response.getStatus(), text

    def remarks(self, why=FORGED):
        """The log records about deliveries that were turned away."""
        transaction.begin()
        found = trees.tree(self.portal, "remarks")
        return found.get(why, 0), found.get(f"{why}_samples", ())
