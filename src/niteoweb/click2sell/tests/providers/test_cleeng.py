"""Cleeng's whole road: signed webhooks over HTTP, and what the site makes of them."""

from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.privacy import erasure
from niteoweb.click2sell.providers.cleeng import fake as fakes
from niteoweb.click2sell.providers.cleeng import protocol as cleeng
from niteoweb.click2sell.storage import indexes
from niteoweb.click2sell.storage import steps
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.layers import NOW
from niteoweb.click2sell.tests.cases.process import Worker
from niteoweb.click2sell.tests.cases.providers import CleengTestCase
from niteoweb.click2sell.tests.cases.providers import GOLD
from niteoweb.click2sell.tests.cases.providers import JANE
from niteoweb.click2sell.tests.cases.providers import JOE
from niteoweb.click2sell.tests.cases.providers import SILVER
from niteoweb.click2sell.tests.cases.providers import TV
from random import Random
from unittest import mock

import itertools
import transaction


#: One order in so many is tried, where there are many.
EACH = 7


def shuffled(deliveries):
    """In an order that is the same in each run."""
    return Random(len(deliveries)).sample(deliveries, len(deliveries))


class TestLife(CleengTestCase):
    def test_created(self):
        self.bought()
        self.assertEqual(self.deliver(), [200, 200])
        self.has("premium")
        member = self.member(JANE)
        self.assertEqual(member.getProperty("product_id"), GOLD)
        self.assertTrue(member.getProperty("last_purchase_id").startswith(TV))
        self.assertEqual(self.reasons(), [])

    def test_created_as_vizio_names_it(self):
        self.bought()
        self.fake.webhooks.pending.clear()
        self.assertEqual(self.vizio("CREATED"), [200])
        self.has("premium")

    def test_it_ends_at_the_end_that_is_stated_and_its_grace(self):
        self.bought()
        self.deliver()
        self.pass_time(days=31)
        self.sweep()
        self.has("premium")
        self.pass_time(days=3)
        self.sweep()
        self.has()

    def test_renewed(self):
        self.bought()
        self.deliver()
        self.pass_time(days=29)
        self.vizio("PAYMENT.SUCCESSFUL")
        self.pass_time(days=29)
        self.sweep()
        self.has("premium")
        self.pass_time(days=6)
        self.sweep()
        self.has()

    def test_a_payment_that_fails_leaves_the_days_of_grace(self):
        self.bought()
        self.deliver()
        self.pass_time(days=30)
        self.vizio("PAYMENT.FAILED")
        self.sweep()
        self.has("premium")
        self.pass_time(days=4)
        self.sweep()
        self.has()
        self.assertEqual(self.reasons(), [])

    def test_refunded(self):
        self.bought()
        self.deliver()
        self.vizio("PAYMENT.REFUND")
        self.has()

    def test_cancelled_it_stays_until_its_end_without_grace(self):
        self.bought()
        self.deliver()
        self.vizio("CANCELED")
        self.has("premium")
        self.pass_time(days=29)
        self.sweep()
        self.has("premium")
        self.pass_time(days=1, minutes=1)
        self.sweep()
        self.has()

    def test_reactivated_before_its_end(self):
        self.bought()
        self.deliver()
        self.vizio("CANCELED")
        self.pass_time(days=1)
        self.vizio("REACTIVATED")
        self.pass_time(days=30)
        self.sweep()
        self.has("premium")

    def test_reactivated_after_its_end(self):
        self.bought()
        self.deliver()
        self.vizio("EXPIRED")
        self.has()
        self.pass_time(days=1)
        self.validate()
        self.assertEqual(self.deliver(), [200])
        self.has("premium")
        self.assertEqual(self.reasons(), [])

    def test_a_downgrade_to_come_changes_nothing(self):
        self.bought()
        self.deliver()
        before = self.groups(JANE), self.fields(JANE)
        self.pass_time(days=1)
        self.vizio("DOWNGRADE.PENDING")
        self.assertEqual((self.groups(JANE), self.fields(JANE)), before)
        self.assertEqual(self.entries()[-1][0], Outcome.NOTHING)

    def test_updated_the_old_product_goes_and_the_new_one_comes(self):
        self.bought()
        self.deliver()
        self.vizio("DOWNGRADE.PENDING")
        self.pass_time(days=29)
        self.vizio("UPDATED", offer=SILVER)
        self.has("course")
        self.assertEqual(self.fields(JANE)["product_id"], SILVER)

    def test_updated_after_the_first_payment_for_the_new_product(self):
        self.bought()
        self.deliver()
        self.pass_time(days=3)
        before = self.fake.subscriptions[TV]
        self.fake.vizio("SUBSCRIPTION.UPDATED", TV, offer=SILVER)
        self.fake.vizio("SUBSCRIPTION.PAYMENT.SUCCESSFUL", TV)
        self.deliver(order=reversed)
        self.assertGreater(self.fake.subscriptions[TV].expires_at, before.expires_at)
        self.has("course")

    def test_switched(self):
        self.tell("subscriptionCreated", customerEmail=JANE)
        self.tell("subscriptionSwitched", toOfferId=SILVER, offerId=GOLD, customerEmail=JANE)
        self.deliver()
        self.has("course")

    def test_expired(self):
        self.bought()
        self.deliver()
        self.vizio("EXPIRED")
        self.has()
        self.assertEqual(self.reasons(), [])

    def test_a_trial(self):
        end = (self.now + timedelta(days=7)).isoformat()
        self.tell(
            "subscriptionCreated",
            customerEmail=JANE,
            active=True,
            inTrial=True,
            expirationDate=end,
        )
        self.deliver()
        self.has("premium")
        self.pass_time(days=11)
        self.sweep()
        self.has()

    def test_a_trial_that_is_paid_for(self):
        for days, topic, trial in (7, "subscriptionCreated", True), (37, "x", False):
            self.tell(
                topic,
                customerEmail=JANE,
                active=True,
                inTrial=trial,
                expirationDate=(NOW + timedelta(days=days)).isoformat(),
                notificationType=None if trial else "SUBSCRIPTION.PAYMENT.SUCCESSFUL",
            )
            self.deliver()
            self.pass_time(days=8)
        self.pass_time(days=20)
        self.sweep()
        self.has("premium")
        self.pass_time(days=5)
        self.sweep()
        self.has()

    def test_what_is_not_active_is_cancelled_all_the_same(self):
        self.bought()
        self.deliver()
        end = self.fake.subscriptions[TV].expires_at.isoformat()
        told = {"subscriptionId": self.fake.subscriptions[TV].subscription_id}
        self.tell("subscriptionCanceled", active=False, expirationDate=end, **told)
        self.deliver()
        self.has("premium")

    def test_what_is_not_active_gives_nothing(self):
        self.tell("subscriptionRenewed", customerEmail=JANE, active=False)
        self.deliver()
        self.assertIsNone(self.member(JANE))

    def test_a_validation_that_failed_is_recorded(self):
        self.validate(vizio_id="never-bought")
        self.assertEqual(self.deliver(), [200])
        self.assertEqual(self.entries(), [(Outcome.NOTHING, "", "")])
        self.assertIsNone(self.member(JANE))

    def test_an_unknown_notification_needs_attention(self):
        self.bought()
        self.deliver()
        self.tell("subscriptionRenewed", notificationType="SUBSCRIPTION.NEW.ONE")
        self.deliver()
        self.assertEqual(self.reasons(), [("needs attention", "unknown kind")])
        self.has("premium")

    def test_products_of_click2sell_are_others(self):
        self.settings(mapping=[f"{GOLD}|course"])
        self.bought()
        self.deliver()
        self.has("premium")


