"""Widgets of the settings form: for the secret keys, and for the mapping."""

from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.settings import apitoken
from niteoweb.click2sell.settings import secretkeys
from plone.app.z3cform.interfaces import IPasswordWidget
from plone.app.z3cform.interfaces import ITextLinesWidget
from plone.app.z3cform.widgets.password import PasswordWidget
from plone.app.z3cform.widgets.text import TextLinesWidget
from zope.interface import implementer_only


class ISecretKeyWidget(IPasswordWidget):
    """Takes a secret key, never shows one."""


@implementer_only(ISecretKeyWidget)
class SecretKeyWidget(PasswordWidget):
    """An input that is always rendered empty, and a word on whether a key is set.

    The stock widget renders the stored key, and the one just typed when another field is
    faulty; this one's template has no value at all.
    """

    klass = "secretkey-widget"

    @property
    def notice(self) -> secretkeys.Notice | None:
        """The notice about the key; None for none."""
        return secretkeys.notice(plone_site.get(), self.form.provider)

    def moment(self, notice: secretkeys.Notice) -> formatting.Moment | None:
        """When the key was used the last time."""
        return formatting.moment(notice.last_used) if notice.last_used else None


class PreviousSecretKeyWidget(SecretKeyWidget):
    """The widget of the previous key."""

    @property
    def notice(self) -> secretkeys.Notice | None:
        return secretkeys.previous_notice(plone_site.get(), self.form.provider)


class TokenWidget(SecretKeyWidget):
    """The widget of the token of a provider's API."""

    @property
    def notice(self) -> secretkeys.Notice | None:
        if not apitoken.is_set(self.form.provider):
            return None
        text = _("A token is set. Leave this field blank to keep it.")
        return secretkeys.Notice("info", text, is_set=False)


class IMappingWidget(ITextLinesWidget):
    """Takes lines, and gives them back as they were typed."""


@implementer_only(IMappingWidget)
class MappingWidget(TextLinesWidget):
    """A text area of which the line numbers can be trusted.

    The stock widget renders its value as markup, so that a line of one owner could run a
    script in the browser of another, and it loses a blank first line at every save.
    """

    klass = "mapping-widget font-monospace"

    @property
    def text(self) -> str:
        """The lines; a browser drops the first line break after the opening tag."""
        return "\n" + (self.value or "")
