"""plenigo: vouchers, self-service and cancelling on the site, over HTTP."""

from datetime import timedelta
from niteoweb.click2sell import privacy
from niteoweb.click2sell.providers.plenigo import limits
from niteoweb.click2sell.providers.plenigo import sessions
from niteoweb.click2sell.provisioning import rates
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.buying import allowing
from niteoweb.click2sell.tests.cases.buying import JANE
from niteoweb.click2sell.tests.cases.buying import OFFER
from niteoweb.click2sell.tests.cases.buying import SelfServiceTestCase
from niteoweb.click2sell.tests.cases.buying import ZOE
from plone import api
from Products.PlonePAS.events import UserLoggedOutEvent
from unittest import mock
from zope.event import notify

import json
import logging
import re


CODE = "1234-5678-1234"


class TestVouchers(SelfServiceTestCase):
    def redeem(self, code=CODE, path="@plenigo-voucher/redeem", **options):
        return self.call("POST", path, {"code": code}, **options)

    def test_what_a_code_is_for(self):
        self.fake.add_voucher(CODE, OFFER)
        found = self.redeem(f" {CODE} ", "@plenigo-voucher")
        self.assertEqual((found.status_code, found.json()), (200, {"offer": {"id": OFFER}}))
        self.assertEqual(self.fake.asked, [])

    def test_a_free_offer(self):
        self.fake.add_voucher(CODE, OFFER)
        found = self.redeem(**{"X-Forwarded-For": "203.0.113.9"})
        self.assertEqual(found.status_code, 201, found.text)
        (_customers, customer), (name, value) = self.fake.asked
        self.assertEqual(name, "buyWithVoucher")
        self.assertEqual(
            value,
            {
                "customerId": customer["customerId"],
                "customerIpAddress": "203.0.113.9",
                "voucherCode": CODE,
            },
        )
        self.assertEqual(found.json()["order"], "1")
        self.assertNotIn(CODE, found.text)
        self.assertEqual(self.groups("jane"), ["click2sell", "premium"])

    def test_an_offer_that_costs_something(self):
        self.fake.add_voucher(CODE, OFFER, free=False)
        found = self.redeem()
        self.assertEqual(found.status_code, 201, found.text)
        self.assertEqual(
            [name for name, _value in self.fake.asked],
            ["customers", "buyWithVoucher", "preparePurchase"],
        )
        purchase = self.fake.purchases[-1]
        self.assertEqual((purchase["voucherCode"], "items" in purchase), (CODE, False))
        self.assertEqual(found.json()["purchaseId"], "purchase-1")
        self.assertEqual(self.buy({"voucher": CODE}).status_code, 201)

    def test_an_address_that_has_to_be_proved_first(self):
        self.fake.add_voucher(CODE, OFFER)
        self.fake.add_customer(JANE)
        found = self.form("@@plenigo-voucher", code=CODE, redeem="1")
        self.assertEqual(found.status_code, 409)
        self.assertIn(f'href="{self.site_url}/@@plenigo-link"', found.text)

    def test_all_refusals_are_one(self):
        self.fake.add_voucher("USED-1", OFFER)
        self.fake.vouchers["USED-1"]["used"] = True
        self.fake.add_voucher("OFF-1", OFFER, status="INACTIVE")
        answers = set()
        for code in ("NONE-1", "USED-1", "OFF-1", "../1", "a" * 30):
            for path in ("@plenigo-voucher", "@plenigo-voucher/redeem"):
                rates._calls.clear()
                found = self.redeem(code, path)
                self.assertEqual(found.status_code, 422, found.text)
                answers.add(found.text)
        self.fake.refuses = 90039
        self.fake.add_voucher(CODE, OFFER, free=False)
        answers.add(self.redeem().text)
        self.assertEqual(len(answers), 1, answers)
        self.assertEqual(self.buy({"voucher": "../1"}).text, answers.pop())

    def test_many_tries(self):
        for _ in range(limits.VOUCHERS.most):
            self.assertEqual(self.redeem("NONE-1").status_code, 422)
        self.fake.requests.clear()
        found = self.redeem("NONE-1")
        self.assertEqual((found.status_code, found.headers["Retry-After"]), (429, "60"))
        self.assertEqual(self.upstream(), [])
        # Another member may still try, up to as many as all may together.
        self.assertEqual(self.redeem("NONE-1", who="zoe").status_code, 422)
        self.later(minutes=11)
        self.assertEqual(self.redeem("NONE-1").status_code, 422)
        with allowing("VOUCHERS_OF_ALL", 1):
            self.assertEqual(self.redeem("NONE-1").status_code, 429)

    def test_a_member_asks_often(self):
        """Pages and services count together, each member alone."""
        self.subscribed()
        with allowing("MEMBER", 2):
            rates._calls.clear()
            self.assertEqual(self.page("@@plenigo-subscription").status_code, 200)
            self.assertEqual(self.call("GET", "@plenigo-subscriptions").status_code, 200)
            self.upstream()
            page = self.page("@@plenigo-subscription")
            self.assertEqual((page.status_code, page.headers["Retry-After"]), (429, "60"))
            self.assertIn("too often.", page.text)
            for method, path in (
                ("GET", "@plenigo-subscriptions"),
                ("POST", "@plenigo-transfer-token"),
                ("POST", "@plenigo-checkout"),
                ("POST", "@plenigo-voucher"),
                ("POST", "@plenigo-app-purchases/apple/associate"),
                ("GET", "@@plenigo-account"),
            ):
                with self.subTest(path):
                    self.set(apps=["apple|de.lab.app"])
                    found = self.call(method, path, {} if method == "POST" else None)
                    self.assertEqual(found.status_code, 429)
            self.assertEqual(self.upstream(), [])
            zoe = self.call("POST", "@plenigo-transfer-token", {}, who="zoe")
            self.assertEqual(zoe.status_code, 404)
            for _ in range(3):
                self.assertEqual(self.page("@@plenigo-account", who="").status_code, 302)
            self.later(minutes=1)
            self.assertEqual(self.page("@@plenigo-subscription").status_code, 200)

    def test_a_try_in_the_checkout_counts_like_the_others(self):
        self.fake.refuses = 35001
        found = [self.buy({"voucher": "NONE-1"}).status_code for _ in range(3)]
        self.assertEqual(found, [422] * 3)
        for _ in range(limits.VOUCHERS.most - 3):
            self.assertEqual(self.redeem("NONE-1").status_code, 422)
        self.assertEqual(self.buy({"voucher": "NONE-1"}).status_code, 429)
        with allowing("VOUCHERS_OF_ALL", limits.VOUCHERS.most):
            self.assertEqual(self.buy({"voucher": "NONE-1"}, who="zoe").status_code, 429)

    def test_a_lost_answer_is_not_repeated(self):
        self.fake.add_voucher(CODE, OFFER)
        answer = self.fake.answer

        def lost(request):
            found = answer(request)
            return self.fake.error(500) if "buyWithVoucher" in request.path else found

        with mock.patch.object(self.fake, "answer", lost):
            found = self.redeem()
        self.assertEqual((found.status_code, found.json()["type"]), (503, "Unanswered"))
        names = [name for name, _value in self.fake.asked]
        self.assertEqual(names.count("buyWithVoucher"), 1)
        # What was redeemed is there all the same.
        self.assertEqual(self.groups("jane"), ["click2sell", "premium"])

    def test_who_may(self):
        self.fake.add_voucher(CODE, OFFER)
        self.assertEqual(self.redeem(who="").status_code, 401)
        self.assertEqual(self.redeem(who="boss").status_code, 403)
        self.assertEqual(self.redeem(Origin="http://evil.example").status_code, 403)
        self.assertEqual(self.redeem(path="@plenigo-voucher/other").status_code, 404)
        self.fake.emergency = True
        self.assertEqual(self.redeem().status_code, 503)
        self.set(enabled=False)
        self.assertEqual(self.redeem().status_code, 404)
        self.assertEqual(self.page("@@plenigo-voucher").status_code, 404)
        self.assertEqual(self.fake.asked, [])

    def test_page(self):
        self.assertEqual(self.page("@@plenigo-voucher", who="").status_code, 302)
        refused = self.call("POST", "@@plenigo-voucher", {"code": CODE})
        self.assertEqual(refused.status_code, 403)
        self.fake.add_voucher(CODE, OFFER)
        found = self.form("@@plenigo-voucher", code=CODE)
        self.assertIn(f"<strong>{OFFER}</strong>", found.text)
        found = self.form("@@plenigo-voucher", code=CODE, redeem="1")
        self.assertIn("Your voucher was redeemed", found.text)
        found = self.form("@@plenigo-voucher", code=CODE, redeem="1")
        self.assertEqual(found.status_code, 422)
        self.assertIn("cannot be redeemed", found.text)
        self.fake.add_voucher("COSTS-1", OFFER, free=False)
        found = self.form("@@plenigo-voucher", code="COSTS-1", redeem="1")
        self.assertEqual(found.status_code, 303)
        self.assertIn("/@@plenigo-checkout/", found.headers["Location"])


