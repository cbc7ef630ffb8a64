"""Content rules for access that begins and ends, with Plone's mail action and a mail server."""

from contextlib import contextmanager
from niteoweb.click2sell.contentrules import trigger
from niteoweb.click2sell.interfaces import IAccessEndsSoonEvent
from niteoweb.click2sell.interfaces import IAccessEvent
from niteoweb.click2sell.interfaces import IAccessGrantedEvent
from niteoweb.click2sell.interfaces import IAccessRevokedEvent
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.tests.cases.mail import MailTestCase
from niteoweb.click2sell.tests.cases.mail import SENDER
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.smtpserver import ScriptedServer
from niteoweb.click2sell.tests.cases.sweeps import SweepTestCase
from plone.app.contentrules import handlers
from plone.app.contentrules.actions.mail import MailAction
from plone.app.contentrules.api import assign_rule
from plone.app.contentrules.conditions.group import GroupCondition
from plone.app.contentrules.rule import Rule
from plone.app.testing import SITE_OWNER_NAME
from plone.app.testing import SITE_OWNER_PASSWORD
from plone.contentrules.engine.assignments import KEY
from plone.contentrules.engine.interfaces import IRuleStorage
from plone.stringinterp.browser import SubstitutionInfo
from plone.stringinterp.interfaces import IStringInterpolator
from plone.testing.zope import Browser
from Products.CMFPlone.controlpanel.browser.quickinstaller import ManageProductsView
from unittest import mock
from zope.annotation.interfaces import IAnnotations
from zope.component import getGlobalSiteManager
from zope.component import getUtility
from zope.lifecycleevent.interfaces import IObjectAddedEvent

import os
import socket
import transaction


GRANTED = "Access to ${c2s_product}"
EVERYTHING = """\
product=${c2s_product} (${c2s_product_id}) of ${c2s_provider}
groups=${c2s_groups}
until=${c2s_until}
member=${c2s_user_id}, ${c2s_login}, ${c2s_email}, ${c2s_fullname}
current=${user_email}
portal=${portal_title}
unknown=${c2s_unknown}
"""


class RuleTestCase(SweepTestCase, MailTestCase):
    """The add-on mails nothing itself; product 1 gives 30 days."""

    def setUp(self):
        super().setUp()
        self.settings(welcome_mail="none", notice_mail=False)

    def rule(
        self,
        name="granted",
        event=IAccessGrantedEvent,
        subject=GRANTED,
        message=EVERYTHING,
        recipients="${c2s_email}",
        enabled=True,
        conditions=(),
    ):
        """Make a rule that mails, assigned to the site root, as the control panel does."""
        action = MailAction()
        action.subject, action.message = subject, message
        action.recipients, action.source = recipients, ""
        rule = Rule()
        rule.event, rule.title, rule.enabled = event, name, enabled
        rule.actions = [action]
        rule.conditions = list(conditions)
        with self.owner():
            getUtility(IRuleStorage)[name] = rule
            assign_rule(self.portal, name)
        return rule

    def subjects(self):
        """Address and subject of each mail that arrived, but for those to the owner."""
        found = [(m["X-Envelope-To"], m["Subject"]) for m in self.server.messages]
        return sorted(mail for mail in found if mail[0] != SENDER)

    def two_products(self):
        """A purchase that gives access to another product too, within one request."""

        def buy(event):
            if event.product_id == "1":
                self.buy_again(product_id="2", product_name="The Course")

        sites = getGlobalSiteManager()
        sites.registerHandler(buy, (IAccessGrantedEvent,))
        self.addCleanup(sites.unregisterHandler, buy, (IAccessGrantedEvent,))
        return self.buy(product_name="The Club")

    @contextmanager
    def refusing(self):
        """The mail server refuses every recipient."""
        with ScriptedServer(RCPT=f"550 <{EMAIL}> is unknown\r\n".encode()) as server:
            self.registry(smtp_port=server.port)
            yield server
        self.registry(smtp_port=self.server.port)

    def stop_server(self):
        """Nothing listens where mail goes."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        self.registry(smtp_port=port)


class TestMails(RuleTestCase):
    def test_access_that_ends_soon(self):
        self.settings(reminder_days=7, reminder_mail=False)
        self.settings(mapping=["1|premium|30|order=https://shop.example/1"])
        self.rule(
            event=IAccessEndsSoonEvent,
            subject="${c2s_product} ends in ${c2s_days} days",
            message="${c2s_until} ${c2s_groups} ${c2s_order_url}",
        )
        self.buy()
        self.later(days=24)
        self.sweep()
        self.sweep()
        message = self.arrived()
        self.assertEqual(message["Subject"], "Test Product ends in 6 days")
        order = "http://nohost/plone/@@click2sell-order?product=1"
        self.assertEqual(self.text().strip(), f"Jun 02, 2026 premium {order}")

    def test_everything_that_can_be_named(self):
        self.registry(portal_timezone="Pacific/Auckland")
        self.rule()
        self.buy(product_name="The  Club", purchase_date="2026-05-04", purchase_time="01:00:00")
        message = self.arrived()
        self.assertEqual(message["Subject"], "Access to The Club")
        self.assertIn(SENDER, message["From"])
        self.assertEqual(
            self.text(message).strip(),
            """\
