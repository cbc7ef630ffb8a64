"""Site Setup: the notifications that arrived, the newest first."""

from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.browser.desk.decide import DecideView
from niteoweb.click2sell.browser.desk.download import WithDownload
from niteoweb.click2sell.browser.desk.fields import Choices
from niteoweb.click2sell.browser.desk.fields import Field
from niteoweb.click2sell.browser.desk.fields import VERBATIM
from niteoweb.click2sell.browser.desk.notification import NotificationView
from niteoweb.click2sell.browser.desk.ownerpage import ListPage
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.report import labels
from niteoweb.click2sell.report import notifications
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zExceptions import NotFound

import re


LABELS = {
    "search": _("Search"),
    "outcome": _("Outcome"),
    "provider": _("Provider"),
    "kind": _("Kind"),
    "product": _("Product id"),
    "from": _("From"),
    "to": _("Until"),
}

#: The filters with a field; the search finds addresses, too.
FIELDS = tuple(name for name in notifications.NAMES if name in LABELS)

#: The pages of an entry, by the rest of the path behind its key.
PAGES = {(): NotificationView, ("decide",): DecideView}

_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})?", re.ASCII)


class NotificationsView(ListPage, WithDownload):
    """``@@click2sell-notifications``: the list; with a key behind it, that entry's page."""

    template = ViewPageTemplateFile("../templates/notifications.pt")
    page = tab = "click2sell-notifications"
    kept = notifications.NAMES
    title = _("Notifications")
    lead = _("Everything that payment providers told this site, and what you did by hand.")
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
    def fields(self) -> list[Field]:
        """The filters of the form, with their values."""
        texts = {
            "outcome": lambda value: formatting.badge(value).text,
            "provider": labels.sender,
            "kind": formatting.kind,
        }
        choices = {
            name: [("", _("any")), *((value, texts[name](value)) for value in values)]
            for name, values in notifications.choices(self.context).items()
        }
        return [self._field(name, choices.get(name, ())) for name in FIELDS]

    @property
    def waiting(self) -> int:
        """The number of notifications that need somebody, as the overview counts them."""
        return ledger.waiting(self.context)

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """Names and values of the filters in use."""
        values = ((name, self.text(name)) for name in notifications.NAMES)
        return [(name, value) for name, value in values if value]

    def _field(self, name: str, choices: Choices) -> Field:
        value = self.text(name)
        # A field for dates would swallow a date and time, and whatever is no date at all.
        is_date = name in ("from", "to") and _DATE.fullmatch(value)
        error = self.error.message if self.error and self.error.name == name else None
        more = {} if choices else VERBATIM
        type_ = "select" if choices else "date" if is_date else "text"
        return Field(name, LABELS[name], value, type_, choices, error=error, more=more)
