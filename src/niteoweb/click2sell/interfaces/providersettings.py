"""Settings of the payment providers beside Click2Sell."""

from niteoweb.click2sell import _
from niteoweb.click2sell.interfaces.fields import line
from niteoweb.click2sell.interfaces.fields import lines
from niteoweb.click2sell.interfaces.fields import secret
from niteoweb.click2sell.interfaces.fields import switch
from niteoweb.click2sell.interfaces.fields import tolerance as tolerance_
from zope import schema
from zope.interface import Interface
from zope.schema.vocabulary import SimpleTerm
from zope.schema.vocabulary import SimpleVocabulary

import re


#: A line of plenigo's offers; an empty line is none.
_OFFER = re.compile(
    r"|[A-Z]{1,2}_[0-9A-Za-z]{1,18}"
    r"(\|(multiple|net|bonus=[0-9A-Za-z_,]+|variant=[0-9A-Za-z-]{2,30}"
    r"|product=P_[0-9A-Za-z]{1,18} +tax=[A-Z0-9_]{1,50} +currency=[A-Z]{3}))*",
    re.ASCII,
)

#: A line of plenigo's apps; an empty line is none.
_APP = re.compile(r"|(apple|google)\|[0-9A-Za-z._-]{1,100}", re.ASCII)


#: An address that a page loads something from: of https, or of this machine for tests.
_ADDRESS = re.compile(
    r"|https://[^\s\"'<>\\?#@]+|http://(127\.0\.0\.1|localhost)(:[0-9]+)?(/[^\s\"'<>\\?#@]*)?",
    re.ASCII,
)

#: Seconds. plenigo delivers for the last time 24 hours after the first, and clocks differ.
TWO_DAYS = 2 * 24 * 60 * 60
FIVE_MINUTES = 5 * 60

#: Ways of logging in with plenigo.
LOGIN = SimpleVocabulary(
    [
        SimpleTerm("off", title=_("Off")),
        SimpleTerm("id-system", title=_("With an id system")),
    ]
)

SIGNATURE_ENCODING = SimpleVocabulary(
    [
        SimpleTerm("hex", title=_("Hexadecimal")),
        SimpleTerm("base64", title=_("Base64")),
    ]
)


