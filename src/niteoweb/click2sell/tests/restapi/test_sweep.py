"""The sweep as a service, and who may not make a browser call it; over real HTTP."""

from niteoweb.click2sell.restapi import protection
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.tests.cases.services import MANAGER
from niteoweb.click2sell.tests.cases.services import MAY
from niteoweb.click2sell.tests.cases.services import MAY_NOT
from niteoweb.click2sell.tests.cases.services import MEMBER
from niteoweb.click2sell.tests.cases.services import ServiceTestCase
from niteoweb.click2sell.tests.cases.services import SITE_ADMINISTRATOR
from niteoweb.click2sell.tests.cases.site import EMAIL
from plone.protect.interfaces import IDisableCSRFProtection
from unittest import mock
from urllib.parse import urlsplit
from zExceptions import Forbidden

import os
import requests


FORM = "application/x-www-form-urlencoded"
MULTIPART = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n'


class SweepServiceTestCase(ServiceTestCase):
    """Somebody's access has lapsed."""

    def setUp(self):
        super().setUp()
        self.settings(mapping=["1|premium|30"])
        self.buy()
        self.later(days=31)
        self.url = f"{self.portal.absolute_url()}/@click2sell-sweep"

    def premium(self):
        """Whether the member is still in the group."""
        return "premium" in self.groups()


class TestWhoMay(SweepServiceTestCase):
    def test_those_who_operate_purchases(self):
        for auth in MAY_NOT:
            for body in {}, {"dry_run": True}:
                with self.subTest(auth, body=body):
                    answer = self.post(body=body, auth=auth)
                    self.assertEqual(answer.status_code, 401)
                    self.assertNotIn(EMAIL, answer.text)
        self.assertTrue(self.premium())
        for auth in MAY:
            with self.subTest(auth):
                answer = self.post(body={"dry_run": True}, auth=auth)
                self.assertEqual(answer.status_code, 200)
                self.assertEqual(len(answer.json()["lapsed"]), 1)
        self.assertEqual(self.post(body={}, auth=SITE_ADMINISTRATOR).status_code, 200)
        self.assertFalse(self.premium())

    def test_those_who_view_purchases_may_not(self):
        self.portal.manage_permission("Click2Sell: View purchases", ["Member"])
        self.assertEqual(self.post(body={"dry_run": True}, auth=MEMBER).status_code, 401)

    def test_it_cannot_be_got(self):
        self.assertIn(self.get().status_code, (404, 405))


