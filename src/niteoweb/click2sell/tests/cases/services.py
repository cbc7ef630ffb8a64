"""Services of plone.restapi over real HTTP, and the people who may call them."""

from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import plan
from niteoweb.click2sell.tests.cases.layers import SHOP_HTTP
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from plone import api
from plone.app.testing import SITE_OWNER_NAME
from plone.app.testing import SITE_OWNER_PASSWORD
from plone.app.testing import TEST_USER_PASSWORD
from unittest import mock

import requests
import transaction


MANAGER = (SITE_OWNER_NAME, SITE_OWNER_PASSWORD)


SITE_ADMINISTRATOR = ("siteadmin", TEST_USER_PASSWORD)


MEMBER = ("member", TEST_USER_PASSWORD)


ANONYMOUS = None


MAY = (MANAGER, SITE_ADMINISTRATOR)


MAY_NOT = (MEMBER, ANONYMOUS)


class ServiceTestCase(SiteTestCase):
    """A site over HTTP, with a person of each kind."""

    layer = SHOP_HTTP

    def setUp(self):
        super().setUp()
        with self.owner():
            for name, role in (("siteadmin", "Site Administrator"), ("member", "Member")):
                api.user.create(
                    username=name, email=f"{name}@example.org", password=TEST_USER_PASSWORD
                )
                self.portal.acl_users.userFolderEditUser(name, None, [role], [])
        self.url = f"{self.portal.absolute_url()}/@click2sell-notifications"

    def get(self, path="", auth=MANAGER, **params) -> requests.Response:
        return requests.get(
            f"{self.url}{path}",
            params=params,
            auth=auth,
            headers={"Accept": "application/json"},
            timeout=30,
        )

    def post(self, path="", body=None, auth=MANAGER, headers=(), **more) -> requests.Response:
        """As a script does, with a JSON body."""
        if body is not None:
            more["json"] = body
        transaction.commit()
        answer = requests.post(
            f"{self.url}{path}",
            auth=auth,
            headers={"Accept": "application/json", **dict(headers)},
            timeout=30,
            **more,
        )
        transaction.begin()
        return answer

    def key(self, number=0):
        """Key of an entry, the newest is number 0."""
        transaction.begin()
        return list(ledger.newest_first(self.portal))[number]

    def fail_to_buy(self, **changes):
        """A sale that is kept as failed; the newest entry of the ledger."""
        self.later(minutes=1)
        with (
            mock.patch.object(plan, "make", side_effect=RuntimeError("john@example.org")),
            self.assertRaises(pipeline.Failed),
        ):
            self.buy(**changes)
