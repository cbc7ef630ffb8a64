"""Which failed entries wait, and what for: the time of their next attempt, or their provider.

Filed by that, so that a sweep looks at what is due and not at all that ever failed.
"""

from collections.abc import Iterator
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger.entries import Entry
from niteoweb.click2sell.ledger.entries import place
from niteoweb.click2sell.storage import trees
from typing import Any


#: Provider, moment, place.
Filed = tuple[str, str, int]

#: Behind all places of a moment.
_LAST = 1


def file(site: Any, entry: Entry, moment: str, provider: str = "") -> None:
    """Let a failed entry wait.

    :param moment: of its next attempt, as stored; with a provider that of the latest one.
    :param provider: it waits for this provider instead, whenever it can be reached.
    """
    forget(site, entry)
    entry["retry_at"] = moment
    if provider:
        entry["waits_for"] = provider
    trees.tree(site, "retries").insert((provider, moment, place(entry)))


def forget(site: Any, entry: Entry) -> None:
    """An entry waits no more."""
    if "retry_at" in entry:
        filed = (entry.pop("waits_for", ""), entry.pop("retry_at"), place(entry))
        trees.tree(site, "retries").discard(filed)


def due(site: Any, moment: str) -> Iterator[str]:
    """Keys of the entries whose time has come, the longest due first.

    :param moment: as stored.
    """
    return _keys(site, _due(site, moment))


def due_count(site: Any, moment: str) -> int:
    """How many entries' time has come.

    :param moment: as stored.
    """
    return len(_due(site, moment))


def waiting_for(site: Any, provider: str) -> Iterator[str]:
    """Keys of the entries that wait for a provider, first the one asked about longest ago."""
    filed = trees.tree(site, "retries")
    return _keys(site, list(filed.keys((provider,), (provider + "\0",))))


def awaited(site: Any) -> Iterator[str]:
    """The providers that entries wait for, by name."""
    filed, after = trees.tree(site, "retries"), "\0"
    while found := next(iter(filed.keys(min=(after,))), None):
        yield found[0]
        after = found[0] + "\0"


def _due(site: Any, moment: str) -> list[Filed]:
    return list(trees.tree(site, "retries").keys(("",), ("", moment, _LAST)))


def _keys(site: Any, found: list[Filed]) -> Iterator[str]:
    """Keys of entries, each looked up when its turn comes."""
    for _provider, _moment, place_ in found:
        yield entries.at(site, place_)["key"]
