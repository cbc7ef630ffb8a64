"""Site Setup: the settings form."""

from datetime import timedelta
from niteoweb.click2sell.browser.settings.controlpanel import SettingsForm
from niteoweb.click2sell.interfaces import IClick2SellLayer
from niteoweb.click2sell.interfaces import IClick2SellSettings
from niteoweb.click2sell.interfaces import WELCOME_TEXT
from niteoweb.click2sell.providers.click2sell.provider import PROVIDER as CLICK2SELL
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.testing.layers import FUNCTIONAL
from niteoweb.click2sell.testing.layers import INTEGRATION
from plone import api
from plone.app.testing import setRoles
from plone.app.testing import SITE_OWNER_NAME
from plone.app.testing import SITE_OWNER_PASSWORD
from plone.app.testing import TEST_USER_ID
from plone.app.testing import TEST_USER_PASSWORD
from plone.registry.interfaces import IRegistry
from plone.testing.zope import Browser
from urllib.error import HTTPError
from urllib.parse import urlencode
from zope.component import getGlobalSiteManager
from zope.component import getUtility
from zope.component import provideHandler
from zope.interface import alsoProvides
from ZPublisher.interfaces import IPubFailure

import re
import transaction
import unittest


KEY = "a-key-of-more-than-twenty-characters"
PRIVILEGED = "can administer the site, buyers cannot be put in it"


def stored() -> IClick2SellSettings:
    return getUtility(IRegistry).forInterface(IClick2SellSettings)


class TestWidgets(unittest.TestCase):
    layer = INTEGRATION

    def form(self, **values) -> SettingsForm:
        request = self.layer["request"].clone()
        alsoProvides(request, IClick2SellLayer)
        for name, value in values.items():
            request.form[f"form.widgets.{name}"] = value
        form = SettingsForm(self.layer["portal"], request, CLICK2SELL)
        form.updateFields()
        form.updateWidgets()
        return form

    def test_no_widget_knows_the_stored_keys(self):
        stored().secretkey = KEY
        stored().previous_secretkey = f"{KEY}-before"
        for name, widget in self.form().widgets.items():
            with self.subTest(name):
                self.assertNotIn(KEY, str(widget.value))

    def test_key_is_taken_out_of_what_the_error_log_keeps(self):
        stored().secretkey = "another-key-that-is-stored"
        stored().previous_secretkey = "the-key-before-that-one"
        for name in "secretkey", "previous_secretkey":
            with self.subTest(name):
                form = self.form(**{name: KEY})
                values, errors = form.extractData()
                self.assertEqual(values[name], KEY)
                self.assertNotIn(KEY, str(form.request))


