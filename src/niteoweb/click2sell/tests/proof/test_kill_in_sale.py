"""Processes that are killed in the middle of a sale in the store, at each of its states."""

from http.client import HTTPException
from niteoweb.click2sell.providers.webtv.fake import FakeWebTV
from niteoweb.click2sell.providers.webtv.fake import KEY_ID
from niteoweb.click2sell.tests.proof.onsite import Place
from niteoweb.click2sell.tests.proof.server import CLOCK
from niteoweb.click2sell.tests.proof.server import HOST
from niteoweb.click2sell.tests.proof.server import OWNER
from niteoweb.click2sell.tests.proof.server import Server
from tools import client
from tools.instance import CONFIGURATION

import json
import signal
import time
import unittest


JSON = {"Accept": "application/json", "Content-Type": "application/json"}
#: Seconds in which the background of a site finishes a sale.
WITHIN = 60

#: Where the process dies: before the store does what it is asked for, or after it, so that the
#: answer is lost; and the state that has to be written down by then.
PLACES = (
    ("after", "modify_cart", "begun"),
    ("before", "place_order", "placing"),
    ("after", "place_order", "placing"),
    ("before", "add_payment", "paying"),
    ("after", "add_payment", "paying"),
    ("before", "process_order", "processing"),
    ("after", "process_order", "processing"),
    ("after", "set_subscription_rp", "processed"),
    ("after", "get_cvr", "processed"),
)


class DeadlyStore(FakeWebTV):
    """A store that kills who asks it.

    :ivar victim: the server that is killed, None for nobody.
    :ivar place: when, and at which question.
    """

    victim: Server | None = None
    place = ("", "")

    def __enter__(self):
        super().__enter__()
        # Who was killed reads no answer.
        self._server.handle_error = lambda *_where: None
        return self

    def answer(self, request):
        """The answer to a question."""
        do = request.query.get("do")
        self._kill("before", do)
        if self.victim is None and self.place == ("before", do):
            # It never came.
            self.place = ("", "")
            return self.error(503)
        answer = super().answer(request)
        self._kill("after", do)
        return answer

    def _kill(self, when, do):
        if self.victim is not None and self.place == (when, do):
            self.victim.kill()
            self.victim = None


class TestKillInSale(unittest.TestCase):
    layer = Place("KillInSale")

    def setUp(self):
        self.fake = self.enterContext(DeadlyStore())
        self.fake.expiry = 1_000_000  # the site's clock is put forward, the store's is not
        self.store = self.fake.store
        self.store.add_product("12", "10.00", "SUBSCRIPTION")
        self.hours = 0
        self.put_forward()
        self.server = self.layer.start().wait()
        self.assertEqual(
            self.ask(
                "PATCH",
                "@controlpanels/webtv",
                enabled=True,
                api_url=self.fake.url,
                api_key_id=KEY_ID,
                api_token=self.fake.secret,
                currency="EUR",
                mapping=["12|premium"],
            ).status,
            204,
        )

    def put_forward(self):
        (self.layer.folder / CONFIGURATION).with_name(CLOCK).write_text(
            f"{self.hours}", "ascii"
        )

    def ask(self, method, path, **options):
        body = json.dumps(options).encode() if options else None
        with client.Connection(self.server.port, OWNER, host=HOST) as connection:
            return connection.ask(method, path, body, JSON)

    def sell(self, number, email):
        """Both calls of a sale; the state after them."""
        answer = self.ask(
            "POST", "@webtv-sales", reference=f"R-{number}", email=email,
            items=[{"product": "12"}],
        )  # fmt: skip
        sale = answer.json()
        if sale.get("state") == "placed":
            answer = self.ask(
                "POST", f"@webtv-sales/{sale['id']}/pay", transaction=f"T-{number}",
                amount="10.00", currency="EUR",
            )  # fmt: skip
        return answer.json()

    def sale(self, number):
        items = self.ask("GET", "@webtv-sales").json()["items"]
        return next(one for one in items if one["reference"] == f"R-{number}")

    def test_at_each_state(self):
        for number, (when, do, state) in enumerate(PLACES):
            with self.subTest(when, do=do):
                email = f"u{number}@example.org"
                user = self.store.add_user(email)
                self.fake.victim, self.fake.place = self.server, (when, do)
                with self.assertRaises((OSError, HTTPException)):
                    self.sell(number, email)
                self.server.stop()
                self.assertEqual(self.server.process.status, -signal.SIGKILL)
                asked = len(self.fake.asked)
                self.come_back_later()
                left = self.sale(number)
                # It was written down before the store was asked, and nothing is asked yet.
                self.assertEqual((left["state"], left["attention"]), (state, ""))
                self.finish(number, email)
                # Who comes back looks first.
                told = [act for act, iq, _form in self.fake.asked[asked:] if iq == user]
                expected = "get_subscription_pre_rp_info" if do.startswith("set_") else do
                expected = expected if do == "get_cvr" or do.startswith("set_") else "get_cart"
                self.assertIn(expected, told[:2])
                self.assert_sold_once(user, email)
        self.assertEqual(self.server.state()["contradictions"], [])

    def come_back_later(self):
        """Another process, after the lease of the dead one."""
        self.hours += 1
        self.put_forward()
        self.server = self.layer.start().wait()

    def finish(self, number, email):
        """The background goes on with it, or the caller calls again."""
        self.server.sweep()
        deadline = time.monotonic() + WITHIN
        while (sale := self.sale(number))["state"] != "done":
            self.assertEqual(sale["attention"], "", sale["log"])
            self.assertLess(time.monotonic(), deadline, sale["log"])
            if sale["state"] in ("begun", "carted", "placed"):
                self.sell(number, email)
            time.sleep(0.5)

    def assert_sold_once(self, user, email):
        mine = [one for one in self.store.subscriptions.values() if one["user"] == user]
        self.assertEqual([one["rp_status"] for one in mine], ["Active"])
        self.assertIsNone(self.store.users[user]["order"])
        self.assertEqual(self.store.users[user]["cart"], {})
        number = len(self.store.processed)
        self.assertEqual(number, len(set(self.store.processed)))
        self.assertEqual(len(self.store.payments), number)
        self.assertEqual(len({order for order, _form in self.store.payments}), number)
        member = self.ask("GET", f"@users/{email}").json()
        groups = {group["id"] for group in member["groups"]["items"]}
        self.assertLessEqual({"click2sell", "premium"}, groups)
