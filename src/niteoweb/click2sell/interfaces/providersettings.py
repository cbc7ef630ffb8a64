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


#: Seconds. plenigo delivers for the last time 24 hours after the first, and clocks differ.
TWO_DAYS = 2 * 24 * 60 * 60
FIVE_MINUTES = 5 * 60

SIGNATURE_ENCODING = SimpleVocabulary(
    [
        SimpleTerm("hex", title=_("Hexadecimal")),
        SimpleTerm("base64", title=_("Base64")),
    ]
)


class IProviderBasics(Interface):
    """Settings that all of these providers have; each extends this interface."""

    enabled = switch(
        title=_("Accept notifications from this provider"),
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
            "One PRODUCT_ID|GROUP_ID per line: anyone who buys the product joins the group. "
            "|DAYS of access, |exclusive, |title= and |order= may follow; an end that the "
            "provider states comes first."
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
            "If on, only events of Stripe's test mode are accepted; if off, only live ones. "
            "Test purchases and real ones never mix."
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
