"""Site Setup: the automatic check, its last run, what is due, and the buttons."""

from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk import automaticcheck as page
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import schedule
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.tests.cases.pages import cells
from niteoweb.click2sell.tests.cases.pages import MANAGER
from niteoweb.click2sell.tests.cases.pages import NOBODY
from niteoweb.click2sell.tests.cases.pages import OTHER
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.sweeps import at
from niteoweb.click2sell.tests.cases.sweeps import SweepTestCase
from niteoweb.click2sell.worker import clock
from unittest import mock
from urllib.error import HTTPError

import os
import transaction


class CheckTestCase(PageTestCase, SweepTestCase):
    def setUp(self):
        super().setUp()
        self.url = f"{self.portal.absolute_url()}/@@click2sell-check"
        self.addCleanup(background.stop_expecting)
        self.addCleanup(plone_site._reached.clear)

    def lapse(self):
        """John's access to product 1 is over."""
        self.buy()
        self.later(days=31)

    def table(self, browser):
        """The members who lose access."""
        table = browser.contents.partition('aria-label="Members who lose access"')[2]
        return cells(table.partition("</table>")[0])

    def last(self):
        transaction.begin()
        return schedule.last_run(self.portal)

    def has_run(self, **values):
        """Write a run down, a minute ago."""
        values = {"by": schedule.CLOCK, "seconds": 0.4, "numbers": {}, **values}
        run = schedule.Run(begun_at=self.now, **values)
        transaction.begin()
        schedule.end(self.portal, run)
        if run.seconds is None:
            schedule.begin(self.portal, run.by, self.now)
        transaction.commit()
        self.later(minutes=1)

    def thread(self):
        """Let a thread of this process run the check.

        :returns: set when it is woken.
        """
        self.settings(site_address=self.portal.absolute_url())
        self.opened()  # by the public address
        return background.expect(background.CLOCK)


class TestWho(CheckTestCase):
    def test_the_permission_to_operate(self):
        people = {
            MANAGER: "200",
            self.person("siteadmin", "Site Administrator"): "200",
            self.person("operator", permissions=("Operate purchases",)): "200",
            self.person("viewer", permissions=("View purchases",)): "401",
            self.person("member"): "401",
            NOBODY: "401",
        }
        for who, status in people.items():
            with self.subTest(who[0]):
                browser = self.opened(who=who)
                shown = "What is due now" in browser.contents
                self.assertEqual(shown, status == "200")

    def test_a_post_without_a_token(self):
        self.lapse()
        for token in ("", "&_authenticator=wrong"):
            browser = self.browser()
            browser.raiseHttpErrors = True
            with self.subTest(token), self.assertRaises(HTTPError) as caught:
                browser.post(self.url, "run=1" + token)
            self.assertEqual(caught.exception.code, 403)
        self.assertIn("premium", self.groups())

    def test_the_way_to_it(self):
        self.buy()
        viewer = self.person("viewer", permissions=("View purchases",))
        for name, who, linked in (
            ("report", MANAGER, True),
            ("report", viewer, False),
            ("overview", MANAGER, True),
        ):
            with self.subTest(name, who=who):
                self.url = f"{self.portal.absolute_url()}/@@click2sell-{name}"
                contents = self.opened(who=who).contents
                self.assertEqual('/@@click2sell-check"' in contents, linked)


