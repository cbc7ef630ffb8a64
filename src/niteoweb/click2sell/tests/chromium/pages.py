"""The pages that the tests look at. A new page is a line of :data:`PAGES`."""

from collections.abc import Callable
from dataclasses import dataclass
from niteoweb.click2sell import hooks
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import claims
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.cleeng.provider import PROVIDER as CLEENG
from niteoweb.click2sell.providers.plenigo.fake import FakePlenigo
from niteoweb.click2sell.providers.plenigo.fake import TOKEN
from niteoweb.click2sell.providers.plenigo.fake.access import JAVASCRIPT
from niteoweb.click2sell.providers.plenigo.fake.access import SCRIPT
from niteoweb.click2sell.providers.plenigo.provider import PROVIDER as PLENIGO
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.providers.webtv.course import attend
from niteoweb.click2sell.providers.webtv.provider import PROVIDER as WEBTV
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.pages import enable_behaviors
from niteoweb.click2sell.tests.cases.pages import share_folder
from niteoweb.click2sell.tests.chromium.case import BrowserTestCase
from playwright.sync_api import Page
from plone import api
from typing import Any
from unittest import mock

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
OWN_ACCOUNT = "Create a new account"
#: Somebody whose name and address are longer than any page is wide.
LONG = (
    "maximiliana.wilhelmine.theodora.schwarzenberg-hohenstein"
    "@friends-of-photography-in-the-alpine-region.example.org"
)
PASSWORD = "Wd7-fk3h-qqRz"
#: What plenigo sells, and its title.
OFFER, EDITION = "O_OFFER0000000000001", "The digital edition"
#: A new member, a buyer, an account that is not the add-on's, and one that cannot be read.
MEMBERS_FILE = f"""address,name,product,valid until,reference
zoe.mueller@example.org,Zoë Müller,2,2027-01-31,Choir
{LONG},,3,2026-12-31,
studio@example.com,Paula Studio,1,,
"""


def nothing(*args: Any) -> None:
    """The preparation of a page that needs none."""


def add_receiver(case: BrowserTestCase) -> None:
    """A receiver of hooks that takes nothing, and events that wait for it."""
    now, portal = timestamps.now(), case.portal
    url = "https://hooks.example.org/catch/9f2c4e1ab8d44f6f92a0c7d15a6b3e88?site=photography"
    wanted, secret = hooks.events.CHOICES, hooks.receivers.new_secret()
    receiver = hooks.receivers.add(portal, url, secret, wanted, now)
    receiver.update(failures=3, error="503", next_at=timestamps.iso(now))
    hooks.outbox.file(portal, hooks.events.CREATED, "", {}, now)
    transaction.commit()


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


def sell_a_page(case: BrowserTestCase) -> None:
    """A page behind the paywall, as :attr:`Shown.before`."""
    with api.env.adopt_roles(["Manager"]):
        enable_behaviors(case.portal, "Document", "niteoweb.click2sell.paywall")
        api.content.create(
            case.portal,
            "Document",
            "light",
            title="Light in the mountains",
            description="Twelve mornings above the clouds, and what they taught us.",
            access_groups=["course"],
        )
    transaction.commit()


def keep_for_members(case: BrowserTestCase) -> None:
    """A folder for members of the course, which has an order page, as :attr:`Shown.before`."""
    share_folder(case.portal, "course", "lessons", "Secret lessons")


def use_all_providers(case: BrowserTestCase) -> None:
    """A site that plenigo and Cleeng are switched on for, too."""
    for provider in (CLEENG, PLENIGO):
        stored = registry.settings(provider)
        stored.enabled, stored.secretkey = True, "a secret key of sufficient length"
        stored.mapping = ["gold|course"]
        if provider is PLENIGO:
            stored.api_token = "a token"
    transaction.commit()


def sell_with_plenigo(case: BrowserTestCase) -> None:
    """A buyer whom a plenigo that is not real knows, too, and who pays for a subscription."""
    let_in(case)
    fake = case.enterContext(FakePlenigo())
    case.enterContext(mock.patch.dict("os.environ", {jsonapi.INSECURE_VARIABLE: "1"}))
    stored = registry.settings(PLENIGO)
    stored.enabled, stored.secretkey, stored.company_id = True, fake.callbacks.secret, "COMP"
    stored.api_url, stored.api_token, stored.sdk_url = fake.url, TOKEN, f"{case.url}/sdk.js"
    customer, title = fake.add_customer(LONG), "An archive of all issues since the year 1898"
    number = fake.subscribe(customer, OFFER)
    fake.change(number, items=[{"title": title, "productId": "P_1"}])
    fake.dates[number] = ["2031-02-20T00:00:00Z", "2031-03-20T00:00:00Z"]
    fake.add_reason("too_expensive", en="Too expensive")
    fake.add_voucher("1234-5678", OFFER)
    buyer = buyers.of_address(case.portal, LONG)
    buyers.change(case.portal, buyer, customer_ids=(("plenigo", customer),))
    case.plenigo = fake
    transaction.commit()


