"""The memberships of a site by month: members with access, and subscriptions that were renewed.

Counters are read, see :mod:`niteoweb.click2sell.ledger.counters`: nothing is gone through.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.report import overview
from typing import Any


#: Months up to the present one.
MONTHS = 12


@dataclass(frozen=True)
class Month:
    """The memberships of a month.

    :ivar month: such as ``2027-01``.
    :ivar members: with access to anything at its end; of the present month, now.
    :ivar could_renew: subscriptions of which the paid time ended or that were renewed before.
    :ivar ended: those of them that were not renewed.
    """

    month: str
    members: int
    could_renew: int
    ended: int


def by_month(site: Any, now: datetime) -> list[Month]:
    """The memberships of the last months, the oldest first.

    :param now: in UTC.
    """
    return list(_backwards(site, now))[::-1]


def _backwards(site: Any, now: datetime) -> Iterator[Month]:
    members = overview.members_with_access(site)
    months = overview.Range(overview.MONTH, MONTHS).periods(counters.day(now))
    for month in reversed(months):
        ended = counters.number(site, month, counters.NOT_RENEWED)
        renewed = counters.number(site, month, counters.OF_KIND[Kind.RENEWAL])
        yield Month(month, members, renewed + ended, ended)
        # So many had access when it began, at the end of the month before.
        members -= counters.number(site, month, counters.BEGAN)
        members += counters.number(site, month, counters.OVER)
