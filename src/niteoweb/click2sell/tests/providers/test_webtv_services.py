"""The store's services: who may ask, how often, and from where; a store that hangs."""

from contextlib import contextmanager
from decimal import Decimal
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.webtv import carts
from niteoweb.click2sell.providers.webtv import creditchanges
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.provisioning import rates
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.hanging import HangingServer
from niteoweb.click2sell.tests.cases.hanging import KINDS
from niteoweb.click2sell.tests.cases.providers import JANE
from niteoweb.click2sell.tests.cases.providers import WEBTV
from niteoweb.click2sell.tests.cases.selling import SellingTestCase
from niteoweb.click2sell.tests.cases.services import MANAGER
from plone import api
from plone.app.testing import TEST_USER_PASSWORD
from unittest import mock

import requests
import threading
import time
import transaction


JSON = {"Accept": "application/json", "Content-Type": "application/json"}


class TestHangs(SellingTestCase):
    def setUp(self):
        super().setUp()
        self.subscription = self.store.subscribe(self.jane, "12")
        self.sweep()
        self.pass_time(hours=25)

    def turn_to(self, url):
        self.set(api_url=url)
        self.set(api_token=self.fake.secret)

    @contextmanager
    def hanging(self, hang=HangingServer.answer_never, limit=0.5):
        """The store hangs, and is waited for so many seconds, in place of half a minute or ten.

        The limit ends with the block: the store that answers may be slow.
        """
        with (
            HangingServer(hang) as server,
            mock.patch.multiple(jsonapi, SALE=limit, PATIENCE=limit),
        ):
            self.turn_to(server.url)
            yield server
        self.turn_to(self.fake.url)

    def test_a_check_ends_and_nobody_loses_a_group(self):
        for hang in KINDS:
            with self.subTest(hang.__name__), self.hanging(hang):
                self.assertGreaterEqual(self.sweep().troubled, 1)
                self.assertEqual(self.groups(JANE), ["click2sell", "premium"])
        # It is asked again once it answers.
        del self.store.subscriptions[self.subscription]
        self.sweep()
        self.assertEqual(self.groups(JANE), ["click2sell"])

    def test_who_sells_is_told_to_come_back(self):
        sale = self.begin("30")
        with self.hanging():
            answer = self.post(f"users/{self.jane}/refresh")
            told = self.pay(sale, 202)
        self.assertEqual((answer.status_code, answer.headers["Retry-After"]), (503, "60"))
        self.assertEqual(told["state"], "paying")
        self.pass_time(minutes=3)
        self.sweep()
        self.assertEqual(sales.get(self.portal, sale["id"])["state"], "done")
        self.once_sold()

    def test_visitors_do_not_wait(self):
        with self.hanging(limit=60) as server:
            transaction.commit()
            url = f"{self.portal.absolute_url()}/@webtv-users/{self.jane}"
            asking = threading.Thread(
                target=requests.get, args=(url,), kwargs={"auth": MANAGER, "headers": JSON}
            )
            asking.start()
            self.addCleanup(asking.join)
            while not server.taken:
                time.sleep(0.01)
            page = requests.get(self.portal.absolute_url(), timeout=30)
            self.assertEqual(page.status_code, 200)
            self.assertTrue(asking.is_alive())


