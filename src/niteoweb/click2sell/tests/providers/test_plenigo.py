"""plenigo's whole road: signed callbacks over HTTP, its API, what the site makes of them."""

from datetime import timedelta
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.cleeng.provider import PROVIDER as CLEENG
from niteoweb.click2sell.providers.plenigo.fake import TOKEN
from niteoweb.click2sell.providers.plenigo.provider import PROVIDER as PLENIGO
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.settings import rules
from niteoweb.click2sell.tests.cases.providers import JANE
from niteoweb.click2sell.tests.cases.providers import PlenigoTestCase
from niteoweb.click2sell.worker.sweep import sweep
from plone import api
from unittest import mock

import contextlib
import dataclasses
import transaction


class TestLife(PlenigoTestCase):
    def test_a_subscription_from_its_beginning_to_its_end(self):
        number = self.fake.subscribe(self.jane, "gold")
        self.assertEqual(self.deliver(), [200, 200])
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])
        member = self.member(JANE)
        self.assertEqual(member.getProperty("fullname"), "Jane Doe")
        self.assertEqual(member.getProperty("product_id"), "gold")
        self.fake.cancel(number)
        self.deliver()
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])
        self.fake.undo_cancellation(number)
        self.deliver()
        self.fake.end(number)
        self.deliver()
        self.assertEqual(self.groups(JANE), ["click2sell"])
        self.assertEqual(self.reasons(), [])

    def test_in_any_order_and_twice(self):
        number = self.fake.subscribe(self.jane, "gold")
        self.fake.cancel(number)
        self.fake.undo_cancellation(number)
        self.assertEqual(set(self.deliver(order=reversed, times=2)), {200})
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])
        self.fake.end(number)
        self.deliver(times=2)
        self.assertEqual(self.groups(JANE), ["click2sell"])

    def test_a_payment_that_is_revoked(self):
        number = self.fake.subscribe(self.jane, "gold")
        self.deliver()
        self.fake.revoke_payment(number)
        self.deliver()
        self.assertEqual(self.groups(JANE), ["click2sell"])

    def test_a_payment_that_is_revoked_and_a_new_subscription(self):
        number = self.fake.subscribe(self.jane, "gold")
        self.deliver()
        self.fake.revoke_payment(number)
        self.later(seconds=1)
        self.fake.clock.move(seconds=1)
        self.fake.subscribe(self.jane, "gold")
        self.deliver(order=reversed, times=2)
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])
        self.assertEqual(self.reasons(), [])

    def test_a_subscription_that_is_told_when_its_end_is_over(self):
        number = self.fake.subscribe(self.jane, "gold", days=5)
        cancelled = {
            "cancellationDate": "2026-05-03T18:00:00Z",
            "endDate": "2026-05-08T18:00:00Z",
        }
        self.fake.subscriptions[number].update(cancelled)
        self.fake.clock.move(days=10)
        self.later(days=10)
        self.deliver()
        self.assertEqual(self.groups(JANE), ["click2sell"])

    def test_another_offer(self):
        number = self.fake.subscribe(self.jane, "gold")
        self.deliver()
        self.fake.change(number, plenigoOfferId="other", items=[])
        self.deliver()
        self.assertEqual(self.groups(JANE), ["click2sell"])

    def test_a_line_may_name_the_access_right(self):
        self.fake.subscribe(self.jane, "offer", access_right="right-2")
        self.deliver()
        self.assertEqual(self.groups(JANE), ["click2sell", "course"])

    def test_what_is_no_longer_in_a_subscription_gives_nothing(self):
        number = self.fake.subscribe(self.jane, "gold", access_right="right-2")
        self.deliver()
        self.later(seconds=1)
        self.assertEqual(self.groups(JANE), ["click2sell", "course", "premium"])
        items = self.fake.subscriptions[number]["items"]
        self.fake.change(number, items=[{**items[0], "accessRightUniqueId": "right-3"}])
        self.deliver()
        self.later(seconds=1)
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])
        self.fake.change(number, items=items)
        self.deliver()
        self.later(seconds=1)
        self.assertEqual(self.groups(JANE), ["click2sell", "course", "premium"])
        # A line that is gone takes nothing away.
        self.set(mapping=["gold|premium"])
        self.fake.change(number, term=1)
        self.deliver()
        self.later(seconds=1)
        self.assertEqual(self.groups(JANE), ["click2sell", "course", "premium"])

    def test_what_another_subscription_had_gives_nothing(self):
        first = self.fake.subscribe(self.jane, "offer", access_right="right-2")
        self.deliver()
        self.later(seconds=1)
        self.fake.end(first)
        self.fake.subscribe(self.jane, "offer", access_right="right-3")
        self.deliver()
        self.later(seconds=1)
        self.assertEqual(self.groups(JANE), ["click2sell"])

    def test_several_items_and_lines_that_name_one_subscription(self):
        self.group("third")
        self.set(mapping=["offer|premium", "P_2|course", "right-3|third", "P_2|premium"])
        number = self.fake.subscribe(self.jane, "offer")
        item = self.fake.subscriptions[number]["items"][0]
        more = [
            {**item, "productId": "P_2", "accessRightUniqueId": "right-2"},
            {**item, "productId": "P_3", "accessRightUniqueId": "right-3"},
            {**item, "productId": "P_4", "status": "INACTIVE", "quantity": 2},
        ]
        self.fake.change(number, items=[item, *more])
        self.deliver()
        self.later(seconds=1)
        self.assertEqual(self.reasons(), [])
        self.assertEqual(self.groups(JANE), ["click2sell", "course", "premium", "third"])
        self.fake.change(number, items=[item, more[0]])
        self.deliver()
        self.later(seconds=1)
        self.assertEqual(self.groups(JANE), ["click2sell", "course", "premium"])

    def test_products_of_click2sell_are_others(self):
        self.settings(mapping=["gold|course"])
        self.fake.subscribe(self.jane, "gold")
        self.deliver()
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])

    def test_several_pieces_need_attention(self):
        self.fake.subscribe(self.jane, "gold", quantity=2)
        self.deliver()
        self.assertEqual(self.reasons(), [("needs attention", "several pieces")])
        self.assertIsNone(self.member(JANE))


