"""Each check of the pages can fail: pages that are wrong on purpose."""

from niteoweb.click2sell.tests.chromium import case
from niteoweb.click2sell.tests.chromium.case import BrowserTestCase
from niteoweb.click2sell.tests.chromium.case import PHONE
from playwright.sync_api import Page
from unittest import mock


class TestChecks(BrowserTestCase):
    def page(self, body: str) -> Page:
        page = self.window(PHONE)
        # Of the site, so that what it asks for is asked of somebody.
        self.open(page, "@@click2sell-settings")
        self.elsewhere.clear()
        page.set_content(
            "<!doctype html><html lang='en'><title>A page</title>"
            f"<body><main id='main-container'><h1>A page</h1>{body}</main></body></html>"
        )
        return page

    def test_a_page_that_is_as_it_should_be(self):
        page = self.page("<label>Name <input></label> <button>Save</button>")
        self.assert_usable(page)
        self.go_to(page, page.get_by_role("button", name="Save"))

    def test_a_field_without_a_label(self):
        page = self.page("<input id='nameless'>")
        self.assertEqual(self.faults(page), ["critical label: #nameless"])
        with self.assertRaisesRegex(AssertionError, "critical label: #nameless"):
            self.assert_usable(page)

    def test_too_little_contrast(self):
        page = self.page("<p id='pale' style='color: #ccc; background: #fff'>Read me</p>")
        self.assertEqual(self.faults(page), ["serious color-contrast: #pale"])

    def test_of_plones_frame_nothing_is_said(self):
        page = self.page("<div id='portal-footer-wrapper'><input></div>")
        self.assertEqual(self.faults(page), [])

    def test_wider_than_the_window(self):
        page = self.page("<div style='width: 500px'>wide</div>")
        with self.assertRaisesRegex(AssertionError, "scrolled sideways"):
            self.assert_usable(page)

    def test_a_button_that_the_keyboard_does_not_get_to(self):
        page = self.page("<button tabindex='-1'>Save</button><a href='#'>More</a>")
        with (
            mock.patch.object(case, "MOST_TABS", 5),
            self.assertRaisesRegex(AssertionError, "keyboard"),
        ):
            self.go_to(page, page.get_by_role("button", name="Save"))

    def test_a_script_that_fails(self):
        page = self.page("")
        page.evaluate("setTimeout(() => { throw new Error('broken') })")
        page.wait_for_function("true")
        page.wait_for_timeout(200)
        with self.assertRaisesRegex(AssertionError, "broken"):
            self.assert_usable(page)

    def test_something_of_another_server(self):
        page = self.page("<img alt='' src='http://127.0.0.1:1/pixel.png'>")
        with self.assertRaisesRegex(AssertionError, "127.0.0.1:1/pixel.png"):
            self.assert_usable(page)
