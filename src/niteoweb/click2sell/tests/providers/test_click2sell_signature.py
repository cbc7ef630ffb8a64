"""Click2Sell: what counts as genuine."""

from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import EmptyBody
from niteoweb.click2sell.notification import ParameterInvalid
from niteoweb.click2sell.notification import ParameterMissing
from niteoweb.click2sell.notification import SecretKeyNotSet
from niteoweb.click2sell.notification import WrongContentType
from niteoweb.click2sell.notification import WrongSignature
from niteoweb.click2sell.providers.click2sell import protocol as click2sell
from niteoweb.click2sell.tests.cases import deliveries
from unittest import mock
from urllib.parse import quote_from_bytes
from urllib.parse import urlencode

import hashlib
import hmac
import math
import struct
import unittest


KEY = deliveries.SECRET_KEY
VECTOR = "B457E9433F98EF22AA9DD9BA4A5E2B16"

_SHIFTS = [7, 12, 17, 22] * 4 + [5, 9, 14, 20] * 4 + [4, 11, 16, 23] * 4 + [6, 10, 15, 21] * 4
_SINES = [int(abs(math.sin(number + 1)) * 2**32) for number in range(64)]


def md5_block(state: tuple[int, ...], block: bytes) -> tuple[int, ...]:
    """A round of RFC 1321, from any state."""
    words = struct.unpack("<16I", block)
    a, b, c, d = state
    for number in range(64):
        if number < 16:
            mixed, word = (b & c) | (~b & d), number
        elif number < 32:
            mixed, word = (d & b) | (~d & c), (5 * number + 1) % 16
        elif number < 48:
            mixed, word = b ^ c ^ d, (3 * number + 5) % 16
        else:
            mixed, word = c ^ (b | (~d & 0xFFFFFFFF)), (7 * number) % 16
        total = (a + mixed + _SINES[number] + words[word]) & 0xFFFFFFFF
        turned = (total << _SHIFTS[number]) | (total >> (32 - _SHIFTS[number]))
        a, b, c, d = d, (b + turned) & 0xFFFFFFFF, b, c
    return tuple((old + new) & 0xFFFFFFFF for old, new in zip(state, (a, b, c, d), strict=True))


def padding(length: int) -> bytes:
    """The padding that MD5 appends to a message of so many bytes."""
    return b"\x80" + b"\x00" * ((55 - length) % 64) + struct.pack("<Q", length * 8)


def extend(checksum: str, length: int, suffix: bytes) -> tuple[bytes, str]:
    """Append to a message of which only the checksum and the length are known.

    :returns: what was appended, and the checksum of the whole.
    """
    state = struct.unpack("<4I", bytes.fromhex(checksum))
    glue = padding(length)
    blocks = suffix + padding(length + len(glue) + len(suffix))
    for start in range(0, len(blocks), 64):
        state = md5_block(state, blocks[start : start + 64])
    return glue + suffix, struct.pack("<4I", *state).hex().upper()


def delivery(body: bytes, content_type: str = click2sell.CONTENT_TYPE) -> Delivery:
    return Delivery(body, content_type)


def signed(**parameters: str) -> Delivery:
    return delivery(urlencode(parameters).encode("ascii"))


def verify(found: Delivery, key: str, previous: str = "") -> click2sell.Form:
    return click2sell.verify(found, deliveries.keys(key, previous), deliveries.NOW)


