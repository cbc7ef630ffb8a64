"""Sites that are swept, and providers that fall silent."""

from contextlib import contextmanager
from dataclasses import replace
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.report import daily
from niteoweb.click2sell.storage import steps
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from niteoweb.click2sell.worker import breaker
from niteoweb.click2sell.worker import sweep
from unittest import mock

import transaction


def at(name: str, error: BaseException):
    """A replacement for :func:`steps.reached` that fails at one place."""

    def step(place: str) -> None:
        if place == name:
            raise error

    return mock.patch.object(steps, "reached", step)


class SweepTestCase(SiteTestCase):
    """Product 1 gives 30 days; the clock of the sweep stands still too."""

    def setUp(self):
        super().setUp()
        breaker._trusted.clear()
        self.settings(mapping=["1|premium|30", "2|course"])

    def sweep(self, **options):
        """Run a sweep as a script does: in a transaction of its own."""
        transaction.begin()
        report = sweep.sweep(**options)
        transaction.begin()
        return report

    def subscribe(self, **changes):
        """The first payment of a subscription."""
        return self.buy(transaction_type="Subscription", subscription_status="New", **changes)

    def crowd(self, size, **changes):
        """Sales to different buyers."""
        for number in range(size):
            self.buy(
                buyer_email=f"buyer{number}@example.org",
                acquirer_transaction_id=f"T-crowd-{number}",
                c2s_transaction_id=f"R-crowd-{number}",
                **changes,
            )

    @contextmanager
    def no_commit(self):
        """Nothing is committed inside, but for the sums of a day that is over, once."""
        daily.keep_up(self.now)
        database = self.portal._p_jar.db()
        before = database.lastTransaction()
        yield
        self.assertEqual(database.lastTransaction(), before)


class SilenceTestCase(SweepTestCase):
    """Somebody buys again and again."""

    def arrivals(self, count, provider="click2sell", **pause):
        """Sales of another product, with a pause after each but the last."""
        for number in range(count):
            if number:
                self.later(**pause)
            notification = self.notification(
                buyer_email="regular@example.org",
                acquirer_transaction_id=f"T-{provider}-{self.now:%Y%m%d%H%M%S}-{number}",
                product_id="2",
            )
            pipeline.process(
                replace(
                    notification,
                    provider=provider,
                    key=f"{provider}{notification.key}",
                    occurred_at=self.now,
                )
            )

    def silent(self):
        transaction.begin()
        return silence.silent(self.portal, self.now)

    def usual(self):
        transaction.begin()
        return silence.longest_usual(silence.arrivals(self.portal, "click2sell", self.now))