class TestCustomer(PlenigoTestCase):
    def test_the_address_changes_and_the_member_stays(self):
        number = self.fake.subscribe(self.jane, "gold")
        self.deliver()
        self.fake.change_address(self.jane, "jane.doe@example.org")
        self.fake.end(number)
        self.fake.subscribe(self.jane, "offer", access_right="right-2")
        self.deliver()
        self.assertEqual(self.groups(JANE), ["click2sell", "course"])
        self.assertIsNone(self.member("jane.doe@example.org"))
        buyer = customers.buyer(self.portal, ("plenigo", self.jane))
        self.assertEqual(buyer["addresses"], ())
        self.assertEqual(buyers.addresses(buyer), ("jane.doe@example.org", JANE))
        self.assertEqual(buyer["user_id"], JANE)

    def test_plenigo_is_asked_for_a_customer_once(self):
        self.fake.callbacks.pending.clear()
        for offer in "gold", "offer", "third":
            self.fake.subscribe(self.jane, offer)
        self.deliver()
        asked = [request.path[0] for request in self.fake.requests]
        self.assertEqual(asked.count("customers"), 1)
        self.assertEqual(asked.count("subscriptions"), 3)

    def test_a_customer_who_is_deleted(self):
        self.fake.subscribe(self.jane, "gold")
        self.fake.subscribe(self.jane, "offer", access_right="right-2")
        self.deliver()
        self.assertEqual(self.groups(JANE), ["click2sell", "course", "premium"])
        self.fake.delete_customer(self.jane)
        self.deliver()
        self.assertEqual(self.groups(JANE), ["click2sell"])
        self.assertEqual(self.reasons(), [("needs attention", "customer deleted")])

    def test_one_who_comes_back_after_it_has_access_again(self):
        self.fake.subscribe(self.jane, "gold")
        self.fake.delete_customer(self.jane)
        self.deliver()
        self.later(hours=1)
        self.fake.clock.move(hours=1)
        again = self.fake.add_customer(JANE)
        self.fake.subscribe(again, "gold")
        self.deliver()
        self.assertEqual(self.groups(JANE), ["click2sell"])
        self.choose(JANE, customer=("plenigo", again))
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])

    def test_an_address_that_another_buyer_has(self):
        joan = self.fake.add_customer("joan@example.org")
        self.fake.subscribe(joan, "gold")
        number = self.fake.subscribe(self.jane, "gold")
        self.deliver()
        self.fake.change_address(self.jane, "joan@example.org")
        self.deliver()
        self.later(seconds=1)
        self.fake.end(number)
        self.deliver()
        # Neither does one get into the other's account, nor does it lose anything by it.
        self.assertEqual(self.groups(JANE), ["click2sell"])
        self.assertEqual(self.groups("joan@example.org"), ["click2sell", "premium"])
        self.fake.subscribe(self.jane, "offer", access_right="right-2")
        self.deliver()
        self.assertEqual(self.groups(JANE), ["click2sell", "course"])
        self.assertEqual(self.groups("joan@example.org"), ["click2sell", "premium"])

    def test_an_address_that_an_account_of_the_site_has(self):
        self.account("joan", "joan@example.org")
        self.fake.subscribe(self.jane, "gold")
        self.deliver()
        self.fake.change_address(self.jane, "joan@example.org")
        self.fake.subscribe(self.jane, "offer", access_right="right-2")
        self.deliver()
        self.assertEqual(self.groups(JANE), ["click2sell", "course", "premium"])
        self.assertEqual(self.groups("joan"), [])
        self.assertEqual(self.reasons(), [])

    def test_one_whom_nobody_knows_leaves_nothing_to_do(self):
        self.fake.callbacks.pending.clear()
        self.fake.delete_customer(self.jane)
        self.deliver()
        self.assertEqual(self.entries(), [("nothing to do", "", "")])

    def test_deleted_before_the_subscription_was_told(self):
        self.set(api_token=None)
        self.fake.subscribe(self.jane, "gold")
        self.fake.clock.move(seconds=1)
        self.later(seconds=1)
        self.fake.delete_customer(self.jane)
        with self.assertLogs("niteoweb.click2sell", "WARNING"):
            self.deliver(order=reversed)
        self.assertEqual(self.groups(JANE), ["click2sell"])
        self.assertEqual(self.reasons(), [("needs attention", "customer deleted")])

    def test_a_subscription_that_passes_to_another_customer(self):
        for token in (TOKEN, None):
            self.set(api_token=token)
            for how in (list, reversed):
                with self.subTest(token=token, how=how):
                    names = [f"{name}-{how.__name__}-{token}@example.org" for name in "ab"]
                    names = [name.replace(" ", "").lower() for name in names]
                    anne, bill = map(self.fake.add_customer, names)
                    self.deliver()
                    number = self.fake.subscribe(anne, "gold", days=None)
                    self.later(seconds=1)
                    self.fake.clock.move(seconds=1)
                    self.fake.change(number, deliveryCustomerId=bill)
                    self.deliver(order=how)
                    self.assertEqual(self.groups(names[1]), ["click2sell", "premium"])
                    self.assertNotIn("premium", self.groups(names[0]))
                    self.assert_replay_changes_nothing()

    def test_who_gets_it_back_has_it(self):
        bill = self.fake.add_customer("bill@example.org")
        number = self.fake.subscribe(self.jane, "gold", days=None)
        for customer_id in (bill, self.jane):
            self.deliver()
            self.later(seconds=1)
            self.fake.change(number, deliveryCustomerId=customer_id)
        self.deliver()
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])
        self.assertEqual(self.groups("bill@example.org"), ["click2sell"])
        self.assertEqual(self.reasons(), [])

    def test_who_bought_elsewhere_is_the_same_buyer(self):
        self.buy(buyer_email=JANE)
        self.fake.subscribe(self.jane, "offer", access_right="right-2")
        self.deliver()
        # What a customer states proves nothing, not even to a buyer of that address.
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])
        self.choose(JANE, customer=("plenigo", self.jane))
        self.assertEqual(self.groups(JANE), ["click2sell", "course", "premium"])


