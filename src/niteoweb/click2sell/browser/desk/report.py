"""Site Setup: the report, with figures, plots and the present troubles."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from datetime import timedelta
from functools import cached_property
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk import plots
from niteoweb.click2sell.browser.desk.ownerpage import OwnerPage
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.report import overview
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zope.i18nmessageid import Message


MAILS = {
    "welcome": _("welcome mail"),
    "notice": _("notice of a purchase"),
    **dict.fromkeys(outbox.TO_OWNER, _("mail to the owner")),
}

#: The outcomes that need a person, the worst first.
TROUBLES = (Outcome.FAILED, Outcome.ATTENTION)


@dataclass(frozen=True)
class Line:
    """A row of the table.

    :ivar exact: the day or month in ISO 8601.
    """

    text: str
    exact: str
    numbers: tuple[str, ...]


@dataclass(frozen=True)
class Trouble:
    """Notifications that need a person, with the address of their list."""

    badge: formatting.Badge
    number: str
    url: str


@dataclass(frozen=True)
class Heard:
    """When a provider was heard last.

    :ivar warning: None when that is nothing unusual.
    """

    name: str
    last: formatting.Moment
    ago: Message | str
    usual: Message | str
    warning: Message | None


class ReportView(OwnerPage):
    """``@@click2sell-report``, with ``days=30`` and the like behind it."""

    template = ViewPageTemplateFile("../templates/report.pt")
    page = tab = "click2sell-report"
    mail_titles = (_("Due since"), _("Mail"), _("To"), _("Attempts"), _("Last error"))
    provider_titles = (
        *(_("Provider"), _("Last notification"), _("Time since then")),
        _("Longest silence that is usual here"),
    )
    title = _("Report")
    lead = _("How the memberships are doing, and what is wrong.")
    renewal_titles = (_("Member"), _("Product"), _("Expected by"), _("Access"))

    @cached_property
    def now(self) -> datetime:
        """The time of the report."""
        return timestamps.now()

    @cached_property
    def rows(self) -> list[overview.Figures]:
        """The figures of the range of time, the oldest first."""
        return overview.rows(self.context, self.chosen, self.now)

    @property
    def chosen(self) -> overview.Range:
        """The range of time that was asked for; the first one where it is none of ours."""
        for unit, number in overview.CHOICES:
            if self.request.form.get(f"{unit}s") == str(number):
                return overview.Range(unit, number)
        return overview.Range(*overview.CHOICES[0])

    @property
    def choices(self) -> list[formatting.Link]:
        """The ranges of time that can be asked for."""
        days, months = _("Last ${number} days"), _("Last ${number} months")
        texts = {overview.DAY: days, overview.MONTH: months}
        return [
            formatting.Link(
                Message(texts[unit], mapping={"number": number}),
                f"{self.url}?{unit}s={number}",
                "page" if overview.Range(unit, number) == self.chosen else None,
            )
            for unit, number in overview.CHOICES
        ]

    @property
    def titles(self) -> Sequence[Message]:
        """The titles of the figures."""
        return tuple(plots.TITLES.values())

    @property
    def plots(self) -> list[plots.Plot]:
        """A plot for each figure."""
        return plots.plots(self.request, self.chosen.unit, self.rows)

    @property
    def lines(self) -> list[Line]:
        """The table below the plots, the newest first."""
        return [
            Line(self._period(row.period), row.period, self._numbers(row.values))
            for row in reversed(self.rows)
        ]

    @property
    def totals(self) -> tuple[str, ...]:
        """The last row of the table."""
        return self._numbers(overview.totals(self.rows))

    @property
    def troubles(self) -> list[Trouble]:
        """The numbers of entries that failed or need attention."""
        return [
            Trouble(
                formatting.badge(outcome),
                plots.number(count),
                self.url_of("click2sell-notifications", outcome=outcome),
            )
            for outcome in TROUBLES
            if (count := ledger.count(self.context, outcome=outcome))
        ]

    @property
    def providers(self) -> list[Heard]:
        """The providers that were ever heard."""
        return [
            self._heard(provider) for provider in overview.providers(self.context, self.now)
        ]

    @property
    def with_access(self) -> str:
        """The number of members with access to a product."""
        return plots.number(overview.members_with_access(self.context))

    @property
    def products(self) -> list[tuple[str, str]]:
        """Products, each with the number of members who have access."""
        return [
            (
                formatting.product_label(product.product_name, product.product_id),
                plots.number(product.members),
            )
            for product in overview.products(self.context)
        ]

    @property
    def never_logged_in(self) -> overview.Newest:
        """Members who paid and never logged in."""
        return overview.never_logged_in(self.context)

    @property
    def renewals_missing(self) -> overview.Newest:
        """Renewals that did not come."""
        return overview.renewals_missing(self.context, self.now)

    @property
    def mails_failed(self) -> overview.Newest:
        """Mails that could not be sent so far."""
        return overview.mails_failed(self.context)

    def number(self, newest: overview.Newest) -> Message | str:
        """The number of items behind a list of the newest ones."""
        counted = plots.number(newest.total)
        return (
            _("more than ${number}", mapping={"number": counted}) if newest.capped else counted
        )

    def moment(self, at: datetime | str) -> formatting.Moment:
        """A point in time."""
        return formatting.moment(at)

    def mail_kind(self, kind: str) -> Message | str:
        """The kind of a mail in words."""
        return MAILS.get(kind, kind)

    def _period(self, period: str) -> str:
        """A day as Plone shows it; a month as it is."""
        is_month = self.chosen.unit == overview.MONTH
        return period if is_month else formatting.day(date.fromisoformat(period))

    def _numbers(self, values: dict[str, int]) -> tuple[str, ...]:
        return tuple(plots.number(values[name]) for name in plots.TITLES)

    def _heard(self, provider: overview.Provider) -> Heard:
        title = registry.title(provider.name)
        last = formatting.moment(provider.last)
        usual = _duration(provider.usual) if provider.usual else _("it is too early to tell")
        warning = None
        if provider.heard_again:
            warning = _(
                "${provider} had been silent for unusually long, and is heard again. Look "
                "whether everything was delivered.",
                mapping={"provider": title},
            )
        elif provider.silent:
            warning = _(
                "${provider} has been silent for longer than is usual for this site. Until it "
                "is heard again no subscription is ended for want of a renewal. Look at the "
                "provider whether notifications cannot be delivered.",
                mapping={"provider": title},
            )
        return Heard(title, last, _duration(self.now - provider.last), usual, warning)


def _duration(length: timedelta) -> Message:
    """A length of time, in words."""
    minutes = max(length // timedelta(minutes=1), 0)
    if minutes < 120:
        return _("${number} min", mapping={"number": minutes})
    if minutes < 48 * 60:
        return _("${number} h", mapping={"number": minutes // 60})
    return _("${number} days", mapping={"number": minutes // (24 * 60)})
