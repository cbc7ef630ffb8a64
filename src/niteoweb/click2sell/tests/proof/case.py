"""The site that histories are delivered to, and what has to come of each."""

from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.entitlement.event import BillingEvent
from niteoweb.click2sell.entitlement.outcome import compute
from niteoweb.click2sell.entitlement.outcome import Outcome
from niteoweb.click2sell.entitlement.outcome import Policy
from niteoweb.click2sell.interfaces import IAccessGrantedEvent
from niteoweb.click2sell.interfaces import IAccessRevokedEvent
from niteoweb.click2sell.interfaces import IMemberCreateEvent
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import outcomes
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.mail import messages
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import PAYMENTS
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.layers import NOW
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from niteoweb.click2sell.tests.proof import dump
from niteoweb.click2sell.tests.proof.histories import address
from niteoweb.click2sell.tests.proof.histories import Event
from niteoweb.click2sell.tests.proof.histories import fact
from niteoweb.click2sell.tests.proof.histories import GROUPS
from niteoweb.click2sell.tests.proof.histories import key
from niteoweb.click2sell.tests.proof.histories import LINES
from niteoweb.click2sell.tests.proof.histories import notification
from niteoweb.click2sell.tests.proof.histories import SWEEP
from niteoweb.click2sell.worker import sweep
from typing import Any
from unittest import mock

import itertools
import transaction
import zope.event


