"""The pages that the tests look at. A new page is a line of :data:`PAGES`."""

from collections.abc import Callable
from dataclasses import dataclass
from niteoweb.click2sell import ledger
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.tests.browser.case import BrowserTestCase
from playwright.sync_api import Page
from plone import api
from typing import Any

import transaction


SAVE = "Save"
SHOW = "Show what a replay would change"
LOOK = "Show what would change"
DECIDE = "Show what this would change"
LIST = "@@click2sell-notifications"


def nothing(*args: Any) -> None:
    """What a page needs that is there without further ado."""


@dataclass(frozen=True)
class Shown:
    """A page as somebody sees it.

    :ivar name: also that of its picture.
    :ivar path: below the site, or a function of the test that tells it.
    :ivar action: name of the button or link that the page is there for; the keyboard has to get
        to it.
    :ivar role: of the action, "button" or "link".
    :ivar before: what is done to the site first; it is committed.
    :ivar after: what is done in the page, once it is open.
    :ivar who: name and password of who looks, if not the owner.
    """

    name: str
    path: str | Callable[[BrowserTestCase], str]
    action: str
    role: str = "button"
    before: Callable[[BrowserTestCase], None] = nothing
    after: Callable[[BrowserTestCase, Page], None] = nothing
    who: tuple[str, str] | None = None


def entry(outcome: str, reason: str = "", page: str = "") -> Callable[[BrowserTestCase], str]:
    """The page of the newest notification with an outcome, as :attr:`Shown.path`.

    :param page: one below it.
    """

    def path(case: BrowserTestCase) -> str:
        return f"{LIST}/{key_of(case, outcome, reason)}{page}"

    return path


def key_of(case: BrowserTestCase, outcome: str, reason: str = "") -> str:
    """Key of the newest notification with an outcome and a reason; "" is any."""
    for key in ledger.newest_first(case.stored()):
        found = ledger.get(case.portal, key)
        if found["outcome"] == outcome and reason in ("", found["reason"]):
            return key
    raise LookupError(outcome, reason)


def press(name: str) -> Callable[[BrowserTestCase, Page], None]:
    """Press a button, as :attr:`Shown.after`."""
    return lambda case, page: case.press(page, name)


def write_mapping(lines: str) -> Callable[[BrowserTestCase, Page], None]:
    """Write the mapping and save the settings, as :attr:`Shown.after`."""

    def write(case: BrowserTestCase, page: Page) -> None:
        page.locator("[name='form.widgets.mapping']").fill(lines)
        case.press(page, SAVE)

    return write


def give_less(case: BrowserTestCase) -> None:
    """Change the mapping, so that there is something to reconcile."""
    settings = plone_site.settings()
    settings.mapping = [
        line.replace("|workshop|", "|course|") if line.startswith("4|") else line
        for line in settings.mapping
    ]
    transaction.commit()


def make_group(case: BrowserTestCase) -> None:
    """Make the group that the mapping names in vain."""
    from demo import settings

    with api.env.adopt_roles(["Manager"]):
        api.group.create(groupname=settings.MISSING_GROUP)
    transaction.commit()


def forget_everything(case: BrowserTestCase) -> None:
    """A site that nobody has notified yet."""
    from niteoweb.click2sell import store
    from zope.annotation.interfaces import IAnnotations

    del IAnnotations(case.portal)[store.KEY]
    store.install(case.portal)
    transaction.commit()


BROKEN = "1|paying-members\n2|monthly-members|thirty\n3\n"
PAGES = (
    Shown("settings", "@@click2sell-settings", SAVE),
    Shown("settings-errors", "@@click2sell-settings", SAVE, after=write_mapping(BROKEN)),
    Shown("notifications", LIST, "Filter"),
    Shown("notifications-filtered", f"{LIST}?outcome=needs+attention", "Show all", "link"),
    Shown("notifications-wrong-filter", f"{LIST}?from=never", "Filter"),
    Shown("notifications-none", LIST, "Click2Sell settings", "link", before=forget_everything),
    Shown("notification", entry("needs attention", "group missing"), SHOW),
    Shown("notification-failed", entry("failed"), SHOW),
    Shown("notification-broken", entry("needs attention", "parameter"), SHOW),
    Shown(
        "replay",
        entry("needs attention", "group missing"),
        "Replay",
        before=make_group,
        after=press(SHOW),
    ),
    Shown("decide", entry("needs attention", "account not certain", "/decide"), DECIDE),
    Shown("decide-refused", entry("refused", page="/decide"), DECIDE),
    Shown("report", "@@click2sell-report", "Privacy", "link"),
    Shown("checklist", "@@click2sell-checklist", "Settings", "link"),
    Shown("try", "@@click2sell-try", "Try it"),
    Shown("accounting", "@@click2sell-accounting", "Show the sums"),
    Shown("import", "@@click2sell-import", "Show what the file makes"),
    Shown("privacy", "@@click2sell-privacy", "Look it up"),
    Shown("reconcile", "@@click2sell-reconcile", LOOK),
    Shown(
        "reconcile-dry-run",
        "@@click2sell-reconcile",
        "Apply these changes",
        before=give_less,
        after=press(LOOK),
    ),
)
