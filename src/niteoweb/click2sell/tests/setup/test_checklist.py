"""The checklist of the set-up: on the overview, in the settings, and as rules."""

from dataclasses import replace
from niteoweb.click2sell.mail import messages
from niteoweb.click2sell.mail import smtp
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.cleeng.provider import PROVIDER as CLEENG
from niteoweb.click2sell.providers.click2sell.provider import PROVIDER as CLICK2SELL
from niteoweb.click2sell.providers.plenigo.fake import FakePlenigo
from niteoweb.click2sell.providers.plenigo.fake import TOKEN
from niteoweb.click2sell.providers.plenigo.provider import PROVIDER as PLENIGO
from niteoweb.click2sell.providers.stripe import protocol
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.settings import secretkeys
from niteoweb.click2sell.setup import checklist
from niteoweb.click2sell.setup.check import Check
from niteoweb.click2sell.setup.check import Status
from niteoweb.click2sell.storage import schedule
from niteoweb.click2sell.testing.layers import MailServer
from niteoweb.click2sell.tests.cases import deliveries
from niteoweb.click2sell.tests.cases.hanging import HangingServer
from niteoweb.click2sell.tests.cases.pages import ChecklistTestCase
from niteoweb.click2sell.tests.cases.pages import MANAGER
from niteoweb.click2sell.tests.cases.pages import NOBODY
from niteoweb.click2sell.tests.cases.smtpserver import ScriptedServer
from plone import api
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


class TestItems(ChecklistTestCase):
    def test_the_names_stay(self):
        self.assertEqual(list(self.items()), NAMES)

    def test_all_set_up(self):
        self.all_set_up()
        states = {name: item.state for name, item in self.items().items()}
        expected = dict.fromkeys(NAMES, Status.OK) | {"mail_server": Status.UNTRIED}
        self.assertEqual(states, expected)

    def test_a_site_on_its_first_day(self):
        self.settings(secretkey=None, mapping=[])
        states = {name: item.state for name, item in self.items().items()}
        self.assertEqual(
            states,
            {
                "provider": Status.TODO,
                "address": Status.TODO,
                "https": Status.WARNING,
                "sender": Status.TODO,
                "mail_server": Status.UNTRIED,
                "last_sweep": Status.WARNING,
            },
        )

    def test_key(self):
        self.assertEqual(self.state("secret_key")[0], Status.OK)
        self.settings(secretkey="short")
        state, text = self.state("secret_key")
        self.assertEqual(state, Status.WARNING)
        self.assertNotIn("short", text.replace("shorter", ""))

    def test_previous_key(self):
        self.settings(previous_secretkey="before", secretkey=deliveries.SECRET_KEY)
        self.assertEqual(self.state("previous_secret_key")[0], Status.OK)
        secretkeys.tidy(self.portal)
        secretkeys.note_use(self.portal, secretkeys.mark("before"), self.now)
        transaction.commit()
        self.assertEqual(self.state("previous_secret_key")[0], Status.WARNING)
        self.later(days=8)
        secretkeys.note_use(self.portal, secretkeys.mark(deliveries.SECRET_KEY), self.now)
        transaction.commit()
        state, text = self.state("previous_secret_key")
        self.assertEqual(state, Status.TODO)
        self.assertIn("can go", text)

    def test_groups_one_by_one(self):
        self.settings(
            mapping=["1|gone", "2", "3|Administrators", "4|premium"], buyers_group="Reviewers"
        )
        item = self.items()["groups"]
        self.assertEqual(item.state, Status.TODO)
        details = [translate(detail) for detail in item.details]
        self.assertEqual(details[0], 'Line 1: there is no group "gone"')
        self.assertIn("Line 2: expected", details[1])
        self.assertIn('Line 3: the group "Administrators" can administer', details[2])
        self.assertEqual(len(details), 3)
        self.assertEqual(self.state("mapping"), (Status.OK, "Products that give a group: 3"))

    def test_a_group_that_becomes_privileged_later(self):
        self.assertEqual(self.state("groups")[0], Status.OK)
        with self.owner():
            self.portal.portal_groups.addPrincipalToGroup("premium", "Administrators")
        self.assertEqual(self.state("groups")[0], Status.TODO)

    def test_another_address_than_the_public_one(self):
        self.all_set_up()
        self.settings(site_address="https://other.example.org")
        state, text = self.state("address")
        self.assertEqual(state, Status.WARNING)
        self.assertIn("You are at https://nohost.example.org", text)
        self.assertEqual(
            effective.callback_address(CLICK2SELL), "https://other.example.org/@@click2sell"
        )

    def test_a_staging_site_is_a_copy(self):
        self.all_set_up()
        with mock.patch.dict(os.environ, CLICK2SELL_STAGING="1"):
            self.assertEqual(self.state("address")[0], Status.WARNING)

    def test_a_site_without_https(self):
        self.settings(site_address="http://www.example.org")
        self.assertEqual(self.state("https")[0], Status.WARNING)
        self.settings(site_address="http://localhost:8080/Plone")
        self.assertEqual(self.state("https")[0], Status.OK)

    def test_last_notification(self):
        self.buy()
        item = self.items()["last_notification"]
        self.assertEqual((item.state, item.moment), (Status.OK, self.now))
        for number in range(2, 6):
            self.later(hours=1)
            self.buy_again(number)
        heard = self.now
        self.later(days=4)
        item = self.items()["last_notification"]
        self.assertEqual((item.state, item.moment), (Status.WARNING, heard))

    def test_last_sweep(self):
        self.assertEqual(self.state("last_sweep")[0], Status.WARNING)
        schedule.begin(self.portal, schedule.CLOCK, self.now)
        transaction.commit()
        for minutes, expected in ((10, {"minutes": 30}), (60, {"hours": 3}), (0, {"days": 1})):
            with self.subTest(minutes):
                self.settings(sweep_minutes=minutes)
                swept = self.now
                self.later(**expected)
                self.assertEqual(self.items()["last_sweep"].state, Status.OK)
                self.later(minutes=1)
                item = self.items()["last_sweep"]
                self.assertEqual((item.state, item.moment), (Status.WARNING, swept))
                self.now = swept

    def test_a_sweep_that_stopped(self):
        stopped = {"members": 40, "limit": 20}
        schedule.end(self.portal, schedule.Run(self.now, schedule.CLOCK, 1.0, {}, stopped))
        transaction.commit()
        state, text = self.state("last_sweep")
        self.assertEqual(state, Status.TODO)
        self.assertIn("40 members", text)


