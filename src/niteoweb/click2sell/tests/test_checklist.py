"""The checklist of the set-up: on the settings page, as a page, and as rules."""

from niteoweb.click2sell import checklist
from niteoweb.click2sell import connection
from niteoweb.click2sell import mail
from niteoweb.click2sell import remark
from niteoweb.click2sell import secretkeys
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.checkitem import Item
from niteoweb.click2sell.checkitem import State
from niteoweb.click2sell.providers import CLICK2SELL
from niteoweb.click2sell.testing import MailServer
from niteoweb.click2sell.tests import base
from niteoweb.click2sell.tests import deliveries
from niteoweb.click2sell.tests.scriptedserver import ScriptedServer
from niteoweb.click2sell.tests.test_notifications_page import MANAGER
from niteoweb.click2sell.tests.test_notifications_page import NOBODY
from niteoweb.click2sell.tests.test_notifications_page import PageTestCase
from unittest import mock
from zope.i18n import translate

import os
import re
import socket
import transaction


NAMES = [
    *("secret_key", "mapping", "last_notification"),
    *("groups", "address", "https", "sender", "mail_server", "last_sweep"),
]


class ChecklistTestCase(PageTestCase):
    def setUp(self):
        super().setUp()
        clock = mock.patch.object(secretkeys, "datetime", base._clock(self))
        clock.start()
        self.addCleanup(clock.stop)
        self.url = f"{self.portal.absolute_url()}/@@click2sell-checklist"

    def items(self, ask_mail_server: bool = False) -> dict[str, Item]:
        transaction.begin()
        found = checklist.items(self.portal, self.now, ask_mail_server)
        return {item.name: item for item in found}

    def state(self, name: str) -> tuple[State, str]:
        item = self.items()[name]
        return item.state, translate(item.text)

    def all_set_up(self) -> None:
        self.settings(site_address="https://nohost.example.org")
        request = self.layer["request"]
        request.setServerURL("https", "nohost.example.org", "443")
        self.addCleanup(request.setServerURL, "http", "nohost", "80")
        self.registry(email_from_address="shop@example.com")
        self.buy()
        remark.note(self.portal, remark.SWEEP, self.now)
        transaction.commit()


class TestItems(ChecklistTestCase):
    def test_the_names_stay(self):
        self.assertEqual(list(self.items()), NAMES)

    def test_all_set_up(self):
        self.all_set_up()
        states = {name: item.state for name, item in self.items().items()}
        expected = dict.fromkeys(NAMES, State.OK) | {"mail_server": State.UNTRIED}
        self.assertEqual(states, expected)

    def test_a_site_on_its_first_day(self):
        self.settings(secretkey=None, mapping=[])
        states = {name: item.state for name, item in self.items().items()}
        self.assertEqual(
            states,
            {
                "provider": State.TODO,
                "secret_key": State.TODO,
                "mapping": State.TODO,
                "groups": State.OK,
                "address": State.TODO,
                "https": State.WARNING,
                "sender": State.TODO,
                "mail_server": State.UNTRIED,
                "last_notification": State.TODO,
                "last_sweep": State.WARNING,
            },
        )

    def test_key(self):
        self.assertEqual(self.state("secret_key")[0], State.OK)
        self.settings(secretkey="short")
        state, text = self.state("secret_key")
        self.assertEqual(state, State.WARNING)
        self.assertNotIn("short", text.replace("shorter", ""))

    def test_previous_key(self):
        self.settings(previous_secretkey="before", secretkey=deliveries.SECRET_KEY)
        self.assertEqual(self.state("previous_secret_key")[0], State.OK)
        secretkeys.tidy(self.portal)
        secretkeys.note_use(self.portal, secretkeys.mark("before"), self.now)
        transaction.commit()
        self.assertEqual(self.state("previous_secret_key")[0], State.WARNING)
        self.later(days=8)
        secretkeys.note_use(self.portal, secretkeys.mark(deliveries.SECRET_KEY), self.now)
        transaction.commit()
        state, text = self.state("previous_secret_key")
        self.assertEqual(state, State.TODO)
        self.assertIn("can go", text)

    def test_groups_one_by_one(self):
        self.settings(
            mapping=["1|gone", "2", "3|Administrators", "4|premium"], buyers_group="Reviewers"
        )
        item = self.items()["groups"]
        self.assertEqual(item.state, State.TODO)
        details = [translate(detail) for detail in item.details]
        self.assertEqual(details[0], 'Line 1: there is no group "gone"')
        self.assertIn("Line 2: expected", details[1])
        self.assertIn('Line 3: the group "Administrators" may administer', details[2])
        self.assertEqual(len(details), 3)
        self.assertEqual(self.state("mapping"), (State.OK, "Products that give a group: 3"))

    def test_a_group_that_becomes_privileged_later(self):
        self.assertEqual(self.state("groups")[0], State.OK)
        with self.owner():
            self.portal.portal_groups.addPrincipalToGroup("premium", "Administrators")
        self.assertEqual(self.state("groups")[0], State.TODO)

    def test_another_address_than_the_public_one(self):
        self.all_set_up()
        self.settings(site_address="https://other.example.org")
        state, text = self.state("address")
        self.assertEqual(state, State.WARNING)
        self.assertIn("You are at https://nohost.example.org", text)
        self.assertEqual(
            plone_site.callback_address(CLICK2SELL), "https://other.example.org/@@click2sell"
        )

    def test_a_staging_site_is_a_copy(self):
        self.all_set_up()
        with mock.patch.dict(os.environ, CLICK2SELL_STAGING="1"):
            self.assertEqual(self.state("address")[0], State.WARNING)

    def test_a_site_without_https(self):
        self.settings(site_address="http://www.example.org")
        self.assertEqual(self.state("https")[0], State.WARNING)

    def test_last_notification(self):
        self.buy()
        item = self.items()["last_notification"]
        self.assertEqual((item.state, item.moment), (State.OK, self.now))
        for number in range(2, 6):
            self.later(hours=1)
            self.buy_again(number)
        heard = self.now
        self.later(days=4)
        item = self.items()["last_notification"]
        self.assertEqual((item.state, item.moment), (State.WARNING, heard))

    def test_last_sweep(self):
        remark.note(self.portal, remark.SWEEP, self.now)
        transaction.commit()
        swept = self.now
        self.later(days=1)
        self.assertEqual(self.items()["last_sweep"].state, State.OK)
        self.later(minutes=1)
        item = self.items()["last_sweep"]
        self.assertEqual((item.state, item.moment), (State.WARNING, swept))