class TestDelivery(CleengTestCase):
    def test_twice(self):
        self.bought()
        self.assertEqual(self.deliver(times=2), [200] * 4)
        self.assertEqual(len(self.entries()), 2)
        self.has("premium")

    def test_a_lifetime_twice_as_told_later(self):
        self.bought()
        for name in "PAYMENT.SUCCESSFUL", "CANCELED", "REACTIVATED", "PAYMENT.REFUND":
            self.fake.vizio(f"SUBSCRIPTION.{name}", TV)
        self.assertEqual(set(self.deliver(times=2)), {200})
        self.has()
        self.assert_replay_changes_nothing()

    def test_in_any_order_when_webhooks_say_when(self):
        self.fake.timestamps = True
        self.bought()
        for name in "PAYMENT.SUCCESSFUL", "UPDATED", "CANCELED":
            self.pass_time(hours=1)
            self.fake.vizio(f"SUBSCRIPTION.{name}", TV, offer=SILVER)
        self.assertEqual(set(self.deliver(order=reversed, times=2)), {200})
        self.has("course")
        self.pass_time(hours=1)
        self.vizio("EXPIRED")
        self.has()

    def test_vizios_nine_in_any_order_and_twice(self):
        self.fake.timestamps = True
        story = (
            ("CREATED", ["premium"]),
            ("PAYMENT.SUCCESSFUL", ["premium"]),
            ("DOWNGRADE.PENDING", ["premium"]),
            ("UPDATED", ["course"]),
            ("PAYMENT.FAILED", ["course"]),
            ("CANCELED", ["course"]),
            ("REACTIVATED", ["course"]),
            ("EXPIRED", []),
            ("PAYMENT.REFUND", []),
        )
        self.assertEqual({f"SUBSCRIPTION.{name}" for name, _groups in story}, set(cleeng.VIZIO))
        for order, length in itertools.product((reversed, shuffled), range(1, 10)):
            last, groups = story[length - 1]
            tv = f"{order.__name__}-{length}"
            self.bought(f"{tv}@example.org", tv)
            self.fake.webhooks.pending.clear()
            for name, _groups in story[:length]:
                self.pass_time(hours=1)
                self.fake.vizio(f"SUBSCRIPTION.{name}", tv, offer=SILVER)
            with self.subTest(last, order=order.__name__):
                self.assertEqual(set(self.deliver(order=order, times=2)), {200})
                self.has(*groups, who=f"{tv}@example.org")
        self.assertEqual(len(self.entries()), 2 * sum(range(10)))
        self.assertEqual(self.reasons(), [])

    def test_the_end_of_access_before_its_beginning(self):
        self.fake.timestamps = True
        self.bought()
        self.pass_time(hours=1)
        self.fake.vizio("SUBSCRIPTION.PAYMENT.REFUND", TV)
        self.deliver(order=reversed)
        self.has()

    def test_while_the_site_is_down_cleeng_tries_again(self):
        self.bought()
        self.fake.webhooks.deliver("http://127.0.0.1:1/nowhere")
        self.assertEqual(self.deliver(), [])
        self.pass_time(minutes=5)
        self.assertEqual(self.deliver(), [200, 200])
        self.has("premium")

    def test_base64_and_another_header(self):
        self.set(signature_encoding="base64", signature_header="X-Other")
        self.fake.encoding = "base64"
        self.bought()
        self.assertEqual(self.deliver(), [403, 403])
        self.enterContext(mock.patch.object(fakes, "HEADER", "x-other"))
        self.pass_time(minutes=5)
        self.assertEqual(self.deliver(), [200, 200])
        self.has("premium")

    def test_one_encoding_is_not_the_other(self):
        self.fake.encoding = "base64"
        self.bought()
        self.assertEqual(self.deliver(), [403, 403])
        self.assertEqual(self.entries(), [])

    def test_the_previous_secret(self):
        self.bought()
        delivery, old = self.fake.webhooks.pending[0], self.fake.webhooks.secret
        self.set(secretkey="a new secret", previous_secretkey=old)
        self.assertEqual(self.fake.webhooks.post(self.url, delivery).status, 200)
        self.set(previous_secretkey=None)
        self.assertEqual(self.fake.webhooks.post(self.url, delivery).status, 403)

    def test_tampered_with(self):
        self.bought()
        for delivery in self.fake.webhooks.pending:
            done = self.fake.webhooks.post(
                self.url, delivery, tamper=lambda body: body.replace(b"S100", b"S200")
            )
            self.assertEqual(done.status, 403)
            self.assertNotIn(JANE, done.text)
        self.assertEqual(self.entries(), [])

    def test_switched_off_it_is_not_there(self):
        self.set(enabled=False)
        self.bought()
        self.assertEqual(self.deliver(), [404, 404])

    def test_without_a_secret_nothing_is_accepted(self):
        self.set(secretkey=None)
        self.bought()
        self.assertEqual(self.deliver(), [503, 503])

    def test_what_is_broken_needs_attention(self):
        self.tell("subscriptionCreated", customerEmail=JANE, expirationDate="soon")
        self.assertEqual(self.deliver(), [400])
        self.assertEqual(self.reasons(), [("needs attention", "parameter")])


