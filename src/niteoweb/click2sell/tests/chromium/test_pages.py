"""Every page, at both widths: usable by everybody, without a mouse, and nothing out of sight.

``CLICK2SELL_RECORD=1`` makes the pictures of the documentation.
"""

from niteoweb.click2sell.tests.chromium import pictures
from niteoweb.click2sell.tests.chromium.case import BrowserTestCase
from niteoweb.click2sell.tests.chromium.case import WIDTHS
from niteoweb.click2sell.tests.chromium.pages import PAGES
from niteoweb.click2sell.tests.chromium.pages import Shown


class TestPages(BrowserTestCase):
    def look_at(self, shown: Shown) -> None:
        shown.before(self)
        path = shown.path if isinstance(shown.path, str) else shown.path(self)
        page = self.window(**({"who": shown.who} if shown.who else {}))
        for width, size in WIDTHS.items():
            with self.subTest(width):
                page.set_viewport_size(size)
                self.open(page, path)
                shown.after(self, page)
                if shown.action:
                    action = page.get_by_role(shown.role, name=shown.action, exact=True)
                    self.go_to(page, action)
                self.assert_usable(page)
                pictures.take(page, shown.name, width)


def _test(shown: Shown):
    def test(self):
        self.look_at(shown)

    return test


# A test of its own for each, so that one page that fails does not hide the others.
for _shown in PAGES:
    setattr(TestPages, f"test_{_shown.name.replace('-', '_')}", _test(_shown))
