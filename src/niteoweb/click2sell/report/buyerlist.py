"""Lists of buyers: the latest payers, or the results of a search.

A page reads the indexes of search.py and the records of the buyers on it, and nothing else:
its cost does not depend on the number of buyers.
"""

from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.explain import products
from niteoweb.click2sell.ledger import facets
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import search
from niteoweb.click2sell.report import notifications
from niteoweb.click2sell.report import rows
from niteoweb.click2sell.storage import trees
from typing import Any


@dataclass(frozen=True)
class BuyerRow:
    """A buyer as it stands in a list.

    :ivar address: the one of the latest payment.
    :ivar user_id: the account, "" when there is none.
    """

    buyer_id: str
    name: str
    address: str
    user_id: str
    standings: tuple[products.ProductAccess, ...]


class BuyerList:
    """The buyers that match words; without words all who ever paid, the latest first.

    :ivar total: number of the buyers, or of those that are listed when :attr:`capped`.
    :ivar capped: there may be more; another word narrows the search.
    """

    def __init__(self, site: Any, text: str = "") -> None:
        self._site = site
        self.capped = False
        self._matches: tuple[str, ...] | None = None
        if text.strip():
            matches = search.buyers(site, text)
            self._matches, self.capped = matches.ids, matches.capped
            self.total = len(matches.ids)
        else:
            self.total = trees.tree(site, "buyers_paid_count")()

    def rows(self, start: int, size: int, now: datetime) -> list[BuyerRow]:
        """A page of the list.

        :param start: buyers before the page, from 0.
        :param size: buyers on the page, at most.
        :param now: in UTC.
        """
        stop = min(start + size, self.total)
        if self._matches is not None:
            ids = list(self._matches[start:stop])
        else:
            index = trees.tree(self._site, "buyers_paid")
            paid = facets.Places((index,))
            places = notifications.part(paid, self.total, start, stop) if start < stop else []
            ids = [index[place] for place in places]
        return [
            *rows.each(
                ids,
                lambda buyer_id: self._row(buyer_id, now),
                lambda buyer_id: BuyerRow(buyer_id, rows.NOT_SHOWN, "", "", ()),
            )
        ]

    def _row(self, buyer_id: str, now: datetime) -> BuyerRow:
        buyer = buyers.get(self._site, buyer_id)
        entries = [ledger.get(self._site, key) for key in buyer["keys"]]
        return BuyerRow(
            buyer_id=buyer_id,
            name=explanation.name(entries),
            address=explanation.addresses(buyer, entries)[0],
            user_id=buyer["user_id"],
            standings=products.of(history.outcome(self._site, buyer, now)),
        )
