"""Why a buyer has what it has, and what keeps it out."""

from dataclasses import replace
from datetime import timedelta
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.entitlement import mapping
from niteoweb.click2sell.entitlement.period import State
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.explain import groups
from niteoweb.click2sell.explain import obstacles
from niteoweb.click2sell.explain import timeline
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.mail import delivery
from niteoweb.click2sell.mail import messages
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import plan
from niteoweb.click2sell.storage import indexes
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.layers import NOW
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from plone import api
from smtplib import SMTPDataError
from unittest import mock
from zope.i18n import translate

import transaction


class ExplainTestCase(SiteTestCase):
    def explain(self, address=EMAIL):
        return explanation.explain(self.portal, self.buyer(address), self.now)

    def obstacle(self, address=EMAIL):
        """The obstacle to the buyer's access: its code, and the sentence."""
        found = self.explain(address).obstacle
        if found is None:
            return "", ""
        text = obstacles.text(found, lambda at: at.date().isoformat(), translate)
        return found.code, translate(text)

    def log_in(self):
        with self.owner():
            self.member().setMemberProperties({"login_time": "2026/05/04 10:00:00"})

    def standing(self, product_id="1"):
        """State, access and until of a product."""
        (found,) = [s for s in self.explain().standings if s.product_id == product_id]
        until = found.until.date().isoformat() if found.until else None
        return found.state, found.access, until

    def memberships(self):
        """Group -> standing, products, lines, receipts of the first notifications."""
        return {
            found.id: (
                found.standing,
                [
                    (because.product[1], because.line, because.causes[0]["receipt"])
                    for because in found.reasons
                ],
            )
            for found in self.explain().groups
        }

    def happened(self):
        return [(one.what, one.subject) for one in self.explain().timeline]

    def owner_entry(self, kind, **changes):
        """An owner's action, as access.py records it."""
        notification = self.notification(**changes)
        notification = replace(
            notification,
            provider="owner",
            kind=kind,
            payload={"reason": "a friend", "by": "boss"},
        )
        pipeline.process(notification)


class TestStandings(ExplainTestCase):
    def test_states(self):
        self.settings(mapping=["1|premium|30"])
        self.buy(transaction_type="Subscription", subscription_status="New")
        self.assertEqual(self.standing(), (State.ACTIVE, True, "2026-06-02"))
        self.later(days=31)
        self.assertEqual(self.standing(), (State.GRACE, True, "2026-06-02"))
        self.later(days=3)
        self.assertEqual(self.standing(), (State.LAPSED, False, "2026-06-02"))

    def test_refunded(self):
        self.buy()
        self.later(days=1)
        self.refund()
        self.assertEqual(self.standing()[:2], (State.REFUNDED, False))
        (found,) = self.explain().standings
        self.assertEqual([cause["kind"] for cause in found.causes], ["purchase", "refund"])

    def test_access_that_is_held_while_the_provider_is_silent(self):
        self.settings(mapping=["1|premium|30"])
        self.buy(transaction_type="Subscription", subscription_status="New")
        self.later(days=40)
        self.assertEqual(self.standing()[:2], (State.LAPSED, False))
        silent = mock.patch.object(silence, "silent", lambda *_: {"click2sell": NOW})
        with silent:
            self.provision()
            self.assertIn("premium", self.groups())
            self.assertEqual(self.standing()[:2], (State.GRACE, True))


