"""An owner's work with the keyboard alone, and its results on the server."""

from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.command import posting
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.provider import SampleRequest
from niteoweb.click2sell.providers.click2sell.sample import form_fields
from niteoweb.click2sell.tests.cases import deliveries
from niteoweb.click2sell.tests.chromium import pages
from niteoweb.click2sell.tests.chromium.case import BrowserTestCase
from niteoweb.click2sell.tests.chromium.case import DESK
from niteoweb.click2sell.tests.chromium.case import PHONE
from niteoweb.click2sell.tests.chromium.case import WIDTHS
from plone import api
from plone.app.testing import SITE_OWNER_NAME
from plone.app.testing import SITE_OWNER_PASSWORD
from urllib.parse import urlencode


NEW_BUYER = "zoe.mueller@example.org"
NEW_KEY = "Wq7-93fh-kkRz-51Tb-0pLx"


class TestSettings(BrowserTestCase):
    def test_a_broken_line_is_named_and_nothing_is_saved(self):
        before = list(plone_site.settings().mapping)
        page = self.window()
        self.open(page, "@@click2sell-settings")
        pages.write_mapping(pages.BROKEN)(self, page)
        field = page.locator("#formfield-form-widgets-mapping")
        self.see(field.get_by_text("Line 2: the days of access must be a whole number"))
        self.see(field.get_by_text("Line 3: expected PRODUCT_ID|GROUP_ID"))
        # What was typed is still there to be put right.
        text = field.locator("[name='form.widgets.mapping']").input_value()
        self.assertEqual(text.strip(), pages.BROKEN.strip())
        self.stored()
        self.assertEqual(list(plone_site.settings().mapping), before)
        pages.write_mapping("1|paying-members")(self, page)
        self.see(page.get_by_text("Changes saved."))
        self.stored()
        self.assertEqual(plone_site.settings().mapping, ["1|paying-members"])

    def test_a_group_is_created_at_the_table_of_products(self):
        pages.make_group(self)
        page = self.window()
        self.open(page, "@@click2sell-settings")
        self.assertEqual(page.evaluate("scrollY"), 0)
        group = page.locator("[name='form.widgets.mapping.0.group']")
        name = page.locator("[name='form.widgets.mapping.0.new']")
        self.assertFalse(name.is_visible())
        group.select_option(label="New group")
        name.fill("gold-members")
        self.press(page, pages.SAVE)
        self.see(page.get_by_text("Changes saved."))
        self.assertEqual(page.evaluate("scrollY"), 0)
        self.stored()
        first = plone_site.settings().mapping[0]
        self.assertEqual(first.split("|")[:2], ["1", "gold-members"])

    def test_a_phone_shows_one_empty_product(self):
        page = self.window(PHONE)
        self.open(page, "@@click2sell-settings")
        empty = page.locator(".new-product")
        self.assertEqual([one.is_visible() for one in empty.all()], [True, False, False])
        page.set_viewport_size(DESK)
        self.assertEqual([one.is_visible() for one in empty.all()], [True] * 3)

    def test_the_secret_key_is_in_no_page(self):
        # Without it the form would not be saved.
        pages.make_group(self)
        page = self.window()
        self.open(page, "@@click2sell-settings")
        self.see(page.get_by_text("A secret key is set"))
        key = page.locator("input[name='form.widgets.secretkey']")
        self.assertEqual(key.input_value(), "")
        key.fill(NEW_KEY)
        self.press(page, pages.SAVE)
        self.see(page.get_by_text("Changes saved."))
        self.assertNotIn(NEW_KEY, page.content())
        self.stored()
        self.assertEqual(plone_site.settings().secretkey, NEW_KEY)


