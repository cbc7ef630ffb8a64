"""A site with the month of the demo in it, for tests that need more than a purchase or two."""

from datetime import datetime
from datetime import timezone
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.testing.layers import FIXTURE
from plone import api
from plone.app.testing import IntegrationTesting
from plone.app.testing import logout
from plone.app.testing import PloneSandboxLayer
from tools.demo import seeding
from tools.demo import settings
from tools.mailbox import Mailbox

import transaction


#: When the month is over in the tests: always the same, since pictures are made of it.
END = datetime(2026, 5, 31, 12, tzinfo=timezone.utc)


class MonthLayer(PloneSandboxLayer):
    """The demo's products, groups and accounts, its month of notifications, and its mailbox.

    :ivar delivered: the number of deliveries.
    """

    defaultBases = (FIXTURE,)

    def setUpPloneSite(self, portal):
        self["mailbox"] = Mailbox(unknown=settings.UNREACHABLE)
        self["mailbox"].__enter__()
        for name, value in {
            "site_title": settings.SITE_TITLE,
            "smtp_port": self["mailbox"].port,
            **settings.MAIL,
        }.items():
            api.portal.set_registry_record(f"plone.{name}", value)
        api.group.create(groupname=settings.GROUP, title="Paying members")
        with api.env.adopt_roles(["Manager"]):
            seeding.accounts()
        plone_site.settings().secretkey = settings.SECRET_KEY
        plone_site.settings().mapping = seeding.mapping()
        plone_site.settings().site_address = portal.absolute_url()
        # The add-on commits on its own, and begins with what is stored.
        transaction.commit()
        logout()
        self["delivered"] = seeding.seed(portal, END)
        # Tests look at the pages by other addresses, and the site is no copy.
        plone_site.settings().site_address = ""
        transaction.commit()

    def tearDownPloneSite(self, portal):
        self["mailbox"].__exit__(None, None, None)


MONTH_FIXTURE = MonthLayer()
MONTH = IntegrationTesting(bases=(MONTH_FIXTURE,), name="niteoweb.click2sell:Month")
