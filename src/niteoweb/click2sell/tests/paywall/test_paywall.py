"""Pages behind the paywall: who reads them, and the teaser of all others."""

from niteoweb.click2sell.paywall import behavior
from niteoweb.click2sell.paywall import decision
from niteoweb.click2sell.paywall import gate
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.tests.cases.paywall import BEHAVIOR
from niteoweb.click2sell.tests.cases.paywall import JOHN
from niteoweb.click2sell.tests.cases.paywall import PaywallTestCase
from niteoweb.click2sell.tests.cases.paywall import SECRET
from niteoweb.click2sell.tests.cases.services import MANAGER
from niteoweb.click2sell.tests.cases.services import SITE_ADMINISTRATOR
from plone import api
from plone.app.testing import TEST_USER_PASSWORD
from plone.caching.interfaces import IRulesetLookup
from types import SimpleNamespace
from unittest import mock
from zope.component import getMultiAdapter
from zope.component import getUtility
from zope.schema.interfaces import IVocabularyFactory

import json
import re


EDITOR = ("editor", TEST_USER_PASSWORD)


class TestReaders(PaywallTestCase):
    def reads(self, path, who):
        answer = self.call(path, who)
        self.assertEqual(answer.status_code, 200)
        is_open = SECRET in answer.text
        self.assertEqual("This page is for members" in answer.text, not is_open)
        return is_open

    def test_a_buyer_reads_until_access_ends(self):
        self.assertFalse(self.reads("art", JOHN))
        self.buy()
        for path in ("art", "art/view", "issue/inside"):
            self.assertTrue(self.reads(path, JOHN), path)
        found = self.call("art", JOHN)
        self.assertEqual(found.headers["Cache-Control"], "private, no-store")
        self.later(days=31)
        self.provision()
        found = self.call("art", JOHN)
        self.assertNotIn(SECRET, found.text)
        self.assertIn("Your access to Archive ended on Jun 02, 2026.", found.text)

    def test_editors_read_and_other_accounts_do_not(self):
        self.person_with_role("Editor")
        self.assertTrue(self.reads("art", EDITOR))
        self.assertTrue(self.reads("art", MANAGER))
        self.assertTrue(self.reads("art", SITE_ADMINISTRATOR))
        self.assertFalse(self.reads("art", ("member", TEST_USER_PASSWORD)))
        self.assertFalse(self.reads("art", (JOHN[0], "wrong")))

    def person_with_role(self, role):
        with self.owner():
            api.user.create(username="editor", email="e@example.org", password=EDITOR[1])
            self.portal.acl_users.userFolderEditUser("editor", None, [role, "Member"], [])

    def test_an_account_of_zopes_root_with_the_id_of_a_member(self):
        with self.owner():
            self.layer["app"].acl_users.userFolderAddUser("twin", "twins password", [], [])
            self.portal.acl_users.userFolderAddUser("twin", "a b c d 1 2 3", ["Member"], [])
            api.group.add_user(groupname="premium", username="twin")
        self.assertFalse(self.reads("art", ("twin", "twins password")))
        self.assertTrue(self.reads("art", ("twin", "a b c d 1 2 3")))

    def test_a_folder_guards_its_contents_unless_they_have_groups_of_their_own(self):
        with self.owner():
            self.make(
                "Document",
                "course",
                self.portal.issue,
                text=self.body(),
                access_groups=["course"],
            )
            api.group.add_user(groupname="course", username=JOHN[0])
        self.assertTrue(self.reads("issue/course", JOHN))
        self.assertFalse(self.reads("issue/inside", JOHN))
        with self.owner():
            self.portal.issue.access_groups = []
        self.assertTrue(self.reads("issue/inside", None))
        self.assertFalse(self.reads("issue/course", None))

    def test_without_the_behavior_a_page_is_plones(self):
        with self.owner():
            fti = self.portal.portal_types["Document"]
            fti.behaviors = tuple(one for one in fti.behaviors if one != BEHAVIOR)
            fti.manage_changeProperties(title=fti.title)
        self.assertTrue(self.reads("art", None))

    def test_all_who_are_logged_in(self):
        with self.owner():
            self.portal.art.access_groups = ["AuthenticatedUsers"]
        self.assertTrue(self.reads("art", JOHN))
        self.assertFalse(self.reads("art", None))

    def test_a_private_page_stays_plones(self):
        with self.owner():
            self.portal.art.manage_permission("View", ["Manager"], acquire=False)
        self.buy()
        self.assertEqual(self.call("art", JOHN).status_code, 302)

    def test_writing_the_groups_needs_a_permission(self):
        self.person_with_role("Editor")
        for who, expected in ((EDITOR, ["premium"]), (SITE_ADMINISTRATOR, ["click2sell"])):
            body = {"access_groups": ["click2sell"], "title": "New"}
            found = self.json("art", who, "PATCH", json=body)
            self.assertEqual(found.status_code, 204, found.text)
            self.assertEqual(self.portal.art.access_groups, expected)

    def test_the_groups_to_choose_from(self):
        with self.owner():
            self.portal.art.access_groups = ["premium", "gone"]
        factory = getUtility(IVocabularyFactory, "niteoweb.click2sell.groups")
        self.assertEqual(
            [term.value for term in factory(self.portal.art)],
            ["premium", "click2sell", "gone"],
        )
        self.assertIsNone(behavior.guarded(self.portal))
        self.assertIsNone(behavior.guarded(self.portal.free))
        self.assertEqual(behavior.guarded(self.portal.issue.inside), self.portal.issue)