class ProviderTestCase(ChecklistTestCase):
    def set(self, provider=PLENIGO, **values):
        for name, value in values.items():
            setattr(registry.settings(provider), name, value)
        transaction.commit()

    def of(self, provider=PLENIGO, **kwargs) -> dict[str, Check]:
        """The items about a provider."""
        transaction.begin()
        found = checklist.items(self.portal, self.now, **kwargs)
        return {item.name: item for item in found if item.provider == provider.name}

    def only_plenigo(self, **values):
        self.settings(secretkey=None, mapping=[])
        self.set(enabled=True, **values)


class TestProviders(ProviderTestCase):
    """Each provider that is used has steps of its own."""

    def test_one_alone(self):
        self.only_plenigo()
        self.assertEqual(self.of(CLICK2SELL), {})
        self.assertEqual(
            {name: item.state for name, item in self.of().items()},
            {
                "secret_key": Status.TODO,
                "mapping": Status.TODO,
                "api": Status.WARNING,
                "last_notification": Status.TODO,
            },
        )
        self.assertNotIn("provider", self.items())
        text = translate(self.of()["last_notification"].text)
        self.assertIn("Enter the address for the notifications at plenigo", text)

    def test_all_done(self):
        self.only_plenigo(
            secretkey=deliveries.SECRET_KEY, mapping=["gold|premium"], api_token="t"
        )
        with self.unexpected_errors_shown():
            key = {"key": "f" * 64, "provider": "plenigo", "transaction": "S-1"}
            pipeline.process(replace(self.notification(), **key))
        found = self.of()
        self.assertEqual(found.pop("api").state, Status.UNTRIED)
        self.assertEqual({item.state for item in found.values()}, {Status.OK})
        self.assertEqual(found["last_notification"].moment, self.now)
        self.assertEqual(self.of(CLICK2SELL), {})

    def test_several(self):
        self.set(enabled=True)
        self.set(CLEENG, enabled=True, secretkey="short")
        self.assertEqual(self.of(CLEENG)["secret_key"].state, Status.WARNING)
        self.assertIn("at Cleeng and here", translate(self.of(CLEENG)["secret_key"].text))
        self.assertEqual(self.of(CLICK2SELL)["secret_key"].state, Status.OK)
        self.assertEqual(self.of()["secret_key"].state, Status.TODO)
        # Cleeng has nothing that a notification leaves open.
        self.assertNotIn("api", self.of(CLEENG))

    def test_a_mapping_is_counted_for_its_provider(self):
        self.set(enabled=True)
        self.assertEqual(self.of()["mapping"].state, Status.TODO)
        self.set(mapping=["1|premium", "2|course"])
        text = translate(self.of()["mapping"].text)
        self.assertEqual(text, "Products that give a group: 2")

    def test_groups_with_roles(self):
        """A group that gives roles, its own, nested or local ones, draws a warning."""
        self.group("board", ["Reviewer"])
        with self.owner():
            self.portal.portal_groups.addPrincipalToGroup("premium", "board")
            self.portal.manage_setLocalRoles("premium", ["Contributor"])
            api.group.grant_roles(groupname="course", roles=["Editor"])
        self.assertEqual(self.state("groups")[0], Status.WARNING)
        details = [translate(detail) for detail in self.items()["groups"].details]
        self.assertEqual(details, ["course: Editor", "premium: Contributor, Reviewer"])

    def test_groups_of_all_mappings(self):
        self.set(enabled=True, mapping=["gold|gone"])
        item = self.items()["groups"]
        details = [translate(detail) for detail in item.details]
        self.assertEqual(details, ['plenigo: Line 1: there is no group "gone"'])

    def test_one_without_anything_arrives_silently(self):
        self.set(enabled=True)
        for number in range(2, 6):
            self.later(hours=1)
            self.buy_again(number)
        self.later(days=4)
        self.assertEqual(self.of(CLICK2SELL)["last_notification"].state, Status.WARNING)
        self.assertEqual(self.of()["last_notification"].state, Status.TODO)


