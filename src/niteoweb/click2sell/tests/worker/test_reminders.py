"""Members are told that access ends, and that it has ended, over a real SMTP server."""

from datetime import timedelta
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.interfaces import IAccessEndsSoonEvent
from niteoweb.click2sell.mail import delivery
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.privacy import erasure
from niteoweb.click2sell.provisioning import events
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.mail import MailTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.sweeps import at
from niteoweb.click2sell.tests.cases.sweeps import SweepTestCase
from plone import api
from unittest import mock

import os
import transaction


class EndTestCase(SweepTestCase, MailTestCase):
    """Product 1 gives 30 days from May 3; the add-on mails nothing else."""

    def setUp(self):
        super().setUp()
        self.settings(
            welcome_mail="none",
            notice_mail=False,
            reminder_days=7,
            mapping=["1|premium|30|order=https://shop.example/1", "2|course"],
        )

    def kinds(self):
        return sorted(mail["kind"] for mail in self.mails())

    def cancel(self, **changes):
        return self.buy(
            transaction_type="Subscription",
            subscription_status="Cancel",
            purchase_date="2026-05-04",
            **changes,
        )


class TestReminder(EndTestCase):
    def test_it_is_mailed_once_with_the_way_to_renew(self):
        self.buy()
        self.later(days=22)
        self.assertEqual(self.sweep().reminded, 0)
        self.later(days=1)
        self.assertEqual(self.sweep(dry_run=True).reminded, 1)
        self.assertEqual(self.kinds(), [])
        self.assertEqual(self.sweep().reminded, 1)
        message = self.arrived()
        self.assertEqual(message["To"], EMAIL)
        self.assertEqual(message["Subject"], "Your access to Test Product ends on Jun 02, 2026")
        text = self.text()
        self.assertIn("Hello John Smith,", text)
        self.assertIn("at Example Shop ends on Jun 02, 2026. It does not renew", text)
        self.assertIn("Renew it here: http://nohost/plone/@@click2sell-order?product=1\n", text)
        self.assertIn("http://nohost/plone/@@my-purchases", text)
        self.assertIn("Questions? Write to shop@example.com.", text)
        self.assertNotIn("$", text)
        for _day in range(6):
            self.later(days=1)
            self.assertEqual(self.sweep().reminded, 0)
        self.arrived()

    def test_another_end_is_told_again(self):
        self.buy()
        self.later(days=23)
        self.sweep()
        self.buy_again(purchase_date="2026-05-27")
        self.sweep()
        self.arrived()
        self.later(days=25)
        self.sweep()
        self.assertEqual(len(self.server.messages), 2)

    def test_nothing_for_what_renews_or_does_not_end(self):
        self.subscribe()
        self.buy_again(product_id="2")
        self.later(days=25)
        self.sweep()
        self.assertEqual(self.kinds(), [])

    def test_a_subscription_that_was_cancelled(self):
        self.subscribe()
        self.cancel()
        self.later(days=24)
        self.sweep()
        self.assertEqual(self.kinds(), [outbox.REMINDER])

    def test_off(self):
        self.settings(reminder_days=0)
        self.buy()
        self.later(days=29)
        self.assertEqual(self.sweep().reminded, 0)
        self.assertEqual(self.kinds(), [])

    def test_access_that_is_shorter(self):
        self.settings(mapping=["1|premium|5"])
        self.buy()
        self.sweep()
        self.later(days=3)
        self.sweep()
        self.assertEqual(self.kinds(), [])

    def test_a_refund(self):
        self.buy()
        self.later(days=1)
        self.refund(purchase_date="2026-05-04")
        self.later(days=24)
        self.sweep()
        self.assertEqual(self.kinds(), [])
        self.assertEqual(list(trees.tree(self.portal, "ends_ahead")), [])

    def test_an_account_that_administers_the_site(self):
        self.buy()
        with self.owner():
            api.user.grant_roles(username=EMAIL, roles=["Manager"])
        self.later(days=24)
        self.assertEqual(self.sweep().reminded, 0)
        self.assertEqual(self.kinds(), [])

    def test_an_erased_buyer(self):
        self.buy()
        erasure.erase(EMAIL, "owner", "asked for it")
        self.later(days=24)
        self.assertEqual(self.sweep().reminded, 0)
        self.assertEqual(list(trees.tree(self.portal, "ends_ahead")), [])

    def test_a_copy_of_the_site(self):
        self.buy()
        self.later(days=24)
        with mock.patch.dict(os.environ, CLICK2SELL_STAGING="1"):
            self.sweep()
            self.assertEqual(self.kinds(), [])

    def test_a_crash_neither_loses_nor_repeats_it(self):
        self.buy()
        self.later(days=24)
        with at("reminder filed", RuntimeError("the process is killed")):
            self.assertEqual(self.sweep().troubled, 1)
        self.assertEqual(self.kinds(), [])
        with at("mail handed over", KeyboardInterrupt()), self.assertRaises(KeyboardInterrupt):
            self.sweep()
        self.assertEqual(self.kinds(), [outbox.REMINDER])
        self.later(minutes=3)
        self.sweep()
        self.assertEqual(self.kinds(), [outbox.REMINDER])
        self.assertEqual(len({message["Message-ID"] for message in self.server.messages}), 1)

    def test_it_is_given_up_when_somebody_paid_meanwhile(self):
        self.settings(site_address="")
        self.buy()
        self.later(days=24)
        self.sweep()
        self.buy_again(purchase_date="2026-05-28")
        self.settings(site_address="http://nohost/plone")
        self.sweep()
        self.assertEqual([mail["state"] for mail in self.mails()], [outbox.DROPPED])
        self.assertEqual(self.server.messages, [])

    def test_the_event_without_the_mail(self):
        self.settings(reminder_mail=False)
        self.buy()
        self.later(days=24)
        with mock.patch.object(events, "fire") as fired:
            self.sweep()
        ((event,),) = fired.call_args.args
        self.assertTrue(IAccessEndsSoonEvent.providedBy(event))
        self.assertEqual((event.user_id, event.product_id), (EMAIL, "1"))
        self.assertEqual(event.groups, ("premium",))
        self.assertLess(event.until - self.now, timedelta(days=7))
        self.assertEqual(self.kinds(), [])

    def test_in_the_language_of_the_site(self):
        self.registry(default_language="de", available_languages=["de"])
        self.buy()
        self.later(days=24)
        self.sweep()
        self.assertIn("Guten Tag John Smith,", self.text())


