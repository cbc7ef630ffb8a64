"""Site Setup: the notifications that arrived, the newest first."""

from dataclasses import dataclass
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.browser.desk.decide import DecideView
from niteoweb.click2sell.browser.desk.download import WithDownload
from niteoweb.click2sell.browser.desk.notification import NotificationView
from niteoweb.click2sell.browser.desk.ownerpage import ListPage
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.report import notifications
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zExceptions import NotFound
from zope.i18nmessageid import Message

import re


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

#: The pages of an entry, by the rest of the path behind its key.
PAGES = {(): NotificationView, ("decide",): DecideView}

Choices = tuple[tuple[str, Message | str], ...]

_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})?", re.ASCII)


@dataclass(frozen=True)
class Filter:
    """A filter in the form.

    :ivar value: as it stands in the address.
    :ivar choices: the possible values with their texts; none where anything can be typed.
    :ivar type: of the input field where anything can be typed.
    :ivar error: the mistake in the value.
    """

    name: str
    label: Message
    value: str
    choices: Choices = ()
    type: str = "text"
    error: Message | None = None


class NotificationsView(ListPage, WithDownload):
    """``@@click2sell-notifications``: the list; with a key behind it, that entry's page."""

    template = ViewPageTemplateFile("../templates/notifications.pt")
    page = tab = "click2sell-notifications"
    kept = notifications.NAMES
    title = _("Notifications")
    lead = _("What the payment provider told this site, and what became of it.")
    copy_warning = NotificationView.copy_warning
    titles = formatting.ENTRY_TITLES
    error: notifications.FilterError | None = None
    filtered = False
    searched = False

    def __call__(self) -> str:
        if self.names:
            view = PAGES.get(tuple(self.names[1:]))
            if view is None:
                raise NotFound(self.names[-1])
            return view(self.context, self.request, self.url, self.names[0])()
        try:
            self._find()
        except notifications.FilterError as error:
            self.error = error
        return super().__call__()

    def _find(self) -> None:
        """Look the page's entries up.

        :raises niteoweb.click2sell.report.notifications.FilterError: a filter is not possible.
        """
        filters = notifications.parse(self.context, self.request.form, plone_site.timezone())
        listed = notifications.Listing(self.context, filters)
        start = self.turn_to_page(listed)
        self.filtered = filters != notifications.Filters()
        self.searched = bool(filters.search)
        self.rows = formatting.entry_lines(
            self.context, self.url, listed.keys(start, self.size)
        )

    @property
    def fields(self) -> list[Filter]:
        """The filters of the form, with their values."""
        texts = {
            "outcome": lambda value: formatting.badge(value).text,
            "provider": str,
            "kind": formatting.kind,
        }
        choices = {
            name: tuple((value, texts[name](value)) for value in values)
            for name, values in notifications.choices(self.context).items()
        }
        return [self._field(name, choices.get(name, ())) for name in notifications.NAMES]

    def _field(self, name: str, choices: Choices) -> Filter:
        value = self.text(name)
        # A field for dates would swallow a date and time, and whatever is no date at all.
        is_date = name in ("from", "to") and _DATE.fullmatch(value)
        error = self.error.message if self.error and self.error.name == name else None
        return Filter(name, LABELS[name], value, choices, "date" if is_date else "text", error)