class TestLastRun(CheckTestCase):
    def test_never(self):
        text = self.text(self.opened())
        self.assertIn("It never ran.", text)
        self.assertIn("Nothing is due.", text)
        self.assertNotIn("Started by", text)

    def test_all_is_well(self):
        self.settings(site_address=self.portal.absolute_url())
        self.has_run()
        browser = self.opened()
        text = self.text(browser)
        self.assertIn("Started by the site&#39;s clock", text.replace("'", "&#39;"))
        self.assertIn("It took less than a second.", text)
        self.assertIn("Nothing was due.", text)
        self.assertIn("The site checks every 10 minutes.", text)
        self.assertNotIn('class="alert', browser.contents)

    def test_by_whom(self):
        for by, words in (
            (schedule.COMMAND, "Started by the command"),
            (schedule.SERVICE, "Started by the service"),
            ("<b>jane", "Started by &lt;b&gt;jane"),
        ):
            self.has_run(by=by)
            self.assertIn(words, self.text(self.opened()))

    def test_what_it_did(self):
        self.has_run(numbers={"lapsed": 2, "entries": 1, "missed": 0, "troubled": 3})
        text = self.text(self.opened())
        self.assertIn("Notifications processed again: 1 Members whose access ended: 2", text)
        self.assertIn("Unexpected errors, which are in the site", text)
        self.assertNotIn("Missed notifications", text)
        self.assertNotIn("Nothing was due.", text)

    def test_late(self):
        self.has_run()
        self.later(minutes=29)
        self.assertNotIn("It is late.", self.text(self.opened()))
        self.later(minutes=1)
        self.assertIn("It is late.", self.text(self.opened()))
        self.settings(sweep_minutes=0)
        text = self.text(self.opened())
        self.assertNotIn("It is late.", text)
        self.assertIn("cron has to", text)

    def test_how_often(self):
        self.assertIn("before its public address is set", self.text(self.opened()))
        self.settings(site_address=self.portal.absolute_url())
        for minutes, words in ((1, "every minute."), (60, "every 60 minutes.")):
            self.settings(sweep_minutes=minutes)
            self.assertIn(words, self.text(self.opened()))

    def test_one_that_runs_and_one_that_died(self):
        self.has_run(seconds=None)
        text = self.text(self.opened())
        self.assertIn("It is running now. Load this page again", text)
        self.assertNotIn("Nothing was due.", text)
        self.later(minutes=14)
        text = self.text(self.opened())
        self.assertIn("It did not finish: its process ended.", text)
        self.assertNotIn("It is running now.", text)

    def test_one_that_stopped(self):
        self.has_run(stopped={"members": 40, "limit": 20})
        self.assertIn("It stopped: 40 members would have lost", self.text(self.opened()))

    def test_the_report_and_the_checklist_tell(self):
        self.buy()
        for name in ("report", "overview"):
            self.url = f"{self.portal.absolute_url()}/@@click2sell-{name}"
            self.assertIn("It never ran.", self.text(self.opened()))
        self.has_run(by="jane", numbers={"lapsed": 2})
        text = self.text(self.opened())
        run = "Started by jane. It took less than a second. Members whose access ended: 2"
        self.assertIn(run, text)
        self.url = f"{self.portal.absolute_url()}/@@click2sell-report"
        text = self.text(self.opened())
        self.assertIn("Last automatic check: May 03, 2026 06:00 PM", text)
        self.assertIn("No problems are known.", text)
        self.later(minutes=30)
        self.assertIn("Automatic check: It is late.", self.text(self.opened()))
        self.has_run(stopped={"members": 40, "limit": 20})
        self.assertIn("Automatic check: It stopped: 40 members", self.text(self.opened()))


class TestPreview(CheckTestCase):
    def test_opening_it_changes_nothing(self):
        self.lapse()
        self.opened()
        before = self.last_transaction()
        self.opened()
        self.assertEqual(self.last_transaction(), before)

    def test_the_members_who_lose_access(self):
        self.lapse()
        browser = self.opened()
        self.assertEqual(self.table(browser), [[EMAIL, "Test Product", "premium"]])
        self.assertIn("Members who lose access: 1", self.text(browser))
        self.assertNotIn("Nothing is due.", self.text(browser))
        browser.getLink(EMAIL).click()
        self.assertIn(f"/@@click2sell-members/{self.buyer()['id']}", browser.url)

    def test_the_other_numbers(self):
        self.settings(mapping=["1|premium|30", "2|later"])
        self.buy(product_id="2")
        self.group("later")
        with at("before plan", RuntimeError()), self.assertRaises(pipeline.Failed):
            self.buy_again(buyer_email=OTHER)
        text = self.text(self.opened())
        self.assertIn("Members who get a group that had been missing: 1", text)
        self.assertRegex(text, r"Notifications that are processed again: 1|next attempt: 1")
        self.assertEqual(self.table(self.opened()), [])

    def test_mails(self):
        self.settings(welcome_mail="password")
        self.buy()
        text = self.text(self.opened())
        self.assertIn("wait until the public address of the site is set: 1", text)
        self.assertIn("Nothing is due.", text)
        self.settings(site_address=self.portal.absolute_url())
        text = self.text(self.opened())
        self.assertIn("Mails that are sent: 1", text)
        self.assertNotIn("Nothing is due.", text)

    def test_a_silent_provider(self):
        self.lapse()
        with mock.patch.object(silence, "silent", return_value={"click2sell": self.now}):
            text = self.text(self.opened())
        self.assertIn("Click2Sell has been silent for unusually long: until it is heard", text)

    def test_only_the_first_are_shown(self):
        self.crowd(2)
        self.lapse()
        with mock.patch.object(page, "SHOWN", 1):
            browser = self.opened()
        self.assertEqual(len(self.table(browser)), 1)
        self.assertIn("The first 1 are shown.", self.text(browser))

    def test_what_members_choose_is_escaped(self):
        member = {
            "user_id": "<b>user",
            "email": "<i>mail",
            "products": [{"provider": "plenigo", "product_id": "<u>gold"}],
            "groups": ["<s>group"],
        }
        with mock.patch.object(page.AutomaticCheck, "lapsed", [member]):
            contents = self.opened().contents
        for markup in ("<b>user", "<i>mail", "<u>gold", "<s>group"):
            self.assertNotIn(markup, contents)
            self.assertIn(markup.replace("<", "&lt;").replace(">", "&gt;"), contents)


