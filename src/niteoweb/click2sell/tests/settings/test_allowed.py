"""Networks that may send: over real HTTP, without writes, and in the settings."""

from niteoweb.click2sell.browser.callback import LARGEST_BODY
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import rejections
from niteoweb.click2sell.settings import networks
from niteoweb.click2sell.settings import rules
from niteoweb.click2sell.tests.cases import deliveries
from niteoweb.click2sell.tests.cases.callback import CallbackTestCase
from niteoweb.click2sell.tests.cases.callback import FORGED
from niteoweb.click2sell.tests.cases.callback import ForgeryTestCase
from niteoweb.click2sell.tests.cases.callback import FORM
from niteoweb.click2sell.tests.cases.callback import MANY
from niteoweb.click2sell.tests.cases.callback import PARSED
from niteoweb.click2sell.tests.cases.pages import ChecklistTestCase
from niteoweb.click2sell.tests.cases.site import SiteTestCase

import http.client
import logging
import transaction


REFUSED = "POST refused: network."
ELSEWHERE = "198.51.100.7"
HERE = "192.0.2.7"


class TestOverHTTP(CallbackTestCase):
    """The tests' own connection comes from 127.0.0.1."""

    def setUp(self):
        super().setUp()
        self.sold = 0

    def lists(self, allowed=(), proxies=()):
        rules.save({"allowed_networks": list(allowed), "trusted_proxies": list(proxies)})
        transaction.commit()

    def sell(self, *forwarded):
        self.sold += 1
        body = deliveries.body(
            buyer_email=f"{self.sold}@example.org", acquirer_transaction_id=f"T-{self.sold}"
        )
        headers = {"X-Forwarded-For": ", ".join(forwarded)} if forwarded else {}
        return self.post(body, headers=headers)

    def assert_taken(self, *forwarded):
        before = self.recorded()
        self.assert_answer(self.sell(*forwarded), 200, PARSED)
        self.assertEqual(self.recorded(), before + 1)

    def assert_refused(self, *forwarded):
        before, counted = self.recorded(), rejections.total(self.portal, rejections.NETWORK)
        self.assert_answer(self.sell(*forwarded), 403, REFUSED)
        self.assertEqual(self.recorded(), before)
        self.assertEqual(rejections.total(self.portal, rejections.NETWORK), counted + 1)

    def test_everybody_by_default(self):
        self.assert_taken()
        self.assert_taken(ELSEWHERE)
        self.lists(proxies=["127.0.0.1"])
        self.assert_taken("nonsense")

    def test_by_the_connection(self):
        self.lists(["127.0.0.0/8"])
        self.assert_taken()
        # Nobody may say so about themselves, nor needs to.
        self.assert_taken(ELSEWHERE)
        self.lists([HERE])
        self.assert_refused()
        self.assert_refused(HERE)

    def test_behind_a_proxy(self):
        self.lists([HERE, "2001:db8::/32"], ["127.0.0.1", "10.0.0.0/8"])
        for forwarded in (
            [HERE],
            [f"{HERE}:50123"],
            [f"::ffff:{HERE}"],
            ["[2001:db8::1]:50123"],
            [ELSEWHERE, HERE],
            ["nonsense", HERE, "10.1.2.3"],
        ):
            with self.subTest(forwarded):
                self.assert_taken(*forwarded)
        for forwarded in (
            [],
            [ELSEWHERE],
            [HERE, ELSEWHERE],
            [HERE, ELSEWHERE, "10.1.2.3"],
            [HERE, "nonsense"],
            [HERE, ""],
            ["10.1.2.3"],
            ["2001:db9::1"],
        ):
            with self.subTest(forwarded):
                self.assert_refused(*forwarded)

    def test_two_headers_are_one_list(self):
        self.lists([HERE], ["127.0.0.1"])
        for first, second, status in ((ELSEWHERE, HERE, 200), (HERE, ELSEWHERE, 403)):
            with self.subTest(status):
                self.assertEqual(self.raw(first, second), status)

    def raw(self, *forwarded):
        """The status of a sale with a header each."""
        connection = http.client.HTTPConnection(self.layer["host"], self.layer["port"])
        self.addCleanup(connection.close)
        body = deliveries.body()
        connection.putrequest("POST", "/plone/@@click2sell")
        connection.putheader("Content-Type", FORM)
        connection.putheader("Content-Length", str(len(body)))
        for value in forwarded:
            connection.putheader("X-Forwarded-For", value)
        connection.endheaders(body)
        return connection.getresponse().status

    def test_after_the_method_and_before_the_body(self):
        self.lists([HERE])
        self.assert_answer(self.post(b"", method="GET"), 405, "No POST request.")
        for body, content_type in (
            (b"x" * (LARGEST_BODY + 1), FORM),
            (b"{}", "application/json"),
            (b"", FORM),
            (deliveries.body(checksum="0" * 32), FORM),
        ):
            with self.subTest(content_type, size=len(body)):
                self.assert_answer(self.post(body, content_type), 403, REFUSED)

    def test_a_list_that_cannot_be_read_allows_nobody(self):
        # Written past the form, into the registry.
        self.lists(["everybody"])
        with self.assertLogs("niteoweb.click2sell", logging.ERROR) as logged:
            networks._networks.cache_clear()
            self.assert_refused()
        self.assertNotIn("everybody", "".join(logged.output))
        self.lists(["everybody", "127.0.0.1"])
        self.assert_taken()
        self.lists([HERE], ["everybody"])
        self.assert_refused(HERE)

    def test_no_address_in_the_log(self):
        self.lists([HERE], ["127.0.0.1"])
        with self.assertNoLogs("niteoweb.click2sell"):
            self.assert_refused(ELSEWHERE)
            self.assert_refused("nonsense")