class IProviderBasics(Interface):
    """Settings that all of these providers have; each extends this interface."""

    enabled = switch(
        title=_("Take in notifications of this provider"),
        description=_(
            "While this is off, notifications are rejected. Buyers keep what they paid for."
        ),
    )

    secretkey = secret(
        title=_("Secret key"),
        description=_(
            "What the provider signs its notifications with. Without it none is accepted."
        ),
    )

    previous_secretkey = secret(
        title=_("Previous secret key"),
        description=_(
            "Notifications that are signed with it are accepted, too, while the provider still "
            "uses it. It is filled in by itself when you change the secret key."
        ),
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

    tolerance = tolerance_(TWO_DAYS)


class IHookSettings(IProviderSettings):
    """Settings for the signed hook, in plone.app.registry."""

    # The registry's names are made of it: it never changes.
    __module__ = "niteoweb.click2sell.interfaces"

    secretkey = secret(
        title=_("Secret key"),
        description=_(
            "The secret that your shop signs its hooks with: whsec_ and base64, as Standard "
            "Webhooks has it. Any other text is taken as it is. Without it none is accepted."
        ),
    )

    tolerance = tolerance_(FIVE_MINUTES)


class IPlenigoSettings(IProviderSettings):
    """Settings for plenigo, in plone.app.registry."""

    # The registry's names are made of it: it never changes.
    __module__ = "niteoweb.click2sell.interfaces"

    api_url = line(
        title=_("Address of the API"),
        description=_("Changing the address removes the token."),
        default="https://api.plenigo.com/api/v3.0",
    )

    api_token = secret(
        title=_("Token for the API"),
        description=_(
            "With it plenigo is asked for a customer's address and for how a subscription "
            "stands. Without it a subscription has to name a customer that is known already."
        ),
    )

    company_id = line(
        title=_("Company id"),
        description=_("Your company's id at plenigo. Without it nothing can be bought here."),
        constraint=re.compile("[0-9A-Za-z]{0,40}", re.ASCII).fullmatch,
    )

    sdk_url = line(
        title=_("Address of plenigo's script"),
        description=_("{company_id} stands for the company id."),
        default="https://static.plenigo.com/static_resources/javascript/{company_id}"
        "/plenigo_sdk.min.js",
        constraint=_ADDRESS.fullmatch,
    )

    checkout_url = line(
        title=_("Address of plenigo's checkout"),
        description=_("For plenigo's stage only; otherwise leave it empty."),
        constraint=_ADDRESS.fullmatch,
    )

    offers = schema.List(
        title=_("Offers"),
        description=_(
            "What is sold here, one OFFER_ID or shopping cart a line. |multiple, |net, "
            "|bonus=ID,ID, |variant=ID and |product=ID tax=TYPE currency=EUR may follow."
        ),
        value_type=schema.TextLine(constraint=_OFFER.fullmatch),
        required=False,
        default=[],
        missing_value=[],
    )

    source_parameters = schema.List(
        title=_("Parameters that go along with a purchase"),
        description=_(
            "Names of parameters in the address of the checkout that plenigo is told, beside "
            "utm_source and the like; one a line."
        ),
        value_type=schema.TextLine(
            constraint=re.compile("[0-9A-Za-z_.-]{0,30}", re.ASCII).fullmatch
        ),
        required=False,
        default=[f"upscore_{name}" for name in ("object_id", "offer_id", "click_id", "domain")],
        missing_value=[],
    )

    debug_mode = switch(
        title=_("Debug mode of the checkout"),
        description=_("plenigo tells what went wrong. For plenigo's stage only."),
    )

    members_may_cancel = switch(
        title=_("Members may cancel here"),
        description=_(
            "On, members cancel their subscriptions on this site, and undo that. Off, they do "
            "so on plenigo's own pages."
        ),
        default=True,
    )

    customer_api_url = line(
        title=_("Address of the API for customers"),
        description=_("It is asked with the session of a customer, and is told no token."),
        default="https://customer-api.plenigo.com/api/v1.0",
        constraint=_ADDRESS.fullmatch,
    )

    access_seconds = schema.Int(
        title=_("Remember access for (seconds)"),
        description=_(
            "How long plenigo's answer counts whether a member may read a page. 0 asks for "
            "each page."
        ),
        required=False,
        default=60,
        missing_value=0,
        min=0,
        max=3600,
    )

    access_grace_hours = schema.Int(
        title=_("While plenigo is away, access counts for (hours)"),
        description=_("So long the last answer lets members read; 0 for not at all."),
        required=False,
        default=24,
        missing_value=0,
        min=0,
        max=168,
    )

    login = schema.Choice(
        title=_("Log in with plenigo"),
        description=_(
            "Members whom a purchase has connected with a customer of plenigo are logged in "
            "when they have logged in there."
        ),
        vocabulary=LOGIN,
        default="off",
    )

    login_url = schema.TextLine(
        title=_("Address of the id system"),
        description=_("Its page for logging in. It leads back with a transfer token."),
        required=False,
        default="",
        missing_value="",
        constraint=_ADDRESS.fullmatch,
    )

    apps = schema.List(
        title=_("Apps"),
        description=_(
            "Your apps that may hand in purchases, one apple|BUNDLE_ID or google|PACKAGE_NAME "
            "a line. Without any, in-app purchases are not taken in."
        ),
        value_type=schema.TextLine(constraint=_APP.fullmatch),
        required=False,
        default=[],
        missing_value=[],
    )


class ICleengSettings(IProviderSettings):
    """Settings for Cleeng, in plone.app.registry."""

    # The registry's names are made of it: it never changes.
    __module__ = "niteoweb.click2sell.interfaces"

    signature_header = line(
        title=_("Header with the signature"),
        default="X-Cleeng-Signature",
    )

    signature_encoding = schema.Choice(
        title=_("Encoding of the signature"),
        vocabulary=SIGNATURE_ENCODING,
        default="hex",
    )

    api_url = line(
        title=_("Address of the API"),
        description=_("Changing the address removes the token."),
        default="https://inapp.api.prod.cleeng.com",
    )

    api_token = secret(
        title=_("Token for the API"),
        description=_("Cleeng's publisher token."),
    )


class IStripeSettings(IProviderSettings):
    """Settings for Stripe, in plone.app.registry."""

    # The registry's names are made of it: it never changes.
    __module__ = "niteoweb.click2sell.interfaces"

    # Stripe signs each try anew.
    tolerance = tolerance_(FIVE_MINUTES)

    test_mode = switch(
        title=_("Test mode"),
        description=_(
            "On, only events of Stripe's test mode are taken in, off, only live ones: test "
            "purchases and real ones never mix."
        ),
    )

    api_url = line(
        title=_("Address of the API"),
        description=_("Changing the address removes the token."),
        default="https://api.stripe.com/v1",
    )

    api_token = secret(
        title=_("Token for the API"),
        description=_(
            "A restricted key of Stripe that may read. With it Stripe is asked how a "
            "subscription stands, what was bought and who paid. Without it only what an event "
            "says counts: access goes on after the payment of a subscription was refunded, and "
            "you have to decide about each dispute."
        ),
    )