class TestSweep(SweepServiceTestCase):
    def test_the_answer_is_the_report(self):
        answer = self.post(body={})
        self.assertEqual(answer.status_code, 200)
        report = answer.json()
        self.assertEqual(
            report["lapsed"],
            [
                {
                    "user_id": EMAIL,
                    "email": EMAIL,
                    "products": [{"provider": "click2sell", "product_id": "1"}],
                    "groups": ["premium"],
                }
            ],
        )
        self.assertIs(report["dry_run"], False)
        self.assertEqual(report["as_of"], "2026-06-03T18:00:00+00:00")
        self.assertFalse(self.premium())
        self.assertEqual(self.post(body={}).json()["lapsed"], [])

    def test_dry_run(self):
        database = self.portal._p_jar.db()
        last = database.lastTransaction()
        self.assertEqual(len(self.post(body={"dry_run": True}).json()["lapsed"]), 1)
        self.assertEqual(database.lastTransaction(), last)
        self.assertTrue(self.premium())

    def test_as_of(self):
        self.later(days=-31)
        self.registry(portal_timezone="Europe/Vienna")
        for as_of, moment, lapsed in (
            ("2026-06-01", "2026-06-01T21:59:59.999999+00:00", 0),
            ("2026-06-02", "2026-06-02T21:59:59.999999+00:00", 1),
            ("2026-06-02T10:20:29Z", "2026-06-02T10:20:29+00:00", 0),
            ("2026-06-02T12:20:30", "2026-06-02T10:20:30+00:00", 1),
        ):
            with self.subTest(as_of):
                report = self.post(body={"dry_run": True, "as_of": as_of}).json()
                self.assertEqual(report["as_of"], moment)
                self.assertEqual(len(report["lapsed"]), lapsed)

    def test_the_circuit_breaker_is_no_error(self):
        with mock.patch("niteoweb.click2sell.worker.breaker.BREAKER_AT_LEAST", 0):
            answer = self.post(body={})
            self.assertEqual(answer.status_code, 200)
            self.assertEqual(answer.json()["stopped"], {"members": 1, "limit": 0})
            self.assertTrue(self.premium())
            self.assertIsNone(self.post(body={"confirmed": True}).json()["stopped"])
        self.assertFalse(self.premium())

    def test_a_copy_of_the_site_is_no_error(self):
        with mock.patch.dict(os.environ, CLICK2SELL_STAGING="1"):
            answer = self.post(body={})
        self.assertEqual(answer.status_code, 200)
        self.assertIs(answer.json()["copy_of_the_site"], True)
        self.assertTrue(self.premium())

    def test_a_request_to_another_address_than_the_site_s(self):
        self.settings(site_address="https://shop.example.com")
        self.assertIs(self.post(body={}).json()["copy_of_the_site"], True)
        self.assertTrue(self.premium())
        parts = urlsplit(self.url)
        self.settings(site_address=f"{parts.scheme}://{parts.netloc}/plone")
        self.assertIs(self.post(body={}).json()["copy_of_the_site"], False)
        self.assertFalse(self.premium())

    def test_null_is_the_same_as_nothing(self):
        body = {"dry_run": True, "as_of": None, "confirmed": None}
        self.assertEqual(self.post(body=body).status_code, 200)
        self.assertEqual(self.post(body={"dry_run": True, "as_of": ""}).status_code, 200)

    def test_options_that_cannot_be_meant(self):
        for body, expected in (
            ({"dryrun": True}, 'no option "dryrun". Possible: dry_run, as_of, confirmed.'),
            ({"dry_run": "true"}, '"dry_run" must be true or false.'),
            ({"confirmed": 1}, '"confirmed" must be true or false.'),
            ({"dry_run": True, "as_of": 20270131}, '"as_of" must be a text.'),
            ({"dry_run": True, "as_of": "31.1.2027"}, '"as_of" must be a date such as'),
            ({"as_of": "2027-01-31"}, '"as_of" needs "dry_run": true.'),
            ({"as_of": "2027-01-31", "dry_run": False}, '"as_of" needs "dry_run": true.'),
            ([], "The body must be a JSON object."),
        ):
            with self.subTest(body):
                answer = self.post(body=body)
                self.assertEqual(answer.status_code, 400)
                self.assertIn(expected, answer.json()["message"])
        self.assertTrue(self.premium())

    def test_a_database_that_cannot_be_written(self):
        with mock.patch.object(transactions, "run", side_effect=transactions.Busy):
            answer = self.post(body={})
        self.assertEqual(answer.status_code, 503)
        self.assertEqual(answer.headers["Retry-After"], str(transactions.RETRY_AFTER))


