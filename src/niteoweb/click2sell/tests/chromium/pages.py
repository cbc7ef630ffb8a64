"""The pages that the tests look at. A new page is a line of :data:`PAGES`."""

from collections.abc import Callable
from dataclasses import dataclass
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import claims
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.cleeng.provider import PROVIDER as CLEENG
from niteoweb.click2sell.providers.plenigo.provider import PROVIDER as PLENIGO
from niteoweb.click2sell.tests.cases.pages import share_folder
from niteoweb.click2sell.tests.chromium.case import BrowserTestCase
from playwright.sync_api import Page
from plone import api
from typing import Any

import transaction


SAVE = "Save"
SHOW = "Process it again"
TRY = "Try again now"
CREATE = "Create the group archive-readers"
CONNECT = "Connect the account"
LOOK = "Show what would change"
DECIDE = "Show what this would change"
LIST = "@@click2sell-notifications"
MEMBERS = "@@click2sell-members"
GRANT = "Give access by hand"
EXTEND = "Extend access"
OWN_ACCOUNT = "Make a new account"
#: Somebody whose name and address are longer than any page is wide.
LONG = (
    "maximiliana.wilhelmine.theodora.schwarzenberg-hohenstein"
    "@friends-of-photography-in-the-alpine-region.example.org"
)
PASSWORD = "Wd7-fk3h-qqRz"  # noqa: S105
#: A new member, a buyer, an account that is not the add-on's, and one that cannot be read.
MEMBERS_FILE = f"""address,name,product,valid until,reference
zoe.mueller@example.org,Zoë Müller,2,2027-01-31,Choir
{LONG},,3,2026-12-31,
studio@example.com,Paula Studio,1,,
"""


def nothing(*args: Any) -> None:
    """The preparation of a page that needs none."""


