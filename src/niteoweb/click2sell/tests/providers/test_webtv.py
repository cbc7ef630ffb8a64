"""The store's subscriptions decide the groups of members."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.privacy import erasure
from niteoweb.click2sell.privacy import export
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.webtv import sync
from niteoweb.click2sell.providers.webtv import users
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from niteoweb.click2sell.tests.cases.providers import JANE
from niteoweb.click2sell.tests.cases.providers import WEBTV
from niteoweb.click2sell.tests.cases.providers import WebTVTestCase
from niteoweb.click2sell.tests.cases.services import MANAGER
from niteoweb.click2sell.worker import breaker
from plone import api
from unittest import mock

import logging
import requests
import transaction


class TestSync(PageTestCase, WebTVTestCase):
    layer = WebTVTestCase.layer

    def setUp(self):
        super().setUp()
        breaker._trusted.clear()
        self.subscription = self.store.subscribe(self.jane, "12")

    def has(self, *group_ids):
        self.assertEqual(self.groups(JANE), ["click2sell", *group_ids])

    def refresh(self):
        self.pass_time(minutes=2)
        transaction.begin()
        sync.refresh(self.jane)
        transaction.begin()

    def test_a_subscription_gives_its_group_once(self):
        report = self.sweep()
        self.has("premium")
        self.assertEqual(report.as_json()["store"]["told"], 1)
        for request in self.fake.requests:
            self.assertEqual(
                set(request.query) - {"iq"},
                {"go", "do", "key", "timestamp", "salt", "signature"},
            )
        salts = [request.query["salt"] for request in self.fake.requests]
        self.assertEqual(len(salts), len(set(salts)))
        self.pass_time(hours=25)
        self.assertEqual(self.sweep().as_json()["store"]["told"], 0)
        self.assertEqual(self.kinds(), ["purchase"])
        self.assertEqual(self.member(JANE).getProperty("fullname"), "Jane")

    def test_a_wrong_secret_gives_nothing_and_is_nowhere(self):
        self.fake.secret = "another secret of the store"
        with self.assertLogs("niteoweb.click2sell", logging.WARNING) as logs:
            report = self.sweep()
        self.assertGreaterEqual(report.troubled, 1)
        self.assertEqual(self.kinds(), [])
        told = repr((logs.output, report.as_json()))
        self.assertNotIn(registry.settings(WEBTV).api_token, told)
        self.assertNotIn("signature=", told)

    def test_what_cannot_be_read_needs_attention_once(self):
        other = self.store.subscribe(self.jane, "13")
        listed = self.store.store_list_subscriptions

        def without_end(iq, form):
            rows = listed(iq, form)["list"]
            odd = [{**row, "date_end": -1} for row in rows if f"{row['id']}" == other]
            return {"list": [row for row in rows if f"{row['id']}" != other] + odd}

        with mock.patch.object(self.store, "store_list_subscriptions", without_end):
            for _time in range(2):
                self.sweep()
                self.pass_time(hours=25)
                self.has("premium")
        transaction.begin()
        (key,) = ledger.waiting_keys(self.portal)
        entry = ledger.get(self.portal, key)
        self.assertEqual((entry["transaction"], entry["subject"]), (other, "date_end"))
        self.assertEqual(entry["payload"]["user"], self.jane)
        self.sweep()
        self.has("course", "premium")

    def test_renewal_suspension_and_back_are_three_entries(self):
        self.sweep()
        stored = self.store.subscriptions[self.subscription]
        for change in ({"rp_status": "Suspended"}, {"rp_status": "Active"}):
            stored.update(change)
            self.refresh()
            self.has("premium")
        self.assertEqual(self.kinds(), ["purchase", "plan change", "plan change"])

    def test_what_a_clock_that_was_ahead_put_off(self):
        self.sweep()
        self.pass_time(days=8)
        self.sweep()
        self.pass_time(days=-8, minutes=5)
        self.store.subscriptions[self.subscription]["rp_status"] = "Suspended"
        joe = "joe@example.org"
        self.store.subscribe(self.store.add_user(joe, "Joe"), "13")
        self.sweep()
        self.assertEqual(self.kinds()[1:], ["purchase", "plan change"])
        self.assertEqual(self.groups(joe), ["click2sell", "course"])

    def test_the_store_has_answered_all_though_the_answers_took_time(self):
        del self.store.subscriptions[self.subscription]
        listed = self.store.store_list_subscriptions

        def slowly(iq, form):
            self.pass_time(seconds=1)
            return listed(iq, form)

        with mock.patch.object(self.store, "store_list_subscriptions", slowly):
            report = self.sweep()
        self.assertEqual(report.as_json()["store"]["left"], 0)
        self.assertIsNotNone(silence.asked(self.portal, WEBTV.name))

    def test_parallel_readings_are_one_entry(self):
        self.sweep()
        self.store.subscriptions[self.subscription]["rp_status"] = "Suspended"
        self.pass_time(minutes=2)
        transaction.commit()

        def ask(_number):
            return requests.post(
                f"{self.portal.absolute_url()}/@webtv-users/{self.jane}/refresh",
                auth=MANAGER,
                headers={"Accept": "application/json"},
                timeout=30,
            ).status_code

        with ThreadPoolExecutor(4) as pool:
            answers = set(pool.map(ask, range(8)))
        self.assertLessEqual(answers, {200, 429, 503})
        self.assertIn(200, answers)
        self.assertEqual(self.kinds(), ["purchase", "plan change"])

    def test_cancelled_stays_until_its_end_and_gone_ends(self):
        self.group("club")
        self.store.subscribe(self.jane, "13")
        self.sweep()
        with self.owner():
            api.group.add_user(groupname="club", username=JANE)
        self.store.subscriptions[self.subscription]["rp_status"] = "Cancelled"
        self.refresh()
        self.has("club", "course", "premium")
        del self.store.subscriptions[self.subscription]
        self.refresh()
        # Groups of other products stay, and those that were given by hand.
        self.has("club", "course")
        self.assertEqual(self.kinds(), ["purchase", "purchase", "cancellation", "expiry"])

    def test_no_error_ends_anything(self):
        self.sweep()

        def outage():
            self.fake.outage = True

        def garbage():
            self.fake.outage, self.fake.garbage = False, True

        def refused():
            self.fake.garbage = False
            self.fake.refused["list_subscriptions"] = ("REQUEST_ERROR", "Invalid User ID")

        def unknown():
            self.fake.refused["list_subscriptions"] = ("USER_NOT_FOUND", "")

        def shapeless():
            self.fake.refused.clear()
            answer = mock.Mock(return_value={"data": [], "ok": "yes"})
            lie = mock.patch.object(self.store, "store_list_subscriptions", answer)
            self.enterContext(lie)

        for trouble in (outage, garbage, refused, unknown, shapeless):
            with self.subTest(trouble.__name__):
                trouble()
                self.pass_time(hours=25)
                self.sweep()
                self.has("premium")
        self.assertEqual(self.kinds(), ["purchase"])

    def all_subscriptions_are_gone(self):
        """Jane's and those of 25 others, all at once."""
        for number in range(25):
            user = self.store.add_user(f"member{number}@example.org")
            self.store.subscribe(user, "13")
        self.sweep()
        self.store.empty_lists = True
        self.pass_time(hours=25)

    def test_early_ends_by_a_clock_that_was_ahead_hold_no_others(self):
        users = [self.store.add_user(f"{number}@example.org") for number in range(30)]
        bought = [self.store.subscribe(user, "13") for user in users]
        self.sweep()
        self.pass_time(days=2)
        most = breaker.limit(self.portal)
        for subscription in bought[:most]:
            del self.store.subscriptions[subscription]
        self.assertEqual(self.sweep().as_json()["store"]["held"], 0)
        self.pass_time(days=-2, minutes=5)
        del self.store.subscriptions[self.subscription]
        report = self.sweep(confirmed=False)
        self.assertEqual(report.as_json()["store"]["held"], 0)
        self.has()

    def test_many_early_ends_wait_for_an_owner(self):
        self.all_subscriptions_are_gone()
        report = self.sweep()
        self.assertEqual(report.as_json()["store"]["held"], 26)
        self.has("premium")
        self.assertEqual([code for code, _ in self.attention()], ["ends held"])
        self.sweep(confirmed=True)
        self.has()
        self.assertEqual(self.kinds().count("expiry"), 26)

    def test_an_owner_confirms_early_ends_on_the_page_of_the_check(self):
        self.all_subscriptions_are_gone()
        self.sweep()
        self.url = f"{self.portal.absolute_url()}/@@click2sell-overview"
        browser = self.opened()
        browser.getLink("See whose access would end").click()
        self.assertIn("their access is over: 26 .", self.text(browser))
        self.assertIn("member7@example.org", self.text(browser))
        browser.getControl("Run it now").click()
        self.has("premium")
        browser.getControl("End the access of these members: 26").click()
        transaction.begin()
        self.has()
        self.assertEqual(ledger.waiting(self.portal), 0)
        browser.open(self.url)
        self.assertIn("Nothing needs you", self.text(browser))

    def test_while_the_store_is_not_asked_nothing_lapses_and_else_it_does(self):
        self.store.subscriptions[self.subscription]["end"] = self.now
        self.pass_time(days=-20)
        self.sweep()
        self.set(sync_calls=0)
        for _ in range(24):
            self.pass_time(days=1)
            self.sweep()
        self.has("premium")
        self.set(sync_calls=300)
        self.fake.refused["list_subscriptions"] = ("ERROR", "")
        self.sweep()
        self.pass_time(minutes=31)
        self.sweep()
        self.has()

    def test_an_access_pass_is_asked_for_where_a_line_names_one(self):
        self.sweep()
        self.assertNotIn("list_current_content", self.fake.actions)
        self.set(mapping=["12|premium", "clip-5|course"])
        self.store.add_pass(self.jane, 5, days=2)
        self.refresh()
        self.has("course", "premium")
        self.pass_time(days=3)
        self.sweep()
        self.has("premium")

    def test_the_number_of_questions_is_limited(self):
        for number in range(5):
            self.store.add_user(f"member{number}@example.org")
        self.set(sync_calls=4)
        report = self.sweep().as_json()["store"]
        self.assertEqual((report["asked"], report["left"]), (4, 3))
        self.assertEqual(self.sweep().as_json()["store"]["left"], 0)

    def test_a_process_that_dies_before_it_has_told_tells_it_again(self):
        with (
            mock.patch.object(pipeline, "process", side_effect=SystemExit),
            self.assertRaises(SystemExit),
        ):
            self.sweep()
        transaction.begin()
        self.assertEqual(self.kinds(), [])
        self.sweep()
        self.assertEqual(self.kinds(), ["purchase"])
        # And one that dies after it.
        self.store.subscriptions[self.subscription]["rp_status"] = "Suspended"
        self.pass_time(hours=25)
        with (
            mock.patch.object(users, "put_off", side_effect=SystemExit),
            self.assertRaises(SystemExit),
        ):
            self.sweep()
        self.store.subscriptions[self.subscription]["rp_status"] = ""
        self.pass_time(minutes=1)
        self.sweep()
        self.assertEqual(self.kinds(), ["purchase", "plan change", "plan change"])

    def test_privacy(self):
        self.sweep()
        told = export.export(self.portal, JANE, self.now)
        self.assertEqual(told["kept_for_providers"]["webtv"][0]["store_user"], self.jane)
        self.assertNotIn("SESSION", repr(told))
        erasure.erase(JANE, "asked for", "owner")
        transaction.begin()
        self.assertNotIn(JANE, repr(dict(trees.tree(self.portal, "webtv_users"))))
        asked = len(self.fake.asked)
        self.pass_time(hours=25)
        self.sweep()
        self.assertNotIn("list_subscriptions", self.fake.actions[asked:])

    def test_switched_off_and_on_a_copy_nothing_is_asked(self):
        self.set(enabled=False)
        self.sweep()
        self.set(enabled=True)
        with mock.patch.dict("os.environ", CLICK2SELL_STAGING="1"):
            self.sweep()
        self.assertEqual(self.fake.requests, [])

    def test_a_subscription_that_passes_to_another_user_takes_its_group_along(self):
        joe = self.store.add_user("joe@example.org", "Joe")
        self.sweep()
        self.store.subscriptions[self.subscription]["user"] = joe
        self.pass_time(hours=25)
        self.sweep()
        self.has()
        self.assertEqual(self.groups("joe@example.org"), ["click2sell", "premium"])

    def test_a_user_with_another_address_stays_the_buyer(self):
        self.sweep()
        self.store.users[self.jane]["email"] = "new@example.org"
        self.store.subscriptions[self.subscription]["end"] = self.now + timedelta(days=50)
        self.pass_time(hours=25)
        self.sweep()
        self.pass_time(hours=25)
        self.sweep()
        self.has("premium")
        self.assertEqual(self.kinds(), ["purchase", "renewal"])
        self.assertIsNone(api.user.get(username="new@example.org"))

    def test_a_list_that_names_a_subscription_twice_tells_it_once(self):
        real = self.store.store_list_subscriptions

        def twice(iq, form):
            return {"list": real(iq, form)["list"] * 2}

        with mock.patch.object(self.store, "store_list_subscriptions", twice):
            self.sweep()
            self.refresh()
        self.assertEqual(self.kinds(), ["purchase"])