class TestForeignPages(SweepServiceTestCase):
    def origin(self, **changes):
        return urlsplit(self.url)._replace(path="", **changes).geturl()

    def token(self, auth=MANAGER):
        """A token as a page of the site shows it to this person."""
        answer = requests.get(
            f"{self.portal.absolute_url()}/@@authenticator/token", auth=auth, timeout=30
        )
        return answer.text

    def allowed(self, headers, body=b"", **params):
        answer = self.post(data=body, headers=headers, params=params)
        self.assertIn(answer.status_code, (200, 403), answer.text)
        if answer.status_code == 403:
            self.assertEqual(answer.json()["type"], "Forbidden")
            self.assertTrue(self.premium())
        return answer.status_code == 200

    def test_scripts(self):
        self.assertTrue(self.allowed({}))
        self.assertFalse(self.premium())

    def test_a_form_of_another_site(self):
        for headers in (
            {"Origin": "https://evil.example.com", "Sec-Fetch-Site": "cross-site"},
            {"Origin": "https://evil.example.com"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "none"},
            # A sandboxed frame, a file on the disk.
            {"Origin": "null"},
            {"Origin": ""},
            {"Origin": "https://evil.example.com:port"},
            {"Origin": self.origin(netloc="localhost:1")},
            {"Origin": self.origin() + ".example.com"},
        ):
            for content_type, body in (
                (FORM, b"{}"),
                ("text/plain", b"{}"),
                ("multipart/form-data; boundary=x", MULTIPART),
            ):
                with self.subTest(headers, content_type=content_type):
                    self.assertFalse(
                        self.allowed({**headers, "Content-Type": content_type}, body)
                    )

    def test_a_form_of_this_site_without_a_token(self):
        # It could have been put there by somebody who may write pages.
        headers = {"Origin": self.origin(), "Sec-Fetch-Site": "same-origin"}
        self.assertFalse(self.allowed({**headers, "Content-Type": FORM}))

    def test_json_of_this_site(self):
        for content_type in "application/json", "Application/JSON; charset=utf-8":
            headers = {
                "Origin": self.origin(),
                "Sec-Fetch-Site": "same-origin",
                "Content-Type": content_type,
            }
            self.assertTrue(self.allowed(headers, b'{"dry_run": true}'))

    def test_json_of_another_site(self):
        for origin in "https://evil.example.com", "null":
            self.assertFalse(
                self.allowed({"Origin": origin, "Content-Type": "application/json"}, b"{}")
            )
        # Nor a type that only looks like it, for which no browser asks first.
        self.assertFalse(
            self.allowed(
                {
                    "Sec-Fetch-Site": "cross-site",
                    "Content-Type": "text/plain; application/json",
                },
                b"{}",
            )
        )

    def test_the_public_address_is_this_site_too(self):
        self.settings(site_address="https://shop.example.com")
        headers = {"Content-Type": "application/json"}
        self.assertTrue(self.allowed({**headers, "Origin": "https://shop.example.com"}))
        self.assertTrue(self.allowed({**headers, "Origin": self.origin()}))
        self.assertFalse(self.allowed({**headers, "Origin": "https://example.com"}))

    def test_a_public_address_that_is_none(self):
        self.settings(site_address="shop")
        self.assertFalse(self.allowed({"Origin": "null", "Content-Type": "application/json"}))

    def test_a_token(self):
        headers = {"Origin": self.origin(), "Content-Type": FORM}
        body = b'{"dry_run": true}'
        self.assertTrue(self.allowed({**headers, "X-CSRF-TOKEN": self.token()}, body))
        self.assertTrue(self.allowed(headers, body, _authenticator=self.token()))
        for wrong in "", "0" * 40, self.token(MEMBER):
            with self.subTest(wrong):
                self.assertFalse(self.allowed({**headers, "X-CSRF-TOKEN": wrong}, body))
                self.assertFalse(self.allowed(headers, body, _authenticator=wrong))

    def test_a_token_does_not_help_another_site(self):
        headers = {"Origin": "https://evil.example.com", "X-CSRF-TOKEN": self.token()}
        self.assertFalse(self.allowed(headers))

    def test_replay_is_protected_too(self):
        self.url = f"{self.portal.absolute_url()}/@click2sell-notifications"
        for options in b"", b'{"dry_run": true}':
            answer = self.post(
                f"/{self.key()}/replay",
                data=options,
                headers={"Origin": "https://evil.example.com", "Content-Type": FORM},
            )
            self.assertEqual(answer.status_code, 403)

    def test_without_plone_rest_s_accept_header(self):
        # A form of another site cannot ask for JSON, but it can go by way of ++api++.
        url = self.url.replace("/@click2sell", "/++api++/@click2sell")
        for headers, status in (
            ({"Origin": "https://evil.example.com"}, 403),
            ({}, 200),
        ):
            answer = requests.post(url, auth=MANAGER, headers=headers, timeout=30)
            self.assertEqual(answer.status_code, status)

    def test_plone_protect_is_told(self):
        request = self.layer["request"]
        request.environ["HTTP_ORIGIN"] = "https://evil.example.com"
        with self.assertRaises(Forbidden):
            protection.refuse_foreign_pages(request)
        self.assertFalse(IDisableCSRFProtection.providedBy(request))
        del request.environ["HTTP_ORIGIN"]
        protection.refuse_foreign_pages(request)
        self.assertTrue(IDisableCSRFProtection.providedBy(request))
