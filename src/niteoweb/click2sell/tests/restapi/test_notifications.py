"""The ledger as services of plone.restapi, over real HTTP."""

from dataclasses import replace
from datetime import datetime
from datetime import timezone
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.member import group
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.provider import unreadable
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import plan
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.services import MANAGER
from niteoweb.click2sell.tests.cases.services import MAY
from niteoweb.click2sell.tests.cases.services import MAY_NOT
from niteoweb.click2sell.tests.cases.services import MEMBER
from niteoweb.click2sell.tests.cases.services import ServiceTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from plone import api
from unittest import mock

import hashlib
import json
import requests
import transaction


class TestWhoMay(ServiceTestCase):
    def test_list_and_see(self):
        self.buy()
        for path in "", f"/{self.key()}":
            for auth in MAY:
                with self.subTest(path, auth=auth):
                    answer = self.get(path, auth)
                    self.assertEqual(answer.status_code, 200, answer.text)
                    self.assertEqual(answer.headers["Content-Type"], "application/json")
                    self.assertIn(EMAIL, answer.text)
            for auth in MAY_NOT:
                with self.subTest(path, auth=auth):
                    answer = self.get(path, auth)
                    self.assertEqual(answer.status_code, 401)
                    self.assertNotIn(EMAIL, answer.text)

    def test_replay(self):
        self.fail_to_buy()
        path = f"/{self.key()}/replay"
        for auth in MAY_NOT:
            with self.subTest(auth):
                self.assertEqual(self.post(path, {}, auth).status_code, 401)
                self.assertEqual(self.post(path, {"dry_run": True}, auth).status_code, 401)
        self.assertEqual(ledger.get(self.portal, self.key())["outcome"], Outcome.FAILED)
        for auth in MAY:
            with self.subTest(auth):
                self.assertEqual(self.post(path, {"dry_run": True}, auth).status_code, 200)
                answer = self.post(path, {}, auth)
                self.assertEqual(
                    (answer.status_code, answer.json()["outcome"]), (200, "accepted")
                )

    def test_who_may_see_and_no_more(self):
        self.buy()
        self.portal.manage_permission("Click2Sell: View purchases", ["Reader"])
        self.portal.acl_users.userFolderEditUser("member", None, ["Member", "Reader"], [])
        transaction.commit()
        self.assertEqual(self.get(auth=MEMBER).status_code, 200)
        self.assertEqual(self.post(f"/{self.key()}/replay", {}, MEMBER).status_code, 401)

    def test_it_is_not_there_without_the_add_on(self):
        with self.owner():
            api.portal.get_tool("portal_setup").runAllImportStepsFromProfile(
                "profile-niteoweb.click2sell:uninstall"
            )
        self.assertEqual(self.get().status_code, 404)


