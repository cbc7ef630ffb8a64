"""A site with the month of the demo in it, for tests that need more than a purchase or two.

The demo is a part of the checkout and of the source distribution, not of an installed package.
"""

from datetime import datetime
from datetime import timezone
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.testing.layers import FIXTURE
from pathlib import Path
from plone import api
from plone.app.testing import IntegrationTesting
from plone.app.testing import logout
from plone.app.testing import PloneSandboxLayer

import sys
import transaction
import unittest


ROOT = Path(__file__).resolve().parents[5]
IS_HERE = (ROOT / "demo" / "run.py").is_file()
with_demo = unittest.skipUnless(IS_HERE, "the demo is not part of an installed package")

#: When the month is over in the tests: always the same, since pictures are made of it.
END = datetime(2026, 5, 31, 12, tzinfo=timezone.utc)


class MonthLayer(PloneSandboxLayer):
    """The demo's products, groups and accounts, its month of notifications, and its mailbox.

    :ivar delivered: the number of deliveries.
    """

    defaultBases = (FIXTURE,)

    def setUpPloneSite(self, portal):
        sys.path.insert(0, str(ROOT))
        from demo import seeding
        from demo import settings
        from demo.mailbox import Mailbox

        self["mailbox"] = Mailbox(unknown=settings.UNREACHABLE)
        self["mailbox"].__enter__()
        for name, value in {
            "site_title": settings.SITE_TITLE,
            "smtp_host": "127.0.0.1",
            "smtp_port": self["mailbox"].port,
            "email_from_name": settings.SENDER_NAME,
            "email_from_address": settings.SENDER,
        }.items():
            api.portal.set_registry_record(f"plone.{name}", value)
        api.group.create(groupname=settings.GROUP, title="Paying members")
        with api.env.adopt_roles(["Manager"]):
            seeding.accounts()
        plone_site.settings().secretkey = settings.SECRET_KEY
        plone_site.settings().mapping = seeding.mapping()
        # The add-on commits on its own, and begins with what is stored.
        transaction.commit()
        logout()
        self["delivered"] = seeding.seed(portal, END)

    def tearDownPloneSite(self, portal):
        self["mailbox"].__exit__(None, None, None)
        sys.path.remove(str(ROOT))


MONTH_FIXTURE = MonthLayer()
MONTH = IntegrationTesting(bases=(MONTH_FIXTURE,), name="niteoweb.click2sell:Month")
