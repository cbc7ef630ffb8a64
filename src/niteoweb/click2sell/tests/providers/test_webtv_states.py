"""What the store tells of a subscription, read by read: pure."""

from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.provider import JsonBody
from niteoweb.click2sell.providers.webtv import protocol
from niteoweb.click2sell.providers.webtv import states

import unittest


NOW = datetime(2026, 5, 3, 12, tzinfo=timezone.utc)
USER = states.User("2", "Jane@example.org", "Jane", "Doe")


def listed(days=20, product="12", renewable=1, status="Active"):
    end = str(int((NOW + timedelta(days=days)).timestamp()))
    body = {"id": 7, "id_product": product, "date_end": end, "renewable": renewable}
    return [states.subscription(JsonBody({**body, "rp_status": status}))]


class TestSignature(unittest.TestCase):
    def test_vector_of_the_documented_formula(self):
        secret = "MWIzMjNhMWNiODc5ZmQ0ZTY2NTMwZmJhZDA3YTMyZWViOTQ3MDJiOGM2ZTU2NjE3"
        found = protocol.signature(secret, "0123456789abcdef" * 2, "1509174392")
        self.assertEqual(found, "OEaduDvBFtobYEmpxJfR9trs97AKAWguY90XFkOPr8I=")


class TestTold(unittest.TestCase):
    def setUp(self):
        self.known, self.at = {}, NOW

    def read(self, items):
        self.at += timedelta(hours=1)
        told = list(states.told(self.known, states.Listed(items), USER, self.at))
        for one in told:
            self.known[one.transaction] = states.note(one, items)
        return told

    def kinds(self, *readings):
        return [[one.kind for one in self.read(items)] for items in readings]

    def test_each_change_has_its_kind(self):
        self.assertEqual(
            self.kinds(
                listed(),
                listed(),
                listed(50),
                listed(50, status="Suspended"),
                listed(50),
                listed(50, status="Cancelled"),
                listed(50),
                listed(50, product="13"),
                listed(50, product="13", renewable=0),
                [],
                [],
                listed(80),
            ),
            [
                [Kind.PURCHASE],
                [],
                [Kind.RENEWAL],
                [Kind.PLAN_CHANGE],
                [Kind.PLAN_CHANGE],
                [Kind.CANCELLATION],
                [Kind.REACTIVATION],
                [Kind.PLAN_CHANGE],
                [Kind.CANCELLATION],
                [Kind.EXPIRY],
                [],
                [Kind.PURCHASE],
            ],
        )

    def test_a_state_that_comes_back_is_news_and_a_parallel_reading_is_none(self):
        keys = [self.read(listed(status=s))[0].key for s in ("Active", "Suspended", "Active")]
        self.assertEqual(len(set(keys)), 3)
        before = dict(self.known)
        found, later = states.Listed(listed(50)), NOW + timedelta(days=1)
        (one,) = states.told(before, found, USER, later)
        (two,) = states.told(before, found, USER, later + timedelta(seconds=3))
        self.assertEqual(one.key, two.key)

    def test_a_subscription_that_goes_twice_ends_twice(self):
        keys = [self.read(items)[0].key for items in (listed(), [], listed(), [])]
        self.assertEqual(len(set(keys)), 4)

    def test_a_reading_that_is_older_than_what_is_known_tells_nothing(self):
        self.read(listed())
        self.assertEqual(list(states.told(self.known, states.Listed([]), USER, NOW)), [])

    def test_an_end_before_its_time_is_early_and_one_after_it_is_not(self):
        self.read(listed())
        (gone,) = states.told(self.known, states.Listed([]), USER, NOW + timedelta(days=2))
        self.assertTrue(states.early(gone, self.known))
        self.assertEqual(gone.valid_until, NOW + timedelta(days=2))
        (gone,) = states.told(self.known, states.Listed([]), USER, NOW + timedelta(days=30))
        self.assertFalse(states.early(gone, self.known))
        self.assertEqual(gone.valid_until, NOW + timedelta(days=20))

    def test_pass(self):
        end = int((NOW + timedelta(days=2)).timestamp())
        body = JsonBody({"id_clip": "5", "id_channel": None, "date_end": end})
        (told,) = self.read([states.access_pass(body, "2")])
        self.assertEqual((told.kind, told.product_id), (Kind.PURCHASE, "clip-5"))
        self.assertFalse(told.subscription)

    def readable(self, rows):
        answer = JsonBody({"list": rows})
        return states.readable(answer, "id", states.subscription, self.at)

    def test_what_cannot_be_read_keeps_nothing_out_and_ends_nothing(self):
        self.read(listed())
        self.at += timedelta(hours=1)
        rows = [{"id": 7, "id_product": "12", "date_end": -1}, {"id": None}]
        rows += [{"id": 8, "id_product": "13", "date_end": "1780000000", "renewable": 1}]
        found = self.readable(rows)
        told = {(one.transaction, one.attention_subject) for one in found.unread}
        self.assertEqual(told, {("7", "date_end"), ("", "id")})
        # It is the same one, wherever in the list it stands.
        again = self.readable(rows[::-1])
        self.assertEqual({one.key for one in again.unread}, {one.key for one in found.unread})
        (one,) = states.told(self.known, found, USER, self.at)
        self.assertEqual((one.kind, one.transaction), (Kind.PURCHASE, "8"))
        found = self.readable(rows[2:])
        told = states.told(self.known, found, USER, self.at)
        self.assertEqual({one.kind for one in told}, {Kind.PURCHASE, Kind.EXPIRY})

    def test_only_a_list_is_one(self):
        for answer in ({}, {"list": None}, {"list": {}}, {"list": ""}, {"data": []}):
            with self.subTest(answer), self.assertRaises(ParameterError):
                states.listed(JsonBody(answer))
        self.assertEqual(states.listed(JsonBody({"list": []})), [])

    def test_next_question(self):
        pause = timedelta(hours=24)

        def hours(items):
            return (states.next_question(items, NOW, pause) - NOW) / timedelta(hours=1)

        self.assertEqual(hours(listed()), 24)
        self.assertEqual(hours(listed(-1)), 1)
        self.assertAlmostEqual(hours(listed(0.5)), 12 + 1 / 12)
