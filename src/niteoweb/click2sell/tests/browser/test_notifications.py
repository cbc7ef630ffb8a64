"""Site Setup: the pages of the notifications, and the tabs."""

from niteoweb.click2sell.browser.desk import notification
from niteoweb.click2sell.browser.desk import tabs
from niteoweb.click2sell.browser.desk.ownerpage import ListPage
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import outcomes
from niteoweb.click2sell.ledger import search
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.provider import unreadable
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import plan
from niteoweb.click2sell.report import labels
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.pages import MANAGER
from niteoweb.click2sell.tests.cases.pages import NOBODY
from niteoweb.click2sell.tests.cases.pages import OTHER
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from niteoweb.click2sell.tests.cases.pages import SCRIPT
from niteoweb.click2sell.tests.cases.site import EMAIL
from plone import api
from plone.app.testing import TEST_USER_PASSWORD
from plone.testing.zope import Browser
from unittest import mock
from urllib.error import HTTPError

import os
import re
import transaction


SHOW = "Process it again"
TRY = "Try again now"
PERMISSIONS = ("Configure", "View purchases", "Operate purchases")


class TestList(PageTestCase):
    def history(self) -> None:
        """Four notifications, of two buyers and two products."""
        self.buy()
        self.later(days=1)
        self.buy_again(product_id="2", product_name="Course", buyer_email=OTHER)
        self.later(days=1)
        self.refund()
        self.later(days=1)
        self.fail_to_buy(acquirer_transaction_id="T-9", buyer_email="june@example.org")

    def test_newest_first_with_everything_in_a_row(self):
        self.history()
        self.registry(portal_timezone="Europe/Vienna")
        browser = self.opened()
        self.assertEqual(
            self.rows(browser),
            [
                [
                    "Purchase",
                    "John Smith june@example.org",
                    "Test Product",
                    "9.90 EUR",
                    "failed",
                    "May 06, 2026 08:00 PM",
                ],
                [
                    "Refund",
                    f"John Smith {EMAIL}",
                    "Test Product",
                    "9.90 EUR",
                    "accepted",
                    "May 05, 2026 08:00 PM",
                ],
                [
                    "Purchase",
                    f"John Smith {OTHER}",
                    "Course",
                    "9.90 EUR",
                    "accepted",
                    "May 04, 2026 08:00 PM",
                ],
                [
                    "Purchase",
                    f"John Smith {EMAIL}",
                    "Test Product",
                    "9.90 EUR",
                    "accepted",
                    "May 03, 2026 08:00 PM",
                ],
            ],
        )
        text = self.text(browser)
        self.assertIn("Notifications: 4", text)
        self.assertIn("Time zone: Europe/Vienna", text)
        self.assertEqual(browser.headers["Cache-Control"], "no-store")

    def test_times_are_those_of_the_site_and_not_of_the_process(self):
        for zone, text, offset in (
            ("Asia/Tokyo", "May 04, 2026 07:30 AM", "+09:00"),
            ("America/Los_Angeles", "May 03, 2026 03:30 PM", "-07:00"),
        ):
            with self.subTest(zone):
                self.registry(portal_timezone=zone)
                moment = formatting.moment("2026-05-03T22:30:00+00:00")
                self.assertEqual(moment.text, text)
                self.assertTrue(moment.exact.endswith(offset))

    def test_outcomes_have_words_and_reasons(self):
        self.settings(mapping=["1|missing"])
        self.buy()
        outcome = self.rows(self.opened())[0][4]
        self.assertEqual(outcome, 'needs attention The group "missing" does not exist.')

    def test_every_stored_word_has_one_to_read(self):
        self.assertEqual(set(labels.KINDS), set(Kind))
        self.assertEqual(
            set(labels.OUTCOMES), {*outcomes.FINAL, Outcome.RECEIVED, Outcome.FAILED}
        )

    def test_the_number_that_needs_somebody_is_that_of_the_overview(self):
        self.buy(transaction_type="Gift")
        self.fail_to_buy(buyer_email=OTHER, acquirer_transaction_id="T-2")
        browser = self.opened()
        self.assertIn("Notifications that need you: 2", self.text(browser))
        browser.getLink("Notifications that need you").click()
        self.assertIn("Needs you: 2", self.text(browser))

    def test_each_filter(self):
        self.history()
        june = "june@example.org"
        for query, expected in (
            ({"outcome": "failed"}, [june]),
            ({"provider": "click2sell"}, [june, EMAIL, OTHER, EMAIL]),
            ({"kind": "refund"}, [EMAIL]),
            ({"product": "2"}, [OTHER]),
            ({"buyer": f" {EMAIL.upper()}"}, [EMAIL, EMAIL]),
            ({"from_": "2026-05-05"}, [june, EMAIL]),
            ({"to": "2026-05-04"}, [OTHER, EMAIL]),
            ({"from_": "2026-05-04", "to": "2026-05-05", "kind": "refund"}, [EMAIL]),
            ({"from_": "2026-05-06T18:00", "product": "1"}, [june]),
        ):
            with self.subTest(query):
                browser = self.opened(**query)
                self.assertEqual(self.buyers(browser), expected)
                self.assertIn("Show all", self.text(browser))

    def test_the_form_filters_and_keeps_what_was_asked(self):
        self.history()
        browser = self.opened()
        browser.getControl("Outcome").displayValue = ["accepted"]
        browser.getControl("Product id").value = "1"
        browser.getControl("From").value = "2026-05-01"
        browser.getControl("Filter").click()
        self.assertEqual(self.buyers(browser), [EMAIL, EMAIL])
        self.assertEqual(browser.getControl("Outcome").displayValue, ["accepted"])
        self.assertEqual(browser.getControl("Product id").value, "1")
        self.assertEqual(browser.getControl("From").value, "2026-05-01")
        browser.getLink("Show all").click()
        self.assertEqual(len(self.rows(browser)), 4)

    def test_a_time_stays_in_the_form(self):
        self.history()
        for value, type_ in (("2026-05-06", "date"), ("2026-05-06T18:00", "text")):
            with self.subTest(value):
                control = self.opened(from_=value).getControl("From")
                self.assertEqual((control.value, control.type), (value, type_))

    def test_impossible_values_are_told_at_their_field(self):
        self.history()
        for name, value, expected in (
            ("outcome", "lost", "must be one of: accepted"),
            ("provider", "paypal", "must be one of: click2sell"),
            ("kind", SCRIPT, "must be one of: purchase"),
            ("from", "yesterday", "must be a date such as"),
            ("to", "2026-02-30", "must be a date such as"),
        ):
            with self.subTest(name):
                browser = self.opened(**{name: value})
                self.assertEqual(browser.headers["Status"].partition(" ")[0], "200")
                field = browser.contents.split(f'id="field-{name}"')[1]
                self.assertIn("is-invalid", browser.contents)
                error = field.split(f'id="field-{name}-error"')[1].partition("</div>")[0]
                self.assertIn(expected, error)
                self.assertEqual(self.rows(browser), [])
                self.assertNotIn("No notifications found", self.text(browser))
                self.assertNotIn(SCRIPT, browser.contents)

    def test_an_address_that_stands_twice(self):
        self.history()
        text = self.text(self.opened(buyer=[EMAIL, OTHER]))
        self.assertIn('"buyer" may stand only once.', text)

    def test_pages(self):
        for number in range(7):
            self.buy_again(number, buyer_email=f"buyer{number}@example.org")
            self.later(minutes=1)
        newest_first = [f"buyer{number}@example.org" for number in range(6, -1, -1)]
        with mock.patch.object(ListPage, "size", 3):
            browser = self.opened(kind="purchase")
            seen = self.buyers(browser)
            self.assertIn("Notifications: 7", self.text(browser))
            for _number in range(2):
                browser.getLink("Next").click()
                seen += self.buyers(browser)
            self.assertEqual(seen, newest_first)
            self.assertIn("kind=purchase", browser.url)
            browser.getLink("Previous").click()
            self.assertEqual(self.buyers(browser), newest_first[3:6])

    def test_pages_that_are_none(self):
        for number in range(4):
            self.buy_again(number, buyer_email=f"buyer{number}@example.org")
            self.later(minutes=1)
        with mock.patch.object(ListPage, "size", 3):
            for start, expected in (
                ("-3", 3),
                ("x", 3),
                ("", 3),
                (["3", "3"], 3),
                ("2", 3),
                ("3", 1),
                ("9999", 1),
                ("9" * 5000, 3),
            ):
                with self.subTest(start):
                    buyers = self.buyers(self.opened(b_start=start))
                    self.assertEqual(len(buyers), expected)
                    self.assertEqual("buyer3@example.org" in buyers, expected == 3)

    def test_more_than_are_counted(self):
        self.history()
        with mock.patch.object(ledger, "CAPPED", 2):
            browser = self.opened(from_="2026-05-01")
            self.assertIn("More than 2 notifications", self.text(browser))
            self.assertEqual(len(self.rows(browser)), 2)
            self.assertIn("Notifications: 4", self.text(self.opened()))
        found = search.Found(tuple(ledger.newest_first(self.portal))[:2], True)
        with mock.patch.object(search, "entries", lambda site, text: found):
            text = self.text(self.opened(search="smith"))
        self.assertIn("Showing the first 2 . Add a word to narrow it down.", text)
        self.assertNotIn("newest", text)
        with mock.patch.object(search, "entries", lambda site, text: search.Found((), True)):
            text = self.text(self.opened(search="smith"))
        self.assertIn("Too many matches to look at all.", text)
        self.assertNotIn("No notifications found", text)

    def test_nothing_yet(self):
        browser = self.opened()
        self.assertIn("No notification has arrived yet", self.text(browser))
        self.assertNotIn('method="get"', browser.contents.partition("<h1")[2])
        browser.getLink("What to do next").click()
        self.assertIn("Set-up in five steps", self.text(browser))
        viewer = self.person("viewer", permissions=("View purchases",))
        self.assertNotIn("What to do next", self.text(self.opened(who=viewer)))

    def test_nothing_for_these_filters(self):
        self.history()
        browser = self.opened(buyer="nobody@example.org")
        self.assertIn("No notifications found.", self.text(browser))
        self.assertNotIn("has arrived yet", self.text(browser))
        browser.getLink("Show all notifications").click()
        self.assertEqual(len(self.rows(browser)), 4)

    def test_what_arrived_is_escaped(self):
        self.buy(product_name=SCRIPT, buyer_name=SCRIPT, affiliate_username=SCRIPT, more=SCRIPT)
        for path in "", f"/{self.key()}":
            with self.subTest(path):
                contents = self.opened(path).contents
                self.assertNotIn(SCRIPT, contents)
                self.assertIn("&lt;script&gt;alert(1)", contents)
        self.assertNotIn(SCRIPT, self.opened(buyer=f'"{SCRIPT}').contents)


