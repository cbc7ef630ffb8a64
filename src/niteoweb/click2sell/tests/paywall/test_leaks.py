"""The ways to the body of a page behind the paywall, all of them closed."""

from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell.tests.cases.pages import enable_behaviors
from niteoweb.click2sell.tests.cases.paywall import JOHN
from niteoweb.click2sell.tests.cases.paywall import PaywallTestCase
from niteoweb.click2sell.tests.cases.paywall import PIXEL
from niteoweb.click2sell.tests.cases.paywall import SECRET
from niteoweb.click2sell.tests.cases.services import MANAGER
from OFS import CopySupport
from OFS.Moniker import Moniker
from plone import api
from plone.base.interfaces.syndication import IFeedSettings
from plone.base.interfaces.syndication import ISiteSyndicationSettings
from plone.dexterity.schema import SCHEMA_CACHE
from plone.registry.interfaces import IRegistry
from Products.CMFPlone.factory import addPloneSite
from urllib.parse import quote
from zope.component import getUtility

import base64
import pytz
import requests


PEOPLE = (None, JOHN)
PAGE_WAYS = (
    *("", "view", "document_view", "@@document_view", "@@view", "@@content-core", "base_view"),
    *("@@full_view", "@@full_view_item", "edit", "@@edit", "@@summary_view", "text"),
    *("text/raw", "text/output", "getText", "getRawText", "manage_DAVget", "manage_FTPget"),
    *(
        "get_size",
        "SearchableText",
        "manage_workspace",
        "@@historyview",
        "@@history",
        "index_html",
    ),
    *(
        "@@ajax_load",
        "view?ajax_load=1",
        "?ajax_include_head=1",
        "@@sharing",
        "@@manage-viewlets",
    ),
    *("@@download/text", "@@display-file/text", "@@images/text", "versions_history_form"),
    *(
        "@@plone_context_state/view_template_id",
        "object_copy",
        "@@iterate_control",
        "@@text-transform",
    ),
    *("externalEdit_", "document_src", "manage_propertiesForm", "@@search", "rss.xml", "RSS"),
    *(
        "@@social-sharing",
        "@@sendto",
        "author",
        "@@content-history",
        "@@version-view?version_id=0",
    ),
    *(
        "++widget++text",
        "@@edit/++widget++form.widgets.IRichTextBehavior.text",
        "@@ical_export",
    ),
    *("issue/../art", "free/../art", "@@json", "to_json", "objectValues", "@@plone/cropText"),
    *(
        "propertyValues",
        "propertyItems",
        "get_local_roles",
        "manage_FTPstat",
        "@@getVocabulary",
    ),
)
JSON_WAYS = (
    *(
        "",
        "?fullobjects=1",
        "?expand=actions,breadcrumbs,inherit,types,workflow,contextnavigation",
    ),
    *(
        "?expand=inherit&expand.inherit.behaviors=plone.richtext",
        "?include_items=1",
        "?version=0",
    ),
    *(
        "@inherit?expand.inherit.behaviors=plone.richtext",
        "@history",
        "@history/0",
        "@workflow",
    ),
    *("@types", "@comments", "@relations", "@linkintegrity", "@querysources/x", "@aliases"),
    *("@sharing", "@lock", "@translations", "@workingcopy", "@preview", "@contents", "@search"),
    *("@search?fullobjects=1", "@email-send", "@rules", "@nothing", "view", "@@document_view"),
    *(
        "getText",
        "manage_DAVget",
        "@vocabularies",
        "@sources/x",
        "@navigation?expand.navigation.depth=3",
    ),
    *(
        "@contextnavigation",
        "@breadcrumbs",
        "@actions",
        "@navroot",
        "@transactions",
        "@userschema",
    ),
)
SITE_WAYS = (
    *("col", "col/full_view", "col/@@full_view", "col/@@summary_view", "col/tabular_view"),
    *("col/listing_view", "col/album_view", "col/@@content-core", "full_view", "@@full_view"),
    *(
        "listing_view",
        "summary_view",
        "@@search?SearchableText=Title",
        "search_rss?SearchableText=",
    ),
    *(
        "livesearch_reply?q=Title",
        "@@ajax-search?SearchableText=Title",
        "sitemap.xml.gz",
        "sitemap",
    ),
    *("col/RSS", "col/rss.xml", "col/atom.xml", "texts/newsml.xml", "col/itunes.xml", "RSS"),
    *("atom.xml", "rss.xml", "newsml.xml", "itunes.xml", "col/@@event_listing", "col/ics_view"),
    *(
        "@@getVocabulary?name=plone.app.vocabularies.Catalog&attributes=%5B%22text%22%2C%22getText%22%5D",
    ),
    *(
        "art/issue/inside",
        "free/art",
        "free/art/view",
        "free/art/getText",
        "issue/art",
        "col/art",
    ),
    *("issue", "issue/inside", "issue/inside/view", "issue/full_view", "issue/@@summary_view"),
    *("issue/inside/getText", "issue/RSS", "issue/atom.xml", "issue/inside/manage_DAVget"),
    *("epaper", "epaper/view", "epaper/@@download/file", "epaper/@@display-file/file"),
    *("epaper/@@download", "epaper/@@display-file", "epaper/at_download/file", "epaper/file"),
    *("epaper/manage_DAVget", "epaper/@@images/file", "epaper/index_html", "epaper/get_data"),
    *("epaper/file/data", "epaper/@@download/file/epaper.txt", "epaper/@@stream"),
    *("issue/epaper/@@download/file", "free/epaper/@@download/file", "epaper/file/open"),
)
SITE_JSON = (
    *("@search?fullobjects=1", "@search?fullobjects", "@search?metadata_fields=_all"),
    *("@search?metadata_fields=text&metadata_fields=getText&metadata_fields=SearchableText",),
    *("@search?metadata_fields=blocks&metadata_fields=file&metadata_fields=getObject",),
    *("col", "col?fullobjects=1", "col?fullobjects", "issue", "issue?fullobjects=1"),
    *(
        "issue/inside",
        "epaper",
        "?fullobjects=1",
        "?fullobjects",
        "issue/@search?fullobjects=1",
    ),
    *("free?expand=inherit&expand.inherit.behaviors=plone.richtext", "@contents?fullobjects=1"),
    *("@navigation?expand.navigation.depth=4", "@relations?target=art", "@querystring-search"),
    *(
        "@site",
        "col/@querystring-search",
        "@@full_view",
        "@types/Document",
        "issue/inside/@history",
    ),
)


