"""Content rules for new members, with real rules that mail through a real server."""

from contextlib import contextmanager
from niteoweb.click2sell.interfaces import IMemberCreateEvent
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.member import contentrules
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import plan
from niteoweb.click2sell.provisioning import preview
from niteoweb.click2sell.storage import steps
from niteoweb.click2sell.testing.layers import MailServer
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from niteoweb.click2sell.tests.cases.smtpserver import ScriptedServer
from plone import api
from plone.app.contentrules import handlers
from plone.app.contentrules.actions.mail import MailAction
from plone.app.contentrules.rule import insert_assignment
from plone.app.contentrules.rule import Rule
from plone.contentrules.engine.assignments import RuleAssignment
from plone.contentrules.engine.interfaces import IRuleAssignmentManager
from plone.contentrules.engine.interfaces import IRuleStorage
from Products.PluggableAuthService.interfaces.events import IPrincipalCreatedEvent
from unittest import mock
from zope.component import getGlobalSiteManager
from zope.component import getUtility

import socket
import transaction


JANE = "jane@example.org"


class TestRules(SiteTestCase):
    """A site with a content rule that mails the owner about each new member."""

    def setUp(self):
        super().setUp()
        # For each mail: the members that others saw, and whether the lock was held.
        self.seen = []
        server = MailServer(self.look)
        server.__enter__()
        self.addCleanup(server.__exit__)
        self.messages = server.messages
        self.registry(
            smtp_host="127.0.0.1",
            smtp_port=server.port,
            email_from_name="The Shop",
            email_from_address="shop@example.com",
        )
        with self.owner():
            self.rule("first")
        handlers.close(None)
        self.addCleanup(handlers.close, None)

    def rule(self, name):
        """Make a rule that mails when a user is created."""
        action = MailAction()
        action.subject = name
        action.recipients = "owner@example.com"
        action.message = "There is a new member."
        rule = Rule()
        rule.event = IPrincipalCreatedEvent
        rule.actions.append(action)
        getUtility(IRuleStorage)[name] = rule
        IRuleAssignmentManager(self.portal)[name] = RuleAssignment(name)
        insert_assignment(rule, "/".join(self.portal.getPhysicalPath()))

    def look(self, message):
        """Look at the site while a mail arrives; called in the server's thread."""
        connection = self.portal._p_jar.db().open(transaction.TransactionManager())
        try:
            site = connection.root()["Application"][self.portal.getId()]
            members = {EMAIL, JANE} & set(site.acl_users.source_users._user_passwords)
            self.seen.append(sorted(members))
        finally:
            connection.close()

    @contextmanager
    def mail_goes_to(self, port):
        """Another mail server for a while."""
        before = api.portal.get_registry_record("plone.smtp_port")
        self.registry(smtp_port=port)
        yield
        self.registry(smtp_port=before)

    def test_the_rule_works_without_us(self):
        self.account("julia", JANE)
        self.assertEqual([message["Subject"] for message in self.messages], ["first"])

    def test_after_the_commit_and_outside_the_lock_and_once(self):
        self.buy()
        self.assertEqual(self.seen, [[EMAIL]])
        self.buy()
        self.buy_again(product_id="2")
        self.refund()
        self.provision()
        self.assertEqual(len(self.messages), 1)

    def test_each_rule(self):
        with self.owner():
            self.rule("second")
        self.buy()
        subjects = [message["Subject"] for message in self.messages]
        self.assertEqual(sorted(subjects), ["first", "second"])

    def test_each_of_two_members_in_one_request(self):
        self.buy()
        self.buy_again(buyer_email=JANE)
        self.assertEqual(self.seen, [[EMAIL], [JANE, EMAIL]])

    def test_a_login_name_of_its_own(self):
        self.registry(use_email_as_login=True)
        self.buy()
        self.assertEqual(self.user_id(), "john-smith")
        self.assertEqual(len(self.messages), 1)

    def test_not_for_an_account_that_was_there_before(self):
        self.account("john", login=EMAIL)
        handlers.close(None)
        self.messages.clear()
        self.buy()
        self.assertEqual(self.messages, [])

    def test_not_for_a_dry_run(self):
        with (
            mock.patch.object(plan, "make", side_effect=RuntimeError),
            self.assertRaises(pipeline.Failed),
            self.assertLogs("niteoweb.click2sell", "ERROR"),
        ):
            pipeline.process(self.notification())
        key = self.notification().key
        transaction.begin()
        self.assertTrue(preview.replay(self.portal, key, self.now).plan.create)
        self.assertEqual(self.messages, [])

    def test_not_for_a_member_who_is_rolled_back(self):
        for place in ("member made", "before commit"):

            def step(name, place=place):
                if name == place:
                    raise RuntimeError

            with (
                self.subTest(place),
                mock.patch.object(steps, "reached", step),
                self.assertRaises(pipeline.Failed),
                self.assertLogs("niteoweb.click2sell", "ERROR"),
            ):
                pipeline.process(self.notification())
            self.assertIsNone(self.member())
            self.assertEqual(self.messages, [])
        pipeline.resume(self.notification().key)
        self.assertEqual(self.seen, [[EMAIL]])

    def test_a_mail_server_that_fails_does_not_hurt_the_purchase(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            nobody_there = taken.getsockname()[1]
        with self.mail_goes_to(nobody_there), self.assertLogs() as logs:
            result = self.buy()
        self.assertEqual(result, pipeline.Result(Outcome.ACCEPTED))
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assertIn("UserCreatedRules failed: ConnectionRefusedError", str(logs.output))
        self.assertNotIn(EMAIL, str(logs.output))
        # Nor does a rule that failed keep the next from running.
        self.buy_again(buyer_email=JANE)
        self.assertEqual(len(self.messages), 1)

    def test_a_mail_server_that_refuses_does_not_hurt_the_purchase(self):
        with (
            ScriptedServer(MAIL=b"550 no\r\n") as server,
            self.mail_goes_to(server.port),
            self.assertLogs("plone.contentrules", "ERROR"),
        ):
            result = self.buy()
        self.assertEqual(result, pipeline.Result(Outcome.ACCEPTED))
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_rules_that_are_switched_off(self):
        with self.owner():
            getUtility(IRuleStorage).active = False
        self.buy()
        self.assertEqual(self.messages, [])

    def test_in_a_rule_that_runs(self):
        """As in Plone, what a rule does runs other rules only if it allows that."""
        handlers.init()
        for cascade, mails in ((False, 0), (True, 1)):
            outer = handlers._status.rule_filter
            outer.in_progress, outer.cascade = True, cascade
            with self.subTest(cascade=cascade):
                self.buy(
                    buyer_email=f"{cascade}@example.org", acquirer_transaction_id=f"T-{cascade}"
                )
                self.assertEqual(len(self.messages), mails)
                self.assertIs(handlers._status.rule_filter, outer)
                self.assertEqual((outer.in_progress, outer.cascade), (True, cascade))

    def test_a_member_whom_a_subscriber_deleted(self):
        self.buy()
        self.messages.clear()
        with self.owner():
            self.portal.portal_membership.deleteMembers([EMAIL])
        contentrules.run(contentrules.UserCreatedRules(EMAIL))
        self.assertEqual(self.messages, [])

    def test_what_subscribers_make_runs_rules_too(self):
        """A rule that ran before in the request runs again for another event."""
        registry = getGlobalSiteManager()

        def make(event):
            self.portal.portal_registration.addMember(
                "friend", "a long password", properties={"username": "friend", "email": JANE}
            )

        registry.registerHandler(make, (IMemberCreateEvent,))
        self.addCleanup(registry.unregisterHandler, make, (IMemberCreateEvent,))
        with api.env.adopt_roles(["Manager"]):
            self.buy()
        self.assertEqual(len(self.messages), 2)
