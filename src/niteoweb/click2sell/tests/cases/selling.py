"""A site that sells products of a WebTV's store."""

from niteoweb.click2sell.tests.cases.providers import JANE
from niteoweb.click2sell.tests.cases.providers import WebTVTestCase
from niteoweb.click2sell.tests.cases.services import MANAGER

import requests
import transaction


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
