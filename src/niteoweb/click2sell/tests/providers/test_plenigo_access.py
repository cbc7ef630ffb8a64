"""plenigo: access in the cases in which a subscription is more than begun and ended."""

from datetime import timedelta
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import State
from niteoweb.click2sell.testing import Response
from niteoweb.click2sell.tests.cases.providers import JANE
from niteoweb.click2sell.tests.cases.providers import PlenigoTestCase
from niteoweb.click2sell.worker.sweep import sweep
from unittest import mock

import transaction


class AccessTestCase(PlenigoTestCase):
    def setUp(self):
        super().setUp()
        self.set(mapping=["trial|course", "gold|premium", "issue-1|course", "app|premium"])

    def has(self, *groups):
        transaction.begin()
        self.assertEqual(self.groups(JANE), ["click2sell", *groups])

    def pass_time(self, **time):
        self.fake.let_pass(**time)
        self.later(**time)

    def sweep(self):
        transaction.begin()
        return sweep(confirmed=True)

    def state(self):
        (one,) = history.outcome(self.portal, self.buyer(JANE), self.now).entitlements
        return one.state_at(self.now)


class TestStepsAndStarts(AccessTestCase):
    def trial(self):
        start = self.now + timedelta(days=14)
        first = self.fake.subscribe(self.jane, "trial", days=14)
        following = self.fake.subscribe(self.jane, "gold", start=start, chain=first)
        self.deliver()
        return first, following

    def test_a_following_step_begins_when_it_begins(self):
        first, _following = self.trial()
        self.has("course")
        self.pass_time(days=14)
        self.fake.end(first)
        self.deliver()
        self.sweep()
        self.has("premium")

    def test_a_following_step_that_never_begins(self):
        first, following = self.trial()
        self.fake.cancel(first)
        self.assertEqual(self.fake.subscriptions[following]["status"], "IGNORED")
        self.deliver()
        self.has("course")
        self.pass_time(days=30)
        self.deliver()
        self.sweep()
        self.has()

    def test_one_whose_callback_was_lost(self):
        first, _following = self.trial()
        self.pass_time(days=1)
        self.fake.cancel(first)
        self.fake.callbacks.pending.clear()
        self.sweep()
        self.pass_time(days=30)
        self.fake.callbacks.pending.clear()
        self.sweep()
        self.has()

    def test_from_next_year(self):
        self.fake.subscribe(self.jane, "gold", start=self.now + timedelta(days=365))
        self.deliver()
        self.has()
        self.assertIs(self.state(), State.UPCOMING)
        self.pass_time(days=364)
        self.sweep()
        self.has()
        self.pass_time(days=1)
        self.sweep()
        self.has("premium")

    def test_a_pause(self):
        number = self.fake.subscribe(self.jane, "gold")
        self.deliver()
        self.later(seconds=1)
        back = (self.now + timedelta(days=20)).date().isoformat()
        pause = {"startPauseDate": self.now.date().isoformat(), "endPauseDate": back}
        self.fake.change(number, paused={**pause, "pauseType": "STANDARD"})
        self.deliver()
        self.has()
        self.pass_time(days=20)
        self.sweep()
        self.has("premium")


class TestOrders(AccessTestCase):
    def test_a_single_product(self):
        self.fake.order(self.jane, "issue-1", "O_PAPER")
        self.deliver(times=2)
        self.sweep()
        self.has("course")
        self.assertEqual(self.reasons(), [])

    def test_whose_callback_was_lost(self):
        self.fake.order(self.jane, "issue-1")
        self.fake.callbacks.pending.clear()
        self.sweep()
        self.has("course")

    def test_with_an_end(self):
        end = (self.now + timedelta(days=3)).isoformat()
        self.fake.order(self.jane, "issue-1", validityEndDate=end)
        self.deliver()
        self.has("course")
        self.pass_time(days=3)
        self.sweep()
        self.has()

    def test_cancelled(self):
        order = self.fake.order(self.jane, "issue-1")
        self.deliver()
        self.pass_time(hours=1)
        self.fake.cancel_order(order)
        self.sweep()
        self.has()

    def test_what_a_subscription_has_is_not_given_twice(self):
        self.fake.order(self.jane, "issue-1", subscription_item=7)
        self.deliver()
        self.sweep()
        self.assertIsNone(self.member(JANE))

    def test_a_subscription_in_an_app_store(self):
        number = self.fake.subscribe_in_store(self.jane, "app")
        self.deliver()
        self.has("premium")
        self.pass_time(hours=1)
        self.fake.change_in_store(number, status="PAUSED")
        self.deliver()
        self.has()
        self.pass_time(hours=1)
        self.fake.change_in_store(number, status="ACTIVE")
        self.fake.callbacks.pending.clear()
        self.sweep()
        self.has("premium")


