"""plenigo: buying on the site, over HTTP, with a plenigo that is not real."""

from datetime import timedelta
from decimal import Decimal
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.providers.plenigo import checkout
from niteoweb.click2sell.providers.plenigo import offers
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.buying import JANE
from niteoweb.click2sell.tests.cases.buying import OFFER
from niteoweb.click2sell.tests.cases.buying import PASSWORD
from niteoweb.click2sell.tests.cases.buying import ShopTestCase
from plone import api
from unittest import mock

import re
import requests
import transaction


class TestService(ShopTestCase):
    def test_a_purchase_is_prepared_for_a_new_customer(self):
        found = self.buy(**{"X-Forwarded-For": "198.51.100.66, 203.0.113.9"})
        self.assertEqual(found.status_code, 201, found.text)
        (name, customer), (_name, purchase) = self.fake.asked
        self.assertEqual(name, "customers")
        self.assertRegex(customer["customerId"], re.compile(r"[0-9]{15}"))
        self.assertEqual((customer["email"], customer["firstName"]), (JANE, "Jane"))
        self.assertEqual(customer["registrationSource"], "localhost")
        self.assertEqual(
            purchase,
            {
                "customerId": customer["customerId"],
                "customerIpAddress": "203.0.113.9",
                "language": "en",
                "items": [{"plenigoOfferId": OFFER, "quantity": 1}],
            },
        )
        answer = found.json()
        self.assertEqual(answer["purchaseId"], "purchase-1")
        self.assertIn("/sdk/COMP/", answer["sdk"]["src"])
        again = self.buy().json()
        self.assertEqual([name for name, _value in self.fake.asked[2:]], ["preparePurchase"])
        self.assertNotEqual(answer["id"], again["id"])
        self.assertEqual(self.customer, customer["customerId"])

    def test_what_is_not_possible(self):
        for value, status in (
            ({"offer": "O_SECRET"}, 404),
            ({"offer": OFFER, "quantity": 3}, 400),
            ({"offer": OFFER, "price": 0}, 400),
            ({"offer": OFFER, "customerId": "1"}, 400),
            ({"offer": OFFER, "voucher": "1234"}, 400),
            ({"offer": "O_EXTRA", "bonus": ["BO_X"]}, 400),
            ({}, 400),
        ):
            with self.subTest(value):
                self.assertEqual(self.buy(value or {"came_from": "/"}).status_code, status)
        self.assertEqual(self.buy(who="").status_code, 401)
        self.assertEqual(self.buy(who="boss").status_code, 403)
        self.assertEqual(self.buy(Origin="http://evil.example").status_code, 403)
        self.assertEqual(self.fake.asked, [])

    def test_options_carts_and_sources(self):
        found = self.buy(
            {
                "offer": "O_EXTRA",
                "bonus": ["BO_A"],
                "came_from": "http://evil.example/",
                "source": {"utm_source": "x", "evil": "1"},
            }
        )
        self.assertEqual(found.status_code, 201, found.text)
        self.assertEqual(self.buy({"basket": "SC_CART1"}).status_code, 201)
        extra, cart = self.fake.purchases
        self.assertEqual(extra["items"][0]["plenigoBonusIds"], ["BO_A"])
        self.assertEqual(extra["additionalData"], {"utm": {"source": "x"}})
        self.assertEqual((cart["basketId"], "items" in cart), ("SC_CART1", False))

    def test_parameters_that_go_along_and_the_debug_mode(self):
        source = {"upscore_object_id": "object_1", "mine": "1", "utm_campaign": "17"}
        self.assertEqual(self.buy({"offer": OFFER, "source": source}).status_code, 201)
        self.set(source_parameters=["mine", ""], debug_mode=True)
        self.assertEqual(self.buy({"offer": OFFER, "source": source}).status_code, 201)
        first, second = self.fake.purchases
        utm = {"campaign": "17"}
        self.assertEqual(
            first["additionalData"], {"utm": utm, "data": {"upscore_object_id": "object_1"}}
        )
        self.assertNotIn("debugMode", first)
        self.assertEqual(second["additionalData"], {"utm": utm, "data": {"mine": "1"}})
        self.assertIs(second["debugMode"], True)

    def test_what_is_too_long_is_cut(self):
        self.set(source_parameters=["data"])
        names = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
        source = dict.fromkeys((*names, "affiliate", "data"), "x" * 300)
        came_from = f"{self.site_url}/{'x' * 600}"
        value = {"offer": OFFER, "came_from": came_from, "source": source}
        self.assertEqual(self.buy(value).status_code, 201)
        lengths = {name: len(one) for name, one in self.additional.items()}
        self.assertEqual(lengths, {"utm": 5, "data": 1, "affiliateId": 100, "sourceId": 500})
        for name in ("LONGEST_UTM", "LONGEST_DATA", "LONGEST_SOURCE"):
            more = getattr(offers, name) + 1
            with self.subTest(name), mock.patch.object(offers, name, more):
                self.assertEqual(self.buy(value).status_code, 422)

    @property
    def additional(self):
        return self.fake.purchases[-1]["additionalData"]

    def test_the_address_of_another_customer(self):
        self.fake.add_customer(JANE)
        found = self.buy()
        self.assertEqual((found.status_code, found.json()["type"]), (409, "AddressTaken"))
        self.assertIsNone(buyers.of_user(self.portal, "jane"))

    def test_a_lost_answer(self):
        self.fake.customers.clear()
        answer = self.fake.answer

        def lost(request):
            answer(request)
            return self.fake.error(500)

        with mock.patch.object(self.fake, "answer", lost):
            found = self.buy()
        self.assertEqual((found.status_code, found.headers["Retry-After"]), (503, "60"))
        self.assertEqual(self.buy().status_code, 201)
        ids = {value["customerId"] for name, value in self.fake.asked if name == "customers"}
        self.assertEqual(len(ids), 1)

    def test_plenigo_refuses_or_is_away(self):
        self.fake.refuses = 90072
        found = self.buy()
        self.assertEqual((found.status_code, found.json()["code"]), (422, 90072))
        self.fake.emergency = True
        self.assertEqual(self.buy().status_code, 503)
        self.fake.emergency = False
        self.set(api_token="wrong")
        self.assertEqual(self.buy().status_code, 503)

    def test_often(self):
        self.fake.refuses = 90072
        found = [self.buy().status_code for _ in range(checkout.AT_MOST + 1)]
        self.assertEqual(found[-2:], [422, 429])

    def test_a_checkout_of_yesterday_is_forgotten_by_the_next(self):
        begun = self.buy().json()["id"]
        self.clock.tick(checkout.KEPT + timedelta(minutes=1))
        found = self.buy()
        self.assertEqual(found.status_code, 201, found.text)
        kept = trees.tree(self.portal, "plenigo_checkouts")
        # An erasure looks for nobody here.
        self.assertNotIn("jane", *kept.values())
        self.assertEqual(list(kept), [found.json()["id"]])
        self.assertNotIn(begun, kept)
        self.assertEqual(len(trees.tree(self.portal, "plenigo_checkouts_by_end")), 1)

    def test_switched_off_and_not_set_up(self):
        self.set(company_id="")
        self.assertEqual(self.buy().status_code, 503)
        self.assertEqual(self.page("@@plenigo-checkout?offer=" + OFFER).status_code, 503)
        self.set(enabled=False)
        self.assertEqual(self.buy().status_code, 404)
        self.assertEqual(self.page("@@plenigo-checkout?offer=" + OFFER).status_code, 404)

    def test_a_copy_of_the_site_writes_nothing(self):
        with self.copied():
            self.assert_not_set_up(self.buy())


