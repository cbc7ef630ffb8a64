"""The report's figures, worked out anew from the ledger, the buyers and the outbox.

For what was counted before the site's time zone was changed, and for the proof that
:mod:`niteoweb.click2sell.ledger.counters` counts right.
"""

from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.storage import trees
from typing import Any
from typing import TypeVar

import transaction


#: Trees of counters.
COUNTERS = ("figures", "products_with_access")
#: Trees in which something is filed by time.
FILED = ("logins_awaited", "renewals_awaited", "mails_failed")

#: Objects after which what was read, or written, leaves the memory.
BATCH = 5000

T = TypeVar("T")


@dataclass
class Differences:
    """Where what is stored is not what it should be.

    :ivar entries: by key, the day that an entry has to be counted under.
    :ivar buyers: by buyer id, the fields that have to be written.
    :ivar counters: by tree and key, what has to be added.
    :ivar missing: trees and places that have to be filed.
    :ivar surplus: trees and places that must not be filed.
    """

    entries: dict[str, str] = field(default_factory=dict)
    buyers: dict[str, dict[str, Any]] = field(default_factory=dict)
    counters: dict[tuple[str, Any], int] = field(default_factory=dict)
    missing: list[tuple[str, Any]] = field(default_factory=list)
    surplus: list[tuple[str, Any]] = field(default_factory=list)

    def __len__(self) -> int:
        parts = (self.entries, self.buyers, self.counters, self.missing, self.surplus)
        return sum(map(len, parts))


def rebuild(site: Any) -> int:
    """Correct what is stored, in the current transaction.

    Other processes may count meanwhile: counters are changed by their difference.

    :returns: how much was wrong.
    """
    found = differences(site)
    records = trees.tree(site, "buyers")
    for key, day in _in_batches(site, found.entries.items(), changing=True):
        ledger.get(site, key)["counted_on"] = day
    for buyer_id, values in _in_batches(site, found.buyers.items(), changing=True):
        ledger.change(records[buyer_id], **values)
    for (tree, key), difference in found.counters.items():
        counters.change(site, tree, key, difference)
    for tree, place in found.missing:
        trees.tree(site, tree).insert(place)
    for tree, place in found.surplus:
        trees.tree(site, tree).remove(place)
    return len(found)


def differences(site: Any) -> Differences:
    """Compare what is stored with what it is counted from; nothing is changed."""
    found, counted = Differences(), Counter()
    for entry in _in_batches(site, trees.tree(site, "entries").values()):
        day = _day(entry)
        _count(counted, day, counters.OF_KIND.get(entry["kind"], ""))
        if day != entry.get("counted_on", ""):
            found.entries[entry["key"]] = day
    for record in _in_batches(site, trees.tree(site, "buyers").values()):
        wanted = _fields(site, record)
        _count(counted, wanted["new_on"], counters.NEW_BUYERS)
        for day in record.get("ended_on", ()):
            _count(counted, day, counters.LAPSES)
        counted.update(("products_with_access", product) for product in record["live"])
        counted["figures", counters.LOGINS_AWAITED] += bool(wanted["login_awaited"])
        places = [("renewals_awaited", place) for place in wanted["renewals_awaited"]]
        if wanted["login_awaited"]:
            places.append(("logins_awaited", wanted["login_awaited"]))
        found.missing += _not_filed(site, places)
        different = {
            name: value
            for name, value in wanted.items()
            if (record.get(name) or None) != (value or None)
        }
        if different:
            found.buyers[record["id"]] = different
    for mail in _in_batches(site, trees.tree(site, "mails").values()):
        if counters.mail_failed(mail):
            found.missing += _not_filed(site, [("mails_failed", counters.mail_place(mail))])
    for tree in COUNTERS:
        counted.subtract({(tree, key): n() for key, n in trees.tree(site, tree).items()})
    found.counters = {key: difference for key, difference in counted.items() if difference}
    for tree in FILED:
        for place in _in_batches(site, trees.tree(site, tree)):
            if not _stands(site, found, tree, place):
                found.surplus.append((tree, place))
    return found


def _fields(site: Any, record: Any) -> dict[str, Any]:
    """What a buyer's record has to say."""
    entries = [ledger.get(site, key) for key in record["keys"]]
    outcome = history.outcome(site, record, timestamps.now())
    wanted = {
        "new_on": counters.first_payment_day(
            {**entry, "counted_on": _day(entry)} for entry in entries
        ),
        "renewals_awaited": counters.renewal_places(record, outcome.renewals()),
    }
    if record["made"] and accounts.exists(record["user_id"]):
        wanted["logged_in"] = not accounts.never_logged_in(record["user_id"])
    wanted["login_awaited"] = counters.login_place({**record, **wanted})
    return wanted


def _day(entry: Mapping[str, Any]) -> str:
    return counters.entry_day(entry, entry["outcome"] in ledger.EFFECTIVE)


def _count(counted: Counter[Any], day: str, name: str) -> None:
    if day:
        counted.update(("figures", (period, name)) for period in counters.periods(day))


def _not_filed(site: Any, places: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    return (found for found in places if found[1] not in trees.tree(site, found[0]))


def _stands(site: Any, found: Differences, tree: str, place: tuple[Any, ...]) -> bool:
    """Whether what is filed is filed rightly."""
    if tree == "mails_failed":
        mail = trees.tree(site, "mails").get(place[1])
        return (
            mail is not None
            and counters.mail_failed(mail)
            and counters.mail_place(mail) == place
        )
    awaits_login = tree == "logins_awaited"
    record = (buyers.of_user if awaits_login else buyers.get)(site, place[1])
    if record is None:
        return False
    right = {**record, **found.buyers.get(record["id"], {})}
    if awaits_login:
        return right.get("login_awaited") == place
    return place in right.get("renewals_awaited", ())


def _in_batches(site: Any, found: Iterable[T], changing: bool = False) -> Iterator[T]:
    """The same, keeping the memory small.

    :param changing: what was found is being changed.
    """
    for position, one in enumerate(found, 1):
        yield one
        if position % BATCH == 0:
            if changing:
                transaction.savepoint(optimistic=True)
            site._p_jar.cacheGC()