class TestEnded(EndTestCase):
    def setUp(self):
        super().setUp()
        self.settings(reminder_days=0, ended_mail=True)

    def test_it_is_mailed_once(self):
        self.buy()
        self.later(days=31)
        self.sweep()
        delivery.send_due()
        message = self.arrived()
        self.assertEqual(message["Subject"], "Your access to Test Product has ended")
        self.assertIn("ended on Jun 02, 2026.", self.text())
        self.assertIn("@@click2sell-order?product=1", self.text())
        self.sweep()
        self.arrived()

    def test_off(self):
        self.settings(ended_mail=False)
        self.buy()
        self.later(days=31)
        self.sweep()
        self.assertEqual(self.kinds(), [])

    def test_a_subscription_that_was_not_renewed_or_cancelled(self):
        self.subscribe()
        self.cancel()
        self.later(days=31)
        self.sweep()
        self.assertEqual(self.kinds(), [outbox.ENDED])

    def test_after_an_owners_act_if_the_owner_wants_it(self):
        self.settings(ended_mail=False)
        self.buy()
        self.later(days=1)
        buyer, product = buyers.of_address(self.portal, EMAIL)["id"], ("click2sell", "1")
        action.carry_out(commands.End(buyer, product, "asked", "owner", mail=True))
        transaction.begin()
        self.sweep()
        self.assertEqual(self.arrived()["Subject"], "Your access to Test Product has ended")
        self.assertIn("ended on May 04, 2026.", self.text())

    def test_not_after_a_refund_or_an_owners_act(self):
        self.buy()
        self.buy(
            buyer_email="jane@example.org",
            acquirer_transaction_id="T-J",
            c2s_transaction_id="R-J",
        )
        self.later(days=1)
        self.refund(purchase_date="2026-05-04")
        other = buyers.of_address(self.portal, "jane@example.org")["id"]
        action.carry_out(commands.End(other, ("click2sell", "1"), "asked", "owner"))
        transaction.begin()
        self.assertEqual(self.groups("jane@example.org"), ["click2sell"])
        self.sweep()
        self.assertEqual(self.kinds(), [])
