"""A purchase on a TV set that an app's middleware has validated, over HTTP, by a Cleeng."""

from datetime import timedelta
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement.period import State
from niteoweb.click2sell.explain import products
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.owner.action import NotPossible
from niteoweb.click2sell.privacy import erasure
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.providers.cleeng import fake as fakes
from niteoweb.click2sell.providers.cleeng import validationservice as validating
from niteoweb.click2sell.providers.cleeng.fake import TOKEN
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import validation
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import steps
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.hanging import HangingServer
from niteoweb.click2sell.tests.cases.providers import CleengTestCase
from niteoweb.click2sell.tests.cases.providers import GOLD
from niteoweb.click2sell.tests.cases.providers import JANE
from niteoweb.click2sell.tests.cases.providers import JOE
from niteoweb.click2sell.tests.cases.providers import SILVER
from niteoweb.click2sell.tests.cases.providers import TV
from niteoweb.click2sell.worker import turns
from unittest import mock

import json
import re
import requests
import threading
import transaction


PASSWORD = "the password"
MIDDLEWARE = "middleware"
PERMISSION = "Click2Sell: Validate purchases"


class ValidationTestCase(CleengTestCase):
    def setUp(self):
        super().setUp()
        self.enterContext(self.fake)
        self.enterContext(mock.patch.dict("os.environ", {jsonapi.INSECURE_VARIABLE: "1"}))
        self.set(api_url=self.fake.url, api_token=TOKEN)
        with self.owner():
            self.portal._addRole("Validator")
            self.portal.manage_permission(PERMISSION, ["Manager", "Validator"], acquire=0)
        self.user(MIDDLEWARE, "Validator")
        self.fake.buy(TV, GOLD)

    def user(self, name, role):
        with self.owner():
            self.portal.acl_users.userFolderAddUser(name, PASSWORD, [role], [])

    def call(self, method, path, who=MIDDLEWARE, headers=None, **content):
        base_url = self.url.removesuffix("/@@cleeng")
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(
                method,
                f"{base_url}/{path}",
                auth=(who, PASSWORD) if who else None,
                headers={"Accept": "application/json", **(headers or {})},
                timeout=60,
                **content,
            )
        transaction.begin()
        self.told = answer.json() if answer.content else None
        self.answer = answer
        return answer.status_code

    def submit(self, who=MIDDLEWARE, **options):
        asked = {"email": JANE, "subscription_id": TV, "offer_id": GOLD, **options}
        asked = {name: value for name, value in asked.items() if value is not None}
        return self.call("POST", "@cleeng-purchase-validation", who, json=asked)

    def submitted(self, **options):
        """Submit, and return the id."""
        self.assertEqual(self.submit(**options), 202, self.told)
        return self.told["id"]

    def status(self, id_, who=MIDDLEWARE):
        self.assertEqual(self.call("GET", f"@cleeng-purchase-status/{id_}", who), 200)
        return self.told["status"]

    def member_of_before(self, email=JANE):
        """Make the buyer a member, by a purchase that has nothing to do with it."""
        self.settings(mapping=[])
        self.buy(buyer_email=email, acquirer_transaction_id=f"T-{email}")

    def asked(self, path="purchase-status"):
        return [one for one in self.fake.requests if one.path[-1] == path]