class TestTransfer(CleengTestCase):
    """A Vizio subscription that moves to another address."""

    def transfer(self, old=JANE, new=JOE, vizio_id=TV):
        """The subscription of one becomes another one's.

        :returns: the webhooks about it.
        """
        self.bought(old, vizio_id)
        self.deliver()
        self.has("premium", who=old)
        self.pass_time(days=1)
        self.validate(new, vizio_id)
        found = list(self.fake.webhooks.pending)
        names = [delivery.name for delivery in found]
        self.assertEqual(
            names,
            ["inappPurchaseValidationSucceeded", "subscriptionTerminated"]
            + ["subscriptionCreated"],
        )
        return found

    def assertTransferred(self, old=JANE, new=JOE):
        self.has(who=old)
        self.has("premium", who=new)
        self.assertEqual(self.reasons(), [])

    def both_groups(self):
        """The groups of both customers, on whatever connection this is called."""
        groups = plone_site.get().acl_users.source_groups._principal_groups
        return tuple(sorted(groups.get(address, ())) for address in (JANE, JOE))

    def test_in_one_commit(self):
        told, _terminated, _created = self.transfer()
        self.assertOneCommit(told)
        self.assertTransferred()

    def test_in_one_commit_when_the_beginning_of_the_new_one_comes_first(self):
        told, terminated, created = self.transfer()
        self.assertOneCommit(created)
        self.assertTransferred()
        self.process(told)
        self.process(terminated)
        self.assertTransferred()
        self.assert_replay_changes_nothing()

    def assertOneCommit(self, told):
        seen, run = [], transactions.run

        def noted(work):
            found = run(work)
            # Another process: what is not committed yet is seen by who has the lock alone.
            visitor = Worker(
                self.portal._p_jar.db(), self.portal.getId(), "visitor", self.both_groups
            )
            visitor.start()
            visitor.join()
            seen.append(visitor.result)
            return found

        with mock.patch.object(transactions, "run", noted):
            self.process(told)
        before = ["click2sell", "premium"], []
        after = ["click2sell"], ["click2sell", "premium"]
        self.assertEqual([state for state, _ in itertools.groupby(seen)], [before, after])

    def test_whichever_webhook_comes_first(self):
        for number, order in enumerate(itertools.permutations(range(3))):
            old, new = f"old-{number}@example.org", f"new-{number}@example.org"
            deliveries = self.transfer(old, new, f"vizio-{number}")
            self.fake.webhooks.pending.clear()
            with self.subTest([deliveries[place].name for place in order]):
                for place in order:
                    done = self.fake.webhooks.post(self.url, deliveries[place])
                    self.assertEqual(done.status, 200)
                    self.later(minutes=1)
                self.assertTransferred(old, new)
        self.assert_replay_changes_nothing()

    def test_twice(self):
        self.transfer()
        self.assertEqual(self.deliver(times=2), [200] * 6)
        self.assertTransferred()

    def test_back_again(self):
        self.transfer()
        self.deliver()
        self.pass_time(days=1)
        self.validate(JANE)
        self.deliver()
        self.has("premium")
        self.has(who=JOE)
        self.assertEqual(self.reasons(), [])

    def test_back_again_whichever_webhook_comes_first(self):
        for order in (0, 1, 2), (2, 1, 0), (2, 0, 1):
            with self.subTest(order):
                there, back = f"there{order[0]}{order[1]}@example.org", JOE
                deliveries = self.transfer(there, back, f"vizio-{order}")
                self.fake.webhooks.pending.clear()
                self.in_order([deliveries[place] for place in order])
                self.assertTransferred(there, back)
                self.validate(there, f"vizio-{order}")
                self.in_order([self.fake.webhooks.pending[place] for place in order])
                self.fake.webhooks.pending.clear()
                self.has("premium", who=there)
                self.has(who=back)
        self.assertEqual(self.reasons(), [])

    def in_order(self, deliveries):
        for delivery in deliveries:
            self.process(delivery)
            self.later(minutes=1)

    def test_whenever_the_first_customers_webhooks_come(self):
        orders = list(itertools.permutations(range(5)))
        for number, order in enumerate(orders[::EACH]):
            old, new, tv = f"o{number}@example.org", f"n{number}@example.org", f"tv-{number}"
            self.bought(old, tv)
            self.validate(new, tv)
            deliveries = list(self.fake.webhooks.pending)
            self.fake.webhooks.pending.clear()
            with self.subTest([deliveries[place].name for place in order], number=number):
                self.in_order([deliveries[place] for place in order])
                self.has("premium", who=new)
                self.assertNotIn("premium", self.groups(old))

    def test_what_comes_late_for_the_old_one_gives_nothing(self):
        *_others, created = self.transfer()
        old = self.fake._customers[JANE]
        self.process(created)
        self.tell("subscriptionRenewed", **self.of(old, customerEmail=JANE))
        self.deliver()
        self.assertTransferred()

    def of(self, customer_id, **values):
        specific = {"subscriptionId": TV}
        end = (self.now + timedelta(days=9)).isoformat()
        return {
            "subscriptionId": 500001,
            "customerId": customer_id,
            "inAppSpecificData": specific,
            "expirationDate": end,
            **values,
        }

    def test_an_old_customer_who_is_known_by_the_address_alone(self):
        self.tell("subscriptionCreated", **self.of(None, customerEmail=JANE))
        self.deliver()
        self.has("premium")
        other = self.of(78, customerEmail=JOE, subscriptionId=500002)
        previous = {"prevSubscriptionId": 500001, "prevCustomerId": 77}
        told = {"result": "SubscriptionTransferred", **other, **previous}
        self.tell("inappPurchaseValidationSucceeded", **told)
        self.deliver()
        self.has(who=JANE)
        self.has("premium", who=JOE)

    def test_a_new_customer_who_is_not_known_yet(self):
        self.tell("subscriptionCreated", **self.of(77, customerEmail=JANE))
        self.deliver()
        self.tell("subscriptionCreated", **self.of(78, subscriptionId=500002))
        self.deliver()
        self.has("premium")
        self.tell("transactionCreated", customerId=78, customerEmail=JOE)
        self.deliver()
        self.assertTransferred()

    def test_the_same_subscription_of_cleengs(self):
        self.tell("subscriptionCreated", **self.of(77, customerEmail=JANE))
        self.deliver()
        self.tell("subscriptionCreated", **self.of(78, customerEmail=JOE))
        self.deliver()
        self.assertTransferred()

    def test_what_gives_nothing_takes_nothing(self):
        self.tell("subscriptionCreated", **self.of(77, customerEmail=JANE))
        over = (self.now - timedelta(days=9)).isoformat()
        other = self.of(78, customerEmail=JOE, subscriptionId=500002, expirationDate=over)
        self.tell("subscriptionCreated", **other)
        self.deliver()
        self.has("premium")

    def test_back_again_the_beginning_alone_is_enough(self):
        self.transfer()
        self.deliver()
        self.pass_time(days=1)
        self.validate(JANE)
        self.process(self.fake.webhooks.pending[-1])
        self.assertTransferred(JOE, JANE)

    def test_what_has_begun_before_and_comes_later_has_ended(self):
        when = [(self.now + timedelta(hours=hours)).isoformat() for hours in (0, 1)]
        self.pass_time(hours=2)
        for number, email, moment in (78, JOE, when[1]), (77, JANE, when[0]):
            data = self.of(number, customerEmail=email, subscriptionId=number, offerId=GOLD)
            webhook = {"topic": "subscriptionCreated", "timestamp": moment, "data": data}
            self.fake.webhooks.write("subscriptionCreated", webhook)
        self.deliver()
        self.assertTransferred()
        end = ledger.get(self.portal, self.buyer(JANE)["keys"][-1])
        self.assertEqual(end["valid_until"], timestamps.iso(datetime.fromisoformat(when[1])))

    def test_two_of_one_buyer_stay(self):
        self.tell("subscriptionCreated", **self.of(77, customerEmail=JANE))
        self.tell(
            "subscriptionCreated",
            **self.of(77, customerEmail=JANE, subscriptionId=500002, offerId=SILVER),
        )
        self.tell("subscriptionRenewed", **self.of(77, customerEmail=JANE))
        self.deliver()
        self.has("course", "premium")

    def test_whoever_was_erased_has_nothing(self):
        self.tell("subscriptionCreated", **self.of(77, customerEmail=JANE))
        self.deliver()
        erasure.erase(JANE, "Asked for by letter.", "me")
        self.tell(
            "subscriptionCreated", **self.of(78, customerEmail=JOE, subscriptionId=500002)
        )
        self.assertEqual(self.deliver(), [200])
        self.has("premium", who=JOE)
        self.assertEqual(len(self.entries()), 2)

    def test_another_subscription_of_vizios_is_not_meant(self):
        self.bought()
        self.bought(JOE, "vizio-2")
        self.tell("subscriptionCreated", subscriptionId=1, customerId=9, customerEmail=JOE)
        self.assertEqual(set(self.deliver()), {200})
        self.has("premium", who=JANE)
        self.has("premium", who=JOE)

    def test_killed_in_between_nothing_is_half_done(self):
        for place in steps.STEPS[:8]:
            with self.subTest(place):
                old, new = f"old-{place}@example.org", f"new-{place}@example.org"
                old, new = old.replace(" ", "-"), new.replace(" ", "-")
                told, *_others = self.transfer(old, new, f"vizio-{place}")
                self.fake.webhooks.pending.clear()
                self.killed_at(place, told)
                self.has("premium", who=old)
                self.assertIsNone(self.member(new))
                self.pass_time(minutes=5)
                self.sweep()
                if place == "before record":
                    self.process(told)
                self.assertTransferred(old, new)

    def killed_at(self, place, delivery):
        """Process a webhook as far as a step, the last time that it is passed."""

        class Killed(BaseException):
            """Nothing catches it, as nothing catches a kill."""

        def step(name):
            if name == place:
                passed.append(name)
                if len(passed) == times:
                    raise Killed

        # The step of the second buyer, where there is one for each.
        times = 1 if place in ("before record", "recorded") else 2
        passed = []
        with mock.patch.object(steps, "reached", step), self.assertRaises(Killed):
            self.process(delivery)
        transaction.abort()