class TestSingleProducts(ShopTestCase):
    """A page says what is sold: an issue of an ePaper."""

    PAPER = "O_PAPER0000000000001"

    def setUp(self):
        super().setUp()
        self.set(
            offers=[OFFER, f"{self.PAPER}|product=P_PAPER tax=DIGITALNEWSPAPER currency=EUR"]
        )
        with self.owner():
            fti = api.portal.get_tool("portal_types")["Document"]
            fti.behaviors = (*fti.behaviors, "niteoweb.click2sell.plenigo_product")
            self.issue = api.content.create(
                self.portal, "Document", "issue", title="Issue of today", **self.sold()
            )
            self.other = api.content.create(self.portal, "Document", "page", title="Any page")
        transaction.commit()

    def sold(self, price="5"):
        return {
            "plenigo_price": Decimal(price),
            "plenigo_product_id": "issue-1",
            "plenigo_access_right": "issue-1",
        }

    def test_all_of_it_is_the_pages_own(self):
        found = self.buy({"offer": self.PAPER, "content": self.issue.UID()})
        self.assertEqual(found.status_code, 201, found.text)
        (item,) = self.fake.purchases[-1]["items"]
        self.assertEqual(item["title"], "Issue of today")
        self.assertEqual(
            item["products"],
            [
                {
                    "plenigoProductId": "P_PAPER",
                    "productId": "issue-1",
                    "title": "Issue of today",
                    "price": 5.0,
                    "currency": "EUR",
                    "taxType": "DIGITALNEWSPAPER",
                    "accessRightUniqueId": "issue-1",
                }
            ],
        )
        order = self.fake.order(self.customer, "issue-1", self.PAPER, "issue-1")
        done = f"@plenigo-checkout/{found.json()['id']}/done"
        self.assertEqual(self.call("POST", done, {"order": order}).status_code, 200)
        self.assertEqual(self.groups("jane"), ["click2sell", "course"])

    def test_what_is_not_sold(self):
        with self.owner():
            hidden = api.content.create(
                self.portal, "Document", "hidden", title="Hidden", **self.sold()
            )
            hidden.manage_permission("View", ["Manager"], acquire=False)
            hidden.reindexObjectSecurity()
        transaction.commit()
        uids = (self.other.UID(), hidden.UID(), "none", "")
        for value in (
            *({"offer": self.PAPER, "content": uid} for uid in uids),
            {"offer": OFFER, "content": self.issue.UID()},
        ):
            with self.subTest(value):
                self.assertEqual(self.buy(value).status_code, 404)
        price = {"offer": self.PAPER, "content": self.issue.UID(), "price": 1}
        self.assertEqual(self.buy(price).status_code, 400)
        self.assertEqual(self.fake.asked, [])

    def test_page(self):
        address = f"@@plenigo-checkout?offer={self.PAPER}"
        self.assertEqual(self.page(address).status_code, 404)
        found = self.page(f"{address}&content={self.issue.UID()}")
        self.assertIn("<h2>Issue of today</h2>", found.text)
        self.assertIn("€5.00", found.text)
        id_ = self.buy({"offer": self.PAPER, "content": self.issue.UID()}).json()["id"]
        failed = self.page(f"@@plenigo-checkout/{id_}/failed")
        self.assertIn(f"content={self.issue.UID()}", failed.text)


