"""A Volto site, as far as the backend knows one: JSON, with the token of a login."""

from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.tests.cases.services import MANAGER
from niteoweb.click2sell.tests.cases.services import ServiceTestCase
from niteoweb.click2sell.tests.cases.services import SITE_ADMINISTRATOR
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import PASSWORD

import requests
import transaction


class TestVolto(ServiceTestCase):
    def setUp(self):
        super().setUp()
        self.site_url = self.portal.absolute_url()
        self.settings(site_address=self.site_url)
        self.account()
        self.buy()

    def session(self, login: str, password: str) -> requests.Session:
        """Log in as Volto does; each further request has the token, and no cookie."""
        session = requests.Session()
        session.headers["Accept"] = "application/json"
        answer = session.post(
            f"{self.site_url}/@login", json={"login": login, "password": password}, timeout=30
        )
        self.assertEqual(answer.status_code, 200, answer.text)
        self.cookies = session.cookies.copy()
        session.cookies.clear()
        session.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        transaction.begin()
        return session

    def ask(self, session, method, path, **options):
        transaction.commit()
        answer = session.request(method, f"{self.site_url}/{path}", timeout=30, **options)
        transaction.begin()
        return answer

    def test_an_owner_sets_up_and_looks_after_members(self):
        for who in (MANAGER, SITE_ADMINISTRATOR):
            with self.subTest(who[0]):
                owner = self.session(*who)
                panels = self.ask(owner, "GET", "@controlpanels").json()
                links = {panel["@id"].rpartition("/")[2] for panel in panels}
                self.assertIn("click2sell", links)
                for provider in registry.registered():
                    answer = self.ask(owner, "GET", f"@controlpanels/{provider.name}")
                    self.assertEqual(answer.json()["title"], provider.title)
                panel = self.ask(owner, "GET", "@controlpanels/click2sell").json()
                # Volto makes a form of the schema, and sends back what was changed.
                names = [
                    name for part in panel["schema"]["fieldsets"] for name in part["fields"]
                ]
                self.assertEqual(set(names), set(panel["schema"]["properties"]))
                self.assertLessEqual({"mapping", "secretkey", "welcome_mail"}, set(names))
                self.assertIsNone(panel["data"]["secretkey"])
                changed = {"mapping": [f"1|premium|{len(who[0])}"]}
                answer = self.ask(owner, "PATCH", "@controlpanels/click2sell", json=changed)
                self.assertEqual(answer.status_code, 204, answer.text)
                panel = self.ask(owner, "GET", "@controlpanels/click2sell").json()
                self.assertEqual(panel["data"]["mapping"], changed["mapping"])
                checks = self.ask(owner, "GET", "@click2sell-checklist").json()["items"]
                self.assertIn("groups", [check["name"] for check in checks])
                members = self.ask(owner, "GET", "@click2sell-members").json()["items"]
                self.assertEqual([member["user_id"] for member in members], [EMAIL])

    def test_an_owner_reaches_the_desk_without_another_login(self):
        self.session(*MANAGER)
        for page in ("overview", "members", "settings", "hooks"):
            answer = requests.get(
                f"{self.site_url}/@@click2sell-{page}", cookies=self.cookies, timeout=30
            )
            self.assertEqual(answer.status_code, 200, page)
            self.assertIn("Memberships", answer.text)

    def test_a_buyer_sees_what_was_bought(self):
        buyer = self.session(EMAIL, PASSWORD)
        answer = self.ask(buyer, "GET", "@my-purchases")
        self.assertEqual(answer.status_code, 200, answer.text)
        own = answer.json()
        self.assertTrue(own["products"][0]["access"])
        self.assertEqual([payment["receipt"] for payment in own["payments"]], ["R-1"])
        page = f"{self.site_url}/@@my-purchases"
        answer = requests.get(page, cookies=self.cookies, timeout=30)
        self.assertIn("My purchases", answer.text)
        for path in (
            "@click2sell-members",
            "@click2sell-checklist",
            "@controlpanels/click2sell",
        ):
            self.assertEqual(self.ask(buyer, "GET", path).status_code, 401, path)
