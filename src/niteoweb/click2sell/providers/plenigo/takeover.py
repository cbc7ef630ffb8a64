"""The takeover: who has something at plenigo already becomes a buyer of the site.

Each subscription, order or in-app purchase is an act of an owner and a commit of its own: it
takes the road of every notification, but nobody waits for a new account, and nobody is mailed
unless that was asked for. What is known is passed over, so that another takeover does the rest.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import reasons
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.owner import Action
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import importing
from niteoweb.click2sell.owner import NotPossible
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.plenigo import checkout
from niteoweb.click2sell.providers.plenigo import client
from niteoweb.click2sell.provisioning import Plan
from niteoweb.click2sell.provisioning import preview
from niteoweb.click2sell.provisioning import recording
from niteoweb.click2sell.storage import log_failure
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.worker import catchup
from typing import Any
from zope.i18n import translate

import transaction


#: The effect on what cannot be taken over; the others are those of an import.
LEFT_OUT = "left out"

KEPT_OUT = "plenigo keeps this customer out"


@dataclass(frozen=True)
class TakeIn(Action):
    """Take in a notification that plenigo has not delivered.

    :ivar about: further ones, about its customer.
    """

    notification: Notification
    about: tuple[Notification, ...]
    mail: bool
    mail_after: datetime | None

    def __post_init__(self) -> None:
        """Nothing comes from a form."""

    def write(self, site: Any, now: datetime) -> list[action.AffectedBuyer]:
        """Record the notifications; one that changes nothing for anybody has its outcome."""
        affected = []
        for notification in (*self.about, self.notification):
            entry = ledger.get(site, notification.key)
            entry = entry or recording.write_down(site, notification, now)
            if entry is None:
                raise NotPossible("too many notifications")
            due = preview.replay(site, entry["key"], now)
            if due.plan.buyer_id:
                affected.append(action.AffectedBuyer(entry["buyer_id"], entry["key"]))
            else:
                told = due.verdict
                ledger.set_outcome(site, entry, told.outcome, told.reason, told.subject)
        return affected


@dataclass
class Report:
    """The result of a takeover.

    :ivar lines: one for each subscription, order or purchase that is news.
    :ivar known: number of those that are known, or were over before anybody knew them.
    :ivar error: why it has not come to its end, "" if it has.
    """

    lines: list[dict[str, Any]] = field(default_factory=list)
    known: int = 0
    mails: int = 0
    error: str = ""

    @property
    def counted(self) -> dict[str, int]:
        """Effect -> number of lines."""
        return dict(Counter(line["what"] for line in self.lines))


def run(
    since: datetime,
    applied: bool,
    mails_an_hour: int = 0,
    progress: Callable[[int], None] = lambda number: None,
) -> Report:
    """Ask plenigo for everything, and make those who have something there buyers.

    :param since: in UTC; what has not changed since then is left alone.
    :param applied: otherwise nothing is changed.
    :param mails_an_hour: how many new members may be mailed in an hour; 0 mails nobody.
    :param progress: called with the number of lines so far.
    :raises niteoweb.click2sell.providers.plenigo.checkout.NotSold: plenigo is switched off.
    :raises niteoweb.click2sell.providers.plenigo.checkout.NotSetUp: there is no token.
    """
    report, stored = Report(), checkout.askable(writes=False)
    times = importing.mail_times(mails_an_hour)
    mail_at = next(times)
    try:
        for notification in client.changes(stored, since, timestamps.now()):
            if _is_known(notification):
                report.known += 1
                continue
            line, is_mailed = _take_in(notification, stored, applied, mail_at)
            report.lines.append(line)
            if is_mailed:
                report.mails += 1
                mail_at = next(times)
            progress(len(report.lines))
    except (Unreachable, Refused) as error:
        report.error = f"plenigo cannot be asked: {error}"
    except transactions.Busy:
        report.error = "another process was at the data"
    if applied and report.mails:
        importing.note_mails(mail_at)
    return report


def _is_known(notification: Notification) -> bool:
    transaction.begin()
    site = plone_site.get()
    is_recorded = ledger.get(site, notification.key) is not None
    return is_recorded or catchup.is_known(site, notification)


def _take_in(
    notification: Notification, stored: Any, applied: bool, mail_at: datetime | None
) -> tuple[dict[str, Any], bool]:
    """The effect of a notification, as a line, and whether its buyer is mailed."""
    line = {"subject": notification.transaction, "address": "", "product_id": ""}
    line |= {"what": LEFT_OUT, "groups": [], "reason": None}
    try:
        named = customers.named(plone_site.get(), notification)
        complete, *about = client.complete(named, stored, timestamps.now())
        take_in = TakeIn(complete, tuple(about), mail_at is not None, mail_at)
        plans = (action.carry_out if applied else action.preview)(take_in)
    except Refused as error:
        return line | {"reason": error.reason}, False
    except NotPossible as error:
        return line | {"reason": translate(error.message)}, False
    except transactions.Busy:
        raise
    except Exception as error:
        # The others go on.
        log_failure(f"{notification.transaction} cannot be taken in", error)
        return line | {"reason": "failed, see the log"}, False
    line |= {"address": complete.email, "product_id": complete.product_id}
    if not plans:
        return line | {"what": importing.ATTENTION}, False
    plan = plans[-1]
    line |= _told(plan, complete.key)
    if about:
        line |= {"groups": [], "reason": KEPT_OUT}
    return line, bool(plan.mail)


def _told(plan: Plan, key: str) -> dict[str, Any]:
    verdict = plan.verdicts[key]
    if verdict.outcome == Outcome.ATTENTION:
        why = translate(reasons.text(verdict.reason, verdict.subject))
        return {"what": importing.ATTENTION, "groups": list(plan.grant), "reason": why}
    new = importing.NEW if plan.create else importing.EXISTING
    what = new if plan.create or plan.attach else importing.KNOWN
    return {"what": what, "groups": list(plan.grant)}
