"""The table of plenigo's features names what there is: pages, services, commands, settings.

``CLICK2SELL_RECORD=1 bin/test -m test_plenigo_features`` writes it anew.
"""

from dataclasses import dataclass
from importlib.metadata import distribution
from niteoweb.click2sell.interfaces import IPlenigoSettings
from niteoweb.click2sell.providers.plenigo.fake import FakePlenigo
from niteoweb.click2sell.tests.cases.documentation import DOCS
from niteoweb.click2sell.tests.cases.documentation import with_docs
from niteoweb.click2sell.tests.cases.layers import SHOP
from niteoweb.click2sell.tests.cases.recording import RECORD
from niteoweb.click2sell.tests.cases.ways import ways
from zope.schema import getFieldNames

import os
import re
import unittest


TABLE = DOCS / "plenigo-features.inc"

HEAD = """\
.. list-table::
   :header-rows: 1
   :widths: 24 34 42

   * - plenigo's documentation
     - Operation
     - Here
"""

CHECKOUT = "``@@plenigo-checkout``, ``@plenigo-checkout``"
SUBSCRIPTION = "``@@plenigo-subscription``, ``@plenigo-subscriptions``"
VOUCHER = "``@@plenigo-voucher``, ``@plenigo-voucher``"
APPS = "``@plenigo-app-purchases``, ``apps``"
PUSH = "``click2sell-plenigo-push``"
PREPARED = "POST /checkout/preparePurchase"
NOT_BUILT = "**Not built.**"
PLENIGOS = "*plenigo's own page*, ``@@plenigo-account``:"


@dataclass(frozen=True)
class Feature:
    """A feature of plenigo's documentation, and where it is.

    :ivar operations: of plenigo's API, with commas between.
    :ivar here: names of the product stand in double backquotes; they are looked up.
    """

    title: str
    operations: str
    here: str