class TestList(ServiceTestCase):
    def test_an_empty_ledger(self):
        self.assertEqual(
            self.get().json(),
            {
                "@id": self.url,
                "items": [],
                "items_total": 0,
                "items_total_capped": False,
            },
        )

    def test_items(self):
        self.settings(mapping=["1|gone"])
        self.buy(product_name="Übung")
        key = self.key()
        self.assertEqual(
            self.get().json()["items"],
            [
                {
                    "@id": f"{self.url}/{key}",
                    "key": key,
                    "provider": "click2sell",
                    "kind": "purchase",
                    "outcome": "needs attention",
                    "reason": {
                        "code": "group missing",
                        "text": 'The group "gone" does not exist.',
                    },
                    "received_at": "2026-05-03T18:00:00.000000+00:00",
                    "occurred_at": "2026-05-03T10:20:30.000000+00:00",
                    "buyer": EMAIL,
                    "user_id": EMAIL,
                    "product_id": "1",
                    "product_name": "Übung",
                    "amount": "9.90",
                    "currency": "EUR",
                }
            ],
        )

    def test_an_entry_without_buyer_or_reason(self):
        pipeline.process(unreadable("0" * 64, "click2sell", "T", {}, "purchase_date", self.now))
        item = self.get().json()["items"][0]
        self.assertEqual((item["buyer"], item["user_id"], item["amount"]), ("", "", None))
        self.assertEqual(
            item["reason"]["text"],
            "Genuine, but its date or time is missing or cannot be read. It changed nothing.",
        )
        self.later(minutes=1)
        self.buy()
        self.assertIsNone(self.get().json()["items"][0]["reason"])

    def test_filters(self):
        self.buy()
        self.later(days=1)
        self.buy_again(2, product_id="2")
        self.later(days=1)
        self.buy_again(3, buyer_email="jane@example.org")
        self.refund(purchase_date="2026-05-05")
        for filters, receipts in (
            ({}, ["R-1", "R-3", "R-2", "R-1"]),
            ({"outcome": "accepted"}, ["R-1", "R-3", "R-2", "R-1"]),
            ({"outcome": "failed"}, []),
            ({"kind": "refund"}, ["R-1"]),
            ({"provider": "click2sell", "kind": "purchase"}, ["R-3", "R-2", "R-1"]),
            ({"product": "2"}, ["R-2"]),
            ({"product": "3"}, []),
            ({"buyer": "JOHN@example.org"}, ["R-1", "R-2", "R-1"]),
            ({"buyer": "nobody@example.org"}, []),
            ({"from": "2026-05-04"}, ["R-1", "R-3", "R-2"]),
            ({"to": "2026-05-04"}, ["R-2", "R-1"]),
            ({"from": "2026-05-04", "to": "2026-05-04"}, ["R-2"]),
            ({"from": "2026-05-04T18:00:00+00:00", "product": "2"}, ["R-2"]),
            ({"from": "2026-05-04T18:00:01Z", "product": "2"}, []),
        ):
            with self.subTest(filters):
                answer = self.get(**filters).json()
                got = sorted(item["@id"] for item in answer["items"])
                entries = [ledger.get(self.portal, name.split("/")[-1]) for name in got]
                self.assertEqual(
                    sorted(entry["receipt"] for entry in entries), sorted(receipts)
                )
                self.assertEqual(answer["items_total"], len(receipts))
                self.assertIs(answer["items_total_capped"], False)

    def test_dates_are_days_of_the_site(self):
        self.buy()  # 18 o'clock UTC, the next morning in Auckland
        for zone, found in ("UTC", 1), ("Pacific/Auckland", 0):
            self.registry(portal_timezone=zone)
            self.assertEqual(self.get(to="2026-05-03").json()["items_total"], found)

    def test_impossible_filters_and_pages(self):
        for params, expected in (
            ({"outcome": "lost"}, '"outcome" must be one of: accepted'),
            ({"provider": "paypal"}, '"provider" must be one of: click2sell.'),
            ({"kind": "gift"}, '"kind" must be one of: purchase'),
            ({"from": "31.1.2027"}, '"from" must be a date such as 2027-01-31'),
            ({"to": "2027-02-30"}, '"to" must be a date'),
            ({"kind": ["refund", "purchase"]}, '"kind" may stand only once.'),
            ({"b_start": "-1"}, "Invalid b_start"),
            ({"b_size": "-1"}, "Invalid b_size"),
            ({"b_size": "0"}, "Invalid b_size"),
            ({"b_size": "1001"}, "Invalid b_size"),
            ({"b_size": "many"}, "Invalid b_size: Not an integer"),
        ):
            with self.subTest(params):
                answer = self.get(**params)
                self.assertEqual(answer.status_code, 400)
                self.assertIn(expected, answer.json()["message"])

    def fill(self, size):
        sale = self.notification()
        transaction.begin()
        for number in range(size):
            ledger.record(
                self.portal,
                replace(
                    sale,
                    key=hashlib.sha256(b"%d" % number).hexdigest(),
                    transaction=f"T-{number}",
                    receipt=str(number),
                ),
                datetime.fromtimestamp(1_800_000_000 + number, timezone.utc),
            )
        transaction.commit()

    def receipts(self, answer):
        keys = [item["key"] for item in answer["items"]]
        return [int(ledger.get(self.portal, key)["receipt"]) for key in keys]

    def test_batches(self):
        self.fill(60)
        self.assertEqual(len(self.get().json()["items"]), 25)
        first = self.get(kind="purchase", b_size=25).json()
        self.assertEqual(first["@id"], f"{self.url}?kind=purchase")
        self.assertEqual(first["items_total"], 60)
        self.assertNotIn("prev", first["batching"])
        seen = self.receipts(first)
        page = first
        while "next" in page["batching"]:
            page = requests.get(
                page["batching"]["next"],
                auth=MANAGER,
                headers={"Accept": "application/json"},
                timeout=30,
            ).json()
            seen += self.receipts(page)
        self.assertEqual(seen, list(range(59, -1, -1)))
        self.assertEqual(page["batching"]["@id"], page["batching"]["last"])
        self.assertEqual(self.receipts(self.get(b_start=60).json()), [])
        self.assertEqual(self.receipts(self.get(b_start=55, b_size=10).json()), [4, 3, 2, 1, 0])
        self.assertNotIn("batching", self.get(b_size=60).json())

    def test_counting_stops_at_a_thousand(self):
        self.fill(1001)
        for params, total, capped in (
            ({}, 1001, False),
            ({"kind": "purchase"}, 1001, False),
            ({"kind": "purchase", "provider": "click2sell"}, 1001, False),
            ({"from": "2026-01-01"}, 1000, True),
        ):
            with self.subTest(params):
                answer = self.get(**params, b_size=2).json()
                self.assertEqual(answer["items_total"], total)
                self.assertIs(answer["items_total_capped"], capped)
                self.assertEqual(self.receipts(answer), [1000, 999])


