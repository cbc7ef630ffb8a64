"""The background threads of a process, beside the thread of a test."""

from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.mail import delivery
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.provisioning import claiming
from niteoweb.click2sell.provisioning import enrichment
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.tests.cases.mail import MailTestCase
from niteoweb.click2sell.worker import threads
from niteoweb.click2sell.worker import turns
from unittest import mock

import os
import signal
import time
import transaction


#: The ways out of a request, which other tests replace.
MAIL, QUESTIONS = delivery.hand_over, enrichment.hand_over
CLAIMS = claiming.hand_over

#: Many times what it takes, since machines can be slow.
SECONDS = 60


class ThreadsMixin:
    """Threads run while a test runs, and are quick to look again."""

    def begin(self, reached=True, switched_off=False, **constants):
        """Begin the threads of this process, as Zope does."""
        for name, value in {"POLL": 0.2, "AWAY": 0.2, **constants}.items():
            module = threads if hasattr(threads, name) else turns
            self.enterContext(mock.patch.object(module, name, value))
        self.enterContext(mock.patch.object(delivery, "hand_over", MAIL))
        self.enterContext(mock.patch.object(enrichment, "hand_over", QUESTIONS))
        self.enterContext(mock.patch.object(claiming, "hand_over", CLAIMS))
        self.enterContext(mock.patch.dict(plone_site._reached, clear=True))
        database = self.portal._p_jar.db()
        self.enterContext(mock.patch.object(threads.Zope2, "DB", database, create=True))
        if os.environ.get("CLICK2SELL_BACKGROUND") == "0" and not switched_off:
            self.enterContext(mock.patch.dict(os.environ, CLICK2SELL_BACKGROUND=""))
        if reached:
            plone_site.note_reached(None)
        background.stop_expecting()
        # The handler of the signal is for processes that serve.
        before = signal.getsignal(signal.SIGTERM)
        threads.begin()
        signal.signal(signal.SIGTERM, before)
        self.addCleanup(threads.end, SECONDS)

    def wait_until(self, condition):
        """Wait until something is true, in a database that others write."""
        until = time.monotonic() + SECONDS
        while not condition():
            if time.monotonic() > until:
                self.fail("It took too long.")
            time.sleep(0.02)
            transaction.begin()
        transaction.begin()


class ThreadsTestCase(ThreadsMixin, MailTestCase):
    def states(self):
        return [mail["state"] for mail in self.mails()]

    def wait_for_mail(self, number=1):
        self.wait_until(lambda: self.states() == [outbox.SENT] * number)
        self.assertEqual(len(self.server.messages), number)