class TestMailServer(ChecklistTestCase):
    def asked(self, port: int) -> tuple[State, str]:
        self.registry(
            smtp_host="127.0.0.1", smtp_port=port, email_from_address="shop@example.com"
        )
        item = self.items(ask_mail_server=True)["mail_server"]
        return item.state, translate(item.text)

    def test_answers(self):
        with MailServer() as server:
            state, text = self.asked(server.port)
        self.assertEqual(state, State.OK, text)
        self.assertEqual(server.messages, [])

    def test_refuses(self):
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        listener.close()
        state, text = self.asked(port)
        self.assertEqual(state, State.TODO)
        self.assertIn("ConnectionRefusedError", text)

    def test_is_asked_for_no_mail_and_what_it_says_counts(self):
        with ScriptedServer(NOOP=b"421 too busy\r\n") as server:
            state, text = self.asked(server.port)
        self.assertEqual((state, server.bodies), (State.TODO, []))
        self.assertIn("SMTPResponseException 421", text)

    def test_hangs(self):
        with (
            mock.patch.object(connection, "TIME_LIMIT", 0.3),
            ScriptedServer(ScriptedServer.drip) as server,
        ):
            state, text = self.asked(server.port)
        self.assertEqual(state, State.TODO)

    def test_no_sender(self):
        item = self.items(ask_mail_server=True)["mail_server"]
        self.assertIn("the site has no address to send mail from", translate(item.text))

    def test_a_mailhost_of_another_make_is_not_tried(self):
        self.registry(email_from_address="shop@example.com")
        with mock.patch.object(mail, "MailBase", int):
            item = self.items(ask_mail_server=True)["mail_server"]
        self.assertEqual(item.state, State.UNTRIED)

    def test_is_asked_on_demand_only(self):
        with mock.patch.object(mail, "probe") as asked:
            self.items()
            self.opened()
            asked.assert_not_called()
            browser = self.opened()
            browser.getControl("Try the mail server").click()
            asked.assert_called_once_with()

    def test_not_without_a_token(self):
        with mock.patch.object(mail, "probe") as asked:
            browser = self.browser()
            browser.post(self.url, "")
        self.assertIn("403", browser.headers["status"])
        asked.assert_not_called()


class TestPages(ChecklistTestCase):
    def rows(self, browser) -> dict[str, str]:
        """The text of each item."""
        found = re.findall(
            r'data-item="(\w+)"(.*?)(?=data-item|<form)', browser.contents, re.DOTALL
        )
        return {
            name: " ".join(re.sub(r"<[^>]+>", " ", f"<{markup}").split())
            for name, markup in found
        }

    def test_every_item_says_its_state_in_words(self):
        rows = self.rows(self.opened())
        self.assertEqual(list(rows), NAMES)
        self.assertIn("Secret key : done", rows["secret_key"])
        self.assertIn("Public address : to do", rows["address"])
        self.assertIn("HTTPS : warning", rows["https"])
        self.assertIn("Mail server : not tried", rows["mail_server"])

    def test_is_on_the_settings_page(self):
        self.url = f"{self.portal.absolute_url()}/@@click2sell-settings"
        browser = self.opened()
        self.assertEqual(list(self.rows(browser)), NAMES)
        address = f"{self.portal.absolute_url()}/@@click2sell</code>"
        self.assertIn(address, browser.contents)
        self.assertIn("of 9 done", self.text(browser).replace("  ", " "))
        self.assertIn("<details", browser.contents)
        self.assertRegex(browser.contents, r"<details[^>]* open=")

    def test_is_shut_when_nothing_is_left(self):
        self.url = f"{self.portal.absolute_url()}/@@click2sell-settings"
        with mock.patch.object(
            checklist,
            "items",
            return_value=(Item("x", State.OK, "Title", "Text", ("detail",)),),
        ):
            browser = self.opened()
        self.assertNotRegex(browser.contents, r"<details[^>]* open=")

    def test_looking_changes_nothing(self):
        self.all_set_up()
        # The first page of a new site writes something of Plone's own.
        self.browser(MANAGER).open(f"{self.portal.absolute_url()}/@@click2sell-notifications")
        before = self.last_transaction()
        browser = self.opened()
        browser.getControl("Try the mail server").click()
        self.assertEqual(self.last_transaction(), before)

    def test_what_is_stored_is_no_markup(self):
        self.settings(mapping=["1|<script>alert(1)</script>"])
        self.assertNotIn("<script>alert(1)", self.opened().contents)

    def test_it_needs_the_permission_to_configure(self):
        viewer = self.person("viewer", permissions=("View purchases", "Operate purchases"))
        for who in viewer, NOBODY:
            with self.subTest(who[0]):
                self.assertNotIn("data-item", self.opened(who=who).contents)

    def test_leads_to_the_test_purchase(self):
        browser = self.opened()
        browser.getLink("Try a purchase").click()
        self.assertIn('name="product"', browser.contents)
