"""A site that sells products of a WebTV's store."""

from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.webtv import questions
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.providers.webtv.course import Course
from niteoweb.click2sell.tests.cases.providers import JANE
from niteoweb.click2sell.tests.cases.providers import WEBTV
from niteoweb.click2sell.tests.cases.providers import WebTVTestCase
from niteoweb.click2sell.tests.cases.services import MANAGER
from urllib.parse import parse_qs
from urllib.parse import urlencode
from urllib.parse import urlsplit

import requests
import transaction


PAY = "https://pay.example.org/{id}?a={amount}&b={back}"


class SellingTestCase(WebTVTestCase):
    def setUp(self):
        super().setUp()
        self.store.add_product("30", "10.00", clip=5)
        self.store.add_product("12", "10.00", "SUBSCRIPTION")
        self.store.add_product("14", "10.00", "SUBSCRIPTIONTRIAL")

    def post(self, path="", auth=MANAGER, **body):
        transaction.commit()
        answer = requests.post(
            f"{self.portal.absolute_url()}/@webtv-{path}",
            json=body,
            auth=auth,
            headers={"Accept": "application/json"},
            timeout=60,
        )
        transaction.begin()
        return answer

    def begin(self, *products, reference="R-1", status=201, **more):
        items = [{"product": product} for product in products]
        answer = self.post("sales", reference=reference, email=JANE, items=items, **more)
        self.assertEqual(answer.status_code, status, answer.text)
        return answer.json()

    def pay(self, sale, status=200, transaction_="T-1", amount="10.00", **more):
        values = {"transaction": transaction_, "amount": amount, "currency": "EUR", **more}
        answer = self.post(f"sales/{sale['id']}/pay", **{k: v for k, v in values.items() if v})
        self.assertEqual(answer.status_code, status, answer.text)
        return answer.json()

    def kind_of(self, answer):
        return answer["type"]

    def once_sold(self, payments=1):
        """One order, one payment, processed once."""
        self.assertEqual(len(self.store.payments), payments)
        self.assertEqual(len(self.store.processed), 1)
        self.assertIsNone(self.store.users[self.jane]["order"])


class ProcessorTestCase(SellingTestCase):
    """A site that is the payment processor of a store, in which Jane has an order."""

    KEY = "the key of the store's processor"

    def setUp(self):
        super().setUp()
        self.set(secretkey=self.KEY, pay_urls=[f"*|{PAY}", f"SKU-12|10.00|1 MONTH|{PAY}"])
        self.store.store_modify_cart(self.jane, {"cartAction": "add", "productID": "30"})
        self.store.store_place_order(self.jane, {})

    def ask(self, query, page="@@webtv", method="GET"):
        transaction.commit()
        answer = requests.request(
            method,
            f"{self.portal.absolute_url()}/{page}?{query}",
            allow_redirects=False,
            timeout=30,
        )
        transaction.begin()
        return answer

    def order(self, **changes):
        values = {
            "id_gateway": "3",
            "id_order": "319",
            "amount": "10.00",
            "currency_code": "EUR",
            "order_number": "WS-319",
            **changes,
        }
        return urlencode({**values, "signature": questions.sign_values(self.KEY, **values)})

    def with_item(self, product="SKU-12", amount="10.00"):
        first = str(int(self.now.timestamp()) + 86400)
        values = {"sku": product, "amount": amount, "period": "MONTH", "period_frequency": "1"}
        signature = questions.sign_item(self.KEY, product, amount, "1", "MONTH")
        values |= {"first_payment_date": first, "signature": signature}
        return self.with_values(values)

    def with_values(self, values, **changes):
        items = {f"rp_0_{name}": value for name, value in values.items()}
        return f"{self.order(**changes)}&{urlencode({**items, 'rp_num': '1'})}"

    #: The profile that is asked about, "" for that of the newest sale.
    profile = ""

    def profile_query(self, action, id_=""):
        id_ = id_ or self.profile or self.sale()["terms"][0]["profile"]
        signature = questions.sign_values(self.KEY, action=action, profile_id=id_)
        return urlencode({"action": action, "profile_id": id_, "signature": signature})

    def asked(self, action, id_=""):
        return self.ask(self.profile_query(action, id_)).json()

    def course(self, id_):
        return Course(registry.settings(WEBTV), id_)

    def sale(self):
        transaction.begin()
        return next(iter(sales.newest(self.portal)))

    def charge(self, **more):
        return self.pay(self.sale(), transaction_="C-1", **more)

    def returned(self, answer):
        self.assertEqual(answer.status_code, 302, answer.text)
        url = answer.headers["Location"]
        self.assertTrue(url.startswith(self.fake.url.removesuffix("api.php")))
        return {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}
