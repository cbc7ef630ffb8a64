"""Substitutions for the texts of a content rule: ``${c2s_product}`` and the like."""

from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.contentrules.trigger import IOccasion
from niteoweb.click2sell.interfaces import IAccessEvent
from niteoweb.click2sell.interfaces import IAccessGrantedEvent
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.member import accounts
from plone import api
from plone.stringinterp.adapters import BaseSubstitution
from zope.component import adapter
from zope.i18n import translate


@adapter(IOccasion)
class Substitution(BaseSubstitution):
    """A substitution; :attr:`wrapper` is the occasion.

    :cvar category: heading in Plone's table of substitutions.
    :cvar description: the text beside the name there.
    """

    category = _("Click2Sell")
    description = ""

    @property
    def event(self) -> IAccessEvent:
        """The access that began or ended."""
        return self.wrapper.access_event

    def text(self) -> str:
        """The text that is filled in."""
        raise NotImplementedError

    def safe_call(self) -> str:
        """The text in one line: a line break would end the subject of a mail."""
        return " ".join(self.text().split())


class Product(Substitution):
    """``c2s_product``"""

    description = _("Name of the product, or its id")

    def text(self) -> str:
        """The name that came with the latest notification of the product."""
        event, site = self.event, plone_site.get()
        buyer = buyers.of_user(site, event.user_id)
        entries = [ledger.get(site, key) for key in buyer["keys"]] if buyer is not None else []
        names = [
            (entry["occurred_at"], entry["product_name"])
            for entry in entries
            if history.product(entry) == (event.provider, event.product_id)
            and entry["product_name"]
        ]
        return max(names)[1] if names else event.product_id


class ProductId(Substitution):
    """``c2s_product_id``"""

    description = _("Id of the product")

    def text(self) -> str:
        return self.event.product_id


class Provider(Substitution):
    """``c2s_provider``"""

    description = _("Provider of the product")

    def text(self) -> str:
        return self.event.provider


class Groups(Substitution):
    """``c2s_groups``"""

    description = _("Groups that were given or taken")

    def text(self) -> str:
        """Ids of the groups."""
        return ", ".join(sorted(self.event.groups))


class Until(Substitution):
    """``c2s_until``"""

    description = _("Day on which access ends or ended")

    def text(self) -> str:
        """The day in the time zone and the main language of the site."""
        if self.event.until is not None:
            return plone_site.local_time(self.event.until, long=False)
        if IAccessGrantedEvent.providedBy(self.event):
            return translate(_("no end"), target_language=api.portal.get_default_language())
        return ""


class UserId(Substitution):
    """``c2s_user_id``"""

    description = _("User id of the member")

    def text(self) -> str:
        return self.event.user_id


class Login(Substitution):
    """``c2s_login``"""

    description = _("Login name of the member")

    def text(self) -> str:
        return accounts.login_name(self.event.user_id)


class Email(Substitution):
    """``c2s_email``"""

    description = _("E-mail address of the member")

    def text(self) -> str:
        return accounts.fields(self.event.user_id, ("email",))["email"] or ""


class FullName(Substitution):
    """``c2s_fullname``"""

    description = _("Full name of the member, or the e-mail address")

    def text(self) -> str:
        fields = accounts.fields(self.event.user_id, ("fullname", "email"))
        return fields["fullname"] or fields["email"] or ""
