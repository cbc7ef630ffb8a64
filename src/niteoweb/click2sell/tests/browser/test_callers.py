"""Every page and service, called by twelve kinds of people."""

from niteoweb.click2sell.tests.cases.services import ServiceTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import PASSWORD
from niteoweb.click2sell.tests.cases.ways import Way
from niteoweb.click2sell.tests.cases.ways import ways
from plone import api
from plone.app.testing import SITE_OWNER_NAME
from plone.app.testing import SITE_OWNER_PASSWORD
from plone.app.testing import TEST_USER_PASSWORD
from plone.testing.zope import Browser

import json
import requests
import transaction


PUBLIC, MEMBER = "", "a member"
CONFIGURE, VIEW = "Click2Sell: Configure", "Click2Sell: View purchases"
OPERATE, VALIDATE = "Click2Sell: Operate purchases", "Click2Sell: Validate purchases"
SELL = "Click2Sell: Sell in the store"
#: Plone wants its own permission for a change in a control panel.
PLONES = "Manage portal"
#: One of ours that tell what somebody may do on the pages.
ANY = "any of them"

PROVIDERS = ("click2sell", "cleeng", "hook", "plenigo", "stripe", "webtv")

#: The permission that a way needs, and its answer to an empty request.
NEEDED = {
    "@@click2sell": (PUBLIC, 405),
    "@@cleeng": (PUBLIC, 404),
    "@@plenigo": (PUBLIC, 404),
    "@@stripe": (PUBLIC, 404),
    "@@stripe-settings": (CONFIGURE, 200),
    "@@purchase-hook": (PUBLIC, 404),
    "@@hook-settings": (CONFIGURE, 200),
    "@@webtv": (PUBLIC, 404),
    "@@webtv-return": (PUBLIC, 404),
    "@@webtv-sales": (VIEW, 200),
    "GET @webtv-users": (VIEW, 400),
    "GET @webtv-products": (SELL, 400),
    "GET @webtv-sales": (SELL, 200),
    "POST @webtv-sales": (SELL, 400),
    "GET @webtv-profiles": (SELL, 200),
    "POST @webtv-profiles": (SELL, 404),
    "@@webtv-settings": (CONFIGURE, 200),
    "@@my-purchases": (MEMBER, 200),
    "GET @my-purchases": (MEMBER, 200),
    "@@stripe-portal": (MEMBER, 200),
    # The token in its address is the proof.
    "@@my-purchase-claim": (PUBLIC, 200),
    "@@click2sell-order": (PUBLIC, 404),
    "@@members-only": (PUBLIC, 200),
    # It leads others to the form for logging in.
    "@@require_login": (MEMBER, 302),
    **dict.fromkeys(("@@click2sell-settings", "@@cleeng-settings"), (CONFIGURE, 200)),
    "@@plenigo-settings": (CONFIGURE, 200),
    "@@click2sell-checklist": (CONFIGURE, 302),
    "@@click2sell-try": (CONFIGURE, 200),
    "@@click2sell-hooks": (CONFIGURE, 200),
    "@@click2sell-overview": (ANY, 200),
    "@@click2sell-notifications": (VIEW, 200),
    "@@click2sell-notifications.csv": (VIEW, 200),
    "@@click2sell-members": (VIEW, 200),
    "@@click2sell-members.csv": (VIEW, 200),
    "@@click2sell-report": (VIEW, 200),
    "@@click2sell-accounting": (VIEW, 200),
    "@@click2sell-accounting.csv": (VIEW, 200),
    "@@click2sell-privacy": (VIEW, 200),
    "@@click2sell-import": (OPERATE, 200),
    "@@click2sell-check": (OPERATE, 200),
    "@@click2sell-reconcile": (OPERATE, 200),
    "GET @click2sell-checklist": (CONFIGURE, 200),
    "GET @click2sell-notifications": (VIEW, 200),
    "GET @click2sell-members": (VIEW, 200),
    "GET @click2sell-report": (VIEW, 200),
    "GET @click2sell-privacy": (VIEW, 400),
    "POST @click2sell-notifications": (OPERATE, 404),
    "POST @click2sell-members": (OPERATE, 404),
    "POST @click2sell-privacy": (OPERATE, 400),
    "POST @click2sell-sweep": (OPERATE, 200),
    "POST @cleeng-purchase-validation": (VALIDATE, 400),
    "GET @cleeng-purchase-status": (VALIDATE, 404),
    "POST @webtv-users": (OPERATE, 404),
    # They are not there while plenigo is switched off.
    **dict.fromkeys(("@@plenigo-checkout", "POST @plenigo-checkout"), (PUBLIC, 404)),
    **dict.fromkeys(("@@plenigo-voucher", "POST @plenigo-voucher"), (PUBLIC, 404)),
    **dict.fromkeys(("@@plenigo-account", "POST @plenigo-transfer-token"), (PUBLIC, 404)),
    "@@plenigo-subscription": (PUBLIC, 404),
    "@@plenigo-link": (PUBLIC, 404),
    "GET @plenigo-subscriptions": (PUBLIC, 404),
    "POST @plenigo-subscriptions": (PUBLIC, 404),
    "POST @plenigo-app-purchases": (PUBLIC, 404),
    "GET @plenigo-access": (PUBLIC, 404),
    **dict.fromkeys(("@@plenigo-login", "POST @plenigo-session"), (PUBLIC, 404)),
    **{f"GET @controlpanels/{n}": (CONFIGURE, 200) for n in PROVIDERS},
    **{f"PATCH @controlpanels/{n}": (PLONES, 204) for n in PROVIDERS},
}

ALL = {PUBLIC, MEMBER, CONFIGURE, VIEW, OPERATE, VALIDATE, PLONES, SELL}

