"""Previews: the changes that are due, for a person to look at; nothing is changed."""

from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.provisioning import plan as plans
from niteoweb.click2sell.provisioning import verdict as verdicts
from niteoweb.click2sell.provisioning.plan import Plan
from niteoweb.click2sell.provisioning.verdict import Verdict
from typing import Any


@dataclass(frozen=True)
class Preview:
    """The changes that a replay would make.

    :ivar plan: an empty one when the entry changes nothing for any buyer.
    :ivar verdict: the outcome of the entry.
    """

    plan: Plan
    verdict: Verdict


def plan(site: Any, buyer_id: str, now: datetime, key: str = "", **rules: Any) -> Plan:
    """Work out the changes that are due for a buyer.

    :param now: in UTC.
    :param key: of an entry of the buyer that is being processed, "" for none.
    :param rules: further parameters of :func:`niteoweb.click2sell.provisioning.plan.make`.
    """
    return plans.make(site, buyers.get(site, buyer_id), now, ledger.get(site, key), **rules)


def replay(site: Any, key: str, now: datetime) -> Preview:
    """Work out the changes of a replay of an entry.

    :param now: in UTC.
    :raises KeyError: there is no such entry.
    """
    entry = ledger.get(site, key)
    if entry is None:
        raise KeyError(key)
    if pseudonyms.is_erased(entry):
        return Preview(Plan(""), Verdict(entry["outcome"], entry["reason"], entry["subject"]))
    verdict = verdicts.without_plan(site, entry)
    if verdict is not None:
        return Preview(Plan(""), verdict)
    changes = plan(site, entry["buyer_id"], now, key)
    return Preview(changes, changes.verdicts[key])
