"""Copies of a site in the same Zope, over real HTTP, with real threads and a mail server."""

from contextlib import contextmanager
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.storage import schedule
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases import deliveries
from niteoweb.click2sell.tests.cases.layers import SHOP_HTTP
from niteoweb.click2sell.tests.cases.site import PASSWORD
from niteoweb.click2sell.tests.cases.threads import ThreadsTestCase
from pathlib import Path
from plone.app.testing import SITE_OWNER_NAME
from plone.app.testing import SITE_OWNER_PASSWORD
from Products.SiteAccess.VirtualHostMonster import manage_addVirtualHostMonster
from tempfile import TemporaryDirectory
from zope.component.hooks import setSite
from zope.globalrequest import getRequest

import re
import requests
import time
import transaction


OWNER = (SITE_OWNER_NAME, SITE_OWNER_PASSWORD)
HERE, THERE = "www.example.org", "test.example.org"


class CopiesTestCase(ThreadsTestCase):
    layer = SHOP_HTTP

    def setUp(self):
        super().setUp()
        self.app = self.layer["app"]
        if "virtual_hosting" not in self.app:
            manage_addVirtualHostMonster(self.app)
        self.settings(welcome_mail="link", site_address=f"http://{HERE}")
        plone_site.settle()
        transaction.commit()

    def pasted(self):
        """A copy beside the site, made in the ZMI."""
        with self.owner():
            self.app.manage_pasteObjects(self.app.manage_copyObjects(["plone"]))
        return self.app["copy_of_plone"]

    def imported(self):
        """A copy in a folder beside the site, exported and imported in the ZMI."""
        with TemporaryDirectory() as folder, self.owner():
            path = Path(folder, "plone.zexp")
            with path.open("wb") as file:
                self.portal._p_jar.exportFile(self.portal._p_oid, file)
            self.app.manage_addFolder("other")
            self.app["other"]._importObjectFromFile(str(path), verify=0)
        return self.app["other"]["plone"]

    def url(self, site, page, host=HERE, below=""):
        """Address of a page of a site, behind a web server with virtual hosts."""
        path = "/".join(site.getPhysicalPath())
        server = f"http://{self.layer['host']}:{self.layer['port']}"
        return f"{server}/VirtualHostBase/http/{host}:80{path}/VirtualHostRoot{below}/{page}"

    def sell(self, site, number, **place):
        """Post a sale to a site."""
        body = deliveries.body(
            buyer_email=f"{number}@example.org",
            acquirer_transaction_id=f"T-{number}",
            c2s_transaction_id=f"R-{number}",
        )
        url = self.url(site, "@@click2sell", **place)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = requests.post(url, data=body, headers=headers, timeout=30)
        self.assertEqual(answer.status_code, 200, answer.text)
        transaction.begin()

    @contextmanager
    def inside(self, site):
        """The site as the current one."""
        setSite(site)
        yield
        setSite(self.portal)

    def states_at(self, site):
        """The states of the mails of a site."""
        transaction.begin()
        return [mail["state"] for mail in trees.tree(site, "mails").values()]

    def checklist(self, site, press="", auth=OWNER, **place):
        """The page, or the one after a button of it was pressed."""
        url = self.url(site, "@@click2sell-overview", **place)
        page = requests.get(url, auth=auth, timeout=30).text
        if not press:
            return page
        token = re.search('name="_authenticator" value="([^"]+)"', page)[1]
        form = {"_authenticator": token, press: "1"}
        answer = requests.post(url, data=form, auth=auth, timeout=30)
        transaction.begin()
        return answer.text

    def check_that_it_is_quiet(self, copy, **place):
        """A copy sells, and does nothing else, while the site goes on."""
        self.begin(reached=False)
        self.sell(copy, "copied", **place)
        self.sell(self.portal, "true")
        self.wait_for_mail()
        time.sleep(1)
        self.assertEqual([m["To"] for m in self.server.messages], ["true@example.org"])
        self.assertIn(f"http://{HERE}/passwordreset/", self.text())
        self.assertEqual(self.states_at(copy), [outbox.DUE])
        self.assertIsNone(schedule.last_run(copy))
        self.assertIn("copied@example.org", copy.acl_users.source_users.listUserIds())
        self.assertNotIn("copied@example.org", self.portal.acl_users.source_users.listUserIds())
        self.wait_until(lambda: schedule.last_run(self.portal))


class TestACopyIsQuiet(CopiesTestCase):
    def test_pasted_on_the_same_host_at_another_path(self):
        self.check_that_it_is_quiet(self.pasted(), below="/_vh_test")

    def test_pasted_at_the_same_path_of_another_host(self):
        self.check_that_it_is_quiet(self.pasted(), host=THERE)

    def test_pasted_and_served_in_the_place_of_the_site(self):
        self.check_that_it_is_quiet(self.pasted())

    def test_imported(self):
        self.check_that_it_is_quiet(self.imported())

    def test_also_with_an_address_of_its_own(self):
        copy = self.pasted()
        with self.inside(copy):
            plone_site.settings().site_address = f"http://{THERE}"
            transaction.commit()
        self.check_that_it_is_quiet(copy, host=THERE)

    def test_brought_from_another_zope(self):
        copy = self.imported()
        with self.owner():
            # Nobody in this database has said where the site is.
            self.app._p_jar.root()["niteoweb.click2sell"].clear()
            self.app.manage_delObjects(["plone"])
        setSite(copy)
        self.addCleanup(setSite, None)
        self.assertIsNone(plone_site.noted_place())
        self.assertTrue(plone_site.is_copy())
        plone_site.settings().site_address = f"http://{THERE}"
        self.assertTrue(plone_site.is_copy())
        plone_site.settle()
        self.assertFalse(plone_site.is_elsewhere())

    def test_renamed(self):
        with self.owner():
            self.app.manage_renameObject("plone", "shop")
        moved = self.app["shop"]
        setSite(moved)
        self.addCleanup(setSite, None)
        self.sell(moved, "moved")
        self.assertTrue(plone_site.is_copy())
        self.assertIn("This is the site now", self.checklist(moved))
        self.assertIn("Before: /plone, http://www.example.org", self.checklist(moved))
        self.checklist(moved, "settle")
        self.assertFalse(plone_site.is_elsewhere())


