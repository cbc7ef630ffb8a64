"""Substitutions for the texts of a content rule: ``${c2s_product}`` and the like."""

from collections.abc import Callable
from datetime import timedelta
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.contentrules.trigger import IOccasion
from niteoweb.click2sell.interfaces import IAccessEvent
from niteoweb.click2sell.interfaces import IAccessGrantedEvent
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.settings import orderlinks
from plone import api
from plone.stringinterp.adapters import BaseSubstitution
from zope.component import adapter
from zope.component import named
from zope.i18n import translate
from zope.i18nmessageid import Message


Text = Callable[[IAccessEvent], str]


@adapter(IOccasion)
class Substitution(BaseSubstitution):
    """A substitution; :attr:`wrapper` is the occasion.

    :cvar category: heading in Plone's table of substitutions.
    :cvar description: the text beside the name there.
    :cvar text: the text that is filled in, for the access that began or ended.
    """

    category = _("Click2Sell")
    description: Message
    text: Text

    def safe_call(self) -> str:
        """The text in one line: a line break would end the subject of a mail."""
        return " ".join(self.text(self.wrapper.access_event).split())


def substitution(name: str, description: Message) -> Callable[[Text], type[Substitution]]:
    """Turn a function that fills in a text into a substitution."""

    def of(text: Text) -> type[Substitution]:
        members = {"description": description, "text": staticmethod(text)}
        return named(name)(type(name, (Substitution,), members))

    return of


@substitution("c2s_product", _("Name of the product, or its id"))
def product(event: IAccessEvent) -> str:
    """The owner's title, else the name in the latest notification of the product."""
    site = plone_site.get()
    buyer = buyers.of_user(site, event.user_id)
    return history.title(site, buyer, (event.provider, event.product_id))


@substitution("c2s_groups", _("Groups that were given or taken"))
def groups(event: IAccessEvent) -> str:
    """Ids of the groups."""
    return ", ".join(sorted(event.groups))


@substitution("c2s_until", _("Day on which access ends or ended"))
def until(event: IAccessEvent) -> str:
    """The day in the time zone and the main language of the site."""
    if event.until is not None:
        return plone_site.mailed_time(event.until, long=False)
    if IAccessGrantedEvent.providedBy(event):
        return translate(_("no end"), target_language=api.portal.get_default_language())
    return ""


@substitution("c2s_days", _("Days until access ends"))
def days(event: IAccessEvent) -> str:
    """The days that are left, rounded up; 0 for an end that is over."""
    left = event.until - timestamps.now() if event.until is not None else None
    return "" if left is None else str(max(0, -(-left // timedelta(days=1))))


@substitution("c2s_order_url", _("Address to renew or order the product at"))
def order_url(event: IAccessEvent) -> str:
    """The order page of the product, "" for none."""
    return orderlinks.absolute(event.provider, event.product_id)


@substitution("c2s_email", _("E-mail address of the member"))
def email(event: IAccessEvent) -> str:
    """The address that the account has now."""
    return accounts.text(event.user_id, "email")


@substitution("c2s_fullname", _("Full name of the member, or the e-mail address"))
def fullname(event: IAccessEvent) -> str:
    """The full name, or the address of an account without one."""
    return accounts.text(event.user_id, "fullname") or email.text(event)


product_id = substitution("c2s_product_id", _("Id of the product"))(lambda e: e.product_id)
provider = substitution("c2s_provider", _("Provider of the product"))(lambda e: e.provider)
user_id = substitution("c2s_user_id", _("User id of the member"))(lambda e: e.user_id)
login = substitution("c2s_login", _("Login name of the member"))(
    lambda event: accounts.login_name(event.user_id)
)