class TestApi(PlenigoTestCase):
    def test_while_plenigo_cannot_be_reached_the_entry_waits(self):
        self.fake.callbacks.pending.clear()
        self.fake.subscribe(self.jane, "gold")
        self.fake.outage = True
        with self.assertLogs("niteoweb.click2sell", "WARNING"):
            self.assertEqual(self.deliver(), [200])
        self.assertEqual(self.reasons(), [("failed", "unreachable")])
        self.assertIsNone(self.member(JANE))
        self.fake.outage = False
        self.assertEqual(self.deliver(), [])
        report = sweep()
        self.assertEqual(list(report.entries.values()), ["accepted"])
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])

    def test_without_a_token_the_callback_itself_counts(self):
        self.set(api_token=None)
        self.fake.subscribe(self.jane, "gold")
        self.assertEqual(self.deliver(), [200, 200])
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])
        self.assertEqual(self.fake.requests, [])

    def test_what_plenigo_does_not_know_takes_no_effect_when_the_customer_is_known(self):
        self.fake.subscribe(self.jane, "gold")
        self.fake.subscriptions.clear()
        with self.assertLogs("niteoweb.click2sell", "WARNING"):
            self.deliver(order=reversed)
        self.assertEqual(self.reasons(), [("needs attention", "not told")])
        self.assertIsNone(self.member(JANE))

    def test_without_a_token_a_stranger_needs_attention(self):
        self.set(api_token=None)
        self.fake.callbacks.pending.clear()
        self.fake.subscribe(self.jane, "gold")
        with self.assertLogs("niteoweb.click2sell", "WARNING"):
            self.deliver()
        self.assertEqual(self.reasons(), [("needs attention", "not told")])
        self.set(api_token=TOKEN)
        (key,) = self.keys()
        pipeline.replay(key)
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])

    def test_without_a_token_it_waits_for_a_callback_that_names_the_address(self):
        self.set(api_token=None)
        self.fake.subscribe(self.jane, "gold")
        with self.assertLogs("niteoweb.click2sell", "WARNING"):
            self.assertEqual(self.deliver(order=reversed), [200, 200])
        self.assertEqual(self.reasons(), [])
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])

    def test_a_wrong_token_waits_for_a_right_one(self):
        self.set(api_token="wrong")
        self.fake.callbacks.pending.clear()
        self.fake.subscribe(self.jane, "gold")
        with self.assertLogs("niteoweb.click2sell", "WARNING"):
            self.deliver()
        self.assertEqual(self.reasons(), [("failed", "unreachable")])

    def test_nothing_secret_is_kept_or_logged(self):
        self.fake.callbacks.pending.clear()
        self.fake.subscribe(self.jane, "gold")
        self.fake.outage = True
        with self.assertLogs("niteoweb.click2sell", "WARNING") as logged:
            self.deliver()
        for secret in TOKEN, self.fake.callbacks.secret, JANE:
            self.assertNotIn(secret, "".join(logged.output))
            self.assertNotIn(secret, repr(self.dump()["trees"]["entries"]))


