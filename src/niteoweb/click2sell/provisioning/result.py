"""The result of a notification, as far as its provider has to know."""

from collections.abc import Iterable
from dataclasses import dataclass
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provisioning.apply import Applied


#: Outcomes, the most important for a provider first.
WORST = (
    Outcome.REFUSED,
    Outcome.NOT_KEPT,
    Outcome.FAILED,
    Outcome.RECEIVED,
    Outcome.ATTENTION,
    Outcome.ACCEPTED,
    Outcome.NOTHING,
)


@dataclass(frozen=True)
class Result:
    """The result of a notification.

    :ivar outcome: of the ledger entry, see :mod:`niteoweb.click2sell.ledger.ledger`; "not kept"
        when its transaction has too many entries already.
    """

    outcome: str
    reason: str = ""
    subject: str = ""


@dataclass(frozen=True)
class Settled:
    """An entry after processing, for events and mail after the commit.

    :ivar applied: the plan that was applied; None when the entry was finished before, or has to
        wait.
    """

    result: Result
    notification: Notification
    applied: Applied | None


def of(entry: ledger.Entry) -> Result:
    """The result of an entry's notification."""
    return Result(entry["outcome"], entry["reason"], entry["subject"])


def worst(results: Iterable[Result]) -> Result:
    """The result that concerns the provider most."""
    return min(results, key=lambda result: WORST.index(result.outcome))