class TestForeignPages(SellingTestCase):
    def setUp(self):
        super().setUp()
        sale = self.begin("12")
        self.profile = sale["recurring"][0]["profile"]
        self.id = self.pay(sale)["id"]
        self.open = self.begin("30", reference="R-2")["id"]
        transaction.begin()
        self.before = self.state()

    def state(self):
        names = ("sales", "profiles", "credits", "users")
        stored = [trees.tree(self.portal, f"webtv_{name}") for name in names]
        return [dict(tree) for tree in stored], len(self.fake.asked), self.kinds()

    def paths(self):
        yield from (("sales", {"reference": "R-3", "email": JANE, "items": []}),)
        for act in ("items", "place", "cancel", "pay", "fail"):
            yield f"sales/{self.open}/{act}", {}
        for path in (f"{self.jane}/refresh", f"{self.jane}/credit", "me/refresh"):
            yield f"users/{path}", {}
        yield f"profiles/{self.profile}", {"status": "Cancelled"}

    def test_no_page_of_another_site_does_anything(self):
        self.pass_time(minutes=2)
        other = {**JSON, "Origin": "http://evil.example"}
        form = {"Content-Type": "text/plain", "Accept": "application/json"}
        form |= {"Sec-Fetch-Site": "cross-site"}
        for path, body in self.paths():
            for headers in (other, {**other, "Origin": "null"}, form):
                with self.subTest(path, headers=headers):
                    answer = requests.post(
                        f"{self.portal.absolute_url()}/@webtv-{path}",
                        json=body, auth=MANAGER, headers=headers, timeout=30,
                    )  # fmt: skip
                    self.assertEqual(answer.status_code, 403, answer.text)
        transaction.begin()
        self.assertEqual(self.state(), self.before)
        # A page of this site may.
        own = {**JSON, "Origin": self.portal.absolute_url().removesuffix("/plone")}
        answer = requests.post(
            f"{self.portal.absolute_url()}/@webtv-sales/{self.open}/cancel",
            json={}, auth=MANAGER, headers=own, timeout=30,
        )  # fmt: skip
        self.assertEqual(answer.json()["state"], "cancelled", answer.text)

    def test_no_page_of_another_site_reads_an_answer(self):
        paths = [f"sales/{self.id}", "sales", f"users/{self.jane}", f"profiles/{self.profile}"]
        for path in (*paths, "profiles", "products?type=other"):
            with self.subTest(path):
                answer = requests.get(
                    f"{self.portal.absolute_url()}/@webtv-{path}",
                    auth=MANAGER,
                    headers={**JSON, "Origin": "http://evil.example"},
                    timeout=30,
                )
                self.assertEqual(answer.status_code, 200, answer.text)
                self.assertNotIn("Access-Control-Allow-Origin", answer.headers)

    def test_anonymous_and_members_may_nothing_but_their_own(self):
        with self.owner():
            api.user.create(
                username="mary", email="mary@example.org", password=TEST_USER_PASSWORD
            )
        for auth in (None, ("mary", TEST_USER_PASSWORD)):
            for path, body in self.paths():
                if auth and path == "users/me/refresh":
                    continue
                with self.subTest(path, auth=auth):
                    self.assertEqual(self.post(path, auth, **body).status_code, 401)
        transaction.begin()
        self.assertEqual(self.state(), self.before)


class TestOwn(SellingTestCase):
    """What members ask about themselves."""

    def setUp(self):
        super().setUp()
        rates._calls.clear()
        self.store.subscribe(self.jane, "12")

    def registered(self, email):
        with self.owner():
            api.user.create(username=email, email=email, password=TEST_USER_PASSWORD)
        return email, TEST_USER_PASSWORD

    def jane_herself(self):
        """Jane, who became a member by what she has bought."""
        self.sweep()
        with self.owner():
            self.member(JANE).setSecurityProfile(password=TEST_USER_PASSWORD)
        return JANE, TEST_USER_PASSWORD

    def test_a_member_who_has_bought_gets_the_group_at_once(self):
        jane = self.jane_herself()
        self.store.subscribe(self.jane, "13")
        self.pass_time(minutes=2)
        answer = self.post("users/me/refresh", jane)
        self.assertEqual((answer.status_code, answer.json()), (200, {"refreshed": True}))
        self.assertEqual(self.groups(JANE), ["click2sell", "course", "premium"])
        again = self.post("users/me/refresh", jane)
        self.assertEqual((again.status_code, again.headers["Retry-After"]), (429, "60"))

    def test_who_is_no_user_of_the_store_is_as_limited(self):
        joe = self.registered("joe@example.org")
        self.assertEqual(self.post("users/me/refresh", joe).status_code, 404)
        asked = len(self.fake.requests)
        self.assertEqual(self.post("users/me/refresh", joe).status_code, 429)
        self.assertEqual(len(self.fake.requests), asked)
        self.pass_time(minutes=2)
        self.assertEqual(self.post("users/me/refresh", joe).status_code, 404)

    def test_an_address_that_a_member_claims_gives_that_member_nothing(self):
        joe = self.registered("joe@example.org")
        with self.owner():
            self.member(joe[0]).setMemberProperties({"email": JANE})
        # Nor does it tell whether the store knows the address.
        self.assertEqual(self.post("users/me/refresh", joe).status_code, 404)
        transaction.begin()
        self.assertNotIn("premium", self.groups(joe[0]))
        mine = requests.get(
            f"{self.portal.absolute_url()}/@webtv-users/me", auth=joe, headers=JSON, timeout=30
        )
        self.assertEqual(mine.status_code, 404)

    def test_own_purchases_are_read_some_times_a_minute(self):
        jane = self.jane_herself()
        url = f"{self.portal.absolute_url()}/@webtv-users/me?parts=credit"
        answers = [requests.get(url, auth=jane, headers=JSON).status_code for _ in range(12)]
        self.assertEqual(answers, [200] * 10 + [429] * 2)


