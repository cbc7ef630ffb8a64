"""Settings of the payment providers beside Click2Sell."""

from niteoweb.click2sell import _
from niteoweb.click2sell.interfaces.settings import lines
from typing import Any
from zope import schema
from zope.i18nmessageid import Message
from zope.interface import Interface
from zope.schema.vocabulary import SimpleTerm
from zope.schema.vocabulary import SimpleVocabulary

import re


#: A line of plenigo's offers; an empty line is none.
_OFFER = re.compile(
    r"|[A-Z]{1,2}_[0-9A-Za-z]{1,18}"
    r"(\|(multiple|net|bonus=[0-9A-Za-z_,]+|variant=[0-9A-Za-z_-]+))*",
    re.ASCII,
)


#: An address that a page loads something from: of https, or of this machine for tests.
_ADDRESS = re.compile(
    r"|https://[^\s\"'<>\\?#@]+|http://(127\.0\.0\.1|localhost)(:[0-9]+)?(/[^\s\"'<>\\?#@]*)?",
    re.ASCII,
)

#: Seconds. plenigo delivers for the last time 24 hours after the first, and clocks differ.
TWO_DAYS = 2 * 24 * 60 * 60
FIVE_MINUTES = 5 * 60

SIGNATURE_ENCODING = SimpleVocabulary(
    [
        SimpleTerm("hex", title=_("Hexadecimal")),
        SimpleTerm("base64", title=_("Base64")),
    ]
)


def _tolerance(default: int) -> schema.Int:
    """The field for the greatest age of a notification.

    :param default: seconds.
    """
    return schema.Int(
        title=_("Reject notifications older than (seconds)"),
        description=_(
            "What was signed longer ago, or is dated further ahead, is refused. 0 accepts any "
            "age: what was delivered before does nothing again in any case."
        ),
        required=False,
        default=default,
        missing_value=0,
        min=0,
    )


class IProviderBasics(Interface):
    """Settings that all of these providers have; each extends this interface."""

    enabled = schema.Bool(
        title=_("Take in notifications of this provider"),
        description=_(
            "While this is off, notifications are rejected. Buyers keep what they paid for."
        ),
        required=False,
        default=False,
    )

    secretkey = schema.Password(
        title=_("Secret key"),
        description=_(
            "What the provider signs its notifications with. Without it none is accepted."
        ),
        required=False,
    )

    previous_secretkey = schema.Password(
        title=_("Previous secret key"),
        description=_(
            "Notifications that are signed with it are accepted, too, while the provider still "
            "uses it. It is filled in by itself when you change the secret key."
        ),
        required=False,
    )

    mapping = lines(
        title=_("Products and groups"),
        description=_(
            "One PRODUCT_ID|GROUP_ID a line: who buys the product joins the group. |DAYS of "
            "access, |exclusive, |title= and |order= may follow; an end that the provider "
            "states comes first."
        ),
    )


class IProviderSettings(IProviderBasics):
    """Settings of providers whose notifications have a time."""

    tolerance = _tolerance(TWO_DAYS)


class IHookSettings(IProviderSettings):
    """Settings for the signed hook, in plone.app.registry."""

    # The registry's names are made of it: it never changes.
    __module__ = "niteoweb.click2sell.interfaces"

    secretkey = schema.Password(
        title=_("Secret key"),
        description=_(
            "The secret that your shop signs its hooks with: whsec_ and base64, as Standard "
            "Webhooks has it. Any other text is taken as it is. Without it none is accepted."
        ),
        required=False,
    )

    tolerance = schema.Int(
        title=_("Greatest age of a notification in seconds"),
        description=_(
            "What was signed longer ago, or is dated further ahead, is refused. 0 accepts any "
            "age: what was delivered before does nothing again in any case."
        ),
        required=False,
        default=300,
        missing_value=0,
        min=0,
    )


