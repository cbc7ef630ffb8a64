"""``click2sell-plenigo-push``, with a plenigo that is not real."""

from niteoweb.click2sell.providers.plenigo import bringing
from niteoweb.click2sell.providers.plenigo import orderfile
from niteoweb.click2sell.providers.plenigo import push
from niteoweb.click2sell.providers.plenigo.fake import imports
from niteoweb.click2sell.tests.cases.commands import CommandTestCase
from niteoweb.click2sell.tests.cases.providers import JANE
from niteoweb.click2sell.tests.cases.providers import PlenigoTestCase
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import csv
import io
import json
import unittest


OFFER = "O_OFFER0000000000001"
IBAN = "DE65500105173367173799"
STEPS = '[{"startDate": "2020-10-10", "openDeliveries": 0}, {"startDate": "2023-10-10"}]'

CHARGED = {
    "external_id": "M-1",
    "offer": OFFER,
    "kind": "plenigo",
    "email": "kitty@example.org",
    "first_name": "Kitty",
    "last_name": "Miller",
    "country": "DE",
    "city": "Berlin",
    "payment_method": "BANK_ACCOUNT",
    "iban": "DE65 5001 0517 3367 1737 99",
    "account_owner": "Kitty Miller",
    "mandate_id": "M",
    "mandate_date": "2022-10-10",
    "start_date": "2020-10-10",
    "next_booking_date": "2027-10-10T00:00:00Z",
}
EXTERNAL = {
    "external_id": "S-1",
    "offer": OFFER,
    "kind": "external",
    "payment_method": "BILLING",
    "email": JANE,
    "start_date": "2024-01-01",
}
ISSUES = {
    "external_id": "I-1",
    "offer": OFFER,
    "kind": "issue",
    "payment_method": "BILLING",
    "pseudo_email": "yes",
    "external_customer_id": "C-9",
    "issue_steps": STEPS,
}


def file_of(*rows):
    written = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(written, names)
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()


