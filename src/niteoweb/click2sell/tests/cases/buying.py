"""A site that sells with a plenigo that is not real, with a member and an owner."""

from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.tests.cases.providers import PlenigoTestCase
from plone import api

import requests
import transaction


PASSWORD = "Wd7-fk3h-qqRz"  # noqa: S105
JANE = "jane@lab.example.org"
OFFER = "O_OFFER0000000000001"


class ShopTestCase(PlenigoTestCase):
    def setUp(self):
        super().setUp()
        self.site_url = self.url.rpartition("/")[0]
        self.set(
            company_id="COMP",
            sdk_url=f"{self.fake.url}/sdk/{{company_id}}/plenigo_sdk.min.js",
            offers=[OFFER, "O_EXTRA|multiple|net|bonus=BO_A,BO_B", "SC_CART1"],
            mapping=[f"{OFFER}|premium", "issue-1|course"],
        )
        self.settings(trusted_proxies=["127.0.0.1"])
        for name, roles in (("jane", ["Member"]), ("boss", ["Site Administrator"])):
            with self.owner():
                properties = {"email": f"{name}@lab.example.org", "fullname": "Jane Doe"}
                self.portal.acl_users.userFolderAddUser(name, PASSWORD, roles, [])
                api.user.get(userid=name).setMemberProperties(properties)
        transaction.commit()

    def call(self, method, path, value=None, who="jane", **headers):
        with requests.Session() as session:
            session.trust_env = False
            if who:
                session.auth = (who, PASSWORD)
            found = session.request(
                method,
                f"{self.site_url}/{path}",
                json=value,
                headers={"Accept": "application/json", **headers},
                allow_redirects=False,
                timeout=30,
            )
        transaction.begin()
        return found

    def buy(self, value=None, **options):
        return self.call("POST", "@plenigo-checkout", value or {"offer": OFFER}, **options)

    def page(self, path, **options):
        return self.call("GET", path, Accept="text/html", **options)

    @property
    def customer(self):
        return buyers.of_user(self.portal, "jane")["customer_ids"][-1][1]
