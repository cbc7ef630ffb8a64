"""The memberships of the last months on the report: a plot and a table."""

from collections.abc import Sequence
from niteoweb.click2sell import _
from niteoweb.click2sell.browser.desk import plots
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.report import charts
from niteoweb.click2sell.report import memberships
from typing import Any
from zope.i18n import translate
from zope.i18nmessageid import Message


#: The title of the plot.
MEMBERS = _("Members with access at the end of each month")


def plot(request: Any, months: Sequence[memberships.Month]) -> plots.Plot:
    """A plot of the members with access at the end of each month.

    :param months: the oldest first; the last one is not over.
    """
    labels = [plots.month(request, one.month, abbreviated=True) for one in months]
    values = [one.members for one in months]
    now = formatting.number(values[-1])
    if not any(values):
        return plots.Plot(MEMBERS, now, "")
    description = _(
        "From ${first} to ${last}: ${number} now, at most ${most}, in ${peak}. All figures are "
        "in the table below.",
        mapping={
            "first": labels[0],
            "last": labels[-1],
            "number": now,
            "most": formatting.number(max(values)),
            "peak": labels[values.index(max(values))],
        },
    )
    title, text = (translate(message, context=request) for message in (MEMBERS, description))
    return plots.Plot(MEMBERS, now, charts.bars("plot-members", title, text, labels, values))


def table(request: Any, months: Sequence[memberships.Month]) -> formatting.Table:
    """The figures of each month, the newest first.

    :param months: the oldest first.
    """
    return formatting.Table(
        _("Members with access at the end of each month, and renewals"),
        (_("Month"), _("Members"), _("Ended, of those due for renewal")),
        [
            (plots.month(request, one.month), formatting.number(one.members), _ended(one))
            for one in reversed(months)
        ],
        ("fw-normal", "text-end", "text-end"),
        headed=True,
    )


def _ended(month: memberships.Month) -> Message | str:
    """The renewable subscriptions that ended in a month."""
    if not month.could_renew:
        return ""
    return _(
        "${ended} of ${all} (${percent} %)",
        mapping={
            "ended": formatting.number(month.ended),
            "all": formatting.number(month.could_renew),
            "percent": round(100 * month.ended / month.could_renew),
        },
    )
