"""What the demo's site, buyer and files are called."""

from pathlib import Path


ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "var" / "demo"
NOTIFY = ROOT / "bin" / "click2sell-notify"

SITE_ID = "Plone"
SITE_TITLE = "Click2Sell demo"
#: Served on the loopback interface only, so that a simple password does no harm.
OWNER = "admin"
OWNER_PASSWORD = "admin"  # noqa: S105
SENDER = "membership@example.org"
SENDER_NAME = "Click2Sell demo"

SECRET_KEY = "secret"  # noqa: S105
PRODUCT = "1"
PRODUCT_NAME = "Gold membership"
GROUP = "paying-members"
BUYERS_GROUP = "click2sell"
PAGE = "members-area"
PAGE_TITLE = "For paying members"

BUYER = "zoe.mueller@example.org"
BUYER_NAME = "Zoë"
BUYER_SURNAME = "Müller"
STRANGER = "mallory@example.org"
AFFILIATE = "partner@example.org"
#: The purchase fields of a member.
FIELDS = (
    "product_id",
    "product_name",
    "affiliate",
    "last_purchase_id",
    "last_purchase_timestamp",
)
