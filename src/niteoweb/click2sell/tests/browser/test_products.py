"""Site Setup: the products as a table, the sections, the cards of the providers."""

from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.browser.settings import sections
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.settings import rules
from niteoweb.click2sell.tests.cases.pages import MANAGER
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from plone import api
from urllib.parse import urlencode
from zope.i18n import translate
from zope.schema import getFieldNames

import re
import transaction


LINES = ["# Ours", "", "1|premium|30|title=Gold", "2|course||exclusive", "what is this"]
KEY = "a-key-of-more-than-twenty-characters"


class ProductsTestCase(PageTestCase):
    def opened(self, name="click2sell"):
        browser = self.browser(MANAGER)
        browser.open(f"{self.portal.absolute_url()}/@@{name}-settings")
        return browser

    def cell(self, browser, row, name):
        return browser.getControl(name=f"form.widgets.mapping.{row}.{name}")

    def save(self, browser, button="Save"):
        browser.getControl(button).click()
        transaction.begin()

    def token(self, browser):
        return re.search(r'name="_authenticator"\s+value="(\w+)"', browser.contents)[1]

    def lines(self):
        return list(plone_site.settings().mapping)


class TestHeading(ProductsTestCase):
    def test_the_page_is_about_the_add_on_and_names_its_provider_where_it_means_it(self):
        text = self.text(self.opened())
        self.assertIn("Anyone who buys a product automatically gets an account", text)
        self.assertIn("Enter this address for the notifications at Click2Sell", text)
        self.assertIn("Settings of Click2Sell", text)
        self.assertIn("Anyone who buys at plenigo", self.text(self.opened("plenigo")))