class TestToken(PlenigoTestCase):
    """The token belongs to the address that it was entered for, however that one is changed."""

    def token(self):
        transaction.begin()
        return registry.settings(PLENIGO).api_token

    def test_the_registry(self):
        name = "niteoweb.click2sell.interfaces.IPlenigoSettings.api_url"
        api.portal.set_registry_record(name, self.fake.url)
        self.assertEqual(self.token(), TOKEN)
        with self.owner():
            api.portal.set_registry_record(name, "https://example.org")
        self.assertIsNone(self.token())

    def test_what_is_saved(self):
        for values, token in (
            ({"api_token": "new", "api_url": "https://example.org"}, "new"),
            ({"api_url": "https://example.org"}, "new"),
            ({"api_url": "https://example.com", "api_token": "new"}, "new"),
            ({"api_url": "https://example.org"}, None),
        ):
            with self.subTest(values):
                rules.save(values, PLENIGO)
                transaction.commit()
                self.assertEqual(self.token(), token)

    def test_another_providers_address_does_not_matter(self):
        with self.owner():
            registry.settings(CLEENG).api_url = "https://example.org"
        self.assertEqual(self.token(), TOKEN)


class TestCatchingUp(PlenigoTestCase):
    """Changes that no callback announced."""

    def lose(self):
        self.fake.callbacks.pending.clear()

    def sweep(self):
        transaction.begin()
        return sweep()

    def test_a_subscription_that_was_not_told(self):
        self.fake.subscribe(self.jane, "gold")
        self.lose()
        self.assertEqual(self.sweep().missed, 1)
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])
        self.assertEqual(self.sweep().missed, 0)

    def test_what_was_told_is_not_recorded_again(self):
        number = self.fake.subscribe(self.jane, "gold")
        self.deliver()
        self.assertEqual(self.sweep().missed, 0)
        self.fake.cancel(number)
        self.deliver()
        self.assertEqual(self.sweep().missed, 0)
        self.fake.end(number)
        self.deliver()
        self.assertEqual(self.sweep().missed, 0)
        self.assertEqual(len(self.entries()), 4)

    def test_an_end_that_was_not_told(self):
        number = self.fake.subscribe(self.jane, "gold")
        self.deliver()
        self.fake.end(number)
        self.lose()
        self.assertEqual(self.sweep().missed, 1)
        self.assertEqual(self.groups(JANE), ["click2sell"])

    def test_the_end_of_what_nobody_knows_is_no_news(self):
        self.fake.end(self.fake.subscribe(self.jane, "gold"))
        self.lose()
        self.assertEqual(self.sweep().missed, 0)
        self.assertIsNone(self.member(JANE))

    def test_what_needs_attention_is_told_once(self):
        number = self.fake.subscribe(self.jane, "gold", quantity=2)
        self.deliver()
        self.assertEqual(self.sweep().missed, 0)
        self.fake.change(number, term=7)
        self.lose()
        self.assertEqual(self.sweep().missed, 0)
        self.fake.end(number)
        self.lose()
        self.assertEqual(self.sweep().missed, 1)
        self.assertEqual(len(self.reasons()), 1)

    def test_what_changes_while_the_sweep_is_asking(self):
        number = self.fake.subscribe(self.jane, "gold")
        self.fake.callbacks.deliver(self.url)
        usual, times = self.fake.answer, []

        def answer(request):
            if request.path == ("subscriptions",) and not times:
                # A callback was read when the sweep had begun to ask, and then one was lost.
                times.append(self.later(seconds=10))
                self.fake.clock.move(seconds=10)
                self.fake.change(number, term=1)
                self.fake.callbacks.deliver(self.url)
                self.fake.clock.move(seconds=1)
                self.fake.change(number, plenigoOfferId="other", items=[])
                self.lose()
            return usual(request)

        with (
            mock.patch.object(self.fake, "answer", answer),
            mock.patch.object(self.fake, "_lock", contextlib.nullcontext()),
        ):
            self.assertEqual(self.sweep().missed, 0)
            self.later(minutes=5)
            self.assertEqual(self.sweep().missed, 1)
        self.assertEqual(self.groups(JANE), ["click2sell"])

    def test_more_than_a_page(self):
        for number in range(130):
            customer_id = self.fake.add_customer(f"buyer-{number}@example.org")
            self.fake.subscribe(customer_id, "unmapped")
        self.deliver(order=lambda deliveries: [x for x in deliveries if "CUSTOMER" in x.name])
        self.lose()
        self.assertEqual(self.sweep().missed, 130)

    def test_an_outage_leaves_it_to_the_next_sweep(self):
        self.fake.subscribe(self.jane, "gold")
        self.lose()
        self.fake.outage = True
        with self.assertLogs("niteoweb.click2sell", "WARNING"):
            report = self.sweep()
        self.assertEqual((report.missed, report.troubled), (0, 1))
        self.fake.outage = False
        self.assertEqual(self.sweep().missed, 1)