class TestCustomers(AccessTestCase):
    def test_blocked_until_activated(self):
        self.fake.subscribe(self.jane, "gold")
        self.fake.order(self.jane, "issue-1")
        self.deliver()
        self.has("course", "premium")
        for status in ("BLOCKED", "DEACTIVATED", "DISABLED"):
            self.pass_time(minutes=1)
            self.fake.change_status(self.jane, status)
            self.deliver()
            self.has()
            self.pass_time(minutes=1)
            self.fake.change_status(self.jane, "ACTIVATED")
            self.deliver(times=2)
            self.has("course", "premium")

    def test_what_is_bought_meanwhile(self):
        self.fake.subscribe(self.jane, "trial")
        self.deliver()
        self.pass_time(minutes=1)
        self.fake.change_status(self.jane, "BLOCKED")
        self.fake.subscribe(self.jane, "gold")
        self.deliver()
        self.has()

    def test_one_who_is_blocked_before_anything_is_known(self):
        self.fake.subscribe(self.jane, "gold")
        self.fake.callbacks.pending[:] = self.fake.callbacks.pending[-1:]
        self.fake.customers[self.jane]["status"] = "BLOCKED"
        self.deliver()
        self.has()
        self.assertIs(self.state(), State.SUSPENDED)

    def test_an_address_that_plenigo_made_up(self):
        nobody = self.fake.add_customer("x17@plenigo-mail.com")
        self.fake.subscribe(nobody, "gold")
        self.deliver()
        self.assertIsNone(self.member("x17@plenigo-mail.com"))
        self.assertEqual(self.reasons(), [("needs attention", "not told")])

    def test_blocked_for_processing(self):
        self.fake.subscribe(self.jane, "gold")
        self.deliver()
        self.pass_time(minutes=1)
        self.fake.customers[self.jane]["processingBlocked"] = True
        self.fake.change_status(self.jane, "ACTIVATED")
        self.deliver()
        self.has()
        self.assertEqual(self.reasons(), [("needs attention", "customer deleted")])


class TestAway(AccessTestCase):
    def test_emergency_mode_is_away(self):
        self.fake.emergency = True
        self.fake.subscribe(self.jane, "gold")
        self.assertEqual(self.deliver(), [200, 200])
        self.sweep()
        self.assertEqual(self.reasons(), [("failed", "unreachable")])
        self.fake.emergency = False
        self.later(minutes=2)
        self.sweep()
        self.has("premium")

    def test_an_item_that_cannot_be_read_keeps_no_other_out(self):
        self.fake.subscribe(self.jane, "gold")
        self.fake.callbacks.pending.clear()
        answer = self.fake.answer

        def with_one_more(request):
            response = answer(request)
            if request.path == ("subscriptions",) and response.value["items"]:
                odd = [{"subscriptionId": one} for one in (None, ["x"])]
                items = [*response.value["items"], *odd]
                return Response(200, {"items": items})
            return response

        with mock.patch.object(self.fake, "answer", with_one_more):
            for _time in range(2):
                self.sweep()
                self.later(minutes=2)
        self.has("premium")
        # The owner is told of each, once.
        self.assertEqual(sorted(self.reasons()), [("needs attention", "parameter")] * 2)
