"""Widgets of the settings form: for the secrets, and for the mapping."""

from functools import partial
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.settings import apitoken
from niteoweb.click2sell.settings import secretkeys
from plone.app.z3cform.interfaces import IPasswordWidget
from plone.app.z3cform.interfaces import ITextLinesWidget
from plone.app.z3cform.widgets.password import PasswordWidget
from plone.app.z3cform.widgets.text import TextLinesWidget
from typing import Any
from z3c.form.interfaces import NO_VALUE
from zope.interface import implementer_only


#: The notices to the owner about the secrets, by the names of their fields.
NOTICES = {
    "secretkey": secretkeys.notice,
    "previous_secretkey": secretkeys.previous_notice,
    **{name: partial(apitoken.notice, name=name) for name in apitoken.SENT},
}


class ISecretWidget(IPasswordWidget):
    """Takes a secret, never shows one."""


@implementer_only(ISecretWidget)
class SecretWidget(PasswordWidget):
    """An input that is always rendered empty, and a notice on whether the secret is set.

    The stock widget renders the stored secret, and the one just typed when another field is
    faulty; the template of this one has no value at all.
    """

    klass = "secretkey-widget"

    def extract(self, default: Any = NO_VALUE) -> Any:
        """The secret that was typed; the form has taken it out of the request."""
        return self.form.typed.get(self.name, default)

    @property
    def lost(self) -> bool:
        """Whether a secret was typed that was not saved, and has to be typed again."""
        return bool(self.form.typed.get(self.name)) and bool(self.form.widgets.errors)

    @property
    def notice(self) -> secretkeys.Notice | None:
        """The notice about the secret; None for none."""
        provider, name = self.form.provider, self.field.__name__
        # A provider that is asked may do without a secret key.
        if name == "secretkey" and provider.poll and not secretkeys.is_set(provider):
            return None
        return NOTICES[name](plone_site.get(), provider)

    def moment(self, notice: secretkeys.Notice) -> formatting.Moment | None:
        """The time when the key was used last."""
        return formatting.moment(notice.last_used) if notice.last_used else None


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