class TestGroups(ExplainTestCase):
    def test_the_chain_that_explains_a_group(self):
        self.settings(mapping=["# a comment", "1|course", "1|premium|"])
        self.buy(c2s_transaction_id="R-123")
        self.assertEqual(
            self.memberships(),
            {
                "click2sell": ("granted", [("*", None, "R-123")]),
                "course": ("granted", [("1", 2, "R-123")]),
                "premium": ("granted", [("1", 3, "R-123")]),
            },
        )

    def test_two_products_give_one_group(self):
        self.settings(mapping=["1|premium", "2|premium"])
        self.buy()
        self.buy_again(2, product_id="2")
        self.assertEqual(
            self.memberships()["premium"], ("granted", [("1", 1, "R-1"), ("2", 2, "R-2")])
        )

    def test_a_line_that_is_gone(self):
        self.buy()
        self.settings(mapping=["2|course"])
        self.assertEqual(self.memberships()["premium"], ("granted", [("1", None, "R-1")]))

    def test_by_hand(self):
        self.buy()
        self.group("vip")
        with self.owner():
            api.group.add_user(groupname="vip", username=EMAIL)
        self.assertEqual(self.memberships()["vip"], ("by hand", []))

    def test_by_hand_what_a_purchase_would_give_too(self):
        self.account()
        with self.owner():
            api.group.add_user(groupname="premium", username=EMAIL)
        self.buy()
        self.assertEqual(self.memberships()["premium"], ("by hand", [("1", 1, "R-1")]))

    def test_taken_missing_and_barred(self):
        self.settings(mapping=["1|premium", "1|absent", "1|admins"])
        self.buy()
        with self.owner():
            api.group.remove_user(groupname="premium", username=EMAIL)
        self.group("admins", roles=("Manager",))
        found = {one.id: (one.standing, one.problem) for one in self.explain().groups}
        self.assertEqual(found["premium"], (groups.TAKEN, ""))
        self.assertEqual(found["absent"], (groups.MISSING, "group missing"))
        self.assertEqual(found["admins"], (groups.BARRED, "group privileged"))

    def test_given_by_the_next_run(self):
        self.settings(mapping=["1|premium", "1|late"])
        self.buy()
        self.group("late")
        self.assertEqual(self.memberships()["late"], ("waiting", [("1", 2, "R-1")]))
        self.provision()
        self.assertEqual(self.memberships()["late"][0], "granted")

    def test_every_buyer(self):
        self.buy()
        (found,) = [g for g in self.explain().groups if g.id == "click2sell"]
        self.assertEqual(found.reasons[0].product, mapping.EVERY_BUYER)


