"""The callback over real HTTP: odd requests, logged-in callers, and what must not leak."""

from contextlib import contextmanager
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.providers.click2sell import protocol as click2sell
from niteoweb.click2sell.storage import steps
from niteoweb.click2sell.tests.cases import deliveries
from niteoweb.click2sell.tests.cases.callback import CallbackTestCase
from niteoweb.click2sell.tests.cases.callback import FORM
from niteoweb.click2sell.tests.cases.callback import PARSED
from plone import api
from plone.app.testing import login
from plone.app.testing import SITE_OWNER_NAME
from plone.app.testing import SITE_OWNER_PASSWORD
from plone.protect import auto
from unittest import mock

import http.client
import logging
import requests
import transaction


class TestOddRequests(CallbackTestCase):
    """Requests that the publisher answers: no entry, no traceback, a status of 400 or more."""

    def assert_stopped(self, answer):
        self.assertGreaterEqual(answer.status_code, 400)
        for word in ("Traceback", 'File "', "john@example.org", deliveries.SECRET_KEY):
            self.assertNotIn(word, answer.text)
        self.assertEqual(self.recorded(), 0)
        self.assertIsNone(self.member())

    def test_stopped(self):
        signed = deliveries.body()
        for content_type, body in (
            ("text/xml", b"<methodCall><methodName>x</methodName></methodCall>"),
            ("text/xml", signed),
            ("multipart/form-data; boundary=x", b"--x\r\nnonsense"),
            ("multipart/form-data; boundary=x", signed),
            ("multipart/form-data", signed),
            (f"{FORM}; charset=nonsense", signed),
            (f"{FORM}; charset=utf-16", signed),
            (FORM, signed + b"&x:int=a"),
            (FORM, signed + b"&x:utf8:ustring=%ff"),
            (FORM, signed + b"&%ff=1"),
            (FORM, signed + b"&manage_main:method=1"),
            (FORM, signed + b"&:method=manage_main"),
        ):
            for accept in ("*/*", "text/html"):
                with self.subTest(body, content_type=content_type, accept=accept):
                    headers = {"Accept": accept}
                    self.assert_stopped(self.post(body, content_type, headers=headers))

    def test_converters_that_zope_knows_are_only_names(self):
        body = deliveries.body() + b"&x:int=1&buyer_email:list=a&-C=1&REQUEST=2&BODYFILE=3"
        self.assert_answer(self.post(body), 200, PARSED)
        (entry,) = self.entries()
        self.assertEqual(entry["buyer"], "john@example.org")
        self.assertEqual(entry["payload"]["x:int"], "1")

    def test_a_charset_changes_nothing(self):
        body = deliveries.body(buyer_name="Žiga")
        for charset in ("utf-8", "iso-8859-1", "windows-1252"):
            with self.subTest(charset):
                answer = self.post(body, f"{FORM}; charset={charset}")
                self.assert_answer(answer, 200, PARSED)
        self.assertEqual(self.recorded(), 1)
        self.assertEqual(self.member().getProperty("fullname"), "Žiga Smith")

    def test_a_body_that_ends_too_early(self):
        body = deliveries.body()
        connection = http.client.HTTPConnection(self.layer["host"], self.layer["port"])
        connection.putrequest("POST", "/plone/@@click2sell")
        connection.putheader("Content-Type", FORM)
        connection.putheader("Content-Length", str(len(body) + 100))
        connection.endheaders(body)
        connection.close()
        self.assertEqual(self.recorded(), 0)
        self.assert_answer(self.post(body), 200, PARSED)

    def test_it_is_there_on_the_site_root_alone(self):
        login(self.layer["app"], SITE_OWNER_NAME)
        api.content.create(self.portal, "Folder", "page")
        transaction.commit()
        root = self.url.removesuffix("/plone/@@click2sell")
        for path in ("/@@click2sell", "/plone/page/@@click2sell", "/plone/@@click2sell/url"):
            with self.subTest(path):
                self.assert_stopped(self.post(deliveries.body(), url=root + path))


class TestLoggedIn(CallbackTestCase):
    """plone.protect undoes what logged-in visitors write without its token; not a purchase."""

    def setUp(self):
        super().setUp()
        self.assertFalse(auto.CSRF_DISABLED)

    def assert_sold(self, answer):
        self.assert_answer(answer, 200, PARSED)
        self.assertEqual([e["outcome"] for e in self.entries()], [Outcome.ACCEPTED])
        self.assertIn("click2sell", self.member().getGroups())

    def test_owner(self):
        auth = (SITE_OWNER_NAME, SITE_OWNER_PASSWORD)
        self.assert_sold(self.post(deliveries.body(), auth=auth))

    def test_owner_and_broken_field(self):
        auth = (SITE_OWNER_NAME, SITE_OWNER_PASSWORD)
        answer = self.post(deliveries.body(product_id=None), auth=auth)
        self.assert_answer(answer, 400, "POST parameter missing: 'product_id'")
        self.assertEqual(self.recorded(), 1)

    def test_wrong_password(self):
        self.assert_sold(self.post(deliveries.body(), auth=("admin", "wrong")))

    def test_sessions(self):
        for roles in (("Member",), ("Member", "Manager")):
            with self.subTest(roles):
                name = roles[-1].lower()
                api.user.create(f"{name}@example.com", name, "correct horse")
                api.user.grant_roles(name, roles=roles)
                transaction.commit()
                site = self.url.removesuffix("/@@click2sell")
                with requests.Session() as session:
                    session.post(
                        f"{site}/login",
                        {"__ac_name": name, "__ac_password": "correct horse"}
                        | {"buttons.login": "Log in"},
                        timeout=30,
                    )
                    self.assertIn("__ac", session.cookies)
                    answer = session.post(
                        self.url,
                        deliveries.body(acquirer_transaction_id=name, c2s_transaction_id=name),
                        headers={"Content-Type": FORM, "Origin": "https://example.net"},
                        timeout=30,
                    )
                self.assert_answer(answer, 200, PARSED)
                self.assertEqual(self.entries()[-1]["receipt"], name)
                self.assertEqual(self.entries()[-1]["outcome"], Outcome.ACCEPTED)
                self.assertEqual(self.member().getProperty("last_purchase_id"), name)


