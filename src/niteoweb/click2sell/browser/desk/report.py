"""Site Setup: the report, with figures, plots and the present troubles."""

from datetime import date
from datetime import datetime
from functools import cached_property
from itertools import dropwhile
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk import membermonths
from niteoweb.click2sell.browser.desk import plots
from niteoweb.click2sell.browser.desk.followup import FollowUp
from niteoweb.click2sell.browser.desk.ownerpage import OwnerPage
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.report import accounting
from niteoweb.click2sell.report import daily
from niteoweb.click2sell.report import memberships
from niteoweb.click2sell.report import overview
from niteoweb.click2sell.setup import Check
from niteoweb.click2sell.setup import duration
from niteoweb.click2sell.setup import lastrun
from niteoweb.click2sell.setup import Status
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zope.i18nmessageid import Message


#: The warning of a provider's unusual silence; whether it is heard again -> the text.
SILENCES = {
    True: _(
        "${provider} had been silent for unusually long, and has been heard from again. Check "
        "whether everything was delivered."
    ),
    False: _(
        "${provider} has been silent for longer than usual for this site. Until it is heard "
        "from again, no subscription is ended because a renewal is missing. Check at the "
        "provider whether notifications are delivered."
    ),
}


class ReportView(FollowUp, OwnerPage):
    """``@@click2sell-report``, with ``days=30`` and the like behind it."""

    template = ViewPageTemplateFile("../templates/report.pt")
    page = tab = "click2sell-report"
    title = _("Report")
    lead = _("How the memberships are doing, and what is wrong.")
    range_label = _("Range of time")
    moment = staticmethod(formatting.moment)

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

    @cached_property
    def money(self) -> daily.Breakdown:
        """The sums of the range of time, by the providers' clocks."""
        return overview.money(self.context, self.chosen, self.now)

    @property
    def money_by_month(self) -> list[formatting.Table]:
        """Income, refunds and net of each month, the newest first, by currency."""
        rows = [
            (self._month(period), currency, total)
            for (period, currency), total in sorted(self.money.months.items())[::-1]
        ]
        return self._sums(_("Income by month: ${currency}"), _("Month"), rows)

    def _month(self, period: str) -> Message | str:
        """A month in words; of the first one only the last days may be asked for."""
        month, first = plots.month(self.request, period), self.rows[0].period
        if first[:7] != period or first in (period, f"{period}-01"):
            return month
        names = {"month": month, "day": formatting.short_day(date.fromisoformat(first))}
        return _("${month}, from ${day} on", mapping=names)

    @property
    def money_by_product(self) -> list[formatting.Table]:
        """Income, refunds and net of each product, sorted, by currency."""
        rows = [(*key, total) for key, total in sorted(self.money.products.items())]
        return self._sums(_("Income by product: ${currency}"), _("Product"), rows)

    def _sums(
        self,
        name: Message,
        title: Message,
        rows: list[tuple[Message | str, str, accounting.Total]],
    ) -> list[formatting.Table]:
        """A table for each currency: with a column for it no phone would show the net."""
        right = "text-end text-nowrap"
        return [
            formatting.Table(
                Message(name, mapping={"currency": currency or _("no currency")}),
                (title, _("Income"), _("Refunds"), _("Net")),
                [
                    (
                        what,
                        *(
                            formatting.amount(str(amount), "")
                            for amount in (total.sales, total.refunds, total.net)
                        ),
                    )
                    for what, of_row, total in rows
                    if of_row == currency
                ],
                ("text-break fw-normal", right, right, f"{right} fw-bold"),
                headed=True,
            )
            for currency in sorted({currency for _what, currency, _total in rows})
        ]

    @cached_property
    def months(self) -> list[memberships.Month]:
        """The memberships of the last months, the oldest first, from the first member on."""
        months = memberships.by_month(self.context, self.now)
        return list(dropwhile(_nothing_in, months)) or months[-1:]

    @property
    def members(self) -> plots.Plot:
        """A plot of the members with access."""
        return membermonths.plot(self.request, self.months)

    @property
    def members_by_month(self) -> formatting.Table:
        """Members with access, and subscriptions that ended, of each month."""
        return membermonths.table(self.request, self.months)

    @property
    def plots(self) -> list[plots.Plot]:
        """A plot for each figure; the figures that are 0 come last."""
        figures = plots.plots(self.request, self.chosen.unit, self.rows)
        return sorted(figures, key=lambda plot: not plot.svg)

    @property
    def figures(self) -> formatting.Table:
        """The table below the plots, the newest first."""
        zone = {"zone": self.timezone}
        return formatting.Table(
            _("Newest first. Time zone: ${zone}", mapping=zone),
            (_("When"), *plots.TITLES.values()),
            [
                (self._period(row.period), *self._numbers(row.values))
                for row in reversed(self.rows)
            ],
            ("text-nowrap fw-normal", *["text-end"] * len(plots.TITLES)),
            headed=True,
            foot=(_("Total"), *self._numbers(overview.totals(self.rows))),
        )

    @property
    def waiting(self) -> formatting.Link | None:
        """The number of notifications that need somebody, with the way to them."""
        number = ledger.waiting(self.context)
        if not number:
            return None
        names = {"number": formatting.number(number)}
        text = _("Notifications that need you: ${number}", mapping=names)
        return formatting.Link(text, self.url_of("click2sell-overview#needs"))

    @cached_property
    def heard(self) -> list[overview.Provider]:
        """The providers that were ever heard."""
        return overview.providers(self.context, self.now)

    @cached_property
    def last_check(self) -> Check:
        """The last automatic check."""
        return lastrun.check(self.context, self.now)

    @property
    def warnings(self) -> list[Message]:
        """An automatic check that is late or stopped, and unusual silences of providers."""
        check = self.last_check
        late = () if check.state == Status.OK else (lastrun.titled(check),)
        return [
            *late,
            *(
                Message(
                    SILENCES[provider.heard_again],
                    mapping={"provider": registry.title(provider.name)},
                )
                for provider in self.heard
                if provider.silent
            ),
        ]

    @property
    def providers(self) -> formatting.Table:
        """When each provider was heard last."""
        return formatting.Table(
            _("When each provider was heard last"),
            (
                *(_("Provider"), _("Last notification"), _("Time since then")),
                _("Usual gap, at most"),
            ),
            [
                (
                    registry.title(provider.name),
                    formatting.moment(provider.last),
                    duration(self.now - provider.last),
                    duration(provider.usual)
                    if provider.usual
                    else _("it is too early to tell"),
                )
                for provider in self.heard
            ],
            headed=True,
        )

    @property
    def with_access(self) -> str:
        """The number of members with access to a product."""
        return formatting.number(overview.members_with_access(self.context))

    @property
    def products(self) -> formatting.Table:
        """Products, each with the number of members who have access."""
        return formatting.Table(
            _("Members with access to several products count for each of them."),
            (_("Product"), _("Members")),
            [
                (
                    product.product_name,
                    formatting.number(product.members),
                )
                for product in overview.products(self.context)
            ],
            ("text-break fw-normal", "text-end"),
            "w-auto",
            headed=True,
        )

    def _period(self, period: str) -> formatting.Moment:
        """A day as Plone shows it; a month as it is."""
        is_month = self.chosen.unit == overview.MONTH
        text = (
            plots.month(self.request, period)
            if is_month
            else formatting.day(date.fromisoformat(period))
        )
        return formatting.Moment(text, period)

    def _numbers(self, values: dict[str, int]) -> tuple[str, ...]:
        return tuple(formatting.number(values[name]) for name in plots.TITLES)


def _nothing_in(month: memberships.Month) -> bool:
    return not (month.members or month.could_renew)
