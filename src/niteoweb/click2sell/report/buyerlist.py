"""Lists of buyers: the latest payers, a part of them, or the results of a search.

A page reads indexes and the records of the buyers on it, and nothing else: its cost does not
depend on the number of buyers. The numbers beside the parts are counters.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from itertools import islice
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.ledger import facets
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import search
from niteoweb.click2sell.report import notifications
from niteoweb.click2sell.report import rows
from niteoweb.click2sell.storage import trees
from typing import Any


# The parts of the list.
ALL = ""
ACTIVE = "active"
ENDING = "ending"  # within some days, and no renewal is expected
ENDED = "ended"
NEVER_LOGGED_IN = "never-logged-in"
ATTENTION = "attention"
PARTS = (ALL, ACTIVE, ENDING, ENDED, NEVER_LOGGED_IN, ATTENTION)

#: Days within which access ends, for :data:`ENDING`.
ENDING_DAYS = 7


@dataclass(frozen=True)
class BuyerRow:
    """A buyer in a list.

    :ivar address: the one of the latest payment.
    :ivar user_id: the account, "" when there is none.
    :ivar explained: access and obstacle, None for a record that cannot be shown.
    """

    buyer_id: str
    name: str
    address: str
    user_id: str
    explained: explanation.Explanation | None = None


def numbers(site: Any, now: datetime) -> dict[str, int]:
    """The number of buyers in each of :data:`PARTS`, from counters.

    Of those who need attention :data:`~niteoweb.click2sell.ledger.ledger.CAPPED` are counted.

    :param now: in UTC.
    """
    active, ended, waiting = (
        counters.number(site, *row)
        for row in (counters.ACTIVE, counters.ENDED, counters.LOGINS_AWAITED)
    )
    by_day = trees.tree(site, "access_ends_by_day")
    days = (now + timedelta(days=number) for number in range(ENDING_DAYS + 1))
    ending = (by_day.get(day.date().isoformat()) for day in days)
    return {
        ALL: active + ended,
        ACTIVE: active,
        ENDING: sum(length() for length in ending if length is not None),
        ENDED: ended,
        NEVER_LOGGED_IN: waiting,
        ATTENTION: len(_with_attention(site)),
    }


class BuyerList:
    """The buyers that match words, or one of :data:`PARTS`; the latest payment comes first.

    Of those whose access ends the next end comes first, of those who never logged in the newest
    account.

    :ivar total: number of the buyers, or of those that are listed when :attr:`capped`.
    :ivar capped: there may be more; another word narrows the search.
    """

    def __init__(self, site: Any, text: str = "", part: str = ALL, *, now: datetime) -> None:
        self._site, self._part, self._now = site, part, now
        self.capped = False
        self._matches: tuple[str, ...] | None = None
        if text.strip():
            matches = search.buyers(site, text)
            self._matches, self.capped = matches.ids, matches.capped
        elif part == ATTENTION:
            self._matches = _with_attention(site)
        self.total = numbers(site, now)[part] if self._matches is None else len(self._matches)

    def ids(self, start: int, size: int) -> list[str]:
        """Ids of the buyers on a page.

        :param start: buyers before the page, from 0.
        :param size: buyers on the page, at most.
        """
        stop = min(start + size, self.total)
        if start >= stop:
            return []
        if self._matches is not None:
            return list(self._matches[start:stop])
        if self._part == ENDING:
            return list(islice(self._ending(), start, stop))
        if self._part == NEVER_LOGGED_IN:
            accounts = trees.tree(self._site, "logins_awaited")
            return [buyer_id for _at, buyer_id in islice(accounts, start, stop)]
        names = {ACTIVE: ("buyers_active",), ENDED: ("buyers_ended",)}
        of_part = names.get(self._part, ("buyers_active", "buyers_ended"))
        found = [trees.tree(self._site, name) for name in of_part]
        part = notifications.part(facets.Places(found), self.total, start, stop)
        return [next(tree[place] for tree in found if place in tree) for place in part]

    def rows(self, start: int, size: int) -> list[BuyerRow]:
        """A page of the list; see :meth:`ids`."""
        return [
            *rows.each(
                self.ids(start, size),
                lambda buyer_id: row(self._site, buyer_id, self._now),
                lambda buyer_id: BuyerRow(buyer_id, rows.NOT_SHOWN, "", ""),
            )
        ]

    def _ending(self) -> Iterator[str]:
        first = self._now.date().isoformat()
        behind = (self._now + timedelta(days=ENDING_DAYS + 1)).date().isoformat()
        for _end, buyer_id in trees.tree(self._site, "access_ends").keys((first,), (behind,)):
            yield buyer_id


def row(site: Any, buyer_id: str, now: datetime) -> BuyerRow:
    """A buyer in a list.

    :param now: in UTC.
    """
    buyer = buyers.get(site, buyer_id)
    explained = explanation.explain(site, buyer, now, with_timeline=False)
    address = explained.addresses[0]
    return BuyerRow(buyer_id, explained.name, address, buyer["user_id"], explained)


def _with_attention(site: Any) -> tuple[str, ...]:
    """Ids of the buyers with a notification that needs somebody, the latest first."""
    keys = islice(ledger.waiting_keys(site), ledger.CAPPED)
    found = (ledger.get(site, key)["buyer_id"] for key in keys)
    return tuple(dict.fromkeys(filter(None, found)))
