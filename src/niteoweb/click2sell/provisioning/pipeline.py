"""The pipeline: write a notification down, work out what follows, make the site agree.

The only module that knows all the others. Everything that changes the site on behalf of a
notification goes through :func:`process`: a delivery, a replay, the sweep.

Within a process provisioning is serial. A thread takes the lock, begins a new transaction (its
old one is a snapshot from before the wait), works, commits and releases. Mail, events and
content rules come after that: nobody's purchase waits for a mail server.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from datetime import datetime
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.buyers import Turn
from niteoweb.click2sell.entitlement import GRANTS_NOTHING
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.ledger import rejections
from niteoweb.click2sell.ledger import retryqueue
from niteoweb.click2sell.mail import delivery
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provisioning import apply
from niteoweb.click2sell.provisioning import enrichment
from niteoweb.click2sell.provisioning import events
from niteoweb.click2sell.provisioning import holder
from niteoweb.click2sell.provisioning import plan as plans
from niteoweb.click2sell.provisioning import recording
from niteoweb.click2sell.provisioning import result as results
from niteoweb.click2sell.provisioning.result import Result
from niteoweb.click2sell.settings import secretkeys
from niteoweb.click2sell.storage import failures
from niteoweb.click2sell.storage import log_failure
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from typing import Any

import logging


logger = logging.getLogger("niteoweb.click2sell")

#: Where a process can die or fail, in order; the tests make it do both at each of them.
STEPS = (
    "before record",
    "recorded",
    "before plan",
    "planned",
    "member made",
    "properties written",
    "groups changed",
    "before commit",
    "provisioned",
    "before mail",
    "mail marked sending",
    "mail handed over",
    "mail marked sent",
    "finished",
)


class Failed(Exception):
    """Provisioning failed; the entry is kept and can be tried again."""


def step(name: str) -> None:
    """A place of :data:`STEPS`; does nothing, tests replace it."""


def process(*notifications: Notification, signed_by: str = "") -> Result:
    """Write genuine notifications down and provision their buyers.

    Several that came in one delivery are written in one commit and take effect in another one.

    :param signed_by: what stands for the key of their signature, see
        :func:`niteoweb.click2sell.settings.secretkeys.mark`; "" for none.
    :returns: what became of them; of several the result that concerns the provider most.
    :raises niteoweb.click2sell.storage.transactions.Busy: try again later; nothing is lost.
    :raises Failed: something unexpected happened; the entries are kept as failed.
    """
    records = {found.key: recording.recorder(found) for found in notifications}
    return _process(records, signed_by=signed_by, hurried=True)


def process_broken(
    key: str,
    provider: str,
    transaction_id: str,
    payload: dict[str, str],
    parameter: str,
    signed_by: str = "",
) -> Result:
    """Write down a delivery with a valid signature and a broken field: a person must decide.

    :param key: hash of the body.
    :param parameter: name of the broken field.
    :param signed_by: as for :func:`process`.
    :raises niteoweb.click2sell.storage.transactions.Busy: try again later; nothing is lost.
    """
    record = recording.broken_recorder(key, provider, transaction_id, payload, parameter)
    return _process({key: record}, signed_by=signed_by)


def resume(key: str) -> Result:
    """Take up an entry that is not final, for the sweep.

    :raises niteoweb.click2sell.storage.transactions.Busy: try again later; nothing is lost.
    :raises Failed: something unexpected happened; the entry is kept as failed.
    """
    return _process({key: None})


def provision(
    buyer_id: str,
    follow_mapping: bool = False,
    despite_silence: bool = False,
    turn: Turn = Turn.ARRIVAL,
) -> plans.Plan:
    """Make the site agree with what a buyer is entitled to now.

    :param follow_mapping: also take away what a changed mapping does not give any more.
    :param despite_silence: also end what a silent provider sent no renewal for.
    :param turn: whether an account that has to be made may have to wait.
    :returns: the plan that was applied.
    :raises niteoweb.click2sell.storage.transactions.Busy: try again later.
    """

    def work(site: Any) -> tuple[plans.Plan, apply.Applied]:
        now = timestamps.now()
        buyer = buyers.get(site, buyer_id)
        plan = plans.make(site, buyer, now, None, follow_mapping, despite_silence, turn)
        return plan, perform(site, plan, None)

    with writer.section():
        plan, done = transactions.run(work)
    follow_up(plan, done, None)
    return plan


def replay(key: str) -> Result:
    """Process an entry again, whatever became of it before.

    :raises KeyError: there is no such entry.
    :raises niteoweb.click2sell.storage.transactions.Busy: try again later.
    :raises Failed: something unexpected happened; the entry is kept as failed.
    """
    return _process({key: None}, again=True)


def preview(site: Any, key: str, now: datetime) -> plans.Plan | None:
    """What a replay of an entry would change; nothing is changed.

    :returns: None when the entry concerns nobody: its kind is unknown, it is refused, or its
        buyer was erased.
    :raises KeyError: there is no such entry.
    """
    entry = ledger.get(site, key)
    if entry is None:
        raise KeyError(key)
    if entry["kind"] == Kind.UNKNOWN or not entry["buyer_id"]:
        return None
    if ownership.belongs_to_another(site, entry):
        return None
    buyer = buyers.get(site, entry["buyer_id"])
    if pseudonyms.is_erased(entry) or pseudonyms.is_erased(buyer):
        return None
    return plans.make(site, buyer, now, entry)


def _process(
    records: Mapping[str, recording.Recorder | None],
    again: bool = False,
    signed_by: str = "",
    hurried: bool = False,
) -> Result:
    with writer.section():
        result = transactions.run(lambda site: _record(site, records, signed_by))
        if result is not None and not again:
            return result
        step("recorded")
        asked = enrichment.questions(plone_site.get(), records)
        keys: Collection[str] = records.keys()
        settled = {} if asked else _settle(keys, again)
    if asked:
        replies = enrichment.ask(asked, hurried)
        with writer.section():
            keys = transactions.run(lambda site: _complete(site, records, replies))
            settled = _settle(keys, again)
    for result, notification, done in settled.values():
        if done is not None:
            # A payment that was told before is no news when it is replayed; a new member is.
            news = done[1].created or (not again and result.reason not in GRANTS_NOTHING)
            follow_up(*done, notification if news else None)
    if asked and any(reply.reason == enrichment.BROKEN for reply in replies.values()):
        raise Failed
    # What has waited for these is no matter of whoever delivered them.
    return results.worst(settled[key][0] for key in keys if key in settled)


def _complete(
    site: Any, keys: Iterable[str], replies: Mapping[str, enrichment.Reply]
) -> tuple[str, ...]:
    """Write down what providers have answered.

    :returns: keys of the entries to go on with: those of before, and others that were told of.
    """
    now, found = timestamps.now(), list(keys)
    for key, reply in replies.items():
        entry = ledger.get(site, key)
        if not enrichment.asks(entry):
            continue  # another process was faster
        if not reply.told:
            enrichment.put_off(site, entry, reply, now)
            continue
        recording.amend(site, entry, reply.told[0], now)
        for notification in reply.told[1:]:
            if ledger.get(site, notification.key) is None:
                recording.write_down(site, notification, now)
                found.append(notification.key)
    return tuple(found)


Settled = tuple[Result, Notification, tuple[plans.Plan, apply.Applied] | None]


def _settle(keys: Collection[str], again: bool) -> dict[str, Settled]:
    """Provision the buyers of entries, in one commit; the lock is held.

    What has waited for their customers to be known goes with them, and what they end.

    :returns: by the keys that were asked for; an entry that was erased has another one.
    :raises Failed: something unexpected happened; the entries are kept as failed.
    """

    def work(site: Any) -> dict[str, tuple[plans.Plan, apply.Applied] | None]:
        now = timestamps.now()
        found = (*keys, *recording.take_up(site, keys, now))
        done = {key: _provision_entry(site, key, again) for key in found}
        ended = holder.follow(site, found, now)
        return {**done, **{key: _provision_entry(site, key, again) for key in ended}}

    try:
        provisioned = transactions.run(work)
    except transactions.Busy:
        raise
    except Exception as error:
        _fail(keys, error, again)
        raise Failed from None
    step("provisioned")
    site = plone_site.get()
    return {
        key: (results.of(entry), history.notification(entry), done)
        for key, done in provisioned.items()
        if (entry := ledger.get(site, key)) is not None
    }


def perform(
    site: Any, plan: plans.Plan, entry: ledger.Entry | None, sends: bool = True
) -> apply.Applied:
    """Apply a plan, inside a commit and the lock.

    :param entry: the entry being processed, None when there is none.
    :param sends: whether the mail that becomes due is sent as soon as that is committed.
    """
    step("planned")
    done = apply.apply(site, plan, entry, timestamps.now(), step, sends)
    step("before commit")
    return done


def follow_up(plan: plans.Plan, done: apply.Applied, notification: Notification | None) -> None:
    """What follows a commit, outside the lock: events and mail. No purchase is lost here.

    :param notification: the one that led to it and is news, None for none.
    """
    if done.created and notification is None:
        notification = history.notification(ledger.get(plone_site.get(), plan.payment))
    events.fire(events.events(plan, done, notification))
    if done.mail_id:
        send(done.mail_id, done.password, done.claim)
    step("finished")


def send(mail_id: str, password: str = "", claim: str = "") -> None:
    """Send a mail of the outbox now; what stands in the way is left to the sweep.

    :param password: the new member's, while it is known.
    :param claim: on the mail, see :class:`~.apply.Applied`; "" for
        none.
    """
    try:
        delivery.deliver(mail_id, password, step, claim)
    except transactions.Busy:
        logger.warning("Mail %s has to wait: the database is busy.", mail_id)
    except Exception as error:
        logger.error("Mail %s has to wait: %s", mail_id, type(error).__name__)


def _record(
    site: Any, records: Mapping[str, recording.Recorder | None], signed_by: str
) -> Result | None:
    """Write the entries down unless they are there.

    :returns: the result when nothing is left to do.
    """
    step("before record")
    rejections.write(site)
    if signed_by:
        secretkeys.note_use(site, signed_by, timestamps.now())
    found = []
    for key, record in records.items():
        entry = ledger.get(site, key)
        if entry is None and record is None:
            raise KeyError(key)
        if entry is None:
            entry = record(site, timestamps.now())
        if entry is None:
            logger.error("A transaction has too many notifications; one was only counted.")
            found.append(Result(ledger.NOT_KEPT))
        elif entry["outcome"] in ledger.FINAL:
            found.append(results.of(entry))
    return results.worst(found) if len(found) == len(records) else None


def _provision_entry(
    site: Any, key: str, again: bool
) -> tuple[plans.Plan, apply.Applied] | None:
    """Provision the buyer of an entry.

    :returns: None when the entry is finished already, has to wait, or was not kept.
    """
    step("before plan")
    entry = ledger.get(site, key)
    if entry is None or (entry["outcome"] in ledger.FINAL and not again):
        return None
    if enrichment.asks(entry):
        return None
    if pseudonyms.is_erased(entry):
        return plans.Plan(entry["buyer_id"]), apply.Applied()
    entry["attempts"] += 1
    entry["error"] = ""
    if entry["kind"] == Kind.UNKNOWN:
        verdict = plans.of_unknown_kind(entry)
        logger.warning("Entry %s needs attention: %s.", key, verdict.reason)
        ledger.finish(site, entry, verdict.outcome, verdict.reason, verdict.subject)
        return plans.Plan(entry["buyer_id"]), apply.Applied()
    if ownership.belongs_to_another(site, entry):
        logger.warning("Entry %s names another buyer or product than its transaction.", key)
        ledger.finish(site, entry, ledger.REFUSED, ledger.ANOTHER)
        return plans.Plan(entry["buyer_id"]), apply.Applied()
    if not entry["buyer_id"]:
        verdict = plans.of_nobody(entry)
        ledger.finish(site, entry, verdict.outcome, verdict.reason, verdict.subject)
        return plans.Plan(""), apply.Applied()
    buyer = buyers.get(site, entry["buyer_id"])
    if pseudonyms.is_erased(buyer):
        logger.warning("Entry %s needs attention: its buyer was erased.", key)
        if entry["outcome"] not in ledger.FINAL:
            ledger.finish(site, entry, ledger.ATTENTION, "erased buyer")
        return plans.Plan(buyer["id"]), apply.Applied()
    plan = plans.make(site, buyer, timestamps.now(), entry)
    return plan, perform(site, plan, entry)


def _fail(keys: Iterable[str], error: Exception, again: bool) -> None:
    """Keep entries as failed, with where it failed; a message could hold an address."""

    def work(site: Any) -> None:
        for key in keys:
            entry = ledger.get(site, key)
            if entry is None or (entry["outcome"] in ledger.FINAL and not again):
                continue
            entry["attempts"] += 1
            ledger.note_failure(entry, failures.description(error), timestamps.now())
            retryqueue.schedule(site, entry, timestamps.now())
            ledger.finish(site, entry, ledger.FAILED)

    log_failure(f"Entry {', '.join(keys)} failed", error)
    transactions.run(work)
