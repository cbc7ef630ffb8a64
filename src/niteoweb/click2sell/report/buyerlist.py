"""Lists of buyers: those who paid last, or those whom words find.

A page reads the indexes of search.py and the records of the buyers on it, and nothing else:
it costs the same however many buyers there are.
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
from niteoweb.click2sell.storage import trees
from typing import Any


@dataclass(frozen=True)
class Row:
    """A buyer as it stands in a list.

    :ivar address: the one of the latest payment.
    :ivar user_id: the account, "" when there is none.
    """

    buyer_id: str
    name: str
    address: str
    user_id: str
    standings: tuple[products.ProductAccess, ...]


class Directory:
    """The buyers whom words fit; without words all who ever paid, the latest first.

    :ivar total: how many there are, or how many are listed when :attr:`capped`.
    :ivar capped: there may be more; another word narrows the search.
    """

    def __init__(self, site: Any, text: str = "") -> None:
        self._site = site
        self.capped = False
        self._found: tuple[str, ...] | None = None
        if text.strip():
            found = search.buyers(site, text)
            self._found, self.capped = found.ids, found.capped
            self.total = len(found.ids)
        else:
            self.total = trees.tree(site, "buyers_paid_count")()

    def rows(self, start: int, size: int, now: datetime) -> list[Row]:
        """A page of the list.

        :param start: buyers before the page, from 0.
        :param size: buyers on the page, at most.
        :param now: in UTC.
        """
        stop = min(start + size, self.total)
        if self._found is not None:
            ids = list(self._found[start:stop])
        else:
            index = trees.tree(self._site, "buyers_paid")
            paid = facets.Places((index,))
            places = notifications.part(paid, self.total, start, stop) if start < stop else []
            ids = [index[place] for place in places]
        return [self._row(buyer_id, now) for buyer_id in ids]

    def _row(self, buyer_id: str, now: datetime) -> Row:
        buyer = buyers.get(self._site, buyer_id)
        found = [ledger.get(self._site, key) for key in buyer["keys"]]
        return Row(
            buyer_id=buyer_id,
            name=explanation.name(found),
            address=explanation.addresses(buyer, found)[0],
            user_id=buyer["user_id"],
            standings=products.of(history.outcome(self._site, buyer, now)),
        )