@dataclass(frozen=True)
class Shown:
    """A page as somebody sees it.

    :ivar name: also that of its picture.
    :ivar path: below the site, or a function of the test that tells it.
    :ivar action: name of the button or link that the page is there for; the keyboard has to get
        to it. "" for a page that is only read.
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


def buyer_id(case: BrowserTestCase, product: str, kind: str) -> str:
    """Id of the buyer of the newest notification of a kind about a product."""
    for key in ledger.newest_first(case.stored(), product_id=product):
        found = ledger.get(case.portal, key)
        if (found["kind"], found["outcome"]) == (kind, Outcome.ACCEPTED):
            return found["buyer_id"]
    raise LookupError(product, kind)


def of_subscriber(page: str = "") -> Callable[[BrowserTestCase], str]:
    """The page of a buyer who has renewed, as :attr:`Shown.path`.

    :param page: one below it.
    """
    return lambda case: f"{MEMBERS}/{buyer_id(case, '4', 'renewal')}{page}"


def of_kept_out(case: BrowserTestCase) -> str:
    """The page of a buyer whose account is not certain, as :attr:`Shown.path`."""
    entry = ledger.get(case.portal, key_of(case, Outcome.ATTENTION, "account not certain"))
    return f"{MEMBERS}/{entry['buyer_id']}"


def claim_link(case: BrowserTestCase) -> str:
    """The page of a link that asks a buyer to confirm a purchase, as :attr:`Shown.path`."""
    entry = ledger.get(case.portal, key_of(case, Outcome.ATTENTION, "account not certain"))
    buyer = buyers.get(case.portal, entry["buyer_id"])
    token = claims.issue(case.portal, buyer, entry["buyer"], timestamps.now())
    transaction.commit()
    return f"@@my-purchase-claim?token={token}"


def let_in(case: BrowserTestCase) -> None:
    """Give the buyer with the long address a known password, as :attr:`Shown.before`."""
    found = buyers.of_address(case.portal, LONG)
    member = api.user.get(userid=found["user_id"])
    member.setSecurityProfile(password=PASSWORD)
    transaction.commit()


def keep_for_members(case: BrowserTestCase) -> None:
    """A folder for members of the course, which has an order page, as :attr:`Shown.before`."""
    share_folder(case.portal, "course", "lessons", "Secret lessons")
    settings = plone_site.settings()
    settings.mapping = [
        f"{line}|order=https://shop.example/course" if line.startswith("3|") else line
        for line in settings.mapping
    ]
    transaction.commit()


def use_all_providers(case: BrowserTestCase) -> None:
    """A site that plenigo and Cleeng are switched on for, too."""
    for provider in (CLEENG, PLENIGO):
        stored = registry.settings(provider)
        stored.enabled, stored.secretkey = True, "a secret key of sufficient length"
        stored.mapping = ["gold|course"]
        if provider is PLENIGO:
            stored.api_token = "a token"  # noqa: S105
    transaction.commit()


def try_a_sale(case: BrowserTestCase, page: Page) -> None:
    """Try a purchase, as :attr:`Shown.after`."""
    page.get_by_label("Product").fill("5")
    page.get_by_label("E-mail address of the buyer").fill("zoe.mueller@example.org")
    case.press(page, "Try it")


def give_until(case: BrowserTestCase, page: Page, product: str = "3") -> None:
    """Fill in the form that gives access, and look, as :attr:`Shown.after`."""
    page.get_by_label("Product").select_option(f"click2sell {product}")
    page.get_by_label("Until").fill("2026-12-31")
    page.get_by_label("Reason").fill("Won the raffle")
    case.press(page, DECIDE)


def look_at_file(case: BrowserTestCase, page: Page) -> None:
    """Have a file of members looked at, as :attr:`Shown.after`."""
    page.get_by_label("CSV file").set_input_files(
        {"name": "members.csv", "mimeType": "text/csv", "buffer": MEMBERS_FILE.encode()}
    )
    case.press(page, "Show what the file makes")


def press(name: str) -> Callable[[BrowserTestCase, Page], None]:
    """Press a button, as :attr:`Shown.after`."""
    return lambda case, page: case.press(page, name)


def write_mapping(lines: str) -> Callable[[BrowserTestCase, Page], None]:
    """Write the mapping and save the settings, as :attr:`Shown.after`."""

    def write(case: BrowserTestCase, page: Page) -> None:
        text = page.locator("[name='form.widgets.mapping']")
        if not text.is_visible():
            page.get_by_text("Edit as text").click()
        text.fill(lines)
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
    from tools.demo import settings

    with api.env.adopt_roles(["Manager"]):
        api.group.create(groupname=settings.MISSING_GROUP)
    transaction.commit()


def forget_everything(case: BrowserTestCase) -> None:
    """A site that nobody has notified yet."""
    from niteoweb.click2sell.storage import trees
    from zope.annotation.interfaces import IAnnotations

    del IAnnotations(case.portal)[trees.KEY]
    trees.install(case.portal)
    transaction.commit()


BROKEN = "1|paying-members\n2|monthly-members|thirty\n3\n"
PAGES = (
    Shown("settings", "@@click2sell-settings", SAVE),
    Shown("settings-errors", "@@click2sell-settings", SAVE, after=write_mapping(BROKEN)),
    Shown("settings-plenigo", "@@plenigo-settings", SAVE),
    Shown("settings-cleeng", "@@cleeng-settings", SAVE),
    Shown("settings-stripe", "@@stripe-settings", SAVE),
    Shown("notifications", LIST, "Accounting: what was paid and paid back in a month", "link"),
    Shown("notifications-filtered", f"{LIST}?outcome=needs+attention", "Show all", "link"),
    Shown("notifications-wrong-filter", f"{LIST}?from=never", "Filter"),
    Shown(
        "notifications-none", LIST, "Settings of Click2Sell", "link", before=forget_everything
    ),
    Shown("notification", entry("needs attention", "group missing"), CREATE),
    Shown("notification-failed", entry("failed"), TRY),
    Shown("notification-broken", entry("needs attention", "parameter"), GRANT, "link"),
    Shown(
        "replay",
        entry("needs attention", "group missing"),
        SHOW,
        before=make_group,
        after=press(SHOW),
    ),
    Shown("decide", entry("needs attention", "account not certain", "/decide"), CONNECT),
    Shown("decide-refused", entry("refused", page="/decide"), "Accept it"),
    Shown("overview", "@@click2sell-overview", "See what is due, and run it now", "link"),
    Shown(
        "overview-empty",
        "@@click2sell-overview",
        "Try a purchase",
        "link",
        before=forget_everything,
    ),
    Shown("report", "@@click2sell-report", "Last 90 days", "link"),
    Shown(
        "checklist-providers",
        "@@click2sell-overview",
        "Settings of plenigo",
        "link",
        before=use_all_providers,
    ),
    Shown("members", MEMBERS, "Import members", "link"),
    Shown("members-found", f"{MEMBERS}?search=schwarz&all=1", "Show all", "link"),
    Shown("members-not-found", f"{MEMBERS}?search=nobody+at+all", "Show all", "link"),
    Shown("member", of_subscriber(), "Extend access", "link"),
    Shown("members-part", f"{MEMBERS}?part=attention", "Mail the welcome mail again"),
    Shown("members-act", f"{MEMBERS}?part=ending&select=1", DECIDE, after=press(EXTEND)),
    Shown("member-kept-out", of_kept_out, "Connect the account studio"),
    Shown("grant", of_subscriber("/grant"), DECIDE),
    Shown("grant-errors", of_subscriber("/grant"), DECIDE, after=press(DECIDE)),
    Shown("grant-confirm", of_subscriber("/grant"), GRANT, after=give_until),
    Shown("claim", claim_link, OWN_ACCOUNT, who=("", "")),
    Shown("claim-again", "@@my-purchase-claim", "Mail a new link", who=("", "")),
    Shown("stripe-portal", "@@stripe-portal", "", before=let_in, who=(LONG, PASSWORD)),
    Shown("my-purchases", "@@my-purchases", "", before=let_in, who=(LONG, PASSWORD)),
    Shown(
        "members-only",
        "@@members-only?came_from=/plone/lessons",
        "Get access",
        "link",
        before=keep_for_members,
        who=("", ""),
    ),
    Shown("try", "@@click2sell-try", "Try it"),
    Shown("try-result", "@@click2sell-try", "Try it", after=try_a_sale),
    Shown(
        "try-plenigo",
        "@@click2sell-try?provider=plenigo",
        "Try it",
        before=use_all_providers,
        after=try_a_sale,
    ),
    Shown("accounting", "@@click2sell-accounting", "Show the sums"),
    Shown("import", "@@click2sell-import", "Show what the file makes"),
    Shown("import-dry-run", "@@click2sell-import", "Import these lines", after=look_at_file),
    Shown("privacy", "@@click2sell-privacy", "Look it up"),
    Shown(
        "privacy-dry-run",
        f"@@click2sell-privacy?address={LONG}",
        "Erase for good",
        after=press("Show what would be erased"),
    ),
    Shown("check", "@@click2sell-check", "Run it now"),
    Shown("reconcile", "@@click2sell-reconcile", LOOK),
    Shown(
        "reconcile-dry-run",
        "@@click2sell-reconcile",
        "Apply these changes",
        before=give_less,
        after=press(LOOK),
    ),
)
