"""After a change of the mapping everybody is reconciled, once somebody has looked."""

from niteoweb.click2sell.browser.desk import reconcile as page
from niteoweb.click2sell.owner import reconcile
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import plan
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.tests.cases.pages import cells
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from plone import api
from plone.app.testing import SITE_OWNER_NAME
from plone.app.testing import SITE_OWNER_PASSWORD
from plone.app.testing import TEST_USER_PASSWORD
from plone.testing.zope import Browser
from typing import Any
from unittest import mock
from urllib.error import HTTPError

import os
import re


OTHER = "jane@example.org"
NEW_MAPPING = ["1|course", "2|course"]


def cannot_be_looked_at(buyer_id: str) -> Any:
    """Working out what changes for this buyer fails."""
    real = plan.make

    def make(site, buyer, *options, **named):
        if buyer["id"] == buyer_id:
            raise RuntimeError(EMAIL)
        return real(site, buyer, *options, **named)

    return mock.patch.object(plan, "make", make)


class TestReconcile(SiteTestCase):
    def setUp(self):
        super().setUp()
        self.buy()

    def changes(self) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
        return [
            (change.user_id, change.given, change.taken)
            for change in reconcile.part(self.portal).changes
        ]

    def apply(self) -> reconcile.ReconcileReport:
        return reconcile.apply(reconcile.part(self.portal).changes)

    def test_nothing_to_change(self):
        before = self.dump()
        self.assertEqual(self.changes(), [])
        self.assertEqual(self.apply(), reconcile.ReconcileReport())
        self.assertEqual(self.dump(), before)

    def test_a_changed_mapping(self):
        self.settings(mapping=NEW_MAPPING)
        self.assertEqual(self.changes(), [(EMAIL, ("course",), ("premium",))])
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assertEqual(self.apply(), reconcile.ReconcileReport(looked_at=1, changed=1))
        self.assertEqual(self.groups(), ["click2sell", "course"])
        self.assertEqual(self.changes(), [])

    def test_a_group_that_another_product_gives_stays_no_longer_than_that(self):
        self.settings(mapping=["1|premium", "2|premium"])
        self.buy_again(product_id="2")
        self.settings(mapping=["1|premium", "2|course"])
        self.assertEqual(self.changes(), [(EMAIL, ("course",), ())])
        self.apply()
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])
        self.refund()
        self.assertEqual(self.groups(), ["click2sell", "course"])

    def test_a_run_for_one_buyer_takes_nothing_away(self):
        self.settings(mapping=NEW_MAPPING)
        self.provision()
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])
        self.assertEqual(self.changes(), [(EMAIL, (), ("premium",))])

    def test_what_was_given_by_hand_stays(self):
        self.account(OTHER, OTHER)
        with self.owner():
            api.group.add_user(groupname="premium", username=OTHER)
        self.buy_again(buyer_email=OTHER)
        self.settings(mapping=NEW_MAPPING)
        self.apply()
        self.assertEqual(self.groups(OTHER), ["click2sell", "course", "premium"])

    def test_all_buyers_are_looked_at_and_each_once(self):
        for number in range(2, 9):
            self.buy_again(number, buyer_email=f"buyer{number}@example.org")
        self.settings(mapping=NEW_MAPPING)
        with mock.patch.object(reconcile, "BATCH", 3):
            user_ids = [user_id for user_id, *_ in self.changes()]
            self.assertEqual(len(user_ids), 8)
            self.assertEqual(len(set(user_ids)), 8)
            self.assertEqual(self.apply().changed, 8)

    def test_one_that_fails_leaves_the_others_and_is_found_again(self):
        self.buy_again(buyer_email=OTHER)
        self.settings(mapping=NEW_MAPPING)
        failing = self.buyer()["id"]
        real = pipeline.provision
        for error in (transactions.Busy(), RuntimeError("told nobody")):
            with self.subTest(error):

                def provision(buyer_id, error=error, **options):
                    if buyer_id == failing:
                        raise error
                    return real(buyer_id, **options)

                with mock.patch.object(pipeline, "provision", provision):
                    report = self.apply()
                self.assertEqual(report.left, 1)
                self.assertEqual([user_id for user_id, *_ in self.changes()], [EMAIL])
        self.assertEqual(self.apply().changed, 1)

    def test_one_that_cannot_be_looked_at_leaves_the_others(self):
        self.buy_again(buyer_email=OTHER)
        self.settings(mapping=NEW_MAPPING)
        failing = self.buyer()["id"]
        with cannot_be_looked_at(failing), self.assertLogs("niteoweb.click2sell") as logs:
            part = reconcile.part(self.portal)
        self.assertEqual((part.until, part.troubled), ("", 1))
        self.assertEqual([change.user_id for change in part.changes], [OTHER])
        self.assertIn(f"{failing}: RuntimeError", logs.output[0])
        self.assertNotIn(EMAIL, str(logs.output))
        self.assertEqual(reconcile.apply(part.changes).changed, 1)
        self.assertEqual(self.groups(OTHER), ["click2sell", "course"])

    def test_a_copy_of_the_site_is_left_alone(self):
        self.settings(mapping=NEW_MAPPING)
        with (
            mock.patch.dict(os.environ, CLICK2SELL_STAGING="1"),
            self.assertRaises(reconcile.CopyOfSite),
        ):
            self.apply()
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_the_fingerprint_tells_other_changes_of_the_same_number(self):
        self.buy_again(buyer_email=OTHER)
        self.settings(mapping=NEW_MAPPING)
        first, second = reconcile.part(self.portal).changes
        prints = {reconcile.fingerprint(found) for found in ([first, second], [second, first])}
        self.assertEqual(len(prints), 1)
        self.assertNotEqual(reconcile.fingerprint([first]), reconcile.fingerprint([second]))


