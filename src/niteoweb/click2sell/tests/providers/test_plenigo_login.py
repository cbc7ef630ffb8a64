"""plenigo: logging in with an id system or its own login; the plenigo is not real."""

from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.provider import exchange
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.plenigo import checkout
from niteoweb.click2sell.providers.plenigo import limits
from niteoweb.click2sell.providers.plenigo import login
from niteoweb.click2sell.providers.plenigo import oauth
from niteoweb.click2sell.providers.plenigo import sessions
from niteoweb.click2sell.provisioning import rates
from niteoweb.click2sell.settings import rules
from niteoweb.click2sell.testing import Response
from niteoweb.click2sell.tests.cases.buying import ShopTestCase
from niteoweb.click2sell.tests.cases.providers import PLENIGO
from plone import api
from unittest import mock
from urllib.parse import parse_qs
from urllib.parse import parse_qsl
from urllib.parse import urlencode
from urllib.parse import urlsplit

import logging
import re
import requests
import transaction


ID_SYSTEM = "https://id.example.org/login"
#: Answers that are no answers: without a token, and a page.
BARE, PAGE = Response(200, {}), Response(404, b"<html>Not here</html>")
NAMES = "offer|_authenticator|customerSession|state|came_from"
FIELDS = re.compile(rf'name="({NAMES})"[^>]*value="([^"]*)"')


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

    def take_codes(self):
        self.set(client_secret=self.fake.client_secret)

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
        self.assertEqual(found.headers["Referrer-Policy"], "no-referrer")
        self.assertEqual(found.headers["Cache-Control"], "no-store")
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
        self.assertEqual(list(form), ["offer", "came_from", "_authenticator"])
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

    def test_who_can_administer_the_site_or_is_kept_out(self):
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
        for _ in range(limits.LOGINS.most):
            found = self.come_back(browser, token)
        self.assertEqual(found.status_code, 429)
        self.set(login_url="")
        self.assertEqual(self.visit(browser).status_code, 503)
        self.set(login=login.OFF)
        self.assertEqual(self.visit(browser).status_code, 404)
        self.set(login=login.ID_SYSTEM, enabled=False)
        self.assertEqual(self.visit(browser).status_code, 404)

    def test_who_is_refused_finds_the_form_of_the_site(self):
        """A member whom no purchase has connected yet: else nobody could make the first."""
        browser, art = self.browser(), f"{self.site_url}/art"
        state = self.leave(browser)["state"][0]
        found = self.come_back(browser, "x", state, art)
        self.assert_refused(found, browser)
        query = urlencode({"came_from": art})
        self.assertIn(f'href="{self.site_url}/login?{query}"', found.text)
        self.assertIn(f'href="{self.site_url}/@@plenigo-login?{query}"', found.text)

    def test_pages_for_members_lead_to_it(self):
        found = self.page("@@plenigo-checkout?offer=O_1", who="")
        self.assertIn("/@@plenigo-login?came_from=", found.headers["Location"])


