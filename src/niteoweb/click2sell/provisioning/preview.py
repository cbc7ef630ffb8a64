"""What processing an entry again would do: worked out for a person to look at, not done."""

from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning.plan import of_unknown_kind
from niteoweb.click2sell.provisioning.plan import Plan
from niteoweb.click2sell.provisioning.plan import Verdict
from typing import Any


@dataclass(frozen=True)
class DryRun:
    """What a replay would do.

    :ivar plan: an empty one when the entry concerns nobody.
    :ivar verdict: what would become of the entry.
    """

    plan: Plan
    verdict: Verdict


def replay(site: Any, key: str, now: datetime) -> DryRun:
    """Work out what a replay of an entry would do; nothing is changed.

    :param now: in UTC.
    :raises KeyError: there is no such entry.
    """
    plan = pipeline.preview(site, key, now)
    if plan is not None:
        return DryRun(plan, plan.verdicts[key])
    return DryRun(Plan(""), _of_nobody(site, ledger.get(site, key)))


def _of_nobody(site: Any, entry: ledger.Entry) -> Verdict:
    """What a replay makes of an entry that concerns nobody."""
    if pseudonyms.is_erased(entry) or _is_held(site, entry):
        if entry["outcome"] in ledger.FINAL:
            return Verdict(entry["outcome"], entry["reason"], entry["subject"])
        return Verdict(ledger.ATTENTION, "erased buyer")
    if entry["kind"] == Kind.UNKNOWN:
        return of_unknown_kind(entry)
    return Verdict(ledger.REFUSED, ledger.ANOTHER)


def _is_held(site: Any, entry: ledger.Entry) -> bool:
    """Whether the entry's buyer was erased, so that it waits for the owner."""
    buyer = buyers.get(site, entry["buyer_id"])
    return buyer is not None and pseudonyms.is_erased(buyer)