class TestDone(ShopTestCase):
    def done(self, order, who="jane"):
        id_ = getattr(self, "id_", None) or self.buy().json()["id"]
        self.id_ = id_
        return self.call("POST", f"@plenigo-checkout/{id_}/done", {"order": order}, who=who)

    def test_access_without_a_callback(self):
        self.buy()
        number = self.fake.subscribe(self.customer, OFFER)
        order = self.fake.order(self.customer, "P_1", subscription_item=number)
        issue = self.fake.order(self.customer, "issue-1")
        pending = list(self.fake.callbacks.pending)
        self.fake.callbacks.pending.clear()
        found = self.done(order)
        self.assertEqual(found.json()["result"], "bought", found.text)
        self.assertEqual(self.groups("jane"), ["click2sell", "premium"])
        mine = self.page("@@my-purchases").text
        self.assertIn(">Subscription</td>", mine)
        self.assertNotIn("plan change", mine)
        self.assertEqual(self.done(issue).status_code, 200)
        self.assertEqual(self.groups("jane"), ["click2sell", "course", "premium"])
        self.fake.callbacks.pending.extend(pending)
        self.deliver()
        self.assertEqual(self.groups("jane"), ["click2sell", "course", "premium"])
        self.assertIsNone(self.member(JANE))
        self.assertEqual(self.reasons(), [])
        self.assertEqual(list(trees.tree(self.portal, "mails")), [])

    def test_the_order_of_somebody_else(self):
        self.buy()
        order = self.fake.order(self.jane, "issue-1")
        before = ledger.count(self.portal)
        self.assertEqual(self.done(order).status_code, 404)
        self.assertEqual(self.done(999).status_code, 404)
        self.assertEqual(ledger.count(self.portal), before)
        self.assertEqual(self.done(order, who="boss").status_code, 404)

    def test_a_subscription_that_cannot_be_read_keeps_the_others_from_nobody(self):
        self.buy()
        new = self.fake.subscribe(self.customer, OFFER)
        self.fake.subscriptions[new]["status"] = "OF A LATER RELEASE"
        self.fake.order(self.customer, "issue-1")
        found = self.done(-1)
        self.assertEqual((found.status_code, found.json()["result"]), (200, "had already"))
        items = [one["product_id"] for one in found.json()["items"]]
        self.assertEqual(items, ["issue-1"])
        self.assertEqual(self.groups("jane"), ["click2sell", "course"])

    def test_had_already_and_not_possible(self):
        self.buy()
        self.fake.order(self.customer, "issue-1")
        self.assertEqual(self.done(-1).json()["result"], "had already")
        self.assertEqual(self.groups("jane"), ["click2sell", "course"])
        self.fake.requests.clear()
        self.assertEqual(self.done(-2).json()["result"], "not possible")
        self.assertEqual(self.fake.requests, [])
        for order in (0, -3, "x", None):
            self.assertEqual(self.done(order).status_code, 400)
        for order in ("x", "0", "-3", "--5", "-", "٣", ""):
            found = self.page(f"@@plenigo-checkout/{self.id_}/done?order={order}")
            self.assertEqual(found.status_code, 404, order)