class TestSubmit(ValidationTestCase):
    def test_it_is_queued_at_once(self):
        self.assertEqual(self.submit(), 202)
        self.assertEqual(self.told["status"], "queued")
        self.assertRegex(self.told["id"], r"^[0-9a-f]{32}$")
        self.assertTrue(self.told["@id"].endswith(f"@cleeng-purchase-status/{self.told['id']}"))
        (asked,) = self.asked("purchase-validation")
        self.assertEqual(asked.headers["x-publisher-token"], TOKEN)
        self.assertEqual(
            json.loads(asked.body),
            {"customerEmail": JANE, "subscriptionId": TV, "offerId": GOLD},
        )

    def test_who_may_not(self):
        self.user("operator", "Site Administrator")
        for who in "", "operator":
            self.assertEqual(self.submit(who), 401)
            self.assertEqual(self.call("GET", "@cleeng-purchase-status/0", who), 401)
        self.assertEqual(self.fake.requests, [])
        self.assertEqual(len(trees.tree(self.portal, "validations")), 0)

    def test_only_managers_may_at_first(self):
        with self.owner():
            found = self.layer["app"].rolesOfPermission(PERMISSION)
        self.assertEqual([one["name"] for one in found if one["selected"]], ["Manager"])

    def test_what_is_not_possible(self):
        for options in (
            {"email": None},
            {"email": "jane"},
            {"email": 5},
            {"subscription_id": None},
            {"subscription_id": " "},
            {"subscription_id": "x" * 101},
            {"subscription_id": "a\nb"},
            {"offer_id": "x" * 101},
            {"offer": GOLD},
        ):
            with self.subTest(options):
                self.assertEqual(self.submit(**options), 400)
                self.assertNotIn(TV, json.dumps(self.told))
        self.assertEqual(self.fake.requests, [])

    def test_a_body_that_is_too_large(self):
        self.assertEqual(self.submit(offer_id="x" * 5000), 400)

    def test_a_page_of_another_site(self):
        path, asked = "@cleeng-purchase-validation", {"email": JANE, "subscription_id": TV}
        headers = {"Origin": "https://elsewhere.example.net"}
        self.assertEqual(self.call("POST", path, headers=headers, json=asked), 403)
        self.assertEqual(self.fake.requests, [])

    def test_switched_off_or_without_a_token(self):
        for settings in {"enabled": False}, {"enabled": True, "api_token": None}:
            self.set(**settings)
            self.assertEqual(self.submit(), 503)
            self.assertEqual(self.told["type"], "NotSetUp")

    def test_while_cleeng_cannot_be_reached_nothing_is_kept(self):
        self.fake.outage = True
        self.assertEqual(self.submit(), 503)
        self.assertEqual(self.answer.headers["Retry-After"], "60")
        self.assertEqual(len(self.fake.requests), 1)
        self.assert_nothing_kept()
        self.fake.outage = False
        self.assertEqual(self.submit(), 202)

    def test_a_wrong_token(self):
        self.set(api_token="wrong")
        self.assertEqual(self.submit(), 503)
        self.assert_nothing_kept()
        self.assertNotIn("wrong", self.answer.text)

    def test_what_cleeng_does_not_take(self):
        self.enterContext(
            mock.patch.object(self.fake, "_queue", lambda request: self.fake.error(422))
        )
        self.assertEqual(self.submit(), 422)
        self.assert_nothing_kept()

    def assert_nothing_kept(self):
        transaction.begin()
        for name in ("validations", "validations_by_time", "validations_pending", "entries"):
            self.assertEqual(len(trees.tree(self.portal, name)), 0, name)

    def test_not_too_many_in_a_minute(self):
        self.enterContext(mock.patch.object(validation, "A_MINUTE", 3))
        for number in range(3):
            self.submitted(subscription_id=f"tv-{number}")
        self.assertEqual(self.submit(), 429)
        self.assertEqual(self.answer.headers["Retry-After"], "60")
        self.later(minutes=1, seconds=1)
        self.assertEqual(self.submit(), 202)

    def test_an_answer_that_is_no_json(self):
        response = fakes.Response(200, b"OK")
        self.enterContext(mock.patch.object(self.fake, "_queue", lambda request: response))
        id_ = self.submitted()
        self.assertEqual(self.status(id_), "pending")
        self.assertEqual(self.asked(), [])
        self.bought()
        self.deliver()
        self.assertEqual(self.status(id_), "succeeded")


