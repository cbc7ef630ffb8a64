"""Site Setup: the settings, a form for each payment provider.

The form of Click2Sell has the settings of the add-on as a whole, too.
"""

from html import escape
from niteoweb.click2sell import _
from niteoweb.click2sell import site
from niteoweb.click2sell.browser.desk import cures
from niteoweb.click2sell.browser.desk.ownerpage import ask_to_try_later
from niteoweb.click2sell.browser.desk.ownerpage import BUSY
from niteoweb.click2sell.browser.desk.tabs import Tabbed
from niteoweb.click2sell.browser.settings import sections
from niteoweb.click2sell.browser.settings import widgets
from niteoweb.click2sell.browser.settings.producttable import missing_groups
from niteoweb.click2sell.browser.settings.producttable import ProductTable
from niteoweb.click2sell.interfaces import IPaymentProvider
from niteoweb.click2sell.interfaces import ISecretKeyActions
from niteoweb.click2sell.member import group
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.settings import ownaddress
from niteoweb.click2sell.settings import rules
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from plone.app.registry.browser.controlpanel import RegistryEditForm
from plone.app.z3cform.widgets.radio import RadioFieldWidget
from plone.autoform.widgets import ParameterizedWidget
from plone.protect import CheckAuthenticator
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


#: The parameter of the page after products were changed.
CHANGED = "products_changed"
#: The widgets of the fields that have another than the usual one.
WIDGETS = {
    **dict.fromkeys(rules.QUESTIONS, ParameterizedWidget(widgets.SecretWidget)),
    "mapping": ParameterizedWidget(ProductTable, rows=8),
    "welcome_mail": RadioFieldWidget,
    "welcome_text": ParameterizedWidget(rows=12),
    **dict.fromkeys(rules.LISTS, ParameterizedWidget(widgets.MappingWidget, rows=3)),
}


class Part:
    """A section of the form.

    :ivar widgets: its fields but for those of :data:`~.sections.ROTATION`, the ``rotation``.
    :ivar address: the one that the provider has to be told, "" for none.
    """

    def __init__(
        self, section: sections.Section, fields: list[Any], provider: IPaymentProvider
    ) -> None:
        self.name, self.title, self.help = section.name, section.title, section.help
        self.rotation = [one for one in fields if one.field.__name__ in sections.ROTATION]
        self.widgets = [one for one in fields if one not in self.rotation]
        self.open = not section.folded or any(one.error for one in fields)
        self.rotating = any(
            one.error or one.field.__name__ == "previous_secretkey" for one in self.rotation
        )
        shown = section.name == sections.CONNECTION
        self.address = effective.callback_address(provider) if shown else ""


class SettingsForm(RegistryEditForm):
    """Edits the settings of a payment provider.

    :ivar is_main: whether it edits the settings of the add-on as a whole, too.
    :ivar typed: the secrets that were typed, by the names of their widgets.
    :ivar gives_other: whether products give other groups than before the form was saved.
    """

    enableCSRFProtection = True
    gives_other = False
    copy_label, copied_label = Tabbed.copy_label, Tabbed.copied_label
    shared = ViewPageTemplateFile("../templates/shared.pt")
    template = ViewPageTemplateFile("../templates/settingsform.pt")

    def __init__(self, context: Any, request: Any, provider: IPaymentProvider) -> None:
        super().__init__(context, request)
        self.provider = provider
        self.is_main = provider.name == registry.MAIN
        self.label = _("Settings") if self.is_main else provider.title
        # Taken out before anything can fail: errors are logged with the form, for Managers to
        # read.
        names = [f"{self.prefix}widgets.{name}" for name in rules.QUESTIONS]
        self.typed = {name: request.form.pop(name) for name in names if name in request.form}
        # A button beside a missing group, which saves, too.
        self.wanted = request.form.pop(f"{self.prefix}widgets.mapping.create", None)
        if self.wanted:
            request.form[f"{self.prefix}buttons.save"] = "1"

    @property
    def enable_autofocus(self) -> bool:
        """Whether a field gets the focus: one with an error does, and no other."""
        return bool(self.widgets.errors)

    @property
    def action(self) -> str:
        """Address of the form, with the page to go back to."""
        url, back = self.request.getURL(), cures.came_from(self.request.form)
        return f"{url}?{cures.BACK}={back}" if back else url

    @property
    def parts(self) -> list[Part]:
        """The sections of the form that have settings."""
        widgets: dict[str, list[Any]] = {section.name: [] for section in sections.SECTIONS}
        for name, widget in self.widgets.items():
            widgets[sections.section(name, self.provider.name)].append(widget)
        return [
            Part(section, widgets[section.name], self.provider)
            for section in sections.SECTIONS
            if widgets[section.name]
        ]

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
        if self.is_main:
            return _(
                "Anyone who buys a product automatically gets an account on this site, in the "
                "groups of the product."
            )
        return _(
            "Anyone who buys at ${provider} automatically gets an account on this site, in the "
            "groups of the product.",
            mapping={"provider": escape(self.provider.title)},
        )

    def update(self) -> None:
        """Process the form; on a copy of the site also say that it is one."""
        try:
            super().update()
        except transactions.Busy:
            IStatusMessage(self.request).add(BUSY, type="warning")
            ask_to_try_later(self.request)
        if self.gives_other:
            self.request.response.redirect(f"{self.request.getURL()}?{CHANGED}=1")
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
            elif name == "previous_secretkey":
                # There is one only while the key is changed, which fills it in.
                names.remove(name)
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
        if setErrors:
            self._create_groups(values.get("mapping") or [])
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

    def _create_groups(self, lines: list[str]) -> None:
        """Create the groups that somebody wants, and that are missing."""
        wanted = {self.wanted, *self.widgets["mapping"].new_groups}
        missing = [one for one in missing_groups(lines) if one in wanted]
        if missing:
            CheckAuthenticator(self.request)
            writer.run(lambda _site: [group.make(one, one) for one in missing])

    @property
    def _secrets(self) -> list[str]:
        return rules.secrets(self.provider)

    def applyChanges(self, data: dict[str, Any]) -> None:
        """Save values in which no mistake was found.

        Plone has checked the token before it calls this.
        """
        self.gives_other = writer.run(lambda _site: self._save(data))

    def _save(self, data: dict[str, Any]) -> bool:
        """Save values, as a job for the writer; whether products give other groups then."""
        before = self._gives()
        rules.save(data, self.provider)
        return self._gives() != before

    def _gives(self) -> tuple[Any, ...]:
        """The products, each with its group."""
        given = {(line.product_id, line.group_id) for line in effective.lines(self.provider)}
        return given, site.settings().buyers_group

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