class TestObstacle(ExplainTestCase):
    def test_none(self):
        self.buy()
        self.log_in()
        self.assertEqual(self.obstacle(), ("", ""))

    def test_no_mail(self):
        self.buy()
        self.assertEqual(self.obstacle()[0], "no mail")

    def test_no_purchase(self):
        self.refund()
        self.assertEqual(self.obstacle()[0], "no purchase")

    def test_failed_and_received(self):
        with (
            mock.patch.object(plan, "make", side_effect=RuntimeError()),
            self.assertRaises(pipeline.Failed),
        ):
            pipeline.process(self.notification())
        code, text = self.obstacle()
        self.assertEqual(code, "failed")
        self.assertIn("2026-05-03", text)
        ledger.set_outcome(
            self.portal, ledger.get(self.portal, self.notification().key), "received"
        )
        transaction.commit()
        self.assertEqual(self.obstacle()[0], "received")

    def test_refused(self):
        self.buy()
        self.buy(buyer_email="other@example.org")
        self.assertEqual(self.obstacle("other@example.org")[0], "refused")

    def test_an_account_that_is_not_certain(self):
        self.account("john", login="john")
        self.buy()
        code, text = self.obstacle()
        self.assertEqual(code, "attention")
        self.assertIn("the payment needs your attention. Waits for the buyer to confirm", text)

    def test_a_payment_that_grants_nothing(self):
        self.buy(purchase_date="2026-05-09")
        self.assertEqual(self.obstacle()[0], "attention")

    def test_a_deleted_account(self):
        self.buy()
        self.later(days=1)
        with self.owner():
            self.portal.portal_membership.deleteMembers([EMAIL])
        self.assertEqual(self.obstacle()[0], "account deleted")
        self.assertIn("2026-05-04", self.obstacle()[1])

    def test_a_privileged_account(self):
        self.buy()
        with self.owner():
            self.portal.acl_users.userFolderEditUser(EMAIL, None, ["Manager"], [])
        self.assertEqual(self.obstacle()[0], "account privileged")

    def test_refunded(self):
        self.buy()
        self.later(days=1)
        self.refund(purchase_date="2026-05-04")
        code, text = self.obstacle()
        self.assertEqual(code, "refunded")
        self.assertIn("Test Product was refunded on 2026-05-04", text)

    def test_over_not_renewed_and_cancelled(self):
        self.settings(mapping=["1|premium|30"])
        self.buy()
        self.later(days=60)
        self.assertEqual(self.obstacle()[0], "over")
        self.assertIn("ended on 2026-06-02", self.obstacle()[1])
        self.buy(
            acquirer_transaction_id="T-2",
            purchase_date="2026-07-01",
            transaction_type="Subscription",
            subscription_status="New",
        )
        self.later(days=60)
        self.assertEqual(self.obstacle()[0], "not renewed")
        self.buy(
            acquirer_transaction_id="T-2",
            purchase_date="2026-07-20",
            transaction_type="Subscription",
            subscription_status="Cancel",
        )
        self.assertEqual(self.obstacle()[0], "cancelled")

    def test_no_line(self):
        self.settings(mapping=["2|course"])
        self.buy()
        code, text = self.obstacle()
        self.assertEqual(code, "no line")
        self.assertIn("Test Product", text)

    def test_a_renewal_whose_line_is_gone(self):
        lines = ["1|premium|30", "2|course"]
        self.settings(mapping=lines)
        self.buy(transaction_type="Subscription", subscription_status="New")
        self.settings(mapping=lines[1:])
        self.later(days=29)
        self.buy(
            transaction_type="Subscription",
            subscription_status="Recurring",
            purchase_date="2026-06-01",
        )
        self.later(days=5)
        self.provision()
        self.assertEqual(self.obstacle()[0], "no line")
        self.assertIn("Paid on 2026-06-01", self.obstacle()[1])
        self.log_in()
        self.buy_again(product_id="2")
        self.assertEqual(self.obstacle()[0], "no line")
        self.settings(mapping=lines)
        self.assertEqual(self.obstacle()[0], "group waiting")
        self.assertIn("reconcile all members", self.obstacle()[1])

    def test_another_payment_opened_nothing_beside_access(self):
        self.settings(mapping=["1|premium"])
        self.buy()
        self.log_in()
        self.buy_again(2, product_id="2")
        code, text = self.obstacle()
        self.assertEqual(code, "no line")
        self.assertIn("Test Product is not in the list", text)
        self.settings(mapping=["1|premium", "2|course"])
        self.provision()
        self.assertEqual(self.obstacle(), ("", ""))
        failing = mock.patch.object(plan, "make", side_effect=RuntimeError())
        with failing, self.assertRaises(pipeline.Failed):
            pipeline.process(self.notification(acquirer_transaction_id="T-3", product_id="3"))
        self.assertEqual(self.obstacle()[0], "failed")
        # What was paid for one product does not hide what became of another payment.
        self.later(days=1)
        self.buy_again(4, purchase_date="2026-05-04")
        self.assertEqual(self.obstacle()[0], "failed")

    def test_a_renewal_in_question_while_there_is_access_is_no_obstacle(self):
        self.buy()
        self.log_in()
        self.buy_again(2, purchase_date="2026-05-09")
        self.assertEqual(self.obstacle(), ("", ""))

    def test_groups(self):
        self.settings(mapping=["1|absent"])
        self.buy()
        code, text = self.obstacle()
        self.assertEqual(
            (code, text),
            ("group missing", 'No access yet: the group "absent" does not exist.'),
        )
        self.later(minutes=1)
        # What waits for the group is the latest payment that asks for it.
        self.buy_again()
        (waiting,) = ledger.newest_first(self.portal, outcome=Outcome.ATTENTION)
        self.assertEqual(self.explain().obstacle.key, waiting)
        self.group("absent")
        self.assertEqual(self.obstacle()[0], "group waiting")
        self.assertEqual(self.explain().obstacle.key, waiting)
        self.provision()
        self.log_in()
        self.assertEqual(self.obstacle()[0], "")
        with self.owner():
            api.group.remove_user(groupname="absent", username=EMAIL)
        self.assertEqual(self.obstacle()[0], "group taken")
        # Nothing waits any more: it is the purchase that would give the group.
        self.assertEqual(ledger.get(self.portal, self.explain().obstacle.key)["receipt"], "R-2")

    def test_a_product_that_gives_no_group_any_more(self):
        self.settings(mapping=["1|premium"])
        self.buy()
        self.settings(mapping=[])
        self.provision(follow_mapping=True)
        self.assertEqual(self.obstacle()[0], "no group")

    def test_mail(self):
        self.settings(welcome_mail="link")
        self.buy()
        self.assertEqual(self.obstacle()[0], "mail waiting")
        self.settings(site_address="http://nohost/plone")
        for error, expected, words in (
            (OSError(), "mail server away", "The mail server cannot be reached."),
            (
                SMTPDataError(554, b"no"),
                "mail failing",
                "The mail server refuses the mail. It will be tried again on",
            ),
        ):
            with mock.patch.object(messages, "send", side_effect=error):
                delivery.send_due()
            code, text = self.obstacle()
            self.assertEqual(code, expected)
            self.assertIn(words, text)
        with mock.patch.object(messages, "send"):
            self.later(days=1)
            (mail,) = outbox.due(self.portal, self.now)
            delivery.deliver(mail)
        self.assertEqual(self.obstacle()[0], "never logged in")
        self.log_in()
        self.assertEqual(self.obstacle(), ("", ""))

    def test_every_sentence_is_complete(self):
        for code in obstacles.TEXTS:
            found = obstacles.Obstacle(code, self.now, "premium", reason="future")
            said = translate(obstacles.text(found, str, translate))
            with self.subTest(code):
                self.assertNotIn("$", said)
                self.assertTrue(said.endswith("."), said)


