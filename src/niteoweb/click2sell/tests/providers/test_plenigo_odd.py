"""plenigo: odd values of every parameter of the pages and services for members."""

from niteoweb.click2sell.providers.plenigo import checkout
from niteoweb.click2sell.tests.cases.buying import allowing
from niteoweb.click2sell.tests.cases.buying import OFFER
from niteoweb.click2sell.tests.cases.buying import PASSWORD
from niteoweb.click2sell.tests.cases.buying import SelfServiceTestCase
from niteoweb.click2sell.tests.cases.oddvalues import JSONS
from niteoweb.click2sell.tests.cases.oddvalues import MARK
from niteoweb.click2sell.tests.cases.oddvalues import TEXTS
from unittest import mock

import re
import requests


class TestOddValues(SelfServiceTestCase):
    """A member is logged in, and plenigo switched on."""

    def setUp(self):
        super().setUp()
        self.number = self.subscribed()
        for name in ("VOUCHERS", "VOUCHERS_OF_ALL", "MEMBER", "APPS", "APP_PURCHASES"):
            self.enterContext(allowing(name, 10**6))
        self.enterContext(mock.patch.object(checkout, "AT_MOST", 10**6))

    def assert_sound(self, found, *about):
        self.assertIn(found.status_code // 100, (2, 3, 4), about)
        self.assertNotIn("X-Injected", found.headers, about)
        self.assertNotIn(MARK, found.text, about)
        self.assertNotIn("Traceback", found.text, about)

    def test_pages(self):
        one = f"@@plenigo-subscription/{self.number}"
        pages = {
            "@@plenigo-checkout": ("offer", "bonus", "content", "came_from", "utm_source"),
            "@@plenigo-voucher": ("code", "redeem"),
            "@@plenigo-account": ("page", "subscription"),
            "@@plenigo-link": ("key",),
            one: ("date", "reason", "undo"),
        }
        for path, names in pages.items():
            token = re.search(
                'name="_authenticator"[^>]*value="([^"]+)"', self.page("@@plenigo-link").text
            )[1]
            for value in TEXTS[::2]:
                query = "&".join(f"{name}={value}" for name in names)
                with requests.Session() as session:
                    session.trust_env, session.auth = False, ("jane", PASSWORD)
                    url = f"{self.site_url}/{path}"
                    for method, options in (
                        ("GET", {"url": f"{url}?{query}"}),
                        ("POST", {"url": url, "data": f"_authenticator={token}&{query}"}),
                    ):
                        form = {"Content-Type": "application/x-www-form-urlencoded"}
                        found = session.request(
                            method, headers=form, allow_redirects=False, timeout=30, **options
                        )
                        self.assert_sound(found, method, path, value)

    def test_services(self):
        one = f"@plenigo-subscriptions/{self.number}"
        bought = ("offer", "bonus", "content", "came_from", "source")
        services = {
            "@plenigo-checkout": bought,
            "@plenigo-checkout?": ("voucher",),
            "@plenigo-voucher": ("code",),
            "@plenigo-voucher/redeem": ("code",),
            f"{one}/cancel": ("date", "reason"),
            f"{one}/undo": (),
            "@plenigo-transfer-token": (),
        }
        for path, names in services.items():
            for value in JSONS[::2]:
                # One that is read, the others odd; then all of them.
                for fixed in (f'"{OFFER}"', value) if "offer" in names else (value,):
                    values = dict.fromkeys(names or ("any",), value)
                    values |= {"offer": fixed} if "offer" in names else {}
                    body = ", ".join(f'"{name}": {one}' for name, one in values.items())
                    with requests.Session() as session:
                        session.trust_env, session.auth = False, ("jane", PASSWORD)
                        found = session.post(
                            f"{self.site_url}/{path}",
                            data=f"{{{body}}}",
                            headers={
                                "Accept": "application/json",
                                "Content-Type": "application/json",
                            },
                            timeout=30,
                        )
                    self.assert_sound(found, path, body)

    def test_logging_in(self):
        """Nobody is logged in: by a page, with any cookie, or by a service."""
        self.set(login="id-system", login_url="https://id.example.org/login")
        self.set(client_secret=self.fake.client_secret)
        self.enterContext(allowing("LOGINS", 10**6))
        names = ("transferToken", "code", "state", "came_from", "offer")
        url = f"{self.site_url}/@@plenigo-login"
        for value in TEXTS[::2]:
            for left_out in ("transferToken", "code"):
                query = "&".join(f"{name}={value}" for name in names if name != left_out)
                for method, options in (
                    ("GET", {"url": f"{url}?{query}"}),
                    ("POST", {"url": url, "data": query}),
                ):
                    headers = {
                        "Content-Type": "application/x-www-form-urlencoded",
                        "Cookie": f"plenigo_login={value}",
                    }
                    found = self.request(method, headers=headers, **options)
                    self.assert_sound(found, method, query)
                    self.assertNotIn("__ac", found.cookies)
        for value in JSONS[::2]:
            for body in (
                f'{{"transferToken": {value}}}',
                f'{{"customerSession": {value}}}',
                f'{{"accessCode": {value}, "redirectUri": {value}}}',
                f'{{"accessCode": {value}}}',
            ):
                found = self.post("@plenigo-session", body)
                self.assert_sound(found, body)
                self.assertNotEqual(found.status_code, 200)

    def test_apps_and_players(self):
        self.set(apps=["apple|de.lab.app", "google|de.lab.app"])
        self.enterContext(allowing("ACCESS_BY_SESSION", 10**6))
        for value in JSONS[::2]:
            google = ("packageName", "productId", "purchaseToken", "isSubscription")
            of_google = ", ".join(f'"{name}": {value}' for name in google)
            named = of_google.replace(f'"packageName": {value}', '"packageName": "de.lab.app"')
            for path, body in (
                ("apple", f'{{"receipt": {value}}}'),
                ("apple", f'{{"transactionId": {value}}}'),
                ("google", f"{{{of_google}}}"),
                ("google", f"{{{named}}}"),
                ("apple/verify", f'{{"token": {value}}}'),
                ("google/associate", f'{{"token": {value}}}'),
            ):
                found = self.post(f"@plenigo-app-purchases/{path}", body, "de.lab.app")
                self.assert_sound(found, path, body)
        for value in TEXTS[::2]:
            headers = {
                "Accept": "application/json",
                "X-Plenigo-Customer-Session": value.encode("latin-1"),
            }
            url = f"{self.site_url}/@plenigo-access?rights={value}"
            self.assert_sound(self.request("GET", url=url, headers=headers), value)

    def request(self, method, **options):
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, allow_redirects=False, timeout=30, **options)

    def post(self, path, body, app=""):
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        headers |= {"X-App-Bundle": app} if app else {}
        return self.request("POST", url=f"{self.site_url}/{path}", data=body, headers=headers)