class TestFile(unittest.TestCase):
    def mistake(self, row, **values):
        orders, mistakes = orderfile.read(file_of({**row, **values}))
        self.assertEqual([len(orders), len(mistakes)], [0, 1], values)
        return mistakes[0].column, mistakes[0].why

    def test_what_is_sent(self):
        (charged, external, issues), mistakes = orderfile.read(
            file_of(CHARGED, EXTERNAL, ISSUES)
        )
        self.assertEqual(mistakes, [])
        self.assertEqual(
            charged.item("7", paymentMethodId=3),
            {
                "externalSystemId": "M-1",
                "plenigoOfferId": OFFER,
                "invoiceCustomerId": "7",
                "deliveryCustomerId": "7",
                "quantity": 1,
                "paymentMethod": "BANK_ACCOUNT",
                "paymentMethodId": 3,
                "startDate": "2020-10-10T00:00:00Z",
                "nextBookingDate": "2027-10-10T00:00:00Z",
            },
        )
        self.assertNotIn("endDate", external.item("7"))
        self.assertIsNone(external.item("7", restarts=True)["endDate"])
        item = issues.item("7")
        self.assertEqual(
            (item["issueBased"], item["startDate"]), (True, "2020-10-10T00:00:00Z")
        )
        self.assertEqual(item["issueSteps"][0]["openDeliveries"], 0)

    def test_mistakes(self):
        missing, wrong = orderfile.MISSING, orderfile.WRONG
        for row, values, column, why in (
            (CHARGED, {"external_id": ""}, "external_id", missing),
            (CHARGED, {"offer": "O_1"}, "offer", wrong),
            (CHARGED, {"kind": "x"}, "kind", wrong),
            (CHARGED, {"email": ""}, "email", missing),
            (CHARGED, {"email": "x"}, "email", wrong),
            (CHARGED, {"iban": IBAN[:-1] + "8"}, "iban", wrong),
            (CHARGED, {"iban": "DE1"}, "iban", wrong),
            (CHARGED, {"iban": ""}, "iban", missing),
            (CHARGED, {"account_owner": "x" * 31}, "account_owner", wrong),
            (CHARGED, {"account_owner": ""}, "account_owner", missing),
            (CHARGED, {"payment_method": "ZERO"}, "payment_method", wrong),
            (CHARGED, {"mandate_date": "2022-10-10T00:00"}, "mandate_date", wrong),
            (CHARGED, {"start_date": ""}, "start_date", missing),
            (CHARGED, {"start_date": "10.10.2020"}, "start_date", wrong),
            (CHARGED, {"start_date": "2020-10-10T10:00"}, "start_date", wrong),
            (CHARGED, {"start_date": "0001-01-01"}, "start_date", wrong),
            (CHARGED, {"end_date": "2019-01-01"}, "end_date", wrong),
            (CHARGED, {"next_booking_date": "2019-01-01"}, "next_booking_date", wrong),
            (CHARGED, {"issue_steps": STEPS}, "issue_steps", wrong),
            (CHARGED, {"country": ""}, "country", missing),
            (CHARGED, {"last_name": ""}, "last_name", missing),
            (CHARGED, {"quantity": "0"}, "quantity", wrong),
            (CHARGED, {"discount": "101"}, "discount", wrong),
            (EXTERNAL, {"issue_steps": STEPS}, "issue_steps", wrong),
            (EXTERNAL, {"payment_method": "ZERO"}, "payment_method", wrong),
            (EXTERNAL, {"next_booking_date": "2027-01-01"}, "next_booking_date", wrong),
            (ISSUES, {"issue_steps": ""}, "issue_steps", missing),
            (ISSUES, {"issue_steps": "[{}]"}, "issue_steps", wrong),
            (ISSUES, {"issue_steps": "{{}}"}, "issue_steps", wrong),
            (
                ISSUES,
                {"issue_steps": '[{"startDate": "2020-01-01", "x": 1}]'},
                "issue_steps",
                wrong,
            ),
            (
                ISSUES,
                {"issue_steps": '[{"startDate": "2020-01-01", "openDeliveries": -1}]'},
                "issue_steps",
                wrong,
            ),
            (ISSUES, {"external_customer_id": ""}, "external_customer_id", missing),
            (ISSUES, {"email": JANE}, "email", wrong),
        ):
            with self.subTest(values):
                self.assertEqual(self.mistake(row, **values), (column, why))

    def test_twice_blank_and_too_many_cells(self):
        text = file_of(CHARGED, EXTERNAL)
        again = text.splitlines()[1]
        orders, mistakes = orderfile.read(f"{text}\n,,,\n{again}\n{again},x\n")
        self.assertEqual(len(orders), 2)
        self.assertEqual([one.why for one in mistakes], [orderfile.TWICE] * 2)

    def test_separators_and_options(self):
        row = {**EXTERNAL, "discount": "10", "bonus_ids": "BO_A BO_B", "quantity": "2"}
        text = file_of(row).replace(",", ";")
        (order,), mistakes = orderfile.read(text)
        self.assertEqual(mistakes, [])
        item = order.item("7")
        self.assertEqual(item["plenigoBonusIds"], ["BO_A", "BO_B"])
        self.assertEqual((item["discountPercentage"], item["quantity"]), (10, 2))

    def test_files_that_cannot_be_read(self):
        for text in ("", "external_id,offer", file_of({**EXTERNAL, "colour": "red"})):
            with self.assertRaises(orderfile.FileError):
                orderfile.read(text)
        head, line = file_of(EXTERNAL).splitlines()
        for text in (f"{head},kind\n{line},x", f'{head}\n"{line}'):
            with self.assertRaises(orderfile.FileError):
                orderfile.read(text)