class TestRun(CheckTestCase):
    def test_at_once_where_no_thread_does_it(self):
        self.lapse()
        browser = self.opened()
        browser.getControl("Run it now").click()
        text = self.text(browser)
        self.assertIn("The check has run.", text)
        self.assertIn("Members whose access ended: 1", text)
        self.assertIn("Nothing is due.", text)
        self.assertEqual(self.groups(), ["click2sell"])
        last = self.last()
        self.assertEqual((last.by, last.numbers["lapsed"]), ("admin", 1))

    def test_by_the_thread_that_runs_here(self):
        self.lapse()
        woken = self.thread()
        browser = self.opened()
        browser.getControl("Run it now").click()
        self.assertTrue(woken.is_set())
        text = self.text(browser)
        self.assertIn("admin has asked for a run. It begins in a moment.", text)
        self.assertNotIn("Run it now", text)
        self.assertIn("premium", self.groups())
        transaction.begin()
        self.assertEqual(
            schedule.requested(self.portal),
            schedule.Request("admin", at=timestamps.iso(self.now)),
        )
        clock.turn()
        browser.getLink("Load this page again").click()
        text = self.text(browser)
        self.assertIn("Started by admin", text)
        self.assertIn("Members whose access ended: 1", text)
        self.assertIn("Run it now", text)

    def test_a_thread_does_not_work_for_a_site_without_a_public_address(self):
        self.lapse()
        background.expect(background.CLOCK)
        self.opened().getControl("Run it now").click()
        self.assertEqual(self.groups(), ["click2sell"])

    def test_changed_since(self):
        self.buy()
        self.later(days=1)
        self.buy_again(buyer_email=OTHER, purchase_date="2026-05-04")
        self.later(days=29, hours=12)
        browser = self.opened()
        self.assertEqual(len(self.table(browser)), 1)
        self.later(days=1)
        browser.getControl("Run it now").click()
        self.assertIn("Something has happened since.", self.text(browser))
        self.assertEqual(len(self.table(browser)), 2)
        self.assertIn("premium", self.groups())
        self.assertIsNone(self.last())
        browser.getControl("Run it now").click()
        self.assertEqual(self.groups(), ["click2sell"])

    def test_a_copy_of_the_site_is_left_alone(self):
        self.lapse()
        browser = self.opened()
        with mock.patch.dict(os.environ, CLICK2SELL_STAGING="1"):
            browser.getControl("Run it now").click()
            text = self.text(browser)
            self.assertIn("This is a copy of the site: nothing was changed.", text)
            self.assertIn("This is a copy of the site: you can look", text)
            self.assertNotIn("Run it now", text)
            self.assertEqual(len(self.table(browser)), 1)
        self.assertIn("premium", self.groups())
        self.assertIsNone(self.last())

    def test_the_database_is_busy(self):
        browser = self.opened()
        with mock.patch.object(clock, "run", side_effect=transactions.Busy):
            browser.getControl("Run it now").click()
        self.assertIn("Another process is changing the same data.", self.text(browser))

    def test_an_unexpected_error(self):
        browser = self.opened()
        with mock.patch.object(clock, "run", side_effect=RuntimeError(EMAIL)):
            browser.getControl("Run it now").click()
        text = self.text(browser)
        self.assertIn("could not be run to its end: RuntimeError.", text)
        self.assertNotIn(EMAIL, text)