class TestCallback(PlenigoTestCase):
    def test_switched_off_it_is_not_there(self):
        self.set(enabled=False)
        self.fake.subscribe(self.jane, "gold")
        self.assertEqual(self.deliver(), [404, 404])

    def test_what_nobody_can_read_is_kept_for_the_owner(self):
        delivery = self.fake.callbacks.write("broken", {})
        deep, number = b"[" * 500 + b"]" * 500, b"9" * 5000
        for value in b'"\xff"', deep, number, b"NaN", b'1,"entityId":1':
            odd = dataclasses.replace(delivery, body=b'{"entityId":' + value + b"}")
            with self.subTest(value[:9]), self.assertLogs("niteoweb.click2sell", "WARNING"):
                self.assertEqual(self.fake.callbacks.post(self.url, odd).status, 400)
        self.assertEqual(self.reasons(), [("needs attention", "parameter")] * 5)

    def test_tampered_with(self):
        self.fake.subscribe(self.jane, "gold")
        delivery = self.fake.callbacks.pending[-1]
        tampered = self.fake.callbacks.post(
            self.url, delivery, tamper=lambda body: body.replace(b"gold", b"gone")
        )
        self.assertEqual(tampered.status, 403)
        self.assertEqual(self.entries(), [])

    def test_too_old(self):
        self.fake.subscribe(self.jane, "gold")
        delivery = self.fake.callbacks.pending[-1]
        old = self.now - timedelta(days=3)
        self.assertEqual(
            self.fake.callbacks.post(self.url, delivery, signed_at=old).status, 403
        )
        self.set(tolerance=0)
        self.assertEqual(
            self.fake.callbacks.post(self.url, delivery, signed_at=old).status, 200
        )

    def test_the_old_secret_during_a_rotation(self):
        self.fake.subscribe(self.jane, "gold")
        delivery, old = self.fake.callbacks.pending[-1], self.fake.callbacks.secret
        self.set(secretkey="a new secret", previous_secretkey=old)
        self.assertEqual(self.fake.callbacks.post(self.url, delivery).status, 200)
        self.set(previous_secretkey=None)
        self.assertEqual(self.fake.callbacks.post(self.url, delivery).status, 403)
