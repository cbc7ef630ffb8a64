"""Settings of the payment providers beside Click2Sell."""

from niteoweb.click2sell import _
from niteoweb.click2sell.interfaces.settings import lines
from zope import schema
from zope.interface import Interface
from zope.schema.vocabulary import SimpleTerm
from zope.schema.vocabulary import SimpleVocabulary

import re


#: A line of plenigo's offers; a comment and an empty line are none.
_OFFER = re.compile(
    r"|[A-Z]{1,2}_[0-9A-Za-z]{1,18}(\|(multiple|net|bonus=[0-9A-Za-z_,]+|variant=[0-9A-Za-z_-]+))*",
    re.ASCII,
)


#: An address that a page loads something from: of https, or of this machine for tests.
_ADDRESS = re.compile(
    r"|https://[^\s\"'<>\\?#@]+|http://(127\.0\.0\.1|localhost)(:[0-9]+)?(/[^\s\"'<>\\?#@]*)?",
    re.ASCII,
)

#: Seconds. plenigo delivers for the last time 24 hours after the first, and clocks differ.
TWO_DAYS = 2 * 24 * 60 * 60

SIGNATURE_ENCODING = SimpleVocabulary(
    [
        SimpleTerm("hex", title=_("Hexadecimal")),
        SimpleTerm("base64", title=_("Base64")),
    ]
)


class IProviderSettings(Interface):
    """Settings that all of these providers have; each extends this interface."""

    enabled = schema.Bool(
        title=_("Take in notifications of this provider"),
        description=_(
            "As long as it is off, the address for the notifications does not exist. Who has "
            "bought keeps what was paid for."
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
            "access and |exclusive may follow; an end that the provider states comes first."
        ),
    )

    tolerance = schema.Int(
        title=_("Greatest age of a notification in seconds"),
        description=_(
            "What was signed longer ago, or is dated further ahead, is refused. 0 accepts any "
            "age: what was delivered before does nothing again in any case."
        ),
        required=False,
        default=TWO_DAYS,
        missing_value=0,
        min=0,
    )


class IPlenigoSettings(IProviderSettings):
    """Settings for plenigo, in plone.app.registry."""

    # The registry's names are made of it: it never changes.
    __module__ = "niteoweb.click2sell.interfaces"

    api_url = schema.TextLine(
        title=_("Address of the API"),
        description=_("Another address clears the token: it is never sent elsewhere."),
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
        description=_("Another address clears the token: it is never sent elsewhere."),
        required=False,
        default="https://inapp.api.prod.cleeng.com",
        missing_value="",
    )

    api_token = schema.Password(
        title=_("Token for the API"),
        description=_("Cleeng's publisher token."),
        required=False,
    )