product=The Club (1) of click2sell
groups=premium
until=Jun 03, 2026
member=john@example.org, john@example.org, john@example.org, John Smith
current=john@example.org
portal=Plone site
unknown=${c2s_unknown}""",
        )

    def test_access_that_ends(self):
        self.rule(event=IAccessRevokedEvent, subject="No more ${c2s_product}")
        self.buy(product_name="The Club")
        self.assertEqual(self.subjects(), [])
        self.later(days=31)
        self.sweep()
        message = self.arrived()
        self.assertEqual(message["Subject"], "No more The Club")
        self.assertIn("groups=premium\nuntil=Jun 02, 2026\n", self.text(message))

    def test_access_without_an_end(self):
        self.rule()
        self.buy(product_id="2", product_name="")
        self.assertIn("until=no end\n", self.text())
        self.assertEqual(self.subjects(), [(EMAIL, "Access to 2")])

    def test_member_without_a_name(self):
        self.rule()
        self.account()
        self.buy()
        self.assertIn(f"{EMAIL}, {EMAIL}\ncurrent", self.text())

    def test_a_line_break_in_a_name_is_no_header(self):
        self.rule(subject="Hello ${c2s_fullname}")
        self.account(fullname="John\r\nBcc: jane@example.org")
        self.buy()
        self.assertEqual(self.subjects(), [(EMAIL, "Hello John Bcc: jane@example.org")])

    def test_two_products_in_one_request(self):
        self.rule()
        self.two_products()
        self.assertEqual(
            self.subjects(), [(EMAIL, "Access to The Club"), (EMAIL, "Access to The Course")]
        )

    def test_two_products_that_end_in_one_sweep(self):
        self.settings(mapping=["1|premium|30", "2|course|30"])
        self.rule(event=IAccessRevokedEvent, subject="${c2s_product_id}: ${c2s_groups}")
        self.buy()
        self.buy_again(product_id="2")
        self.later(days=31)
        self.sweep()
        self.assertEqual(self.subjects(), [(EMAIL, "1: premium"), (EMAIL, "2: course")])

    def test_twenty_members_in_one_sweep(self):
        self.rule(event=IAccessRevokedEvent, subject="Goodbye ${c2s_user_id}")
        self.crowd(20)
        self.later(days=31)
        self.sweep()
        members = sorted(f"buyer{number}@example.org" for number in range(20))
        self.assertEqual(self.subjects(), [(member, f"Goodbye {member}") for member in members])

    def test_a_replay_mails_nothing(self):
        self.rule()
        self.buy()
        (key,) = self.buyer()["keys"]
        pipeline.replay(key)
        self.assertEqual(len(self.subjects()), 1)


class TestWhichRulesRun(RuleTestCase):
    def test_not_those_of_the_other_trigger(self):
        self.rule(event=IAccessRevokedEvent)
        self.rule("another", event=IObjectAddedEvent)
        self.buy()
        self.assertEqual(self.subjects(), [])

    def test_not_one_that_is_disabled(self):
        self.rule(enabled=False)
        self.buy()
        self.assertEqual(self.subjects(), [])

    def test_none_when_all_are_disabled(self):
        self.rule()
        with self.owner():
            getUtility(IRuleStorage).active = False
        self.buy()
        self.assertEqual(self.subjects(), [])

    def test_not_one_that_is_not_assigned(self):
        self.rule()
        with self.owner():
            del IAnnotations(self.portal)[KEY]["granted"]
        self.buy()
        self.assertEqual(self.subjects(), [])

    def test_all_that_fit(self):
        self.rule("one", subject="one")
        self.rule("two", subject="two")
        self.buy()
        self.assertEqual(self.subjects(), [(EMAIL, "one"), (EMAIL, "two")])

    def test_the_group_of_the_member_decides(self):
        condition = GroupCondition()
        condition.group_names = ["premium"]
        self.rule(conditions=[condition])
        self.buy()
        self.buy(
            buyer_email="jane@example.org",
            acquirer_transaction_id="T-2",
            c2s_transaction_id="R-2",
            product_id="2",
        )
        self.assertEqual([to for to, _subject in self.subjects()], [EMAIL])

    def test_nobody_is_logged_in_afterwards(self):
        self.rule()
        self.buy()
        self.assertTrue(self.portal.portal_membership.isAnonymousUser())

    def test_none_on_a_copy_of_the_site(self):
        self.rule()
        with mock.patch.dict(os.environ, CLICK2SELL_STAGING="1"):
            self.buy()
        self.assertEqual(self.subjects(), [])

    def test_a_site_without_rules_pays_nothing(self):
        """Plone's own way to ask for the rules writes to the database."""
        self.buy()
        self.later(days=31)
        with self.owner():
            # Left by Plone's own trigger for new members.
            del IAnnotations(self.portal)[KEY]
        seen = []
        database = self.portal._p_jar.db()
        run = trigger.run

        def watch(event):
            before = database.lastTransaction()
            with mock.patch.object(handlers, "execute") as execute:
                run(event)
                transaction.commit()
            seen.append((execute.called, database.lastTransaction() == before))

        sites = getGlobalSiteManager()
        sites.registerHandler(watch, (IAccessEvent,))
        self.addCleanup(sites.unregisterHandler, watch, (IAccessEvent,))
        self.sweep()
        self.assertEqual(seen, [(False, True)])
        self.assertNotIn(KEY, IAnnotations(self.portal))


