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
