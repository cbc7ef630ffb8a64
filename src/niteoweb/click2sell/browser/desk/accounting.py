"""Site Setup: payments and refunds for the accounts."""

from functools import cached_property
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk import download
from niteoweb.click2sell.browser.desk import plots
from niteoweb.click2sell.browser.desk.fields import Field
from niteoweb.click2sell.browser.desk.ownerpage import OwnerPage
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.report import accounting
from niteoweb.click2sell.report import csvfile
from niteoweb.click2sell.report import tables
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import IO
from urllib.parse import urlencode
from zope.i18nmessageid import Message


NAMES = ("month", "from", "to", "separator", "decimal")


class AccountingView(OwnerPage, download.WithDownload):
    """``@@click2sell-accounting``: choose a time, see its sums, take the file along.

    It opens with the last month that is over.
    """

    template = ViewPageTemplateFile("../templates/accounting.pt")
    page = "click2sell-accounting"
    tab = "click2sell-report"
    title = _("Accounting")
    lead = _("Payments and refunds, by the provider's clock.")

    @cached_property
    def period(self) -> accounting.Period | None:
        """The chosen time, None for a mistake in it."""
        zone = plone_site.timezone()
        try:
            if self.text("from") or self.text("to"):
                return accounting.between(self.text("from"), self.text("to"), zone)
            return accounting.month(self.text("month") or self.latest, zone)
        except ValueError:
            return None

    @property
    def error(self) -> Message | None:
        """The mistake in the chosen time, None for no mistake."""
        if self.period is not None:
            return None
        return _(
            "Choose a month, or enter two days such as 2027-01-31, at most a year from each "
            "other."
        )

    @cached_property
    def summary(self) -> accounting.Summary:
        """The sums of the chosen time."""
        postings = accounting.postings(self.context, self.period)
        return accounting.summary(postings)

    @cached_property
    def months(self) -> list[str]:
        """The months that can be chosen, the latest first."""
        now = timestamps.now()
        return accounting.months(self.context, now, plone_site.timezone())

    @property
    def latest(self) -> str:
        """The last month that is over; the present one where money has moved in no other."""
        return self.months[min(1, len(self.months) - 1)]

    @property
    def fields(self) -> list[Field]:
        """The fields for the time; at first the last month that is over is chosen."""
        chosen = self.text("month") or self.latest
        if self.text("from") or self.text("to"):
            chosen = ""
        choices = [("", _("custom dates"))]
        choices += [(month, plots.month(self.request, month)) for month in self.months]
        wrong = {"aria-invalid": "true", "aria-describedby": "field-to-error"}
        more, end = wrong if self.error else {}, self.text("to")
        return [
            Field("month", _("Month"), chosen, "select", choices, more=more),
            Field("from", _("or from"), self.text("from"), "date", more=more),
            Field("to", _("to"), end, "date", error=self.error),
        ]

    @property
    def heading(self) -> str:
        """The chosen time in words."""
        is_month = not (self.text("from") or self.text("to"))
        return plots.month(self.request, self.period.name) if is_month else self.period.name

    @property
    def table(self) -> formatting.Table:
        """The sums, with a column for each currency: mostly few, so that a phone shows all."""
        sums = [total for _currency, total in self.summary.in_order]
        amounts = (
            (_("Sales"), [total.sales for total in sums]),
            (_("Refunds"), [total.refunds for total in sums]),
            (_("Net"), [total.net for total in sums]),
        )
        currencies = [name or _("no currency") for name, _total in self.summary.in_order]
        return formatting.Table(
            self.heading,
            (_("Currency"), *currencies),
            [
                *((name, *map(self.number, of_each)) for name, of_each in amounts),
                (_("Number"), *(total.number for total in sums)),
            ],
            ("fw-normal", *["text-end text-nowrap"] * len(sums)),
            "w-auto",
            captioned=False,
            headed=True,
        )

    @property
    def query(self) -> str:
        """The values of the form, as the query of an address."""
        values = {name: text for name in NAMES if (text := self.text(name))}
        if not values.keys() & {"month", "from", "to"}:
            values["month"] = self.latest
        return urlencode(values)

    def number(self, amount: csvfile.Cell) -> str:
        """An amount with the chosen decimal sign."""
        return csvfile.number(amount, download.layout(self.request).decimal)


class AccountingFile(AccountingView):
    """``@@click2sell-accounting.csv``: the chosen time as a file."""

    def __call__(self) -> str | IO[bytes]:
        if self.period is None:
            # The page shows the mistake.
            self.request.response.redirect(f"{self.url}?{self.query}")
            return ""
        rows = tables.accounts(self.context, self.period)
        name = f"accounting-{self.period.name}"
        return download.send(self.request, name, rows, download.layout(self.request))