class TestDetail(PageTestCase):
    def values(self, browser: Browser) -> dict[str, str]:
        """The terms and descriptions of the page, and the payload's table."""
        pairs = re.findall(
            r"<dt[^>]*>(.*?)</dt>\s*<dd[^>]*>(.*?)</dd>", browser.contents, re.DOTALL
        ) + re.findall(
            r"<th[^>]*><code>(.*?)</code></th>\s*<td[^>]*>(.*?)</td>",
            browser.contents,
            re.DOTALL,
        )
        return {
            " ".join(name.split()): " ".join(re.sub(r"<[^>]+>", " ", value).split())
            for name, value in pairs
        }

    def verdict(self, browser: Browser) -> str:
        """The text of the box on top."""
        box = browser.contents.partition('id="verdict"')[2].partition("</section>")[0]
        return " ".join(re.sub(r"<[^>]*>", " ", f"<{box}").split())

    def test_what_arrived_what_it_meant_what_was_done_who_it_concerns(self):
        self.registry(portal_timezone="Europe/Vienna")
        self.settings(mapping=["1|premium|30|exclusive"])
        self.buy()
        browser = self.opened()
        browser.getLink("Purchase", index=0).click()
        self.assertEqual(browser.url, f"{self.url}/{self.key()}")
        values = self.values(browser)
        expected = {
            "Address of the buyer": EMAIL,
            "Name": "John Smith",
            "Account": EMAIL,
            "Kind": "Purchase",
            "Product": "Test Product",
            "Product id": "1",
            "Amount": "9.90 EUR",
            "Happened": "May 03, 2026 10:20 AM",
            "Arrived": "May 03, 2026 08:00 PM",
            "Terms": "Days of access for each payment: 30 "
            "A purchase ends access to the other products.",
            "Receipt": "R-1",
            "Transaction": "T-1",
            "Provider": "Click2Sell",
            "buyer_surname": "Smith",
            "product_price": "9.90 EUR",
        }
        self.assertIn("Purchase of Test Product, 9.90 EUR, John Smith", self.text(browser))
        self.assertEqual({name: values.get(name) for name in expected}, expected)
        self.assertNotIn("checksum", values)
        self.assertEqual(browser.headers["Cache-Control"], "no-store")
        browser.getLink("All notifications").click()
        self.assertEqual(browser.url, self.url)

    def test_an_error_and_its_place(self):
        browser = self.opened(f"/{self.fail_to_buy()}")
        self.assertEqual(
            self.verdict(browser),
            "failed It will be tried again on May 03, 2026 "
            "06:00 PM. Try again now Other decisions",
        )
        error = re.search(r"<pre[^>]*>(.*?)</pre>", browser.contents, re.DOTALL)[1]
        self.assertTrue(error.startswith("RuntimeError\n"), error)
        self.assertIn("in _provision_entry", error)

    def test_a_reason_and_what_it_is_about(self):
        self.settings(mapping=["1|missing"])
        self.buy()
        self.assertEqual(
            self.verdict(self.opened(f"/{self.key()}")),
            'needs attention The group "missing" does not exist. Create the group missing '
            "Other decisions Process it again",
        )

    def test_no_line_names_the_product(self):
        self.settings(mapping=[])
        self.buy()
        values = self.values(self.opened(f"/{self.key()}"))
        self.assertEqual(values["Terms"], "The product is not in the settings yet.")

    def test_the_account(self):
        self.buy()
        path = f"/{self.key()}"
        browser = self.opened(path)
        browser.getLink(EMAIL).click()
        self.assertIn("/@@user-information?userid=john%40example.org", browser.url)
        self.assertIn("John Smith", browser.contents)
        viewer = self.person("viewer", permissions=("View purchases",))
        browser = self.opened(path, viewer)
        self.assertEqual(self.values(browser)["Account"], EMAIL)
        self.assertNotIn("user-information", browser.contents)
        with self.owner():
            self.portal.portal_membership.deleteMembers([EMAIL])
        values = self.values(self.opened(path))
        self.assertTrue(
            values["Account"].startswith("no account (deleted on"), values["Account"]
        )

    def test_no_account(self):
        self.refund()
        self.assertEqual(self.values(self.opened(f"/{self.key()}"))["Account"], "no account")

    def test_an_account_that_is_not_certain(self):
        self.account("john", login="johnny")
        self.buy()
        expected = "not certain yet; possibly john"
        self.assertEqual(self.values(self.opened(f"/{self.key()}"))["Account"], expected)
        browser = self.opened()
        browser.open(f"{self.portal.absolute_url()}/@@click2sell-members/{self.buyer()['id']}")
        self.assertIn(f"Account {expected}", self.text(browser))
        self.assertTrue(browser.getControl("Connect the account john"))
        with self.owner():
            api.user.grant_roles(username="john", roles=["Manager"])
        browser.reload()
        self.assertIn("Account not connected: john can administer", self.text(browser))

    def test_the_way_to_the_buyer(self):
        self.buy()
        browser = self.opened(f"/{self.key()}")
        browser.getLink("What the buyer has access to, and why").click()
        self.assertTrue(browser.url.endswith(f"members/{self.buyer(EMAIL)['id']}"))
        self.assertIn("Because of purchase R-1", self.text(browser))

    def test_other_notifications_of_the_buyer(self):
        self.buy()
        path = f"/{self.key()}"
        self.assertEqual(self.rows(self.opened(path)), [])
        self.later(minutes=1)
        self.buy_again(buyer_email=OTHER)
        for number in range(3, 6):
            self.later(minutes=1)
            self.buy_again(number, product_name=f"Product {number}")
        with mock.patch.object(notification, "OTHERS", 2):
            browser = self.opened(path)
        self.assertEqual([row[2] for row in self.rows(browser)], ["Product 5", "Product 4"])
        browser.getLink("All notifications of this buyer").click()
        self.assertEqual(self.buyers(browser), [EMAIL] * 4)

    def test_a_broken_notification_names_nobody(self):
        pipeline.process(
            unreadable("0" * 64, "click2sell", "T-1", {"a": "b"}, "buyer_email", self.now)
        )
        browser = self.opened(f"/{'0' * 64}")
        self.assertIn("The buyer could not be read", self.text(browser))
        values = self.values(browser)
        self.assertIn("the buyer's address is missing", self.verdict(browser))
        self.assertEqual(values["Could not be read"], "buyer_email")
        self.assertEqual(values["a"], "b")
        browser.getControl(SHOW).click()
        self.assertIn("It would change nothing.", self.text(browser))

    def test_a_payload_that_is_not_kept_any_more(self):
        self.buy()
        ledger.remove_payload(self.portal, ledger.get(self.portal, self.key()))
        transaction.commit()
        browser = self.opened(f"/{self.key()}")
        self.assertIn("The data that the provider sent was deleted", self.text(browser))

    def test_what_is_not_there(self):
        self.buy()
        for path in ("/nothing", f"/{'0' * 64}", f"/{self.key()}/more", "/nothing/replay"):
            for method in ("GET", "POST"):
                with self.subTest(path, method=method):
                    browser = self.browser()
                    if method == "GET":
                        browser.open(self.url + path)
                    else:
                        browser.post(self.url + path, "replay=1")
                    self.assertTrue(browser.headers["Status"].startswith("404"))