class TestNotifications(BrowserTestCase):
    def test_a_sale_is_the_newest_of_the_list(self):
        from tools.demo import settings

        request = SampleRequest(
            "sale",
            settings.PRODUCT,
            NEW_BUYER,
            "demo-1",
            datetime(2026, 5, 31, 11, 59),
            receipt="C2S-1",
            product_name=settings.PRODUCT_NAME,
            price="49.00 EUR",
        )
        form = form_fields(settings.SECRET_KEY, request)
        sale = deliveries.delivery(urlencode(form).encode("ascii"))
        answer = posting.post(f"{self.url}/@@click2sell", sale, timeout=60)
        self.assertEqual((answer.status, answer.text), (200, "POST successfully parsed."))
        page = self.window(PHONE)
        self.open(page, pages.LIST)
        first = page.get_by_role("table", name="Notifications").get_by_role("row").first
        self.see(first.get_by_text(NEW_BUYER))
        link = first.get_by_role("link", name="Purchase", exact=True)
        self.go_to(page, link)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        account = page.get_by_role("link", name=NEW_BUYER, exact=True)
        self.see(account)
        self.assert_usable(page)

    def test_filters_find_what_needs_attention(self):
        page = self.window(PHONE)
        self.open(page, pages.LIST)
        filters = page.locator("summary", has_text="Filter")
        self.go_to(page, filters)
        page.keyboard.press("Enter")
        outcome = page.get_by_label("Outcome")
        self.go_to(page, outcome)
        # A select is worked with letters.
        page.keyboard.type("needs")
        self.press(page, "Filter")
        total = ledger.count(self.stored(), outcome=Outcome.ATTENTION)
        self.assertGreater(total, 3)
        rows = page.get_by_role("table", name="Notifications").get_by_role("row")
        # So narrow, there is no row of titles.
        self.assertEqual(rows.count(), total)
        for place in range(total):
            self.see(rows.nth(place).get_by_text("needs attention", exact=True))
        self.assertEqual(page.get_by_label("Outcome").input_value(), Outcome.ATTENTION)

    def test_pages_of_fifty(self):
        page = self.window()
        self.open(page, pages.LIST)
        newest = page.get_by_role("table", name="Notifications").inner_text()
        following = page.get_by_role("link", name="Next 50 items")
        self.go_to(page, following)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        older = page.get_by_role("table", name="Notifications")
        self.see(older)
        self.assertEqual(older.get_by_role("row").count(), 51)
        self.assertNotEqual(older.inner_text(), newest)

    def test_the_others_see_nothing(self):
        page = self.window(DESK, ("", ""))
        page.goto(f"{self.url}/{pages.LIST}")
        self.assertIn("/login", page.url)
        self.assertNotIn("example.org", page.content())


class TestReplay(BrowserTestCase):
    def test_a_failed_one_is_looked_at_and_then_replayed(self):
        key = pages.key_of(self, Outcome.FAILED)
        buyer = ledger.get(self.portal, key)["buyer"]
        self.assertIsNone(api.user.get(userid=buyer))
        page = self.window()
        self.open(page, f"{pages.LIST}/{key}")
        self.press(page, pages.TRY)
        preview = page.locator("#preview")
        self.see(preview.get_by_text("Paying members"))
        # Nothing is changed yet.
        self.stored()
        self.assertIsNone(api.user.get(userid=buyer))
        self.assertEqual(ledger.get(self.portal, key)["outcome"], Outcome.FAILED)
        self.press(page, pages.SHOW)
        self.see(page.locator(".badge").get_by_text("accepted").first)
        self.stored()
        self.assertEqual(ledger.get(self.portal, key)["outcome"], Outcome.ACCEPTED)
        self.assertIn("paying-members", api.user.get(userid=buyer).getGroups())
        self.see(page.get_by_role("link", name=buyer, exact=True))


class TestDecide(BrowserTestCase):
    def test_the_member_is_chosen_for_what_needs_attention(self):
        from tools.demo import settings

        key = pages.key_of(self, Outcome.ATTENTION, "account not certain")
        page = self.window(PHONE)
        self.open(page, f"{pages.LIST}/{key}")
        self.go_to(page, page.locator(f"a[href$='{key}/decide']").first)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        candidate = page.get_by_role("radio", name=settings.STUDIO_USER)
        self.go_to(page, candidate)
        page.keyboard.press("Space")
        reason = page.get_by_label("Reason").locator("visible=true")
        self.go_to(page, reason)
        page.keyboard.type("She has told us so")
        self.press(page, pages.CONNECT)
        self.see(page.locator("#preview").get_by_text("Paying members"))
        self.assert_usable(page)
        # Nothing is changed yet.
        self.stored()
        groups = api.user.get(userid=settings.STUDIO_USER).getGroups()
        self.assertNotIn("paying-members", groups)
        self.press(page, pages.CONNECT)
        self.see(page.get_by_text("She has told us so"))
        self.assert_usable(page)
        self.stored()
        self.assertEqual(ledger.get(self.portal, key)["outcome"], Outcome.ACCEPTED)
        groups = api.user.get(userid=settings.STUDIO_USER).getGroups()
        self.assertIn("paying-members", groups)


class TestClaim(BrowserTestCase):
    def test_the_buyer_has_an_account_made_instead_of_a_strangers(self):
        from tools.demo import settings

        key = pages.key_of(self, Outcome.ATTENTION, "account not certain")
        link = pages.claim_link(self)
        page = self.window(PHONE, ("", ""))
        self.open(page, link)
        self.see(page.get_by_text(settings.STUDIO).first)
        self.press(page, pages.OWN_ACCOUNT)
        self.see(page.get_by_text("Your account was created."))
        self.assert_usable(page)
        self.stored()
        self.assertEqual(ledger.get(self.portal, key)["outcome"], Outcome.ACCEPTED)
        groups = api.user.get(userid=settings.STUDIO_USER).getGroups()
        self.assertNotIn("paying-members", groups)
        self.open(page, link)
        self.see(page.get_by_text("This link cannot be used"))