class TestChecksum(unittest.TestCase):
    def verify(self, transaction: str, checksum: str, key: str = KEY):
        return verify(signed(acquirer_transaction_id=transaction, checksum=checksum), key)

    def test_vector(self):
        self.assertEqual(click2sell.sign("secret", "123"), VECTOR)
        self.verify("123", VECTOR, "secret")

    def test_lower_case_is_the_same_number(self):
        self.verify("123", VECTOR.lower(), "secret")

    def test_wrong(self):
        for checksum in (
            "0" * 32,
            VECTOR[:-1],
            VECTOR + "0",
            f" {VECTOR}",
            f"{VECTOR}\n",
            f"{VECTOR}\0",
            VECTOR[:16],
            "é" * 16,
            "0",
            click2sell.sign("secret", "124"),
            click2sell.sign("Secret", "123"),
            click2sell.sign("", "123"),
            hashlib.md5(b"123").hexdigest().upper(),
        ):
            with self.subTest(checksum), self.assertRaises(WrongSignature):
                self.verify("123", checksum, "secret")

    def test_any_other_character_is_wrong(self):
        for place, character in enumerate(VECTOR):
            other = "0" if character != "0" else "1"
            with self.subTest(place), self.assertRaises(WrongSignature):
                self.verify("123", VECTOR[:place] + other + VECTOR[place + 1 :], "secret")

    def test_wrong_key(self):
        with self.assertRaises(WrongSignature):
            self.verify("123", VECTOR, KEY)

    def test_key_outside_ascii(self):
        key = "clé secrète 鍵"
        self.verify("123", click2sell.sign(key, "123"), key)

    def test_without_a_key_nothing_is_genuine(self):
        with self.assertRaises(SecretKeyNotSet):
            self.verify("123", click2sell.sign("", "123"), "")

    def test_two_keys(self):
        for key, by_previous in ((KEY, False), ("before", True)):
            with self.subTest(key):
                checksum = click2sell.sign(key, "123")
                found = signed(acquirer_transaction_id="123", checksum=checksum)
                form = verify(found, KEY, "before")
                self.assertIs(form.by_previous_key, by_previous)
                if by_previous:
                    with self.assertRaises(WrongSignature):
                        verify(found, KEY)
        with self.assertRaises(WrongSignature):
            verify(signed(acquirer_transaction_id="123", checksum=VECTOR), KEY, "before")

    def test_the_previous_key_alone_is_no_key(self):
        checksum = click2sell.sign("before", "123")
        with self.assertRaises(SecretKeyNotSet):
            verify(signed(acquirer_transaction_id="123", checksum=checksum), "", "before")

    def test_an_empty_previous_key_signs_nothing(self):
        checksum = click2sell.sign("", "123")
        with self.assertRaises(WrongSignature):
            verify(signed(acquirer_transaction_id="123", checksum=checksum), KEY, "")

    def test_both_keys_are_always_compared(self):
        for key in KEY, "before", "another":
            found = signed(acquirer_transaction_id="123", checksum=click2sell.sign(key, "123"))
            with (
                self.subTest(key),
                mock.patch.object(hmac, "compare_digest", return_value=False) as same,
            ):
                with self.assertRaises(WrongSignature):
                    verify(found, KEY, "before")
                self.assertEqual(same.call_count, 2)

    def test_the_comparison_takes_the_same_time_for_all(self):
        with mock.patch.object(hmac, "compare_digest", wraps=hmac.compare_digest) as compare:
            self.verify("123", VECTOR, "secret")
        given = VECTOR.encode("ascii")
        without_key = click2sell.sign("", "123").encode("ascii")
        self.assertEqual(
            compare.call_args_list, [mock.call(given, given), mock.call(given, without_key)]
        )
        # Whatever it says is what counts: there is no other comparison beside it.
        with mock.patch.object(hmac, "compare_digest", return_value=False):  # noqa: SIM117
            with self.assertRaises(WrongSignature):
                self.verify("123", VECTOR, "secret")

    def test_missing_or_twice(self):
        both = {"acquirer_transaction_id": "123", "checksum": VECTOR}
        for name in both:
            for missing in ({name: ""}, {name: None}):
                values = {k: v for k, v in {**both, **missing}.items() if v is not None}
                with self.subTest(missing), self.assertRaises(ParameterMissing) as caught:
                    verify(signed(**values), "secret")
                self.assertEqual(caught.exception.parameter, name)
            body = urlencode([*both.items(), (name, both[name])]).encode("ascii")
            with self.subTest(f"{name} twice"), self.assertRaises(ParameterInvalid) as caught:
                verify(delivery(body), "secret")
            self.assertEqual(caught.exception.parameter, name)