class TestTimeline(ExplainTestCase):
    def test_everything_newest_first(self):
        self.settings(welcome_mail="link", notice_mail=True, site_address="http://nohost/plone")
        with mock.patch.object(messages, "send"):
            self.buy()
        self.later(days=1)
        with self.owner():
            api.group.remove_user(groupname="premium", username=EMAIL)
        self.later(days=1)
        with self.owner():
            api.group.add_user(groupname="premium", username=EMAIL)
        self.later(days=1)
        self.refund(purchase_date="2026-05-06")
        self.later(days=1)
        with self.owner():
            self.portal.portal_membership.deleteMembers([EMAIL])
        happened = self.happened()
        self.assertEqual(
            happened[:4],
            [
                (buyers.DELETED, EMAIL),
                (timeline.NOTIFICATION, "refund"),
                (buyers.GIVEN_BY_HAND, "premium"),
                (buyers.TAKEN_BY_HAND, "premium"),
            ],
        )
        self.assertEqual(
            sorted(happened[4:]),
            sorted(
                [
                    (timeline.SENT, "welcome"),
                    (timeline.FILED, "welcome"),
                    (buyers.GIVEN, "premium"),
                    (buyers.GIVEN, "click2sell"),
                    (buyers.MADE, EMAIL),
                    (timeline.NOTIFICATION, "purchase"),
                ]
            ),
        )

    def test_groups_that_we_take_back(self):
        self.buy()
        self.later(days=1)
        self.refund()
        self.assertEqual(
            self.happened()[:2], [(buyers.ENDED, "premium"), (timeline.NOTIFICATION, "refund")]
        )

    def test_running_again_notes_nothing(self):
        self.buy()
        before = self.happened()
        self.provision()
        self.assertEqual(self.happened(), before)

    def test_a_deleted_group_is_nobodys_decision(self):
        self.buy()
        before = self.happened()
        with self.owner():
            api.group.delete(groupname="premium")
        self.assertEqual(self.happened(), before)

    def test_owners_actions_and_notes(self):
        self.buy()
        self.later(days=1)
        self.owner_entry("purchase", acquirer_transaction_id="T-5", c2s_transaction_id="O-1")
        entry = ledger.get(self.portal, self.notification().key)
        at = self.now + timedelta(days=1)
        ledger.add_note(self.portal, entry, at, "boss", "dismissed", "fine")
        transaction.commit()
        note, action = self.explain().timeline[:2]
        self.assertEqual(
            (note.what, note.subject, note.text, note.by),
            (timeline.NOTE, "dismissed", "fine", "boss"),
        )
        self.assertEqual(
            (action.what, action.text, action.by), (timeline.ACTION, "a friend", "boss")
        )
        # It is nothing that was paid.
        self.assertEqual([one["receipt"] for one in self.explain().purchases], ["R-1"])

    def test_mails_of_others_are_not_shown(self):
        self.settings(welcome_mail="link")
        with mock.patch.object(messages, "send"):
            self.buy()
            self.buy(buyer_email="other@example.org", acquirer_transaction_id="T-2")
        self.assertEqual({one.to for one in self.explain().timeline if one.to}, {EMAIL})

    def test_a_mail_that_fails_and_one_that_is_given_up(self):
        self.settings(welcome_mail="link", site_address="http://nohost/plone")
        with mock.patch.object(messages, "send", side_effect=OSError()):
            self.buy()
        (tried,) = [one for one in self.explain().timeline if one.what == timeline.TRIED]
        self.assertEqual((tried.text, tried.attempts), ("OSError", 1))
        with self.owner():
            self.portal.portal_membership.deleteMembers([EMAIL])
        (dropped,) = [one for one in self.explain().timeline if one.what == timeline.DROPPED]
        self.assertEqual(dropped.text, "the member was deleted")
        self.assertEqual(outbox.due(self.portal, self.now + timedelta(days=9)), [])

    def test_a_log_has_an_end(self):
        self.buy()
        record = self.buyer()
        for number in range(buyers.LOGGED + 10):
            buyers.note(self.portal, record, buyers.GIVEN, str(number), self.now)
        self.assertEqual(len(record["log"]), buyers.LOGGED)
        self.assertEqual(record["log"][-1][2], str(buyers.LOGGED + 9))

    def test_purchases(self):
        self.buy()
        self.later(days=1)
        self.refund(purchase_date="2026-05-04")
        self.buy(buyer_email="other@example.org")
        found = [
            tuple(one[name] for name in ("kind", "amount", "currency", "receipt"))
            for one in self.explain().purchases
        ]
        self.assertEqual(
            found, [("refund", "9.90", "EUR", "R-1"), ("purchase", "9.90", "EUR", "R-1")]
        )
        # What was refused names an address that need not be the buyer's own.
        self.assertEqual(self.explain("other@example.org").purchases, ())


