"""The limits of time of a question: real servers that hang are asked."""

from contextlib import ExitStack
from contextlib import suppress
from niteoweb.click2sell.provider import JsonApi
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.tests.cases.hanging import HangingServer
from niteoweb.click2sell.tests.cases.hanging import KINDS
from unittest import mock

import requests
import socket
import threading
import unittest


class HangingTestCase(unittest.TestCase):
    """Each kind of server would hang for minutes: a test that ends has proved the limit."""

    def setUp(self):
        self.enterContext(mock.patch.dict("os.environ", {jsonapi.INSECURE_VARIABLE: "1"}))

    def assert_no_answer(self, url):
        with self.assertRaises(jsonapi.NoAnswer) as caught:
            JsonApi(url, {}).get("subscriptions")
        self.assertEqual(str(caught.exception), "no answer")


class TestPatience(HangingTestCase):
    """Of the background threads."""

    def test_it_ends_whatever_the_server_does(self):
        self.enterContext(mock.patch.object(jsonapi, "PATIENCE", 0.5))
        for hang in KINDS:
            with self.subTest(hang.__name__), HangingServer(hang) as server:
                self.assert_no_answer(server.url)

    def test_the_connection_is_closed_then(self):
        self.enterContext(mock.patch.object(jsonapi, "PATIENCE", 0.5))
        with HangingServer(HangingServer.drip_headers) as server:
            self.assert_no_answer(server.url)
            (taken,) = server.taken
            taken.settimeout(10)
            with self.assertRaises(ConnectionError):
                while taken.recv(4096):
                    pass
                raise ConnectionError  # closed in good order


class TestRequest(HangingTestCase):
    def test_it_waits_no_longer_than_it_may(self):
        for hang in KINDS:
            with (
                self.subTest(hang.__name__),
                HangingServer(hang) as server,
                jsonapi.within(0.5),
            ):
                self.assert_no_answer(server.url)

    def test_neither_while_the_host_is_looked_up(self):
        """The resolver of a machine may take half a minute, and knows no limit."""
        looked_up, ended = threading.Event(), threading.Event()
        self.addCleanup(ended.set)

        def look_up(*args, **options):
            looked_up.set()
            ended.wait()
            raise socket.gaierror

        with mock.patch.object(socket, "getaddrinfo", look_up), jsonapi.within(0.5):
            self.assert_no_answer("https://api.example.org")
        self.assertTrue(looked_up.is_set())

    def test_all_questions_share_the_time(self):
        with HangingServer(HangingServer.answer_never) as server, jsonapi.within(1.5):
            for _question in range(3):
                self.assert_no_answer(server.url)
        # The others are not even asked.
        self.assertEqual(len(server.taken), 1)

    def test_two_wait_at_a_time(self):
        with (
            jsonapi.within(60),
            jsonapi.within(60),
            self.assertRaises(jsonapi.NoAnswer),
            jsonapi.within(60),
        ):
            self.fail("A third one waits.")
        with jsonapi.within(60):
            pass

    def test_half_of_the_servers_threads_wait_at_a_time(self):
        ended = threading.Event()
        for number in range(12):
            thread = threading.Thread(target=ended.wait, name=f"waitress-{number}")
            self.addCleanup(thread.join)
            thread.start()
        self.addCleanup(ended.set)
        with ExitStack() as stack:
            for _request in range(6):
                stack.enter_context(jsonapi.within(60))
            with self.assertRaises(jsonapi.NoAnswer), jsonapi.within(60):
                self.fail("A seventh one waits.")


class TestLog(HangingTestCase):
    def test_an_address_is_in_none(self):
        """It can hold the session of a customer, whatever a server makes of it."""
        with (
            self.assertLogs(level="DEBUG") as logged,
            HangingServer(HangingServer.answer_oddly) as server,
        ):
            with jsonapi.within(0.5), self.assertRaises(jsonapi.NoAnswer):
                JsonApi(server.url, {}).get("sessions", sessionToken="xyzzy")
            # Others' questions are logged as ever.
            with suppress(requests.RequestException):
                requests.get(f"{server.url}?mine=1", stream=True, timeout=30)
        words = "\n".join(logged.output)
        self.assertNotIn("xyzzy", words)
        self.assertIn("mine=1", words)
