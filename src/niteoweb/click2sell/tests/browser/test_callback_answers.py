"""The callback over real HTTP: what is not accepted, and what is checked first."""

from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.browser import callback
from niteoweb.click2sell.providers.click2sell import protocol as click2sell
from niteoweb.click2sell.tests.cases import deliveries
from niteoweb.click2sell.tests.cases.callback import CallbackTestCase
from niteoweb.click2sell.tests.cases.callback import FORM
from niteoweb.click2sell.tests.cases.callback import PARSED

import requests
import transaction


TOO_LARGE = "POST too large."
WRONG_TYPE = "POST has the wrong content type."
NO_POST = "No POST request."
NO_KEY = "Secret key is not set."
WRONG_CHECKSUM = "Checksum verification failed."


class AnswersTestCase(CallbackTestCase):
    def setUp(self):
        super().setUp()
        self.newest = self.layer["portal"]._p_jar.db().lastTransaction()

    def set_key(self, key):
        plone_site.settings().secretkey = key
        transaction.commit()
        self.newest = self.portal._p_jar.db().lastTransaction()

    def assert_refused(self, response, status, text):
        """The answer is this, and nothing at all was written to the database."""
        self.assert_answer(response, status, text)
        self.assert_nothing_written()

    def assert_nothing_written(self):
        self.assertEqual(self.portal._p_jar.db().lastTransaction(), self.newest)
        self.assertEqual(self.recorded(), 0)


