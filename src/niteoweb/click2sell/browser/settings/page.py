"""Site Setup: the page around the settings of a payment provider, and the cards of all."""

from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk.checklist import Checklist
from niteoweb.click2sell.browser.desk.ownerpage import BUSY
from niteoweb.click2sell.browser.desk.tabs import Tabbed
from niteoweb.click2sell.browser.settings.controlpanel import CHANGED
from niteoweb.click2sell.browser.settings.controlpanel import SettingsForm
from niteoweb.click2sell.browser.words.formatting import Badge
from niteoweb.click2sell.browser.words.formatting import Link
from niteoweb.click2sell.browser.words.formatting import Moment
from niteoweb.click2sell.browser.words.formatting import moment
from niteoweb.click2sell.interfaces import IPaymentProvider
from niteoweb.click2sell.owner import reconcile
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.report import overview
from niteoweb.click2sell.settings import rules
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from plone.app.registry.browser.controlpanel import ControlPanelFormWrapper
from plone.protect import CheckAuthenticator
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from Products.statusmessages.interfaces import IStatusMessage
from typing import Any
from zope.i18nmessageid import Message


#: Seconds that the page looks for members who would change, at most.
AT_MOST = 1.0


@dataclass(frozen=True)
class Card:
    """A payment provider on the page with the settings.

    :ivar last: when it was heard last, None for never.
    :ivar missing: links to the settings that it cannot be used without.
    :ivar may_switch: whether it is off and can be switched on.
    """

    name: str
    title: str
    url: str
    state: Badge
    last: Moment | None
    missing: list[Link]
    may_switch: bool


class SettingsPage(ControlPanelFormWrapper, Tabbed):
    """The page ``@@PROVIDER-settings``: Plone's control panel, with our tabs and the checklist.

    The ZCML directive ``click2sell:provider`` registers it for each payment provider.
    """

    index = ViewPageTemplateFile("../templates/settings.pt")
    tab = f"{registry.MAIN}-settings"

    def __init__(self, context: Any, request: Any) -> None:
        super().__init__(context, request)
        provider = registry.get(self.__name__.removesuffix("-settings"))
        self.form_instance = SettingsForm(self.context, request, provider)
        self.form_instance.__name__ = self.__name__

    def __call__(self) -> Any:
        name = self.request.form.get("switch_on")
        if self.request.method != "POST" or name is None:
            return super().__call__()
        CheckAuthenticator(self.request)
        try:
            self._switch_on(str(name))
        except transactions.Busy:
            IStatusMessage(self.request).add(BUSY, type="warning")
        return self.request.response.redirect(self.request.getURL())

    def update(self) -> None:
        """Process the form; after that a cure's reader goes back where the cure was."""
        super().update()
        is_over = (
            self.request.response.getStatus() == 302 and not self.form_instance.gives_other
        )
        if is_over and (back := self.way_back()):
            self.request.response.redirect(back)

    def _switch_on(self, name: str) -> None:
        """Switch a provider on, or say why that is not possible."""
        provider = registry.get(name)
        if provider is not None and "enabled" in provider.schema:
            problems = rules.validate({"enabled": True}, provider)
            if not problems:
                writer.run(lambda _site: rules.save({"enabled": True}, provider))
            text = problems[0][1] if problems else _("Changes saved.")
            IStatusMessage(self.request).add(text, type="error" if problems else "info")

    @property
    def title(self) -> Message:
        """The title in the browser's tab."""
        if self.form_instance.is_main:
            return self.form_instance.label
        names = {"provider": self.form_instance.provider.title}
        return _("Settings of ${provider}", mapping=names)

    @property
    def cards(self) -> list[Card]:
        """The payment providers, on the page with the add-on's own settings."""
        if not self.form_instance.is_main:
            return []
        heard = {
            one.name: one.last for one in overview.providers(self.context, timestamps.now())
        }
        return [self._card(one, heard.get(one.name)) for one in registry.registered()]

    def _card(self, provider: IPaymentProvider, last: datetime | None) -> Card:
        on, used = registry.is_enabled(provider), provider in registry.in_use()
        url = f"{self.context.absolute_url()}/@@{provider.name}-settings"
        missing = rules.missing(provider)
        return Card(
            name=provider.name,
            title=provider.title,
            # The form of the main provider is on this page.
            url=f"{url}#section-connection" if provider.name == registry.MAIN else url,
            missing=[
                Link(provider.schema[name].title, f"{url}#formfield-form-widgets-{name}")
                for name in missing
            ],
            state=Badge(_("connected"), "text-bg-success")
            if on and used and not missing
            else Badge(_("not connected"), "text-bg-secondary"),
            last=None if last is None else moment(last),
            may_switch=not on and not missing,
        )

    @property
    def reconcile(self) -> tuple[int, bool, str] | None:
        """After a change of the products: the members whose groups would change.

        :returns: their number, whether there may be more, and the address of the preview; None
            when there is nothing to look at.
        """
        if not self.request.form.get(CHANGED):
            return None
        part = reconcile.part(self.context, seconds=AT_MOST)
        if not part.changes and not part.until:
            return None
        url = f"{self.context.absolute_url()}/@@click2sell-reconcile"
        return len(part.changes), bool(part.until), url

    @property
    def checklist(self) -> Checklist:
        """The checks of the provider, after its settings were saved."""
        checklist = Checklist(self.context, self.request)
        checklist.of_provider = self.form_instance.provider
        return checklist