class TestMails(ExplainTestCase):
    def test_only_the_mails_of_the_member_are_given_up(self):
        self.settings(welcome_mail="link")
        with mock.patch.object(messages, "send", side_effect=OSError()):
            self.buy()
            self.buy(buyer_email="other@example.org", acquirer_transaction_id="T-2")
        transaction.begin()
        outbox.drop_all(self.portal, EMAIL, "why")
        states = {m["user_id"]: m["state"] for m in self.mails()}
        self.assertEqual(states, {EMAIL: outbox.DROPPED, "other@example.org": outbox.DUE})

    def mails(self):
        return [
            *outbox.of_user(self.portal, EMAIL),
            *outbox.of_user(self.portal, "other@example.org"),
        ]

    def test_a_mail_is_filed_once_where_the_address_is_the_user_id(self):
        self.settings(welcome_mail="link")
        with mock.patch.object(messages, "send"):
            self.buy()
        index = trees.tree(self.portal, "mails_by_user")
        self.assertEqual(len(index), 0)
        self.assertEqual([mail["to"] for mail in self.mails()], [EMAIL])
        # As it was filed before.
        (mail,) = self.mails()
        index.insert((EMAIL, mail["id"]))
        self.assertEqual(len(self.mails()), 1)
        self.assertEqual(indexes.rebuild(self.portal)["mails"], 1)
        self.assertEqual(len(index), 0)

    def test_a_mail_of_somebody_else_to_the_address_that_is_the_user_id(self):
        now = self.now
        for user_id in ("jane", EMAIL):
            outbox.file(self.portal, outbox.NOTICE, user_id, EMAIL, "", now, "example.com")
        found = outbox.of_user(self.portal, EMAIL)
        self.assertEqual([mail["user_id"] for mail in found], [EMAIL])

    def test_the_index_can_be_made_anew(self):
        self.registry(use_email_as_login=True)
        self.settings(welcome_mail="link")
        with mock.patch.object(messages, "send"):
            self.buy()
        index = trees.tree(self.portal, "mails_by_user")
        before = list(index)
        index.clear()
        self.assertEqual(outbox.of_user(self.portal, "john-smith"), [])
        self.assertEqual(indexes.rebuild(self.portal)["mails"], 1)
        self.assertEqual(list(index), before)
        self.assertEqual(len(outbox.of_user(self.portal, "john-smith")), 1)
