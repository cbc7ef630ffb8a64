"""Site Setup: the notifications that arrived, the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from niteoweb.click2sell import _
from niteoweb.click2sell import ledger
from niteoweb.click2sell import listing
from niteoweb.click2sell import secretkeys
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.browser import shown
from niteoweb.click2sell.browser.decide import DecideView
from niteoweb.click2sell.browser.notification import NotificationView
from niteoweb.click2sell.providers import CLICK2SELL
from plone import api
from plone.batching import Batch
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from zExceptions import NotFound
from zope.i18nmessageid import Message
from zope.interface import implementer
from zope.publisher.interfaces import IPublishTraverse

import re


#: Entries on a page.
PAGE = 50

LABELS = {
    "search": _("Search"),
    "outcome": _("Outcome"),
    "provider": _("Provider"),
    "kind": _("Kind"),
    "product": _("Product id"),
    "buyer": _("Address of the buyer"),
    "from": _("From"),
    "to": _("Until"),
}

#: What stands behind an entry's key in the address, and the page that shows it.
PAGES = {(): NotificationView, ("decide",): DecideView}

_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})?", re.ASCII)


@dataclass(frozen=True)
class Choice:
    """A value that a filter can have."""

    value: str
    text: Message | str


@dataclass(frozen=True)
class Field:
    """A filter in the form.

    :ivar value: as it stands in the address.
    :ivar choices: the possible values; none where anything can be typed.
    :ivar type: of the input field where anything can be typed.
    :ivar error: what is wrong with the value.
    """

    name: str
    label: Message
    value: str
    choices: tuple[Choice, ...] = ()
    type: str = "text"
    error: Message | None = None


@implementer(IPublishTraverse)
class NotificationsView(BrowserView):
    """``@@click2sell-notifications``: the list; with a key behind it, that entry's page."""

    template = ViewPageTemplateFile("templates/notifications.pt")
    table = ViewPageTemplateFile("templates/notificationtable.pt")

    def __init__(self, context: Any, request: Any) -> None:
        super().__init__(context, request)
        self.names: list[str] = []
        self.error: listing.FilterError | None = None
        self.total = 0
        self.capped = False
        self.filtered = False
        self.rows: list[shown.Row] = []
        self.batch: Batch | None = None

    def publishTraverse(self, request: Any, name: str) -> "NotificationsView":  # noqa: N802
        """Take the part of the path that names an entry."""
        self.names.append(name)
        return self

    def __call__(self) -> str:
        self.request.response.setHeader("Cache-Control", "no-store")
        if self.names:
            view = PAGES.get(tuple(self.names[1:]))
            if view is None:
                raise NotFound(self.names[-1])
            return view(self.context, self.request, self.url, self.names[0])()
        try:
            self._find()
        except listing.FilterError as error:
            self.error = error
        return self.template()

    def _find(self) -> None:
        """Look the page's entries up.

        :raises niteoweb.click2sell.listing.FilterError: a filter is not possible.
        """
        filters = listing.parse(self.context, self.request.form, plone_site.timezone())
        found = listing.Listing(self.context, filters)
        start = self._start(found.total)
        self.filtered = filters != listing.Filters()
        self.total, self.capped = found.total, found.capped
        self.rows = shown.rows(self.context, self.url, found.keys(start, PAGE))
        # The batch only reckons; it never asks for an entry.
        self.batch = Batch(range(found.total), PAGE, start, pagerange=5)

    def _start(self, total: int) -> int:
        """Entries before the page that was asked for; behind the last page there is none."""
        try:
            wanted = int(self.request.form.get("b_start", 0))
        except (TypeError, ValueError):
            wanted = 0
        return min(max(wanted, 0), max(total - 1, 0)) // PAGE * PAGE

    @property
    def url(self) -> str:
        """Address of the list, without filters."""
        return f"{self.context.absolute_url()}/@@click2sell-notifications"

    @property
    def nothing_yet(self) -> bool:
        """Whether no notification ever arrived."""
        return not ledger.count(self.context)

    @property
    def is_copy(self) -> bool:
        """Whether mails wait here."""
        return plone_site.is_copy()

    @property
    def callback(self) -> str:
        """The address that the provider has to know."""
        return f"{plone_site.address()}/@@click2sell"

    @property
    def secret_key_is_set(self) -> bool:
        """Whether a notification could be accepted."""
        return secretkeys.is_set(CLICK2SELL)

    @property
    def settings_url(self) -> str:
        """Address of the settings, "" for somebody who may not change them."""
        if not api.user.has_permission("Click2Sell: Configure", obj=self.context):
            return ""
        return f"{self.context.absolute_url()}/@@click2sell-settings"

    @property
    def timezone(self) -> str:
        """The zone of the times on the page."""
        return str(plone_site.timezone())

    @property
    def number(self) -> str:
        """How many entries there are, for people."""
        return f"{self.total:,}"

    @property
    def filter_names(self) -> Sequence[str]:
        """What the addresses of the other pages keep of this one's."""
        return listing.NAMES

    @property
    def fields(self) -> list[Field]:
        """The filters of the form, with what was asked for."""
        texts = {
            "outcome": lambda value: shown.badge(value).text,
            "provider": str,
            "kind": shown.kind,
        }
        choices = {
            name: tuple(Choice(value, texts[name](value)) for value in values)
            for name, values in listing.choices(self.context).items()
        }
        return [self._field(name, choices.get(name, ())) for name in listing.NAMES]

    def _field(self, name: str, choices: tuple[Choice, ...]) -> Field:
        value = self.request.form.get(name)
        value = value.strip() if isinstance(value, str) else ""
        # A field for dates would swallow a date and time, and whatever is no date at all.
        is_date = name in ("from", "to") and _DATE.fullmatch(value)
        error = self.error.message if self.error and self.error.name == name else None
        return Field(name, LABELS[name], value, choices, "date" if is_date else "text", error)
