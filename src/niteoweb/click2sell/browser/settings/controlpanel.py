"""Site Setup: the settings, a form for each payment provider.

The form of Click2Sell has the settings of the add-on as a whole, too.
"""

from html import escape
from niteoweb.click2sell import _
from niteoweb.click2sell import site
from niteoweb.click2sell.browser.desk.checklist import Checklist
from niteoweb.click2sell.browser.desk.ownerpage import ask_to_try_later
from niteoweb.click2sell.browser.desk.ownerpage import BUSY
from niteoweb.click2sell.browser.desk.tabs import Tabbed
from niteoweb.click2sell.browser.settings import widgets
from niteoweb.click2sell.browser.words.formatting import Link
from niteoweb.click2sell.interfaces import IPaymentProvider
from niteoweb.click2sell.interfaces import ISecretKeyActions
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.settings import ownaddress
from niteoweb.click2sell.settings import rules
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from plone.app.registry.browser.controlpanel import ControlPanelFormWrapper
from plone.app.registry.browser.controlpanel import RegistryEditForm
from plone.app.z3cform.widgets.radio import RadioFieldWidget
from plone.autoform.widgets import ParameterizedWidget
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from Products.statusmessages.interfaces import IStatusMessage
from typing import Any
from z3c.form.error import MultipleErrors
from z3c.form.field import Fields
from z3c.form.interfaces import IErrorViewSnippet
from zope.component import getMultiAdapter
from zope.i18nmessageid import Message
from zope.interface import Invalid
from zope.interface.interfaces import IInterface


#: The widgets of the fields that have another than the usual one.
WIDGETS = {
    **dict.fromkeys(rules.QUESTIONS, ParameterizedWidget(widgets.SecretWidget)),
    "mapping": ParameterizedWidget(widgets.MappingWidget, rows=8),
    "welcome_mail": RadioFieldWidget,
    "welcome_text": ParameterizedWidget(rows=12),
    **dict.fromkeys(rules.LISTS, ParameterizedWidget(widgets.MappingWidget, rows=3)),
}