class TestJumped(CheckTestCase):
    def test_the_clock_is_confirmed(self):
        self.buy()
        clock.run("cron")
        self.jump(days=365)
        browser = self.opened()
        self.assertIn("the server's clock is off by 8760 hours", self.text(browser))
        self.assertIn("End the access of these members: 1", self.text(browser))
        browser.getControl("Run it now").click()
        self.assertIn("premium", self.groups())
        self.assertIn("off by 8760 hours", self.text(browser))
        browser.getControl("End the access of these").click()
        self.assertNotIn("premium", self.groups())
        self.assertNotIn("off by", self.text(browser))

    def test_where_nobody_loses_access(self):
        clock.run("cron")
        self.jump(days=365)
        browser = self.opened()
        browser.getControl("The clock is right: go on").click()
        self.assertNotIn("off by", self.text(browser))


class TestStopped(CheckTestCase):
    def setUp(self):
        super().setUp()
        self.crowd(25)
        self.later(days=31)

    def with_access(self):
        transaction.begin()
        return sum(
            "premium" in self.groups(f"buyer{number}@example.org") for number in range(25)
        )

    def test_all_members_are_shown_and_asked_for(self):
        browser = self.opened()
        text = self.text(browser)
        self.assertIn("25 members would lose access at once, and the limit is 20.", text)
        self.assertIn("End the access of these members: 25", text)
        self.assertIn("Run it now", text)
        self.assertEqual(len(self.table(browser)), 25)

    def test_the_rest_is_done_without_a_confirmation(self):
        browser = self.opened()
        browser.getControl("Run it now").click()
        self.assertIn("25 members would lose access at once", self.text(browser))
        self.assertNotIn("It stopped", self.text(browser))
        self.assertIn("End the access of these members: 25", self.text(browser))
        self.assertEqual(self.with_access(), 25)
        self.assertEqual(self.last().stopped, {"members": 25, "limit": 20})

    def test_confirmed(self):
        browser = self.opened()
        browser.getControl(name="confirm").click()
        text = self.text(browser)
        self.assertIn("Members whose access ended: 25", text)
        self.assertNotIn("It stopped", text)
        self.assertEqual(self.with_access(), 0)

    def test_confirmed_and_left_to_the_thread(self):
        self.thread()
        browser = self.opened()
        browser.getControl(name="confirm").click()
        transaction.begin()
        self.assertEqual(
            schedule.requested(self.portal),
            schedule.Request("admin", True, timestamps.iso(self.now)),
        )
        clock.turn()
        self.assertEqual(self.with_access(), 0)

    def test_other_members_than_those_shown(self):
        self.buy(purchase_date="2026-06-03")
        browser = self.opened()
        self.later(days=30)
        browser.getControl(name="confirm").click()
        self.assertIn("Something has happened since.", self.text(browser))
        self.assertIn("End the access of these members: 26", self.text(browser))
        self.assertEqual(self.with_access(), 25)

    def test_those_of_a_silent_provider_are_shown_before_they_are_confirmed(self):
        """A confirmed run ends their access, too."""
        self.subscribe(purchase_date="2026-05-03")
        self.later(days=10)
        with mock.patch.object(silence, "silent", return_value={"click2sell": self.now}):
            browser = self.opened()
            self.assertEqual(len(self.table(browser)), 26)
            self.assertIn("these members include subscribers", self.text(browser))
            browser.getControl(name="confirm").click()
        self.assertEqual(self.groups(), ["click2sell"])

    def test_nothing_is_confirmed_that_did_not_stop(self):
        browser = self.opened()
        self.settings(breaker_percent=100, breaker_members=100)
        browser.getControl(name="confirm").click()
        self.assertIn("Something has happened since.", self.text(browser))
        self.assertEqual(self.with_access(), 25)
