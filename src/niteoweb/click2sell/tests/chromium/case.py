"""Common parts of the tests in a browser: an owner's window, and the checks of every page."""

from niteoweb.click2sell.tests.cases import demosite
from niteoweb.click2sell.tests.chromium.layer import BROWSER
from playwright.sync_api import expect
from playwright.sync_api import Locator
from playwright.sync_api import Page
from playwright.sync_api import Request
from plone.app.testing import SITE_OWNER_NAME
from plone.app.testing import SITE_OWNER_PASSWORD
from typing import Any

import base64
import transaction
import unittest


DESK = {"width": 1280, "height": 900}
PHONE = {"width": 400, "height": 850}
WIDTHS = {"desk": DESK, "phone": PHONE}
#: Milliseconds that something on a page may take.
PATIENCE = 20_000
#: More presses of the key would be no way to get anywhere.
MOST_TABS = 150
#: What axe finds is minor, moderate, serious or critical.
TOO_BAD = ("serious", "critical")
#: Plone's own frame around every page, which is Plone's to mend: the toolbar's wrong roles, a
#: menu without a name at the width of a phone, links of too little contrast. All else is looked
#: at, the rules for the document as a whole too.
PLONES_OWN = (
    "#edit-zone",
    "#content-header",
    "#mainnavigation-wrapper",
    "#above-content-wrapper",
    "#portal-footer-wrapper",
)
#: How wide the page is, and how wide the window.
WIDTH = "[document.scrollingElement.scrollWidth, window.innerWidth]"
#: As the link does that skips the navigation.
BEGIN = """() => {
    const main = document.querySelector("#main-container");
    main.tabIndex = -1;
    main.focus();
    main.removeAttribute("tabindex");
}"""


class BrowserTestCase(unittest.TestCase):
    """The demo's month is over, and the site's owner looks at it."""

    layer = BROWSER

    def setUp(self):
        from tools.demo.seeding import Clock

        self.portal = self.layer["portal"]
        self.url = f"http://localhost:{self.layer['port']}/{self.portal.getId()}"
        self.clock = Clock(demosite.END)
        running = self.clock.running()
        running.__enter__()
        self.addCleanup(running.__exit__, None, None, None)
        self.elsewhere: list[str] = []
        self.errors: list[str] = []

    def window(
        self,
        size: dict[str, int] = DESK,
        who: tuple[str, str] = (SITE_OWNER_NAME, SITE_OWNER_PASSWORD),
    ) -> Page:
        """A new window, which has been nowhere yet.

        :param who: name and password, ("", "") for nobody.
        """
        credentials = base64.b64encode(":".join(who).encode()).decode()
        context = self.layer["browser"].new_context(
            viewport=size,
            locale="en-US",
            timezone_id="UTC",
            reduced_motion="reduce",
            extra_http_headers={"Authorization": f"Basic {credentials}"} if who[0] else {},
        )
        self.addCleanup(context.close)
        context.set_default_timeout(PATIENCE)
        context.on("request", self._note_request)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        return context.new_page()

    def open(self, page: Page, path: str) -> None:
        """Go to a page of the site."""
        response = page.goto(f"{self.url}/{path}")
        self.assertEqual(response.status, 200, path)
        self.assertNotIn("/login", page.url, path)

    def see(self, locator: Locator) -> None:
        """Wait until something is to be seen."""
        try:
            expect(locator).to_be_visible(timeout=PATIENCE)
        except AssertionError as error:
            error.add_note(locator.page.locator("body").inner_text())
            raise

    def press(self, page: Page, name: str) -> None:
        """Go to a button with the keyboard alone, press it, and wait for what comes."""
        button = page.get_by_role("button", name=name, exact=True)
        self.go_to(page, button)
        with page.expect_navigation():
            page.keyboard.press("Enter")

    def follow(self, page: Page, link: Locator) -> None:
        """Go to a link with the keyboard alone, and follow it."""
        self.go_to(page, link)
        with page.expect_navigation():
            page.keyboard.press("Enter")

    def go_to(self, page: Page, target: Locator) -> None:
        """Press Tab until something has the focus, from the beginning of the page's own part.

        :raises AssertionError: there is no way to it.
        """
        self.see(target)
        page.evaluate(BEGIN)
        for _ in range(MOST_TABS):
            page.keyboard.press("Tab")
            if target.evaluate("element => element === document.activeElement"):
                return
        self.fail(f"The keyboard does not get to {target}.")

    # What every page has to keep

    def assert_usable(self, page: Page) -> None:
        """Nobody is kept out by an accessibility fault, and nothing is beside the screen."""
        self.assertEqual(self.faults(page), [])
        self.assertLessEqual(*page.evaluate(WIDTH), "it has to be scrolled sideways")
        self.assertEqual(self.errors, [], "errors of scripts")
        self.assertEqual(self.elsewhere, [], "asked of others than this site")

    def faults(self, page: Page, impacts: tuple[str, ...] = TOO_BAD) -> list[str]:
        """The faults that axe reports, as rule and place."""
        page.evaluate(self.layer["axe"])
        found = page.evaluate(
            "exclude => axe.run({exclude}, {resultTypes: ['violations']})",
            [[selector] for selector in PLONES_OWN],
        )
        return [
            f"{violation['impact']} {violation['id']}: {' '.join(map(str, node['target']))}"
            for violation in found["violations"]
            for node in violation["nodes"]
            if violation["impact"] in impacts
        ]

    def stored(self) -> Any:
        """The site as the server has left it."""
        transaction.begin()
        # plone.registry remembers while a request lasts, and that of a test lasts.
        self.layer["request"].other.pop("_plone_registry_cache", None)
        return self.portal

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.url}/", "data:", "blob:")):
            self.elsewhere.append(request.url)