class TestTable(ProductsTestCase):
    def test_lines_that_nobody_changed_stay_as_they_are(self):
        self.settings(mapping=LINES[:4])
        self.save(self.opened())
        self.assertEqual(self.lines(), LINES[:4])

    def test_rows_are_changed_added_and_removed(self):
        self.settings(mapping=LINES[:4])
        browser = self.opened()
        self.assertEqual(self.cell(browser, 0, "title").value, "Gold")
        self.cell(browser, 0, "title").value = "Gold  membership"
        self.cell(browser, 0, "order").value = "https://shop.example/gold"
        self.cell(browser, 1, "remove").value = ["1"]
        self.cell(browser, 2, "product").value = "3"
        self.cell(browser, 2, "group").value = ["course"]
        self.cell(browser, 2, "exclusive").value = ["1"]
        self.save(browser)
        self.assertIn("Changes saved.", browser.contents)
        gold = "1|premium|30|title=Gold membership|order=https://shop.example/gold"
        self.assertEqual(self.lines(), ["# Ours", "", gold, "3|course|exclusive"])

    def test_a_line_that_cannot_be_read_is_a_text_to_mend(self):
        self.settings(mapping=LINES)
        browser = self.opened()
        self.assertEqual(self.cell(browser, 2, "text").value, "what is this")
        self.cell(browser, 0, "days").value = "31"
        self.save(browser)
        self.assertIn("Line 5: expected PRODUCT_ID|GROUP_ID", browser.contents)
        self.assertEqual(self.cell(browser, 0, "days").value, "31")
        self.assertEqual(self.lines(), LINES)
        self.cell(browser, 2, "text").value = "5|course"
        self.save(browser)
        self.assertEqual(self.lines()[2:], ["1|premium|31|title=Gold", LINES[3], "5|course"])

    def test_text_that_was_edited_takes_the_place_of_the_table(self):
        self.settings(mapping=LINES[:4])
        browser = self.opened()
        self.cell(browser, 0, "title").value = "Silver"
        browser.getControl(name="form.widgets.mapping").value = "7|course"
        self.save(browser)
        self.assertEqual(self.lines(), ["7|course"])

    def test_cells_are_text_and_no_markup(self):
        self.settings(mapping=['1|premium|title="><script>'])
        browser = self.opened()
        self.assertNotIn("<script>alert", browser.contents)
        self.assertNotIn('"><script>', browser.contents)
        self.assertEqual(self.cell(browser, 0, "title").value, '"><script>')

    def test_many_lines_are_text_alone(self):
        many = [f"{number}|course" for number in range(201)]
        self.settings(mapping=many)
        browser = self.opened()
        self.assertNotIn("form.widgets.mapping.0.product", browser.contents)
        self.save(browser)
        self.assertEqual(self.lines(), many)

    def test_a_missing_group_is_created_at_the_spot(self):
        self.settings(mapping=[])
        browser = self.opened()
        self.cell(browser, 0, "product").value = "1"
        self.cell(browser, 0, "group").value = ["|"]
        self.cell(browser, 0, "new").value = "gold-members"
        self.save(browser)
        self.assertIn("Changes saved.", browser.contents)
        self.assertEqual(self.lines(), ["1|gold-members"])
        self.assertIsNotNone(api.group.get("gold-members"))
        self.assertEqual(self.cell(browser, 0, "group").value, ["gold-members"])

    def test_a_group_of_which_there_is_none_can_be_created_or_not(self):
        self.settings(mapping=["1|gone"])
        browser = self.opened()
        self.assertEqual(self.cell(browser, 0, "group").displayValue, ["gone (not available)"])
        self.cell(browser, 1, "product").value = "2"
        self.cell(browser, 1, "group").value = ["|"]
        for name, problem in (
            ("", "Line 2: the group is missing"),
            ("jane@example.org", 'Line 2: there is no group "jane@example.org"'),
            ("<b>", 'Line 2: there is no group "&lt;b&gt;"'),
        ):
            with self.subTest(name):
                if name == "jane@example.org":
                    self.account("jane@example.org")
                self.cell(browser, 1, "group").value = ["|"]
                self.cell(browser, 1, "new").value = name
                self.save(browser)
                self.assertIn(problem, browser.contents)
                self.assertEqual(self.lines(), ["1|gone"])
        self.assertIsNone(api.group.get("gone"))

    def test_a_missing_group_is_created_from_the_error(self):
        self.settings(mapping=[])
        browser = self.opened()
        browser.getControl(name="form.widgets.mapping").value = "1|gold-members"
        browser.getControl(name="form.widgets.secretkey").value = KEY
        self.save(browser)
        self.assertIn('there is no group "gold-members"', browser.contents)
        self.assertIn("What you typed here was not saved.", browser.contents)
        self.assertNotIn(KEY, browser.contents)
        browser.getControl(name="form.widgets.secretkey").value = KEY
        self.save(browser, "Create the group")
        self.assertIn("Changes saved.", browser.contents)
        self.assertEqual(self.lines(), ["1|gold-members"])
        self.assertIsNotNone(api.group.get("gold-members"))
        self.assertEqual(plone_site.settings().secretkey, KEY)

    def test_a_group_is_created_for_nobody_without_a_token(self):
        browser = self.browser(MANAGER)
        browser.raiseHttpErrors = False
        browser.post(
            f"{self.portal.absolute_url()}/@@click2sell-settings",
            "form.widgets.mapping=1%7Cgold&form.widgets.mapping.create=gold",
        )
        self.assertIn("403", browser.headers["Status"])
        row = "form.widgets.mapping.0"
        browser.post(
            f"{self.portal.absolute_url()}/@@click2sell-settings",
            f"form.widgets.mapping=&form.widgets.mapping.before=&{row}.at=&{row}.product=1"
            f"&{row}.group=%7C&{row}.new=gold&form.buttons.save=Save",
        )
        self.assertIn("403", browser.headers["Status"])
        self.assertIsNone(api.group.get("gold"))