class TestLeaks(PaywallTestCase):
    def setUp(self):
        super().setUp()
        with self.owner():
            settings = getUtility(IRegistry).forInterface(ISiteSyndicationSettings, check=False)
            settings.allowed, settings.default_enabled = True, True
            settings.site_rss_items, settings.render_body = (), True
            settings.search_rss_enabled = True
            query = [
                {
                    "i": "path",
                    "o": "plone.app.querystring.operation.string.absolutePath",
                    "v": "/issue",
                }
            ]
            self.make("Collection", "texts", query=query)
            for path in ("col", "texts", "issue"):
                feed = IFeedSettings(self.portal[path])
                feed.enabled, feed.render_body = True, True
                feed.feed_types = ("RSS", "rss.xml", "atom.xml", "newsml.xml", "itunes.xml")
            self.portal.portal_repository.save(self.portal.art, "version")

    def assert_closed(self, answer, path):
        with self.subTest(path):
            self.assertNotIn(SECRET, answer.text)
            self.assertNotIn(base64.b64encode(PIXEL).decode(), answer.text)
            self.assertNotEqual(answer.content, PIXEL)
            self.assertLess(answer.status_code, 500, answer.text[:200])

    def test_the_page_is_no_secret_to_a_buyer(self):
        """The ways are real ones: a buyer reads the word on them."""
        with self.owner():
            api.group.add_user(groupname="premium", username=JOHN[0])
        for path in ("art", "art/getText", "art/manage_DAVget", "epaper/@@download/file"):
            self.assertIn(SECRET, self.call(path).text, path)
        for path in ("col/full_view", "col/atom.xml", "col/RSS", "texts/newsml.xml"):
            self.assertIn(SECRET, self.call(path).text, path)
        for path in ("art", "@search?fullobjects=1", "issue/inside", "art/@history/0"):
            self.assertIn(SECRET, self.json(path, MANAGER).text, path)
        self.assertIn(SECRET, self.json("art").text)

    def test_pages(self):
        for who in PEOPLE:
            for path in PAGE_WAYS:
                self.assert_closed(self.call(f"art/{path}", who), path)
                self.assert_closed(self.call(f"issue/inside/{path}", who), path)

    def test_listings_feeds_files_and_acquisition(self):
        for who in PEOPLE:
            for path in SITE_WAYS:
                self.assert_closed(self.call(path, who, allow_redirects=True), path)

    def test_the_default_page_of_a_folder_and_of_the_site(self):
        with self.owner():
            folder = self.make("Folder", "open")
            self.make("Document", "first", folder, text=self.body(), **self.closed())
            folder.setDefaultPage("first")
            self.portal.setDefaultPage("art")
        self.assertIn(SECRET, self.call("open", MANAGER).text)
        self.assertIn(SECRET, self.call("", MANAGER).text)
        for who in PEOPLE:
            for path in ("open", "open/", "open/view", "", "view"):
                self.assert_closed(self.call(path, who), path)
                self.assert_closed(self.json(path, who), path)

    def test_through_tools_and_other_pages(self):
        ways = ("portal_types/Document", "acl_users", "free/aq_parent", "free/@@images/..")
        for path in [f"{way}/art/getText" for way in ways]:
            self.assertIn(SECRET, self.call(path, MANAGER).text, path)
            for who in PEOPLE:
                self.assert_closed(self.call(path, who), path)

    def test_services(self):
        for who in PEOPLE:
            for path in (*(f"art/{path}" for path in JSON_WAYS), *SITE_JSON):
                for prefix in ("", "++api++/"):
                    self.assert_closed(self.json(prefix + path, who), path)

    def test_a_search_by_post(self):
        query = [
            {
                "i": "portal_type",
                "o": "plone.app.querystring.operation.selection.any",
                "v": ["Document", "File"],
            }
        ]
        for body in ({"fullobjects": True}, {"metadata_fields": ["text", "_all"]}):
            found = self.json(
                "@querystring-search", method="POST", json={"query": query, **body}
            )
            self.assertIn("Title of art", found.text)
            self.assert_closed(found, "search")

    def test_calendar_files(self):
        """What is told of an event is its place and time, not the link to a webinar."""
        start = pytz.utc.localize(datetime(2026, 6, 1, 18))
        told = {"start": start, "end": start + timedelta(hours=1), "location": "Hall 1"}
        people = {"contact_name": SECRET, "attendees": (SECRET,)}
        link, again = f"https://meet.example/{SECRET}", "RRULE:FREQ=DAILY;COUNT=3"
        query = [
            {
                "i": "portal_type",
                "o": "plone.app.querystring.operation.selection.any",
                "v": ["Event"],
            }
        ]
        with self.owner():
            enable_behaviors(self.portal, "Event", *self.behaviors)
            self.addCleanup(SCHEMA_CACHE.invalidate, "Event")
            talks = self.make("Folder", "talks")
            fields = {**told, **people, "event_url": link, "recurrence": again}
            self.make("Event", "webinar", talks, text=self.body(), **fields, **self.closed())
            self.make("Collection", "dates", query=query)
        views = ("ics_view", "event_listing_ical?mode=all", "event_listing?mode=all")
        for view in views:
            for page in ("", "talks/", "dates/"):
                path = f"{page}@@{view}"
                if "ical" in view or "ics" in view:
                    self.assertIn(SECRET, self.call(path, MANAGER).text, path)
                for who in PEOPLE:
                    found = self.call(path, who)
                    self.assertIn("Hall 1", found.text, path)
                    self.assert_closed(found, path)
        for path in ("", "/2026-06-02", "/2026-06-02/@@ics_view", "/@@ics_view", "/event_view"):
            self.assert_closed(self.call(f"talks/webinar{path}"), path)

    def test_two_sites_in_one_address(self):
        """Only the first of them sets its browser layers."""
        with self.owner():
            addPloneSite(self.layer["app"], "other", default_language="en")
        self.addCleanup(self._remove_other)
        root = self.site.rpartition("/")[0]
        for path in (
            "art",
            "art/getText",
            "col/full_view",
            "col/RSS",
            "epaper/@@download/file",
        ):
            found = requests.get(f"{root}/other/plone/{path}", auth=JOHN, timeout=60)
            self.assert_closed(found, path)
        headers = {"Accept": "application/json"}
        for path in ("art", "@search?fullobjects=1"):
            url = f"{root}/other/plone/{path}"
            self.assert_closed(requests.get(url, headers=headers, timeout=60), path)

    def _remove_other(self):
        with self.owner():
            self.layer["app"].manage_delObjects(["other"])

    def test_methods_of_http(self):
        for method in ("PROPFIND", "HEAD", "POST", "PUT", "PATCH", "DELETE", "COPY", "LOCK"):
            for who in PEOPLE:
                for path in ("art", "art/", "epaper", "issue/inside", "art/manage_DAVget"):
                    found = self.call(
                        path, who, method, headers={"Destination": f"{self.site}/x"}
                    )
                    self.assert_closed(found, (method, path))
        self.assertEqual(self.call("art", method="PROPFIND").status_code // 100, 4)

    def test_options(self):
        """It is answered by what is below the address, a view as for GET."""
        ways = (
            *("art", "art/view", "art/document_view", "art/getText", "art/@@content-core"),
            *(
                "art/manage_DAVget",
                "issue/inside/view",
                "epaper/@@download/file",
                "epaper/file",
            ),
            *("epaper/@@display-file/file", "photo/@@images/image", "art/@history/0", "art/@x"),
        )
        foreign = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
        for who in PEOPLE:
            for path in (*ways, *(f"++api++/{path}" for path in ways)):
                for accept in ("text/html", "application/json"):
                    for more in ({}, foreign):
                        headers = {"Accept": accept, **more}
                        found = self.call(path, who, "OPTIONS", headers=headers)
                        with self.subTest((path, headers)):
                            self.assertNotIn(SECRET, found.text)
                            self.assertNotEqual(found.content, PIXEL)

    def test_a_browser_may_ask_before_it_asks(self):
        headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
        for path in ("art", "art/@breadcrumbs", "art/@history"):
            found = self.call(path, None, "OPTIONS", headers=headers)
            self.assertEqual((found.status_code, found.content), (204, b""), path)

    def test_pictures(self):
        for who in PEOPLE:
            for path in (
                *("photo/@@images/image", "photo/@@images/image/large", "photo/image"),
                *("photo/@@download/image", "photo/@@display-file/image", "photo/view"),
                *("photo/@@images/image/thumb", "photo", "photo/manage_DAVget"),
                *("art/@@download/image", "issue/photo/@@images/image"),
            ):
                self.assert_closed(self.call(path, who), path)
        with self.owner():
            url = self.portal.photo.restrictedTraverse("@@images").scale("image", width=1).url
        path = url.partition("/plone/")[2]
        self.assertEqual(self.call(path, MANAGER).headers["Content-Type"], "image/png")
        self.assert_closed(self.call(path), path)

    def test_the_lead_image_is_free(self):
        self.assertEqual(self.call("art/@@images/image", None).content, PIXEL)
        with self.owner():
            url = self.portal.art.restrictedTraverse("@@images").scale("image", width=1).url
        found = self.call(url.partition("/plone/")[2], None)
        self.assertEqual(found.headers["Content-Type"], "image/png")

    def test_copies(self):
        with self.owner():
            bobs = self.make("Folder", "bobs")
            bobs.manage_setLocalRoles(JOHN[0], ["Owner"])
            self.make("Folder", "outer")
            self.make("Document", "deep", self.portal.outer, text=self.body(), **self.closed())
        for source in ("art", "issue", "issue/inside", "epaper", "outer", "outer/deep"):
            found = self.json(
                "bobs/@copy", method="POST", json={"source": f"{self.site}/{source}"}
            )
            self.assertIn(found.status_code, (401, 403), (source, found.text))
            found = self.json(
                "bobs/@move", method="POST", json={"source": f"{self.site}/{source}"}
            )
            self.assertNotEqual(found.status_code, 200, source)
        self.assertEqual(self.portal.bobs.objectIds(), [])
        # What everybody may read may be copied, and owners copy all.
        url = f"{self.site}/free"
        for who, source in ((JOHN, url), (MANAGER, f"{self.site}/outer")):
            found = self.json("bobs/@copy", who, "POST", json={"source": source})
            self.assertEqual(found.status_code, 200, found.text)
        # A copy is closed, too.
        self.assert_closed(self.call("bobs/outer/deep", None), "copy")

    def test_the_copy_of_a_clipboard(self):
        with self.owner():
            bobs = self.make("Folder", "bobs")
            bobs.manage_setLocalRoles(JOHN[0], ["Owner"])
        clip = CopySupport._cb_encode((0, [Moniker(self.portal.art).dump()])).decode()
        for path in ("bobs/manage_pasteObjects", "bobs/object_paste"):
            cookies = {"__cp": quote(clip)}
            found = self.call(path, cookies=cookies, params={"cb_copy_data": clip})
            self.assert_closed(found, path)
        self.assertEqual(self.portal.bobs.objectIds(), [])