class TestCheapRefusals(ForgeryTestCase):
    """Nobody can make the database grow without a valid signature."""

    def refuse(self, times, body, answer):
        size = self.portal._p_jar.db().getSize()
        with self.no_commit():
            for _number in range(times):
                self.assertEqual(self.deliver(body), answer)
        self.assertEqual(self.portal._p_jar.db().getSize(), size)

    def test_ten_thousand_from_a_wrong_network(self):
        self.settings(allowed_networks=[HERE])
        self.refuse(MANY, deliveries.body(), (403, REFUSED))
        self.assertEqual(self.remarks("network"), (0, ()))
        self.assertEqual(rejections.total(self.portal, rejections.NETWORK), MANY)
        self.assertEqual(rejections.total(self.portal, FORGED), 0)
        self.sweep()
        count, samples = self.remarks("network")
        self.assertEqual((count, len(samples)), (MANY, rejections.SAMPLES))
        # When it came; the body was not read.
        self.assertEqual({size for _time, size in samples}, {0})
        self.assertEqual(self.remarks(), (0, ()))

    def test_oversized_bodies(self):
        body = deliveries.body(cp_a="x" * LARGEST_BODY)
        self.refuse(1000, body, (413, "POST too large."))

    def test_empty_ones_and_missing_parameters(self):
        self.refuse(1000, b"", (400, "No POST request."))
        self.refuse(1000, b"a=b", (400, "POST parameter missing: 'checksum'"))


class TestSettings(SiteTestCase):
    def problems(self, **values):
        found = rules.validate(rules.normalize(values))
        return [(name, str(message.mapping["line"]), str(message)) for name, message in found]

    def test_normal(self):
        for name in networks.SETTINGS:
            given = [" 192.0.2.7 ", "", "192.0.2.7", "2001:db8::/32"]
            with self.subTest(name):
                normal = rules.normalize({name: given})
                self.assertEqual(normal, {name: ["192.0.2.7", "2001:db8::/32"]})
                self.assertEqual(rules.validate(normal), [])
                self.assertEqual(rules.normalize({name: None}), {name: []})

    def test_wrong(self):
        for name in networks.SETTINGS:
            with self.subTest(name):
                found = self.problems(**{name: ["example.org", "192.0.2.0/24", "192.0.2.7/24"]})
                self.assertEqual(
                    [line for _name, line, _text in found], ["example.org", "192.0.2.7/24"]
                )
                self.assertEqual({found_name for found_name, *_rest in found}, {name})
        ((_name, message),) = rules.validate({"allowed_networks": ["192.0.2.7/24"]})
        self.assertEqual(message.mapping["meant"], "192.0.2.0/24")

    def test_nobody_trusts_everybody(self):
        for line in ("0.0.0.0/0", "::/0"):
            with self.subTest(line):
                self.assertEqual(len(self.problems(trusted_proxies=[line])), 1)
                self.assertEqual(self.problems(allowed_networks=[line]), [])

    def test_no_list(self):
        for value in ("192.0.2.7", [7], {}):
            with self.subTest(value):
                found = rules.validate(rules.normalize({"allowed_networks": value}))
                self.assertEqual([name for name, _message in found], ["allowed_networks"])


class TestChecklist(ChecklistTestCase):
    def refuse(self):
        rejections.note(self.portal, 0, self.now, rejections.NETWORK)

    def test_how_to_find_out(self):
        self.assertNotIn("networks", self.items())
        self.settings(allowed_networks=[HERE])
        self.assertEqual(self.items()["networks"].state, "ok")
        self.refuse()
        item = self.items()["networks"]
        self.assertEqual((item.state, item.moment), ("warning", self.now))
        self.assertEqual(item.text.mapping["number"], 1)
        self.later(minutes=1)
        self.buy()
        self.assertEqual(ledger.count(self.portal), 1)
        self.assertEqual(self.items()["networks"].state, "ok")
        self.later(minutes=1)
        self.refuse()
        item = self.items()["networks"]
        self.assertEqual((item.state, item.text.mapping["number"]), ("warning", 2))