class TestIds(SellingTestCase):
    def test_another_spelling_of_an_id_is_no_second_user(self):
        for user in (f"0{self.jane}", f" {self.jane}", "²", "-1", "0", "2&do=x"):
            with self.subTest(user):
                told = self.post("sales", reference="R", user=user, items=[{"product": "30"}])
                self.assertEqual(told.status_code, 400, told.text)
                change = {"action": "add", "amount": "5", "reference": "C"}
                self.assertEqual(self.post(f"users/{user}/credit", **change).status_code, 404)
        items = [{"product": "030"}]
        told = self.post("sales", reference="R", user=self.jane, items=items)
        self.assertEqual(told.status_code, 400)
        self.assertEqual(self.fake.asked, [])

    def test_an_own_cart_is_emptied_where_the_caller_says_so(self):
        cart = self.store.users[self.jane]["cart"]
        cart.update({"12": 1, "30": 2})
        self.assertEqual(self.begin("30", status=409)["type"], "CartNotEmpty")
        self.assertEqual(cart, {"12": 1, "30": 2})
        # The reference names the same sale, which keeps what it was begun with.
        self.assertEqual(self.begin("30", status=409, empty_cart=True)["type"], "CartNotEmpty")
        self.pass_time(hours=25)
        self.sweep()
        self.assertEqual(cart, {"12": 1, "30": 2})
        sale = self.begin("30", reference="R-2", empty_cart=True)
        order = self.store.users[self.jane]["order"]
        self.assertEqual((sale["state"], order["lines"]), ("placed", {"30": 1}))
        self.assertEqual(self.pay(sale)["state"], "done")

    def test_an_own_order_is_kept_even_so(self):
        self.store.users[self.jane]["cart"]["12"] = 1
        self.store.store_place_order(self.jane, {})
        told = self.begin("30", status=409, empty_cart=True)
        self.assertEqual(told["type"], "OrderExists")
        self.assertEqual(self.store.users[self.jane]["order"]["lines"], {"12": 1})
        self.assertEqual(self.store.cancelled, [])