class TestApi(ProviderTestCase):
    def setUp(self):
        super().setUp()
        self.fake = self.enterContext(FakePlenigo())
        self.enterContext(mock.patch.dict("os.environ", {jsonapi.INSECURE_VARIABLE: "1"}))
        self.set(enabled=True, api_url=self.fake.url, api_token=TOKEN)

    def api(self, connect=True) -> tuple[Status, str]:
        item = self.of(connect=connect)["api"]
        return item.state, translate(item.text)

    def test_is_asked_on_demand_only(self):
        with mock.patch.object(PLENIGO.client, "probe") as asked:
            self.assertEqual(self.api(connect=False)[0], Status.UNTRIED)
            self.opened()
            asked.assert_not_called()
            self.opened().getControl("Try the mail server and the APIs").click()
            asked.assert_called_once()

    def test_answers(self):
        state, text = self.api()
        self.assertEqual(state, Status.OK, text)

    def test_another_token(self):
        self.set(api_token="another")
        state, text = self.api()
        self.assertEqual(state, Status.TODO)
        self.assertIn("plenigo cannot be asked: token not accepted", text)
        self.assertNotIn("another", text)

    def test_nobody_is_there(self):
        self.fake.outage = True
        self.assertIn("status 503", self.api()[1])
        self.set(api_url="http://www.example.org", api_token="t")
        self.assertIn("address of the API", self.api()[1])

    def test_one_that_hangs(self):
        with HangingServer(HangingServer.answer_never) as server:
            self.set(api_url=server.url, api_token=TOKEN)
            state, text = self.api()
        self.assertEqual(state, Status.TODO)
        self.assertIn("plenigo has not answered within a second.", text)

    def test_no_token(self):
        self.set(api_token=None)
        self.assertEqual(self.api()[0], Status.WARNING)

    def test_one_that_cannot_be_tried(self):
        with mock.patch.object(PLENIGO, "client", object()):
            self.assertEqual(self.api()[0], Status.UNTRIED)


class TestMailServer(ChecklistTestCase):
    def asked(self, port: int) -> tuple[Status, str]:
        self.registry(
            smtp_host="127.0.0.1", smtp_port=port, email_from_address="shop@example.com"
        )
        item = self.items(connect=True)["mail_server"]
        return item.state, translate(item.text)

    def test_answers(self):
        with MailServer() as server:
            state, text = self.asked(server.port)
        self.assertEqual(state, Status.OK, text)
        self.assertEqual(server.messages, [])

    def test_refuses(self):
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        listener.close()
        state, text = self.asked(port)
        self.assertEqual(state, Status.TODO)
        self.assertIn("ConnectionRefusedError", text)

    def test_is_asked_for_no_mail_and_what_it_says_counts(self):
        with ScriptedServer(NOOP=b"421 too busy\r\n") as server:
            state, text = self.asked(server.port)
        self.assertEqual((state, server.bodies), (Status.TODO, []))
        self.assertIn("SMTPResponseException 421", text)

    def test_hangs(self):
        with (
            mock.patch.object(smtp, "PROBE_LIMIT", 0.3),
            ScriptedServer(ScriptedServer.drip) as server,
        ):
            state, text = self.asked(server.port)
        self.assertEqual(state, Status.TODO)

    def test_no_sender(self):
        item = self.items(connect=True)["mail_server"]
        self.assertIn("the site has no address to send mail from", translate(item.text))

    def test_a_mailhost_of_another_make_is_not_tried(self):
        self.registry(email_from_address="shop@example.com")
        with mock.patch.object(smtp, "MailBase", int):
            item = self.items(connect=True)["mail_server"]
        self.assertEqual(item.state, Status.UNTRIED)

    def test_is_asked_on_demand_only(self):
        with mock.patch.object(messages, "probe") as asked:
            self.items()
            self.opened()
            asked.assert_not_called()
            browser = self.opened()
            browser.getControl("Try the mail server").click()
            asked.assert_called_once_with()

    def test_not_without_a_token(self):
        with mock.patch.object(messages, "probe") as asked:
            browser = self.browser()
            browser.post(self.url, "")
        self.assertIn("403", browser.headers["status"])
        asked.assert_not_called()