class TestPage(SiteTestCase):
    def setUp(self):
        super().setUp()
        self.buy()
        self.url = f"{self.portal.absolute_url()}/@@click2sell-reconcile"

    def browser(
        self, name: str = SITE_OWNER_NAME, password: str = SITE_OWNER_PASSWORD
    ) -> Browser:
        browser = Browser(self.layer["app"])
        if name:
            browser.addHeader("Authorization", f"Basic {name}:{password}")
        return browser

    def opened(self) -> Browser:
        browser = self.browser()
        browser.open(self.url)
        return browser

    def looked(self) -> Browser:
        browser = self.opened()
        browser.getControl("Show what would change").click()
        return browser

    def text(self, browser: Browser) -> str:
        """The visible text of the page itself."""
        body = browser.contents.partition("<body")[2]
        return " ".join(re.sub(r"<[^>]+>", " ", body).split())

    def rows(self, browser: Browser) -> list[list[str]]:
        return cells(browser.contents)

    def test_opening_it_changes_and_tells_nothing(self):
        self.settings(mapping=NEW_MAPPING)
        before = self.dump()
        browser = self.opened()
        self.assertIn("Reconcile all members", self.text(browser))
        self.assertEqual(self.rows(browser), [])
        self.assertNotIn("Apply these changes", self.text(browser))
        browser.open(f"{self.url}?apply=1&show=1")
        self.assertEqual(self.rows(browser), [])
        self.assertEqual(self.dump(), before)

    def test_nothing_to_change(self):
        browser = self.looked()
        self.assertIn("Nothing to change.", self.text(browser))
        self.assertNotIn("Apply these changes", self.text(browser))

    def test_look_and_apply(self):
        self.settings(mapping=NEW_MAPPING)
        browser = self.looked()
        self.assertEqual(self.rows(browser), [[EMAIL, "course", "premium"]])
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        browser.getControl("Apply these changes").click()
        self.assertIn("Members changed: 1", self.text(browser))
        self.assertIn("Nothing to change.", self.text(browser))
        self.assertEqual(self.groups(), ["click2sell", "course"])

    def test_one_that_cannot_be_looked_at_leaves_the_others(self):
        self.buy_again(buyer_email=OTHER)
        self.settings(mapping=NEW_MAPPING)
        with cannot_be_looked_at(self.buyer()["id"]):
            browser = self.looked()
            self.assertIn("Members who could not be looked at: 1", self.text(browser))
            browser.getControl("Apply these changes").click()
            self.assertIn("Members changed: 1", self.text(browser))
        self.assertEqual(self.groups(OTHER), ["click2sell", "course"])
        self.assertNotIn("could not be looked at", self.text(self.looked()))

    def test_what_happened_since_is_shown_before_it_is_applied(self):
        self.settings(mapping=NEW_MAPPING)
        browser = self.looked()
        self.settings(mapping=["1|premium"])
        self.buy_again(buyer_email=OTHER)
        self.settings(mapping=NEW_MAPPING)
        browser.getControl("Apply these changes").click()
        self.assertIn("Something has happened since.", self.text(browser))
        self.assertEqual(len(self.rows(browser)), 2)
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        browser.getControl("Apply these changes").click()
        self.assertEqual(self.groups(OTHER), ["click2sell", "course"])

    def test_what_one_press_leaves_is_shown_again(self):
        self.buy_again(buyer_email=OTHER)
        self.settings(mapping=NEW_MAPPING)
        browser = self.looked()
        with mock.patch.object(page, "AT_MOST", -1):
            browser.getControl("Apply these changes").click()
        self.assertIn("Members changed: 1", self.text(browser))
        self.assertIn("Members left: 1.", self.text(browser))
        self.assertEqual(len(self.rows(browser)), 1)
        browser.getControl("Apply these changes").click()
        self.assertIn("Nothing to change.", self.text(browser))

    def test_a_large_site_is_looked_at_in_parts(self):
        self.buy_again(buyer_email=OTHER)
        self.buy_again(3, buyer_email="june@example.org")
        self.settings(mapping=NEW_MAPPING)
        with mock.patch.object(page, "AT_MOST", -1):
            browser = self.looked()
            seen = [row[0] for row in self.rows(browser)]
            self.assertIn("these are not all of them", self.text(browser))
            browser.getControl("Apply these changes").click()
            self.assertIn("Members changed: 1", self.text(browser))
            self.assertEqual(self.rows(browser), [])
            for _number in range(2):
                browser.getControl("Look at the next buyers").click()
                seen += [row[0] for row in self.rows(browser)]
            self.assertEqual(sorted(seen), [OTHER, EMAIL, "june@example.org"])
        self.assertNotIn("these are not all of them", self.text(browser))
        browser.getControl("Apply these changes").click()
        self.assertIn("Members changed: 1", self.text(browser))
        browser.getControl("Show what would change").click()
        self.assertEqual(len(self.rows(browser)), 1)

    def test_only_the_first_are_shown_and_all_applied(self):
        self.buy_again(buyer_email=OTHER)
        self.settings(mapping=NEW_MAPPING)
        with mock.patch.object(page, "SHOWN", 1):
            browser = self.looked()
            self.assertEqual(len(self.rows(browser)), 1)
            text = self.text(browser)
            self.assertIn("What would change: 2", text)
            self.assertIn("The first 1 are shown.", text)
            browser.getControl("Apply these changes").click()
        self.assertIn("Members changed: 2", self.text(browser))

    def test_nothing_is_applied_without_a_token(self):
        self.settings(mapping=NEW_MAPPING)
        fingerprint = reconcile.fingerprint(reconcile.part(self.portal).changes)
        for token in ("", "&_authenticator=wrong"):
            for body in ("show=1", f"apply=1&fingerprint={fingerprint}"):
                with self.subTest(body + token):
                    browser = self.browser()
                    browser.handleErrors = True
                    browser.raiseHttpErrors = True
                    with self.assertRaises(HTTPError) as caught:
                        browser.post(self.url, body + token)
                    self.assertEqual(caught.exception.code, 403)
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_a_copy_of_the_site_is_left_alone(self):
        self.settings(mapping=NEW_MAPPING)
        browser = self.looked()
        with mock.patch.dict(os.environ, CLICK2SELL_STAGING="1"):
            browser.getControl("Apply these changes").click()
            text = self.text(browser)
            self.assertIn("This is a copy of the site: nothing was changed.", text)
            self.assertNotIn("Apply these changes", text)
            self.assertEqual(len(self.rows(browser)), 1)
            browser.open(self.url)
            self.assertIn("This is a copy of the site: you can look", self.text(browser))
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_who_may_use_it(self):
        with self.owner():
            for name, roles in (("siteadmin", ["Site Administrator"]), ("member", ["Member"])):
                api.user.create(
                    username=name, email=f"{name}@example.org", password=TEST_USER_PASSWORD
                )
                self.portal.acl_users.userFolderEditUser(name, None, roles, [])
        for name, allowed in (("siteadmin", True), ("member", False), ("", False)):
            with self.subTest(name):
                browser = self.browser(name, TEST_USER_PASSWORD)
                browser.handleErrors = True
                browser.raiseHttpErrors = False
                browser.open(self.url)
                self.assertEqual("Reconcile all members" in self.text(browser), allowed)

    def test_what_members_choose_is_escaped(self):
        self.settings(mapping=NEW_MAPPING)
        change = reconcile.Change("b", "<b>user</b>", "<i>address</i>", ("<u>given</u>",), ())
        part = reconcile.Part((change,), "")
        with mock.patch.object(reconcile, "part", return_value=part):
            contents = self.looked().contents
        for markup in ("<b>user", "<i>address", "<u>given"):
            self.assertNotIn(markup, contents)
            self.assertIn(markup.replace("<", "&lt;").replace(">", "&gt;"), contents)

    def test_the_overview_leads_to_it(self):
        browser = self.browser()
        browser.open(f"{self.portal.absolute_url()}/@@click2sell-overview")
        browser.getLink("Reconcile all members").click()
        self.assertEqual(browser.url, self.url)
