"""plenigo: pages that its rights of access open, over HTTP, with a plenigo that is not real."""

from datetime import timedelta
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.plenigo import accessrights
from niteoweb.click2sell.providers.plenigo.fake import FakePlenigo
from niteoweb.click2sell.providers.plenigo.fake import TOKEN
from niteoweb.click2sell.providers.plenigo.provider import PROVIDER as PLENIGO
from niteoweb.click2sell.provisioning import rates
from niteoweb.click2sell.testing import Clock
from niteoweb.click2sell.testing import Response
from niteoweb.click2sell.tests.cases.buying import allowing
from niteoweb.click2sell.tests.cases.hanging import HangingServer
from niteoweb.click2sell.tests.cases.layers import NOW
from niteoweb.click2sell.tests.cases.paywall import BEHAVIOR
from niteoweb.click2sell.tests.cases.paywall import PaywallTestCase
from niteoweb.click2sell.tests.cases.paywall import SECRET
from niteoweb.click2sell.tests.cases.services import MANAGER
from niteoweb.click2sell.tests.cases.services import SITE_ADMINISTRATOR
from plone import api
from unittest import mock

import transaction


PASSWORD = "Wd7-fk3h-qqRz"
JANE = ("jane", PASSWORD)
OFFER = "O_OFFER0000000000001"


class RightsTestCase(PaywallTestCase):
    behaviors = (BEHAVIOR, "niteoweb.click2sell.plenigo")

    def setUp(self):
        self.fake = self.enterContext(FakePlenigo(clock=Clock(NOW)))
        self.enterContext(mock.patch.dict("os.environ", {jsonapi.INSECURE_VARIABLE: "1"}))
        self.enterContext(mock.patch.object(jsonapi, "PAUSES", ()))
        self.addCleanup(accessrights._answers.clear)
        rates._calls.clear()
        super().setUp()
        self.set(
            enabled=True,
            secretkey=self.fake.callbacks.secret,
            api_url=self.fake.url,
            api_token=TOKEN,
            customer_api_url=f"{self.fake.url}/customer",
            company_id="COMP",
            sdk_url=f"{self.fake.url}/sdk/{{company_id}}/plenigo_sdk.min.js",
            offers=[OFFER],
            mapping=[f"{OFFER}|premium|title=Digital"],
        )
        with self.owner():
            self.portal.acl_users.userFolderAddUser("jane", PASSWORD, ["Member"], [])
            api.user.get(userid="jane").setMemberProperties({"email": "jane@lab.example.org"})
        self.fake.rights_of_offers = {OFFER: "digital"}

    def closed(self):
        return {"access_rights": ["digital"], "plenigo_offers": [OFFER]}

    def set(self, **values):
        for name, value in values.items():
            setattr(registry.settings(PLENIGO), name, value)
        transaction.commit()

    def begin(self):
        """Jane becomes a customer by beginning a purchase."""
        found = self.json("@plenigo-checkout", JANE, "POST", json={"offer": OFFER})
        self.assertEqual(found.status_code, 201, found.text)
        return found.json()

    def buy_digital(self):
        """Jane buys; plenigo's callbacks are lost, and the answer of the checkout counts."""
        begun = self.begin()
        order = self.fake.buy(begun["purchaseId"])
        self.fake.callbacks.pending.clear()
        path = f"@plenigo-checkout/{begun['id']}/done"
        found = self.json(path, JANE, "POST", json={"order": order})
        self.assertEqual(found.json()["result"], "bought")
        del self.fake.requests[:]

    def asked(self):
        """How often plenigo was asked for access since last time."""
        paths = [one.path for one in self.fake.requests]
        del self.fake.requests[:]
        return sum(path[-1] == "hasAccess" for path in paths)

    def reads(self, path="art", who=JANE, status=200):
        answer = self.call(path, who)
        self.assertEqual(answer.status_code, status, answer.text[-300:])
        is_open = SECRET in answer.text
        self.assertEqual("This page is for members" in answer.text, not is_open)
        self.shown = answer.text
        return is_open

    def pass_time(self, **time):
        self.later(**time)
        self.fake.clock.move(**time)


