"""CSV files: what a spreadsheet makes of them."""

from decimal import Decimal
from itertools import product
from niteoweb.click2sell.report import csvfile
from niteoweb.click2sell.report.csvfile import Layout

import csv
import io
import unittest


def text_of(rows, **layout) -> str:
    return b"".join(csvfile.pieces(rows, Layout(**layout))).decode("utf-8")


class TestFile(unittest.TestCase):
    def test_byte_order_mark_line_ends_and_utf_8(self):
        raw = b"".join(csvfile.pieces([("Ž", "b"), ("c", None)], Layout()))
        self.assertEqual(raw, b"\xef\xbb\xbf\xc5\xbd,b\r\nc,\r\n")

    def test_separators_and_decimal_signs(self):
        row = [("a", Decimal("9.90"), 7)]
        for layout, expected in (
            ({}, "a,9.90,7"),
            ({"separator": "semicolon", "decimal": "comma"}, "a;9,90;7"),
            ({"separator": "tab"}, "a\t9.90\t7"),
            ({"decimal": "comma"}, 'a,"9,90",7'),
        ):
            with self.subTest(layout):
                self.assertEqual(text_of(row, **layout), f"\ufeff{expected}\r\n")

    def test_numbers_keep_their_decimals_and_their_sign(self):
        row = [(Decimal("-9.90"), Decimal("0.00"), Decimal("500"), Decimal("1E+3"), -3)]
        self.assertEqual(text_of(row), "\ufeff-9.90,0.00,500,1000,-3\r\n")

    def test_every_reader_finds_the_texts_that_were_written(self):
        texts = ["a,b", "a;b", "a\tb", 'a "b"', "a\r\nb", " a ", "a'b", "", "plain"]
        for name, separator in csvfile.SEPARATORS.items():
            found = io.StringIO(text_of([texts], separator=name).lstrip("\ufeff"), newline="")
            self.assertEqual(list(csv.reader(found, delimiter=separator)), [texts])

    def test_a_reader_that_splits_elsewhere_finds_no_formula(self):
        for attack, written, read in product(
            (
                "a;=1+1",
                "a,=1+1",
                "a\t=1+1",
                "a; =1+1",
                'a";=1+1;"',
                'a;"=1+1"',
                "a\r\n=1+1",
                "a\n=1+1",
                "a;＝1+1",
                "a;|cmd",
                "=1;=1+1",
            ),
            csvfile.SEPARATORS,
            csvfile.SEPARATORS.values(),
        ):
            row = ("b", attack, Decimal("-9.90"), 'c"', attack)
            with self.subTest(attack, written=written, read=read):
                text = text_of([row, row], separator=written).lstrip("\ufeff")
                for cells in csv.reader(io.StringIO(text, newline=""), delimiter=read):
                    formulas = [cell for cell in cells if csvfile.is_formula(cell)]
                    self.assertLessEqual(set(formulas), {"-9.90"})


class TestFormulas(unittest.TestCase):
    def test_what_looks_like_a_formula_is_a_text(self):
        for attack in (
            "=1+1",
            "+1",
            "-1",
            "@SUM(1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "\tplain",
            "  =1",
            "\u00a0=1",
            "\u200b=1",
            "\ufeff=1",
            "\x00=1",
            "＝1",
            "＋1",
            "－1",
            "＠1",
            "﹦1",
            "﹣1",
        ):
            with self.subTest(repr(attack)):
                self.assertTrue(csvfile.is_formula(attack))
                text = text_of([(attack,)]).lstrip("\ufeff")
                ((cell,),) = csv.reader(io.StringIO(text, newline=""))
                self.assertEqual((cell[:1], cell.replace("'", "")), ("'", attack))

    def test_other_texts_stay_as_they_are(self):
        for text in ("", " ", "John", "john@example.org", "a=b", "T-1", "9.90", "(1)", "'a"):
            with self.subTest(text):
                self.assertFalse(csvfile.is_formula(text))