class TestSelfService(SelfServiceTestCase):
    def token(self, **options):
        return self.call("POST", "@plenigo-transfer-token", {}, **options)

    @property
    def kept(self):
        return dict(trees.tree(self.portal, "plenigo_sessions"))

    def test_a_session_is_used_again(self):
        self.subscribed()
        first = self.token()
        self.assertEqual(first.json(), {"transferToken": "transfer-1"})
        value = json.loads(self.fake.requests[0].body)
        self.assertEqual((value["source"], value["ipAddress"]), ("localhost", "127.0.0.1"))
        begun = [f"POST sessions/{self.customer}", "POST sessions/transferToken"]
        self.assertEqual(self.upstream(), begun)
        self.assertEqual(self.token().json(), {"transferToken": "transfer-2"})
        again = ["GET sessions/validate", "POST sessions/transferToken"]
        self.assertEqual(self.upstream(), again)
        # It is over at plenigo.
        self.fake.sessions.clear()
        self.assertEqual(self.token().status_code, 200)
        self.assertEqual(self.upstream(), [again[0], *begun])
        # It is over here.
        self.later(hours=13)
        self.assertEqual(self.token().status_code, 200)
        self.assertEqual(self.upstream(), begun)
        self.assertEqual(len(trees.tree(self.portal, "plenigo_sessions_by_end")), 1)

    def test_it_is_told_nobody_and_goes(self):
        self.subscribed()
        with self.assertLogs(level="INFO") as logs:
            found = self.token()
            logging.getLogger().warning("The end.")
        (session,) = self.fake.sessions
        self.assertEqual(sessions.kept(self.portal, "jane", self.customer), session)
        self.assertEqual(sessions.kept(self.portal, "jane", "another"), "")
        self.assertNotIn(session, found.text + "".join(logs.output))
        exported = privacy.export.export(self.portal, JANE, self.now)
        (record,) = exported["kept_for_providers"]["plenigo"]
        self.assertEqual(list(record), ["session_kept_until"])
        notify(UserLoggedOutEvent(api.user.get(userid="jane").getUser()))
        self.assertEqual(self.kept, {})
        self.token()
        self.assertEqual(list(self.kept), ["jane"])
        sessions.SESSIONS.erase(self.portal, (ZOE,))
        self.assertEqual(list(self.kept), ["jane"])
        sessions.SESSIONS.erase(self.portal, (JANE,))
        self.assertEqual(self.kept, {})

    def test_as_many_sessions_as_there_may_be(self):
        self.subscribed()
        for _ in range(2):
            self.fake._begun(self.customer)
        self.assertEqual(self.token().status_code, 200)
        changed = ("changeSessions", f"removal of {self.customer}")
        (asked,) = [one for one in self.fake.requests if one.path[2:] == changed]
        self.assertEqual(asked.query, {"sessionId": "S1"})
        # Members who log in with plenigo have sessions that are not the site's to end.
        self.set(login="id-system")
        self.fake.sessions.clear()
        for _ in range(2):
            self.fake._begun(self.customer)
        self.assertEqual(
            (self.token().status_code, self.token().json()["type"]), (409, "SessionLimit")
        )

    def test_who_may(self):
        found = self.token()
        self.assertEqual((found.status_code, found.json()["type"]), (404, "NoCustomer"))
        self.assertEqual(self.token(who="").status_code, 401)
        self.subscribed()
        self.assertEqual(self.token(Origin="http://evil.example").status_code, 403)
        self.assertEqual(self.call("POST", "@plenigo-transfer-token/more", {}).status_code, 404)
        self.fake.emergency = True
        self.assertEqual(self.token().status_code, 503)
        self.assertEqual(self.fake.asked, [])

    def test_a_copy_of_the_site_begins_none(self):
        self.subscribed()
        with self.copied():
            self.assert_not_set_up(self.token())
            for name in ("cancel", "undo"):
                path = f"@plenigo-subscriptions/1/{name}"
                self.assert_not_set_up(self.call("POST", path, {}))
            path = "@plenigo-voucher/redeem"
            self.assert_not_set_up(self.call("POST", path, {"code": CODE}))

    def test_page(self):
        self.assertEqual(self.page("@@plenigo-account", who="").status_code, 302)
        found = self.page("@@plenigo-account")
        self.assertEqual(found.status_code, 404)
        self.assertIn("not bought anything", found.text)
        self.subscribed()
        found = self.page("@@plenigo-account?page=ORDER&subscription=7")
        self.assertEqual(found.status_code, 200)
        self.assertEqual(found.headers["Cache-Control"], "no-store")
        self.assertIn('data-page="ORDER"', found.text)
        self.assertIn('data-subscription="7"', found.text)
        main = found.text[found.text.index("plenigoSnippets") : found.text.index("</main>")]
        scripts = re.findall("<script.*?</script>", main, re.DOTALL)
        self.assertEqual(len(scripts), 3)
        for script in scripts:
            self.assertRegex(script, r'(?s)^<script[^>]+ src="[^"]+"[^>]*></script>$')
        # No token stands in it: nothing was asked.
        self.assertEqual(self.upstream(), [])
        odd = self.page("@@plenigo-account?page=EVIL&subscription=x").text
        self.assertIn('data-page=""', odd)
        self.assertIn('data-subscription=""', odd)
        path = "++plone++niteoweb.click2sell.plenigo/account.js"
        self.assertEqual(self.page(path).status_code, 200)