class TestForm(unittest.TestCase):
    layer = FUNCTIONAL

    def setUp(self):
        self.app = self.layer["app"]
        self.portal = self.layer["portal"]
        setRoles(self.portal, TEST_USER_ID, ["Manager"])
        api.group.create(groupname="readers")
        for name, roles in (("siteadmin", ["Site Administrator"]), ("member", ["Member"])):
            api.user.create(
                username=name, email=f"{name}@example.org", password=TEST_USER_PASSWORD
            )
            self.portal.acl_users.userFolderEditUser(name, None, roles, [])
        transaction.commit()
        self.url = f"{self.portal.absolute_url()}/@@click2sell-settings"

    def store(self, **values) -> None:
        for name, value in values.items():
            setattr(stored(), name, value)
        transaction.commit()

    def browser(self, name=SITE_OWNER_NAME, password=SITE_OWNER_PASSWORD) -> Browser:
        browser = Browser(self.app)
        browser.handleErrors = True
        browser.raiseHttpErrors = True
        if name:
            browser.addHeader("Authorization", f"Basic {name}:{password}")
        return browser

    def opened(self, **credentials) -> Browser:
        browser = self.browser(**credentials)
        browser.open(self.url)
        return browser

    def control(self, browser, name):
        return browser.getControl(name=f"form.widgets.{name}")

    def save(self, browser) -> None:
        browser.getControl("Save").click()
        transaction.begin()

    def test_a_typed_key_is_in_no_error_log(self):
        """Neither after a stale token, nor after a parameter that is no text.

        Zope's error log keeps a failed request as text.
        """
        failed = []

        def log(event):
            failed.append(str(event.request))

        provideHandler(log, (IPubFailure,))
        self.addCleanup(getGlobalSiteManager().unregisterHandler, log, (IPubFailure,))
        for provider in ("click2sell", "cleeng", "plenigo"):
            for name, value in (("_authenticator", "stale"), ("form.widgets.mapping", b"\xff")):
                fields = dict.fromkeys(("secretkey", "previous_secretkey", "api_token"), KEY)
                form = {f"form.widgets.{field}": text for field, text in fields.items()}
                form |= {"form.buttons.save": "Save", name: value}
                browser = self.browser()
                browser.raiseHttpErrors = False
                url = f"{self.portal.absolute_url()}/@@{provider}-settings"
                with self.subTest(provider, name=name):
                    browser.open(url, urlencode(form))
                    self.assertIn(browser.headers["Status"][:3], ("400", "403"))
                    (request,) = failed
                    failed.clear()
                    self.assertNotIn(KEY, request)

    def test_may_be_used_by_managers_and_site_administrators(self):
        for name, password in (
            (SITE_OWNER_NAME, SITE_OWNER_PASSWORD),
            ("siteadmin", TEST_USER_PASSWORD),
        ):
            with self.subTest(name):
                browser = self.opened(name=name, password=password)
                self.control(browser, "buyers_group").value = f"buyers-{name}"
                self.save(browser)
                self.assertIn("Changes saved.", browser.contents)
                self.assertEqual(stored().buyers_group, f"buyers-{name}")

    def test_may_not_be_used_by_members(self):
        browser = self.opened(name="member", password=TEST_USER_PASSWORD)
        self.assertNotIn("form.widgets", browser.contents)
        self.assertIn("Insufficient Privileges", browser.contents)

    def test_may_not_be_used_by_anonymous_callers(self):
        browser = self.opened(name=None)
        self.assertNotIn("form.widgets", browser.contents)
        self.assertIn("/login?came_from=", browser.url)

    def test_is_listed_in_site_setup_with_its_icon(self):
        for name, password in (
            (SITE_OWNER_NAME, SITE_OWNER_PASSWORD),
            ("siteadmin", TEST_USER_PASSWORD),
        ):
            with self.subTest(name):
                browser = self.browser(name=name, password=password)
                browser.open(f"{self.portal.absolute_url()}/@@overview-controlpanel")
                self.assertIn("bi-people", browser.contents)
                browser.getLink("Memberships", index=1).click()
                self.assertTrue(browser.url.endswith("/@@click2sell-overview"))
                browser.getLink(url="@@click2sell-settings").click()
                self.assertEqual(browser.url, self.url)

    def test_nothing_is_saved_without_a_token(self):
        browser = self.browser()
        with self.assertRaises(HTTPError) as caught:
            browser.post(
                self.url,
                "form.widgets.buyers_group=stolen&form.widgets.welcome_mail=password"
                "&form.widgets.welcome_subject=x&form.widgets.welcome_text=%24credentials"
                "&form.buttons.save=Save",
            )
        self.assertEqual(caught.exception.code, 403)
        transaction.begin()
        self.assertEqual(stored().buyers_group, "click2sell")

    def test_is_not_there_when_the_add_on_is_not_installed(self):
        setup = api.portal.get_tool("portal_setup")
        setup.runAllImportStepsFromProfile("profile-niteoweb.click2sell:uninstall")
        transaction.commit()
        with self.assertRaises(HTTPError) as caught:
            self.opened()
        self.assertEqual(caught.exception.code, 404)

    def test_cancel_goes_back_to_site_setup(self):
        browser = self.opened()
        self.control(browser, "buyers_group").value = "other"
        browser.getControl("Cancel").click()
        self.assertTrue(browser.url.endswith("/@@overview-controlpanel"))
        transaction.begin()
        self.assertEqual(stored().buyers_group, "click2sell")

    def test_minutes_between_automatic_checks(self):
        self.assertEqual(self.control(self.opened(), "sweep_minutes").value, "10")
        for typed, minutes, pause in (
            ("60", 60, timedelta(hours=1)),
            ("0", 0, None),
            ("", None, timedelta(minutes=10)),
        ):
            with self.subTest(typed):
                browser = self.opened()
                self.control(browser, "sweep_minutes").value = typed
                self.save(browser)
                self.assertIn("Changes saved.", browser.contents)
                self.assertEqual(stored().sweep_minutes, minutes)
                self.assertEqual(effective.sweep_pause(), pause)
        self.store(sweep_minutes=0)
        self.assertEqual(self.control(self.opened(), "sweep_minutes").value, "0")
        for typed in ("-1", "1441", "often"):
            with self.subTest(typed):
                browser = self.opened()
                self.control(browser, "sweep_minutes").value = typed
                self.save(browser)
                self.assertNotIn("Changes saved.", browser.contents)
                self.assertEqual(stored().sweep_minutes, 0)

    def test_tells_the_address_for_the_notifications(self):
        self.assertIn(f"{self.portal.absolute_url()}/@@click2sell", self.opened().contents)

    def test_key_is_stored_and_never_shown(self):
        browser = self.opened()
        self.assertIn("No secret key is set.", browser.contents)
        self.assertIn("No notification is accepted", browser.contents)
        self.control(browser, "secretkey").value = f" {KEY} "
        self.save(browser)
        self.assertEqual(stored().secretkey, KEY)
        self.assertNotIn(KEY, browser.contents)
        browser.open(self.url)
        self.assertIn("A secret key is set.", browser.contents)
        self.assertNotIn(KEY, browser.contents)
        control = self.control(browser, "secretkey")
        self.assertEqual(control.value, "")
        self.assertIn('autocomplete="new-password"', browser.contents)

    def test_a_blank_key_keeps_the_stored_one(self):
        self.store(secretkey=KEY)
        for blank in "", "   ":
            with self.subTest(blank):
                browser = self.opened()
                self.control(browser, "secretkey").value = blank
                self.save(browser)
                self.assertIn("Changes saved.", browser.contents)
                self.assertEqual(stored().secretkey, KEY)

    def test_key_does_not_come_back_with_an_error(self):
        self.store(secretkey=KEY)
        browser = self.opened()
        self.control(browser, "secretkey").value = "another-key-that-was-just-typed"
        self.control(browser, "mapping").value = "1|nobody"
        self.save(browser)
        self.assertIn('Line 1: there is no group "nobody"', browser.contents)
        self.assertNotIn("another-key", browser.contents)
        self.assertNotIn(KEY, browser.contents)
        self.assertIn("What you typed here was not saved.", browser.contents)
        self.assertEqual(stored().secretkey, KEY)

    def test_key_is_not_told_by_its_widget(self):
        self.store(secretkey=KEY, previous_secretkey=f"{KEY}-before")
        for name, title in (
            ("secretkey", "Secret key"),
            ("previous_secretkey", "Previous secret key"),
        ):
            with self.subTest(name):
                browser = self.browser()
                browser.open(f"{self.url}/++widget++{name}/@@ploneform-render-widget")
                self.assertIn(title, browser.contents)
                self.assertNotIn(KEY, browser.contents)

    def test_checkbox_removes_the_key(self):
        self.store(secretkey=KEY)
        browser = self.opened()
        self.control(browser, "secretkey_clear:list").value = ["selected"]
        self.save(browser)
        self.assertIsNone(stored().secretkey)
        self.assertIn("No secret key is set.", browser.contents)

    def test_checkbox_is_there_only_when_there_is_a_key(self):
        self.assertNotIn("Remove the secret key", self.opened().contents)
        self.store(secretkey=KEY)
        self.assertIn("Remove the secret key", self.opened().contents)

    def test_a_new_key_keeps_the_old_one_for_now(self):
        self.store(secretkey=KEY)
        browser = self.opened()
        self.assertNotIn("Remove the previous secret key", browser.contents)
        self.control(browser, "secretkey").value = f"{KEY}-new"
        self.save(browser)
        self.assertIn("Changes saved.", browser.contents)
        self.assertEqual((stored().secretkey, stored().previous_secretkey), (f"{KEY}-new", KEY))
        browser.open(self.url)
        self.assertIn("The previous key is accepted, too.", browser.contents)
        self.assertIn("Not used yet.", browser.contents)
        self.assertNotIn(KEY, browser.contents)
        self.control(browser, "previous_secretkey_clear:list").value = ["selected"]
        self.save(browser)
        self.assertEqual(
            (stored().secretkey, stored().previous_secretkey), (f"{KEY}-new", None)
        )

    def test_the_old_key_need_not_be_kept(self):
        self.store(secretkey=KEY, previous_secretkey=f"{KEY}-before")
        browser = self.opened()
        self.control(browser, "secretkey").value = f"{KEY}-new"
        self.control(browser, "secretkey_keep_old:list").value = []
        self.save(browser)
        self.assertEqual(
            (stored().secretkey, stored().previous_secretkey), (f"{KEY}-new", None)
        )

    def test_saving_something_else_leaves_the_keys(self):
        self.store(secretkey=KEY, previous_secretkey=f"{KEY}-before")
        self.save(self.opened())
        self.assertEqual(
            (stored().secretkey, stored().previous_secretkey), (KEY, f"{KEY}-before")
        )

    def test_previous_key_does_not_come_back_with_an_error(self):
        self.store(secretkey=KEY, previous_secretkey=f"{KEY}-before")
        browser = self.opened()
        self.control(browser, "previous_secretkey").value = "another-key-that-was-just-typed"
        self.control(browser, "mapping").value = "1|nobody"
        self.save(browser)
        self.assertIn('Line 1: there is no group "nobody"', browser.contents)
        self.assertNotIn("another-key", browser.contents)

    def test_key_and_checkbox_together_are_an_error(self):
        self.store(secretkey=KEY)
        browser = self.opened()
        self.control(browser, "secretkey").value = "another-key-that-was-just-typed"
        self.control(browser, "secretkey_clear:list").value = ["selected"]
        self.save(browser)
        self.assertIn("Enter a new secret key or remove the present one", browser.contents)
        self.assertEqual(stored().secretkey, KEY)

    def test_short_key_draws_a_warning_that_stays(self):
        browser = self.opened()
        self.control(browser, "secretkey").value = "short-key"
        self.save(browser)
        self.assertEqual(stored().secretkey, "short-key")
        for attempt in range(2):
            with self.subTest(attempt):
                self.assertIn("fewer than 20 characters", browser.contents)
                self.assertIn("alert-warning", browser.contents)
                self.assertNotIn("short-key", browser.contents)
                browser.open(self.url)

    def test_all_faulty_lines_are_shown_and_nothing_is_saved(self):
        browser = self.opened()
        self.control(browser, "mapping").value = "\n".join(
            ["1|readers", "1|premum-members", "2", "3|Administrators"]
        )
        self.control(browser, "buyers_group").value = "other"
        self.save(browser)
        for line in (
            'Line 2: there is no group "premum-members"',
            "Line 3: expected PRODUCT_ID|GROUP_ID",
            f'Line 4: the group "Administrators" {PRIVILEGED}',
        ):
            self.assertIn(line, browser.contents)
        self.assertNotIn("Line 1:", browser.contents)
        self.assertIn("There were some errors.", browser.contents)
        self.assertNotIn("Changes saved.", browser.contents)
        self.assertEqual(stored().mapping, [])
        self.assertEqual(stored().buyers_group, "click2sell")

    def test_errors_stand_at_their_fields(self):
        browser = self.opened()
        self.control(browser, "mapping").value = "1|nobody"
        self.control(browser, "welcome_subject").value = "Hello $foo"
        self.save(browser)
        field = browser.contents.split('id="formfield-form-widgets-mapping"')[1]
        self.assertIn("Line 1:", field.split('id="formfield-')[0])
        field = browser.contents.split('id="formfield-form-widgets-welcome_subject"')[1]
        self.assertIn(
            'There is no placeholder "$foo"; write $$ for a dollar sign',
            field.split('id="formfield-')[0],
        )

    def test_lines_stay_where_they_were_typed(self):
        lines = ["", "", "# comment", "", "1|readers", ""]
        browser = self.opened()
        self.control(browser, "mapping").value = "\r\n".join(lines)
        self.save(browser)
        self.assertEqual(stored().mapping, lines)
        # Saved again as a browser would: it drops one line break after the opening tag.
        browser.open(self.url)
        area = re.search(
            r'<textarea[^>]*name="form\.widgets\.mapping"[^>]*>(.*?)</textarea>',
            browser.contents,
            re.DOTALL,
        )
        self.assertEqual(area[1], "\n" + "\n".join(lines))

    def test_a_line_is_text_and_no_markup(self):
        self.store(mapping=["# </textarea><script>alert(1)</script>"])
        self.assertNotIn("<script>alert(1)", self.opened().contents)

    def test_an_emptied_group_stays_empty(self):
        for attempt in range(2):
            with self.subTest(attempt):
                browser = self.opened()
                if attempt == 0:
                    self.control(browser, "buyers_group").value = ""
                self.assertEqual(self.control(browser, "buyers_group").value, "")
                self.save(browser)
                self.assertEqual(stored().buyers_group, "")

    def test_addresses_of_the_owner(self):
        browser = self.opened()
        self.control(browser, "alert_addresses").value = "a@example.com\r\n\r\n b@example.com "
        self.save(browser)
        self.assertEqual(stored().alert_addresses, ["a@example.com", "b@example.com"])
        browser = self.opened()
        self.control(browser, "alert_addresses").value = "a@example.com\r\n<b>nobody</b>"
        self.save(browser)
        self.assertIn('nobody&lt;/b&gt;" is not a valid e-mail address.', browser.contents)
        self.assertNotIn("<b>nobody", browser.contents)
        browser = self.opened()
        self.control(browser, "alert_addresses").value = ""
        self.save(browser)
        self.assertEqual(stored().alert_addresses, [])

    def test_everything_can_be_saved(self):
        browser = self.opened()
        self.control(browser, "secretkey").value = KEY
        self.control(browser, "mapping").value = "1|readers"
        self.control(browser, "buyers_group").value = "all-buyers"
        self.control(browser, "welcome_mail").value = ["link"]
        self.control(browser, "welcome_subject").value = "Živjo $name"
        self.control(browser, "welcome_text").value = "$credentials\n$$ 5 <b>"
        self.control(browser, "notice_mail:list").value = []
        self.save(browser)
        self.assertIn("Changes saved.", browser.contents)
        expected = {
            "secretkey": KEY,
            "mapping": ["1|readers"],
            "buyers_group": "all-buyers",
            "welcome_mail": "link",
            "welcome_subject": "Živjo $name",
            "welcome_text": "$credentials\n$$ 5 <b>",
            "notice_mail": False,
        }
        self.assertEqual({name: getattr(stored(), name) for name in expected}, expected)

    def test_text_without_a_way_in_is_an_error(self):
        browser = self.opened()
        self.control(browser, "welcome_text").value = "Hello $name"
        self.save(browser)
        self.assertIn("The text has to contain $credentials", browser.contents)
        self.assertEqual(stored().welcome_text, WELCOME_TEXT.default)