class IPlenigoSettings(IProviderSettings):
    """Settings for plenigo, in plone.app.registry."""

    # The registry's names are made of it: it never changes.
    __module__ = "niteoweb.click2sell.interfaces"

    api_url = schema.TextLine(
        title=_("Address of the API"),
        description=_("Changing the address removes the token."),
        required=False,
        default="https://api.plenigo.com/api/v3.0",
        missing_value="",
    )

    api_token = schema.Password(
        title=_("Token for the API"),
        description=_(
            "With it plenigo is asked for a customer's address and for how a subscription "
            "stands. Without it a subscription has to name a customer that is known already."
        ),
        required=False,
    )

    company_id = schema.TextLine(
        title=_("Company id"),
        description=_("Your company's id at plenigo. Without it nothing can be bought here."),
        required=False,
        default="",
        missing_value="",
        constraint=re.compile("[0-9A-Za-z]{0,40}", re.ASCII).fullmatch,
    )

    sdk_url = schema.TextLine(
        title=_("Address of plenigo's script"),
        description=_("{company_id} stands for the company id."),
        required=False,
        default="https://static.plenigo.com/static_resources/javascript/{company_id}"
        "/plenigo_sdk.min.js",
        missing_value="",
        constraint=_ADDRESS.fullmatch,
    )

    checkout_url = schema.TextLine(
        title=_("Address of plenigo's checkout"),
        description=_("For plenigo's stage only; otherwise leave it empty."),
        required=False,
        default="",
        missing_value="",
        constraint=_ADDRESS.fullmatch,
    )

    offers = schema.List(
        title=_("Offers"),
        description=_(
            "What is sold here, one OFFER_ID or shopping cart a line. |multiple, |net, "
            "|bonus=ID,ID and |variant=ID may follow."
        ),
        value_type=schema.TextLine(constraint=_OFFER.fullmatch),
        required=False,
        default=[],
        missing_value=[],
    )


class ICleengSettings(IProviderSettings):
    """Settings for Cleeng, in plone.app.registry."""

    # The registry's names are made of it: it never changes.
    __module__ = "niteoweb.click2sell.interfaces"

    signature_header = schema.TextLine(
        title=_("Header with the signature"),
        required=False,
        default="X-Cleeng-Signature",
        missing_value="",
    )

    signature_encoding = schema.Choice(
        title=_("Encoding of the signature"),
        vocabulary=SIGNATURE_ENCODING,
        default="hex",
    )

    api_url = schema.TextLine(
        title=_("Address of the API"),
        description=_("Changing the address removes the token."),
        required=False,
        default="https://inapp.api.prod.cleeng.com",
        missing_value="",
    )

    api_token = schema.Password(
        title=_("Token for the API"),
        description=_("Cleeng's publisher token."),
        required=False,
    )


class IStripeSettings(IProviderSettings):
    """Settings for Stripe, in plone.app.registry."""

    # The registry's names are made of it: it never changes.
    __module__ = "niteoweb.click2sell.interfaces"

    # Stripe signs each try anew.
    tolerance = _tolerance(FIVE_MINUTES)

    test_mode = schema.Bool(
        title=_("Test mode"),
        description=_(
            "On, only events of Stripe's test mode are taken in, off, only live ones: test "
            "purchases and real ones never mix."
        ),
        required=False,
        default=False,
    )

    api_url = schema.TextLine(
        title=_("Address of the API"),
        description=_("Changing the address removes the token."),
        required=False,
        default="https://api.stripe.com/v1",
        missing_value="",
    )

    api_token = schema.Password(
        title=_("Token for the API"),
        description=_(
            "A restricted key of Stripe that may read. With it Stripe is asked how a "
            "subscription stands, what was bought and who paid; without it only what an event "
            "says counts."
        ),
        required=False,
    )


class NotPossible(schema.ValidationError):
    """A value that its field refuses.

    :param why: for the reader.
    """

    def __init__(self, why: Message) -> None:
        super().__init__(why)
        self.why = why

    def doc(self) -> Message:
        """The message of forms and services."""
        return self.why


def _fits(pattern: str, why: Message) -> Any:
    """A constraint: the text, or each line of a list, has a form; an empty one always fits.

    :param why: shown where it does not; ``${line}`` is what does not fit.
    """
    form = re.compile(pattern, re.ASCII)

    def constraint(value: Any) -> bool:
        for line in [value] if isinstance(value, str) else value:
            if line.strip() and not form.fullmatch(line.strip()):
                raise NotPossible(Message(why, mapping={"line": line}))
        return True

    return constraint


def _lines_that_fit(title: Message, description: Message, pattern: str, why: Message) -> Any:
    field = lines(title, description)
    field.constraint = _fits(pattern, why)
    return field


#: An id of a product in the store, an amount of money, an address with placeholders.
_STORE_ID, _AMOUNT = r"\d{1,10}", r"\d{1,9}(\.\d{1,8})?"
_URL = r"https?://[^\s/|{}@]+(/([^\s|{}]|\{(id|amount|currency|order|sku|back)\})*)?"