class TestPage(ShopTestCase):
    def test_visitors_log_in_first(self):
        found = self.page(f"@@plenigo-checkout?offer={OFFER}&utm_source=x", who="")
        self.assertEqual(found.status_code, 302)
        self.assertIn("/login?came_from=", found.headers["Location"])
        self.assertIn("utm_source", found.headers["Location"])
        self.assertEqual(self.fake.requests, [])

    def test_from_the_offer_to_the_checkout(self):
        found = self.page(f"@@plenigo-checkout?offer={OFFER}")
        self.assertEqual(found.status_code, 200, found.text)
        self.assertIn(OFFER, found.text)
        self.assertEqual(self.page("@@plenigo-checkout?offer=O_SECRET").status_code, 404)
        refused = self.call("POST", "@@plenigo-checkout", {"offer": OFFER})
        self.assertEqual(refused.status_code, 403)
        self.assertEqual(self.fake.asked, [])
        token = re.search('name="_authenticator"[^>]*value="([^"]+)"', found.text)[1]
        form = {"offer": OFFER, "_authenticator": token, "came_from": "http://evil.example"}
        with requests.Session() as session:
            session.trust_env, session.auth = False, ("jane", PASSWORD)
            posted = session.post(
                f"{self.site_url}/@@plenigo-checkout",
                data=form,
                allow_redirects=False,
                timeout=30,
            )
        self.assertEqual(posted.status_code, 303, posted.text)
        self.assertRegex(posted.headers["Location"], "/@@plenigo-checkout/[0-9A-Za-z_-]{16}$")
        self.assertNotIn("additionalData", self.fake.purchases[-1])
        begun = self.buy().json()
        page = self.page(f"@@plenigo-checkout/{begun['id']}")
        self.assertEqual(page.status_code, 200)
        self.assertIn(begun["purchaseId"], page.text)
        self.assertEqual(page.headers["Cache-Control"], "no-store")
        policy = "strict-origin-when-cross-origin"
        self.assertEqual(page.headers["Referrer-Policy"], policy)
        self.assertLess(len(begun["returnUrl"]), 220)
        self.assertNotIn("data-sso", page.text)
        main = page.text[page.text.index("plenigoCheckout") : page.text.index("</main>")]
        for script in re.findall("<script.*?</script>", main, re.DOTALL):
            self.assertRegex(script, r'(?s)^<script[^>]+ src="[^"]+"[^>]*></script>$')
        self.assertEqual(
            self.page(f"@@plenigo-checkout/{begun['id']}", who="boss").status_code, 404
        )
        self.assertNotIn("plenigo", self.page("").text)
        self.later(minutes=31)
        self.assertNotIn(
            begun["purchaseId"], self.page(f"@@plenigo-checkout/{begun['id']}").text
        )

    def test_the_image_of_an_offer(self):
        self.fake.offers["O_EXTRA"] = ("Weekend", "")
        self.assertNotIn("<img", self.offered())
        good = "https://img.plenigo.example/a.png?w=1&h=2"
        for url in (
            *("http://img.plenigo.example/a.png", "javascript:alert(1)", "//img.example/a.png"),
            *('https://img.example/"onerror="alert(1)', "https://jane:pw@img.example/a.png"),
            *("https://img.example/" + "x" * 500, "data:image/png;base64,AAAA", "", 7),
        ):
            self.fake.images["O_EXTRA"] = [{"url": url}]
            with self.subTest(url):
                main = self.offered()
                self.assertIn(">Weekend</h2>", main)
                self.assertNotIn("<img", main)
        self.fake.images["O_EXTRA"] += [{"url": good, "altText": 'A "<b>bag</b>"'}]
        main = self.offered()
        self.assertIn('src="https://img.plenigo.example/a.png?w=1&amp;h=2"', main)
        self.assertIn('alt="A &quot;&lt;b&gt;bag', main)
        self.assertEqual(main.count("<img"), 1)

    def offered(self):
        found = self.page("@@plenigo-checkout?offer=O_EXTRA")
        self.assertEqual(found.status_code, 200)
        return found.text[found.text.index("<main") : found.text.index("</main>")]

    def test_classes_by_product_tags(self):
        self.fake.offers["O_EXTRA"] = ("Weekend", "")
        self.fake.tags["O_EXTRA"] = ["digital", 'a" onload="x', "--", "Über uns"]
        address = "@@plenigo-checkout?offer=O_EXTRA&plenigo-tag=x"
        body = re.search("<body[^>]*>", self.page(address).text)[0]
        classes = re.search('class="([^"]*)"', body)[1].split()
        self.assertEqual(
            [one for one in classes if one.startswith("plenigo-tag")],
            ["plenigo-tag-a-onload-x", "plenigo-tag-ber-uns", "plenigo-tag-digital"],
        )
        self.assertNotIn("onload=", body)
        self.assertNotIn("plenigo-tag-", self.page("").text)
        self.fake.outage = True
        self.assertNotIn("plenigo-tag-", self.page("@@plenigo-checkout?offer=O_EXTRA").text)

    def test_an_address_that_plenigo_does_not_lead_back_to(self):
        begun = self.buy().json()
        page = f"@@plenigo-checkout/{begun['id']}"
        self.assertEqual(begun["returnUrl"], f"{self.site_url}/{page}")
        fitting = len(begun["returnUrl"])
        self.assertEqual(checkout.LONGEST_URL, 220)
        self.fake.asked.clear()
        offer = f"@@plenigo-checkout?offer={OFFER}"
        with mock.patch.object(checkout, "LONGEST_URL", fitting - 1):
            for path in (offer, page):
                found = self.page(path)
                self.assertEqual(found.status_code, 503)
                self.assertIn("This cannot be bought at the moment.", found.text)
                self.assertNotIn("shorter address", found.text)
            self.assertIn("Give the site a shorter address.", self.page(offer, who="boss").text)
            found = self.buy()
            self.assertEqual((found.status_code, found.json()["type"]), (503, "AddressTooLong"))
        self.assertEqual(self.fake.asked, [])
        with mock.patch.object(checkout, "LONGEST_URL", fitting):
            self.assertEqual(self.page(offer).status_code, 200)
            self.assertEqual(self.buy().status_code, 201)

    def test_people_read_titles(self):
        self.fake.offers |= {
            "O_EXTRA": ("Weekend", "Saturday and Sunday"),
            "BO_A": ("A bag", ""),
            "SC_CART1": ("Both editions", ""),
        }
        extra = self.page("@@plenigo-checkout?offer=O_EXTRA").text
        for text in (">Weekend</h2>", "Saturday and Sunday", ">A bag</label>", ">BO_B</label>"):
            self.assertIn(text, extra)
        cart = self.page("@@plenigo-checkout?offer=SC_CART1").text
        self.assertIn(">Both editions</h2>", cart)
        self.set(mapping=["O_EXTRA|premium|title=The weekend"])
        self.fake.outage = True
        extra = self.page("@@plenigo-checkout?offer=O_EXTRA").text
        for text in (">The weekend</h2>", ">BO_A</label>"):
            self.assertIn(text, extra)

    def test_thanks_and_failure(self):
        id_ = self.buy({"offer": OFFER, "came_from": f"{self.site_url}/art"}).json()["id"]
        end = (self.now + timedelta(days=3)).isoformat()
        order = self.fake.order(self.customer, "issue-1", validityEndDate=end)
        self.set(mapping=["issue-1|course|title=Issue of today"])
        found = self.page(f"@@plenigo-checkout/{id_}/done?order={order}")
        self.assertIn("Thank you", found.text)
        self.assertIn("<strong>Issue of today</strong>", found.text)
        self.assertRegex(found.text, r"Until\s+May 0?\d, 2026")
        self.assertIn(f"{self.site_url}/art", found.text)
        self.assertEqual(self.groups("jane"), ["click2sell", "course"])
        for order in ("x", "0", "-7", "99999"):
            found = self.page(f"@@plenigo-checkout/{id_}/done?order={order}")
            self.assertEqual(found.status_code, 404)
        self.assertIn("The purchase failed", self.page(f"@@plenigo-checkout/{id_}/failed").text)

    def test_a_checkout_ends_with_the_purchase(self):
        begun = self.buy().json()
        page = f"@@plenigo-checkout/{begun['id']}"
        order = self.fake.order(self.customer, "issue-1")
        for refused in ("99999", "-2"):
            self.page(f"{page}/done?order={refused}")
            self.assertIn(begun["purchaseId"], self.page(page).text)
        self.assertIn("Thank you", self.page(f"{page}/done?order={order}").text)
        over = self.page(page).text
        self.assertNotIn(begun["purchaseId"], over)
        self.assertIn("This checkout has ended.", over)
        self.assertIn(f'href="{self.site_url}/@@plenigo-checkout?offer={OFFER}"', over)
        # The page with thanks can be loaded again.
        self.assertIn("Thank you", self.page(f"{page}/done?order={order}").text)
        again = self.buy().json()
        done = f"@plenigo-checkout/{again['id']}/done"
        self.assertEqual(self.call("POST", done, {"order": order}).status_code, 200)
        page = self.page(f"@@plenigo-checkout/{again['id']}").text
        self.assertNotIn(again["purchaseId"], page)

    def test_scripts_are_files(self):
        for name in ("before.js", "page.js", "login.js"):
            path = f"++plone++niteoweb.click2sell.plenigo/{name}"
            self.assertEqual(self.page(path).status_code, 200)
