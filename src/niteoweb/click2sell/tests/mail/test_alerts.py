"""The owner is told by mail: once a day what waits, and at once what cannot wait."""

from datetime import datetime
from datetime import timezone
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.interfaces import IClick2SellSettings
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import reasons
from niteoweb.click2sell.mail import alerts
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.report import notifications
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.mail import AlertTestCase
from niteoweb.click2sell.tests.cases.mail import SENDER
from niteoweb.click2sell.tests.cases.process import Worker
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.sweeps import at
from niteoweb.click2sell.worker import sweep
from plone.registry.interfaces import IRegistry
from unittest import mock
from urllib.parse import parse_qsl
from zope.component import getUtility
from zope.i18n import translate

import os
import socket
import transaction


URL = "http://nohost/plone/@@click2sell-notifications"
SETTINGS = "http://nohost/plone/@@click2sell-settings"


class TestDaily(AlertTestCase):
    def test_nothing_to_tell(self):
        self.buy()
        with self.no_commit():
            self.assertEqual(self.told(), [])
        self.later(days=1)
        with self.no_commit():
            self.assertEqual(self.told(), [])

    def test_what_it_says(self):
        self.settings(mapping=["1|premium", "3|gone"])
        self.undecided(1)
        self.undecided(2)
        self.buy(product_id="3")
        self.buy(buyer_email="else@example.org", product_id="3", receipt="R-9")
        self.failed()
        with self.failing():
            ((to, subject, text),) = self.told()
        self.assertEqual(to, SENDER)
        self.assertEqual(subject, "Example Shop: notifications wait for you (5)")
        self.assertEqual(
            text,
            f"""\
These notifications have failed or are waiting for your decision, and you have not been told
about them before.

Needs attention: 3
  2 × {translate(reasons.text("account not certain"))}
  1 × The group "gone" does not exist.
  {URL}?outcome=needs+attention

Refused: 1
  1 × The signature is valid, but its transaction belongs to another buyer or product.
  {URL}?outcome=refused

Failed, and tried again by each automatic check: 1
  {URL}?outcome=failed

Older ones that are still waiting: 0

This mail is sent once a day at most, and only when there is something new. Its settings:
{SETTINGS}
""",
        )

    def test_says_nothing_about_a_buyer(self):
        self.undecided()
        self.failed()
        with self.failing():
            ((_to, subject, text),) = self.told()
        (mail,) = self.mails()
        for private in ("@example.org", "John", "Smith", "T-", "R-"):
            self.assertNotIn(private, subject + text.replace(SENDER, ""))
            self.assertNotIn(private, str(mail["about"]))

    def test_subject_of_a_reason_that_may_be_private(self):
        self.undecided()
        (place,) = trees.tree(self.portal, "untold")
        entry = entries.at(self.portal, place)
        ledger.set_outcome(self.portal, entry, Outcome.ATTENTION, entry["reason"], EMAIL)
        transaction.commit()
        self.assertNotIn(EMAIL, str(self.told()))

    def test_links_open_what_they_name(self):
        """The filter takes the outcome as it stands in the link."""
        self.undecided()
        ((_to, _subject, text),) = self.told()
        query = text.partition(f"{URL}?")[2].split()[0]
        found = notifications.parse(self.portal, dict(parse_qsl(query)), plone_site.timezone())
        self.assertEqual(notifications.Listing(self.portal, found).total, 1)

    def test_links_lead_to_the_public_address(self):
        self.settings(site_address="https://shop.example.com")
        self.undecided()
        ((_to, _subject, text),) = self.told()
        self.assertNotIn("nohost", text)
        self.assertIn("https://shop.example.com/@@click2sell-notifications?outcome=", text)

    def test_once(self):
        self.undecided()
        self.assertEqual(len(self.told()), 1)
        for _ in range(3):
            self.later(days=1)
            with self.no_commit():
                self.assertEqual(self.told(), [])

    def test_once_a_day(self):
        self.undecided()
        self.assertEqual(len(self.told()), 1)
        self.undecided(2)
        with self.no_commit():
            self.assertEqual(self.told(), [])
        self.later(days=1)
        ((_to, subject, text),) = self.told()
        self.assertIn("wait for you (1)", subject)
        self.assertIn("Needs attention: 1\n", text)
        self.assertIn("Older ones that are still waiting: 1\n", text)

    def test_what_was_refused_and_dismissed_does_not_wait(self):
        self.buy()
        self.buy(buyer_email="else@example.org", c2s_transaction_id="R-9")
        self.undecided()
        self.told()
        (refused,) = ledger.newest_first(self.portal, outcome=Outcome.REFUSED)
        action.carry_out(decisions.Dismiss(refused, "owner", "a forgery"))
        self.later(days=1)
        self.undecided(2)
        ((_to, _subject, text),) = self.told()
        self.assertIn("Older ones that are still waiting: 1\n", text)
        # Not refused any more, it waits no more either; refused again, it was dismissed.
        self.assertEqual(ledger.waiting(self.portal), 2)
        entry = ledger.get(self.portal, refused)
        for outcome in (Outcome.NOTHING, Outcome.REFUSED):
            ledger.set_outcome(self.portal, entry, outcome)
            self.assertEqual(ledger.waiting(self.portal), 2)

    def test_day_of_the_site(self):
        """It begins at midnight in Ljubljana, which is ten in the evening in UTC."""
        self.registry(portal_timezone="Europe/Ljubljana")
        self.now = datetime(2026, 5, 3, 21, 50, tzinfo=timezone.utc)
        self.undecided()
        self.assertEqual(len(self.told()), 1)
        self.undecided(2)
        self.later(minutes=9)
        self.assertEqual(self.told(), [])
        self.later(minutes=1)
        self.assertEqual(len(self.told()), 1)

    def test_what_was_put_right_before_is_not_told(self):
        self.failed()
        self.assertEqual(self.told(), [])

    def test_what_goes_wrong_later_than_it_arrived(self):
        """Not only what arrived since the last mail is new."""
        self.buy()
        self.undecided()
        self.told()
        self.later(days=1)
        with self.owner():
            self.portal.portal_groups.removeGroup("premium")
        (key,) = self.buyer()["keys"]
        pipeline.replay(key)
        ((_to, _subject, text),) = self.told()
        self.assertIn('1 × The group "premium" does not exist.', text)
        self.assertIn("Older ones that are still waiting: 1\n", text)

    def test_that_fails_at_each_sweep_is_told_once(self):
        self.failed()
        with self.failing():
            self.assertEqual(len(self.told()), 1)
            self.later(days=1)
            self.assertEqual(self.told(), [])
        self.assertEqual(self.told(), [])

    def test_what_fails_again_after_it_went_well(self):
        self.failed()
        with self.failing():
            self.told()
        self.later(days=1)
        self.sweep()
        (key,) = self.buyer("failed1@example.org")["keys"]
        with self.failing(), self.assertRaises(pipeline.Failed):
            pipeline.replay(key)
        with self.failing():
            self.assertEqual(len(self.told()), 1)

    def test_switched_off(self):
        self.settings(daily_mail=False)
        self.undecided()
        with self.no_commit():
            self.assertEqual(self.told(), [])
        self.settings(daily_mail=True)
        self.assertEqual(len(self.told()), 1)

    def test_record_that_is_not_there_yet(self):
        records = getUtility(IRegistry).records
        for name in ("alert_addresses", "daily_mail"):
            del records[f"{IClick2SellSettings.__identifier__}.{name}"]
        transaction.commit()
        self.undecided()
        self.assertEqual([to for to, *_mail in self.told()], [SENDER])

    def test_only_looking(self):
        self.undecided()
        with self.no_commit():
            self.assertEqual(self.told(dry_run=True), [])
        self.assertEqual(len(self.told()), 1)

    def test_not_from_a_copy_of_the_site(self):
        self.undecided()
        with mock.patch.dict(os.environ, CLICK2SELL_STAGING="1"), self.no_commit():
            self.assertEqual(self.told(), [])
        self.assertEqual(self.mails(), [])

    def test_in_the_language_of_the_site(self):
        """The one of whoever calls the sweep does not matter."""
        self.registry(default_language="de", available_languages=["de", "en"])
        self.arrivals(3, hours=1)
        self.later(days=10)
        ((_to, _subject, text),) = self.told()
        self.assertIn("03.05.2026 20:00", text)
        self.assertIn("ist nichts von Click2Sell eingegangen", text)
        self.assertNotIn("Since", text)


