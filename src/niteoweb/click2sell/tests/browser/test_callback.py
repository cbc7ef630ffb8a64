"""The callback over real HTTP: what a genuine delivery leads to, and what it leaves behind."""

from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.tests.cases import deliveries
from niteoweb.click2sell.tests.cases.callback import CallbackTestCase
from niteoweb.click2sell.tests.cases.callback import PARSED
from unittest import mock

import transaction


REFUSED = "POST refused: the transaction belongs to another buyer or product."


class TestAccepted(CallbackTestCase):
    def test_accepted(self):
        self.assert_answer(self.sell(), 200, PARSED)
        member = self.member()
        self.assertEqual(member.getProperty("product_name"), "Test Product")
        self.assertIn("click2sell", member.getGroups())
        (entry,) = self.entries()
        self.assertEqual((entry["outcome"], entry["error"]), (Outcome.ACCEPTED, ""))
        self.assertEqual((entry["attempts"], entry["kind"]), (1, "purchase"))
        self.assertEqual((entry["amount"], entry["currency"]), ("9.90", "EUR"))
        expected = deliveries.fields()
        checksum = expected.pop("checksum")
        self.assertEqual(dict(entry["payload"]), expected)
        self.assertNotIn(checksum, repr(entry))
        self.assertNotIn(deliveries.SECRET_KEY, repr(entry))

    def test_delivered_before(self):
        self.assert_answer(self.sell(), 200, PARSED)
        before, (entry,) = self.members(), self.entries()
        self.portal.portal_membership.getMemberById("john@example.org").setMemberProperties(
            {"product_name": "Changed by hand"}
        )
        transaction.commit()
        for _ in range(2):
            # A repeat that says something else besides is still the same notification.
            self.assert_answer(self.sell(product_name="Other", cp_a="b"), 200, PARSED)
        self.assertEqual(self.members(), before)
        self.assertEqual(self.entries(), [entry])
        self.assertEqual(self.member().getProperty("product_name"), "Changed by hand")

    def test_nothing_to_grant(self):
        self.assert_answer(self.sell(payment_status="Failed"), 200, PARSED)
        self.assert_outcomes((Outcome.NOTHING, ""))
        self.assertIsNone(self.member())

    def test_a_person_must_decide(self):
        self.assert_answer(self.sell(transaction_type="Chargeback"), 200, PARSED)
        self.assert_outcomes((Outcome.ATTENTION, "unknown kind"))
        self.assertIsNone(self.member())

    def test_a_time_in_the_future_needs_a_person(self):
        plone_site.settings().mapping = ["1|Reviewers|30"]
        transaction.commit()
        changes = {"purchase_date": "9999-12-31", "purchase_time": "23:59:59"}
        self.assert_answer(self.sell(**changes), 200, PARSED)
        self.assert_outcomes((Outcome.ATTENTION, "future"))
        # It does not stand in the way of the next purchase either.
        self.assert_answer(self.sell(acquirer_transaction_id="T-2"), 200, PARSED)
        self.assertEqual(self.entries()[1]["outcome"], Outcome.ACCEPTED)

    def test_a_name_in_windows_1252(self):
        body = deliveries.body(buyer_name=None) + b"&buyer_name=J%F6rg"
        self.assert_answer(self.post(body), 200, PARSED)
        self.assertEqual(self.member().getProperty("fullname"), "Jörg Smith")


class TestRefused(CallbackTestCase):
    def test_another_buyer(self):
        self.sell()
        jane = {"buyer_email": "jane@example.org"}
        for _ in range(2):
            self.assert_answer(self.sell(**jane), 409, REFUSED)
        self.assert_outcomes(
            (Outcome.ACCEPTED, ""), (Outcome.REFUSED, "another buyer or product")
        )
        self.assertIsNone(self.member("jane@example.org"))
        transaction.begin()
        self.assertEqual(buyers.of_address(self.portal, "jane@example.org")["user_id"], "")

    def test_another_product(self):
        self.sell()
        self.assert_answer(self.sell(product_id="2"), 409, REFUSED)
        self.assertEqual(self.entries()[1]["outcome"], Outcome.REFUSED)
        self.assertEqual(self.member().getProperty("product_id"), "1")

    def test_a_refund_in_another_name(self):
        self.sell()
        answer = self.sell(buyer_email="jane@example.org", transaction_type="Refund")
        self.assert_answer(answer, 409, REFUSED)

    def test_a_captured_checksum_is_good_for_a_hundred_entries(self):
        with mock.patch.object(ownership, "REFUSED_PER_TRANSACTION", 2):
            self.sell()
            for number in (1, 2):
                self.assertEqual(self.sell(product_id=f"x{number}").status_code, 409)
            many = "POST refused: there are too many notifications of this transaction."
            for number in (3, 4):
                self.assert_answer(self.sell(product_id=f"x{number}"), 409, many)
            self.assert_answer(self.sell(purchase_date="never"), 409, many)
            # What is known already is answered as before.
            self.assert_answer(self.sell(), 200, PARSED)
            self.assert_answer(self.sell(product_id="x1"), 409, REFUSED)
        self.assertEqual(self.recorded(), 3)

    def test_more_of_them_are_counted(self):
        with mock.patch.object(ownership, "ENTRIES_PER_TRANSACTION", 1):
            for number in range(3):
                self.sell(c2s_transaction_id=f"R-{number}")
        self.assertEqual(self.recorded(), 1)
        counts = ownership.tally(self.portal, ("click2sell", "T-1"))[1:]
        self.assertEqual(counts, (1, 2, 0))

    def test_those_of_others_do_not_use_up_the_places_of_the_buyer(self):
        self.sell()
        for number in range(ownership.REFUSED_PER_TRANSACTION + 5):
            self.sell(buyer_email=f"thief{number}@example.org")
        self.assert_answer(self.sell(transaction_type="Refund"), 200, PARSED)
        self.assertEqual(self.recorded(), 2 + ownership.REFUSED_PER_TRANSACTION)
        counts = ownership.tally(self.portal, ("click2sell", "T-1"))[1:]
        self.assertEqual(counts, (2, 5, ownership.REFUSED_PER_TRANSACTION))


class TestBroken(CallbackTestCase):
    def test_it_is_kept_for_a_person_once(self):
        for _ in range(2):
            answer = self.sell(purchase_date="2026-02-30", buyer_name="Žiga")
            self.assert_answer(answer, 400, "POST parameter invalid: 'purchase_date'")
        (entry,) = self.entries()
        self.assertEqual((entry["outcome"], entry["reason"]), (Outcome.ATTENTION, "parameter"))
        self.assertEqual((entry["subject"], entry["transaction"]), ("purchase_date", "T-1"))
        payload = dict(entry["payload"])
        self.assertEqual(
            (payload["purchase_date"], payload["buyer_name"]), ("2026-02-30", "Žiga")
        )
        self.assertNotIn("checksum", payload)
        self.assertIsNone(self.member())

    def test_another_broken_body_is_another_entry(self):
        self.sell(product_id=None)
        self.sell(product_id="")
        self.assertEqual(self.recorded(), 2)

    def test_it_does_not_take_the_transaction(self):
        self.sell(buyer_email="nonsense")
        self.assert_answer(self.sell(), 200, PARSED)
        self.assertIsNotNone(self.member())
