"""The plots of the report, and months in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from niteoweb.click2sell import _
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.report import charts
from niteoweb.click2sell.report import overview
from typing import Any
from zope.i18n import translate
from zope.i18nmessageid import Message

import calendar


TITLES = {
    "new_buyers": _("New buyers"),
    "purchases": _("Purchases"),
    "renewals": _("Renewals"),
    "refunds": _("Refunds"),
    "chargebacks": _("Chargebacks"),
    "lapses": _("Access ended"),
}


@dataclass(frozen=True)
class Plot:
    """A figure over time.

    :ivar svg: "" when there is nothing to plot.
    """

    title: Message
    total: str
    svg: str


def plots(request: Any, unit: str, rows: Sequence[overview.Figures]) -> list[Plot]:
    """A plot for each figure.

    :param unit: of the rows, see :class:`niteoweb.click2sell.report.overview.Range`.
    """
    labels = [_label(request, unit, row.period) for row in rows]
    return [_plot(request, name, rows, labels) for name in TITLES]


def month(request: Any, period: str, abbreviated: bool = False) -> str:
    """A month in words.

    :param period: such as ``2027-01``.
    """
    year, number = period[:4], int(period[5:7])
    name = calendar.month_abbr[number].lower()
    msgid = f"month_{name}_abbr" if abbreviated else f"month_{name}"
    text = translate(
        msgid, "plonelocales", context=request, default=calendar.month_name[number]
    )
    return f"{text} {year}"


def _label(request: Any, unit: str, period: str) -> str:
    """A day or month below a plot, where there is little room: a day without its year."""
    if unit == overview.MONTH:
        return month(request, period, abbreviated=True)
    return formatting.short_day(date.fromisoformat(period))


def _plot(
    request: Any, name: str, rows: Sequence[overview.Figures], labels: Sequence[str]
) -> Plot:
    title, values = TITLES[name], [row.values[name] for row in rows]
    total, most = sum(values), max(values)
    if not total:
        return Plot(title, formatting.number(total), "")
    description = _(
        "From ${first} to ${last}: ${total} in all, at most ${most} (${peak}). All figures "
        "are in the table below the plots.",
        mapping={
            "first": labels[0],
            "last": labels[-1],
            "total": formatting.number(total),
            "most": formatting.number(most),
            "peak": labels[values.index(most)],
        },
    )
    svg = charts.bars(
        f"plot-{name.replace('_', '-')}",
        translate(title, context=request),
        translate(description, context=request),
        labels,
        values,
    )
    return Plot(title, formatting.number(total), svg)