class SettingsForm(RegistryEditForm):
    """Edits the settings of a payment provider.

    :ivar typed: the secrets that were typed, by the names of their widgets.
    """

    enableCSRFProtection = True

    def __init__(self, context: Any, request: Any, provider: IPaymentProvider) -> None:
        super().__init__(context, request)
        self.provider, self.label = provider, provider.title
        # Taken out before anything can fail: errors are logged with the form, for Managers to
        # read.
        names = [f"{self.prefix}widgets.{name}" for name in rules.QUESTIONS]
        self.typed = {name: request.form.pop(name) for name in names if name in request.form}

    @property
    def id(self) -> str:
        """The id of the form on the page."""
        return f"{self.provider.name}-settings"

    @property
    def schema(self) -> IInterface:
        """The interface of the provider's settings."""
        return self.provider.schema

    @property
    def description(self) -> Message:
        """The purpose of the page; the layout inserts it as markup."""
        if self.provider.name != registry.MAIN:
            return _(
                "Notifications of ${provider} are taken in at ${address}.",
                mapping={
                    "provider": escape(self.provider.title),
                    "address": '<code class="text-break">'
                    f"{escape(effective.callback_address(self.provider))}</code>",
                },
            )
        here = self.context.absolute_url()
        reconcile = Link(_("reconcile all members"), f"{here}/@@click2sell-reconcile")
        others = (
            Link(other.title, f"{here}/@@{other.name}-settings").__html__()
            for other in registry.registered()
            if other is not self.provider
        )
        return _(
            "Buyers become members of this site. After a change of products and groups, "
            "${reconcile}. Other payment providers: ${providers}.",
            mapping={
                "reconcile": reconcile.__html__(),
                "providers": ", ".join(others),
            },
        )

    def update(self) -> None:
        """Process the form; on a copy of the site also say that it is one."""
        try:
            super().update()
        except transactions.Busy:
            IStatusMessage(self.request).add(BUSY, type="warning")
            ask_to_try_later(self.request)
        # The page that it leads to says so after a save.
        if self.request.response.getStatus() != 302 and site.is_copy():
            IStatusMessage(self.request).add(
                _(
                    "This is a copy of the site: nothing is mailed and no access is ended "
                    "here. If it is the site itself, the checklist tells what to do.",
                ),
                type="warning",
            )

    def updateFields(self) -> None:
        """Give fields their widgets, and offer to remove the key when there is one."""
        super().updateFields()
        for name, widget in WIDGETS.items():
            if name in self.fields:
                self.fields[name].widgetFactory = widget
        for name in self._secrets:
            # Not even the widget gets to know the key.
            self.fields[name].ignoreContext = True
        if "buyers_group" in self.fields:
            # z3c.form takes an empty value for none and shows the default: the next save would
            # bring back the group that the owner has switched off.
            self.fields["buyers_group"].showDefault = False
        stored, names = registry.settings(self.provider), []
        for name in self.fields:
            names.append(name)
            if name in self._secrets and getattr(stored, name):
                names += rules.QUESTIONS[name]
        actions = Fields(ISecretKeyActions, ignoreContext=True)
        self.fields = (self.fields + actions).select(*names)

    def extractData(
        self,
        setErrors: bool = True,
    ) -> tuple[dict[str, Any], tuple]:
        """Read the submitted values, normalize them, and look for mistakes.

        :param setErrors: also show the mistakes at their fields.
        :returns: values by name, and a view for each mistake.
        """
        values, errors = super().extractData(setErrors)
        values = rules.normalize(values)
        if values.get("site_address") == "":
            values["site_address"] = ownaddress.requested()
        messages: dict[str, list[Message]] = {}
        for name, message in rules.validate(values, self.provider):
            if self.widgets[name].error is None:
                messages.setdefault(name, []).append(message)
        errors += tuple(self._error(name, texts) for name, texts in messages.items())
        if setErrors:
            self.widgets.errors = errors
        return values, errors

    @property
    def _secrets(self) -> list[str]:
        return rules.secrets(self.provider)

    def applyChanges(self, data: dict[str, Any]) -> None:
        """Save values in which no mistake was found.

        Plone has checked the token before it calls this.
        """
        writer.run(lambda _site: rules.save(data, self.provider))

    def _error(self, name: str, messages: list[Message]) -> IErrorViewSnippet:
        """Show messages at a field, each in a line of its own."""
        widget = self.widgets[name]
        views = [self._view(Invalid(message), widget) for message in messages]
        widget.error = (
            views[0] if len(views) == 1 else self._view(MultipleErrors(views), widget)
        )
        return widget.error

    def _view(self, error: Exception, widget: Any) -> IErrorViewSnippet:
        view = getMultiAdapter(
            (error, self.request, widget, widget.field, self, self.getContent()),
            IErrorViewSnippet,
        )
        view.update()
        return view


class SettingsPage(ControlPanelFormWrapper, Tabbed):
    """The page ``@@PROVIDER-settings``: Plone's control panel, with our tabs and the checklist.

    The ZCML directive ``click2sell:provider`` registers it for each payment provider.
    """

    tab = "click2sell-settings"
    index = ViewPageTemplateFile("../templates/settings.pt")

    def __init__(self, context: Any, request: Any) -> None:
        super().__init__(context, request)
        provider = registry.get(self.__name__.removesuffix("-settings"))
        self.form_instance = SettingsForm(self.context, request, provider)
        self.form_instance.__name__ = self.__name__

    @property
    def checklist(self) -> Checklist:
        """The checklist, after the settings were saved.

        The page with the add-on's own settings shows all checks, the page of another provider
        only the checks of that provider.
        """
        checklist, provider = Checklist(self.context, self.request), self.form_instance.provider
        checklist.prepare(provider=None if provider.name == registry.MAIN else provider)
        return checklist