class TestReplay(PageTestCase):
    def setUp(self):
        super().setUp()
        self.entry_key = self.fail_to_buy()
        self.path = f"/{self.entry_key}"

    def looked(self, who: tuple[str, str] = MANAGER) -> Browser:
        browser = self.opened(self.path, who)
        again = self.outcome() == Outcome.ACCEPTED
        browser.getControl(SHOW if again else TRY).click()
        return browser

    def outcome(self) -> str:
        transaction.begin()
        return ledger.get(self.portal, self.entry_key)["outcome"]

    def test_the_dry_run_shows_everything_and_changes_nothing(self):
        self.settings(welcome_mail="password")
        browser = self.opened(self.path)  # the first page of a site makes Plone write
        before = self.last_transaction()
        browser.getControl(TRY).click()
        self.assertEqual(self.last_transaction(), before)
        preview = self.text(browser).partition("What another try would change")[2]
        for expected in (
            f"A new account is created for {EMAIL}.",
            "last_purchase_id : R-1",
            "fullname : John Smith",
            "Added to the groups premium, click2sell",
            "Access begins Test Product, unlimited",
            "Mail the welcome mail",
            "Outcome accepted Process it again Cancel",
        ):
            self.assertIn(expected, preview)
        self.assertIsNone(self.member())

    def test_replay(self):
        browser = self.looked()
        browser.getControl("Process it again").click()
        self.assertEqual(browser.url, self.url + self.path)
        self.assertIn("The notification was processed again.", self.text(browser))
        self.assertEqual(self.outcome(), Outcome.ACCEPTED)
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assertEqual(ledger.get(self.portal, self.entry_key)["attempts"], 2)
        self.assertEqual(ledger.get(self.portal, self.entry_key)["error"], "")
        browser.getControl(SHOW).click()
        text = self.text(browser)
        self.assertIn("It would change nothing.", text)
        self.assertNotIn('name="replay"', browser.contents)

    def test_what_it_is_now_and_what_it_would_be(self):
        pipeline.replay(self.entry_key)
        self.settings(mapping=["1|course|30"])
        with self.owner():
            self.member().setMemberProperties({"last_purchase_id": "typed"})
        preview = self.text(self.looked())
        self.assertIn("last_purchase_id : typed R-1", preview)
        self.assertIn("Added to the groups course", preview)

    def test_terms_and_other_notifications_that_change(self):
        self.settings(mapping=[])
        self.buy_again(2, buyer_email=OTHER, product_id="3")
        self.later(minutes=1)
        self.buy_again(3, buyer_email=OTHER)
        self.later(minutes=1)
        self.buy_again(4, buyer_email=OTHER, product_id="2")
        self.settings(mapping=["1|premium|30", "2|missing"])
        browser = self.opened(f"/{self.key(1)}")
        self.assertIn("The product is not in the settings yet.", self.text(browser))
        browser.getControl(SHOW).click()
        preview = self.text(browser)
        self.assertIn("Terms Days of access for each payment: 30 Outcome", preview)
        self.assertIn(
            "Other notifications of this buyer that change, too 1 Process it again", preview
        )

    def test_what_happened_since_is_shown_first(self):
        browser = self.looked()
        self.settings(mapping=["1|course"])
        before = self.last_transaction()
        browser.getControl("Process it again").click()
        self.assertIn("Something has happened since.", self.text(browser))
        self.assertIn("Added to the groups course, click2sell", self.text(browser))
        self.assertEqual(self.last_transaction(), before)
        browser.getControl("Process it again").click()
        self.assertEqual(self.groups(), ["click2sell", "course"])

    def test_another_process(self):
        browser = self.looked()
        with mock.patch.object(pipeline, "replay", side_effect=transactions.Busy):
            browser.getControl("Process it again").click()
        self.assertIn("Try again in a moment.", self.text(browser))
        self.assertEqual(self.outcome(), Outcome.FAILED)

    def test_it_fails_again(self):
        browser = self.looked()
        with mock.patch.object(pipeline, "apply", side_effect=ZeroDivisionError(EMAIL)):
            browser.getControl("Process it again").click()
        self.assertIn("It failed again.", self.text(browser))
        self.assertIn("ZeroDivisionError", self.text(browser))
        self.assertEqual(self.outcome(), Outcome.FAILED)
        # The attempt before it, too.
        self.assertIn("RuntimeError", self.text(browser))

    def test_it_cannot_be_worked_out(self):
        browser = self.opened(self.path)
        with (
            mock.patch.object(plan, "make", side_effect=RuntimeError("told nobody")),
            self.assertLogs("niteoweb.click2sell", "ERROR") as logged,
        ):
            browser.getControl(TRY).click()
        text = self.text(browser)
        self.assertIn("cannot be worked out: RuntimeError.", text)
        self.assertNotIn("told nobody", browser.contents + "".join(logged.output))
        self.assertNotIn("Cancel", text)
        self.assertIn(TRY, browser.contents)

    def test_an_entry_that_is_refused(self):
        pipeline.replay(self.entry_key)
        self.later(minutes=1)
        self.buy(buyer_email=OTHER)
        browser = self.opened(f"/{self.key()}")
        self.assertIn("refused", self.text(browser))
        browser.getControl(SHOW).click()
        self.assertIn("It would change nothing.", self.text(browser))

    def test_on_a_copy_of_the_site_mails_wait(self):
        self.settings(welcome_mail="password")
        with mock.patch.dict(os.environ, CLICK2SELL_STAGING="1"):
            self.assertIn("This is a copy of the site", self.text(self.opened()))
            browser = self.looked()
            self.assertIn("This is a copy of the site", self.text(browser))
            self.assertIn("Mails wait on a copy of the site.", self.text(browser))
            browser.getControl("Process it again").click()
        self.assertEqual(self.outcome(), Outcome.ACCEPTED)
        mails = [mail["state"] for mail in trees.tree(self.portal, "mails").values()]
        self.assertEqual(mails, [outbox.DUE])
        self.assertNotIn("This is a copy", self.text(self.opened()))

    def test_nothing_without_a_token(self):
        fingerprint = self.looked().getControl(name="fingerprint").value
        before = self.last_transaction()
        for token in ("", "&_authenticator=wrong"):
            for body in ("show=1", f"replay=1&fingerprint={fingerprint}"):
                with self.subTest(body + token):
                    browser = self.browser()
                    browser.raiseHttpErrors = True
                    with self.assertRaises(HTTPError) as caught:
                        browser.post(self.url + self.path, body + token)
                    self.assertEqual(caught.exception.code, 403)
        self.assertEqual(self.last_transaction(), before)
        self.assertEqual(self.outcome(), Outcome.FAILED)

    def test_a_replay_that_nobody_looked_at_is_shown_first(self):
        token = self.opened(self.path).getControl(name="_authenticator").value
        browser = self.browser()
        browser.post(self.url + self.path, f"replay=1&_authenticator={token}")
        self.assertIn("Something has happened since.", self.text(browser))
        self.assertEqual(self.outcome(), Outcome.FAILED)

    def test_get_does_nothing(self):
        fingerprint = self.looked().getControl(name="fingerprint").value
        before = self.last_transaction()
        browser = self.opened(self.path, replay="1", show="1", fingerprint=fingerprint)
        self.assertNotIn("What another try would change", self.text(browser))
        self.assertEqual(self.last_transaction(), before)

    def test_no_button_and_no_replay_without_the_permission(self):
        viewer = self.person("viewer", permissions=("View purchases",))
        browser = self.opened(self.path, viewer)
        self.assertIn("Details", self.text(browser))
        for button in (SHOW, TRY, "Other decisions"):
            self.assertNotIn(button, self.text(browser))
        # A token of the viewer's own, from another form.
        browser.open(f"{self.portal.absolute_url()}/@@authenticator/authenticator")
        token = re.search(r'value="(\w+)"', browser.contents)[1]
        fingerprint = self.looked().getControl(name="fingerprint").value
        before = self.last_transaction()
        for body in ("show=1", f"replay=1&fingerprint={fingerprint}"):
            with self.subTest(body):
                browser = self.browser(viewer)
                browser.post(self.url + self.path, f"{body}&_authenticator={token}")
                self.assertIn("Insufficient Privileges", browser.contents)
                self.assertNotIn("Added to the groups", browser.contents)
        self.assertEqual(self.last_transaction(), before)

    def test_who_may(self):
        for who, allowed in (
            (self.person("siteadmin", "Site Administrator"), True),
            (self.person("member"), False),
            (NOBODY, False),
        ):
            for path in ("", self.path, "/nothing"):
                with self.subTest(who[0], path=path):
                    browser = self.opened(path, who)
                    if path == "/nothing":
                        # Who may not look does not learn what is there.
                        found = browser.headers["Status"].startswith("404")
                        self.assertEqual(found, allowed)
                    else:
                        self.assertEqual(EMAIL in browser.contents, allowed)
        self.looked(("siteadmin", TEST_USER_PASSWORD)).getControl("Process it again").click()
        self.assertEqual(self.outcome(), Outcome.ACCEPTED)