class TestStatus(ValidationTestCase):
    def test_the_result_comes_by_webhook(self):
        id_ = self.submitted()
        self.pass_time(seconds=11)
        self.fake.run()
        self.deliver()
        self.assertEqual(self.status(id_), "succeeded")
        self.assertEqual(self.asked(), [])
        self.assertIsNone(self.told["access_until"])
        self.has("premium")

    def test_the_result_is_asked_for(self):
        id_ = self.submitted()
        self.assertEqual(self.status(id_), "pending")
        self.pass_time(seconds=11)
        self.assertEqual(self.status(id_), "succeeded")
        (_first, second) = self.asked()
        self.assertRegex(second.query["correlationId"], r"^[0-9a-f]{32}$")

    def test_cleeng_is_asked_every_five_seconds_at_most(self):
        id_ = self.submitted()
        for seconds, times in (0, 1), (1, 1), (3.9, 1), (0.1, 2), (4, 2), (1, 3):
            self.later(seconds=seconds)
            self.status(id_)
            self.assertEqual(len(self.asked()), times)

    def test_while_cleeng_cannot_be_reached_it_is_pending(self):
        id_ = self.submitted()
        self.fake.outage = True
        with self.assertLogs("niteoweb.click2sell", "WARNING") as logged:
            self.assertEqual(self.status(id_), "pending")
        self.assertNotIn(JANE, "".join(logged.output))
        self.assertNotIn(TOKEN, "".join(logged.output))

    def test_while_cleeng_hangs_the_thread_for_questions_asks(self):
        id_ = self.submitted()
        with HangingServer(HangingServer.answer_never) as server:
            self.set(api_url=server.url, api_token=TOKEN)
            expected = {background.QUESTIONS: threading.Event()}
            with mock.patch.dict(background._awaited, expected):
                self.assertEqual(self.call("GET", f"@cleeng-purchase-status/{id_}"), 503)
        self.assertEqual(self.told["type"], "Unreachable")
        self.assertEqual(self.answer.headers["Retry-After"], "10")
        self.assertTrue(expected[background.QUESTIONS].is_set())
        self.set(api_url=self.fake.url, api_token=TOKEN)
        self.pass_time(seconds=11)
        turns.Asker().turn()
        self.assertEqual(len(self.asked()), 1)
        self.assertEqual(self.status(id_), "succeeded")
        self.assertEqual(len(self.asked()), 1)

    def test_without_a_thread_nothing_is_left(self):
        id_ = self.submitted()
        with HangingServer(HangingServer.answer_never) as server:
            self.set(api_url=server.url, api_token=TOKEN)
            self.assertEqual(self.call("GET", f"@cleeng-purchase-status/{id_}"), 503)
        self.assertEqual(background._left, {})

    def test_failed_by_webhook(self):
        self.member_of_before()
        id_ = self.submitted(subscription_id="never bought")
        self.has("premium")
        self.pass_time(seconds=11)
        self.fake.run()
        self.deliver()
        self.assertEqual(self.status(id_), "failed")
        self.assertIsNone(self.told["access_until"])
        self.has()

    def test_failed_twice(self):
        ids = [self.submitted(subscription_id="never bought") for _ in range(2)]
        self.pass_time(seconds=11)
        self.fake.run()
        self.assertEqual(self.deliver(), [200, 200])
        self.assertEqual([self.status(id_) for id_ in ids], ["failed", "failed"])
        self.assertEqual(len(self.entries()), 4)
        self.assertEqual(ledger.count(self.portal), 4)
        self.assertEqual(len(self.buyer(JANE)["keys"]), 2)

    def test_failed_just_before_access_is_given(self):
        self.member_of_before()
        give = pipeline.process

        def late(told):
            with mock.patch.object(pipeline, "process", give):
                self.pass_time(seconds=11)
                self.fake.run()
                self.deliver()
            give(told)

        with mock.patch.object(pipeline, "process", late):
            found = validating.submit(JANE, "never bought", GOLD, "me")
        self.assertEqual((found["status"], found["access_until"]), ("failed", None))
        self.has()

    def test_failed_when_asked(self):
        self.member_of_before()
        id_ = self.submitted(subscription_id="never bought")
        self.has("premium")
        self.pass_time(seconds=11)
        self.assertEqual(self.status(id_), "failed")
        self.has()

    def test_failed_when_asked_and_something_is_in_the_way(self):
        self.member_of_before()
        id_ = self.submitted(subscription_id="never bought")
        self.pass_time(seconds=11)
        with mock.patch.object(pipeline, "perform", side_effect=RuntimeError):
            self.assertEqual(self.status(id_), "failed")
        self.has("premium")
        self.sweep()
        self.has()

    def test_the_failure_of_another_buyer_ends_nothing(self):
        self.member_of_before()
        self.submitted()
        with mock.patch.dict(self.fake.bought, clear=True):
            id_ = self.submitted(email=JOE)
            self.pass_time(seconds=11)
            self.fake.validations[validation.get(self.portal, id_)["question"]].offer = ""
            self.assertEqual(self.status(id_), "failed")
        self.has("premium")

    def test_only_who_submitted_is_told(self):
        self.user("other", "Validator")
        id_ = self.submitted()
        for path in (id_, "0" * 32, "", f"{id_}/more"):
            status = self.call("GET", f"@cleeng-purchase-status/{path}", "other")
            self.assertEqual(status, 404, path)
        self.assertEqual(self.asked(), [])
        self.assertEqual(self.status(id_), "pending")

    def test_it_is_not_cached(self):
        self.status(self.submitted())
        self.assertEqual(self.answer.headers["Cache-Control"], "no-store")

    def test_the_webhook_is_faster_than_the_answer(self):
        ask = validating.client.validate

        def slow(*arguments):
            found = ask(*arguments)
            self.fake.clock.move(seconds=11)
            self.fake.run()
            self.deliver()
            return found

        with mock.patch.object(validating.client, "validate", slow):
            found = validating.submit(JANE, TV, GOLD, "me")
        self.assertEqual((found["status"], found["access_until"]), ("succeeded", None))
        self.has("premium")

    def test_after_a_day_it_is_forgotten(self):
        id_ = self.submitted()
        self.later(hours=23)
        self.sweep()
        self.assertIsNotNone(validation.get(self.portal, id_))
        self.later(hours=2)
        self.sweep()
        transaction.begin()
        for name in trees.TREES:
            if name.startswith("validations"):
                self.assertEqual(len(trees.tree(self.portal, name)), 0, name)
        self.assertEqual(self.call("GET", f"@cleeng-purchase-status/{id_}"), 404)


