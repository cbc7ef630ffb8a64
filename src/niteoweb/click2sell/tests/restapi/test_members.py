"""The buyers as services of plone.restapi, over real HTTP."""

from niteoweb.click2sell.tests.cases.services import MANAGER
from niteoweb.click2sell.tests.cases.services import MAY
from niteoweb.click2sell.tests.cases.services import MAY_NOT
from niteoweb.click2sell.tests.cases.services import ServiceTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL

import requests


OTHER = "jane@example.org"


class TestMembers(ServiceTestCase):
    def members(self, path="", who=MANAGER, **params):
        return requests.get(
            f"{self.portal.absolute_url()}/@click2sell-members{path}",
            params=params,
            auth=who,
            headers={"Accept": "application/json"},
            timeout=60,
        )

    def found(self, **params):
        answer = self.members(**params)
        self.assertEqual(answer.status_code, 200)
        return [item["address"] for item in answer.json()["items"]]

    def test_list_and_search(self):
        self.buy()
        self.later(days=1)
        self.buy(buyer_email=OTHER, buyer_name="Jane", acquirer_transaction_id="T-2")
        self.assertEqual(self.found(), [OTHER, EMAIL])
        self.assertEqual(self.found(search="john"), [EMAIL])
        self.assertEqual(self.found(search="T-2"), [OTHER])
        self.assertEqual(self.found(search="nobody"), [])
        answer = self.members(b_size=1, b_start=1).json()
        self.assertEqual([item["address"] for item in answer["items"]], [EMAIL])
        self.assertEqual(answer["items_total"], 2)
        self.assertIn("prev", answer["batching"])

    def test_impossible_parameters(self):
        for params in ({"b_start": -1}, {"b_size": 5000}, {"search": ["a", "b"]}):
            with self.subTest(params):
                self.assertEqual(self.members(**params).status_code, 400)

    def test_a_member(self):
        self.settings(mapping=["1|absent"])
        self.buy()
        (item,) = self.members().json()["items"]
        answer = requests.get(
            item["@id"], auth=MANAGER, headers={"Accept": "application/json"}, timeout=60
        ).json()
        self.assertEqual(answer["obstacle"]["code"], "group missing")
        self.assertEqual(
            answer["obstacle"]["text"],
            'No access yet: the group "absent" does not exist.',
        )
        (absent,) = [group for group in answer["groups"] if group["id"] == "absent"]
        self.assertEqual(
            (absent["standing"], absent["problem"]["code"]), ("missing", "group missing")
        )
        self.assertEqual(absent["because"][0]["line"], 1)
        self.assertEqual(answer["products"][0]["state"], "active")
        self.assertEqual(answer["timeline"][-1]["what"], "notification")
        self.assertEqual(answer["timeline"][-1]["reason"]["code"], "group missing")

    def test_no_such_member(self):
        self.buy()
        buyer_id = self.buyer()["id"]
        for path in ("/nobody", f"/{buyer_id}/more"):
            self.assertEqual(self.members(path).status_code, 404)

    def test_who_may(self):
        self.buy()
        for path in ("", f"/{self.buyer()['id']}"):
            for who in MAY:
                self.assertEqual(self.members(path, who).status_code, 200)
            for who in MAY_NOT:
                answer = self.members(path, who)
                self.assertEqual(answer.status_code, 401)
                self.assertNotIn(EMAIL, answer.text)