class TestTry(BrowserTestCase):
    def test_a_purchase_is_tried_and_changes_nothing(self):
        before = ledger.count(self.portal)
        for size in WIDTHS.values():
            with self.subTest(size):
                page = self.window(size)
                self.open(page, "@@click2sell-try")
                pages.try_a_sale(self, page)
                result = page.locator("#result")
                self.see(result.get_by_text("200 POST successfully parsed."))
                self.see(result.get_by_text("Yearly membership").first)
                self.see(result.locator("#letter"))
                self.assert_usable(page)
                self.assertEqual(ledger.count(self.stored()), before)
                self.assertIsNone(api.user.get(username=NEW_BUYER))


class TestMembers(BrowserTestCase):
    def test_why_somebody_is_kept_out_is_three_steps_away(self):
        entry = ledger.get(self.portal, pages.key_of(self, Outcome.ATTENTION, "group missing"))
        for size in WIDTHS.values():
            with self.subTest(size):
                page = self.window(size)
                self.open(page, "@@click2sell-settings")
                self.follow(page, page.get_by_role("link", name="Members", exact=True))
                search = page.get_by_label("Address, name, user id or receipt")
                self.go_to(page, search)
                page.keyboard.type(entry["receipt"])
                with page.expect_navigation():
                    page.keyboard.press("Enter")
                why = page.locator("#why")
                self.see(why.get_by_text('the group "archive-readers" does not exist'))
                self.assert_usable(page)

    def test_access_is_given_until_a_date(self):
        for number, (size, product, group, title) in enumerate(
            (
                (DESK, "3", "course", "Photography course"),
                (PHONE, "1", "paying-members", "Paying members"),
            )
        ):
            with self.subTest(size):
                # Of two at the very same moment their keys would tell which is the latest.
                self.clock.now += timedelta(minutes=1)
                path = pages.of_subscriber()(self)
                page = self.window(size)
                self.open(page, path)
                self.follow(page, page.get_by_role("link", name=pages.GRANT))
                pages.give_until(self, page, product)
                preview = page.locator("#preview")
                self.see(preview.get_by_text(title).first)
                # Nothing more is changed yet.
                entries = ledger.count(self.stored(), provider="owner")
                self.assertEqual(entries, number)
                self.press(page, pages.GRANT)
                self.see(page.get_by_text("Access was given."))
                self.assertTrue(page.url.endswith(f"/{path}"), page.url)
                self.see(page.get_by_text("Won the raffle").first)
                self.assert_usable(page)
                self.assertEqual(ledger.count(self.stored(), provider="owner"), number + 1)
                given = ledger.get(self.portal, next(ledger.newest_first(self.portal)))
                self.assertEqual(given["valid_until"][:10], "2026-12-31")
                member = buyers.get(self.portal, given["buyer_id"])["user_id"]
                self.assertIn(group, api.user.get(userid=member).getGroups())


class TestReconcile(BrowserTestCase):
    def test_changes_are_looked_at_and_then_applied(self):
        pages.give_less(self)
        page = self.window(PHONE)
        self.open(page, "@@click2sell-reconcile")
        self.press(page, pages.LOOK)
        rows = page.get_by_role("table").get_by_role("row")
        number = rows.count() - 1
        self.assertGreater(number, 0)
        member = rows.nth(1).get_by_role("cell").first.inner_text().split()[0]
        self.stored()
        self.assertIn("workshop", api.user.get(userid=member).getGroups())
        self.press(page, "Apply these changes")
        self.see(page.get_by_text(f"Members changed: {number}"))
        self.assert_usable(page)
        self.stored()
        self.assertNotIn("workshop", api.user.get(userid=member).getGroups())
        self.assertIn("course", api.user.get(userid=member).getGroups())


class TestLogin(BrowserTestCase):
    def test_an_owner_who_logs_in_finds_the_way(self):
        page = self.window(DESK, ("", ""))
        page.goto(f"{self.url}/login?came_from={self.url}/@@overview-controlpanel")
        page.get_by_label("Login Name").fill(SITE_OWNER_NAME)
        page.get_by_label("Password").fill(SITE_OWNER_PASSWORD)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        self.open(page, "@@overview-controlpanel")
        for link in ("Memberships", "Notifications"):
            target = page.locator("#main-container a", has_text=link).last
            self.go_to(page, target)
            with page.expect_navigation():
                page.keyboard.press("Enter")
        self.assertTrue(page.url.endswith("/@@click2sell-notifications"), page.url)
