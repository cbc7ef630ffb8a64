"""Settings of plenigo."""

from niteoweb.click2sell import _
from niteoweb.click2sell.interfaces.fields import fits
from niteoweb.click2sell.interfaces.fields import line
from niteoweb.click2sell.interfaces.fields import lines
from niteoweb.click2sell.interfaces.fields import number
from niteoweb.click2sell.interfaces.fields import secret
from niteoweb.click2sell.interfaces.fields import switch
from niteoweb.click2sell.interfaces.providersettings import IProviderSettings
from zope import schema
from zope.schema.vocabulary import SimpleTerm
from zope.schema.vocabulary import SimpleVocabulary


#: A line of the offers, as :mod:`niteoweb.click2sell.providers.plenigo.offers` reads it.
_OFFER = (
    r"[A-Z]{1,2}_[0-9A-Za-z]{1,18}"
    r"(\|(multiple|net|bonus=[0-9A-Za-z_,]+|variant=[0-9A-Za-z-]{2,30}"
    r"|product=P_[0-9A-Za-z]{1,18} +tax=[A-Z0-9_]{1,50} +currency=[A-Z]{3}))*"
)

#: An address that a page loads something from: of https, or of this machine for tests.
_address = fits(
    r"https://[^\s\"'<>\\?#@]+|http://(127\.0\.0\.1|localhost)(:[0-9]+)?(/[^\s\"'<>\\?#@]*)?",
    _("This has to be an address that begins with https."),
)

#: Ways of logging in with plenigo.
LOGIN = SimpleVocabulary(
    [
        SimpleTerm("off", title=_("Off")),
        SimpleTerm("id-system", title=_("With an id system")),
        SimpleTerm("plenigo", title=_("With plenigo's own login")),
    ]
)


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
        description=_(
            "Your company's id at plenigo. Without it nothing can be bought here. Changing it "
            "removes the company's secret."
        ),
        constraint=fits("[0-9A-Za-z]{1,40}", _("Letters and digits only.")),
    )

    sdk_url = line(
        title=_("Address of plenigo's script"),
        description=_("{company_id} stands for the company id."),
        default="https://static.plenigo.com/static_resources/javascript/{company_id}"
        "/plenigo_sdk.min.js",
        constraint=_address,
    )

    checkout_url = line(
        title=_("Address of plenigo's checkout"),
        description=_("For plenigo's stage only; otherwise leave it empty."),
        constraint=_address,
    )

    offers = lines(
        title=_("Offers"),
        description=_(
            "What is sold here, one OFFER_ID or shopping cart per line. |multiple, |net, "
            "|bonus=ID,ID, |variant=ID and |product=ID tax=TYPE currency=EUR may follow."
        ),
        constraint=fits(_OFFER, _("This has to be an OFFER_ID with its options: ${line}")),
    )

    source_parameters = lines(
        title=_("Parameters that go along with a purchase"),
        description=_(
            "Names of parameters in the address of the checkout that plenigo is told, beside "
            "utm_source and the like; one per line."
        ),
        default=[f"upscore_{name}" for name in ("object_id", "offer_id", "click_id", "domain")],
        constraint=fits(r"[\w.-]{1,30}", _("Letters, digits and the characters . _ - only.")),
    )

    debug_mode = switch(
        title=_("Debug mode of the checkout"),
        description=_("plenigo tells what went wrong. For plenigo's stage only."),
    )

    members_may_cancel = switch(
        title=_("Members may cancel here"),
        description=_(
            "When this is on, members can cancel their subscriptions on this site and undo the "
            "cancellation. When it is off, they do so on plenigo's own pages."
        ),
        default=True,
    )

    customer_api_url = line(
        title=_("Address of the API for customers"),
        description=_("It is asked with the customer's session and is not sent a token."),
        default="https://customer-api.plenigo.com/api/v1.0",
        constraint=_address,
    )

    access_seconds = number(
        title=_("Remember access for (seconds)"),
        description=_(
            "How long plenigo's answer about whether a member may read a page remains valid. "
            "With 0, plenigo is asked for every page."
        ),
        default=60,
        missing_value=0,
        min=0,
        max=3600,
    )

    access_grace_hours = number(
        title=_("While plenigo is away, access counts for (hours)"),
        description=_(
            "How long members may go on reading on the basis of plenigo's last answer. 0: not "
            "at all."
        ),
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

    login_url = line(
        title=_("Address of the id system"),
        description=_("Its page for logging in. It leads back with a transfer token."),
        constraint=_address,
    )

    client_secret = secret(
        title=_("Company's secret"),
        description=_(
            "Only for plenigo's older login by OAuth2: with it an access code is exchanged for "
            "a reader's profile. Without it no access code is taken."
        ),
    )

    apps = lines(
        title=_("Apps"),
        description=_(
            "Your apps that may hand in purchases, one apple|BUNDLE_ID or google|PACKAGE_NAME "
            "per line. Without any, in-app purchases are not taken in."
        ),
        constraint=fits(
            r"(apple|google)\|[\w.-]{1,100}",
            _("This has to be apple|BUNDLE_ID or google|PACKAGE_NAME: ${line}"),
        ),
    )