class TestOwnLogin(LoginTestCase):
    """plenigo's own login, in a page of the site."""

    def setUp(self):
        super().setUp()
        self.set(login=login.PLENIGO, login_url="")
        self.own = "://".join(urlsplit(self.site_url)[:2])

    def form(self, browser, query=""):
        found = self.visit(browser, query)
        self.assertEqual(found.status_code, 200)
        return dict(FIELDS.findall(found.text))

    def send(self, browser, form, origin=None, **values):
        transaction.commit()
        found = browser.post(
            f"{self.site_url}/@@plenigo-login",
            data={**form, **values},
            headers={"Origin": origin or self.own},
            allow_redirects=False,
            timeout=30,
        )
        transaction.begin()
        return found

    def test_the_page(self):
        browser = self.browser()
        page = self.visit(browser, f"?came_from={self.site_url}/art")
        self.assertEqual(page.headers["Cache-Control"], "no-store")
        # With "no-referrer" a browser would send the form without its origin.
        self.assertEqual(page.headers["Referrer-Policy"], "strict-origin-when-cross-origin")
        self.assertEqual(self.fake.requests, [])
        (cookie,) = browser.cookies
        self.assertTrue(cookie.has_nonstandard_attr("HttpOnly"))
        main = page.text[page.text.index("plenigoLogin") : page.text.index("</main>")]
        scripts = re.findall("<script.*?</script>", main, re.DOTALL)
        self.assertEqual(len(scripts), 3)
        for script in scripts:
            self.assertRegex(script, r'(?s)^<script[^>]+ src="[^"]+"[^>]*></script>$')
        self.assertIn(f'src="{self.fake.url}/sdk/COMP/plenigo_sdk.min.js"', scripts[1])
        self.assertIn('data-sso="true"', scripts[1])
        query = urlencode({"came_from": f"{self.site_url}/art"})
        self.assertIn(f'href="{self.site_url}/login?{query}"', main)
        found = self.page("@@plenigo-checkout?offer=O_1", who="")
        self.assertIn("/@@plenigo-login?came_from=", found.headers["Location"])

    def test_a_session_logs_in(self):
        browser = self.browser()
        form = self.form(browser, f"?came_from={self.site_url}/art")
        self.assertEqual(form["customerSession"], "")
        session = self.fake.log_in(self.customer)
        found = self.send(browser, form, customerSession=session)
        self.assertEqual(found.status_code, 303, found.text)
        self.assertEqual(found.headers["Location"], f"{self.site_url}/art")
        self.assertEqual(
            [one.path for one in self.fake.requests],
            [("sessions", name) for name in ("validate", "customerData")],
        )
        self.assertTrue(self.is_logged_in(browser))
        self.assertEqual(sessions.kept(self.portal, "jane", self.customer), session)
        other = self.browser()
        form = self.form(other, "?came_from=http://evil.example")
        found = self.send(other, form, customerSession=session)
        self.assertEqual(found.headers["Location"], self.site_url)

    def test_without_the_state_one_is_asked(self):
        browser = self.browser()
        theirs = self.form(self.browser())["state"]
        session = self.fake.log_in(self.customer)
        for state in ("", theirs):
            form = self.form(browser)
            found = self.send(browser, form, customerSession=session, state=state)
            self.assertEqual(found.status_code, 200)
            self.assertIn("j…@lab.example.org", found.text)
            self.assertNotIn(session, found.text)
            self.assertNotIn("__ac", browser.cookies)
        form = dict(FIELDS.findall(found.text))
        self.assertEqual(self.send(browser, form).status_code, 303)
        self.assertTrue(self.is_logged_in(browser))

    def test_who_and_what_is_refused(self):
        session, browser = self.fake.log_in(self.customer), self.browser()
        form = {**self.form(browser), "customerSession": session}
        # Nothing is asked of plenigo for a page of another site, or without the token.
        for options in (
            {"origin": "http://evil.example"},
            {"origin": "null"},
            {"_authenticator": "x"},
        ):
            self.assert_refused(self.send(browser, form, **options), browser)
        self.assertEqual(self.fake.requests, [])
        # A session in an address is none.
        token = self.fake.hand_over(self.fake.log_in(self.jane))
        for query in ("?", "?transferToken=x&"):
            self.visit(browser, f"{query}customerSession={session}")
            self.assertFalse(self.is_logged_in(browser))
        boss = self.fake.add_customer("boss@lab.example.org")
        unknown = [self.fake.log_in(customer) for customer in (boss, self.jane)]
        for value in ("", "x", "x" * 5000, token, *unknown):
            rates._calls.clear()
            form = self.form(browser)
            self.assert_refused(self.send(browser, form, customerSession=value), browser)
        rates._calls.clear()
        self.fake.change_status(self.customer, "BLOCKED")
        form = {**self.form(browser), "customerSession": session}
        self.assert_refused(self.send(browser, form), browser)
        self.fake.change_status(self.customer, "ACTIVATED")
        with self.owner():
            api.user.grant_roles(username="jane", roles=["Manager"])
        self.assert_refused(self.send(browser, form), browser)

    def test_away_often_off_and_not_set_up(self):
        session, browser = self.fake.log_in(self.customer), self.browser()
        form = {**self.form(browser), "customerSession": session}
        self.fake.emergency = True
        self.assertEqual(self.send(browser, form).status_code, 503)
        for _ in range(limits.LOGINS.most):
            found = self.send(browser, form)
        self.assertEqual(found.status_code, 429)
        self.fake.emergency = False
        rates._calls.clear()
        # Where an id system is the login, no page of this site takes a session.
        self.set(login=login.ID_SYSTEM)
        self.assert_refused(self.send(browser, form), browser)
        self.set(login=login.OFF)
        self.assertEqual(self.send(browser, form).status_code, 404)
        self.assertEqual(self.visit(browser).status_code, 404)
        self.set(login=login.PLENIGO, company_id="")
        found = self.visit(browser)
        self.assertEqual(found.status_code, 503)
        self.assertNotIn("plenigo_sdk", found.text)
        self.assertNotIn(login.COOKIE, found.cookies)