class TestWhoIsTold(AlertTestCase):
    def test_a_mail_for_each_address(self):
        self.settings(alert_addresses=["a@example.com", "b@example.com"])
        self.undecided()
        self.assertEqual(
            sorted(to for to, *_mail in self.told()), ["a@example.com", "b@example.com"]
        )
        self.assertEqual(len({m["message_id"] for m in self.mails()}), 2)

    def test_nobody_yet(self):
        """An alert without a recipient is sent when there is an address."""
        self.registry(email_from_address="")
        self.undecided()
        with self.no_commit():
            self.assertEqual(self.told(), [])
        self.registry(email_from_address=SENDER)
        self.assertEqual(len(self.told()), 1)

    def test_a_deleted_member_takes_none_along(self):
        self.undecided()
        self.buy()
        with mock.patch.object(sweep, "_mails"):
            self.sweep()
        with self.owner():
            self.portal.portal_membership.deleteMembers([EMAIL])
        self.assertEqual([mail["state"] for mail in self.mails()], [outbox.DUE])


class TestAtOnce(AlertTestCase):
    def silence(self):
        """Nothing arrives for too long."""
        self.arrivals(3, hours=1)
        self.later(hours=25)

    def test_silent(self):
        self.silence()
        ((to, subject, text),) = self.told()
        self.assertEqual(
            (to, subject), (SENDER, "Example Shop: nothing arrives from Click2Sell")
        )
        self.assertIn("Nothing has arrived from Click2Sell since May 03, 2026 08:00 PM.", text)
        self.assertIn(f"{URL}?provider=click2sell\n", text)

    def test_silent_is_told_once(self):
        self.silence()
        self.assertEqual(len(self.told()), 1)
        self.later(days=3)
        with self.no_commit():
            self.assertEqual(self.told(), [])

    def test_although_the_daily_mail_is_off(self):
        self.settings(daily_mail=False)
        self.silence()
        self.assertEqual(len(self.told()), 1)

    def test_a_confirmed_sweep_does_not_take_it_for_over(self):
        self.silence()
        self.told()
        with self.no_commit():
            self.assertEqual(self.told(confirmed=True), [])

    def test_heard_again(self):
        self.silence()
        self.told()
        self.arrivals(2, hours=24)
        self.assertEqual(self.told(), [])
        self.later(seconds=1)
        ((_to, subject, text),) = self.told()
        self.assertEqual(subject, "Example Shop: notifications from Click2Sell arrive again")
        self.assertIn("Click2Sell was silent from May 03, 2026 08:00 PM on.", text)
        with self.no_commit():
            self.assertEqual(self.told(), [])

    def test_silent_again(self):
        self.silence()
        self.told()
        self.arrivals(2, hours=25)
        self.assertIn("arrive again", str(self.subjects()))
        self.later(days=30)
        self.assertEqual(self.subjects(), ["Example Shop: nothing arrives from Click2Sell"])

    def test_each_provider_for_itself(self):
        self.arrivals(3, provider="a&b", hours=1)
        self.arrivals(3, hours=1)
        self.later(hours=25)
        ((_to, _one, _text), (_to, _other, text)) = sorted(self.told())
        self.assertIn("?provider=a%26b\n", text)

    def test_one_provider_after_the_other(self):
        self.arrivals(3, provider="quiet", hours=1)
        self.later(hours=20)
        self.arrivals(3, hours=1)
        self.later(hours=4)
        self.assertEqual(self.subjects(), ["Example Shop: nothing arrives from quiet"])
        self.later(hours=22)
        self.assertEqual(self.subjects(), ["Example Shop: nothing arrives from Click2Sell"])

    def lapse(self):
        """The days of access pass, with a pause that is nothing unusual."""
        self.later(days=16)
        self.arrivals(1)
        self.later(days=15)

    def test_the_breaker(self):
        self.crowd(21)
        self.lapse()
        ((to, subject, text),) = self.told()
        self.assertEqual(to, SENDER)
        self.assertIn("access was not ended, because 21 members would have lost it", subject)
        self.assertIn("lost access in one automatic check: 21\n", text)
        self.assertIn("allow at most: 20\n", text)
        self.assertIn("confirm it here:\nhttp://nohost/plone/@@click2sell-check\n", text)
        self.later(minutes=10)
        with self.no_commit():
            self.assertEqual(self.told(), [])
        ((_to, subject, _text),) = self.told(confirmed=True)
        self.assertIn("access is ended again", subject)
        with self.no_commit():
            self.assertEqual(self.told(), [])

    def test_the_breaker_trips_again(self):
        self.crowd(21)
        self.lapse()
        self.assertEqual(len(self.told()), 1)
        self.settings(breaker_members=1000, breaker_percent=100)
        self.assertIn("again", str(self.subjects()))
        for number in range(21):
            self.buy(
                buyer_email=f"other{number}@example.org",
                acquirer_transaction_id=f"T-other-{number}",
                purchase_date=f"{self.now:%Y-%m-%d}",
            )
        self.lapse()
        self.settings(breaker_members=20)
        self.assertIn("21 members would have lost", str(self.subjects()))


