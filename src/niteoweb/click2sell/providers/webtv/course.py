"""A sale that one process has to itself: its notes are committed at once."""

from contextlib import suppress
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import outcomes
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.providers.webtv import carts
from niteoweb.click2sell.providers.webtv import client
from niteoweb.click2sell.providers.webtv import orders
from niteoweb.click2sell.providers.webtv import protocol
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.providers.webtv import sync
from niteoweb.click2sell.providers.webtv import texts
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from typing import Any

import logging
import secrets


logger = logging.getLogger("niteoweb.click2sell")

#: Lines of a sale's log that an owner's acts leave.
TRIED_AGAIN, CANCEL_ASKED, SETTLED = "tried again", "cancel asked", "settled by hand"
_ACTS = frozenset({TRIED_AGAIN, CANCEL_ASKED, SETTLED})


class Course:
    """A sale that is taken for as long as the ``with`` block lasts.

    :raises sales.Conflict: somebody else has it.
    """

    def __init__(self, settings: Any, id_: str, ip: str = "", agent: str = "") -> None:
        """
        :param ip: of the buyer; the store is told it with the order, and nobody keeps it.
        :param agent: of the buyer's browser, likewise.
        """
        self.buyer = ip, agent
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
        if self.sale["state"] in sales.CLOSED:
            filed = self.sale["filed"]
            sync.dismiss([key for code, key in filed if code == texts.WAITS], texts.SETTLED)

    def note(self, words: str = "", **changes: Any) -> None:
        """Commit changes of the sale."""
        self.sale = writer.run(lambda site: self.change(site, changes, words))

    def change(self, site: Any, changes: sales.Sale, words: str) -> sales.Sale:
        """Change the sale, in the writer.

        :raises sales.Conflict: the lease is over, and somebody else has the sale.
        """
        if sales.get(site, self.id)["holder"] != self._holder:
            raise sales.Conflict(409, "Busy", "Somebody is at this sale.")
        now = timestamps.now()
        # The question that follows has the whole lease.
        lease = timestamps.iso(now + sales.LEASE)
        return sales.change(site, self.id, now, {"lease": lease, **changes}, words)

    def order(self) -> orders.Order:
        """The order or cart of the user, as it is now."""
        return carts.order(self.settings, self.sale["user"])

    def attend(self, code: str) -> None:
        """Mark the sale, and file a notification that needs attention."""
        self.note(code, attention=code)
        attend(self.sale, code)


def attend(sale: sales.Sale, code: str, cause: str = "") -> None:
    """File a notification that a sale needs attention.

    :param cause: the key of an entry, for which it is filed once. Without it, it is filed once
        up to the next act of an owner: after that the same trouble is news.
    """
    marks = sum(1 for _at, _state, words in sale["log"] if words in _ACTS)
    about = f"{sale['id']} {cause or marks}" if cause or marks else sale["id"]
    key = idempotency_key(protocol.NAME, texts.SALE, about, code)
    known = ledger.get(plone_site.get(), key) if cause else None
    if known is not None and known["outcome"] in outcomes.FINAL:
        return
    logger.warning("Sale %s needs attention: %s", sale["id"], code)
    payload = {name: str(sale[name]) for name in ("id", "order", "user", "state", "number")}
    notification = sync.attention(
        *(texts.SALE, sale["id"], code, timestamps.now(), payload),
        key=key,
        receipt=sale["number"],
        buyer=sale["email"].lower(),
        email=sale["email"],
    )
    filed = code, key
    try:
        pipeline.process(notification)
    except (pipeline.Failed, transactions.Busy):
        logger.warning("Sale %s is not filed.", sale["id"])
    else:
        writer.run(lambda site: _file(site, sale["id"], filed))


def _file(site: Any, id_: str, filed: tuple[str, str]) -> None:
    known = sales.get(site, id_)["filed"]
    if filed not in known:
        sales.change(site, id_, timestamps.now(), {"filed": (*known, filed)})
