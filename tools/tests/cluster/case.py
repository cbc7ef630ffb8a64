"""Rules for two Zope processes on one database, of any kind."""

from collections import Counter
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell.buyers.buyers import ENDED
from niteoweb.click2sell.tests.cases.deliveries import about
from niteoweb.click2sell.tests.proof.onsite import in_threads
from niteoweb.click2sell.tests.proof.onsite import post
from threading import Barrier
from tools.tests.cluster import PURCHASES
from tools.tests.cluster.layer import ClusterLayer
from tools.tests.cluster.provider import Provider

import time


CLIENTS = 8
#: Every so many purchases are delivered to both processes at the same moment, too.
TO_BOTH = 5
#: Times that a process loses its database or dies: so many mails may be on their way then.
DEATHS = 3
#: Whose access ends.
MEMBERS = 10


class ClusterTests:
    """Tests of a cluster; a mixin beside ``unittest.TestCase``."""

    layer: ClusterLayer
    #: What may be answered instead of 200 while something is away.
    PASSING = frozenset({0, 502, 503})
    #: Whether Zope itself tries again when the database is away, before our view is called.
    PUBLISHER_RETRIES = False

    def setUp(self):
        self.maxDiff = None
        self.postbox = self.layer.postbox
        self.postbox.messages.clear()
        self.now = datetime.now(timezone.utc).replace(microsecond=0)

    def test_1_purchases_while_a_process_and_the_database_die(self):
        told = {
            f"p{n:03}@example.org": about(f"p{n:03}", "1", self.now) for n in range(PURCHASES)
        }
        ports = [served.port for served in self.layer.servers]
        provider = Provider(self.layer.port, ports)
        started = time.monotonic()
        delivering = provider.deliver(told, CLIENTS, TO_BOTH)
        provider.wait_for(PURCHASES // 3)
        # Nothing is away yet, and nobody is turned away because a process is busy.
        self.assertLessEqual(set(provider.answers), {200, 503})
        self.layer.kill(0)
        time.sleep(1)
        self.layer.revive(0)
        provider.wait_for(PURCHASES * 2 // 3)
        self.layer.servers[0].wait()
        self.layer.database.stop()
        time.sleep(1)
        self.layer.database.start()
        delivering.join()
        took = time.monotonic() - started
        conflicts = len(self.layer.told("pause"))
        print(
            f"\n{self.layer.__name__}: {PURCHASES} purchases by {CLIENTS} clients in "
            f"{took:.0f} s; answers {dict(provider.answers)}; {conflicts} conflicts"
        )
        self.assertEqual(set(provider.acknowledged), set(told))
        self.assertLessEqual(set(provider.answers), {200, *self.PASSING})
        if not self.PUBLISHER_RETRIES:
            self.assertEqual(self.layer.told("publisher retry"), [])
        # What the dead process was sending is sent again when its lease is over.
        self.layer.servers[0].ask("@@proof-hurry?dead=1")
        self.sweep_until_nothing_is_due()
        self.assert_sold(told)

    def assert_sold(self, told):
        """Every purchase is there once, and nothing else."""
        for served in self.layer.servers:
            found = served.state()
            self.assertEqual(found["contradictions"], [])
            self.assertEqual(found["unentitled"], [])
            self.assertEqual([name for name in found["members"] if name in told], sorted(told))
            for buyer in told:
                one = found["buyers"][buyer]
                self.assertEqual(one["account"]["groups"], ["click2sell", "premium"])
                self.assertEqual([entry[0] for entry in one["entries"].values()], ["accepted"])
                self.assertEqual([mail[2] for mail in one["mails"]], ["sent"])
        created = Counter(self.layer.told("created"))
        self.assertLessEqual(set(created.values()), {1})
        mailed = Counter(mail["X-Envelope-To"] for mail in self.postbox.messages)
        self.assertEqual(set(mailed), set(told))
        # The same mail again, and only what was on its way when a process or the database died.
        self.assertEqual(self.postbox.recipients(), dict.fromkeys(told, 1))
        repeated = sum(mailed.values()) - len(mailed)
        self.assertLessEqual(repeated, DEATHS)

    def test_2_both_sweep_at_once(self):
        begin = time.monotonic()
        self.deliver(about("slow", "1", self.now))
        delivered = time.monotonic()
        self.assertEqual(self.groups("slow"), {("click2sell", "premium")})
        looked = time.monotonic()
        # Twice what ten deliveries and a look take on this machine now, and a little.
        seconds = 10 + 2 * (MEMBERS * (delivered - begin) + looked - delivered)
        end = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(seconds=seconds)
        self.layer.servers[0].wait_for_mails()
        self.postbox.messages.clear()
        buyers = [f"s{n}" for n in range(MEMBERS)]
        self.postbox.stop()
        try:
            for buyer in buyers:
                self.deliver(about(buyer, "1", end - timedelta(1), product_id="7"))
        finally:
            self.postbox.start()
        self.assertEqual(self.groups(*buyers), {("click2sell", "day")})
        self.assertLess(datetime.now(timezone.utc), end, "the machine is too slow")
        time.sleep((end - datetime.now(timezone.utc)).total_seconds() + 0.5)
        reports = self.sweep_until_nothing_is_due()
        self.assertEqual(self.groups(*buyers), {("click2sell",)})
        addresses = [f"{buyer}@example.org" for buyer in buyers]
        lapsed = Counter(one["user_id"] for report in reports for one in report["lapsed"])
        self.assertEqual(lapsed, dict.fromkeys(addresses, 1))
        revoked = Counter(line.split()[-1] for line in self.layer.told("revoked"))
        self.assertEqual(revoked, dict.fromkeys(addresses, 1))
        self.assertEqual(self.postbox.recipients(), dict.fromkeys(addresses, 1))
        self.assertEqual(len(self.postbox.messages), MEMBERS)
        found = self.layer.servers[0].state()
        for address in addresses:
            ended = [subject for event, subject in found["logs"][address] if event == ENDED]
            self.assertEqual(ended, ["day"])
        self.assertEqual(found["contradictions"], [])
        self.assertEqual(found["unentitled"], [])

    def test_3_the_database_is_away_and_comes_back(self):
        told = about("away", "1", self.now)
        self.layer.database.stop()
        try:
            for served in self.layer.servers:
                self.assertEqual(post(served.port, told), (503, "Try again later."))
        finally:
            self.layer.database.start()
        for served in self.layer.servers:
            self.deliver(told, served.port)
        self.assertEqual(self.groups("away"), {("click2sell", "premium")})
        self.sweep_until_nothing_is_due()
        self.assertEqual(self.postbox.recipients(), {"away@example.org": 1})

    # What the tests do

    def deliver(self, told: bytes, port: int = 0) -> None:
        """Deliver until it is acknowledged; a database that was away may need a moment."""
        for _ in range(100):
            status, text = post(port or self.layer.port, told)
            if status == 200:
                return
            self.assertIn(status, self.PASSING, f"{text}\n{self.layer.last_error()}")
            time.sleep(0.3)
        self.fail(f"{status} {text}")

    def groups(self, *buyers: str) -> set[tuple[str, ...]]:
        """The different sets of groups that some buyers are in."""
        found = self.layer.servers[1].state()["buyers"]
        return {tuple(found[f"{one}@example.org"]["account"]["groups"]) for one in buyers}

    def sweep_at_once(self) -> list[dict]:
        """Have both processes sweep at the same moment."""
        together = Barrier(2)

        def sweep(served):
            together.wait()
            return served.sweep()

        return in_threads(2, sweep, self.layer.servers)

    def sweep_until_nothing_is_due(self) -> list[dict]:
        """A busy buyer is left to the next sweep, as with cron.

        :returns: all reports.
        """
        reports: list[dict] = []
        for _ in range(10):
            self.layer.servers[0].ask("@@proof-hurry")
            reports += self.sweep_at_once()
            for report in reports:
                self.assertIsNone(report["stopped"])
                self.assertEqual(report["troubled"], 0, report)
            self.layer.servers[0].wait_for_mails()
            if not any(_work(report) for report in reports[-2:]):
                return reports
        raise AssertionError(f"there is always something to do: {reports[-2:]}")


def _work(report: dict) -> bool:
    return bool(report["lapsed"] or report["entries"] or report["busy"])