class TestRobust(AlertTestCase):
    def test_a_mail_server_that_is_down(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        self.registry(smtp_port=port)
        self.undecided()
        self.assertEqual(self.sweep().mails["failed"], 1)
        (mail,) = self.mails()
        self.assertEqual((mail["state"], mail["attempts"]), (outbox.DUE, 1))
        self.registry(smtp_port=self.server.port)
        self.assertIn("Needs attention: 1\n", self.told()[0][2])
        self.assertEqual(self.arrived()["Message-ID"], mail["message_id"])
        self.later(days=1)
        self.assertEqual(self.told(), [])

    def test_a_killed_process(self):
        """It may repeat the mail, with the same Message-ID."""
        self.undecided()
        with at("mail handed over", KeyboardInterrupt()), self.assertRaises(KeyboardInterrupt):
            self.sweep()
        first = self.arrived()["Message-ID"]
        self.later(minutes=5)
        self.told()
        self.assertEqual(self.arrived()["Message-ID"], first)
        self.later(days=1)
        self.assertEqual(self.told(), [])

    def test_a_request_that_does_not_mail(self):
        self.undecided()
        self.assertEqual(self.told(outside=False), [])
        self.assertEqual(len(self.told()), 1)

    def test_two_sweeps_at_once(self):
        """The second one begins when the first has not yet committed."""
        self.undecided()
        file, raced = alerts.file, []

        def race(site, stopped, now):
            file(site, stopped, now)
            if not raced:
                raced.append(True)
                self.elsewhere(lambda other: file(other, stopped, now))

        with mock.patch.object(alerts, "file", race):
            self.assertEqual(len(self.told()), 1)
        self.assertEqual(raced, [True])
        self.assertEqual(len(self.mails()), 1)

    def elsewhere(self, work):
        """Do something as another process does, and commit it."""

        def commit():
            work(plone_site.get())
            transaction.commit()

        other = Worker(self.portal._p_jar.db(), self.portal.getId(), "another", commit)
        other.start()
        other.join()
        self.assertIsNone(other.result)

    def test_an_error_holds_up_nothing(self):
        self.buy()
        self.undecided()
        self.later(days=31)
        with (
            mock.patch.object(alerts, "file", side_effect=ValueError(EMAIL)),
            self.assertLogs("niteoweb.click2sell", "ERROR") as logs,
        ):
            report = self.sweep()
        self.assertEqual(report.troubled, 1)
        self.assertNotIn(EMAIL, str(logs.output))
        self.assertEqual(self.groups(), ["click2sell"])

    def test_a_busy_database(self):
        self.undecided()
        with mock.patch.object(alerts, "file", side_effect=transactions.Busy):
            self.assertEqual(self.sweep().busy, 1)
        self.assertEqual(len(self.told()), 1)