class IWebTVSettings(IProviderBasics):
    """Settings for the store of a WS.WebTV, in plone.app.registry."""

    # The registry's names are made of it: it never changes.
    __module__ = "niteoweb.click2sell.interfaces"

    api_url = schema.TextLine(
        title=_("Address of the API"),
        description=_(
            "The address of your WebTV with /api.php at its end. Another address clears the "
            "shared secret: it is never sent elsewhere."
        ),
        required=False,
        default="",
        missing_value="",
        constraint=_fits(
            r"https?://\S+/api\.php", _("This has to be an address that ends with /api.php.")
        ),
    )

    api_key_id = schema.TextLine(
        title=_("Key ID"),
        description=_("Of the credential for the API that you made in your WebTV."),
        required=False,
        default="",
        missing_value="",
        constraint=_fits(r"[\w.-]{1,100}", _("Letters, digits and the signs . _ - only.")),
    )

    api_token = schema.Password(
        title=_("Token for the API"),
        description=_("The shared secret of that credential."),
        required=False,
    )

    currency = schema.TextLine(
        title=_("Currency of the store"),
        description=_("Three capital letters. Without it nothing is sold."),
        required=False,
        default="",
        missing_value="",
        constraint=_fits("[A-Z]{3}", _("Three capital letters, such as EUR.")),
    )

    sync_calls = schema.Int(
        title=_("Most questions to the store in an automatic check"),
        description=_("0: an automatic check asks nothing."),
        required=False,
        default=300,
        missing_value=0,
        min=0,
        max=5000,
    )

    check_hours = schema.Int(
        title=_("Hours after which a user of the store is asked about again"),
        description=_("At an end of access the store is asked sooner."),
        required=False,
        default=24,
        missing_value=24,
        min=1,
        max=168,
    )

    make_users = schema.Bool(
        title=_("Create users in the store"),
        description=_("For a buyer who has none there when something is sold."),
        required=False,
        default=False,
    )

    order_hours = schema.Int(
        title=_("Hours after which an order that is not paid is cancelled"),
        description=_("Only orders that this site has placed."),
        required=False,
        default=24,
        missing_value=24,
        min=1,
        max=720,
    )

    fulfil = _lines_that_fit(
        _("Payments that become orders"),
        _(
            "One PROVIDER|PRODUCT_ID|STORE_PRODUCT_ID a line: who pays for the product at the "
            "other provider gets the product of the store."
        ),
        rf"(?!webtv\|)[a-z][a-z0-9]*\|[^|\s]{{1,100}}\|{_STORE_ID}",
        _("This has to be PROVIDER|PRODUCT_ID|STORE_PRODUCT_ID: ${line}"),
    )

    pay_urls = _lines_that_fit(
        _("Pages where orders of the store are paid"),
        _(
            "*|https://… for orders without subscriptions, SKU|AMOUNT|COUNT PERIOD|https://… "
            "for each subscription, such as SUB-12|10.00|1 MONTH|https://pay.example.org/{id}. "
            "What the store asks for has to agree with the line. Placeholders: {id}, {amount}, "
            "{currency}, {order}, {sku} and {back}."
        ),
        rf"(\*|[^|\s]{{1,100}}\|{_AMOUNT}\|[1-9]\d{{0,2}} (DAY|WEEK|MONTH|YEAR))\|{_URL}",
        _("This has to be *|https://… or SKU|AMOUNT|COUNT PERIOD|https://…: ${line}"),
    )

    return_script = schema.TextLine(
        title=_("Page of the WebTV that buyers return to"),
        description=_("index.php or payment.php; empty for a WebTV with friendly URLs."),
        required=False,
        default="index.php",
        missing_value="",
        constraint=_fits(r"(index|payment)\.php", _("index.php, payment.php, or nothing.")),
    )

    payment_fields = schema.TextLine(
        title=_("Fields of a payment that is told to the store"),
        description=_(
            "NAME=VALUE, joined with &. Placeholders: {method}, {amount}, {transaction} and "
            "{description}. The store's own documents do not name them."
        ),
        required=False,
        default="paymentMethodID={method}&amount={amount}&transactionID={transaction}"
        "&description={description}",
        missing_value="",
        constraint=_fits(
            r"\w+=([^&{}=]|\{(method|amount|transaction|description)\})*"
            r"(&\w+=([^&{}=]|\{(method|amount|transaction|description)\})*)*",
            _("This has to be NAME=VALUE, joined with &."),
        ),
    )