class _Kept(logging.Handler):
    def __init__(self):
        super().__init__(logging.DEBUG)
        self.lines = []
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record):
        self.lines.append(self.format(record))


@contextmanager
def everything_logged():
    """All lines that any logger writes, tracebacks included."""
    root, kept = logging.getLogger(), _Kept()
    level = root.level
    root.addHandler(kept)
    root.setLevel(logging.DEBUG)
    try:
        yield kept.lines
    finally:
        root.setLevel(level)
        root.removeHandler(kept)


class TestNothingLeaks(CallbackTestCase):
    MARKED = {
        "buyer_name": "Marked-Name",
        "buyer_surname": "Marked-Surname",
        "product_name": "Marked-Product",
        "product_price": "87654.32 EUR",
        "affiliate_username": "marked-affiliate",
        "cp_own": "marked-own",
        "buyer_phone": "555-marked",
    }

    def check(self, lines, answer, **changes):
        sent = deliveries.fields(**{**self.MARKED, **changes})
        secrets = [deliveries.SECRET_KEY, sent["checksum"], sent["checksum"].lower()]
        secrets += [sent[name] for name in (*self.MARKED, "buyer_email") if sent.get(name)]
        for text in (*lines, answer.text, repr(answer.headers)):
            for secret in (*secrets, "example.org", "arked"):
                self.assertNotIn(secret, text)
        for word in ("Traceback", 'File "', "Error"):
            self.assertNotIn(word, answer.text)

    def sell_quietly(self, status, **changes):
        with everything_logged() as lines:
            answer = self.sell(**{**self.MARKED, **changes})
        self.assertEqual(answer.status_code, status)
        self.check(lines, answer, **changes)
        return [line for line in lines if line.startswith("niteoweb.click2sell ")]

    def test_what_is_logged_and_answered(self):
        # So that an empty log proves something.
        with everything_logged() as lines:
            logging.getLogger("niteoweb.click2sell").debug("here")
        self.assertEqual(lines, ["niteoweb.click2sell here"])
        self.sell_quietly(200)
        self.sell_quietly(200)
        self.assertTrue(self.sell_quietly(409, buyer_email="jane@example.org"))
        self.sell_quietly(400, purchase_date="marked-date")
        self.sell_quietly(400, buyer_email="marked@example.org@")
        self.sell_quietly(403, checksum=click2sell.sign("another", "T-1"))
        future = {"purchase_date": "2999-01-01", "acquirer_transaction_id": "T-2"}
        self.assertTrue(self.sell_quietly(200, **future))
        with mock.patch.object(ownership, "ENTRIES_PER_TRANSACTION", 1):
            self.assertTrue(self.sell_quietly(409, product_id="marked-id"))

    def test_errors_whose_message_has_an_address(self):
        for place in ("before record", "planned", "finished"):
            for chained in (False, True):
                with self.subTest(place, chained=chained):
                    self.fail_at(place, chained)

    def fail_at(self, place, chained):
        name = f"{place.replace(' ', '-')}-{chained}"

        # A traceback shows source lines, so the values must not stand in one.
        message = " ".join(deliveries.fields(**self.MARKED).values())

        def step(reached):
            if reached == place:
                try:
                    raise KeyError(message)
                except KeyError as error:
                    if not chained:
                        raise
                    raise ValueError(message) from error

        with mock.patch.object(steps, "reached", step):
            lines = self.sell_quietly(500, acquirer_transaction_id=name)
        # That the groups of the first buyer are kept in a tree now is another line.
        self.assertEqual(len([line for line in lines if "in a tree" not in line]), 1, lines)
        for entry in self.entries():
            for secret in (deliveries.SECRET_KEY, "@example", "arked"):
                self.assertNotIn(secret, entry["error"])

    def test_an_event_subscriber_that_fails(self):
        error = ValueError("john@example.org")
        with mock.patch("niteoweb.click2sell.provisioning.events.notify", side_effect=error):
            lines = self.sell_quietly(200)
        failed = [line for line in lines if "A subscriber of" in line]
        self.assertGreater(len(failed), 1)
        for line in failed:
            self.assertIn("ValueError", line)

    def test_no_answer_tells_which_members_exist(self):
        create = api.user.create
        create("known@example.org", "known@example.org", "correct horse")
        create("uncertain@example.org", "somebody", "correct horse")
        create("boss@example.org", "boss@example.org", "correct horse")
        api.user.grant_roles("boss@example.org", roles=["Manager"])
        transaction.commit()
        answers = []
        for name in ("new", "known", "uncertain", "boss", "new", SITE_OWNER_NAME):
            answer = self.sell(buyer_email=f"{name}@example.org", acquirer_transaction_id=name)
            headers = {k: v for k, v in answer.headers.items() if k != "Date"}
            answers.append((answer.status_code, answer.text, headers))
        self.assertEqual(answers, answers[:1] * len(answers))
        # They were in fact different.
        self.assertEqual(
            {entry["reason"] for entry in self.entries()},
            {"", "account not certain", "privileged account"},
        )