class TestAccessCode(LoginTestCase):
    """The older login by OAuth2, on the page."""

    def setUp(self):
        super().setUp()
        self.take_codes()
        self.page_url = f"{self.site_url}/@@plenigo-login"

    def code(self, customer_id=None):
        return self.fake.authorize(customer_id or self.customer, self.page_url)

    def come_back(self, browser, code, state=""):
        return self.visit(browser, f"?code={code}&state={state}")

    def test_with_the_state_one_is_logged_in(self):
        browser, code = self.browser(), self.code()
        state = self.leave(browser)["state"][0]
        found = self.come_back(browser, code, state)
        self.assertEqual(found.status_code, 303, found.text)
        self.assertTrue(self.is_logged_in(browser))
        verify, profile, customer = self.fake.requests
        self.assertEqual((verify.method, verify.path), ("POST", ("v2", "oauth2", "verify")))
        self.assertEqual(
            dict(parse_qsl(verify.body.decode())),
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self.page_url,
                "client_id": "COMP",
                "client_secret": self.fake.client_secret,
            },
        )
        self.assertEqual(profile.path, ("v2", "user", "profile"))
        self.assertEqual(customer.path, ("customers", self.customer))
        for one in verify, profile:
            self.assertNotIn("x-plenigo-token", one.headers)
        self.assertFalse(sessions.kept(self.portal, "jane", self.customer))
        other = self.browser()
        self.assert_refused(self.come_back(other, code, *self.leave(other)["state"]), other)

    def test_without_the_state_one_is_asked(self):
        browser = self.browser()
        theirs = self.leave(self.browser())["state"][0]
        for state in ("", theirs):
            found = self.come_back(browser, self.code(), state)
            self.assertEqual(found.status_code, 200)
            self.assertIn("j…@lab.example.org", found.text)
            self.assertNotIn("__ac", browser.cookies)
        form = dict(FIELDS.findall(found.text))
        self.assertEqual(self.visit(browser, data=form).status_code, 303)
        self.assertTrue(self.is_logged_in(browser))

    def test_no_codes_where_no_secret_is_set(self):
        for values in ({"client_secret": None}, {"client_secret": "x", "login": login.OFF}):
            self.set(**values)
            found = self.come_back(self.browser(), self.code())
            self.assertEqual(found.status_code, 404)
        self.assertEqual(self.fake.requests, [])


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
        for _ in range(limits.LOGINS.most):
            found = self.ask({"customerSession": "x"})
        self.assertEqual(found.status_code, 429)
        self.set(login=login.OFF)
        self.assertEqual(self.ask({"customerSession": session}).status_code, 404)
        self.set(enabled=False)
        self.assertEqual(self.ask({"customerSession": session}).status_code, 404)