class TestPayPal(SellingTestCase):
    def test_the_store_is_told_paypals_profile(self):
        sale, answers = self.begin("12"), []
        for profiles in ([], [{"product": "13", "profile": "I-1"}]):
            answers.append(self.pay(sale, 422, method="paypal", profiles=profiles)["type"])
        self.assertEqual(answers, ["Profiles", "Profiles"])
        self.assertNotIn("add_payment", self.fake.actions)
        mine = [{"product": "12", "profile": "I-1"}]
        self.pay(sale, 400, profiles=mine)
        self.pay(sale, 400, method="paypal", profiles=[{"product": "12"}])
        self.assertEqual(self.pay(sale, method="paypal", profiles=mine)["state"], "done")
        (stored,) = self.store.subscriptions.values()
        told = stored["rp"]["profileID"], stored["rp"]["paymentMethodID"]
        self.assertEqual(told, ("I-1", "2"))
        # The store asks PayPal about it, not this site.
        self.assertEqual(list(trees.tree(self.portal, "webtv_profiles")), [])
        self.assertEqual(self.pay(sale, method="paypal", profiles=mine)["state"], "done")

    def test_a_trial_with_paypal(self):
        sale, told = self.begin("14"), {"amount": None, "transaction_": None}
        profiles = [{"product": "14", "profile": "I-2"}]
        paid = self.pay(sale, method="paypal", profiles=profiles, **told)
        self.assertEqual(paid["state"], "done")
        (stored,) = self.store.subscriptions.values()
        self.assertEqual(stored["rp"]["profileID"], "I-2")


class TestCreditTrouble(SellingTestCase):
    def change(self, status=200, reference="C-1", amount="5", action="add"):
        body = {"action": action, "amount": amount, "reference": reference}
        answer = self.post(f"users/{self.jane}/credit", **body)
        self.assertEqual(answer.status_code, status, answer.text)
        return answer.json()

    @property
    def credit(self):
        return self.store.users[self.jane]["credit"]

    def without_answer(self, **change):
        self.fake.lost = {"add_subtract_credit"}
        self.assertEqual(self.change(202, **change)["state"], "asking")

    def test_a_change_whose_new_credit_cannot_be_read_was_made_all_the_same(self):
        real = self.store.store_add_subtract_credit

        def change(iq, form):
            self.fake.refused["get_credit"] = ("ERROR", "")
            return real(iq, form)

        with mock.patch.object(self.store, "store_add_subtract_credit", change):
            self.assertEqual(self.change()["after"], "5.00")
        self.fake.refused.clear()
        self.assertEqual((self.change()["after"], self.credit), ("5.00", 5))

    def test_one_change_at_a_time_and_then_the_next(self):
        self.without_answer()
        self.assertEqual(self.change(409, reference="C-2")["type"], "Busy")
        self.assertEqual(self.change(202)["state"], "asking")
        self.pass_time(minutes=3)
        # Whoever comes next looks what became of it.
        self.change(reference="C-2", amount="1")
        self.assertEqual((self.credit, self.change()["state"]), (6, "done"))

    def test_a_change_that_never_came_is_made_when_it_is_asked_for_again(self):
        nothing = mock.Mock(return_value={"ok": ""})
        with mock.patch.object(self.store, "store_add_subtract_credit", nothing):
            self.without_answer()
        self.pass_time(minutes=3)
        self.change(reference="C-2", amount="1")
        self.assertEqual(self.credit, 1)
        self.change()
        self.assertEqual(self.credit, 6)

    def test_an_answer_that_comes_late_ends_no_change_that_was_begun_anew(self):
        stored = trees.tree(self.portal, "webtv_credits")

        def answer_late(*_args):
            transaction.begin()
            stored["C-1"] = {**stored["C-1"], "at": "later"}
            transaction.commit()

        values = registry.settings(WEBTV), "C-1", self.jane, "add", Decimal(5), ""
        with (
            mock.patch.object(carts, "change_credit", answer_late),
            self.assertRaises(sales.Conflict),
        ):
            creditchanges.change(*values)
        self.assertEqual((stored["C-1"]["state"], stored["C-1"]["at"]), ("asking", "later"))

    def test_a_change_that_nobody_can_tell_is_told_to_an_owner_and_holds_up_no_other(self):
        self.without_answer()
        self.store.users[self.jane]["credit"] += 1
        self.pass_time(minutes=3)
        for _ in range(2):
            self.assertEqual(self.change(409)["type"], "Unclear")
        transaction.begin()
        (key,) = ledger.waiting_keys(self.portal)
        self.assertEqual(ledger.get(self.portal, key)["attention"], "credit unclear")
        self.change(reference="C-2")
        self.assertEqual(self.credit, 11)