class TestTransactionId(unittest.TestCase):
    def verify(self, raw: bytes) -> None:
        checksum = hashlib.md5(KEY.encode("utf-8") + b"_" + raw).hexdigest().upper()
        body = f"acquirer_transaction_id={quote_from_bytes(raw)}&checksum={checksum}"
        form = verify(delivery(body.encode("ascii")), KEY)
        self.assertEqual(form.signed("acquirer_transaction_id"), raw)

    def test_good(self):
        for raw in (b"1", b"x" * 128, b"!~", b"2012-A/7_b", b"a+b&c=d%20"):
            with self.subTest(raw):
                self.verify(raw)

    def test_signed_but_not_acceptable(self):
        for raw in (
            b"x" * 129,
            b" ",
            b"12 3",
            b" 123",
            b"123 ",
            b"123\n",
            b"123\r",
            b"\t123",
            b"123\x00",
            b"123\x7f",
            "12é".encode(),
            b"12\xe9",
            b"\xff\xfe",
            "１２３".encode(),
        ):
            with self.subTest(raw), self.assertRaises(ParameterInvalid) as caught:
                self.verify(raw)
            self.assertEqual(caught.exception.parameter, "acquirer_transaction_id")

    def test_the_extension_of_this_module_is_md5(self):
        for length in (0, 1, 54, 55, 56, 63, 64, 119, 200):
            message = bytes(range(length % 256)).ljust(length, b"x")
            known = hashlib.md5(message).hexdigest()
            for suffix in (b"", b"evil", b"y" * 100):
                appended, checksum = extend(known, length, suffix)
                with self.subTest(length=length, suffix=suffix):
                    whole = hashlib.md5(message + appended).hexdigest().upper()
                    self.assertEqual(checksum, whole)

    def test_an_extended_transaction_id_is_refused(self):
        """A reader of one checksum can make others without the key; none of them is of use."""
        for suffix in (b"", b"4", b"evil-transaction", b"z" * 90):
            known = click2sell.sign(KEY, "T-1")
            appended, checksum = extend(known, len(KEY) + len("_T-1"), suffix)
            forged = b"T-1" + appended
            body = f"acquirer_transaction_id={quote_from_bytes(forged)}&checksum={checksum}"
            with self.subTest(suffix):
                # The forgery itself succeeded: this is the checksum that the key would make.
                self.assertEqual(
                    checksum, hashlib.md5(f"{KEY}_".encode() + forged).hexdigest().upper()
                )
                with self.assertRaises(ParameterInvalid) as caught:
                    verify(delivery(body.encode("ascii")), KEY)
                self.assertEqual(caught.exception.parameter, "acquirer_transaction_id")


class TestOrder(unittest.TestCase):
    """The order of the checks: content type, empty, key, missing, signature."""

    BODY = deliveries.body()

    def refused(self, error, body=BODY, content_type=click2sell.CONTENT_TYPE, key=KEY):
        with self.assertRaises(error):
            verify(Delivery(body, content_type), key)

    def test_content_type(self):
        for content_type in (
            "application/json",
            "text/plain",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencoded2",
            "x-www-form-urlencoded",
            ";",
        ):
            with self.subTest(content_type):
                self.refused(WrongContentType, content_type=content_type)
        self.refused(WrongContentType, content_type="")
        self.refused(WrongContentType, body=b"", content_type="application/json", key="")

    def test_content_type_with_parameters_or_in_other_letters(self):
        for content_type in (
            "application/x-www-form-urlencoded; charset=UTF-8",
            "application/x-www-form-urlencoded;charset=iso-8859-1",
            "Application/X-WWW-Form-URLEncoded",
            " application/x-www-form-urlencoded ;",
        ):
            with self.subTest(content_type):
                verify(Delivery(self.BODY, content_type), KEY)

    def test_empty_comes_before_the_key(self):
        self.refused(EmptyBody, body=b"", key="")
        self.refused(EmptyBody, body=b"", content_type="", key="")

    def test_the_key_comes_before_missing_parameters(self):
        self.refused(SecretKeyNotSet, body=b"nonsense", key="")

    def test_missing_comes_before_the_signature(self):
        self.refused(ParameterMissing, body=b"checksum=wrong")
        self.refused(ParameterMissing, body=b"&")

    def test_the_signature_comes_before_the_transaction_id(self):
        self.refused(WrongSignature, body=b"checksum=wrong&acquirer_transaction_id=a+b")

    def test_the_signature_comes_before_the_fields(self):
        self.refused(WrongSignature, body=b"checksum=wrong&acquirer_transaction_id=1&x=%00")
