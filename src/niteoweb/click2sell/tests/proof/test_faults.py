"""Something goes wrong at each place where it can; then one delivery or one sweep mends it.

The places are those of ``storage.steps.STEPS``: a new one is tried as soon as it is listed, and
one that is used without being listed makes a test fail.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.mail import messages
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import steps
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage.steps import STEPS
from niteoweb.click2sell.tests.proof import disk
from niteoweb.click2sell.tests.proof import dump
from niteoweb.click2sell.tests.proof.case import ProofCase
from niteoweb.click2sell.tests.proof.histories import address
from niteoweb.click2sell.tests.proof.histories import Event
from niteoweb.click2sell.tests.proof.histories import notification
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock
from ZODB.POSException import ConflictError
from ZODB.POSException import ReadConflictError

import logging
import os
import shutil
import transaction


#: Name -> history whose last event meets the fault, and whether the account is there already.
TALES = {
    "a new member": ((Event(Kind.PURCHASE, buyer=1),), False),
    "an account that exists": ((Event(Kind.PURCHASE, buyer=1),), True),
    "a refund": (
        (
            Event(Kind.PURCHASE, product="4", buyer=1),
            Event(Kind.PURCHASE, product="1", day=-3, buyer=1),
            Event(Kind.REFUND, product="4", day=-1, buyer=1),
        ),
        False,
    ),
    "a renewal before its purchase": (
        (
            Event(Kind.CANCELLATION, day=-1, transaction="c", buyer=1),
            Event(Kind.RENEWAL, day=-2, transaction="r", buyer=1, subscription=True),
        ),
        False,
    ),
}

ERRORS = (RuntimeError, ConflictError, ReadConflictError)


class TestSteps(ProofCase):
    def test_a_purchase_passes_every_step_in_order(self):
        passed: list[str] = []
        with mock.patch.object(steps, "reached", passed.append):
            self.deliver(*_tale("a new member"))
        self.assertEqual(passed, list(STEPS))

    def test_a_sweep_leaves_a_mail_alone_that_is_being_sent(self):
        def step(name: str) -> None:
            if name == "mail marked sending":
                with mock.patch.object(steps, "reached", lambda name: None):
                    self.later(minutes=1)
                    self.sweep()

        with mock.patch.object(steps, "reached", step):
            self.deliver(*_tale("a new member"))
        self.assertEqual(len(self.mailed), 1)


class TestErrors(ProofCase):
    """An exception, or a conflict, once or for as long as it is tried."""

    def setUp(self):
        super().setUp()
        for target, name, value in (
            (transactions, "PAUSES", (0.0001,) * len(transactions.PAUSES)),
            (pipeline.logger, "level", logging.CRITICAL),
        ):
            patch = mock.patch.object(target, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def test_each_error_at_each_step(self):
        reached: set[str] = set()
        for name in TALES:
            history, order, existing = _tale(name)
            undisturbed = self.end(self.deliver(history, order, existing))
            for place in STEPS:
                # Those that follow differ in what they change, not in how it is mended.
                for error in ERRORS if name == "a new member" else ERRORS[:2]:
                    for forever in (False, True) if error is not RuntimeError else (False,):
                        for mend in (self.redelivered, self.swept):
                            with self.subTest(
                                name, step=place, error=error, forever=forever, mend=mend
                            ):
                                run = self.deliver(history, order[:-1], existing)
                                with fault(place, error, forever) as hits:
                                    self.attempt(history, run)
                                reached.update(hits)
                                mend(history, run)
                                self.assertEqual(self.end(run), undisturbed)
                                self.assertMailedOnce(run)
        self.assertEqual(reached, set(STEPS))
        self.assertEqual(dump.contradictions(self.portal), [])

    def attempt(self, history, run) -> None:
        try:
            pipeline.process(notification(history[-1], run, len(history) - 1))
        except (pipeline.Failed, transactions.Busy, *ERRORS):
            transaction.abort()

    def redelivered(self, history, run) -> None:
        """The provider tries again; of what it paid for only the mail may be outstanding."""
        self.later(minutes=1)
        pipeline.process(notification(history[-1], run, len(history) - 1))
        states = {state for *_, state in self.mails(run)}
        self.assertLessEqual(states, {"sent", "sending", "due"})
        for buyer in self.state(run):
            self.assertNotIn("received", [outcome for outcome, *_ in buyer["entries"].values()])
        self.later(minutes=10)
        self.sweep()

    def swept(self, history, run) -> None:
        """The provider never tries again, unless it was told so before anything was kept."""
        self.later(minutes=10)
        transaction.begin()
        told = notification(history[-1], run, len(history) - 1)
        if ledger.get(self.portal, told.key) is None:
            self.redelivered(history, run)
        self.sweep()

    def mails(self, run) -> list[list[str]]:
        return [mail[:3] for buyer in self.state(run) for mail in buyer["mails"]]

    def end(self, run) -> Any:
        """The state, without how often a mail was tried."""
        found = self.state(run)
        for buyer in found:
            buyer["mails"] = [mail[:3] for mail in buyer["mails"]]
        return found

    def assertMailedOnce(self, run) -> None:
        sent = [mail for mail in self.mailed if mail[0] == address(run, 1)]
        # Once more where the process could not note that the mail was handed over.
        self.assertIn(len(sent), (1, 2))
        self.assertEqual(len({message_id for _to, message_id in sent}), 1)


class TestKilled(ProofCase):
    """The process ends without a word, in a child that works on a database file."""

    def setUp(self):
        super().setUp()
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.postbox = self.folder / "postbox"
        patch = mock.patch.object(messages, "send", self._post)
        patch.start()
        self.addCleanup(patch.stop)

    def _post(self, message) -> None:
        # A file, because the child's memory is lost.
        with self.postbox.open("a") as postbox:
            postbox.write(f"{message['To']} {message['Message-ID']}\n")

    def test_each_step(self):
        for name in ("a new member", "a refund"):
            history, order, existing = _tale(name)
            run = self.deliver(history, order[:-1], existing)
            disk.write(self.layer["zodbDB"], self.folder / "before.fs")
            now = self.now
            undisturbed = self.after(history, run, [self.process])
            self.assertEqual(undisturbed["contradictions"], [])
            for place in STEPS:
                if name == "a refund" and "mail" in place:
                    continue
                for mend in ([self.process, self.sweep_later], [self.sweep_later]):
                    if place == "before record" and mend == [self.sweep_later]:
                        continue  # Nothing was kept, and the provider knows.
                    with self.subTest(name, step=place, mend=[m.__name__ for m in mend]):
                        self.now = now
                        found = self.after(history, run, mend, place)
                        self.assertEqual(found, undisturbed)

    def after(self, history, run, mend, killed_at: str = "") -> dict[str, Any]:
        """The state after a kill and its repair."""
        database = self.folder / "site.fs"
        shutil.copyfile(self.folder / "before.fs", database)
        (self.folder / "site.fs.index").unlink(missing_ok=True)
        self.postbox.write_text("")
        site_id = self.portal.getId()
        if killed_at:
            ended = disk.in_child(
                database, site_id, lambda site: self.killed(history, run, killed_at)
            )
            self.assertEqual(ended, disk.KILLED)
        for work in mend:
            disk.in_child(database, site_id, lambda site, work=work: work(history, run))
        mailed = self.postbox.read_text().splitlines()
        self.assertLessEqual(len(mailed), 2 if killed_at else 1)
        self.assertLessEqual(len(set(mailed)), 1)
        return {**disk.in_child(database, site_id, self.found(run)), "mailed": len(set(mailed))}

    def killed(self, history, run, place) -> None:
        def step(name: str) -> None:
            if name == place:
                os._exit(disk.KILLED)

        with mock.patch.object(steps, "reached", step):
            self.process(history, run)

    def process(self, history, run) -> None:
        pipeline.process(notification(history[-1], run, len(history) - 1))

    def sweep_later(self, history, run) -> None:
        self.later(minutes=10)
        self.sweep()

    def found(self, run):
        def read(site: Any) -> dict[str, Any]:
            state = dump.buyer(site, address(run, 1))
            for mail in state["mails"]:
                del mail[-1]
            return {
                "state": state,
                "members": sorted(site.acl_users.source_users.getUserIds()),
                "contradictions": dump.contradictions(site),
            }

        return read


def _tale(name: str) -> tuple[tuple[Event, ...], list[int], bool]:
    history, existing = TALES[name]
    return history, list(range(len(history))), existing


@contextmanager
def fault(place: str, error: type[Exception], forever: bool) -> Iterator[list[str]]:
    """Raise an error at a step: the first time, or each time.

    :returns: the steps where it was raised.
    """
    hits: list[str] = []

    def step(name: str) -> None:
        if name == place and (forever or not hits):
            hits.append(name)
            raise error("made by the test")

    with mock.patch.object(steps, "reached", step):
        yield hits
