"""``click2sell-plenigo-pull``, with a plenigo that is not real."""

from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.providers.plenigo import pull
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.testing import Response
from niteoweb.click2sell.tests.cases.commands import CommandTestCase
from niteoweb.click2sell.tests.cases.providers import JANE
from niteoweb.click2sell.tests.cases.providers import PlenigoTestCase
from unittest import mock

import json


JOE = "joe@example.org"


class TestPull(PlenigoTestCase, CommandTestCase):
    def setUp(self):
        super().setUp()
        self.joe = self.fake.add_customer(JOE)
        self.fake.subscribe(self.jane, "gold")
        self.fake.order(self.joe, "P_7", access_right="right-2")
        self.fake.callbacks.pending.clear()

    def pull(self, *options, status=0):
        self.portal._p_jar.sync()
        return self.call(pull.main, *options, status=status)

    def questions(self, name):
        return [one for one in self.fake.requests if one.path[-1] == name]

    def mails(self):
        return list(trees.tree(self.portal, "mails"))

    def test_a_preview_changes_nothing(self):
        before = self.dump()
        told = self.pull()
        self.assertIn(f"1: {JANE}, product gold: new, groups premium, click2sell\n", told)
        self.assertIn(f"order 1/0: {JOE}, product P_7: new, groups course, click2sell\n", told)
        self.assertIn("new: 2, passed over: 0\nNothing was done. --apply does it.\n", told)
        self.assertEqual(self.dump(), before)
        self.assertEqual(self.pull("--dry-run"), told)

    def test_they_become_buyers_once(self):
        self.fake.subscribe_in_store(self.jane, "right-2", 30)
        told = self.pull("--apply")
        self.assertIn("known: 1, new: 2, passed over: 0\n0 mails filed.\n", told)
        self.assertEqual(self.groups(JANE), ["click2sell", "course", "premium"])
        self.assertEqual(self.groups(JOE), ["click2sell", "course"])
        self.assertEqual(self.mails(), [])
        entries = ledger.count(self.portal)
        asked = len(self.questions(self.jane))
        self.assertIn("passed over: 3\n", self.pull("--apply"))
        self.assertEqual(ledger.count(self.portal), entries)
        self.assertEqual(len(self.questions(self.jane)), asked)

    def test_what_was_delivered_is_known(self):
        self.fake.change_address(self.jane, JANE)
        number = self.fake.subscribe(self.jane, "silver")
        self.deliver()
        self.assertIn("known: 1, new: 1, passed over: 1", self.pull())
        self.fake.end(number)
        self.fake.callbacks.pending.clear()
        self.assertIn(f"{number}: {JANE}, product silver: known", self.pull("--apply"))

    def test_who_waits_for_no_place_and_who_has_none(self):
        self.settings(new_accounts_an_hour=1)
        blocked = self.fake.add_customer("blocked@example.org")
        self.fake.subscribe(blocked, "gold")
        self.fake.change_status(blocked, "BLOCKED")
        pseudo = self.fake.add_customer("x@plenigo-mail.com")
        self.fake.subscribe(pseudo, "gold")
        old = self.fake.subscribe(self.fake.add_customer("old@example.org"), "gold")
        self.fake.end(old)
        self.fake.subscribe(self.joe, "gold", quantity=3)
        kept_out = "blocked@example.org, product gold: new (plenigo keeps this customer out)\n"
        self.assertIn(kept_out, self.pull(status=1))
        told = self.pull("--apply", status=1)
        self.assertIn(kept_out, told)
        self.assertEqual(self.groups("blocked@example.org"), ["click2sell"])
        self.assertIn("3: left out (no address)\n", told)
        self.assertIn("attention: 1", told)
        self.assertIn("new: 3, passed over: 1\n", told)
        self.assertIsNone(self.member("old@example.org"))

    def test_pages_and_an_error_on_the_second(self):
        for number in range(104):
            customer = self.fake.add_customer(f"reader{number}@example.org")
            self.fake.subscribe(customer, "gold")
        answer = self.fake.answer

        def broken(request):
            is_second = request.path == ("subscriptions",) and "startingAfter" in request.query
            return self.fake.error(500) if is_second else answer(request)

        with mock.patch.object(self.fake, "answer", broken):
            self.assertIn("new: 100, passed over: 0\n", self.pull(status=1))
            told = self.pull("--apply", status=1)
        self.assertIn("new: 100, passed over: 0\n", told)
        told = self.complaints.getvalue()
        self.assertIn("100 taken in\nNot finished: plenigo cannot be asked: status 500.", told)
        self.fake.requests.clear()
        self.assertIn("new: 6, passed over: 100\n", self.pull("--apply"))
        after = [one.query.get("startingAfter") for one in self.questions("subscriptions")]
        self.assertEqual(after[:3], [None, "100", "105"])
        self.assertEqual(self.groups("reader103@example.org"), ["click2sell", "premium"])

    def test_what_cannot_be_read(self):
        answer = self.fake.answer

        def with_one_more(request):
            response = answer(request)
            if request.path == ("orders",) and "startingAfter" not in request.query:
                items = [*response.value["items"], {"orderId": "77", "items": "none"}]
                return Response(200, {"items": items})
            return response

        with mock.patch.object(self.fake, "answer", with_one_more):
            self.assertIn("77: attention\n", self.pull())
            self.assertIn("attention: 1, new: 2, passed over: 0\n", self.pull("--apply"))
            self.assertIn("passed over: 3\n", self.pull("--apply"))
        self.assertEqual(self.reasons(), [("needs attention", "parameter")])

    def test_since(self):
        self.later(days=3)
        self.fake.clock.move(days=3)
        number = self.fake.subscribe(self.joe, "silver")
        day = self.now.date().isoformat()
        self.assertIn(f"{number}: {JOE}, product silver: new", self.pull("--since", day))
        self.assertIn("new: 1, passed over: 0", self.pull("--since", day))
        with self.assertRaises(SystemExit):
            self.pull("--since", "tomorrow")

    def test_mails_when_asked_for(self):
        self.settings(welcome_mail="link")
        self.assertIn("2 mails filed", self.pull("--apply", "--mails-per-hour", "1"))
        first, second = sorted(outbox.get(self.portal, id_)["due_at"] for id_ in self.mails())
        self.assertNotEqual(first[:13], second[:13])

    def test_json_and_trouble(self):
        told = json.loads(self.pull("--json"))
        self.assertEqual(
            (told["dry_run"], told["counted"], told["error"]), (True, {"new": 2}, None)
        )
        self.assertEqual(told["lines"][0]["groups"], ["premium", "click2sell"])
        with mock.patch.object(action, "carry_out", side_effect=RuntimeError):
            told = self.pull("--apply", status=1)
        self.assertIn("left out: 2, passed over: 0", told)
        with mock.patch.object(action, "carry_out", side_effect=transactions.Busy):
            self.pull("--apply", status=1)
        self.assertIn("another process was at the data", self.complaints.getvalue())
        self.set(api_token="wrong")
        self.pull(status=1)
        self.assertIn("token not accepted", self.complaints.getvalue())
        self.set(enabled=False)
        self.assertIn("switched off", self.refused(pull.main))
