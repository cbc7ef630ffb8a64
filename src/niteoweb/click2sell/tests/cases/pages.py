"""Pages of Site Setup, as a browser shows them."""

from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import plan
from niteoweb.click2sell.setup import checklist
from niteoweb.click2sell.setup.check import Check
from niteoweb.click2sell.setup.check import Status
from niteoweb.click2sell.storage import schedule
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from plone import api
from plone.app.testing import SITE_OWNER_NAME
from plone.app.testing import SITE_OWNER_PASSWORD
from plone.app.testing import TEST_USER_PASSWORD
from plone.testing.zope import Browser
from typing import Any
from unittest import mock
from urllib.parse import urlencode
from zope.i18n import translate

import re
import transaction


OTHER = "jane@example.org"


SCRIPT = "<script>alert(1)</script>"


MANAGER = (SITE_OWNER_NAME, SITE_OWNER_PASSWORD)


NOBODY = ("", "")


def cells(html: str) -> list[list[str]]:
    """The texts of the cells of tables, row by row."""
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", html, re.DOTALL)
    found = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in rows]
    return [
        [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row]
        for row in found
        if row
    ]


def share_folder(portal: Any, group_id: str, id_: str, title: str) -> Any:
    """Make a folder that only members of a group may read, by Plone's sharing."""
    with api.env.adopt_roles(["Manager"]):
        folder = api.content.create(portal, "Folder", id_, title=title)
        for permission in ("View", "Access contents information"):
            folder.manage_permission(permission, ["Manager", "Owner", "Reader"], acquire=False)
        folder.manage_setLocalRoles(group_id, ["Reader"])
        folder.reindexObjectSecurity()
    transaction.commit()
    return folder


def enable_behaviors(portal: Any, type_name: str, *behaviors: str) -> None:
    """Let content of a type have behaviors, as *Site Setup*, *Content types* does."""
    fti = portal.portal_types[type_name]
    fti.manage_changeProperties(behaviors=tuple(dict.fromkeys((*fti.behaviors, *behaviors))))


class PageTestCase(SiteTestCase):
    def setUp(self):
        super().setUp()
        self.url = f"{self.portal.absolute_url()}/@@click2sell-notifications"

    def browser(self, who: tuple[str, str] = MANAGER) -> Browser:
        browser = Browser(self.layer["app"])
        browser.handleErrors = True
        browser.raiseHttpErrors = False
        if who[0]:
            browser.addHeader("Authorization", f"Basic {who[0]}:{who[1]}")
        return browser

    def opened(self, path: str = "", who: tuple[str, str] = MANAGER, **query) -> Browser:
        browser = self.browser(who)
        query = {name.rstrip("_"): value for name, value in query.items()}
        browser.open(f"{self.url}{path}{'?' if query else ''}{urlencode(query, doseq=True)}")
        return browser

    def person(self, name: str, role: str = "Member", permissions: tuple[str, ...] = ()):
        """Somebody with a role, or with some of our permissions only."""
        with self.owner():
            api.user.create(
                username=name, email=f"{name}@example.org", password=TEST_USER_PASSWORD
            )
            if permissions:
                role = f"role of {name}"
                self.portal._addRole(role)
                for permission in permissions:
                    self.portal.manage_permission(
                        f"Click2Sell: {permission}", ["Manager", role], acquire=1
                    )
            self.portal.acl_users.userFolderEditUser(name, None, [role, "Member"], [])
        return name, TEST_USER_PASSWORD

    def key(self, number: int = 0) -> str:
        """Key of an entry, the newest is number 0."""
        transaction.begin()
        return list(ledger.newest_first(self.portal))[number]

    def text(self, browser: Browser) -> str:
        """The visible text of the page itself."""
        body = browser.contents.partition("<body")[2]
        return " ".join(re.sub(r"<[^>]+>", " ", body).split())

    def rows(self, browser: Browser) -> list[list[str]]:
        """The cells of the table of notifications."""
        table = browser.contents.partition('aria-label="Notifications"')[2]
        rows = re.findall(r"<tr[^>]*>(.*?)</tr>", table.partition("</table>")[0], re.DOTALL)
        cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in rows]
        return [
            [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row]
            for row in cells
            if row
        ]

    def buyers(self, browser: Browser) -> list[str]:
        """The addresses in the table of notifications."""
        return [row[1].split()[-1] for row in self.rows(browser)]

    def members_folder(self, group_id: str = "premium", id_: str = "lounge", title="Lounge"):
        """A folder that only members of a group may read."""
        return share_folder(self.portal, group_id, id_, title)

    def last_transaction(self) -> bytes:
        transaction.begin()
        return self.portal._p_jar.db().lastTransaction()

    def fail_to_buy(self, **changes: str) -> str:
        """A sale that is kept as failed.

        :returns: its key.
        """
        with (
            mock.patch.object(plan, "make", side_effect=RuntimeError(EMAIL)),
            self.assertRaises(pipeline.Failed),
        ):
            pipeline.process(self.notification(**changes))
        return self.notification(**changes).key


class MembersTestCase(PageTestCase):
    def setUp(self):
        super().setUp()
        self.url = f"{self.portal.absolute_url()}/@@click2sell-members"

    def rows(self, browser):
        """The cells of the table of members."""
        table = browser.contents.partition('aria-label="Members"')[2].partition("</table>")[0]
        return cells(table)


class ChecklistTestCase(PageTestCase):
    def setUp(self):
        super().setUp()
        self.url = f"{self.portal.absolute_url()}/@@click2sell-overview"

    def items(self, connect: bool = False) -> dict[str, Check]:
        transaction.begin()
        found = checklist.items(self.portal, self.now, connect)
        return {item.name: item for item in found}

    def state(self, name: str) -> tuple[Status, str]:
        item = self.items()[name]
        return item.state, translate(item.text)

    def all_set_up(self) -> None:
        self.settings(site_address="https://nohost.example.org")
        request = self.layer["request"]
        request.setServerURL("https", "nohost.example.org", "443")
        self.addCleanup(request.setServerURL, "http", "nohost", "80")
        self.registry(email_from_address="shop@example.com")
        self.buy()
        schedule.begin(self.portal, schedule.CLOCK, self.now)
        transaction.commit()
