"""The events: fired once, after the commit, and whatever a subscriber does, nothing is lost."""

from niteoweb.click2sell import timestamps
from niteoweb.click2sell.interfaces import IAccessGrantedEvent
from niteoweb.click2sell.interfaces import IAccessRevokedEvent
from niteoweb.click2sell.interfaces import IMemberCreatedEvent
from niteoweb.click2sell.interfaces import IMemberCreateEvent
from niteoweb.click2sell.interfaces import IMemberUpdateEvent
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.tests.cases.process import is_writer
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from plone import api
from unittest import mock
from ZODB.POSException import ConflictError
from zope.component import getGlobalSiteManager

import transaction


class EventTestCase(SiteTestCase):
    def subscribe(self, interface, handler):
        sites = getGlobalSiteManager()
        sites.registerHandler(handler, (interface,))
        self.addCleanup(sites.unregisterHandler, handler, (interface,))

    def collect(self, interface):
        """The events that are fired from now on."""
        fired = []
        self.subscribe(interface, fired.append)
        return fired


class TestMemberEvents(EventTestCase):
    def setUp(self):
        super().setUp()
        self.created = self.collect(IMemberCreateEvent)
        self.updated = self.collect(IMemberUpdateEvent)

    def test_new_member(self):
        self.buy(buyer_email="John@Example.org")
        (event,) = self.created
        self.assertEqual(event.user_id, EMAIL)
        notification = event.notification
        self.assertEqual(notification.email, "John@Example.org")
        self.assertEqual(notification.product_id, "1")
        self.assertEqual(notification.fullname, "John Smith")
        self.assertNotIn("checksum", notification.payload)
        self.assertEqual(self.updated, [])

    def test_notification_is_the_one_that_was_processed(self):
        notification = self.notification()
        pipeline.process(notification)
        self.assertEqual(self.created[0].notification, notification)

    def test_once(self):
        self.buy()
        self.buy()
        self.provision()
        self.assertEqual((len(self.created), len(self.updated)), (1, 0))

    def test_further_purchase(self):
        self.buy()
        self.buy_again(product_id="2")
        self.assertEqual(len(self.created), 1)
        (event,) = self.updated
        self.assertEqual((event.user_id, event.notification.product_id), (EMAIL, "2"))

    def test_account_that_was_there_before(self):
        self.account()
        self.buy()
        self.assertEqual(self.created, [])
        self.assertEqual([event.user_id for event in self.updated], [EMAIL])

    def test_neither_for_a_refund(self):
        self.buy()
        self.refund()
        self.assertEqual((len(self.created), len(self.updated)), (1, 0))

    def test_neither_when_a_person_must_decide(self):
        self.account("john", EMAIL)
        self.buy()
        self.assertEqual((self.created, self.updated), ([], []))

    def test_names(self):
        self.assertIs(IMemberCreatedEvent, IMemberCreateEvent)
        fired = self.collect(IMemberCreatedEvent)
        self.buy()
        self.assertEqual(fired, self.created)

    def test_object_of_its_own_for_each_event(self):
        """Content rules handle an event object only once in a request."""
        self.buy()
        self.buy_again()
        self.buy_again(3)
        self.assertEqual(len({id(event) for event in self.updated}), 2)

    def test_member_who_is_made_after_a_decision(self):
        self.account("john", EMAIL)
        self.buy()
        with self.owner():
            self.portal.portal_membership.deleteMembers(["john"])
        self.provision()
        self.assertEqual(self.user_id(), EMAIL)
        self.assertEqual([event.user_id for event in self.created], [EMAIL])
        self.assertEqual(self.created[0].notification.product_id, "1")


class TestAccessEvents(EventTestCase):
    def test_granted_and_revoked(self):
        granted, revoked = self.collect(IAccessGrantedEvent), self.collect(IAccessRevokedEvent)
        self.settings(mapping=["1|premium|30", "1|course"])
        self.settings(mapping=["1|premium|30", "1|course|30"])
        self.buy()
        self.provision()
        (event,) = granted
        self.assertEqual(
            (event.user_id, event.provider, event.product_id, sorted(event.groups)),
            (EMAIL, "click2sell", "1", ["course", "premium"]),
        )
        self.assertEqual(event.until, timestamps.from_iso("2026-06-02T10:20:30+00:00"))
        self.later(days=40)
        self.provision()
        self.provision()
        (event,) = revoked
        self.assertEqual(
            (event.user_id, event.product_id, sorted(event.groups)),
            (EMAIL, "1", ["course", "premium"]),
        )
        self.assertEqual(len(granted), 1)

    def test_not_for_a_privileged_account(self):
        granted = self.collect(IAccessGrantedEvent)
        self.account()
        with self.owner():
            api.user.grant_roles(EMAIL, roles=["Manager"])
        self.buy()
        self.assertEqual(granted, [])


class TestSubscribers(EventTestCase):
    def test_everything_is_there(self):
        seen = []

        def look(event):
            member = api.user.get(userid=event.user_id)
            seen.append((member.getProperty("product_id"), sorted(member.getGroups())))
            seen.append(is_writer())

        self.subscribe(IMemberCreateEvent, look)
        self.buy()
        self.assertEqual(seen, [("1", ["AuthenticatedUsers", "click2sell", "premium"]), False])

    def test_one_that_raises_loses_nothing(self):
        for error in (
            ValueError(EMAIL),
            ConflictError(),
            transaction.interfaces.DoomedTransaction(),
        ):
            with self.subTest(error=error):

                def fail(event, error=error):
                    raise error

                self.subscribe(IMemberCreateEvent, fail)
                email = f"{type(error).__name__.lower()}@example.org"
                with self.assertLogs("niteoweb.click2sell", "ERROR") as logs:
                    result = self.buy(
                        buyer_email=email, acquirer_transaction_id=type(error).__name__
                    )
                self.assertEqual(result, pipeline.Result(Outcome.ACCEPTED))
                self.assertEqual(self.groups(email), ["click2sell", "premium"])
                self.assertNotIn(EMAIL, str(logs.output))
                self.assertIn("MemberCreateEvent", logs.output[0])

    def test_what_it_writes_is_committed(self):
        def write(event):
            self.portal.last_buyer = event.user_id

        self.subscribe(IMemberCreateEvent, write)
        self.buy()
        transaction.abort()
        self.assertEqual(self.portal.last_buyer, EMAIL)

    def test_what_one_that_raises_wrote_is_not(self):
        def write(event):
            self.portal.last_buyer = event.user_id
            raise ValueError

        self.subscribe(IMemberCreateEvent, write)
        self.buy()
        self.assertFalse(hasattr(self.portal.aq_base, "last_buyer"))
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_the_mail_goes_out_all_the_same(self):
        self.settings(welcome_mail="password")
        self.subscribe(IMemberCreateEvent, mock.Mock(side_effect=ValueError))
        with mock.patch("niteoweb.click2sell.mail.delivery.deliver") as deliver:
            self.buy()
        deliver.assert_called_once()

    def test_one_that_puts_the_member_in_a_group(self):
        """The documented example: it counts as done by hand, so a refund leaves it alone."""
        self.group("choir")

        def join(event):
            api.group.add_user(groupname="choir", username=event.user_id)

        self.subscribe(IMemberCreateEvent, join)
        self.buy()
        self.refund()
        self.assertEqual(self.groups(), ["choir", "click2sell"])

    def test_one_that_processes_a_notification_itself(self):
        """The lock is free when events are fired."""

        def buy(event):
            self.buy_again(product_id="2")

        self.subscribe(IMemberCreateEvent, buy)
        self.buy()
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])
