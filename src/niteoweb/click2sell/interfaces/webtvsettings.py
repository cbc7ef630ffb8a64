"""Settings of the store of a WS.WebTV."""

from niteoweb.click2sell import _
from niteoweb.click2sell.interfaces.fields import fits
from niteoweb.click2sell.interfaces.fields import line
from niteoweb.click2sell.interfaces.fields import lines
from niteoweb.click2sell.interfaces.fields import number
from niteoweb.click2sell.interfaces.fields import secret
from niteoweb.click2sell.interfaces.fields import switch
from niteoweb.click2sell.interfaces.providersettings import IProviderBasics


#: An id of a product in the store, an amount of money, an address with placeholders.
_STORE_ID, _AMOUNT = r"\d{1,10}", r"\d{1,9}(\.\d{1,8})?"
_URL = r"https?://[^\s/|{}@]+(/([^\s|{}]|\{(id|amount|currency|order|sku|back)\})*)?"


class IWebTVSettings(IProviderBasics):
    """Settings for the store of a WS.WebTV, in plone.app.registry."""

    # The registry's names are made of it: it never changes.
    __module__ = "niteoweb.click2sell.interfaces"

    enabled = switch(
        title=_("Ask the store"),
        description=_(
            "While this is off, the store is not asked. Once it is on, every user of the store "
            "with a subscription becomes a member: look first at the number of new accounts in "
            "an hour and at the welcome mail. Buyers keep what they paid for."
        ),
    )

    secretkey = secret(
        title=_("Secret key"),
        description=_(
            "The Key of the External Payment Processor in your store. It is needed only if "
            "this site has orders of the store paid."
        ),
    )

    api_url = line(
        title=_("Address of the API"),
        description=_(
            "The address of your WebTV with /api.php at its end. Another address clears the "
            "shared secret: it is never sent elsewhere."
        ),
        constraint=fits(
            r"https?://\S+/api\.php", _("This has to be an address that ends with /api.php.")
        ),
    )

    api_key_id = line(
        title=_("Key ID"),
        description=_("Of the credential for the API that you made in your WebTV."),
        constraint=fits(r"[\w.-]{1,100}", _("Letters, digits and the characters . _ - only.")),
    )

    api_token = secret(
        title=_("Token for the API"),
        description=_("The shared secret of that credential."),
    )

    currency = line(
        title=_("Currency of the store"),
        description=_("Three capital letters. Without it nothing is sold."),
        constraint=fits("[A-Z]{3}", _("Three capital letters, such as EUR.")),
    )

    sync_calls = number(
        title=_("Maximum number of questions to the store in an automatic check"),
        description=_("0: an automatic check asks nothing."),
        default=300,
        missing_value=0,
        min=0,
        max=5000,
    )

    check_hours = number(
        title=_("Hours after which a user of the store is asked about again"),
        description=_("At an end of access the store is asked sooner."),
        default=24,
        min=1,
        max=168,
    )

    make_users = switch(
        title=_("Create users in the store"),
        description=_("For a buyer who has none there when something is sold."),
    )

    order_hours = number(
        title=_("Hours after which an order that is not paid is cancelled"),
        description=_("Only orders that this site has placed."),
        default=24,
        min=1,
        max=720,
    )

    fulfil = lines(
        title=_("Payments that become orders"),
        description=_(
            "One PROVIDER|PRODUCT_ID|STORE_PRODUCT_ID per line: who pays for the product at "
            "the other provider gets the product of the store."
        ),
        constraint=fits(
            rf"(?!webtv\|)[a-z][a-z0-9]*\|[^|\s]{{1,100}}\|{_STORE_ID}",
            _("This has to be PROVIDER|PRODUCT_ID|STORE_PRODUCT_ID: ${line}"),
        ),
    )

    pay_urls = lines(
        title=_("Pages where orders of the store are paid"),
        description=_(
            "*|https://… for orders without subscriptions, SKU|AMOUNT|COUNT PERIOD|https://… "
            "for each subscription, such as SUB-12|10.00|1 MONTH|https://pay.example.org/{id}. "
            "What the store asks for has to agree with the line. Placeholders: {id}, {amount}, "
            "{currency}, {order}, {sku} and {back}."
        ),
        constraint=fits(
            rf"(\*|[^|\s]{{1,100}}\|{_AMOUNT}\|[1-9]\d{{0,2}} (DAY|WEEK|MONTH|YEAR))\|{_URL}",
            _("This has to be *|https://… or SKU|AMOUNT|COUNT PERIOD|https://…: ${line}"),
        ),
    )

    return_script = line(
        title=_("Page of the WebTV that buyers return to"),
        description=_("index.php or payment.php; empty for a WebTV with friendly URLs."),
        default="index.php",
        constraint=fits(r"(index|payment)\.php", _("index.php, payment.php, or nothing.")),
    )

    payment_fields = line(
        title=_("Fields of a payment that is told to the store"),
        description=_(
            "NAME=VALUE, joined with &. Placeholders: {method}, {amount}, {transaction} and "
            "{description}. The store's own documents do not name them."
        ),
        default="paymentMethodID={method}&amount={amount}&transactionID={transaction}"
        "&description={description}",
        constraint=fits(
            r"\w+=([^&{}=]|\{(method|amount|transaction|description)\})*"
            r"(&\w+=([^&{}=]|\{(method|amount|transaction|description)\})*)*",
            _("This has to be NAME=VALUE, joined with &."),
        ),
    )