class TestThisIsTheSiteNow(CopiesTestCase):
    def is_copy(self, site):
        transaction.begin()
        with self.inside(site):
            return plone_site.is_elsewhere()

    def test_a_successor(self):
        copy = self.pasted()
        self.begin(reached=False)
        self.sell(copy, "waits")
        page = self.checklist(copy, "settle")
        self.assertIn("This is the site now.", page)
        self.assertNotIn('name="settle"', page)
        self.assertEqual((self.is_copy(copy), self.is_copy(self.portal)), (False, True))
        self.wait_until(lambda: self.states_at(copy) == [outbox.SENT])
        self.sell(self.portal, "late")
        time.sleep(1)
        self.assertEqual([m["To"] for m in self.server.messages], ["waits@example.org"])

    def test_a_site_of_its_own(self):
        """It has another address, too: both are sites then."""
        copy = self.pasted()
        self.assertNotIn('name="settle"', self.checklist(copy, host=THERE))
        self.assertIn("correct the address in the settings", self.checklist(copy, host=THERE))
        with self.inside(copy):
            plone_site.settings().site_address = f"http://{THERE}"
            transaction.commit()
        self.checklist(copy, "settle", host=THERE)
        self.assertEqual((self.is_copy(copy), self.is_copy(self.portal)), (False, False))

    def test_only_at_the_public_address(self):
        copy = self.pasted()
        for place in ({"host": THERE}, {"below": "/_vh_test"}):
            self.assertNotIn('name="settle"', self.checklist(copy, **place))
            self.checklist(copy, "settle", **place)
            self.assertTrue(self.is_copy(copy))

    def test_only_by_a_post_of_the_page_of_an_owner(self):
        copy = self.pasted()
        url = self.url(copy, "@@click2sell-overview")
        for answer in (
            requests.get(url, {"settle": "1"}, auth=OWNER, timeout=30),
            requests.post(url, {"settle": "1"}, auth=OWNER, timeout=30),
            requests.post(url, {"settle": "1"}, timeout=30, allow_redirects=False),
        ):
            self.assertTrue(self.is_copy(copy), answer)

    def test_the_site_itself_has_no_button(self):
        self.assertNotIn('name="settle"', self.checklist(self.portal))

    def test_another_host_in_the_settings(self):
        """As when somebody enters the address of the copy that he is at."""
        with self.inside(self.portal):
            self.settings(site_address=f"http://{THERE}")
        self.assertTrue(plone_site.is_copy())
        self.checklist(self.portal, "settle", host=THERE)
        self.assertFalse(self.is_copy(self.portal))


class TestNoAddressYet(CopiesTestCase):
    """The host of a request is chosen by its sender."""

    EVIL = "evil.example.com"
    ACCEPT = {"Accept": "application/json"}

    def setUp(self):
        super().setUp()
        self.settings(site_address="")
        self.account("operator", "operator@example.org")
        for name in ("View", "Operate"):
            self.portal.manage_permission(f"Click2Sell: {name} purchases", ["Member"])
        transaction.commit()

    def operate(self, page, host, **body):
        """Call a service as somebody who may operate purchases, and nothing else."""
        answer = requests.post(
            self.url(self.portal, page, host=host),
            json=body,
            auth=("operator", PASSWORD),
            headers=self.ACCEPT,
            timeout=30,
        )
        self.assertEqual(answer.status_code, 200, answer.text)
        transaction.begin()

    def configure(self, host, auth=OWNER, **values):
        """Save settings by the control panel service; the status of the answer."""
        url = self.url(self.portal, "@controlpanels/click2sell", host=host)
        answer = requests.patch(url, json=values, auth=auth, headers=self.ACCEPT, timeout=30)
        transaction.begin()
        # The registry keeps what it read for as long as a request lasts: here, as the test.
        getRequest().other.pop("_plone_registry_cache", None)
        return answer.status_code

    def test_who_operates_does_not_choose_the_host_of_links(self):
        self.sell(self.portal, "first", host=self.EVIL)
        self.operate("@click2sell-sweep", self.EVIL)
        self.assertEqual(self.configure(self.EVIL, ("operator", PASSWORD), grace_days=1), 401)
        self.assertEqual(self.states_at(self.portal), [outbox.DUE])
        self.assertEqual(plone_site.settings().site_address, "")
        # The first save of somebody who may configure.
        self.assertEqual(self.configure(HERE, grace_days=1), 204)
        self.assertEqual(plone_site.settings().site_address, f"http://{HERE}")
        self.operate("@click2sell-sweep", self.EVIL)
        self.assertEqual(self.states_at(self.portal), [outbox.DUE])
        self.operate("@click2sell-sweep", HERE)
        self.assertIn(f"http://{HERE}/passwordreset/", self.text())

    def test_a_later_save_takes_no_host_of_a_request(self):
        self.assertEqual(self.configure(HERE, grace_days=1), 204)
        self.assertEqual(self.configure(self.EVIL, grace_days=2), 204)
        self.assertEqual(plone_site.settings().site_address, f"http://{HERE}")
