"""plenigo: logging in with an id system, over HTTP, with a plenigo that is not real."""

from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.providers.plenigo import login
from niteoweb.click2sell.providers.plenigo import sessions
from niteoweb.click2sell.provisioning import rates
from niteoweb.click2sell.tests.cases.buying import ShopTestCase
from plone import api
from urllib.parse import parse_qs
from urllib.parse import urlsplit

import re
import requests
import transaction


ID_SYSTEM = "https://id.example.org/login"
FIELDS = re.compile(r'name="(offer|_authenticator)"[^>]*value="([^"]+)"')


class LoginTestCase(ShopTestCase):
    def setUp(self):
        super().setUp()
        self.set(login="id-system", login_url=ID_SYSTEM)
        rates._calls.clear()
        self.buy()
        self.fake.requests.clear()

    def browser(self):
        session = self.enterContext(requests.Session())
        session.trust_env = False
        return session

    def visit(self, browser, query="", data=None):
        transaction.commit()
        found = browser.request(
            "GET" if data is None else "POST",
            f"{self.site_url}/@@plenigo-login{query}",
            data=data,
            allow_redirects=False,
            timeout=30,
        )
        transaction.begin()
        return found

    def leave(self, browser, query=""):
        found = self.visit(browser, query)
        self.assertEqual(found.status_code, 302)
        self.assertTrue(found.headers["Location"].startswith(f"{ID_SYSTEM}?returnTo="))
        back = parse_qs(urlsplit(found.headers["Location"]).query)["returnTo"][0]
        return parse_qs(urlsplit(back).query)

    def token(self, customer_id=None):
        """A transfer token of the id system, for a customer who has logged in there."""
        session = self.fake.log_in(customer_id or self.customer)
        return self.fake.hand_over(session)

    def come_back(self, browser, token, state="", came_from=""):
        query = f"?transferToken={token}&state={state}"
        return self.visit(browser, query + (f"&came_from={came_from}" if came_from else ""))

    def is_logged_in(self, browser):
        found = browser.get(
            f"{self.site_url}/@@my-purchases", allow_redirects=False, timeout=30
        )
        return found.status_code == 200

    def assert_refused(self, found, browser):
        self.assertEqual(found.status_code, 403, found.text)
        self.assertNotIn("__ac", browser.cookies)
        self.assertFalse(self.is_logged_in(browser))