FEATURES = (
    Feature("Address of the API, token", "", "``api_url``, ``api_token``"),
    Feature("Customer", "POST /customers", f"{CHECKOUT}: at the first purchase"),
    Feature("Purchase", PREPARED, CHECKOUT),
    Feature(
        "Further options of a purchase",
        PREPARED,
        "``offers``: ``variant=``. Addresses and ways to pay: plenigo's checkout asks for them",
    ),
    Feature("Checkout in a page", "", "``@@plenigo-checkout``, ``sdk_url``, ``checkout_url``"),
    Feature("Buying it again", PREPARED, "``offers``: ``multiple``"),
    Feature(
        "Product with data of its own: an ePaper",
        PREPARED,
        "``offers``: ``product=``; the behavior *Sold by plenigo*",
    ),
    Feature("Additional data, Upscore", PREPARED, "``source_parameters``"),
    Feature("Campaigns: ``utm_...``", PREPARED, CHECKOUT),
    Feature(
        "Shopping cart", f"{PREPARED}, GET /products/shoppingCarts", "``offers``: ``SC_...``"
    ),
    Feature("Bonus", f"{PREPARED}, GET /products/bonuses", "``offers``: ``bonus=``"),
    Feature("Net prices", PREPARED, "``offers``: ``net``"),
    Feature("Debug mode", PREPARED, "``debug_mode``"),
    Feature(
        "Whether a customer has access",
        "GET /accessRights/{customerId}/hasAccess",
        "the behavior *Paywall of plenigo*, ``@plenigo-access``, ``access_seconds``",
    ),
    Feature(
        "The same with a session, by the customer API",
        "",
        "``@plenigo-access``, ``customer_api_url``",
    ),
    Feature(
        "Session of a customer",
        "POST /sessions/{customerId}, PUT /processes/login/changeSessions/{removalToken}",
        "``@plenigo-transfer-token``",
    ),
    Feature("Whose session", "GET /sessions/validate", "``@plenigo-transfer-token``"),
    Feature("Transfer token", "POST /sessions/transferToken", "``@plenigo-transfer-token``"),
    Feature(
        "Taking a transfer token, the id system",
        "GET /sessions/transferToken, GET /sessions/customerData",
        "``@@plenigo-login``, ``@plenigo-session``, ``login``, ``login_url``",
    ),
    Feature(
        "plenigo's own login in a page: log in, register, forgot password",
        "GET /sessions/validate, GET /sessions/customerData",
        "``@@plenigo-login``, ``login``. **Assumed:** the script as its guide has it",
    ),
    Feature("Self-service", "", "``@@plenigo-account``"),
    Feature(
        "Checkout with a session",
        PREPARED,
        f"{NOT_BUILT} Only members buy here, and the site keeps no session of a member without "
        "the customer's id; so it sends the id",
    ),
    Feature("What a voucher is for", "GET /vouchers/{code}/validate", VOUCHER),
    Feature("Voucher for nothing", "POST /checkout/buyWithVoucher", VOUCHER),
    Feature("Voucher for less", PREPARED, VOUCHER),
    Feature(
        "Iterating over a list",
        "GET /subscriptions, GET /orders, GET /appStores/subscriptions",
        "``click2sell-plenigo-pull``; the automatic check",
    ),
    Feature("Import: customer", "POST /customers", PUSH),
    Feature("Import: address", "POST /addresses, GET /customers/{id}/addresses", PUSH),
    Feature(
        "Import: bank account",
        "POST /paymentMethods/bankAccounts, GET /customers/{id}/paymentMethods",
        PUSH,
    ),
    Feature("Import: order", "POST /imports/orders, GET /imports/orders/logs", PUSH),
    Feature("Managed elsewhere: create, end, restart", "POST /imports/orders", PUSH),
    Feature("Issue based: new, migrate", "POST /imports/orders", PUSH),
    Feature("Cancel a subscription", "PUT /subscriptions/{id}/cancel/regular", SUBSCRIPTION),
    Feature(
        "Cancel it at a date",
        "GET /subscriptions/{id}/cancel/dates, PUT /subscriptions/{id}/cancel/at",
        SUBSCRIPTION,
    ),
    Feature("Undo that", "PUT /subscriptions/{id}/cancel/undo", SUBSCRIPTION),
    Feature(
        "Reasons for cancelling", "GET /settings/customerCancellationReasons", SUBSCRIPTION
    ),
    Feature("In-app purchases of Apple, both versions", "POST /appStores/appleAppStore", APPS),
    Feature("In-app purchases of Google", "POST /appStores/googlePlayStore", APPS),
    Feature("Verify an in-app purchase", "GET /appStores/appleAppStore/{token}/verify", APPS),
    Feature("Tie it to a customer", "POST /appStores/appleAppStore/{token}/associate", APPS),
    Feature(
        "Journey of a checkout",
        "GET /products/offers, GET /orders/{id}, GET /subscriptions",
        CHECKOUT,
    ),
    Feature(
        "Single page app, video player: login, payment check, login status",
        "",
        "``@plenigo-session``, ``@plenigo-access``; the script itself tells the status",
    ),
    Feature(
        "Access code, OAuth2 of the API before",
        "POST /v2/oauth2/verify, GET /v2/user/profile",
        "``@plenigo-session``, ``@@plenigo-login``, ``client_secret``; off without the secret. "
        "**Assumed:** the id of a profile is a customer's id",
    ),
    Feature("Callbacks", "", "``@@plenigo``, see :ref:`the table of events <provider-events>`"),
    Feature(
        "Address, ways to pay, invoices, pauses",
        "",
        f"{PLENIGOS} what is paid with is plenigo's to keep, not the site's",
    ),
    Feature(
        "Several pieces, gifts, invitations, connected offers",
        "",
        f"{PLENIGOS} they give access to others than the buyer; what they give needs attention",
    ),
    Feature(
        "Offers, campaigns of vouchers, prices",
        "",
        "*plenigo's backend*: they are the shop's, and need another token",
    ),
    Feature(
        "Metered access",
        "",
        f"{NOT_BUILT} It is not in the API; the script's own counting is switched off",
    ),
)


def table() -> str:
    return HEAD + "".join(
        f"   * - {one.title}\n     - {_code(one.operations)}\n     - {one.here}.\n"
        for one in FEATURES
    )


def _code(operations: str) -> str:
    return ", ".join(f"``{one}``" for one in operations.split(", ")) if operations else "none"


def answered() -> set[str]:
    """The operations that the plenigo that is not real answers, with ``*`` for ids."""
    fake = FakePlenigo()
    found = {f"{method} /{'/'.join(path)}" for method, *path in fake.actions}
    for path in fake._collections:
        found |= {f"GET /{'/'.join(path)}", f"GET /{'/'.join(path)}/*"}
    return found


@with_docs
class TestTable(unittest.TestCase):
    layer = SHOP

    def test_table(self):
        if os.environ.get(RECORD) == "1":
            TABLE.write_text(table(), "utf-8")
        self.assertEqual(TABLE.read_text("utf-8"), table())

    def test_all_that_is_named_is_there(self):
        scripts = {one.name for one in distribution("niteoweb.click2sell").entry_points}
        known = {way.path for way in ways()} | scripts | set(getFieldNames(IPlenigoSettings))
        # Options of a line of offers, and of what is lawful there.
        options = {"multiple", "net", "SC_..."}
        for one in FEATURES:
            for name in re.findall("``([^`]+)``", one.here):
                with self.subTest(one.title, name=name):
                    self.assertTrue(name in known | options or name.endswith("="))

    def test_all_operations_are_tried(self):
        known = answered()
        for one in FEATURES:
            for operation in filter(None, one.operations.split(", ")):
                with self.subTest(one.title, operation=operation):
                    self.assertIn(re.sub(r"\{\w+\}", "*", operation), known)
