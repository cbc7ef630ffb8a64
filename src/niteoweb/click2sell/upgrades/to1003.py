"""The ledger in the order of arrival, with indexes of whole numbers; see :mod:`..shelf`."""

from Acquisition import aq_parent
from BTrees.OOBTree import OOTreeSet
from collections.abc import Iterable
from collections.abc import Iterator
from niteoweb.click2sell.ledger import correction
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import mentions
from niteoweb.click2sell.ledger import search
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import index
from niteoweb.click2sell.storage import trees as store
from typing import Any
from typing import TypeVar
from zope.annotation.interfaces import IAnnotations

import transaction


#: Objects after which what was read and written leaves the memory.
BATCH = 2000

T = TypeVar("T")


def upgrade(setup_tool: Any) -> None:
    """Take what the add-on keeps over into the present trees."""
    site = aq_parent(setup_tool)
    store.install(site)
    trees = IAnnotations(site)[store.KEY]
    if any(isinstance(key, str) for key in list(trees["entries"].keys())[:1]):
        _entries(site, trees)
        _transactions(site, trees)
        trees["buyers_paid"] = store.TREES["buyers_paid"]()
    for record in _in_batches(site, trees["buyers"].values()):
        record.pop("paid_at", None)
    search.rebuild(site)
    outbox.rebuild(site)
    index.rebuild(site)
    for key in ledger.newest_first(site, "outcome", ledger.REFUSED):
        ledger.file_dismissed(site, ledger.get(site, key))
    mentions.rebuild(site)
    correction.rebuild(site)


def _entries(site: Any, trees: Any) -> None:
    """Key -> entry, and sets of time and key, before."""
    before = {name: trees[name] for name in ("entries", "facets", "payloads_kept")}
    for name in ("entries", "facets", "counts", "money"):
        trees[name] = store.TREES[name]()
    for _time, key in _in_batches(site, before["facets"].get("all=", ())):
        entry = before["entries"][key]
        entries.choose(site, entry)
        ledger.file(site, entry)
    trees["payloads_kept"] = OOTreeSet(
        ledger.place(before["entries"][key]) for _time, key in before["payloads_kept"]
    )


def _transactions(site: Any, trees: Any) -> None:
    """Provider and transaction -> what is known of it, before."""
    before, trees["transactions"] = trees["transactions"], store.TREES["transactions"]()
    for place, standing in _in_batches(site, before.items()):
        trees["transactions"][store.number(*place)] = standing


def _in_batches(site: Any, found: Iterable[T]) -> Iterator[T]:
    """The same, keeping the memory small while what was found is being changed."""
    for position, one in enumerate(found, 1):
        yield one
        if position % BATCH == 0:
            transaction.savepoint(optimistic=True)
            site._p_jar.cacheGC()
