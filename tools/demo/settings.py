"""Names of the demo's site, buyer and files."""

from dataclasses import dataclass
from tools import ROOT


@dataclass(frozen=True)
class Product:
    """A product on sale.

    :ivar group: what its buyers join, "" for a product that the mapping does not name.
    :ivar terms: days of access and the word for exclusiveness, as in the mapping.
    """

    name: str
    price: str
    group: str = ""
    terms: str = ""


FOLDER = ROOT / "var" / "demo"
NOTIFY = ROOT / "bin" / "click2sell-notify"

SITE_TITLE = "Click2Sell demo"
#: Served on the loopback interface only, so that a simple password does no harm.
OWNER = "admin"
OWNER_PASSWORD = "admin"  # noqa: S105
SENDER = "membership@example.org"
#: Plone's own settings for mail, without the port.
MAIL = {
    "smtp_host": "127.0.0.1",
    "email_from_name": "Click2Sell demo",
    "email_from_address": SENDER,
}

SECRET_KEY = "secret"  # noqa: S105
#: Where the order pages are said to be.
SHOP = "https://shop.example.org"
PRODUCT = "1"
PRODUCT_NAME = "Gold membership"
GROUP = "paying-members"
BUYERS_GROUP = "click2sell"
#: A group that the mapping names and that is not there any more.
MISSING_GROUP = "archive-readers"
#: One that ends while one looks on: it is sold as if that had been almost a day ago.
ONE_DAY = "8"
VISITOR = "leo.novak@example.org"
PRODUCTS = {
    PRODUCT: Product(PRODUCT_NAME, "49.00 EUR", GROUP),
    "2": Product("Monthly membership", "9.90 EUR", "monthly-members", "30"),
    "3": Product("Photography course: Landscapes in Winter", "39.00 USD", "course", "14"),
    "4": Product("Weekly workshop", "4.50 EUR", "workshop", "7"),
    "5": Product("Yearly membership", "89.00 EUR", "yearly-members", "365|exclusive"),
    "6": Product("Archive", "15.00 EUR", MISSING_GROUP),
    "7": Product("Calendar", "12,50 EUR"),
    ONE_DAY: Product("Day pass", "2.00 EUR", "day-pass", "1"),
}
PAGE = "members-area"
PAGE_TITLE = "For paying members"

BUYER = "zoe.mueller@example.org"
BUYER_NAME = "Zoë"
BUYER_SURNAME = "Müller"
STRANGER = "mallory@example.org"
AFFILIATE = "partner@example.org"
#: Can administer the site, and buys something.
EDITOR = "webmaster@example.org"
#: Has an account of another name than this address.
STUDIO = "studio@example.com"
STUDIO_USER = "studio"
#: The mail server knows nobody of this name.
UNREACHABLE = "nobody.home@example.com"
#: The purchase fields of a member.
FIELDS = (
    "product_id",
    "product_name",
    "affiliate",
    "last_purchase_id",
    "last_purchase_timestamp",
)