class TestSubscriptions(SelfServiceTestCase):
    def setUp(self):
        super().setUp()
        self.number = self.subscribed()
        self.dates = ["2027-02-20T00:00:00Z", "2027-03-20"]
        self.fake.dates[self.number] = self.dates
        self.fake.add_reason("too_expensive", en="Too expensive", de="Zu teuer")
        self.fake.add_reason("old", active=False, en="Old")
        self.fake.add_reason("rare", priority=0, de="Selten gelesen")

    def get(self, id_="", **options):
        path = f"/{id_}" if id_ else ""
        return self.call("GET", f"@plenigo-subscriptions{path}", **options)

    def act(self, name="cancel", id_=None, value=None, **options):
        path = f"@plenigo-subscriptions/{id_ or self.number}/{name}"
        return self.call("POST", path, value or {}, **options)

    def puts(self):
        return [one for one in self.upstream() if one.startswith("PUT")]

    def test_own_ones(self):
        self.fake.subscribe(self.jane, OFFER)
        (listed,) = self.get().json()["items"]
        self.assertEqual(listed["id"], str(self.number))
        self.assertTrue(listed["may_cancel"] and not listed["may_undo"])
        self.upstream()
        one = self.get(self.number).json()
        self.assertEqual(one["dates"], self.dates)
        self.assertEqual(
            one["reasons"],
            [
                {"id": "rare", "text": "Selten gelesen"},
                {"id": "too_expensive", "text": "Too expensive"},
            ],
        )
        path = f"GET subscriptions/{self.number}"
        reasons = "GET settings/customerCancellationReasons"
        self.assertEqual(self.upstream(), [path, f"{path}/cancel/dates", reasons])

    def test_cancelled_at_a_date_for_a_reason(self):
        value = {"date": self.dates[0], "reason": "too_expensive"}
        found = self.act(value=value)
        self.assertEqual(found.status_code, 200, found.text)
        (asked,) = [one for one in self.fake.requests if one.method == "PUT"]
        self.assertEqual(asked.path[2:], ("cancel", "at"))
        self.assertEqual(
            asked.query, {"sendMail": "true", "cancellationReasonUniqueId": "too_expensive"}
        )
        self.assertEqual(asked.body, b'{"cancellationDate": "2027-02-20T00:00:00Z"}')
        self.assertIsNotNone(found.json()["cancelled"])
        self.assertEqual(self.groups("jane"), ["click2sell", "premium"])
        self.assertIn("2027", self.page("@@my-purchases").text)

    def test_cancelled_as_early_as_possible_and_undone(self):
        found = self.act()
        self.assertEqual(found.status_code, 200, found.text)
        (asked,) = [one for one in self.fake.requests if one.method == "PUT"]
        self.assertEqual((asked.path[2:], asked.body), (("cancel", "regular"), b""))
        # Once more does nothing.
        self.upstream()
        self.assertEqual(self.act().status_code, 200)
        self.assertEqual(self.puts(), [])
        found = self.act("undo")
        self.assertEqual((found.status_code, found.json()["cancelled"]), (200, None))
        self.assertEqual(self.puts(), [f"PUT subscriptions/{self.number}/cancel/undo"])
        self.assertEqual(self.groups("jane"), ["click2sell", "premium"])

    def test_what_is_no_payment(self):
        """A cancellation and its undoing are none, told by plenigo or by an answer of it."""
        for name in ("cancel", "undo"):
            self.fake.clock.move(minutes=1)
            self.later(minutes=1)
            self.assertEqual(self.act(name).status_code, 200)
            self.deliver()
        (payment,) = self.call("GET", "@my-purchases").json()["payments"]
        self.assertEqual(payment["kind"], "purchase")

    def test_what_is_not_offered(self):
        for value in ({"date": "2027-02-21"}, {"reason": "old"}, {"when": "now"}):
            self.assertEqual(self.act(value=value).status_code, 400)
        self.assertEqual(self.puts(), [])

    def test_others(self):
        zoes = self.subscribed("zoe")
        self.fake.dates[zoes] = self.dates
        gift = self.fake.subscribe(self.customers("zoe"), OFFER)
        self.fake.change(gift, deliveryCustomerId=self.customer)
        for id_ in (zoes, gift, 999, "x", "%D9%A3"):
            self.assertEqual(self.get(id_).status_code, 404)
            self.assertEqual(self.act(id_=id_).status_code, 404)
            self.assertEqual(self.act("undo", id_=id_).status_code, 404)
        self.assertEqual(len(self.get().json()["items"]), 1)
        self.assertEqual(self.puts(), [])

    def test_what_cannot_be_cancelled_here(self):
        for fields, code in (
            ({"managedExternal": True}, 40009),
            ({"managedExternal": False, "managedBy": "WBZ"}, 40009),
            ({"managedBy": "PLENIGO", "customerCancellationBlocked": True}, None),
        ):
            self.fake.change(self.number, **fields)
            found = self.act()
            self.assertEqual((found.status_code, found.json().get("code")), (409, code))
            self.assertFalse(self.get(self.number).json()["may_cancel"])
        self.fake.change(self.number, customerCancellationBlocked=False)
        self.set(members_may_cancel=False)
        self.assertEqual(self.act().status_code, 409)
        self.assertEqual(self.puts(), [])

    def test_what_has_ended_is_not_taken_up_again(self):
        ended = (self.now - timedelta(hours=1)).isoformat()
        self.fake.change(self.number, cancellationDate=ended, endDate=ended)
        self.assertFalse(self.get(self.number).json()["may_undo"])
        self.assertEqual(self.act("undo").status_code, 409)
        self.assertEqual(self.puts(), [])

    def test_plenigo_says_no_or_it_is_done_already(self):
        cancelled = self.fake._cancelled
        with mock.patch.object(
            self.fake, "_cancelled", lambda id_, value: self.fake.error(400, 40018)
        ):
            found = self.act()
        self.assertEqual((found.status_code, found.json()["code"]), (409, 40018))

        def meanwhile(id_, value):
            cancelled(id_, value)
            return self.fake.error(400, 40012)

        with mock.patch.object(self.fake, "_cancelled", meanwhile):
            found = self.act()
        self.assertEqual(found.status_code, 200, found.text)
        self.assertIsNotNone(found.json()["cancelled"])

    def test_a_lost_answer(self):
        cancelled = self.fake._cancelled

        def lost(id_, value):
            cancelled(id_, value)
            return self.fake.error(500)

        with mock.patch.object(self.fake, "_cancelled", lost):
            found = self.act()
        self.assertEqual(found.status_code, 200, found.text)
        with mock.patch.object(self.fake, "_undone", lambda id_, value: self.fake.error(500)):
            self.assertEqual(self.act("undo").status_code, 503)

    def test_a_token_without_all_rights(self):
        """Nobody is kept from cancelling."""
        with (
            mock.patch.object(self.fake, "_dates", lambda id_, value: self.fake.error(403)),
            mock.patch.object(self.fake, "reasons", [{"uniqueId": 7, "active": "x"}]),
        ):
            one = self.get(self.number).json()
            self.assertEqual((one["dates"], one["reasons"]), ([], []))
            self.assertEqual(self.act().status_code, 200)

    def test_who_may(self):
        self.assertEqual(self.get(who="").status_code, 401)
        self.assertEqual(self.act(who="").status_code, 401)
        self.assertEqual(self.act(Origin="http://evil.example").status_code, 403)
        self.assertEqual(self.get(who="zoe").json()["type"], "NoCustomer")
        self.assertEqual(self.act("now").status_code, 404)
        self.assertEqual(self.get(f"{self.number}/more").status_code, 404)
        self.set(enabled=False)
        self.assertEqual(self.get().status_code, 404)
        self.assertEqual(self.act().status_code, 404)

    def test_pages(self):
        path = "@@plenigo-subscription"
        self.assertEqual(self.page(path, who="").status_code, 302)
        self.assertIn(f"{path}/{self.number}", self.page(path).text)
        self.set(mapping=[f"{OFFER}|premium|title=The digital edition"])
        self.assertIn("The digital edition", self.page(path).text)
        url = f"{path}/{self.number}"
        page = self.page(url)
        for text in ("2027-02-20T00:00:00Z", "Too expensive", "Cancel this subscription"):
            self.assertIn(text, page.text)
        self.assertEqual(self.call("POST", url, {}).status_code, 403)
        found = self.form(url, date="2031-01-01")
        self.assertEqual(found.status_code, 400)
        self.assertIn("no longer available", found.text)
        found = self.form(url, date=self.dates[0], reason="too_expensive")
        self.assertIn("Your cancellation was received on", found.text)
        self.assertIn("2027", found.text)
        found = self.form(url, undo="1")
        self.assertIn("The cancellation was undone", found.text)
        self.assertEqual(self.page(f"{path}/999").status_code, 404)
        self.assertEqual(self.page(f"{path}/999", who="zoe").status_code, 404)

    def test_my_purchases_leads_there(self):
        text = self.page("@@my-purchases").text
        for name in ("@@plenigo-account", "@@plenigo-subscription", "@@plenigo-voucher"):
            self.assertIn(name, text)
        text = self.page("@@my-purchases", who="zoe").text
        self.assertIn("@@plenigo-voucher", text)
        self.assertNotIn("@@plenigo-subscription", text)
        self.set(enabled=False)
        self.assertNotIn("@@plenigo", self.page("@@my-purchases").text)
