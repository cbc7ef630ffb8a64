"""What became of a notification, as far as whoever delivered it has to know."""

from collections.abc import Iterable
from dataclasses import dataclass
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provisioning.apply import Applied


#: Outcomes, from the one that a provider has to be told of first.
WORST = (
    ledger.REFUSED,
    ledger.NOT_KEPT,
    ledger.FAILED,
    ledger.RECEIVED,
    ledger.ATTENTION,
    ledger.ACCEPTED,
    ledger.NOTHING,
)


@dataclass(frozen=True)
class Result:
    """What became of a notification.

    :ivar outcome: of the ledger entry, see :mod:`niteoweb.click2sell.ledger.ledger`; "not kept"
        when its transaction has too many entries already.
    """

    outcome: str
    reason: str = ""
    subject: str = ""


@dataclass(frozen=True)
class Settled:
    """What became of an entry, for events and mail after the commit.

    :ivar applied: what was changed for its buyer; None when the entry was finished before, or
        has to wait.
    """

    result: Result
    notification: Notification
    applied: Applied | None


def of(entry: ledger.Entry) -> Result:
    """What became of an entry's notification."""
    return Result(entry["outcome"], entry["reason"], entry["subject"])


def worst(results: Iterable[Result]) -> Result:
    """Of several results the one that the provider has to be told."""
    return min(results, key=lambda result: WORST.index(result.outcome))