class TestEntry(ServiceTestCase):
    def test_everything_is_there(self):
        self.settings(mapping=["1|premium|30|exclusive"])
        self.buy(buyer_country="AT")
        entry = self.get(f"/{self.key()}").json()
        self.assertEqual(entry["@id"], f"{self.url}/{self.key()}")
        self.assertEqual(entry["outcome"], "accepted")
        self.assertEqual(entry["terms"], {"known": True, "days": 30, "exclusive": True})
        self.assertEqual(entry["transaction"], "T-1")
        self.assertEqual((entry["error"], entry["attempts"]), ("", 1))
        self.assertEqual(entry["payload"]["buyer_country"], "AT")
        self.assertNotIn("checksum", json.dumps(entry))
        stored = ledger.get(self.portal, self.key())
        told_otherwise = {"days", "exclusive", "terms_known", "subject", "buyer_id", "binds"}
        # Its rows in the indexes are the ledger's.
        shown = {*entry, *told_otherwise, "filed"}
        self.assertEqual(set(stored) - shown, set())

    def test_a_failed_one_says_where(self):
        self.fail_to_buy()
        entry = self.get(f"/{self.key()}").json()
        self.assertEqual((entry["outcome"], entry["attempts"]), ("failed", 1))
        self.assertIn("RuntimeError", entry["error"])

    def test_unknown_keys(self):
        self.buy()
        for path in "/0", f"/{self.key()}/replay", f"/{self.key()}x":
            with self.subTest(path):
                self.assertEqual(self.get(path).status_code, 404)