class TestPush(PlenigoTestCase, CommandTestCase):
    def setUp(self):
        super().setUp()
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name, "orders.csv")
        self.write(CHARGED, EXTERNAL, ISSUES)
        self.enterContext(mock.patch.object(bringing, "PAUSE", 0))
        self.enterContext(mock.patch.object(bringing, "LOOKS", 3))
        self.fake.callbacks.pending.clear()

    def write(self, *rows):
        self.path.write_text(file_of(*rows), "utf-8")

    def push(self, *options, status=0):
        self.fake.asked.clear()
        told = self.call(push.main, str(self.path), *options, status=status)
        for secret in (IBAN, CHARGED["iban"]):
            self.assertNotIn(secret, told + self.complaints.getvalue())
        return told

    def sent(self):
        return [name for name, _value in self.fake.asked]

    def items(self):
        return [
            item
            for name, value in self.fake.asked
            if name == "orders"
            for item in value["items"]
        ]

    def test_a_preview_only_asks(self):
        told = self.push()
        self.assertIn("Line 2: M-1: new\nLine 3: S-1: new\nLine 4: I-1: new\nnew: 3\n", told)
        self.assertIn("Nothing was done. --apply does it.", told)
        self.assertEqual({one.method for one in self.fake.requests}, {"GET"})

    def test_all_of_it_once(self):
        self.assertIn("new: 3\n", self.push("--apply"))
        made = ["customers", "addresses", "bankAccounts", "customers", "orders"]
        self.assertEqual(self.sent(), made)
        sent = dict(self.fake.asked[:1] + self.fake.asked[1:3])
        self.assertEqual(sent["customers"]["email"], "kitty@example.org")
        self.assertEqual(sent["customers"]["language"], "en")
        self.assertEqual(
            sent["bankAccounts"],
            {
                "customerId": self.fake.addresses[0]["customerId"],
                "owner": "Kitty Miller",
                "iban": IBAN,
                "mandateId": "M",
                "mandateDate": "2022-10-10",
            },
        )
        value = self.fake.asked[-1][1]
        self.assertEqual((value["purchase"], value["suppressMail"]), (False, True))
        charged, external, issues = value["items"]
        self.assertEqual((charged["paymentMethodId"], charged["deliveryAddressId"]), (1, 1))
        self.assertEqual(external["invoiceCustomerId"], self.jane)
        self.assertTrue(issues["issueBased"])
        pseudo = self.fake.customers[issues["invoiceCustomerId"]]
        self.assertEqual((pseudo["pseudoEmail"], pseudo["externalSystemId"]), (True, "C-9"))
        self.assertIn("done: 2, same: 1\n", self.push("--apply"))
        self.assertEqual(self.sent(), [])

    def test_customers_addresses_and_accounts_that_are_there(self):
        self.push("--apply")
        self.write({**CHARGED, "external_id": "M-2"}, {**ISSUES, "external_id": "I-2"})
        self.assertIn("new: 2\n", self.push("--apply"))
        self.assertEqual(self.sent(), ["orders"])
        self.write({**CHARGED, "external_id": "M-3", "city": "Bonn", "customer_id": self.jane})
        self.push("--apply")
        self.assertEqual(self.sent(), ["addresses", "bankAccounts", "orders"])
        self.assertTrue(self.fake.asked[0][1]["preferred"])
        self.write({**CHARGED, "external_id": "M-4", "city": "Bonn"})
        self.push("--apply")
        self.assertFalse(self.fake.asked[0][1]["preferred"])

    def test_an_external_order_ends_and_goes_on(self):
        self.write(EXTERNAL)
        self.push("--apply")
        end = {"end_date": "2027-03-31"}
        for row, what in ((EXTERNAL | end, "ended"), (EXTERNAL, "restarted")):
            with self.subTest(what):
                self.write(row)
                self.assertIn(f"S-1: {what}\n", self.push())
                self.assertIn(f"S-1: {what}\n", self.push("--apply"))
                (item,) = self.items()
                self.assertEqual(self.sent(), ["orders"])
                ends = "2027-03-31T00:00:00Z" if what == "ended" else None
                self.assertEqual(item.get("endDate", "none"), ends)
                self.assertIn("S-1: same\n", self.push("--apply"))
                self.assertEqual(self.sent(), [])

    def test_mistakes_stop_it(self):
        self.write(CHARGED, {**EXTERNAL, "issue_steps": STEPS})
        told = self.push("--apply", status=1)
        self.assertIn("Line 3: issue_steps is not possible here\n", told)
        self.assertIn("Nothing was done. Put these lines right first.", told)
        self.assertEqual(self.sent(), [])
        self.write({"offer": "x"})
        self.assertEqual(self.push(status=2), "")
        self.assertIn("Missing: external_id", self.complaints.getvalue())
        self.path.write_bytes(b"\xff")
        self.push(status=2)

    def test_it_waits(self):
        self.fake.imports_wait = True
        self.assertIn("waiting: 3", self.push("--apply", status=1))
        self.fake.run_imports()
        self.assertIn("done: 2, same: 1\n", self.push("--apply"))

    def test_what_plenigo_refuses(self):
        self.fake.import_error = "97005"
        self.assertIn("M-1: rejected (97005)\n", self.push("--apply", status=1))
        self.fake.import_error = f"{JANE} is too young"
        self.later(hours=1)
        self.fake.clock.move(hours=1)
        told = self.push("--apply", status=1)
        self.assertIn("M-1: rejected\n", told)
        self.fake.import_error = ""
        self.later(hours=1)
        self.fake.clock.move(hours=1)
        self.fake.import_code = 97005
        self.assertIn("S-1: rejected (97005)\n", self.push("--apply", status=1))
        # All together, then each alone.
        self.assertEqual(self.sent(), ["orders"] * 4)
        self.fake.import_code = bringing.QUEUE_FULL
        self.push("--apply", status=1)
        self.assertIn("too many imports wait there", self.complaints.getvalue())
        self.fake.import_code = bringing.IMPORTED_ALREADY
        self.assertIn("waiting: 3", self.push("--apply", status=1))
        self.fake.import_code = 0
        self.write({**CHARGED, "external_id": "M-8", "email": JANE}, EXTERNAL)
        with mock.patch.object(imports, "LONGEST_OWNER", 5):
            told = self.push("--apply", status=1)
        self.assertIn("M-8: rejected (99400)\nLine 3: S-1: new\n", told)

    def test_interrupted(self):
        answer = self.fake.answer

        def lost(request):
            reply = answer(request)
            is_order = request.path == ("imports", "orders")
            return self.fake.error(500) if is_order else reply

        with mock.patch.object(self.fake, "answer", lost):
            self.assertIn("waiting: 3", self.push("--apply", status=1))
        self.assertIn("Call it again", self.complaints.getvalue())
        self.assertIn("done: 2, same: 1\n", self.push("--apply"))
        self.assertEqual(self.sent(), [])

    def test_more_than_one_import(self):
        rows = [{**EXTERNAL, "external_id": f"S-{number}"} for number in range(5)]
        self.write(*rows)
        with mock.patch.object(bringing, "MOST", 2):
            self.assertIn("new: 5\n", self.push("--apply"))
        imports_ = [len(value["items"]) for name, value in self.fake.asked if name == "orders"]
        self.assertEqual(imports_, [2, 2, 1])
        self.assertIn("same: 5\n", self.push("--apply"))

    def test_json_and_what_is_not_set_up(self):
        told = json.loads(self.push("--json"))
        self.assertEqual((told["dry_run"], told["counted"]), (True, {"new": 3}))
        line = {"line": 2, "id": "M-1", "what": "new", "why": None}
        self.assertEqual(told["lines"][0], line)
        self.set(api_url="https://api.plenigo.example/api/v3.0", api_token="t")
        with mock.patch.dict("os.environ", {"CLICK2SELL_STAGING": "1"}):
            self.push("--apply", status=1)
        self.assertIn("copy of the site", self.complaints.getvalue())
        self.set(enabled=False)
        self.push(status=1)

    def test_a_customer_who_is_there_twice(self):
        self.fake.add_customer(JANE)
        self.write(EXTERNAL)
        self.assertIn("S-1: rejected (409)", self.push("--apply", status=1))
