"""A site that sells with a plenigo that is not real, with a member and an owner."""

from contextlib import contextmanager
from dataclasses import replace
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.providers.plenigo import limits
from niteoweb.click2sell.provisioning import rates
from niteoweb.click2sell.tests.cases.providers import PlenigoTestCase
from plone import api
from unittest import mock

import re
import requests
import transaction


PASSWORD = "Wd7-fk3h-qqRz"
JANE = "jane@lab.example.org"
ZOE = "zoe@lab.example.org"
OFFER = "O_OFFER0000000000001"


def allowing(name, most):
    """Let something be asked for so often, by the name of its rate."""
    return mock.patch.object(limits, name, replace(getattr(limits, name), most=most))


class ShopTestCase(PlenigoTestCase):
    def setUp(self):
        super().setUp()
        rates._calls.clear()
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

    @contextmanager
    def copied(self):
        """The site is a copy, with a token of plenigo itself; nothing is there to answer."""
        self.set(api_url="https://api.plenigo.example/api/v3.0")
        self.set(api_token="t")
        with mock.patch.dict("os.environ", {"CLICK2SELL_STAGING": "1"}):
            yield

    def assert_not_set_up(self, found):
        """Refused by the site itself, before plenigo could be asked."""
        self.assertEqual((found.status_code, found.json()["type"]), (503, "NotSetUp"))

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


class SelfServiceTestCase(ShopTestCase):
    """A second member, and members who have subscribed."""

    def setUp(self):
        super().setUp()
        with self.owner():
            self.portal.acl_users.userFolderAddUser("zoe", PASSWORD, ["Member"], [])
            api.user.get(userid="zoe").setMemberProperties({"email": ZOE})
        self.enterContext(self.assertNoLogs("niteoweb.click2sell", "ERROR"))

    def subscribed(self, who="jane", **options):
        """A subscription of a member who is a customer of plenigo."""
        self.assertEqual(self.buy(who=who).status_code, 201)
        self.fake.asked.clear()
        number = self.fake.subscribe(self.customers(who), OFFER, **options)
        self.deliver()
        self.fake.requests.clear()
        return number

    def customers(self, who):
        return buyers.of_user(self.portal, who)["customer_ids"][-1][1]

    def upstream(self):
        found = [f"{one.method} {'/'.join(one.path)}" for one in self.fake.requests]
        self.fake.requests.clear()
        return found

    def form(self, path, who="jane", token_from="", **values):
        """Post a form with the token of the page."""
        page = self.page(token_from or path, who=who)
        token = re.search('name="_authenticator"[^>]*value="([^"]+)"', page.text)[1]
        with requests.Session() as session:
            session.trust_env, session.auth = False, (who, PASSWORD)
            return session.post(
                f"{self.site_url}/{path}",
                data={"_authenticator": token, **values},
                allow_redirects=False,
                timeout=30,
            )
