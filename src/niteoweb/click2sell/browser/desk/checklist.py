"""Site Setup: the checklist, a part of the overview and of the settings of each provider."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from itertools import groupby
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk.ownerpage import OwnerPage
from niteoweb.click2sell.browser.desk.tabs import OVERVIEW
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.interfaces import IPaymentProvider
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.setup import Check
from niteoweb.click2sell.setup import checklist
from niteoweb.click2sell.setup import lastrun
from niteoweb.click2sell.setup import providerchecks
from niteoweb.click2sell.setup import Status
from niteoweb.click2sell.storage import writer
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zope.i18nmessageid import Message


@dataclass(frozen=True)
class Look:
    """The look of a state: its word, an icon of the registry, Bootstrap's class for both."""

    text: Message
    icon: str
    css: str

    def __html__(self) -> str:
        text = escape(formatting.translated(self.text))
        return f'<span class="fw-bold {self.css}">{text}</span>'


LOOKS = {
    Status.OK: Look(_("done"), "check-circle", "text-success"),
    Status.WARNING: Look(_("warning"), "exclamation-triangle", "text-warning-emphasis"),
    Status.TODO: Look(_("to do"), "circle", "text-danger"),
    Status.UNTRIED: Look(_("not tried"), "question-circle", "text-secondary"),
}


#: The pages where checks are put right, each with the text of the link to it. The part of a
#: provider has a link to the provider's settings.
PLACES = {
    **dict.fromkeys(
        ("provider", "groups", "address", "https", "networks", "new_accounts"),
        ("click2sell-settings", _("Settings")),
    ),
    **dict.fromkeys(
        ("sender", "mail_server"), ("mail-controlpanel", _("Mail settings of the site"))
    ),
    "last_sweep": (lastrun.PAGE, _("See what is due, and run it now")),
}


@dataclass(frozen=True)
class Part:
    """The items about one payment provider, or those about the site.

    :ivar provider: None for those about the site.
    :ivar callback_address: to be entered at the provider.
    :ivar settings_url: address of the provider's settings.
    :ivar titled: whether it has a heading.
    """

    rows: tuple[Check, ...]
    titled: bool
    provider: IPaymentProvider | None = None
    callback_address: str = ""
    settings_url: str = ""


class ToOverview(BrowserView):
    """``@@click2sell-checklist``: leads to the list on the overview."""

    def __call__(self) -> str:
        url = f"{self.context.absolute_url()}/@@{OVERVIEW}#checklist"
        self.request.response.redirect(url)
        return ""


class Checklist(OwnerPage):
    """The list, for the overview, or that of a provider for its settings.

    :cvar acts: names of its buttons.
    :ivar connect: the mail server and the providers are asked, too.
    :ivar of_provider: the list is about nothing else; None for the overview.
    """

    looks = LOOKS
    moment = staticmethod(formatting.moment)
    part = ViewPageTemplateFile("../templates/checklistpart.pt")
    acts = frozenset({"connect", "settle"})
    connect = False
    of_provider: IPaymentProvider | None = None

    def act(self) -> None:
        """Note that this is the site, or have servers and providers asked.

        The reader may configure, and the token was right.
        """
        if "settle" not in self.request.form:
            self.connect = True
        elif self.can_settle:
            # The address is that of the settings.
            writer.run(lambda site: plone_site.settle())
            self.say(_("This is the site now."))

    @cached_property
    def parts(self) -> Sequence[Part]:
        """The list, divided by payment provider."""
        now, provider = timestamps.now(), self.of_provider
        if provider is None:
            items = checklist.items(self.context, now, self.connect)
        else:
            silent = silence.silent(self.context, now)
            items = providerchecks.items(self.context, provider, silent)
        return [
            self._part(name, tuple(checks))
            for name, checks in groupby(items, lambda item: item.provider)
        ]

    def _part(self, name: str, rows: tuple[Check, ...]) -> Part:
        if not name:
            # The first check is about no part of the list.
            return Part(rows, titled=rows[0].name != "provider")
        provider = registry.get(name)
        settings_url = f"{self.context.absolute_url()}/@@{name}-settings"
        address, titled = effective.callback_address(provider), self.of_provider is None
        return Part(rows, titled, provider, address, settings_url)

    @property
    def rows(self) -> list[Check]:
        """All items."""
        return [row for part in self.parts for row in part.rows]

    def icon(self, row: Check) -> str:
        """The icon of a check's state, as markup, beside the word for it."""
        look, icons = LOOKS[row.state], self.context.restrictedTraverse("@@iconresolver")
        icon = icons.tag(look.icon, tag_class=look.css)
        return f'<span class="{look.css} me-3" aria-hidden="true">{icon}</span>'

    def link(self, row: Check) -> formatting.Link | None:
        """The link to the page where a check is put right; None for one that needs nothing."""
        page, text = PLACES.get(row.name, ("", ""))
        needless = row.state not in (Status.WARNING, Status.TODO)
        if not page or needless or (page == lastrun.PAGE and not self.may_operate):
            return None
        return formatting.Link(text, self.url_of(page))

    @property
    def can_settle(self) -> bool:
        """Whether there is a button that says: this is the site now."""
        return checklist.can_settle()

    @property
    def asks_providers(self) -> bool:
        """Whether there is a provider that can be asked."""
        return any(row.name == "api" for row in self.rows)

    @property
    def can_be_tried(self) -> bool:
        """Whether a test purchase is possible; not of a provider that is switched off."""
        return self.of_provider is not None and registry.is_enabled(self.of_provider)

    @property
    def done(self) -> int:
        """The number of checks that are done."""
        return sum(row.state == Status.OK for row in self.rows)

    @property
    def complete(self) -> bool:
        """Whether nothing is left to be done; the mail server is asked only on demand."""
        return not any(row.state in (Status.WARNING, Status.TODO) for row in self.rows)