def sell_a_page_with_plenigo(case: BrowserTestCase) -> None:
    """A page that an offer of plenigo's opens, as :attr:`Shown.before`."""
    sell_with_plenigo(case)
    about = "All issues since 1898, and each new one on the day that it appears."
    case.plenigo.offers[OFFER] = (EDITION, about)
    stored = registry.settings(PLENIGO)
    stored.offers, stored.mapping = [OFFER], [f"{OFFER}|course|title={EDITION}"]
    with api.env.adopt_roles(["Manager"]):
        enable_behaviors(case.portal, "Document", "niteoweb.click2sell.plenigo")
        api.content.create(
            case.portal,
            "Document",
            "ridge",
            title="Behind the ridge",
            description="Three days on foot to the hut that no road leads to.",
            access_rights=["digital"],
            plenigo_offers=[OFFER],
        )
    transaction.commit()


def go_to_the_checkout(case: BrowserTestCase, page: Page) -> None:
    """Go on to the checkout, with a script that is not plenigo's, as :attr:`Shown.after`."""
    page.route("**/sdk.js", lambda route: route.fulfill(body=SCRIPT, headers=JAVASCRIPT))
    case.press(page, "Continue to the checkout")
    case.see(page.get_by_role("button", name="Pay", exact=True))


def log_in_with_plenigo(case: BrowserTestCase) -> None:
    """A site whose readers log in with an id system, as :attr:`Shown.before`."""
    sell_with_plenigo(case)
    buyer = buyers.of_address(case.portal, LONG)
    for customer in buyer["customer_ids"]:
        trees.tree(case.portal, "buyer_by_customer")[customer] = buyer["id"]
    registry.settings(PLENIGO).login = "id-system"
    transaction.commit()


def come_from_an_id_system(case: BrowserTestCase, page: Page) -> None:
    """Come to the page that asks who has no state, as :attr:`Shown.after`."""
    session = case.plenigo.log_in(next(iter(case.plenigo.customers)))
    token = case.plenigo.hand_over(session)
    case.open(page, f"@@plenigo-login?transferToken={token}")


def cancel_once(case: BrowserTestCase, page: Page) -> None:
    """Cancel the subscription if it is not yet, as :attr:`Shown.after`."""
    if page.get_by_role("button", name="Cancel this subscription").count():
        case.press(page, "Cancel this subscription")


def look_up_a_voucher(case: BrowserTestCase, page: Page) -> None:
    """Ask what a voucher is for, as :attr:`Shown.after`."""
    page.get_by_label("Code").fill("1234-5678")
    case.press(page, "Check the code")


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
    case.press(page, "Show the preview")


def press(name: str) -> Callable[[BrowserTestCase, Page], None]:
    """Press a button, as :attr:`Shown.after`."""
    return lambda case, page: case.press(page, name)


def unfold_checklist(case: BrowserTestCase, page: Page) -> None:
    """Open the checklist, as :attr:`Shown.after`: it is folded until the set-up is done."""
    page.locator("#checklist summary").first.click()


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


def sell(case: BrowserTestCase) -> None:
    """A sale in the store that needs somebody, as :attr:`Shown.before`."""
    site, now = case.stored(), timestamps.now()
    stored = registry.settings(WEBTV)
    stored.enabled, stored.currency = True, "EUR"
    sale = sales.begin(
        *(site, now), user="2", email="jane@example.org", items=[("12", 1)], reference="R-1"
    )
    term = {"product": "12", "profile": "9f3a", "set": False, "amount": "10.00"}
    term |= {"currency": "EUR", "period": "MONTH", "frequency": 1, "first": "1798761600"}
    payment = {"transaction": "T-1", "amount": "10.00", "method": "external", "state": "added"}
    for words, changes in (
        ("filling the cart", {"titles": {"12": "Premium"}}),
        ("in the cart: 1", {"state": sales.CARTED, "terms": [term | {"sku": "SUB-12"}]}),
        ("place_order", {"state": sales.PLACING}),
        ("order 319: due 10.00", {"state": sales.PLACED, "number": "WS-319", "order": "319"}),
        ("paid 10.00", {"state": sales.PAYING, "payments": [payment], "due": "10.00"}),
        ("charge without order", {"attention": "charge without order"}),
    ):
        sale = sales.change(site, sale["id"], now, changes, words)
    transaction.commit()
    attend(sale, "charge without order")
    transaction.begin()


def page_of_sale(case: BrowserTestCase) -> str:
    """The page of the newest sale, as :attr:`Shown.path`."""
    return f"@@webtv-sales/{next(iter(sales.newest(case.stored())))['id']}"


