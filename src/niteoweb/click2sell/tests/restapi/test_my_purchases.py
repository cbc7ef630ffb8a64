"""A member's own purchases as a service of plone.restapi, over real HTTP."""

from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.tests.cases.pages import share_folder
from niteoweb.click2sell.tests.cases.services import ANONYMOUS
from niteoweb.click2sell.tests.cases.services import MANAGER
from niteoweb.click2sell.tests.cases.services import MEMBER
from niteoweb.click2sell.tests.cases.services import ServiceTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import PASSWORD
from unittest import mock

import transaction


JOHN = (EMAIL, PASSWORD)
ORDER = "order=https://shop.example"


class TestMyPurchases(ServiceTestCase):
    def setUp(self):
        super().setUp()
        self.url = f"{self.portal.absolute_url()}/@my-purchases"
        self.account()
        self.settings(mapping=[f"1|premium|30|{ORDER}/1", f"2|course|{ORDER}/2"])

    def own(self, auth=JOHN, **params):
        transaction.commit()
        answer = self.get(auth=auth, **params)
        transaction.begin()
        self.assertEqual(answer.status_code, 200, answer.text)
        self.assertIn("no-store", answer.headers["Cache-Control"])
        return answer.json()

    def test_products_and_payments(self):
        self.buy()
        self.buy_course_and_refund_it()
        answer = self.own()
        test_product, course = answer["products"]
        order = f"{self.portal.absolute_url()}/@@click2sell-order?product="
        self.assertEqual(test_product["product_name"], "Test Product")
        self.assertEqual((test_product["state"], test_product["access"]), ("active", True))
        self.assertEqual(test_product["until"], "2026-06-02T10:20:30+00:00")
        self.assertEqual(test_product["order_url"], f"{order}1")
        self.assertEqual((test_product["renews"], test_product["manage_url"]), (False, ""))
        self.assertEqual((course["state"], course["access"]), ("refunded", False))
        self.assertEqual(course["order_url"], f"{order}2")
        self.assertEqual(
            [(payment["kind"], payment["receipt"]) for payment in answer["payments"]],
            [("refund", "R-2"), ("purchase", "R-2"), ("purchase", "R-1")],
        )
        self.assertEqual(
            (answer["payments"][0]["amount"], answer["payments"][0]["product_name"]),
            ("9.90", "Course"),
        )

    def test_a_subscription_that_renews_by_itself_is_not_ordered_again(self):
        self.buy(transaction_type="Subscription", subscription_status="New")
        (product,) = self.own()["products"]
        self.assertEqual((product["renews"], product["order_url"]), (True, ""))

    def test_the_pages_that_are_open(self):
        share_folder(self.portal, "premium", "lounge", "Lounge")
        share_folder(self.portal, "course", "lessons", "Lessons")
        self.buy()
        lounge = {"title": "Lounge", "url": f"{self.portal.absolute_url()}/lounge"}
        self.assertEqual(self.own()["pages"], [lounge])
        self.later(days=1)
        self.refund(purchase_date="2026-05-04")
        self.assertEqual(self.own()["pages"], [])

    def test_where_to_manage_and_whom_to_ask(self):
        self.buy()
        self.assertEqual(self.own()["contact_url"], "")
        self.registry(email_from_address="shop@example.com")
        site_url = self.portal.absolute_url()
        for named, url in (
            ("@@stripe-portal", f"{site_url}/@@stripe-portal"),
            ("https://shop.example/account", "https://shop.example/account"),
        ):
            with mock.patch.object(
                registry.main(), "manage", lambda settings, ids, to=named: to
            ):
                answer = self.own()
            self.assertEqual(answer["products"][0]["manage_url"], url)
        self.assertEqual(answer["contact_url"], f"{site_url}/contact-info")

    def test_the_pages_of_providers_in_the_language_of_the_site(self):
        plenigo = registry.get("plenigo")
        settings = registry.settings(plenigo)
        settings.enabled, settings.company_id, settings.api_token = True, "company", "token"
        (link,) = self.own(MEMBER)["links"]
        site_url = self.portal.absolute_url()
        self.assertEqual(
            link, {"title": "Redeem a voucher", "url": f"{site_url}/@@plenigo-voucher"}
        )
        self.registry(available_languages=["en", "de"], default_language="de")
        (link,) = self.own(MEMBER)["links"]
        self.assertEqual(link["title"], "Gutschein einlösen")

    def test_nothing_of_anybody_else(self):
        self.settings(mapping=["1|absent"])
        self.buy(cp_note="what the shop knows")
        other = {"buyer_email": "jane@example.org", "acquirer_transaction_id": "T-9"}
        self.buy(**other, c2s_transaction_id="R-OTHER")
        for params in ({}, {"user_id": EMAIL}, {"buyer": EMAIL}):
            for who in (MEMBER, MANAGER):
                answer = self.own(who, **params)
                self.assertEqual((answer["products"], answer["payments"]), ([], []))
                self.assertEqual(answer["pages"], [])
        text = self.get(auth=JOHN, user_id="jane@example.org").text
        self.assertIn("R-1", text)
        for secret in ("R-OTHER", "absent", "what the shop knows", "attention", "T-1", EMAIL):
            self.assertNotIn(secret, text)

    def test_log_in_first(self):
        self.buy()
        for who in (ANONYMOUS, (EMAIL, "wrong")):
            answer = self.get(auth=who)
            self.assertEqual(answer.status_code, 401)
            self.assertNotIn("R-1", answer.text)

    def test_a_user_of_the_root_with_the_same_id_is_somebody_else(self):
        self.buy()
        with self.owner():
            self.portal.acl_users.source_users.removeUser(EMAIL)
        self.root_user(["Member"])
        self.assertEqual(self.own()["payments"], [])
