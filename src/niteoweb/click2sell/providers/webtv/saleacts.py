"""An owner's acts on a sale; the background asks the store, no page waits for it."""

from collections import Counter
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.providers.webtv import course
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.providers.webtv import selling
from niteoweb.click2sell.providers.webtv import sync
from niteoweb.click2sell.storage import NotPossible
from niteoweb.click2sell.storage import writer
from typing import Any


#: The acts, as they stand in forms.
TRY_AGAIN, CANCEL, SETTLE = "again", "cancel", "settle"

GONE = _("This cannot be done any more. Look again.")

#: What an act wants of the background, and the line of the log that it leaves.
_WANTED = {
    TRY_AGAIN: (sales.GO_ON, course.TRIED_AGAIN),
    CANCEL: (sales.CANCEL, course.CANCEL_ASKED),
}

#: States of a sale before its payment.
_UNPAID = frozenset({sales.BEGUN, sales.CARTED, sales.PLACING, sales.PLACED})


def possible(sale: sales.Sale) -> tuple[str, ...]:
    """The acts that a sale allows, the likely one first."""
    if sale["wanted"]:
        return ()
    state, acts = sale["state"], []
    is_open = state not in sales.CLOSED and (sale["user"] or state == sales.CHARGED)
    if is_open and (sale["attention"] or state != sales.PLACED):
        acts.append(TRY_AGAIN)
    is_unpaid = not sale["payments"] and sale["origin"] != "processor"
    if is_unpaid and state in _UNPAID:
        acts.append(CANCEL)
    if sale["attention"] or sale["filed"]:
        acts.append(SETTLE)
    return tuple(acts)


def act(id_: str, what: str, by: str, note: str) -> None:
    """Carry an act out, and dismiss the entries that were filed about the sale.

    :param by: user id of the owner.
    :param note: what the owner has done about it.
    :raises NotPossible: the sale does not allow it any more.
    """

    def work(site: Any) -> sales.Sale:
        sale, now = sales.get(site, id_), timestamps.now()
        if what not in possible(sale):
            raise NotPossible(GONE)
        if what == SETTLE:
            return sales.change(site, id_, now, _settled(sale), course.SETTLED)
        kind, words = _WANTED[what]
        return sales.change(site, id_, now, {"wanted": kind, "attention": ""}, words)

    sale = writer.run(work)
    sync.dismiss([key for _code, key in sale["filed"]], note, by)
    # Nothing that was filed waits any more.
    writer.run(lambda site: sales.change(site, id_, timestamps.now(), {"filed": ()}))
    if what != SETTLE:
        selling.leave(lambda settings: selling.resume(settings, Counter()))


def _settled(sale: sales.Sale) -> dict[str, Any]:
    if sale["state"] in sales.CLOSED:
        return {"attention": ""}
    was_paid = sale["payments"] or sale["state"] in (sales.CHARGED, sales.PROCESSED)
    if sale["origin"] == "processor" and not was_paid:
        return {"attention": ""}  # its buyer may come back and pay
    return {"attention": "", "state": sales.DONE if was_paid else sales.CANCELLED}