class TestPage(ProductsTestCase):
    def test_every_setting_has_a_section(self):
        names = {section.name for section in sections.SECTIONS}
        for provider in registry.registered():
            for field in getFieldNames(provider.schema):
                self.assertIn(sections.section(field, provider.name), names)
        self.assertEqual(sections.section("reminder_days", "click2sell"), sections.MAIL)
        self.assertEqual(sections.section("anything", "click2sell"), sections.SAFETY)
        self.assertEqual(sections.section("anything", "plenigo"), sections.CONNECTION)

    def test_the_settings_of_plenigo_are_in_groups(self):
        contents = self.opened("plenigo").contents
        order = [
            *('id="section-connection"', "widgets.company_id", 'id="section-selling"'),
            *("widgets.offers", "widgets.debug_mode", 'id="section-paywall"'),
            *("widgets.access_seconds", 'id="section-login"', "widgets.login_url"),
            *("widgets.client_secret", 'id="section-apps"', "widgets.apps"),
        ]
        places = [contents.find(text) for text in order]
        self.assertNotIn(-1, places)
        self.assertEqual(places, sorted(places))

    def test_no_field_has_the_focus_but_one_with_an_error(self):
        browser = self.opened()
        self.assertNotIn("pat-formautofocus", browser.contents)
        self.cell(browser, 0, "days").value = "many"
        self.save(browser)
        self.assertIn("pat-formautofocus", browser.contents)

    def test_the_previous_key_is_there_only_while_the_key_is_changed(self):
        self.settings(secretkey=KEY, previous_secretkey=None)
        self.assertNotIn("Previous secret key", self.opened().contents)
        self.settings(previous_secretkey=f"{KEY}-before")
        self.assertIn("Previous secret key", self.opened().contents)

    def test_after_a_change_of_groups_the_changes_can_be_looked_at(self):
        self.settings(mapping=["1|premium"])
        self.buy()
        browser = self.opened()
        self.cell(browser, 0, "title").value = "Gold"
        self.save(browser)
        self.assertNotIn("Look at the changes", browser.contents)
        self.cell(browser, 0, "group").value = ["course"]
        self.save(browser)
        self.assertIn("Members whose groups would change: 1", self.text(browser))
        link = browser.getLink("Look at the changes")
        self.assertTrue(link.url.endswith("/@@click2sell-reconcile"))

    def test_each_provider_has_a_card(self):
        browser = self.opened()
        for provider in registry.registered():
            self.assertIn(f"@@{provider.name}-settings", browser.contents)
        self.assertNotIn("Switch on plenigo", self.text(browser))

    def test_a_provider_is_switched_on_with_a_key_alone(self):
        provider = registry.get("plenigo")
        self.assertEqual(
            [name for name, _text in rules.validate({"enabled": True}, provider)], ["enabled"]
        )
        both = {"enabled": True, "secretkey": KEY}
        self.assertEqual(rules.validate(both, provider), [])
        registry.settings(provider).secretkey = KEY
        transaction.commit()
        self.save(self.opened(), "Switch on plenigo")
        self.assertTrue(registry.settings(provider).enabled)

    def test_a_card_names_what_is_missing_and_leads_there(self):
        for provider in registry.registered():
            for field in provider.required:
                empty = provider.schema[field].missing_value
                setattr(registry.settings(provider), field, empty)
        transaction.commit()
        for provider in registry.registered():
            with self.subTest(provider.name):
                browser = self.opened()
                text = self.text(browser)
                self.assertNotIn(f"Switch on {provider.title}", text)
                self.assertNotIn(">connected</span>", browser.contents)
                for field in provider.required:
                    anchor = f"formfield-form-widgets-{field}"
                    address = f"@@{provider.name}-settings#{anchor}"
                    self.assertIn(address, browser.contents)
                    self.assertIn(f'id="{anchor}"', self.opened(provider.name).contents)
                self.save(browser)
                browser.open(
                    f"{self.portal.absolute_url()}/@@click2sell-settings",
                    urlencode(
                        {"switch_on": provider.name, "_authenticator": self.token(browser)}
                    ),
                )
                transaction.begin()
                self.assertFalse(getattr(registry.settings(provider), "enabled", False))

    def test_a_store_that_is_asked_needs_its_address_and_its_token(self):
        webtv, switched = registry.get("webtv"), {"enabled": True}
        problems = rules.validate(switched, webtv)
        self.assertEqual(len(problems), 3)
        self.assertIn('Set "Address of the API" first', translate(problems[0][1]))
        stored = {"api_url": "https://tv.example.org/api.php", "api_key_id": "site"}
        rules.save({**stored, "api_token": KEY}, webtv)
        self.assertEqual(rules.validate(switched, webtv), [])
        # Another address clears the token.
        moved = {**switched, "api_url": "https://other.example.org/api.php"}
        self.assertEqual(len(rules.validate(moved, webtv)), 1)
        self.assertEqual(rules.validate({**moved, "api_token": KEY}, webtv), [])