class ProofCase(SiteTestCase):
    """A site with the products of :mod:`.histories`, and buyers who are new in each run."""

    maxDiff = None

    def setUp(self):
        super().setUp()
        self.mailed: list[tuple[str, str]] = []
        self.events: list[Any] = []
        self._runs = itertools.count()
        # What other runs left behind in the ledger says nothing about a provider here.
        for place, name, stand_in in (
            (silence, "silent", lambda site, now: {}),
            (messages, "send", self._mail),
        ):
            patch = mock.patch.object(place, name, stand_in)
            patch.start()
            self.addCleanup(patch.stop)
        zope.event.subscribers.append(self._note)
        self.addCleanup(zope.event.subscribers.remove, self._note)
        for name in ("club",):
            self.group(name)
        self.registry(email_from_address="site@example.org")
        self.settings(
            mapping=[line for lines in LINES.values() for line in lines],
            welcome_mail="password",
            notice_mail=True,
            site_address=plone_site.get().absolute_url(),
        )

    # What happens

    def new_run(self, existing: bool = False) -> str:
        """Begin anew, with buyers whom nobody knows.

        :param existing: the second buyer has an account already.
        """
        run = f"run{next(self._runs):05}"
        self.now = NOW
        self.mailed.clear()
        self.events.clear()
        transaction.begin()
        for name in ("mails", "mails_due", "mails_by_address", "mails_by_user", "mails_failed"):
            trees.tree(self.portal, name).clear()
        transaction.commit()
        if existing:
            self.account(address(run, 1), address(run, 1))
        return run

    def deliver(
        self,
        history: Sequence[Event],
        order: Sequence[int],
        existing: bool = False,
        pause: timedelta = timedelta(0),
    ) -> str:
        """Deliver a history.

        :param order: numbers of events, or :data:`SWEEP`.
        :param pause: how much time passes between two deliveries.
        :returns: the run's name.
        """
        run = self.new_run(existing)
        for number in order:
            if number == SWEEP:
                self.sweep()
            else:
                pipeline.process(notification(history[number], run, number))
            self.now += pause
        return run

    def sweep(self) -> sweep.SweepReport:
        """Sweep; no circuit breaker."""
        report = sweep.sweep(confirmed=True)
        self.assertFalse(report.busy)
        return report

    # What came of it

    def state(self, run: str) -> list[dict[str, Any]]:
        """The results of the pipeline for the buyers of a run, in words of no run."""
        transaction.begin()
        return [dump.buyer(self.portal, address(run, buyer), {run: "RUN"}) for buyer in (0, 1)]

    def assertEntitled(
        self, run: str, history: Sequence[Event], existing: bool = False
    ) -> None:
        """The site has the results of the history, and nothing else."""
        transaction.begin()
        for buyer in (0, 1):
            numbers = [n for n, event in enumerate(history) if event.buyer == buyer]
            facts = [fact(history[n], run, n, self._received_at(key(run, n))) for n in numbers]
            outcome = compute(facts, Policy())
            live = {product for _provider, product in outcome.products(self.now)}
            paid = [
                one
                for one in sorted(facts, key=lambda one: one.order)
                if one.kind in PAYMENTS
                and outcome.attention.get(one.key, Reason.DISPLACED) == Reason.DISPLACED
            ]
            found = dump.buyer(self.portal, address(run, buyer))
            self._assert_account(found, paid, live, run, buyer, existing and buyer == 1)
            for one in facts:
                self.assertEqual(
                    found["entries"][one.key][:3], _verdict(one, outcome, paid, live)
                )
            self._assert_events(found, live)

    def _assert_account(
        self,
        found: Mapping[str, Any],
        paid: Sequence[BillingEvent],
        live: set[str],
        run: str,
        buyer: int,
        existing: bool,
    ) -> None:
        if not paid:
            self.assertIsNone(found["account"])
            self.assertEqual(found["mails"], [])
            return
        groups = {"click2sell", *(name for p in live for name in GROUPS.get(p, ()))}
        self.assertEqual(found["account"]["groups"], sorted(groups))
        self.assertEqual(set(found["record"]["grants"]), groups)
        latest = paid[-1]
        expected = {
            "email": address(run, buyer),
            "product_id": latest.product_id,
            "last_purchase_id": latest.receipt,
            "affiliate": "" if existing else f"affiliate {int(paid[0].key.rpartition('-')[2])}",
        }
        self.assertEqual({name: found["account"][name] for name in expected}, expected)
        to = address(run, buyer)
        kind = "notice" if existing else "welcome"
        self.assertEqual(found["mails"], [[kind, to, "sent", 1]])
        self.assertEqual([mail for mail in self.mailed if mail[0] == to].__len__(), 1)

    def _assert_events(self, found: Mapping[str, Any], live: set[str]) -> None:
        """Events tell of each change of access once: they add up to what is."""
        user_id = found["account"]["id"] if found["account"] else ""
        told: dict[str, int] = {}
        made = 0
        for event in self.events:
            if event.user_id != user_id:
                continue
            if IMemberCreateEvent.providedBy(event):
                made += 1
            else:
                change = 1 if IAccessGrantedEvent.providedBy(event) else -1
                told[event.product_id] = told.get(event.product_id, 0) + change
        self.assertEqual({product for product, sum_ in told.items() if sum_}, live)
        self.assertLessEqual(set(told.values()), {0, 1})
        self.assertLessEqual(made, 1)

    def _received_at(self, entry_key: str) -> datetime:
        return timestamps.from_iso(ledger.get(self.portal, entry_key)["received_at"])

    def _mail(self, message: Any) -> None:
        self.mailed.append((message["To"], message["Message-ID"]))

    def _note(self, event: Any) -> None:
        for interface in (IMemberCreateEvent, IAccessGrantedEvent, IAccessRevokedEvent):
            if interface.providedBy(event):
                self.events.append(event)


def _verdict(
    one: BillingEvent, outcome: Outcome, paid: Sequence[BillingEvent], live: set[str]
) -> list[str]:
    """Outcome, reason and subject of an entry, from the history alone."""
    if one.key in outcome.attention:
        return [outcomes.Outcome.ATTENTION, outcome.attention[one.key], ""]
    if one.kind is Kind.PAYMENT_FAILED:
        return [outcomes.Outcome.NOTHING, "", ""]
    latest = [other for other in paid if other.product_id == "5"]
    if "5" in live and latest and one is latest[-1]:
        return [outcomes.Outcome.ATTENTION, Reason.GROUP_MISSING, "gone"]
    if one.key in outcome.waiting:
        return [outcomes.Outcome.NOTHING, Reason.WAITS_FOR_PURCHASE, ""]
    return [outcomes.Outcome.ACCEPTED, "", ""]