class TestPages(RightsTestCase):
    def test_plenigo_is_asked_once_for_some_time(self):
        self.buy_digital()
        self.assertTrue(self.reads())
        self.assertTrue(self.reads("issue/inside"))
        self.assertEqual(self.asked(), 1)
        request = self.fake.requests
        self.pass_time(seconds=61)
        self.assertTrue(self.reads())
        self.assertEqual(self.asked(), 1)
        self.set(access_seconds=0)
        self.pass_time(seconds=61)
        self.assertTrue(self.reads())
        self.assertTrue(self.reads())
        self.assertEqual(self.asked(), 2)
        self.assertEqual(request, [])

    def test_what_plenigo_says_about_keeping_counts(self):
        self.buy_digital()
        self.fake.cached_for = timedelta(seconds=10)
        self.assertTrue(self.reads())
        self.pass_time(seconds=11)
        self.assertTrue(self.reads())
        self.assertEqual(self.asked(), 2)

    def test_visitors_editors_and_strangers_are_not_asked_about(self):
        self.begin()
        self.asked()
        self.assertFalse(self.reads(who=None))
        self.assertIn("Digital gives you access.", self.shown)
        self.assertIn(f"@@plenigo-checkout?offer={OFFER}&amp;came_from=http", self.shown)
        self.assertTrue(self.reads(who=MANAGER))
        self.assertFalse(self.reads(who=("member", "secret")))
        self.assertEqual(self.fake.requests, [])

    def test_no_access_and_a_customer_plenigo_does_not_know(self):
        self.begin()
        self.assertFalse(self.reads())
        self.assertIn("Digital gives you access.", self.shown)
        self.assertEqual(self.asked(), 1)
        self.fake.customers.clear()
        self.pass_time(seconds=31)
        self.assertFalse(self.reads())
        self.assertEqual(self.asked(), 1)

    def test_a_purchase_opens_the_page_at_once(self):
        self.begin()
        self.assertFalse(self.reads())
        self.buy_digital()
        self.assertTrue(self.reads())

    def test_no_answer_and_nothing_known(self):
        """What is no answer is no "no": but nobody is let in by it."""
        self.begin()
        for url, token in ((self.fake.url, "wrong"), ("http://127.0.0.1:1/api", TOKEN)):
            with self.subTest(url):
                # Another address removes the token.
                self.set(api_url=url)
                self.set(api_token=token)
                self.assertFalse(self.reads(status=503))
                self.assertNotIn("plenigo-checkout", self.shown)
                self.assertIn("cannot be checked", self.shown)
        self.set(api_url=self.fake.url)
        self.set(api_token=TOKEN)
        self.fake.emergency = True
        self.assertFalse(self.reads(status=503))
        self.fake.emergency = False
        self.fake.outage = True
        self.assertFalse(self.reads(status=503))

    def test_while_plenigo_hangs_nobody_waits_long(self):
        self.begin()
        with HangingServer(HangingServer.answer_never) as hanging:
            self.set(api_url=hanging.url)
            self.set(api_token=TOKEN)
            answer = self.json("@search?fullobjects=1", JANE)
            self.assertFalse(self.reads(status=503))
        self.assertNotIn(SECRET, answer.text)
        self.assertEqual(answer.status_code, 200)

    def test_no_answer_and_a_purchase_that_the_site_knows(self):
        self.buy_digital()
        self.fake.outage = True
        self.assertTrue(self.reads())

    def test_no_answer_after_a_yes(self):
        self.begin()
        customer = next(iter(self.fake.customers))
        # plenigo knows something that the site has not heard of.
        self.fake.subscribe(customer, "O_OTHER", access_right="digital")
        self.assertTrue(self.reads())
        self.fake.outage = True
        self.pass_time(hours=1)
        self.assertTrue(self.reads())
        answer = self.json("art/@plenigo-access", JANE).json()
        self.assertEqual((answer["access"], answer["certain"]), (True, False))
        self.pass_time(hours=23)
        self.assertFalse(self.reads(status=503))

    def test_grace_ends_with_the_access(self):
        self.begin()
        customer = next(iter(self.fake.customers))
        number = self.fake.subscribe(customer, "O_OTHER", access_right="digital", days=1)
        self.fake.cancel(number)
        self.set(access_grace_hours=168)
        self.assertTrue(self.reads())
        self.fake.outage = True
        self.pass_time(hours=23)
        self.assertTrue(self.reads())
        self.pass_time(hours=2)
        self.assertFalse(self.reads(status=503))

    def test_a_customer_whom_plenigo_keeps_out(self):
        self.buy_digital()
        for customer in self.fake.customers.values():
            customer["status"] = "BLOCKED"
        self.assertFalse(self.reads())
        # Not by the site's own knowledge either, while plenigo is away.
        self.fake.outage = True
        self.pass_time(minutes=2)
        self.assertFalse(self.reads(status=503))

    def test_without_a_token_and_switched_off(self):
        self.buy_digital()
        self.set(api_token=None)
        self.assertTrue(self.reads())
        self.set(enabled=False, api_token=TOKEN)
        self.assertTrue(self.reads())
        self.assertFalse(self.reads(who=None))
        self.assertNotIn("plenigo-checkout", self.shown)
        self.assertEqual(self.asked(), 0)
        self.pass_time(days=40)
        self.fake.customers.clear()
        self.set(api_token=None)
        self.assertTrue(self.reads())

    def test_groups_open_it_too(self):
        with self.owner():
            self.portal.art.access_groups = ["course"]
            api.group.add_user(groupname="course", username="jane")
        self.assertTrue(self.reads())
        self.assertFalse(self.reads("epaper"))

    def test_an_answer_that_makes_no_sense(self):
        self.begin()
        for body in ({}, {"accessGranted": "yes"}, {"accessGranted": True, "items": 5}):
            with mock.patch.object(
                self.fake, "_has_access", lambda *args, body=body: Response(200, body)
            ):
                self.assertFalse(self.reads(status=503))

    def test_memory_is_bounded(self):
        self.buy_digital()
        with mock.patch.object(accessrights, "MOST", 1):
            self.assertTrue(self.reads())
            with self.owner():
                self.portal.epaper.access_rights = ["other"]
            self.assertFalse(self.reads("epaper"))
        self.assertEqual(len(accessrights._answers), 1)