class TestAnswers(AnswersTestCase):
    def test_get(self):
        for body in (None, deliveries.body()):
            answer = self.post(body, method="GET")
            self.assert_refused(answer, 405, NO_POST)
            self.assertEqual(answer.headers["Allow"], "POST")

    def test_get_with_everything_in_the_query_string(self):
        url = f"{self.url}?{deliveries.body().decode()}"
        self.assert_refused(requests.get(url, timeout=30), 405, NO_POST)

    def test_head(self):
        answer = self.post(None, method="HEAD")
        self.assert_refused(answer, 405, "")
        self.assertEqual(answer.headers["Allow"], "POST")

    def test_other_methods(self):
        for method in ("PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "TRACE", "X"):
            for accept in ("*/*", "text/html"):
                with self.subTest(method, accept=accept):
                    answer = self.post(
                        deliveries.body(), method=method, headers={"Accept": accept}
                    )
                    self.assertGreaterEqual(answer.status_code, 400)
                    self.assertNotIn("Traceback", answer.text)
                    self.assertNotIn("File ", answer.text)
                    self.assert_nothing_written()

    def test_empty(self):
        self.assert_refused(self.post(b""), 400, NO_POST)
        self.assert_refused(self.post(b"", content_type=None), 400, NO_POST)

    def test_parameters_missing(self):
        for name in ("checksum", "acquirer_transaction_id"):
            for value in (None, ""):
                changes = {"checksum": click2sell.sign(deliveries.SECRET_KEY, "T-1")}
                body = deliveries.body(**{**changes, name: value})
                with self.subTest(name, value=value):
                    text = f"POST parameter missing: '{name}'"
                    self.assert_refused(self.post(body), 400, text)
        self.assert_refused(self.post(b"&"), 400, "POST parameter missing: 'checksum'")

    def test_signed_parameters_missing(self):
        for number, name in enumerate(click2sell.REQUIRED):
            text = f"POST parameter missing: '{name}'"
            with self.subTest(name):
                self.assert_answer(self.sell(**{name: None}), 400, text)
                # The same answer a second time, and one entry.
                self.assert_answer(self.sell(**{name: None}), 400, text)
                self.assertEqual(self.recorded(), number + 1)

    def test_parameters_malformed(self):
        for name, value in (
            ("buyer_email", "nonsense"),
            ("purchase_date", "2026-02-30"),
            ("purchase_time", "24:00:00"),
            ("buyer_name", "John\r\nBcc: jane@example.org"),
            ("product_name", "a\0b"),
        ):
            with self.subTest(name):
                text = f"POST parameter invalid: '{name}'"
                self.assert_answer(self.sell(**{name: value}), 400, text)

    def test_a_parameter_that_comes_twice(self):
        body = deliveries.body() + b"&buyer_email=jane%40example.org"
        self.assert_answer(self.post(body), 400, "POST parameter invalid: 'buyer_email'")
        self.assertIsNone(self.member())
        self.assertIsNone(self.member("jane@example.org"))

    def test_a_transaction_id_that_a_forger_could_make(self):
        text = "POST parameter invalid: 'acquirer_transaction_id'"
        for transaction_id in ("T-1\x80\0\0", "T 1", "T-1 ", "x" * 129, "ž"):
            with self.subTest(transaction_id):
                body = deliveries.body(acquirer_transaction_id=transaction_id)
                self.assert_refused(self.post(body), 400, text)

    def test_bytes_in_no_encoding(self):
        answer = self.post(deliveries.body() + b"&buyer_city=%81")
        self.assert_answer(answer, 400, "POST parameter invalid: 'buyer_city'")

    def test_wrong_signature(self):
        for checksum in ("0" * 32, "x", click2sell.sign("another key", "T-1")):
            with self.subTest(checksum):
                answer = self.post(deliveries.body(checksum=checksum))
                self.assert_refused(answer, 403, WRONG_CHECKSUM)

    def test_wrong_content_type(self):
        for content_type in (
            "application/json",
            "text/plain",
            "application/xml",
            "application/octet-stream",
            None,
        ):
            with self.subTest(content_type):
                answer = self.post(deliveries.body(), content_type)
                self.assert_refused(answer, 415, WRONG_TYPE)

    def test_well_formed_multipart(self):
        files = {name: (None, value) for name, value in deliveries.fields().items()}
        answer = requests.post(self.url, files=files, timeout=30)
        self.assert_refused(answer, 415, WRONG_TYPE)

    def test_key_not_set(self):
        for key in (None, ""):
            with self.subTest(key):
                self.set_key(key)
                signed_with_nothing = deliveries.body(checksum=click2sell.sign("", "T-1"))
                for body in (deliveries.body(), signed_with_nothing):
                    answer = self.post(body)
                    self.assert_refused(answer, 503, NO_KEY)
                    self.assertEqual(answer.headers["Retry-After"], str(callback.RETRY_AFTER))

    def test_another_key_holds_at_once(self):
        self.set_key("another key of sufficient length")
        self.assert_refused(self.sell(), 403, WRONG_CHECKSUM)
        body = deliveries.body(
            checksum=click2sell.sign("another key of sufficient length", "T-1")
        )
        self.assert_answer(self.post(body), 200, PARSED)

    def test_the_query_string_does_not_count(self):
        signed = deliveries.body().decode("ascii")
        missing = "POST parameter missing: 'checksum'"
        for query, body, status, text in (
            (signed, b"", 400, NO_POST),
            (signed, b"a=b", 400, missing),
            ("buyer_email=jane@example.org&BODYFILE=x&product_id=2", None, 200, PARSED),
        ):
            with self.subTest(query, body=body):
                url = f"{self.url}?{query}"
                answer = self.post(deliveries.body() if body is None else body, url=url)
                self.assert_answer(answer, status, text)
        (entry,) = self.entries()
        self.assertEqual((entry["buyer"], entry["product_id"]), ("john@example.org", "1"))
        self.assertNotIn("BODYFILE", entry["payload"])
        self.assertIsNone(self.member("jane@example.org"))


class TestSize(AnswersTestCase):
    def padded(self, size, start=None):
        start = (deliveries.body() if start is None else start) + b"&cp_a="
        return start + b"x" * (size - len(start))

    def test_the_largest(self):
        self.assert_answer(self.post(self.padded(65_536)), 200, PARSED)
        self.assertIsNotNone(self.member())

    def test_too_large(self):
        for size in (65_537, 900_000):
            for content_type in (FORM, "application/json", None):
                with self.subTest(size, content_type=content_type):
                    answer = self.post(self.padded(size), content_type)
                    self.assert_refused(answer, 413, TOO_LARGE)

    def test_larger_than_the_publisher_takes(self):
        answer = self.post(self.padded(1_100_000))
        self.assertGreaterEqual(answer.status_code, 400)
        self.assertNotIn("Traceback", answer.text)
        self.assert_nothing_written()

    def test_in_chunks(self):
        for size, status, text in ((65_536, 200, PARSED), (65_537, 413, TOO_LARGE)):
            body = self.padded(size)
            answer = self.post(iter([body[:10], body[10:50_000], body[50_000:]]))
            with self.subTest(size):
                self.assertEqual(answer.request.headers["Transfer-Encoding"], "chunked")
                self.assert_answer(answer, status, text)


class TestOrder(AnswersTestCase):
    """Each delivery has everything wrong that is checked later, too."""

    LARGE = b"x" * 70_000
    NO_EMAIL = {"buyer_email": None, "purchase_date": "never"}

    def test_method_size_content_type_empty_key(self):
        self.set_key("")
        for text, status, answer in (
            (NO_POST, 405, self.post(self.LARGE, "application/json", method="GET")),
            (TOO_LARGE, 413, self.post(self.LARGE, "application/json")),
            (WRONG_TYPE, 415, self.post(b"", "application/json")),
            (WRONG_TYPE, 415, self.post(b"{}", "application/json")),
            (NO_POST, 400, self.post(b"")),
            (NO_KEY, 503, self.post(b"checksum=x")),
        ):
            with self.subTest(text):
                self.assert_refused(answer, status, text)

    def test_missing_signature_fields(self):
        missing = "POST parameter missing: 'acquirer_transaction_id'"
        body = deliveries.body(checksum="x", acquirer_transaction_id=None, **self.NO_EMAIL)
        self.assert_refused(self.post(body), 400, missing)
        body = deliveries.body(checksum="x", acquirer_transaction_id="a b", **self.NO_EMAIL)
        self.assert_refused(self.post(body), 403, WRONG_CHECKSUM)
        body = deliveries.body(acquirer_transaction_id="a b", **self.NO_EMAIL)
        invalid = "POST parameter invalid: 'acquirer_transaction_id'"
        self.assert_refused(self.post(body), 400, invalid)
        self.assert_answer(
            self.sell(**self.NO_EMAIL), 400, "POST parameter missing: 'buyer_email'"
        )
        # Only the last one was genuine.
        self.assertEqual(self.recorded(), 1)
