"""Previews: the changes that processing an entry would make, for a person to look at."""

from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.provisioning import plan as plans
from niteoweb.click2sell.provisioning.plan import Plan
from niteoweb.click2sell.provisioning.plan import Verdict
from typing import Any


@dataclass(frozen=True)
class Preview:
    """The changes that a replay would make.

    :ivar plan: an empty one when the entry changes nothing for any buyer.
    :ivar verdict: the outcome of the entry.
    """

    plan: Plan
    verdict: Verdict


def replay(site: Any, key: str, now: datetime) -> Preview:
    """Work out the changes of a replay of an entry; nothing is changed.

    :param now: in UTC.
    :raises KeyError: there is no such entry.
    """
    entry = ledger.get(site, key)
    if entry is None:
        raise KeyError(key)
    if pseudonyms.is_erased(entry):
        return Preview(Plan(""), Verdict(entry["outcome"], entry["reason"], entry["subject"]))
    verdict = plans.without_plan(site, entry)
    if verdict is not None:
        return Preview(Plan(""), verdict)
    plan = plans.make(site, buyers.get(site, entry["buyer_id"]), now, entry)
    return Preview(plan, plan.verdicts[key])