class TestAccessCodeService(LoginTestCase):
    """The older login by OAuth2, as a service."""

    def setUp(self):
        super().setUp()
        self.take_codes()

    def ask(self, code, status, **more):
        rates._calls.clear()
        value = {"accessCode": code, **more}
        found = self.call("POST", "@plenigo-session", value, who="")
        self.assertEqual(found.status_code, status, found.text)
        self.assertEqual("token" in found.json(), status == 200)
        self.assertNotIn("Set-Cookie", found.headers)
        return found.json()

    def test_a_code_is_good_once(self):
        code = self.fake.authorize(self.customer)
        bearer = {"Authorization": f"Bearer {self.ask(code, 200)['token']}"}
        mine = self.call("GET", "@plenigo-subscriptions", who="", **bearer)
        self.assertEqual(mine.status_code, 200, mine.text)
        self.assertNotIn(b"redirect_uri", self.fake.requests[0].body)
        self.assertFalse(accounts.never_logged_in("jane"))
        self.assertEqual(self.ask(code, 401)["type"], "NotProved")
        for odd in ("", "x", "x" * (oauth.LONGEST_CODE + 1)):
            self.ask(odd, 401)

    def test_the_page_that_was_told_the_code(self):
        page = f"{self.site_url}/player"
        code = self.fake.authorize(self.customer, page)
        for other in ("http://evil.example/", "/player", f"{self.site_url}.evil.example/"):
            self.ask(code, 400, redirectUri=other)
        self.assertEqual(self.fake.requests, [])
        self.ask(code, 200, redirectUri=page)
        self.ask(self.fake.authorize(self.customer, page), 401)
        refused = ({"transferToken": "x"}, {"customerSession": "x"})
        for more in refused:
            self.ask("x", 400, **more)
        lone = {"redirectUri": page, "transferToken": "x"}
        self.assertEqual(self.call("POST", "@plenigo-session", lone, who="").status_code, 400)

    def test_the_profile_has_to_be_that_of_a_customer_of_the_present_api(self):
        theirs = self.fake.add_customer("zoe@lab.example.org")
        same = self.ask("x", 401)
        for profile in (
            {"userId": None},
            {"userId": ""},
            {"userId": "999999"},
            {"userId": "../orders"},
            {"userId": theirs},
            {"userId": theirs, "email": "zoe@lab.example.org"},
            {"email": None},
            {"email": ""},
            {"email": "jane@other.example.org"},
            {"error": "invalid_token"},
        ):
            with self.subTest(profile):
                self.fake.profile = profile
                self.assertEqual(self.ask(self.fake.authorize(self.customer), 401), same)
        for profile in ({"userId": ["x"]}, {"email": {"x": "y"}}):
            self.fake.profile = profile
            self.ask(self.fake.authorize(self.customer), 503)
        self.fake.profile = {"id": int(self.customer), "email": "Jane@Lab.Example.org"}
        self.ask(self.fake.authorize(self.customer), 200)
        self.fake.profile = {"userId": None, "id": self.customer}
        self.ask(self.fake.authorize(self.customer), 200)
        self.assertIsNone(self.member("zoe@lab.example.org"))
        # Two who have none have no address in common.
        self.fake.customers[self.customer]["email"] = ""
        self.fake.profile = {"email": ""}
        self.ask(self.fake.authorize(self.customer), 401)

    def test_who_is_kept_out(self):
        self.fake.change_status(self.customer, "BLOCKED")
        self.ask(self.fake.authorize(self.customer), 401)
        self.fake.change_status(self.customer, "ACTIVATED")
        self.fake.change_address(self.customer, "boss@lab.example.org")
        self.ask(self.fake.authorize(self.customer), 401)
        self.fake.change_address(self.customer, "jane@lab.example.org")
        with self.owner():
            api.user.grant_roles(username="jane", roles=["Manager"])
        self.ask(self.fake.authorize(self.customer), 401)

    def test_away_often_and_not_set_up(self):
        code = self.fake.authorize(self.customer)
        self.set(client_secret="wrong")
        with self.assertLogs("niteoweb.click2sell", "WARNING") as logged:
            self.assertEqual(self.ask(code, 503)["type"], "NotSetUp")
        self.assertEqual(len(logged.output), 1)
        self.take_codes()
        self.fake.outage = True
        self.assertEqual(self.ask(code, 503)["type"], "Unreachable")
        self.fake.outage = False
        with mock.patch.dict(self.fake.__dict__, _exchanged=lambda value: BARE):
            self.ask(code, 401)
        with mock.patch.dict(self.fake.__dict__, _exchanged=lambda value: PAGE):
            self.ask(code, 503)
        self.set(company_id="")
        self.take_codes()
        self.assertEqual(self.ask(code, 503)["type"], "NotSetUp")
        self.set(company_id="COMP", client_secret=self.fake.client_secret)
        for _ in range(limits.LOGINS.most):
            self.call("POST", "@plenigo-session", {"accessCode": "x"}, who="")
        value = {"accessCode": code}
        found = self.call("POST", "@plenigo-session", value, who="")
        self.assertEqual(found.status_code, 429)
        self.fake.requests.clear()
        found = self.call("POST", "@plenigo-session", value, who="", Origin="http://evil.test")
        self.assertEqual(found.status_code, 403)
        self.set(client_secret=None)
        self.ask(code, 404)
        self.set(client_secret="x", login=login.OFF)
        self.ask(code, 404)
        self.assertEqual(self.fake.requests, [])

    def test_the_secret_goes_to_the_host_of_the_api_alone(self):
        self.set(api_url="https://api.plenigo.example")
        self.set(api_token="t", client_secret="x")
        with mock.patch.object(exchange, "once") as asked, self.assertRaises(checkout.NotSetUp):
            login.exchange("code-1", "")
        asked.assert_not_called()

    def test_nothing_of_it_is_in_a_log(self):
        code = self.fake.authorize(self.customer)
        with self.assertLogs(level=logging.DEBUG) as logged:
            logging.getLogger("urllib3.connectionpool").debug("there is a log")
            self.ask(code, 200)
            self.ask(code, 401)
            self.fake.profile = {"email": "other@example.org"}
            self.ask(self.fake.authorize(self.customer), 401)
            self.set(client_secret="wrong-secret")
            self.ask(code, 503)
        text = "".join(logged.output)
        self.assertIn("there is a log", text)
        for secret in ("code-", "access-token", self.fake.client_secret, "wrong-secret"):
            self.assertNotIn(secret, text)
        for secret in ("lab.example.org", "other@example.org", self.customer):
            self.assertNotIn(secret, text)


