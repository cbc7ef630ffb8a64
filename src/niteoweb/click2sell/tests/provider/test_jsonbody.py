"""Bodies of JSON: what is refused, and how values are read."""

from datetime import datetime
from datetime import timezone
from decimal import Decimal
from niteoweb.click2sell.notification import ParameterInvalid
from niteoweb.click2sell.notification import ParameterMissing
from niteoweb.click2sell.provider import jsonbody

import tracemalloc
import unittest


def read(text: str) -> jsonbody.JsonBody:
    return jsonbody.read(text.encode("utf-8"))


class TestReading(unittest.TestCase):
    def assert_invalid(self, raw: bytes, name: str = jsonbody.WHOLE) -> None:
        with self.subTest(raw[:40]):
            with self.assertRaises(ParameterInvalid) as caught:
                jsonbody.read(raw)
            self.assertEqual(caught.exception.parameter, name)
            self.assertEqual(jsonbody.payload_of(raw), {"(unreadable)": f"{len(raw)} bytes"})

    def test_hostile(self):
        for raw in (
            b"",
            b" ",
            b"\x00",
            b"null",
            b"1",
            b'"a"',
            b"[]",
            b'[{"a":1}]',
            b"{",
            b"{}{}",
            b'{"a":1,}',
            b"{'a':1}",
            b'{"a":}',
            b'{"a":"\x01"}',
            b'{"a":"\n"}',
            b"\xef\xbb\xbf{}",
            b'{"a":"\xff"}',
            '{"a":1}'.encode("utf-16"),
            '{"a":1}'.encode("utf-32"),
            b'{"a":NaN}',
            b'{"a":Infinity}',
            b'{"a":[-Infinity]}',
            b'{"a":"\\ud800"}',
            b'{"\\udfff":1}',
            b'{"a":' + b"9" * 20 + b"}",
            b'{"a":-' + b"9" * 5000 + b"}",
            b'{"a":1e20}',
            b'{"a":1e999999999}',
            b'{"a":1e99999999999999999999}',
            b'{"a":0e-9999}',
            b'{"a":0.' + b"1" * 40 + b"}",
        ):
            self.assert_invalid(raw)

    def test_names_that_come_twice(self):
        self.assert_invalid(b'{"a":1,"a":1}', "a")
        self.assert_invalid(b'{"b":{"data.x":1,"c":2,"data.x":null}}', "data.x")
        self.assert_invalid(b'{"a":[{"<b>":1,"<b>":1}]}', "?")
        self.assert_invalid(b'{"a":1,"\\u0061":1}', "a")

    def test_depth(self):
        deepest = b'{"a":' + b"[" * 19 + b"]" * 19 + b"}"
        self.assertEqual(jsonbody.read(deepest).payload(), {"a" + ".0" * 18: "[]"})
        self.assert_invalid(b'{"a":' + b"[" * 20 + b"]" * 20 + b"}")
        self.assert_invalid(b"[" * 65536)
        self.assert_invalid(b'{"a":' * 10000)
        brackets = '{"a":"' + "[" * 60 + '\\"' + "{" * 60 + '"}'
        self.assertEqual(len(read(brackets).text("a")), 121)

    def test_strings_that_never_end(self):
        # Bad at 64 KiB if each of them were looked for an end again.
        for piece in (b'\\"', b'"', b"\\", b'"\\', b'["'):
            self.assert_invalid(b'{"a":"' + piece * (65000 // len(piece)))

    def test_long_strings_take_little_memory(self):
        for piece in ("x", "\\n", "[", '\\"', "\\\\"):
            raw = ('{"a":"' + piece * (400_000 // len(piece)) + '"}').encode()
            tracemalloc.start()
            try:
                jsonbody.read(raw)
                _size, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            with self.subTest(piece):
                self.assertLess(peak, 8 * len(raw))


class TestValues(unittest.TestCase):
    def assert_invalid(self, name: str, getter, *args) -> None:
        with self.assertRaises(ParameterInvalid) as caught:
            getter(*args)
        self.assertEqual(caught.exception.parameter, name)

    def test_text(self):
        body = read('{"a":{"b":" x ","n":null,"e":"","i":1,"l":"a\\nb","c":"\\u0000"}}')
        self.assertEqual(body.text("a.b"), "x")
        for name in ("a.n", "a.e", "a.none", "none.at.all", "a.n.x"):
            self.assertEqual(body.text(name), "")
            self.assertFalse(body.has(name))
        self.assertTrue(body.has("a.b"))
        for name in ("a", "a.i", "a.l", "a.c", "a.b.x"):
            with self.subTest(name):
                self.assert_invalid(name, body.text, name)
        self.assertEqual(read('{"a":"' + "x" * 255 + '"}').text("a"), "x" * 255)
        self.assert_invalid("a", read('{"a":"' + "x" * 256 + '"}').text, "a")

    def test_titles_are_cut_and_never_refused(self):
        body = read('{"a":" A\\r\\n\\u0000B\\u2028  C ","n":1,"l":"' + "x" * 300 + '"}')
        self.assertEqual(body.title("a"), "A B C")
        self.assertEqual((body.title("n"), body.title("none")), ("", ""))
        self.assertEqual(len(body.title("l")), 255)

    def test_identifiers(self):
        body = read('{"a":29,"b":"29","c":true,"d":1.5,"e":"","f":[]}')
        self.assertEqual((body.identifier("a"), body.identifier("b")), ("29", "29"))
        for name in "cdf":
            self.assert_invalid(name, body.identifier, name)
        for name in ("e", "none"):
            with self.assertRaises(ParameterMissing) as caught:
                body.required(name)
            self.assertEqual(caught.exception.parameter, name)
        self.assert_invalid("a", read('{"a":"' + "x" * 101 + '"}').required, "a")

    def test_numbers_and_booleans(self):
        body = read('{"i":-3,"b":false,"d":2.0,"t":"1","n":null}')
        self.assertEqual((body.integer("i"), body.integer("n")), (-3, None))
        self.assertEqual((body.boolean("b"), body.boolean("n")), (False, None))
        for name in "bdt":
            self.assert_invalid(name, body.integer, name)
        for name in "idt":
            self.assert_invalid(name, body.boolean, name)
        self.assertEqual(read('{"a":9223372036854775807}').integer("a"), 2**63 - 1)

    def test_moments(self):
        for text in (
            '"2026-11-22T09:10:11Z"',
            '"2026-11-22 09:10:11z"',
            '"2026-11-22T10:10:11+01:00"',
            '"2026-11-22T10:10:11+0100"',
            '"2026-11-21T21:40:11-11:30"',
            "1795338611",
        ):
            with self.subTest(text):
                found = read(f'{{"a":{text}}}').moment("a")
                self.assertEqual(found, datetime(2026, 11, 22, 9, 10, 11, tzinfo=timezone.utc))
                self.assertEqual(found.utcoffset().total_seconds(), 0)
        found = read('{"a":"2026-11-22T09:10:11.450961789Z"}').moment("a")
        self.assertEqual(found.microsecond, 450961)
        for text in ("null", '""'):
            self.assertIsNone(read(f'{{"a":{text}}}').moment("a"))

    def test_what_is_no_moment(self):
        for text in (
            '"2026-11-22"',
            '"2026-11-22T09:10:11"',
            '"2026-11-22T09:10Z"',
            '"2090-02-01TT17:32:12Z"',
            '"2026-02-30T09:10:11Z"',
            '"2026-11-22T24:00:00Z"',
            '"2026-11-22T09:10:60Z"',
            '"2026-11-22T09:10:11+25:00"',
            '"2026-11-22T09:10:11+01:60"',
            '"10000-01-01T00:00:00Z"',
            '"1989-12-31T23:59:59Z"',
            '"٢026-11-22T09:10:11Z"',
            "0",
            "-1",
            "1795338611000",
            "9223372036854775807",
            "1.5",
            "true",
            "[]",
        ):
            with self.subTest(text):
                self.assert_invalid("a", read(f'{{"a":{text}}}').moment, "a")

    def test_addresses(self):
        body = read('{"a":" John@Example.org ","b":"john","c":"a@b.c\\nX: y","d":1}')
        self.assertEqual((body.address("a"), body.address("none")), ("John@Example.org", ""))
        for name in "bcd":
            self.assert_invalid(name, body.address, name)

    def test_parts(self):
        body = read('{"a":{"b":[{"c":1},{"c":2.5}],"d":[1],"e":5}}')
        self.assertEqual([part.identifier("c") for part in body.parts("a.b")[:1]], ["1"])
        self.assert_invalid("a.b.1.c", body.parts("a.b")[1].identifier, "c")
        self.assert_invalid("a.b.1.c", body.part("a").parts("b")[1].identifier, "c")
        self.assertEqual((body.parts("none"), body.part("none").payload()), ([], {}))
        self.assert_invalid("a.d.0", body.parts, "a.d")
        self.assert_invalid("a.e", body.parts, "a.e")
        self.assert_invalid("a.e", body.part, "a.e")


class TestPayload(unittest.TestCase):
    def test_flat(self):
        body = read(
            '{"a":{"b":"x","c":[1,{"d":null}],"e":[],"f":{}},"n":9.90,"t":true,"z":"a\\nb"}'
        )
        self.assertEqual(
            body.payload(),
            {
                "a.b": "x",
                "a.c.0": "1",
                "a.c.1.d": "null",
                "a.e": "[]",
                "a.f": "{}",
                "n": "9.90",
                "t": "true",
                "z": "a\nb",
            },
        )
        self.assertEqual(read('{"n":9.90}').payload(), {"n": str(Decimal("9.90"))})

    def test_names_that_run_together_are_both_kept(self):
        self.assertEqual(
            read('{"a.b":"1","a":{"b":"2"}}').payload(), {"a.b": "1", "a.b (2)": "2"}
        )

    def test_secrets_are_not_kept(self):
        text = (
            '{"token":"S1","a":{"sharedSecret":"S2","x":[{"Signature":"S3"}]},'
            '"checksum ":"S4","b":{"userPassword":{"deep":"S5"}},"c":1}'
        )
        self.assertEqual(read(text).payload(), {"c": "1"})
        self.assertNotIn("S", str(jsonbody.payload_of(text.encode())))