class TestTeaser(PaywallTestCase):
    def test_a_visitor_who_is_not_logged_in(self):
        found = self.call("art", None)
        for text in ("Title of art", "About art", "Archive gives you access.", "Get access"):
            self.assertIn(text, found.text)
        self.assertIn("@@images/image-", found.text)
        self.assertIn("@@click2sell-order?product=1", found.text)
        self.assertIn("/login?came_from=http%3A%2F%2F", found.text)
        data = re.search('<script type="application/ld.json">(.*?)</script>', found.text)[1]
        self.assertIs(json.loads(data)["isAccessibleForFree"], False)
        self.assertEqual(found.headers["Cache-Control"], "private, no-store")

    def test_a_folder_and_a_file(self):
        for path in ("issue", "issue/inside", "epaper", "epaper/@@download/file"):
            found = self.call(path, None)
            self.assertIn("Archive gives you access.", found.text)
            self.assertIn("text/html", found.headers["Content-Type"])

    def test_words_of_the_page_are_escaped(self):
        with self.owner():
            self.portal.art.title = "</script><script>alert(1)</script>"
            self.portal.art.description = "<b>bold</b>"
        found = self.call("art", None).text
        self.assertNotIn("<script>alert(1)", found)
        self.assertNotIn("<b>bold</b>", found)

    def test_a_member(self):
        self.registry(email_from_address="shop@example.com")
        found = self.call("art", JOHN)
        self.assertIn("@@my-purchases", found.text)
        self.assertIn("contact-info", found.text)
        self.assertNotIn("/login?", found.text)

    def test_visitors_fill_no_error_log(self):
        self.call("art", None)
        self.json("art/@history", None)
        self.assertEqual(self.portal.error_log.getLogEntries(), [])
        self.assertIn("Paywalled", self.portal.error_log._ignored_exceptions)
        gate.ignore_in_error_log(self.portal, False)
        self.assertNotIn("Paywalled", self.portal.error_log._ignored_exceptions)

    def test_services_tell_the_teaser(self):
        found = self.json("art?expand=breadcrumbs,inherit", None)
        self.assertEqual(found.status_code, 200)
        answer = found.json()
        self.assertEqual(answer["title"], "Title of art")
        self.assertEqual(answer["paywall"]["access"], False)
        self.assertEqual(
            answer["paywall"]["offers"],
            [
                {
                    "title": "Archive gives you access.",
                    "url": f"{self.site}/@@click2sell-order?product=1",
                }
            ],
        )
        self.assertIn("items", answer["@components"]["breadcrumbs"])
        self.assertNotIn("inherit", answer["@components"])
        self.assertIn("great", answer["image"]["scales"])
        self.assertEqual(self.json("art/@history", None).status_code, 401)
        self.assertEqual(self.json("art/@breadcrumbs", None).status_code, 200)
        self.buy()
        self.assertNotIn("paywall", self.json("art", JOHN).json())
        listed = self.json("@search?fullobjects=1&portal_type=Document", None).json()["items"]
        self.assertEqual(
            {one["id"]: "paywall" in one for one in listed},
            {"art": True, "inside": True, "free": False},
        )

    def test_a_serializer_of_somebody_else_is_not_let_through(self):
        with mock.patch.object(gate.leaks, "Closable", type("Other", (), {})):
            self.assertEqual(self.json("art", None).status_code, 401)

    def test_no_cache_keeps_it(self):
        private = "private, no-store"
        with self.owner():
            api.group.add_user(groupname="premium", username=JOHN[0])
        for who in (None, JOHN):
            for path in ("art", "issue", "issue/inside", "col?fullobjects=1"):
                found = self.json(path, who).headers.get("Cache-Control")
                self.assertEqual(found, private, (who, path))
            for path in ("art", "col/full_view"):
                found = self.call(path, who).headers.get("Cache-Control")
                self.assertEqual(found, private, (who, path))
        # Everybody may keep the lead image, and what is behind no paywall.
        self.assertNotIn("Cache-Control", self.call("art/@@images/image", None).headers)
        self.assertNotIn("Cache-Control", self.json("free", None).headers)

    def test_no_rule_of_plones_cache_applies(self):
        request = self.layer["request"]
        for path, expected in (
            *(("art", None), ("issue/inside", None)),
            ("free", "plone.content.itemView"),
        ):
            page = self.portal.unrestrictedTraverse(path)
            view = page.restrictedTraverse("document_view")
            view.__name__ = "document_view"
            lookup = getMultiAdapter((view, request), IRulesetLookup)
            self.assertEqual(lookup(), expected, path)
        lookup = getMultiAdapter((self.portal.epaper, request), IRulesetLookup)
        self.assertIsNone(lookup())


