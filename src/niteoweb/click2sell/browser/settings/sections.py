"""The sections of the settings form: which setting stands where, and the page that explains it.

A setting that is named nowhere here stands in the section of its provider's own settings:
*Connection*, or *Safety* for those of the add-on as a whole.
"""

from dataclasses import dataclass
from niteoweb.click2sell import _
from niteoweb.click2sell.provider import registry
from zope.i18nmessageid import Message


#: The address of this documentation.
DOCUMENTATION = "https://niteowebclick2sell.readthedocs.io/en/latest/"

CONNECTION, PRODUCTS, MAIL, SAFETY = "connection", "products", "mail", "safety"
#: Of plenigo, whose settings are many.
SELLING, PAYWALL, LOGIN, APPS = "selling", "paywall", "login", "apps"

#: The settings of secret keys that matter only while a key is changed.
ROTATION = (
    *("secretkey_keep_old", "secretkey_clear"),
    *("previous_secretkey", "previous_secretkey_clear"),
)

_FIELDS = {
    **dict.fromkeys(("enabled", "secretkey", *ROTATION), CONNECTION),
    **dict.fromkeys(("api_url", "api_token", "api_token_clear", "site_address"), CONNECTION),
    **dict.fromkeys(("mapping", "buyers_group", "grace_days"), PRODUCTS),
    **dict.fromkeys(("sdk_url", "checkout_url", "offers", "source_parameters"), SELLING),
    **dict.fromkeys(("debug_mode", "members_may_cancel"), SELLING),
    **dict.fromkeys(("customer_api_url", "access_seconds", "access_grace_hours"), PAYWALL),
    **dict.fromkeys(("login", "login_url", "client_secret", "client_secret_clear"), LOGIN),
    "apps": APPS,
    **dict.fromkeys(("alert_addresses", "daily_mail"), MAIL),
    "tolerance": SAFETY,
}
#: The beginnings and ends of the names of settings about mail.
_MAIL = ("welcome_", "notice_", "reminder_", "_mail")


@dataclass(frozen=True)
class Section:
    """A section of the settings.

    :ivar page: of the documentation, with an anchor.
    :ivar folded: whether it is closed at first.
    """

    name: str
    title: Message
    page: str
    folded: bool = False

    @property
    def help(self) -> str:
        """The address of its documentation."""
        return f"{DOCUMENTATION}{self.page}"


SECTIONS = (
    Section(CONNECTION, _("Connection"), "providers.html"),
    Section(PRODUCTS, _("Products"), "configuration.html#mapping"),
    Section(SELLING, _("Selling"), "providers.html#plenigo-selling"),
    Section(PAYWALL, _("Paywall"), "plenigo.html#plenigo-paywall"),
    Section(LOGIN, _("Login"), "plenigo.html#plenigo-login"),
    Section(APPS, _("Apps"), "plenigo.html#plenigo-apps"),
    Section(MAIL, _("Mail"), "configuration.html#welcome-mail"),
    Section(SAFETY, _("Safety"), "operation.html", folded=True),
)


def section(field: str, provider: str) -> str:
    """The name of the section that a setting stands in."""
    if field in _FIELDS:
        return _FIELDS[field]
    if field.startswith(_MAIL) or field.endswith(_MAIL):
        return MAIL
    return SAFETY if provider == registry.MAIN else CONNECTION