class TestTrouble(RuleTestCase):
    def assert_logged(self, logs, *words):
        ours = [line for line in logs.output if ":mail.log:" not in line]
        for word in words:
            self.assertIn(word, str(ours))
        self.assertNotIn("@example.org", str(ours))

    def test_a_server_that_refuses(self):
        self.rule()
        with self.refusing(), self.assertLogs(level="WARNING") as logs:
            self.assertEqual(self.buy(), pipeline.Result(Outcome.ACCEPTED))
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assert_logged(logs, "content rule failed: SMTPRecipientsRefused")

    def test_a_server_that_is_down(self):
        self.rule()
        self.stop_server()
        with self.assertLogs(level="WARNING") as logs:
            self.assertEqual(self.buy(), pipeline.Result(Outcome.ACCEPTED))
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assert_logged(logs, "AccessGrantedEvent failed: ConnectionRefusedError")

    def test_it_is_tried_for_each_member_of_a_sweep(self):
        self.rule(event=IAccessRevokedEvent)
        self.crowd(5)
        self.later(days=31)
        self.stop_server()
        with self.assertLogs("niteoweb.click2sell", "ERROR") as logs:
            report = self.sweep()
        self.assertEqual((len(report.lapsed), report.troubled), (5, 0))
        self.assertEqual(len(logs.output), 5)
        self.assert_logged(logs)

    def test_the_others_are_mailed(self):
        """After an error in a rule Plone runs none any more in the same request."""
        self.rule(event=IAccessRevokedEvent, subject="Goodbye")
        self.crowd(4)
        self.later(days=31)
        execute, seen = handlers.execute, []

        def fail_once(context, event):
            if not IAccessEvent.providedBy(event):
                return
            seen.append(event.user_id)
            if len(seen) == 2:
                handlers._status.rule_filter.in_progress = True
                raise ConnectionRefusedError(event.user_id)
            execute(context, event)

        with (
            mock.patch.object(handlers, "execute", fail_once),
            self.assertLogs("niteoweb.click2sell", "ERROR"),
        ):
            self.sweep()
        self.assertEqual(len(set(seen)), 4)
        self.assertEqual(len(self.subjects()), 3, self.subjects())

    def test_other_subscribers_are_called(self):
        self.rule()
        self.stop_server()
        seen = []
        sites = getGlobalSiteManager()
        sites.registerHandler(seen.append, (IAccessGrantedEvent,))
        self.addCleanup(sites.unregisterHandler, seen.append, (IAccessGrantedEvent,))
        with self.assertLogs("niteoweb.click2sell", "ERROR"):
            self.buy()
        ((event,),) = (seen,)
        self.assertFalse(hasattr(event, "object"))

    def test_what_a_rule_that_fails_changed_is_undone(self):
        self.rule()
        self.account()

        def change_and_fail(context, event):
            context.changed = True
            raise ValueError

        with (
            mock.patch.object(handlers, "execute", change_and_fail),
            self.assertLogs("niteoweb.click2sell", "ERROR"),
        ):
            self.buy()
        self.assertFalse(hasattr(self.portal.aq_base, "changed"))


