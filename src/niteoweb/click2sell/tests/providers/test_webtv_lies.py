"""A store that lies, or whose answers are not what its documents say: pure."""

from datetime import datetime
from datetime import timezone
from itertools import product
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.provider import JsonApi
from niteoweb.click2sell.provider import JsonBody
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.webtv import carts
from niteoweb.click2sell.providers.webtv import client
from niteoweb.click2sell.providers.webtv import orders
from types import SimpleNamespace
from unittest import mock

import unittest


SETTINGS = SimpleNamespace(
    api_url="https://tv.example.org/api.php",
    api_key_id="k",
    api_token="t",
    payment_fields="a=1",
)
VALUES = (
    *(None, "", 0, -1, True, 10**18, "1e999999999", "NaN", "-5", "9" * 90, "²", "\x00", "soon"),
    *({}, [], [[]], [None], {"id": {}}, ["x"] * 3),
)
FIELDS = (
    *(
        "id",
        "ok",
        "list",
        "data",
        "cvr",
        "users",
        "error",
        "error_long",
        "order_id",
        "products",
    ),
    *("order_amount_due", "order_amount_paid", "order_total", "buyer_credit", "id_product"),
    *("date_first_payment", "date_first_payment_with_trial", "amount", "currency_code"),
    *("period", "period_frequency", "id_subscription", "quantity", "date_end", "email"),
    *("id_clip", "id_channel"),
)
CART = {
    "order_id": 319,
    "order_amount_due": "10.00",
    "order_amount_paid": "0.00",
    "products": [{"id_product": "30", "quantity": "1"}],
}
TERMS = {
    "amount": "10.00",
    "currency_code": "EUR",
    "date_first_payment": 1509174392,
    "date_first_payment_with_trial": -1,
    "period": "MONTH",
    "period_frequency": "1",
    "id_product": "12",
}
SUBSCRIPTION = {"id": 7, "id_product": "12", "date_end": "1509174392", "renewable": 1}
USER = {"id": "2", "email": "jane@example.org", "status": "1"}


def with_lies(body):
    """A body with one field after the other made something else, and left out."""
    for name, value in product((*body, *FIELDS), VALUES):
        yield {**body, name: value}
    for name in body:
        yield {key: value for key, value in body.items() if key != name}


def answers():
    for body in (CART, TERMS, {"buyer_credit": "3.00"}, USER):
        for lie in with_lies(body):
            yield {"data": lie}
            yield lie
    for body in (SUBSCRIPTION, USER):
        yield from ({"list": [lie]} for lie in with_lies(body))
    yield from ({"data": {**CART, "products": [lie]}} for lie in with_lies(CART["products"][0]))
    yield from with_lies({"cvr": {"clip": [1]}})
    yield from with_lies({"id": 319, "ok": "Order was placed"})


class TestLies(unittest.TestCase):
    QUESTIONS = (
        lambda: client.subscriptions(SETTINGS, "2"),
        lambda: client.content(SETTINGS, "2"),
        lambda: client.users(SETTINGS, 1),
        lambda: client.user(SETTINGS, "2"),
        lambda: carts.order(SETTINGS, "2"),
        lambda: carts.terms(SETTINGS, "2", "12"),
        lambda: carts.credit(SETTINGS, "2"),
        lambda: carts.restrictions(SETTINGS, "2"),
        lambda: carts.products(SETTINGS, "2", "other", ""),
        lambda: carts.process(SETTINGS, "2"),
        lambda: carts.create_user(SETTINGS, "jane@example.org"),
    )

    def answered(self, value):
        return mock.patch.object(JsonApi, "form", return_value=JsonBody(value))

    def test_no_answer_is_an_error_that_nobody_expects(self):
        seen = set()
        for value in answers():
            with self.answered(value):
                for number, ask in enumerate(self.QUESTIONS):
                    try:
                        ask()
                    except (Unreachable, Refused, ParameterError):
                        seen.add((number, False))
                    else:
                        seen.add((number, True))
        # Each question had answers of both sorts.
        self.assertEqual(len(seen), 2 * len(self.QUESTIONS))

    def test_terms_and_orders_are_numbers_that_can_be_used(self):
        for value in answers():
            with self.answered(value):
                try:
                    order = carts.order(SETTINGS, "2")
                except (Unreachable, Refused):
                    continue
                self.assertLess(len(orders.money(order.due)), 30)
        for value in ({"data": lie} for lie in with_lies(TERMS)):
            with self.answered(value):
                try:
                    terms = carts.terms(SETTINGS, "2", "12")
                except (Unreachable, Refused):
                    continue
                datetime.fromtimestamp(int(terms.first), timezone.utc)

    def test_an_order_that_says_nothing_of_what_is_due_is_not_free(self):
        for due in (None, "", "free"):
            with self.subTest(due), self.answered({"data": {**CART, "order_amount_due": due}}):
                self.assertRaises(Unreachable, carts.order, SETTINGS, "2")

    def test_an_answer_that_nobody_understands_is_none(self):
        for answer in ({}, {"error": 0}, {"error": "0", "ok": "yes"}):
            with self.subTest(answer), self.answered(answer):
                self.assertRaises(Unreachable, carts.process, SETTINGS, "2")

    def test_a_user_who_cannot_be_read_keeps_nobody_out(self):
        for lie in ({"id": None}, {"id": "3", "email": "a@example.org", "status": True}):
            with self.subTest(lie), self.answered({"list": [lie, USER]}):
                found, number = client.users(SETTINGS, 1)
                self.assertEqual(([user.id for user in found], number), (["2"], 2))

    def test_an_id_that_means_nobody_is_nobody(self):
        for id_ in (-1, 0, "-1", "", None, "02", "²"):
            with self.subTest(id_), self.answered({"id": id_}):
                self.assertEqual(client.user_id(SETTINGS, "nobody@example.org"), "")