class TestCompanySecret(LoginTestCase):
    """The secret belongs to the company and to the address, however they are changed."""

    def secret(self):
        transaction.begin()
        return registry.settings(PLENIGO).client_secret

    def test_what_clears_it(self):
        for values, secret in (
            ({"client_secret": "new"}, "new"),
            ({"client_secret": None}, "new"),
            ({"company_id": "OTHER"}, None),
            ({"company_id": "COMP", "client_secret": "new"}, "new"),
            ({"api_url": "https://example.org/api/v3.0"}, None),
            ({"client_secret": "new"}, "new"),
            ({"client_secret_clear": True}, None),
        ):
            with self.subTest(values):
                rules.save(values, PLENIGO)
                transaction.commit()
                self.assertEqual(self.secret(), secret)
        both = {"client_secret": "new", "client_secret_clear": True}
        ((name, _text),) = rules.validate(both, PLENIGO)
        self.assertEqual(name, "client_secret_clear")

    def test_the_registry_and_what_is_told(self):
        self.take_codes()
        name = "niteoweb.click2sell.interfaces.IPlenigoSettings.company_id"
        with self.owner():
            for where in ("@@plenigo-settings", "@controlpanels/plenigo"):
                found = self.call("GET", where, who="boss")
                self.assertEqual(found.status_code, 200)
                self.assertNotIn(self.fake.client_secret, found.text)
            self.assertIs(found.json()["client_secret_is_set"], True)
            self.assertIn(self.fake.client_secret, registry.secrets())
            api.portal.set_registry_record(name, "OTHER")
        transaction.commit()
        self.assertIsNone(self.secret())
        self.assertTrue(registry.settings(PLENIGO).api_token)