class TestMeantime(ValidationTestCase):
    """Access until Cleeng has confirmed it."""

    def test_a_member_has_access_for_fifteen_minutes(self):
        self.member_of_before()
        id_ = self.submitted()
        until = self.now + timedelta(minutes=15)
        self.assertEqual(self.told["access_until"], timestamps.iso(until))
        self.has("premium")
        before = self.fields(JANE)
        self.assertEqual(before["product_id"], "1")
        self.fake.validations.clear()
        self.later(minutes=14)
        self.sweep()
        self.has("premium")
        self.later(minutes=1)
        self.sweep()
        self.has()
        self.assertEqual(self.fields(JANE), before)
        transaction.begin()
        process = validation.get(self.portal, id_)
        self.assertIsNone(validation.access_until(self.portal, process, self.now))

    def test_it_makes_no_member(self):
        self.submitted()
        self.assertIsNone(self.member(JANE))
        self.assertIsNotNone(self.told["access_until"])
        self.assertEqual(self.entries(), [("accepted", "", "")])
        self.sweep()
        self.assertIsNone(self.member(JANE))

    def test_it_touches_no_account_that_bought_nothing(self):
        self.account(JANE, JANE)
        self.submitted()
        self.assertEqual(self.groups(JANE), [])

    def test_once_for_each_subscription_ever(self):
        self.member_of_before()
        self.submitted()
        self.later(minutes=16)
        self.sweep()
        self.submitted()
        self.assertIsNone(self.told["access_until"])
        self.has()
        self.submitted(email=JOE)
        self.assertIsNone(self.told["access_until"])

    def test_twice_a_day_at_most(self):
        self.member_of_before()
        for number in range(4):
            self.submitted(subscription_id=f"invented {number}")
            self.assertEqual(self.told["access_until"] is not None, number < 2)
        self.assertEqual(ledger.count(self.portal, provider="validation"), 2)

    def test_none_after_one_that_ended_unconfirmed_until_it_is_confirmed(self):
        self.member_of_before()
        self.submitted()
        self.pass_time(minutes=16)
        self.submitted(subscription_id="another")
        self.assertIsNone(self.told["access_until"])
        self.pass_time(days=2)
        self.submitted(subscription_id="another")
        self.assertIsNone(self.told["access_until"])
        self.fake.run()
        self.deliver()
        ((customer, _buyer_id),) = trees.tree(self.portal, "buyer_by_customer").items()
        self.choose(JANE, customer=customer)
        self.submitted(subscription_id="yet another", offer_id=SILVER)
        self.assertIsNotNone(self.told["access_until"])

    def test_none_after_one_that_was_refused(self):
        self.member_of_before()
        id_ = self.submitted()
        validating._end(validation.get(self.portal, id_), self.now)
        self.submitted(subscription_id="another")
        self.assertIsNone(self.told["access_until"])
        self.has()

    def test_invented_buyers_do_not_fill_the_ledger(self):
        with mock.patch.object(validation, "A_DAY", 3):
            for number in range(5):
                self.submitted(email=f"x{number}@example.org", subscription_id=f"{number}")
        self.assertEqual(ledger.count(self.portal, provider="validation"), 3)

    def test_submitted_again_it_lasts_no_longer(self):
        self.submitted()
        until = self.told["access_until"]
        self.later(minutes=5)
        self.submitted()
        self.assertEqual(self.told["access_until"], until)

    def test_another_buyer_is_not_told_of_it(self):
        self.submitted()
        self.submitted(email=JOE)
        self.assertIsNone(self.told["access_until"])

    def test_another_buyer_who_was_faster(self):
        give = pipeline.process

        def late(told):
            with mock.patch.object(pipeline, "process", give):
                self.submitted(email=JOE)
            return give(told)

        with mock.patch.object(pipeline, "process", late):
            found = validating.submit(JANE, TV, GOLD, "me")
        self.assertIsNotNone(self.told["access_until"])
        self.assertIsNone(found["access_until"])

    def test_without_an_offer_there_is_none(self):
        self.member_of_before()
        self.submitted(offer_id=None)
        self.assertIsNone(self.told["access_until"])
        self.has()
        self.assertEqual(len(self.entries()), 1)

    def test_after_a_refund_there_is_none(self):
        self.bought()
        self.deliver()
        self.vizio("PAYMENT.REFUND")
        self.has()
        self.submitted()
        self.assertIsNone(self.told["access_until"])
        self.has()

    def test_the_purchase_takes_its_place(self):
        self.member_of_before()
        self.submitted(offer_id=SILVER)
        self.has("course")
        self.pass_time(seconds=11)
        self.fake.run()
        self.deliver()
        ((customer, _buyer_id),) = trees.tree(self.portal, "buyer_by_customer").items()
        self.choose(JANE, customer=customer)
        self.has("premium")
        self.assertEqual(self.fields(JANE)["product_id"], GOLD)

    def test_an_owner_ends_it(self):
        self.member_of_before()
        self.submitted()
        self.has("premium")
        action.carry_out(
            commands.End(self.buyer(JANE)["id"], ("cleeng", GOLD), "Why not.", "me")
        )
        self.has()

    def test_an_owner_does_not_extend_it(self):
        self.submitted()
        buyer_id = self.buyer(JANE)["id"]
        extend = commands.Extend(buyer_id, ("cleeng", GOLD), 30, "Why not.", "me")
        with self.assertRaises(NotPossible):
            action.carry_out(extend)

    def test_pages_tell_of_it(self):
        self.submitted()
        buyer = self.buyer(JANE)
        (standing,) = products.of(history.outcome(self.portal, buyer, self.now))
        self.assertEqual((standing.state, standing.access), (State.PROVISIONAL, True))
        self.user("owner", "Manager")
        for path in (
            f"@click2sell-members/{buyer['id']}",
            f"@click2sell-notifications/{standing.causes[0]['key']}",
            "@click2sell-notifications?kind=provisional",
        ):
            self.assertEqual(self.call("GET", path, "owner"), 200)
            self.assertIn("provisional", self.answer.text)
        for path in (
            f"@@click2sell-members/{buyer['id']}",
            f"@@click2sell-notifications/{standing.causes[0]['key']}",
            "@@click2sell-notifications",
        ):
            self.page(path)

    def page(self, path):
        with requests.Session() as session:
            session.trust_env = False
            url = self.url.removesuffix("@@cleeng") + path
            answer = session.get(url, auth=("owner", PASSWORD), timeout=60)
        self.assertEqual(answer.status_code, 200, path)
        self.assertRegex(answer.text, "provisional|to be confirmed", path)

    def test_erased_it_is_not_given_again(self):
        self.submitted()
        key = next(iter(ledger.newest_first(self.portal)))
        erasure.erase(JANE, "Asked for by letter.", "me")
        transaction.begin()
        entry = ledger.get(self.portal, key)
        self.assertNotIn(TV, repr(dict(entry)))
        self.submitted(email=JOE)
        self.assertIsNone(self.told["access_until"])
        self.assertEqual(len(self.entries()), 1)

    def test_silence_is_not_broken_by_it(self):
        self.submitted()
        self.assertEqual(ledger.count(self.portal, provider="cleeng"), 0)
        self.assertEqual(ledger.count(self.portal, provider="validation"), 1)

    def test_killed_before_it_is_given_the_sweep_does_it(self):
        self.member_of_before()

        class Killed(BaseException):
            """Nothing catches it, as nothing catches a kill."""

        def step(name):
            if name == "recorded":
                raise Killed

        with mock.patch.object(steps, "reached", step), self.assertRaises(Killed):
            validating.submit(JANE, TV, GOLD, "me")
        transaction.abort()
        self.has()
        self.later(minutes=3)
        self.sweep()
        self.has("premium")
        self.later(minutes=12)
        self.sweep()
        self.has()

    def test_replayed_it_changes_nothing(self):
        self.member_of_before()
        self.submitted()
        self.assert_replay_changes_nothing()

    def test_nothing_secret_is_kept(self):
        self.submitted()
        self.assertNotIn(TOKEN, repr(self.dump()["trees"]))
        self.assertIsNone(re.search(JANE, repr(self.dump()["trees"]["validations"])))