class TestCustomer(CleengTestCase):
    """Webhooks that name only the customer's id."""

    def test_it_waits_until_the_customer_is_known(self):
        self.tell("subscriptionCreated")
        self.assertEqual(self.deliver(times=2), [200, 200])
        self.assertEqual(self.reasons(), [("needs attention", "customer not known")])
        waiting = list(trees.tree(self.portal, "customers_awaited"))
        self.assertEqual(len(waiting), 1)
        trees.tree(self.portal, "customers_awaited").clear()
        self.assertEqual(indexes.rebuild(self.portal)["corrected"], 0)
        self.assertEqual(list(trees.tree(self.portal, "customers_awaited")), waiting)
        transaction.commit()
        self.pass_time(days=1)
        self.tell("transactionCreated", customerEmail=JANE)
        self.deliver()
        self.has("premium")
        self.assertEqual(self.reasons(), [])
        self.assertEqual(self.member(JANE).getProperty("email"), JANE)
        self.assertEqual(list(trees.tree(self.portal, "customers_awaited")), [])
        self.assertEqual(list(trees.tree(self.portal, "untold")), [])
        self.assert_replay_changes_nothing()

    def test_all_that_has_waited_is_taken_up(self):
        self.tell("subscriptionCreated")
        self.tell("subscriptionCanceled", expirationDate=self.now.isoformat())
        self.tell("subscriptionCreated", subscriptionId=10, offerId=SILVER)
        self.tell("subscriptionCreated", subscriptionId=11, customerId=78)
        self.deliver()
        self.pass_time(days=1)
        self.tell("subscriptionRenewed", customerEmail=JANE, subscriptionId=10, offerId=SILVER)
        self.deliver()
        self.has("course")
        self.assertEqual(self.reasons(), [("needs attention", "customer not known")])

    def test_once_known_the_id_is_enough(self):
        self.tell("transactionCreated", customerEmail=JANE)
        self.tell("subscriptionCreated")
        self.deliver()
        self.has("premium")
        self.assertEqual(self.reasons(), [])

    def test_a_customer_of_another_provider_is_another(self):
        self.tell("subscriptionCreated")
        self.deliver()
        with self.owner():
            trees.tree(self.portal, "buyer_by_customer")["plenigo", "77"] = "somebody"
        self.tell("transactionCreated")
        self.deliver()
        self.assertEqual(self.reasons(), [("needs attention", "customer not known")])

    def test_what_was_dismissed_stays_so(self):
        self.tell("subscriptionCreated")
        self.deliver()
        (key,) = ledger.newest_first(self.portal)
        with self.owner():
            ledger.dismiss(self.portal, ledger.get(self.portal, key))
        self.tell("transactionCreated", customerEmail=JANE)
        self.deliver()
        self.assertIsNone(self.member(JANE))

    def test_killed_before_it_is_taken_up_the_sweep_does_it(self):
        self.tell("subscriptionCreated")
        self.deliver()
        told = self.tell("subscriptionRenewed", customerEmail=JANE)

        class Killed(BaseException):
            """Nothing catches it, as nothing catches a kill."""

        def step(name):
            if name == "recorded":
                raise Killed

        with mock.patch.object(steps, "reached", step), self.assertRaises(Killed):
            self.process(told)
        transaction.abort()
        self.pass_time(minutes=5)
        self.sweep()
        self.has("premium")
        self.assertEqual(self.reasons(), [])

    def test_it_is_found_by_its_customer_alone(self):
        for number in range(30):
            self.tell("subscriptionCreated", subscriptionId=number, customerId=number)
        self.tell("subscriptionCreated", customerEmail=JANE)
        self.deliver()
        with mock.patch.object(customers, "named", wraps=customers.named) as looked_at:
            self.tell("transactionCreated", customerEmail=JOE, customerId=5)
            (delivery,) = self.fake.webhooks.pending
            self.process(delivery)
        self.assertEqual(looked_at.call_count, 2)
        self.has("premium", who=JOE)
