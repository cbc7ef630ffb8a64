"""A sale that one process has to itself: what it notes is committed at once."""

from contextlib import suppress
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.providers.webtv import carts
from niteoweb.click2sell.providers.webtv import client
from niteoweb.click2sell.providers.webtv import orders
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.providers.webtv import sync
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from typing import Any

import logging
import secrets


logger = logging.getLogger("niteoweb.click2sell")


class Course:
    """A sale that is taken for as long as the ``with`` block lasts.

    :raises sales.Conflict: somebody else has it.
    """

    def __init__(self, settings: Any, id_: str) -> None:
        self.settings, self.id, self._holder = settings, id_, secrets.token_hex(8)
        #: What this process has just seen, so that it need not look again.
        self.is_ready = self.due_is_zero = False

    def __enter__(self) -> "Course":
        now = timestamps.now()
        self.sale = writer.run(lambda site: sales.take(site, self.id, now, self._holder))
        return self

    def __exit__(self, kind: Any, error: Any, _traceback: Any) -> None:
        # A question without an answer may be under way: nobody asks before the lease ends.
        if kind is None or isinstance(error, (sales.Conflict, client.StoreError)):
            with suppress(sales.Conflict):
                self.note(lease="")

    def note(self, words: str = "", **changes: Any) -> None:
        """Commit changes of the sale."""
        self.sale = writer.run(lambda site: self.change(site, dict(changes), words))

    def change(self, site: Any, changes: sales.Sale, words: str) -> sales.Sale:
        """Change the sale, in the writer.

        :raises sales.Conflict: the lease is over, and somebody else has the sale.
        """
        if sales.get(site, self.id)["holder"] != self._holder:
            raise sales.Conflict(409, "Busy", "Somebody is at this sale.")
        return sales.change(site, self.id, timestamps.now(), changes, words)

    def order(self) -> orders.Order:
        """The order or cart of the user, as it is now."""
        return carts.order(self.settings, self.sale["user"])

    def attend(self, code: str) -> None:
        """Mark the sale, and file a notification that needs attention."""
        self.note(code, attention=code)
        attend(self.sale, code)


def attend(sale: sales.Sale, code: str) -> None:
    """File a notification that a sale needs attention."""
    logger.warning("Sale %s needs attention: %s", sale["id"], code)
    payload = {name: str(sale[name]) for name in ("id", "order", "user", "state", "number")}
    try:
        pipeline.process(
            sync.attention(
                *("sale", sale["id"], code, timestamps.now(), payload),
                receipt=sale["number"],
                buyer=sale["email"].lower(),
                email=sale["email"],
            )
        )
    except (pipeline.Failed, transactions.Busy):
        logger.warning("Sale %s is not filed.", sale["id"])
