"""Mail of a served site, over real SMTP: servers that were away, processes that end.

Nobody sweeps: the background thread of the process sends.
"""

from collections.abc import Callable
from datetime import datetime
from datetime import timezone
from niteoweb.click2sell.tests.cases.deliveries import about
from niteoweb.click2sell.tests.cases.smtpserver import ScriptedServer
from niteoweb.click2sell.tests.proof.onsite import in_threads
from niteoweb.click2sell.tests.proof.onsite import Place
from niteoweb.click2sell.tests.proof.onsite import post
from niteoweb.click2sell.tests.proof.onsite import Served
from threading import Event

import os
import signal
import time
import unittest


#: Seconds after which a mail has come, once its mail server is back.
WITHIN = 60
LOGIN = {"EHLO": b"250-localhost\r\n250 AUTH PLAIN\r\n"}


class MailCase(unittest.TestCase):
    def setUp(self):
        self.postbox = self.layer.postbox
        self.postbox.messages.clear()
        self.addCleanup(setattr, self.postbox, "seconds", 0.0)
        self.now = datetime.now(timezone.utc).replace(microsecond=0)

    def wait_until(self, ready: Callable[[], object], seconds: float = WITHIN) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)


class TestMailServerIsBack(MailCase):
    """It was away, and is there again at the same port: the welcome mail comes, once."""

    layer = Served("MailServerIsBack")

    def setUp(self):
        super().setUp()
        self.server = self.layer.server
        self._logged = len(self.server.log)

    def buy(self, buyer: str) -> None:
        answer = post(self.server.port, about(buyer, "1", self.now))
        self.assertEqual(answer, (200, "POST successfully parsed."))

    def wait_for_error(self, error: str) -> None:
        self.wait_until(lambda: f"was not sent: {error}" in self.server.log[self._logged :])

    def assert_comes_once(self, *buyers: str) -> None:
        addresses = [f"{buyer}@example.org" for buyer in buyers]
        self.postbox.wait_for(*addresses, seconds=WITHIN)
        self.server.wait_for_mails()
        self.assertEqual(self.postbox.recipients(), dict.fromkeys(addresses, 1))
        self.assertEqual(len(self.postbox.messages), len(addresses))

    def test_stopped(self):
        self.postbox.stop()
        try:
            self.buy("stopped")
            self.wait_for_error("ConnectionRefusedError")
        finally:
            self.postbox.start()
        self.assert_comes_once("stopped")

    def test_hanging(self):
        self.postbox.stop()
        try:
            with ScriptedServer(ScriptedServer.hang, port=self.postbox.port):
                self.buy("hanging")
                # It did not wait for the time limit, for which this is smtplib's word.
                self.assertNotIn("was not sent", self.server.log[self._logged :])
                self.wait_for_error("SMTPServerDisconnected")
        finally:
            self.postbox.start()
        self.assert_comes_once("hanging")

    def test_refusing_the_login(self):
        """A refused login is tried after half a minute, and seldom then: it is back by then."""
        port = self.postbox.port
        self.server.ask(f"@@proof-mail-server?port={port}&login=shop")
        self.addCleanup(self.layer.tell_mail_port, self.server)
        self.postbox.stop()
        try:
            with ScriptedServer(port=port, AUTH=b"535 no\r\n", **LOGIN):
                self.buy("login")
                self.wait_for_error("SMTPAuthenticationError 535")
            with ScriptedServer(port=port, AUTH=b"235 yes\r\n", **LOGIN) as back:
                self.wait_until(lambda: back.bodies)
                self.server.wait_for_mails()
        finally:
            self.postbox.start()
        self.assertEqual(len(back.bodies), 1)
        self.assertIn(b"To: login@example.org\r\n", back.bodies[0])

    def test_slow(self):
        self.postbox.seconds = 5
        self.buy("slow1")
        self.buy("slow2")
        # Neither waited for its mail.
        self.assertEqual(self.postbox.messages, [])
        self.assert_comes_once("slow1", "slow2")


class TestProcessEnds(MailCase):
    layer = Place("MailProcesses")
    PURCHASES = 60
    CLIENTS = 4

    def test_killed_between_marking_and_sending(self):
        first = self.layer.start("mail marked sending:1").wait()
        self.layer.tell_mail_port(first)
        # It may die before it has answered.
        self.assertIn(post(first.port, about("k", "1", self.now))[0], (0, 200))
        self.wait_until(lambda: not first.process.running)
        self.assertEqual(first.process.status, -signal.SIGKILL)

        second = self.layer.start().wait()
        self.assertEqual(self.mails(second, "k"), [["welcome", "k@example.org", "sending", 1]])
        # It is another process's, for all that this one knows.
        second.sweep()
        time.sleep(1)
        self.assertEqual(self.postbox.messages, [])
        second.ask("@@proof-hurry?dead=1")
        self.postbox.wait_for("k@example.org", seconds=WITHIN)
        second.wait_for_mails()
        self.assertEqual(len(self.postbox.messages), 1)
        self.assertEqual(self.mails(second, "k"), [["welcome", "k@example.org", "sent", 2]])
        second.stop()

    def test_told_to_end_in_a_burst(self):
        served = self.layer.start().wait()
        self.layer.tell_mail_port(served)
        self.postbox.seconds = 0.05
        told = {
            f"t{n}@example.org": about(f"t{n}", "1", self.now) for n in range(self.PURCHASES)
        }
        acknowledged: set[str] = set()
        enough = Event()

        def deliver(buyer: str) -> int:
            status, _text = post(served.port, told[buyer])
            if status == 200:
                acknowledged.add(buyer)
            if len(acknowledged) >= self.PURCHASES // 3 and not enough.is_set():
                enough.set()
                os.kill(served.process.pid, signal.SIGTERM)
                self.wait_until(lambda: not served.process.running)
            return status

        self.assertEqual(set(in_threads(self.CLIENTS, deliver, told)), {0, 200})
        self.assertEqual(served.process.status, -signal.SIGTERM)
        self.assertLess(len(acknowledged), self.PURCHASES)

        again = self.layer.start().wait()
        answers = in_threads(self.CLIENTS, lambda one: post(again.port, told[one]), told)
        self.assertEqual(set(answers), {(200, "POST successfully parsed.")})
        again.ask("@@proof-hurry?dead=1")
        again.wait_for_mails()
        self.assertEqual(self.postbox.recipients(), dict.fromkeys(told, 1))
        # At most the one in hand, which the process could not note as sent.
        self.assertLessEqual(len(self.postbox.messages), len(told) + 1)
        self.assertEqual(again.state()["contradictions"], [])
        again.stop()

    def mails(self, served, buyer: str) -> list:
        return served.state()["buyers"][f"{buyer}@example.org"]["mails"]