BROKEN = "1|paying-members\n2|monthly-members|thirty\n3\n"
OF_PLENIGO = {"before": sell_with_plenigo, "who": (LONG, PASSWORD)}
SOLD_BY_PLENIGO = {"before": sell_a_page_with_plenigo, "who": (LONG, PASSWORD)}
PAGES = (
    Shown("settings", "@@click2sell-settings", SAVE),
    Shown("settings-errors", "@@click2sell-settings", SAVE, after=write_mapping(BROKEN)),
    Shown("settings-plenigo", "@@plenigo-settings", SAVE),
    Shown("settings-cleeng", "@@cleeng-settings", SAVE),
    Shown("settings-stripe", "@@stripe-settings", SAVE),
    Shown("settings-webtv", "@@webtv-settings", SAVE),
    Shown("sales", "@@webtv-sales", "Order WS-319, Premium, jane@example.org", "link", sell),
    Shown("sale", page_of_sale, TRY, before=sell),
    Shown("notifications", LIST, "Accounting: what was paid and paid back in a month", "link"),
    Shown("notifications-filtered", f"{LIST}?outcome=needs+attention", "Show all", "link"),
    Shown("notifications-wrong-filter", f"{LIST}?from=never", "Filter"),
    Shown("notifications-none", LIST, "What to do next", "link", before=forget_everything),
    Shown("notification", entry("needs attention", "group missing"), CREATE),
    Shown("notification-failed", entry("failed"), TRY),
    Shown(
        "notification-broken",
        entry("needs attention", "parameter"),
        "Give access to Yasmin Zajc",
        "link",
    ),
    Shown(
        "replay",
        entry("needs attention", "group missing"),
        SHOW,
        before=make_group,
        after=press(SHOW),
    ),
    Shown("decide", entry("needs attention", "account not certain", "/decide"), CONNECT),
    Shown("decide-refused", entry("refused", page="/decide"), "Accept it"),
    Shown("overview", "@@click2sell-overview", "Reconcile all members", "link"),
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
        after=unfold_checklist,
    ),
    Shown("members", MEMBERS, "Import members", "link"),
    Shown("members-found", f"{MEMBERS}?search=schwarz&all=1", "Show all", "link"),
    Shown("members-not-found", f"{MEMBERS}?search=nobody+at+all", "Show all", "link"),
    Shown("member", of_subscriber(), "Extend access", "link"),
    Shown("members-part", f"{MEMBERS}?part=attention", "Mail the welcome mail again"),
    Shown("members-act", f"{MEMBERS}?part=ending&select=1", DECIDE, after=press(EXTEND)),
    Shown("member-kept-out", of_kept_out, "Connect the account studio"),
    Shown("grant", of_subscriber("/grant"), DECIDE),
    Shown("note", of_subscriber("/note"), DECIDE),
    Shown("grant-errors", of_subscriber("/grant"), DECIDE, after=press(DECIDE)),
    Shown("grant-confirm", of_subscriber("/grant"), GRANT, after=give_until),
    Shown("claim", claim_link, OWN_ACCOUNT, who=("", "")),
    Shown("claim-again", "@@my-purchase-claim", "Mail a new link", who=("", "")),
    Shown("stripe-portal", "@@stripe-portal", "", before=let_in, who=(LONG, PASSWORD)),
    Shown("my-purchases", "@@my-purchases", "", before=let_in, who=(LONG, PASSWORD)),
    Shown(
        "plenigo-teaser",
        "ridge",
        "Buy",
        "link",
        before=sell_a_page_with_plenigo,
        who=("", ""),
    ),
    Shown(
        "plenigo-offer",
        f"@@plenigo-checkout?offer={OFFER}",
        "Continue to the checkout",
        **SOLD_BY_PLENIGO,
    ),
    Shown(
        "plenigo-checkout",
        f"@@plenigo-checkout?offer={OFFER}",
        "Pay",
        after=go_to_the_checkout,
        **SOLD_BY_PLENIGO,
    ),
    Shown("plenigo-link", "@@plenigo-link", "Mail me a link", **OF_PLENIGO),
    Shown("voucher", "@@plenigo-voucher", "Check the code", **OF_PLENIGO),
    Shown(
        "voucher-offer",
        "@@plenigo-voucher",
        "Redeem it",
        after=look_up_a_voucher,
        **OF_PLENIGO,
    ),
    Shown(
        "login-plenigo",
        "",
        "Continue",
        before=log_in_with_plenigo,
        after=come_from_an_id_system,
        who=("", ""),
    ),
    Shown("account-plenigo", "@@plenigo-account", "", **OF_PLENIGO),
    Shown(
        "subscriptions",
        "@@plenigo-subscription",
        "Cancel this subscription",
        "link",
        **OF_PLENIGO,
    ),
    Shown("subscription", "@@plenigo-subscription/1", "Cancel this subscription", **OF_PLENIGO),
    Shown(
        "subscription-cancelled",
        "@@plenigo-subscription/1",
        "My purchases",
        "link",
        after=cancel_once,
        **OF_PLENIGO,
    ),
    Shown(
        "members-only",
        "@@members-only?came_from=/plone/lessons",
        "Get access",
        "link",
        before=keep_for_members,
        who=("", ""),
    ),
    Shown("hooks", "@@click2sell-hooks", "Add the receiver", before=add_receiver),
    Shown("teaser", "light", "Get access", "link", before=sell_a_page, who=("", "")),
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
    Shown("import", "@@click2sell-import", "Show the preview"),
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