class TestReplay(ServiceTestCase):
    def replay(self, **options):
        return self.post(f"/{self.key()}/replay", options)

    def dry_run(self):
        """Compare a preview, which changes nothing, with the change that follows."""
        transaction.begin()
        database, before = self.portal._p_jar.db(), self.dump()
        last = database.lastTransaction()
        answer = self.replay(dry_run=True)
        self.assertEqual(answer.status_code, 200, answer.text)
        self.assertEqual(database.lastTransaction(), last)
        self.assertEqual(self.dump(), before)
        told = answer.json()
        done = self.replay().json()
        self.assertEqual((done["outcome"], done["reason"]), (told["outcome"], told["reason"]))
        mails = trees.tree(self.portal, "mails").items()
        filed = [mail["kind"] for id_, mail in mails if id_ not in before["trees"]["mails"]]
        self.assertEqual(filed or ["none"], [told["mail"]])
        if told["member"]["user_id"]:
            groups = set(self.groups(told["member"]["user_id"]))
            self.assertLessEqual(set(told["groups"]["granted"]), groups)
            self.assertFalse(groups & set(told["groups"]["revoked"]))
        return told

    def test_a_member_that_has_to_be_made(self):
        self.settings(welcome_mail="link", mapping=["1|premium|30"])
        self.fail_to_buy()
        key = self.key()
        self.assertEqual(
            self.dry_run(),
            {
                "@id": f"{self.url}/{key}",
                "key": key,
                "dry_run": True,
                "member": {"create": True, "attach": False, "user_id": ""},
                "fields": {
                    "fullname": "John Smith",
                    "product_id": "1",
                    "product_name": "Test Product",
                    "affiliate": "affiliate",
                    "last_purchase_id": "R-1",
                    "last_purchase_timestamp": "2026-05-03T10:20:30+00:00",
                },
                "groups": {"granted": ["premium", "click2sell"], "revoked": []},
                "access": {
                    "gained": [{"provider": "click2sell", "product_id": "1"}],
                    "lost": [],
                },
                "mail": "welcome",
                "outcome": "accepted",
                "reason": None,
            },
        )
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_no_welcome_mail(self):
        self.fail_to_buy()
        self.assertEqual(self.dry_run()["mail"], "none")

    def test_an_account_that_has_to_be_attached(self):
        self.settings(notice_mail=True)
        self.account()
        self.fail_to_buy()
        told = self.dry_run()
        self.assertEqual(told["member"], {"create": False, "attach": True, "user_id": EMAIL})
        self.assertEqual(told["mail"], "notice")
        self.assertNotIn("fullname", told["fields"])

    def test_an_account_that_nobody_is_told_of(self):
        self.account()
        self.fail_to_buy()
        self.assertEqual(self.dry_run()["mail"], "none")

    def test_another_address_of_a_member(self):
        self.settings(notice_mail=True)
        for made in (True, False):
            with self.subTest(made=made):
                first, second = f"a-{made}@example.org".lower(), f"b-{made}@example.org".lower()
                changes = {"acquirer_transaction_id": f"T-{made}", "c2s_transaction_id": "R"}
                if not made:
                    self.account(first, first)
                self.buy(buyer_email=first, **changes)
                with self.owner():
                    self.member(first).setMemberProperties({"email": second})
                    self.portal.acl_users.updateLoginName(first, second)
                changes["acquirer_transaction_id"] += "2"
                self.fail_to_buy(buyer_email=second, product_id="2", **changes)
                told = self.dry_run()
                self.assertEqual(told["member"]["user_id"], "")
                self.assertEqual(told["groups"]["granted"], [])
                self.assertEqual(told["mail"], "claim")

    def test_a_refund(self):
        self.buy()
        self.fail_to_buy(transaction_type="Refund")
        told = self.dry_run()
        self.assertEqual(told["groups"], {"granted": [], "revoked": ["premium"]})
        self.assertEqual(
            told["access"]["lost"], [{"provider": "click2sell", "product_id": "1"}]
        )

    def test_nothing_to_do(self):
        self.buy()
        told = self.dry_run()
        self.assertEqual(told["fields"], {})
        self.assertEqual(told["groups"], {"granted": [], "revoked": []})
        self.assertEqual(told["access"], {"gained": [], "lost": []})
        self.assertEqual(told["mail"], "none")

    def test_what_was_decided_in_the_meantime(self):
        self.settings(mapping=["1|gone"])
        self.buy()
        self.assertEqual(self.get().json()["items"][0]["outcome"], "needs attention")
        self.group("gone")
        told = self.dry_run()
        self.assertEqual((told["outcome"], told["reason"]), ("accepted", None))
        self.assertEqual(told["groups"]["granted"], ["gone"])

    def test_a_privileged_account(self):
        self.account()
        with self.owner():
            group.grant(EMAIL, "Administrators")
        self.fail_to_buy()
        told = self.dry_run()
        self.assertEqual(told["outcome"], "needs attention")
        self.assertEqual(told["reason"]["code"], "privileged account")
        self.assertEqual(told["groups"]["granted"], [])

    def test_those_that_concern_nobody(self):
        pipeline.process(unreadable("0" * 64, "click2sell", "T", {}, "purchase_date", self.now))
        told = self.dry_run()
        self.assertEqual(told["outcome"], "needs attention")
        self.assertEqual(told["reason"]["code"], "parameter")
        self.later(days=1)
        self.buy(transaction_type="Gift")
        told = self.dry_run()
        self.assertEqual(told["reason"]["code"], Kind.UNKNOWN.value + " kind")
        self.later(days=1)
        self.buy(acquirer_transaction_id="T-2")
        self.later(days=1)
        self.buy(acquirer_transaction_id="T-2", buyer_email="thief@example.org")
        told = self.dry_run()
        self.assertEqual(told["outcome"], "refused")
        self.assertEqual(told["reason"]["code"], "another buyer or product")
        self.assertEqual(told["member"], {"create": False, "attach": False, "user_id": ""})

    def test_the_answer_is_the_entry_as_it_is_then(self):
        self.fail_to_buy()
        answer = self.replay()
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer.json(), self.get(f"/{self.key()}").json())
        self.assertEqual(answer.json()["outcome"], "accepted")
        self.assertEqual(answer.json()["attempts"], 2)

    def test_it_fails_again(self):
        self.fail_to_buy()
        with mock.patch.object(plan, "make", side_effect=RuntimeError("john@example.org")):
            answer = self.replay()
        self.assertEqual(answer.status_code, 500)
        self.assertEqual(
            answer.json(),
            {"type": "Failed", "message": "It failed again, and is kept as failed."},
        )
        self.assertEqual(self.entries(), [("failed", "", "")])

    def test_another_process_is_at_it(self):
        self.buy()
        with mock.patch.object(transactions, "run", side_effect=transactions.Busy):
            answer = self.replay()
        self.assertEqual(answer.status_code, 503)
        self.assertEqual(answer.headers["Retry-After"], str(transactions.RETRY_AFTER))
        self.assertEqual(answer.json()["type"], "Busy")

    def test_what_is_not_there(self):
        self.buy()
        for path in "", f"/{self.key()}", "/0/replay", f"/{self.key()}/replay/x", "/x/y":
            with self.subTest(path):
                self.assertEqual(self.post(path, {}).status_code, 404)
                self.assertEqual(self.post(path, {"dry_run": True}).status_code, 404)

    def test_bodies_that_cannot_be_meant(self):
        self.fail_to_buy()
        path = f"/{self.key()}/replay"
        for data, expected in (
            (b"{", "The body must be a JSON object."),
            (b"[]", "The body must be a JSON object."),
            # The publisher does not let it through.
            (b"\xff", "codec can't decode"),
            (b'{"dry_run": true}' + b" " * 5000, "The body is too large."),
            (b'{"dryrun": true}', 'There is no option "dryrun". Possible: dry_run.'),
            (b'{"dry_run": "yes"}', '"dry_run" must be true or false.'),
            (b'{"dry_run": 1}', '"dry_run" must be true or false.'),
        ):
            with self.subTest(data[:20]):
                answer = self.post(path, data=data)
                self.assertEqual(answer.status_code, 400)
                self.assertIn(expected, answer.json()["message"])
        self.assertEqual(self.entries(), [("failed", "", "")])

    def test_a_dry_run_sent_as_curl_does(self):
        self.fail_to_buy()
        answer = self.post(
            f"/{self.key()}/replay",
            data=b'{"dry_run": true}',
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        self.assertIs(answer.json()["dry_run"], True)
        self.assertEqual(self.entries(), [("failed", "", "")])


class TestDecide(ServiceTestCase):
    def setUp(self):
        super().setUp()
        self.buy(buyer_email="jonh@example.org")
        self.later(minutes=1)
        self.buy()

    def test_take_a_refused_one_in(self):
        wanted = {"reason": "it is his"}
        told = self.post(f"/{self.key()}/decide", {**wanted, "dry_run": True})
        self.assertEqual(told.status_code, 200)
        self.assertEqual(self.groups(), [])
        done = self.post(f"/{self.key()}/decide", wanted)
        self.assertEqual(done.json(), {**told.json(), "dry_run": False})
        loser, winner = done.json()["buyers"]
        self.assertEqual(set(loser["groups"]["revoked"]), {"click2sell", "premium"})
        self.assertTrue(winner["member"]["create"])
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_each_with_what_it_takes(self):
        first = list(ledger.newest_first(self.portal))[-1]
        for path, body, status in (
            (f"/{first}/correct", {"address": EMAIL, "reason": "x", "everything": True}, 200),
            (f"/{self.key()}/dismiss", {"note": "known"}, 200),
            (f"/{self.key()}/attach", {"user_id": "nobody", "reason": "x"}, 400),
            (f"/{self.key()}/make-group", {}, 400),
            (f"/{self.key()}/make-group", {"reason": "x"}, 400),
            (f"/{self.key()}/decide", {"reason": "x", "everything": True}, 400),
            (f"/{self.key()}/decide", {}, 400),
            (f"/{self.key()}/make_group", {}, 404),
            ("/nothing/decide", {"reason": "x"}, 404),
        ):
            with self.subTest(path.rpartition("/")[2], body=body):
                answer = self.post(path, {**body, "dry_run": True})
                self.assertEqual(answer.status_code, status, answer.text)

    def test_only_what_the_page_offers(self):
        first = list(ledger.newest_first(self.portal))[-1]
        self.account("elsewhere@example.org")
        with self.owner():
            api.user.delete(username="jonh@example.org")
        transaction.commit()
        wanted = {"user_id": "elsewhere@example.org", "reason": "x"}
        answer = self.post(f"/{first}/attach", wanted)
        self.assertEqual(answer.status_code, 400)
        self.assertIn("Something has happened since", answer.text)
        self.assertEqual(self.groups("elsewhere@example.org"), [])

    def test_who_may(self):
        for auth in MAY_NOT:
            with self.subTest(auth):
                answer = self.post(f"/{self.key()}/decide", {"reason": "x"}, auth=auth)
                self.assertIn(answer.status_code, (401, 403))
        self.assertEqual(self.groups(), [])
