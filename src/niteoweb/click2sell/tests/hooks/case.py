"""A site with a receiver of outgoing hooks beside it."""

from niteoweb.click2sell.hooks import delivery
from niteoweb.click2sell.hooks import events
from niteoweb.click2sell.hooks import outbox
from niteoweb.click2sell.hooks import receivers
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.storage import writer
from niteoweb.click2sell.tests.cases.erasure import ErasureTestCase
from niteoweb.click2sell.tests.cases.receiver import Receiver
from niteoweb.click2sell.tests.cases.receiver import SECRET
from unittest import mock

import os
import transaction


class HooksTestCase(ErasureTestCase):
    """A site with a receiver of all events."""

    def setUp(self):
        super().setUp()
        self.enterContext(mock.patch.dict(os.environ, {jsonapi.INSECURE_VARIABLE: "1"}))
        self.settings(site_address=self.portal.absolute_url())
        self.receiver = self.enterContext(Receiver())
        self.id = self.add(self.receiver.url)

    def tearDown(self):
        self.assertEqual(self.receiver.failures, [])
        super().tearDown()

    def add(self, url, wanted=events.CHOICES):
        return writer.run(lambda site: receivers.add(site, url, SECRET, wanted, self.now)["id"])

    def send(self):
        transaction.begin()
        more = delivery.send_due()
        transaction.begin()
        return more

    def remove(self, id_):
        writer.run(lambda site: outbox.remove(site, receivers.find(site, id_)))

    def record(self, id_=None):
        transaction.begin()
        return receivers.find(self.portal, id_ or self.id)

    def waiting(self, id_=None):
        transaction.begin()
        return outbox.waiting(self.portal, id_ or self.id)

    def given_up(self):
        transaction.begin()
        return outbox.given_up(self.portal, self.id)