class TestLogin(LoginTestCase):
    def test_there_and_back(self):
        self.assertTrue(accounts.never_logged_in("jane"))
        browser = self.browser()
        back = self.leave(browser, f"?came_from={self.site_url}/art")
        self.assertEqual(self.fake.requests, [])
        self.assertEqual(back["came_from"], [f"{self.site_url}/art"])
        (cookie,) = browser.cookies
        self.assertTrue(cookie.has_nonstandard_attr("HttpOnly"))
        self.assertEqual(cookie.get_nonstandard_attr("SameSite"), "Lax")
        found = self.come_back(browser, self.token(), *back["state"], *back["came_from"])
        self.assertEqual(found.status_code, 303, found.text)
        self.assertEqual(found.headers["Location"], f"{self.site_url}/art")
        self.assertEqual(
            [one.path for one in self.fake.requests],
            [("sessions", name) for name in ("transferToken", "validate", "customerData")],
        )
        self.assertTrue(self.is_logged_in(browser))
        self.assertFalse(accounts.never_logged_in("jane"))
        self.assertTrue(sessions.kept(self.portal, "jane", self.customer))
        again = self.visit(browser, "?came_from=http://evil.example")
        self.assertEqual(again.headers["Location"], self.site_url)

    def test_a_token_is_good_once_and_for_half_a_minute(self):
        token = self.token()
        browser = self.browser()
        self.come_back(browser, token, *self.leave(browser)["state"])
        other = self.browser()
        found = self.come_back(other, token, *self.leave(other)["state"])
        self.assert_refused(found, other)
        late = self.token()
        self.fake.clock.move(seconds=31)
        self.assert_refused(self.come_back(other, late, *self.leave(other)["state"]), other)
        for odd in ("", "x", "x" * 51):
            self.assert_refused(self.come_back(other, odd), other)

    def test_without_the_state_one_is_asked(self):
        browser, other = self.browser(), self.browser()
        mine, theirs = self.leave(browser)["state"][0], self.leave(other)["state"][0]
        for state in (theirs, "", mine[:-1] + "x", mine.replace(".", "-")):
            with self.subTest(state):
                rates._calls.clear()
                found = self.come_back(browser, self.token(), state)
                self.assertEqual(found.status_code, 200)
                self.assertIn("j…@lab.example.org", found.text)
                self.assertNotIn("jane@", found.text)
                self.assertNotIn("__ac", browser.cookies)
        form = dict(FIELDS.findall(found.text))
        self.assertEqual(len(form), 2)
        # It is this browser's offer, and nobody else's.
        stranger = self.visit(other, data=form)
        self.assert_refused(stranger, other)
        changed = form["offer"].split(".")
        changed[1] = "Ym9zcw"
        self.assert_refused(
            self.visit(browser, data={**form, "offer": ".".join(changed)}), browser
        )
        self.assertEqual(self.visit(browser, data={"offer": form["offer"]}).status_code, 403)
        self.assertEqual(self.visit(browser, data=form).status_code, 303)
        self.assertTrue(self.is_logged_in(browser))

    def test_what_is_too_late(self):
        browser = self.browser()
        state = self.leave(browser)["state"][0]
        self.later(minutes=11)
        found = self.come_back(browser, self.token(), state)
        self.assertIn("j…@lab", found.text)
        form = dict(FIELDS.findall(found.text))
        self.later(minutes=11)
        self.assert_refused(self.visit(browser, data=form), browser)

    def test_only_the_member_who_is_tied(self):
        boss = self.fake.add_customer("boss@lab.example.org")
        stranger = self.fake.add_customer("stranger@example.org")
        for customer_id in (boss, stranger, self.jane):
            with self.subTest(customer_id):
                browser = self.browser()
                state = self.leave(browser)["state"]
                self.assert_refused(
                    self.come_back(browser, self.token(customer_id), *state), browser
                )
        self.assertIsNone(self.member("stranger@example.org"))

    def test_who_may_administer_the_site_or_is_kept_out(self):
        browser = self.browser()
        with self.owner():
            api.user.grant_roles(username="jane", roles=["Manager"])
        self.assert_refused(self.come_back(browser, self.token()), browser)
        with self.owner():
            api.user.revoke_roles(username="jane", roles=["Manager"])
        self.fake.change_status(self.customer, "BLOCKED")
        self.assert_refused(self.come_back(browser, self.token()), browser)
        self.fake.change_status(self.customer, "ACTIVATED")
        self.fake.change_address(self.customer, "boss@lab.example.org")
        self.assert_refused(self.come_back(browser, self.token()), browser)
        self.fake.change_address(self.customer, "jane@other.example.org")
        self.fake.other_customer = self.jane
        self.assert_refused(self.come_back(browser, self.token()), browser)
        self.fake.other_customer = ""
        customer = self.customer
        with self.owner():
            api.user.delete(username="jane")
        self.assert_refused(self.come_back(browser, self.token(customer)), browser)
        self.assertIsNone(buyers.of_user(self.portal, "jane"))

    def test_away_often_and_not_set_up(self):
        browser = self.browser()
        token = self.token()
        self.fake.emergency = True
        found = self.come_back(browser, token)
        self.assertEqual((found.status_code, found.headers["Retry-After"]), (503, "60"))
        for _ in range(login.FROM_ONE):
            found = self.come_back(browser, token)
        self.assertEqual(found.status_code, 429)
        self.set(login_url="")
        self.assertEqual(self.visit(browser).status_code, 503)
        self.set(login=login.OFF)
        self.assertEqual(self.visit(browser).status_code, 404)
        self.set(login=login.ID_SYSTEM, enabled=False)
        self.assertEqual(self.visit(browser).status_code, 404)

    def test_pages_for_members_lead_to_it(self):
        found = self.page("@@plenigo-checkout?offer=O_1", who="")
        self.assertIn("/@@plenigo-login?came_from=", found.headers["Location"])


class TestService(LoginTestCase):
    def ask(self, value, **headers):
        return self.call("POST", "@plenigo-session", value, who="", **headers)

    def test_a_token_for_apps(self):
        session = self.fake.log_in(self.customer)
        for value in (
            {"transferToken": self.fake.hand_over(session)},
            {"customerSession": session},
        ):
            with self.subTest(value.keys()):
                found = self.ask(value)
                self.assertEqual(found.status_code, 200, found.text)
                self.assertNotIn("Set-Cookie", found.headers)
                bearer = {"Authorization": f"Bearer {found.json()['token']}"}
                mine = self.call("POST", "@plenigo-transfer-token", {}, who="", **bearer)
                self.assertEqual(mine.status_code, 200, mine.text)
        self.assertFalse(accounts.never_logged_in("jane"))

    def test_what_proves_nobody(self):
        for value, status in (
            ({"transferToken": "x"}, 401),
            ({"transferToken": "x" * 51}, 401),
            ({"customerSession": "x" * 5000}, 401),
            ({"customerSession": self.fake.log_in(self.jane)}, 401),
            ({}, 400),
            ({"transferToken": "x", "customerSession": "x"}, 400),
            ({"customerId": self.customer}, 400),
        ):
            with self.subTest(value):
                found = self.ask(value)
                self.assertEqual(found.status_code, status)
                self.assertNotIn("token", found.json())
        self.assertEqual(self.ask({}, Origin="http://evil.example").status_code, 403)
        session = self.fake.log_in(self.customer)
        self.fake.emergency = True
        self.assertEqual(self.ask({"customerSession": session}).status_code, 503)
        for _ in range(login.FROM_ONE):
            found = self.ask({"customerSession": "x"})
        self.assertEqual(found.status_code, 429)
        self.set(login=login.OFF)
        self.assertEqual(self.ask({"customerSession": session}).status_code, 404)
        self.set(enabled=False)
        self.assertEqual(self.ask({"customerSession": session}).status_code, 404)
