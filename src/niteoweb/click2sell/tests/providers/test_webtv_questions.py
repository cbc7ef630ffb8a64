"""What the store asks its payment processor: the vendor's vectors, and its protocol's holes."""

from datetime import datetime
from datetime import timezone
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.notification import SecretKeyNotSet
from niteoweb.click2sell.notification import WrongSignature
from niteoweb.click2sell.providers.webtv import questions
from types import SimpleNamespace
from urllib.parse import parse_qs
from urllib.parse import urlencode
from urllib.parse import urlsplit

import unittest


NOW = datetime(2026, 5, 3, 12, tzinfo=timezone.utc)
FIRST = str(int(NOW.timestamp()) + 30 * 86400)
KEY = "secret"
ORDER = {
    "id_gateway": "3",
    "id_order": "319",
    "amount": "10.50",
    "currency_code": "EUR",
    "order_number": "WS/000319",
}
PAY = "https://pay.example.org/{id}?a={amount}&back={back}"


def settings(*lines, key=KEY, previous=None):
    return SimpleNamespace(secretkey=key, previous_secretkey=previous, pay_urls=list(lines))


def order(key=KEY, **changes):
    values = {**ORDER, **changes}
    return urlencode({**values, "signature": questions.sign_values(key, **values)})


def item(signature, **changes):
    values = {
        "rp_0_sku": "X",
        "rp_0_amount": "12.00",
        "rp_0_period": "MONTH",
        "rp_0_period_frequency": "1",
        "rp_0_first_payment_date": FIRST,
        **{f"rp_0_{name}": value for name, value in changes.items()},
    }
    return f"{order()}&{urlencode({**values, 'rp_0_signature': signature})}"


class TestVectors(unittest.TestCase):
    def test_those_of_the_vendors_sample(self):
        sign = questions.sign_values
        for found, expected in (
            (sign(KEY, **ORDER), "b/WwUprH4kGUa6Iy0zTe4HZD6QHoAK1YUehxld3HJw8="),
            (
                questions.sign_item(KEY, "SUB-12", "10.00", "1", "MONTH"),
                "oTAghVl0YlXjUsABK37DwPy2WDwimq1RFX2hZGmm8RE=",
            ),
            (
                sign(
                    KEY, id_gateway="3", id_order="319", status="SUCCESS", id_transaction="T-1"
                ),
                "PbMMQ0+wr/Aez5Toth2+kRBgCTgvbe1WuAiWaDzuGmQ=",
            ),
            (
                questions.sign_profile(KEY, "p1", "Active"),
                "pVtsusvD9mblbD/eVf5Hq8s/NWsBRyvtQHWs6A6lFI0=",
            ),
            (
                sign(KEY, action="rp_status", profile_id="p1"),
                "DaaQ7lOCXzQHXnWkIB5ynljG/mQqf9/b7e0MZC4iTqA=",
            ),
            (
                sign(KEY, action="rp_cancel", profile_id="p1"),
                "rnwewyAHNj+EX7aOJq+Qggv1MJz8HrbrE5FGUGW9ZHE=",
            ),
        ):
            self.assertEqual(found, expected)


class TestRead(unittest.TestCase):
    def read(self, query, *lines, **keys):
        return questions.read(query, settings(*(lines or (f"*|{PAY}",)), **keys), NOW)

    def test_order(self):
        found = self.read(order())
        self.assertEqual((found.action, found.values["amount"]), ("pay", "10.50"))
        values = {"id": "9f", "amount": "10.50", "back": "https://x/?id=9f"}
        url = questions.pay_url([f"*|{PAY}"], found.items, values)
        self.assertEqual(
            url, "https://pay.example.org/9f?a=10.50&back=https%3A%2F%2Fx%2F%3Fid%3D9f"
        )
        self.assertEqual(self.read(order("old"), key="new", previous="old").key, "old")
        self.assertEqual(self.read(order().replace("%2B", "+")).values, found.values)

    def test_refused(self):
        for query, error in (
            (order("another"), WrongSignature),
            (order().replace("10.50", "1.50"), WrongSignature),
            (f"{order()}&amount=1", ParameterError),
            (f"{order()}&x:int=1", ParameterError),
            ("", ParameterError),
            (order(amount="0"), ParameterError),
            (order(amount="1e3"), ParameterError),
            (f"{order()}&action=rp_more", ParameterError),
            (f"{order()}&a=%FF", ParameterError),
        ):
            with self.subTest(query), self.assertRaises(error):
                self.read(query)
        with self.assertRaises(SecretKeyNotSet):
            self.read(order(), key=None)

    def test_moved_digits_and_dates(self):
        shared = "Ka3y1N+a8TIb2KGAzjA58FR67PLuOGRq1dZCsRaKu2Q="
        line = f"X|12.00|1 MONTH|{PAY}"
        for query, error in (
            (item(shared), ""),
            (item(shared, amount="1", period_frequency="21"), "unknown terms"),
            (item(shared, sku="X1", amount="2"), "unknown terms"),
            (item(shared, amount="13.00"), "wrong signature"),
            (item(shared, first_payment_date="1900000000"), "first payment date"),
            (item(shared, first_payment_date="x"), "malformed"),
        ):
            with self.subTest(error):
                (found,) = self.read(query, line).items
                self.assertEqual(found.error, error)
        (found,) = self.read(item(shared), f"*|{PAY}").items
        self.assertEqual(found.error, "unknown terms")

    def test_genuine_terms_that_are_not_those_of_the_line(self):
        line, seldom = (
            f"X|12.00|1 MONTH|{PAY}",
            questions.sign_item(KEY, "X", "12", "21", "MONTH"),
        )
        (found,) = self.read(item(seldom, period_frequency="21"), line).items
        self.assertEqual(found.error, "unknown terms")
        shared = questions.sign_item(KEY, "X", "12", "1", "MONTH")
        for days, error in ((-2, "first payment date"), (-0.9, "")):
            first = str(int(NOW.timestamp() + days * 86400))
            (found,) = self.read(item(shared, first_payment_date=first), line).items
            self.assertEqual(found.error, error)

    def test_who_has_not_paid_takes_no_profile_along(self):
        values = ("https://tv.example.org/", "index.php", KEY, "3", "319")
        told = {"profile": "p1", "first": FIRST, "error": ""}
        url = questions.return_url(*values, "", "declined", [told])
        query = {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}
        self.assertEqual((query["rp_0_status"], "rp_0_profile_id" in query), ("Pending", False))

    def test_return(self):
        told = {"profile": "p1", "first": FIRST, "error": ""}
        values = ("https://tv.example.org/", "index.php", KEY, "3", "319")
        url = questions.return_url(*values, "T-1", profiles=[told])
        query = {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}
        self.assertEqual((query["do"], query["tp"]), ("payOrder", "gid_3-step_2-rp_1"))
        self.assertEqual(query["signature"], "PbMMQ0+wr/Aez5Toth2+kRBgCTgvbe1WuAiWaDzuGmQ=")
        self.assertEqual(query["rp_0_profile_id"], "p1")
        failed = questions.return_url(*values, "", "declined", [{**told, "error": "terms"}])
        query = {name: value[0] for name, value in parse_qs(urlsplit(failed).query).items()}
        self.assertEqual((query["status"], query["rp_0_status"]), ("ERROR", "Invalid profile"))
        self.assertNotIn("rp_0_profile_id", query)