class TestPages(ChecklistTestCase):
    def rows(self, browser) -> dict[str, str]:
        """The text of each item."""
        found = re.findall(
            r'data-item="(\w+)"(.*?)(?=data-item|<form|</section)', browser.contents, re.DOTALL
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

    def test_is_on_the_overview_alone(self):
        browser = self.opened()
        self.assertEqual(list(self.rows(browser)), NAMES)
        address = f"{self.portal.absolute_url()}/@@click2sell</code>"
        self.assertIn(address, browser.contents)
        self.assertIn("of 9 done", self.text(browser).replace("  ", " "))
        self.assertIn("<details", browser.contents)
        self.assertRegex(browser.contents, r"<details[^>]* open=")

    def test_is_shut_when_nothing_is_left(self):
        with mock.patch.object(
            checklist,
            "items",
            return_value=(Check("x", Status.OK, "Title", "Text", ("detail",)),),
        ):
            browser = self.opened()
        self.assertNotRegex(
            browser.contents.partition('id="checklist"')[2], r"<details[^>]* open="
        )

    def test_its_old_page_leads_there(self):
        browser = self.browser(MANAGER)
        browser.open(f"{self.portal.absolute_url()}/@@click2sell-checklist")
        self.assertEqual(browser.url, f"{self.url}#checklist")

    def test_the_settings_have_the_checks_of_their_provider(self):
        browser = self.browser(MANAGER)
        browser.open(f"{self.portal.absolute_url()}/@@click2sell-settings")
        self.assertEqual(list(self.rows(browser)), NAMES[:3])

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

    def test_the_page_of_a_provider_has_its_own_steps(self):
        url = f"{self.portal.absolute_url()}/@@plenigo-settings"
        browser = self.browser(MANAGER)
        browser.open(url)
        rows = self.rows(browser)
        self.assertEqual([*rows][:3], ["enabled", "secret_key", "mapping"])
        self.assertNotIn("mail_server", rows)
        self.assertIn("/@@plenigo</code>", browser.contents)
        self.assertNotIn("Try a purchase", browser.contents)
        browser.getLink("The whole checklist").click()
        self.assertEqual(list(self.rows(browser)), NAMES)
        registry.settings(PLENIGO).enabled = True
        transaction.commit()
        browser.open(url)
        self.assertNotIn("enabled", self.rows(browser))
        self.assertTrue(browser.getLink("Try a purchase").url.endswith("?provider=plenigo"))

    def test_the_page_of_stripe_lists_the_events_to_choose_there(self):
        browser = self.browser(MANAGER)
        browser.open(f"{self.portal.absolute_url()}/@@stripe-settings")
        self.assertIn("Events to choose at", browser.contents)
        for name in protocol.EVENT_TYPES:
            self.assertIn(f"<code>{name}</code>", browser.contents)
        browser.open(f"{self.portal.absolute_url()}/@@plenigo-settings")
        self.assertNotIn("Events to choose at", browser.contents)

    def test_each_provider_has_its_address_and_its_settings(self):
        for provider in (PLENIGO, CLEENG):
            registry.settings(provider).enabled = True
        transaction.commit()
        browser = self.opened()
        for name, title in (
            ("click2sell", "Click2Sell"),
            ("plenigo", "plenigo"),
            ("cleeng", "Cleeng"),
        ):
            self.assertIn(f"{self.portal.absolute_url()}/@@{name}</code>", browser.contents)
            link = browser.getLink(f"Settings of {title}")
            self.assertTrue(link.url.endswith(f"/@@{name}-settings"))
        self.assertEqual(browser.contents.count('role="heading"'), 4)

    def test_no_provider_at_all(self):
        self.settings(secretkey=None, mapping=[])
        text = self.text(self.opened())
        self.assertIn("No payment provider is set up yet.", text)
        for title in ("Cleeng", "plenigo"):
            self.assertIn(title, text)

    def test_leads_to_the_test_purchase(self):
        browser = self.opened()
        browser.getLink("Try a purchase").click()
        self.assertIn('name="product"', browser.contents)