#: Who has which of these permissions. Site Administrators see Plone's control panels.
PEOPLE = {
    "anonymous": {PUBLIC},
    "member": {PUBLIC, MEMBER},
    "buyer": {PUBLIC, MEMBER},
    "editor": {PUBLIC, MEMBER},
    "configures": {PUBLIC, MEMBER, CONFIGURE},
    "views": {PUBLIC, MEMBER, VIEW},
    "operates": {PUBLIC, MEMBER, OPERATE},
    "validates": {PUBLIC, MEMBER, VALIDATE},
    "siteadmin": ALL - {VALIDATE, SELL},
    "manager": ALL,
    "root": ALL,
    "stranger": {PUBLIC},
}


class CallersTestCase(ServiceTestCase):
    def setUp(self):
        super().setUp()
        self.settings(site_address=self.portal.absolute_url(), mapping=["1|premium|30"])
        self.account()
        self.buy()
        roles = {"editor": "Editor", "manager": "Manager"}
        with self.owner():
            for name, permission in (
                *(("configures", CONFIGURE), ("views", VIEW)),
                *(("operates", OPERATE), ("validates", VALIDATE)),
            ):
                roles[name] = f"Who {name}"
                self.portal._addRole(roles[name])
                self.portal.manage_permission(
                    permission, ["Manager", "Site Administrator", roles[name]], acquire=False
                )
            self.portal.manage_permission(VALIDATE, ["Manager", roles["validates"]], False)
            for name, role in roles.items():
                api.user.create(
                    username=name, email=f"{name}@example.org", password=TEST_USER_PASSWORD
                )
                self.portal.acl_users.userFolderEditUser(name, None, [role, "Member"], [])
            # Somebody of another part of Zope, who is a Manager there.
            other = self.layer["app"]
            other.manage_addFolder("elsewhere")
            other.elsewhere.manage_addUserFolder()
            other.elsewhere.acl_users.userFolderAddUser(
                "stranger", TEST_USER_PASSWORD, ["Manager"], []
            )
        self.addCleanup(self._tidy)

    def _tidy(self):
        with self.owner():
            self.layer["app"].manage_delObjects(["elsewhere"])

    def call(self, name, way, body="{}"):
        credentials = {
            "anonymous": None,
            "buyer": (EMAIL, PASSWORD),
            "root": (SITE_OWNER_NAME, SITE_OWNER_PASSWORD),
        }
        transaction.commit()
        answer = requests.request(
            way.method or "GET",
            f"{self.portal.absolute_url()}/{way.path}",
            data=None if way.method in ("", "GET") else body,
            auth=credentials.get(name, (name, TEST_USER_PASSWORD)),
            headers={"Accept": "application/json", "Content-Type": "application/json"}
            if way.method
            else {},
            allow_redirects=False,
            timeout=60,
        )
        transaction.begin()
        return answer


class TestCallers(CallersTestCase):
    def test_each_may_do_what_the_permissions_say(self):
        found = {f"{way.method} {way.path}".strip(): way for way in ways()}
        self.assertEqual(sorted(found), sorted(NEEDED))
        for name, held in PEOPLE.items():
            for title, way in found.items():
                with self.subTest(name, way=title):
                    permission, expected = NEEDED[title]
                    if permission == ANY:
                        permission = next(iter(held & {CONFIGURE, VIEW, OPERATE}), ANY)
                    answer = self.call(name, way)
                    status = answer.status_code
                    if status == 302 and "login" in answer.headers["Location"]:
                        status = 401
                    if "controlpanels" in title and name == "configures":
                        # Only those who may see Site Setup get there at all.
                        permission = "nobody's"
                    self.assertEqual(status, expected if permission in held else 401)
                    if permission not in held:
                        self.assertNotIn(EMAIL, answer.text)


class TestOperators(CallersTestCase):
    """Who may operate, but not view purchases, is told nothing about people."""

    def test_no_answer_names_anybody(self):
        buyer, key = self.buyer()["id"], self.key()
        dry = {"dry_run": True}
        until = {"product_id": "1", "until": "2027-01-01", "reason": "r"}
        for path, options in (
            (f"@click2sell-notifications/{key}/replay", dry),
            (f"@click2sell-notifications/{key}/replay", {}),
            (f"@click2sell-notifications/{key}/correct", {"address": "x@example.org", **dry}),
            (f"@click2sell-members/{buyer}/extend", {**until, **dry}),
            (f"@click2sell-members/{buyer}/extend", until),
            (f"@click2sell-members/{buyer}/resend", dry),
            (f"@click2sell-members/{buyer}/revoke", {"product_id": "1", "reason": "r"}),
            ("@click2sell-privacy", {"address": EMAIL, **dry}),
        ):
            with self.subTest(path, **options):
                answer = self.call("operates", Way(path, "POST"), json.dumps(options))
                self.assert_names_nobody(answer)
                self.assertNotEqual(answer.json(), {})

    def test_reconciling_names_nobody(self):
        self.settings(mapping=["1|course|30"])
        for name, named in (("operates", False), ("siteadmin", True)):
            browser = Browser(self.layer["app"])
            browser.addHeader("Authorization", f"Basic {name}:{TEST_USER_PASSWORD}")
            browser.open(f"{self.portal.absolute_url()}/@@click2sell-reconcile")
            browser.getControl("Show what would change").click()
            self.assertIn("course", browser.contents)
            self.assertEqual(EMAIL in browser.contents, named)

    def assert_names_nobody(self, answer):
        self.assertLess(answer.status_code, 401, answer.text)
        for word in (EMAIL, "john", "Smith", '"payload"'):
            self.assertNotIn(word, answer.text)
