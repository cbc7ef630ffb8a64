"""The pipeline: write a notification down, plan the changes, make the site agree.

The only module that knows all the others. Everything that changes the site on behalf of a
notification goes through :func:`process`: a delivery, a replay, the sweep.

All changes are made by the writer of the process, one after the other. Mail, events and content
rules come after that: nobody's purchase waits for a mail server.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import Admission
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import GRANTS_NOTHING
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import outcomes
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.ledger import rejections
from niteoweb.click2sell.ledger import retryqueue
from niteoweb.click2sell.mail import delivery
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provisioning import enrichment
from niteoweb.click2sell.provisioning import events
from niteoweb.click2sell.provisioning import plan as plans
from niteoweb.click2sell.provisioning import recording
from niteoweb.click2sell.provisioning import result as results
from niteoweb.click2sell.provisioning import transfer
from niteoweb.click2sell.provisioning import verdict as verdicts
from niteoweb.click2sell.provisioning.apply import Applied
from niteoweb.click2sell.provisioning.apply import apply
from niteoweb.click2sell.provisioning.result import Result
from niteoweb.click2sell.provisioning.result import Settled
from niteoweb.click2sell.settings import secretkeys
from niteoweb.click2sell.storage import failures
from niteoweb.click2sell.storage import log_failure
from niteoweb.click2sell.storage import steps
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from typing import Any

import logging


logger = logging.getLogger("niteoweb.click2sell")


class Failed(Exception):
    """Provisioning failed; the entry is kept and can be tried again."""


def process(*notifications: Notification, signed_by: str = "") -> Result:
    """Write genuine notifications down and provision their buyers.

    Several that came in one delivery are written in one commit and take effect in another one.

    :param signed_by: mark of the key of their signature, see
        :func:`niteoweb.click2sell.settings.secretkeys.mark`; "" for none.
    :returns: their result; of several the result that concerns the provider most.
    :raises niteoweb.click2sell.storage.transactions.Busy: try again later; nothing is lost.
    :raises Failed: something unexpected happened; the entries are kept as failed.
    """
    by_key = {notification.key: notification for notification in notifications}
    return _process(tuple(by_key), by_key, signed_by=signed_by)


def process_each(notifications: Iterable[Notification]) -> None:
    """Process notifications one by one; the sweep takes up an entry that is kept as failed.

    :raises niteoweb.click2sell.storage.transactions.Busy: try again later.
    """
    for notification in notifications:
        try:
            process(notification)
        except Failed:
            logger.warning("Entry %s has to wait.", notification.key)


def resume(key: str) -> Result:
    """Take up an entry that is not final, and ask its provider if need be; in the background.

    :raises niteoweb.click2sell.storage.transactions.Busy: try again later; nothing is lost.
    :raises Failed: something unexpected happened; the entry is kept as failed.
    """
    return _process((key,), {}, asks=True)


def replay(key: str) -> Result:
    """Process an entry again, whatever became of it before.

    One that its provider has to be asked about waits for the answer.

    :raises KeyError: there is no such entry.
    :raises niteoweb.click2sell.storage.transactions.Busy: try again later.
    :raises Failed: something unexpected happened; the entry is kept as failed.
    """
    return _process((key,), {}, again=True)


def provision(
    buyer_id: str,
    follow_mapping: bool = False,
    despite_silence: bool = False,
    admission: Admission = Admission.ARRIVAL,
) -> plans.Plan:
    """Make the site agree with the access that a buyer is entitled to now.

    :param follow_mapping: also revoke groups that a changed mapping does not give any more.
    :param despite_silence: also end subscriptions that a silent provider sent no renewal for.
    :param admission: whether an account that has to be made may have to wait.
    :returns: the plan that was applied.
    :raises niteoweb.click2sell.storage.transactions.Busy: try again later.
    """

    def work(site: Any) -> Applied:
        now = timestamps.now()
        buyer = buyers.get(site, buyer_id)
        plan = plans.make(site, buyer, now, None, follow_mapping, despite_silence, admission)
        return perform(site, plan, None)

    applied = writer.run(work)
    follow_up(applied, None)
    return applied.plan


def perform(site: Any, plan: plans.Plan, entry: ledger.Entry | None) -> Applied:
    """Apply a plan, inside a job of the writer.

    :param entry: the entry being processed, None when there is none.
    """
    steps.reached("planned")
    now = timestamps.now()
    applied = apply(site, plan, entry, now)
    events.tell_receivers(site, applied, entry, now)
    steps.reached("before commit")
    return applied


def follow_up(applied: Applied, notification: Notification | None) -> None:
    """Fire events and hand the mail over, after a commit. No purchase is lost here.

    :param notification: the notification that is news and led to it, None for none.
    """
    if applied.created and notification is None:
        payment = ledger.get(plone_site.get(), applied.plan.payment)
        notification = history.notification(payment)
    events.hand_over(events.events(applied, notification))
    if applied.mail_id:
        delivery.hand_over(applied.mail_id)
    steps.reached("finished")


def _process(
    keys: Collection[str],
    notifications: Mapping[str, Notification],
    again: bool = False,
    asks: bool = False,
    signed_by: str = "",
) -> Result:
    settled: dict[str, Settled] = {}

    def record_and_settle() -> tuple[Result | None, tuple[Notification, ...]]:
        result, questions = writer.run(
            lambda site: _record(site, keys, notifications, again, signed_by)
        )
        if result is not None and not again:
            return result, ()
        steps.reached("recorded")
        if not (questions and asks):
            settled.update(_settle(keys, again))
        return None, questions

    result, questions = writer.run_in_a_row(record_and_settle)
    if result is not None:
        return result
    replies: dict[str, enrichment.Reply] = {}
    if questions and not asks:
        enrichment.hand_over(keys)
    elif questions:
        replies = enrichment.ask(questions)
        keys = writer.run(
            lambda site: recording.take_replies(site, keys, replies, timestamps.now())
        )
        settled = _settle(keys, again)
    for of_entry in settled.values():
        if of_entry.applied is not None:
            # A payment that was told before is no news when it is replayed; a new member is.
            is_news = of_entry.applied.created or (
                not again and of_entry.result.reason not in GRANTS_NOTHING
            )
            follow_up(of_entry.applied, of_entry.notification if is_news else None)
    if any(reply.reason == enrichment.BROKEN for reply in replies.values()):
        raise Failed
    # Entries that have waited for these do not concern the provider that delivered them.
    return results.worst(settled[key].result for key in keys if key in settled)


def _record(
    site: Any,
    keys: Collection[str],
    notifications: Mapping[str, Notification],
    again: bool,
    signed_by: str,
) -> tuple[Result | None, tuple[Notification, ...]]:
    """Write the entries down unless they are there.

    :returns: the result when nothing is left to do, and notifications whose provider has to be
        asked first.
    :raises KeyError: there is no such entry, and no notification to write down.
    """
    steps.reached("before record")
    rejections.write(site)
    if signed_by:
        secretkeys.note_use(site, signed_by, timestamps.now())
    finished = []
    for key in keys:
        entry = ledger.get(site, key)
        if entry is None:
            entry = recording.write_down(site, notifications[key], timestamps.now())
        if entry is None:
            logger.error("A transaction has too many notifications; one was only counted.")
            finished.append(Result(Outcome.NOT_KEPT))
        elif again and enrichment.asks(entry):
            recording.await_details(site, entry, timestamps.now())
        elif entry["outcome"] in outcomes.FINAL:
            finished.append(results.of(entry))
    nothing_left = len(finished) == len(keys)
    return results.worst(finished) if nothing_left else None, enrichment.questions(site, keys)


def _settle(keys: Collection[str], again: bool) -> dict[str, Settled]:
    """Provision the buyers of entries, in one commit.

    Entries that have waited for their customers to be known go with them, and so do those that
    end because another buyer has the subscription now.

    :returns: by the keys that were asked for; an entry that was erased has another one.
    :raises Failed: something unexpected happened; the entries are kept as failed.
    """

    def work(site: Any) -> dict[str, Settled]:
        now = timestamps.now()
        taken_up = (*keys, *recording.take_up(site, keys, now))
        provisioned = {key: _provision_entry(site, key, again) for key in taken_up}
        for key in recording.write_new(site, transfer.taken_over(site, taken_up, now), now):
            provisioned[key] = _provision_entry(site, key, again)
        return {
            key: Settled(results.of(entry), history.notification(entry), applied)
            for key, applied in provisioned.items()
            if (entry := ledger.get(site, key)) is not None
        }

    try:
        settled = writer.run(work)
    except transactions.Busy:
        raise
    except Exception as error:
        _fail(keys, error, again)
        raise Failed from None
    steps.reached("provisioned")
    return settled


def _provision_entry(site: Any, key: str, again: bool) -> Applied | None:
    """Provision the buyer of an entry.

    :returns: None when the entry is finished already, has to wait, or was not kept.
    """
    steps.reached("before plan")
    entry = ledger.get(site, key)
    if entry is None or (entry["outcome"] in outcomes.FINAL and not again):
        return None
    if enrichment.asks(entry):
        return None
    if pseudonyms.is_erased(entry):
        return Applied(plans.Plan(entry["buyer_id"]))
    ledger.count_attempt(site, entry)
    verdict = verdicts.without_plan(site, entry)
    if verdict is None:
        buyer = buyers.get(site, entry["buyer_id"])
        return perform(site, plans.make(site, buyer, timestamps.now(), entry), entry)
    if verdict.outcome != Outcome.NOTHING:
        logger.warning("Entry %s %s: %s.", key, verdict.outcome, verdict.reason)
    ledger.set_outcome(site, entry, verdict.outcome, verdict.reason, verdict.subject)
    return Applied(plans.Plan(entry["buyer_id"]))


def _fail(keys: Iterable[str], error: Exception, again: bool) -> None:
    """Keep entries as failed, with where it failed; a message could hold an address."""

    def work(site: Any) -> None:
        for key in keys:
            entry = ledger.get(site, key)
            if entry is None or (entry["outcome"] in outcomes.FINAL and not again):
                continue
            ledger.note_failure(site, entry, failures.description(error), timestamps.now())
            retryqueue.schedule(site, entry, timestamps.now())
            ledger.set_outcome(site, entry, Outcome.FAILED)

    log_failure(f"Entry {', '.join(keys)} failed", error)
    writer.run(work)
