"""The lock within a process, and what is done under it."""

from niteoweb.click2sell import commit
from niteoweb.click2sell import mail as letters
from niteoweb.click2sell import outbox
from niteoweb.click2sell.tests.base import SiteTestCase
from unittest import mock
from unittest import TestCase

import threading
import time


WAIT = 30


class TestTurns(TestCase):
    def setUp(self):
        self.lock = commit.Turns()
        self.came = []

    def come(self, number):
        """A thread that waits for the lock."""

        def work():
            with self.lock:
                self.came.append(number)

        thread = threading.Thread(target=work)
        before = len(self.lock._waiting)
        thread.start()
        deadline = time.monotonic() + WAIT
        while len(self.lock._waiting) == before and time.monotonic() < deadline:
            time.sleep(0.001)
        return thread

    def test_in_the_order_of_asking(self):
        with self.lock:
            threads = [self.come(number) for number in range(20)]
            self.assertEqual(self.came, [])
        for thread in threads:
            thread.join(WAIT)
        self.assertEqual(self.came, list(range(20)))
        self.assertFalse(self.lock.locked())

    def test_free_again_after_an_error(self):
        with self.assertRaises(ValueError), self.lock:
            self.assertTrue(self.lock.locked())
            raise ValueError
        self.assertFalse(self.lock.locked())
        with self.lock:
            self.assertTrue(self.lock.locked())

    def test_whoever_waits_gets_it_after_an_error(self):
        with self.assertRaises(ValueError), self.lock:
            thread = self.come(1)
            raise ValueError
        thread.join(WAIT)
        self.assertEqual(self.came, [1])
        self.assertFalse(self.lock.locked())


class TestMail(SiteTestCase):
    def test_written_and_noted_under_the_lock_but_sent_without_it(self):
        held = []

        def noting(name, function):
            def work(*arguments):
                held.append((name, commit.lock.locked()))
                return function(*arguments)

            return work

        with (
            mock.patch.object(outbox, "sending", noting("written", outbox.sending)),
            mock.patch.object(letters, "send", noting("sent", lambda _message: None)),
            mock.patch.object(outbox, "sent", noting("noted", outbox.sent)),
        ):
            self.settings(welcome_mail="link")
            self.registry(email_from_address="site@example.net")
            self.buy()
        self.assertEqual(held, [("written", True), ("sent", False), ("noted", True)])
