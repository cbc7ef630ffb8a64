"""Is every delivery either read or refused?"""

from dataclasses import replace
from niteoweb.click2sell.notification import Answer
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import DeliveryError
from niteoweb.click2sell.notification import EmptyBody
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.notification import WrongContentType
from niteoweb.click2sell.testing.conformance.case import changes
from niteoweb.click2sell.testing.conformance.case import for_each_sample
from niteoweb.click2sell.testing.conformance.case import ProviderCase
from niteoweb.click2sell.testing.conformance.case import Sample
from niteoweb.click2sell.testing.conformance.case import SECRET_KEY
from niteoweb.click2sell.testing.conformance.shape import is_payload
from niteoweb.click2sell.testing.conformance.shape import mistakes


#: Bytes; a longer body does not get as far as the provider.
LARGEST_BODY = 64 * 1024

_BEGINNINGS = (b"{", b"[", b'{"a":', b'"', b"\\", b"9", b"=", b"&", b"%", b"a=1&", b"\x00")

#: Bodies that nobody can make anything of.
ODD_BODIES = (
    *(b"\x00", b" ", b"\n", b"{}", b"[]", b"null", b"true", b"1", b'""', b"=", b"&", b"%"),
    *(b"\xff\xfe", b"\xc3\x28", b'{"a": "\\ud800"}', b'{"a": NaN}', b'{"a": 1, "a": 2}'),
    *(bytes(range(256)), b'{"a": 1e999999999}', b"<?xml version='1.0'?><a/>"),
    *((start * LARGEST_BODY)[:LARGEST_BODY] for start in _BEGINNINGS),
)

_CONTENT_TYPES = (
    *("", "text/plain", "text/html", "multipart/form-data; boundary=x", "application/xml"),
    *("application/octet-stream", "\x00", ";", "/", "a" * 10_000),
)
_HEADER_VALUES = ("", " ", "=", ",", "\x00", "\xff", "t=,s=", "0" * 64, "ä" * 64, "a" * 10_000)


class RobustnessCase(ProviderCase):
    """Bodies, headers and content types of every kind."""

    @for_each_sample
    def test_an_empty_body_is_refused(self, sample: Sample) -> None:
        delivery = replace(self.deliver(b"", SECRET_KEY, self.now), body=b"")
        for content_type in (self.signed(sample).content_type, ""):
            with self.assertRaises(EmptyBody):
                self.read(replace(delivery, content_type=content_type))

    @for_each_sample
    def test_another_content_type_is_refused(self, sample: Sample) -> None:
        delivery = self.signed(sample)
        for content_type in _CONTENT_TYPES:
            if content_type != delivery.content_type:
                with self.subTest(content_type[:40]), self.assertRaises(WrongContentType):
                    self.read(replace(delivery, content_type=content_type))

    @for_each_sample
    def test_parameters_of_the_content_type_do_not_count(self, sample: Sample) -> None:
        delivery = self.signed(sample)
        media_type = delivery.content_type.partition(";")[0].strip()
        for content_type in (media_type.upper(), f"{media_type}; charset=UTF-8"):
            self.assertTrue(self.read(replace(delivery, content_type=content_type)))

    @for_each_sample
    def test_odd_bodies_are_refused(self, sample: Sample) -> None:
        for body in ODD_BODIES:
            with self.subTest(body[:20]):
                notifications = self.read_if_accepted(replace(self.signed(sample), body=body))
                self.assertEqual(notifications, ())

    @for_each_sample
    def test_odd_headers_are_refused(self, sample: Sample) -> None:
        delivery = self.signed_by_headers(sample)
        for name in delivery.headers:
            for value in _HEADER_VALUES:
                headers = {**delivery.headers, name: value}
                with self.subTest(f"{name}: {value[:20]}"):
                    notifications = self.read_if_accepted(replace(delivery, headers=headers))
                    self.assertEqual(notifications, ())

    def test_odd_bodies_that_are_signed_are_read_or_recorded(self) -> None:
        for body in ODD_BODIES:
            self._assert_handled(body, repr(body[:20]))

    @for_each_sample
    def test_signed_bodies_that_end_early_are_read_or_recorded(self, sample: Sample) -> None:
        for length in range(1, len(sample.body)):
            self._assert_handled(sample.body[:length], f"{length} bytes of it")

    @for_each_sample
    def test_changed_bodies_that_are_signed_are_read_or_recorded(self, sample: Sample) -> None:
        for what, body in changes(sample.body, step=1 if self.thorough else 5):
            self._assert_handled(body, what)

    def test_answers_keep_their_meaning(self) -> None:
        for status in (200, 400, 403, 404, 405, 409, 413, 415, 500, 503):
            answer = self.provider.answer(status, "A text.")
            self.assertIs(type(answer), Answer)
            taken = 200 <= answer.status < 300
            self.assertEqual(taken, status == 200, "whether it has to be delivered again")

    def _assert_handled(self, body: bytes, what: str) -> None:
        """A signed delivery is read, or its payload can be kept for a person to look at.

        :param what: is said where it fails.
        """
        try:
            problems = self._handled(self.deliver(body, SECRET_KEY, self.now))
        except Exception as error:
            raise AssertionError(f"{what}: {type(error).__name__}") from error
        self.assertEqual(problems, [], what)

    def _handled(self, delivery: Delivery) -> list[str]:
        """Problems of the notifications of a delivery."""
        try:
            genuine = self.provider.verify(delivery, self.settings(), self.now)
        except DeliveryError:
            return []
        if not is_payload(genuine.payload()) or type(genuine.transaction) is not str:
            return ["payload or transaction of what is signed, and not read yet"]
        try:
            notifications = self.provider.parse(genuine, self.zone)
        except ParameterError:
            return []
        wrong = [
            mistake for one in notifications for mistake in mistakes(one, self.said("name"))
        ]
        return wrong if notifications else ["no notification"]