class TestTabs(PageTestCase):
    PAGES = {name: str(title) for name, title, _permissions in tabs.TABS}

    def tabs(self, browser: Browser) -> list[str]:
        nav = browser.contents.partition('aria-label="Memberships"')[2].partition("</nav>")[0]
        return re.findall(r"<a[^>]*>([^<]*)</a>", nav)

    def current(self, browser: Browser) -> list[str]:
        nav = browser.contents.partition('aria-label="Memberships"')[2].partition("</nav>")[0]
        return re.findall(r'<a[^>]*aria-current="page"[^>]*>([^<]*)</a>', nav)

    def test_on_each_page_with_the_current_one_marked(self):
        self.buy()
        browser = self.opened()
        for name, title in self.PAGES.items():
            with self.subTest(title):
                browser.getLink(url=f"/plone/@@{name}").click()
                self.assertTrue(browser.url.endswith(f"@@{name}"))
                self.assertEqual(self.tabs(browser), list(self.PAGES.values()))
                self.assertEqual(self.current(browser), [title])
                self.assertIn(f"<title>{title} — ", browser.contents)
                self.assertRegex(browser.contents, rf"<h1[^>]*>\s*{title}\s*</h1>")
        browser = self.opened(f"/{self.key()}")
        self.assertEqual(self.current(browser), ["Notifications"])
        for name, title in (
            *(("import", "Members"), ("accounting", "Report"), ("reconcile", "Settings")),
            *(("check", "Overview"), ("privacy", "Overview"), ("try", "Overview")),
        ):
            browser.open(f"{self.portal.absolute_url()}/@@click2sell-{name}")
            self.assertEqual(self.current(browser), [title])

    def test_only_those_that_one_may_use(self):
        viewer = self.person("viewer", permissions=("View purchases",))
        may_view = [
            str(title) for _, title, permissions in tabs.TABS if privilege.VIEW in permissions
        ]
        self.assertLess(len(may_view), len(tabs.TABS))
        self.assertEqual(self.tabs(self.opened(who=viewer)), may_view)

    def test_the_settings_are_saved_as_before(self):
        browser = self.browser()
        browser.open(f"{self.portal.absolute_url()}/@@click2sell-settings")
        browser.getControl("Save").click()
        self.assertIn("Changes saved.", browser.contents)