class TestSiteSetup(RuleTestCase):
    def browser(self):
        browser = Browser(self.layer["app"])
        browser.handleErrors = False
        browser.addHeader("Authorization", f"Basic {SITE_OWNER_NAME}:{SITE_OWNER_PASSWORD}")
        return browser

    def test_an_owner_makes_a_rule(self):
        """As the documentation says, step by step."""
        browser = self.browser()
        browser.open("http://nohost/plone/@@rules-controlpanel")
        browser.open("http://nohost/plone/+rule/plone.ContentRule")
        browser.getControl("Title").value = "Welcome to the club"
        browser.getControl("Triggering event").displayValue = ["Access granted"]
        browser.getControl("Save").click()
        self.assertIn("Send email", browser.contents)
        self.assertNotIn("Delete object", browser.contents)
        self.assertNotIn("Move to folder", browser.contents)
        browser.getControl(name=":action", index=1).displayValue = ["Send email"]
        browser.getControl(name="form.button.AddAction").click()
        self.assertIn("${c2s_product}", browser.contents)
        browser.getControl("Subject").value = GRANTED
        browser.getControl("Email recipients").value = "${c2s_email}"
        browser.getControl(name="form.widgets.message").value = EVERYTHING
        browser.getControl("Save").click()
        browser.getControl("Apply rule on the whole site").click()
        transaction.begin()
        self.buy(product_name="The Club")
        self.assertEqual(self.subjects(), [(EMAIL, "Access to The Club")])

    def test_substitutions_are_listed(self):
        groups = SubstitutionInfo(self.portal, self.layer["request"]).substitutionList()
        (ours,) = [group for group in groups if group["category"] == "Click2Sell"]
        names = [item["id"] for item in ours["items"]]
        self.assertEqual(len(names), 11)
        self.assertTrue(all(name.startswith("c2s_") for name in names))
        self.assertTrue(all(item["description"] for item in ours["items"]))

    def test_for_other_triggers_they_stay_as_they_are(self):
        fill_in = IStringInterpolator(self.portal)
        self.assertEqual(fill_in("${c2s_product}"), "${c2s_product}")

    def test_uninstalling_removes_the_rules(self):
        self.rule()
        self.rule("ended", event=IAccessRevokedEvent)
        self.rule("another", event=IObjectAddedEvent)
        with self.owner():
            view = ManageProductsView(self.portal, self.layer["request"])
            self.assertTrue(view.uninstall_product("niteoweb.click2sell"))
        self.assertEqual(list(getUtility(IRuleStorage)), ["another"])
        self.assertEqual(list(IAnnotations(self.portal)[KEY]), ["another"])
        browser = self.browser()
        browser.open("http://nohost/plone/@@rules-controlpanel")
        self.assertIn("another", browser.contents)