class TestDeciders(PaywallTestCase):
    """Providers that know pages."""

    def setUp(self):
        super().setUp()
        self.decisions = []
        self.asked = 0
        decider = SimpleNamespace(
            guards=lambda page: page.getId() == "free",
            decide=self.decide,
            offers=lambda page, content: [],
        )
        provider = registry.main()
        self.enterContext(mock.patch.object(provider, "paywall", decider))

    def decide(self, page, user_id):
        self.asked += 1
        return self.decided

    def test_a_provider_closes_a_page_and_opens_it(self):
        for self.decided, status, text in (
            (decision.Decision(True, "click2sell"), 200, "Free for all"),
            (decision.Decision(False), 200, "This page is for members"),
            (decision.Decision(False, certain=False), 503, "cannot be checked at the moment"),
        ):
            found = self.call("free", JOHN)
            self.assertEqual(found.status_code, status)
            self.assertIn(text, found.text)
            self.assertEqual("Free for all" in found.text, self.decided.granted)
        self.assertEqual(found.headers["Retry-After"], "60")
        self.assertEqual(self.asked, 3)
        answer = self.json("free").json()["paywall"]
        self.assertEqual(answer, {"access": False, "certain": False, "offers": []})
        self.assertEqual(self.asked, 4)

    def test_it_is_not_asked_about_visitors_and_editors(self):
        self.decided = decision.Decision(True)
        self.assertNotIn("Free for all", self.call("free", None).text)
        self.assertIn("Free for all", self.call("free", MANAGER).text)
        self.assertEqual(self.asked, 0)