class TestOffers(RightsTestCase):
    def test_a_page_without_a_paywall_sells(self):
        with self.owner():
            self.portal.free.plenigo_offers = [OFFER, "O_NOTSOLD"]
        found = self.call("free", None).text
        self.assertIn("Digital gives you access.", found)
        self.assertIn("Free for all", found)
        self.assertNotIn("O_NOTSOLD", found)
        self.set(offers=["nonsense"])
        self.assertNotIn("Digital gives", self.call("free", None).text)
        self.set(offers=[OFFER], enabled=False)
        self.assertNotIn("Digital gives", self.call("free", None).text)

    def test_a_buyer_of_a_closed_page_is_sold_nothing(self):
        self.buy_digital()
        self.assertTrue(self.reads())
        self.assertNotIn("Digital gives", self.shown)


class TestService(RightsTestCase):
    def access(self, path="@plenigo-access?rights=digital", who=JANE, **headers):
        headers = {"Accept": "application/json", **headers}
        return self.call(path, who, headers=headers)

    def test_the_caller_and_nobody_else(self):
        self.assertEqual(self.access(who=None).status_code, 401)
        self.assertEqual(self.access("art/@plenigo-access", None).status_code, 401)
        answer = self.access("art/@plenigo-access").json()
        self.assertEqual((answer["access"], answer["source"]), (False, ""))
        self.assertEqual(
            [one["title"] for one in answer["offers"]], ["Digital gives you access."]
        )
        self.buy_digital()
        for path in ("@plenigo-access?rights=digital,other", "art/@plenigo-access"):
            found = self.access(path)
            answer = found.json()
            self.assertEqual((answer["access"], answer["source"]), (True, "plenigo"))
            self.assertEqual((answer["certain"], answer["offers"]), (True, []))
            self.assertTrue(answer["checked_at"])
            self.assertIn("no-store", found.headers["Cache-Control"])
        self.assertEqual(self.access("free/@plenigo-access").json()["access"], True)
        answer = self.access("art/@plenigo-access", SITE_ADMINISTRATOR).json()
        self.assertEqual(answer["source"], "editor")

    def test_what_is_not_possible(self):
        many = ",".join(f"right-{number}" for number in range(21))
        for path, status in (
            ("@plenigo-access", 400),
            ("@plenigo-access?rights=", 400),
            ("@plenigo-access?rights=a%20b", 400),
            ("@plenigo-access?rights=digital&rights=other", 400),
            (f"@plenigo-access?rights={many}", 400),
            ("art/@plenigo-access?rights=digital", 400),
        ):
            with self.subTest(path):
                self.assertEqual(self.access(path).status_code, status)
        self.set(enabled=False)
        self.assertEqual(self.access().status_code, 404)

    def test_a_session_of_plenigo(self):
        self.buy_digital()
        self.fake.sessions_of["S"] = next(iter(self.fake.customers))
        for path in ("@plenigo-access?rights=digital", "art/@plenigo-access"):
            answer = self.access(path, None, **{"X-Plenigo-Customer-Session": "S"}).json()
            self.assertEqual((answer["access"], answer["source"]), (True, "plenigo"))
        (asked, _other) = self.fake.requests
        self.assertEqual(asked.path, ("customer", "accessRights", "hasAccess"))
        self.assertNotIn("x-plenigo-token", asked.headers)
        for session in ("T", "x" * 9000, "\u00e9"):
            answer = self.access(
                who=None, **{"X-Plenigo-Customer-Session": session.encode("latin-1")}
            ).json()
            self.assertEqual((answer["access"], answer["certain"]), (False, False))
        found = self.access("free/@plenigo-access", None, **{"X-Plenigo-Customer-Session": "S"})
        self.assertEqual(found.status_code, 400)

    def test_often(self):
        with allowing("ACCESS_BY_SESSION", 1):
            headers = {"X-Plenigo-Customer-Session": "T"}
            found = [self.access(who=None, **headers) for _ in range(2)]
        self.assertEqual([one.status_code for one in found], [200, 429])
        self.assertEqual(found[1].headers["Retry-After"], "60")

    def test_a_member_who_names_rights_often(self):
        """Else each name is a question, and one more answer that is remembered."""
        self.buy_digital()
        with allowing("ACCESS_BY_RIGHTS", 1):
            paths = ("rights=digital", "rights=a1", "rights=a2")
            found = [self.access(f"@plenigo-access?{path}") for path in paths]
            self.assertEqual([one.status_code for one in found], [200, 429, 429])
            self.assertEqual(self.access("art/@plenigo-access").status_code, 200)
