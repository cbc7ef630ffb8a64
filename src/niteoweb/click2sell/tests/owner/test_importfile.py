"""Files to import: what is read, and what is an error of which line."""

from datetime import datetime
from datetime import timezone
from niteoweb.click2sell.owner import importfile
from niteoweb.click2sell.owner.importfile import FileError
from niteoweb.click2sell.owner.importfile import ImportRow
from niteoweb.click2sell.owner.importfile import Mistake
from zoneinfo import ZoneInfo

import unittest


VIENNA = ZoneInfo("Europe/Vienna")
HEADER = "address,name,product,valid until,reference"
JOHN = "john@example.org"


def read(*lines: str, header: str = HEADER) -> importfile.File:
    return importfile.read("\n".join([header, *lines]), VIENNA)


def mistakes(*lines: str) -> list[tuple[int, str, str]]:
    return [(m.line, m.code, m.subject) for m in read(*lines).mistakes]


class TestRead(unittest.TestCase):
    def test_a_row(self):
        found = read("John@Example.org,John Smith,1,2027-01-31,A-1")
        until = datetime(2027, 1, 31, 22, 59, 59, 999_999, tzinfo=timezone.utc)
        self.assertEqual(found.rows, (ImportRow(2, JOHN, "John Smith", "1", until, "A-1"),))
        self.assertEqual((found.mistakes, found.repeated), ((), 0))

    def test_only_address_and_product_are_needed(self):
        found = read(f"1,{JOHN}", header="product,address")
        self.assertEqual(found.rows, (ImportRow(2, JOHN, "", "1", None, "import"),))
        self.assertEqual(read(f"{JOHN},,1,,").rows, found.rows)

    def test_separators(self):
        for separator in ",;\t":
            header = HEADER.replace(",", separator)
            line = separator.join((JOHN, '"Smith, John; Jr."', "1", "", "A"))
            with self.subTest(separator):
                (row,) = read(line, header=header).rows
                self.assertEqual(row.name, "Smith, John; Jr.")

    def test_names_of_columns(self):
        for header in ("ADDRESS,Product,Valid_Until", ' "Address" ,product, VALID  until ,,'):
            with self.subTest(header):
                (row,) = read(f"{JOHN},1,31.1.2027", header=header).rows
                self.assertEqual(row.until.day, 31)

    def test_dates(self):
        for text in ("2027-01-31", "31.1.2027", "31.01.2027", "31. 1. 2027"):
            with self.subTest(text):
                (row,) = read(f"{JOHN},,1,{text},").rows
                self.assertEqual(row.until.astimezone(VIENNA).isoformat()[:10], "2027-01-31")
        for text in ("31/01/2027", "2027-02-30", "2027-01-31T10:00", "tomorrow", "1.13.2027"):
            with self.subTest(text):
                self.assertEqual(mistakes(f"{JOHN},,1,{text},"), [(2, "date", text)])

    def test_blank_lines_do_not_count_but_have_numbers(self):
        found = importfile.read(f"\n\n{HEADER}\n\n,,,,\n{JOHN},,1,,\n\nx,,1,,\n", VIENNA)
        self.assertEqual([row.line for row in found.rows], [6])
        self.assertEqual(found.mistakes, (Mistake(8, "address", "x"),))

    def test_a_line_break_in_a_cell_does_not_shift_the_numbers(self):
        found = read(f'{JOHN},"John\nSmith",1,,', f"{JOHN},,1,,", "x,,1,,")
        self.assertEqual(found.mistakes[0], Mistake(2, "long", "name"))
        self.assertEqual([row.line for row in found.rows], [4])
        self.assertEqual(found.mistakes[1], Mistake(5, "address", "x"))

    def test_every_mistake_has_its_line(self):
        self.assertEqual(
            mistakes(
                "john,,1,,",
                "@example.org,,1,,",
                "john@localhost,,1,,",
                "a b@example.org,,1,,",
                f"{JOHN},,,,",
                f"{JOHN},,1,2027-13-01,",
                f"{JOHN},{'x' * 256},1,,",
                f"{JOHN},,1,,A,B",
                f"{'x' * 250}@example.org,,1,,",
                ",,1,,",
            ),
            [
                (2, "address", "john"),
                (3, "address", "@example.org"),
                (4, "address", "john@localhost"),
                (5, "address", "a b@example.org"),
                (6, "product", ""),
                (7, "date", "2027-13-01"),
                (8, "long", "name"),
                (9, "cells", "5"),
                (10, "long", "address"),
                (11, "address", ""),
            ],
        )

    def test_quotes_that_do_not_match(self):
        found = read(f"{JOHN},,1,,", f'{JOHN},"a"b,1,,', "jane@example.org,,1,,")
        self.assertEqual(found.mistakes, (Mistake(3, "quotes"),))
        self.assertEqual([row.line for row in found.rows], [2, 4])

    def test_a_quote_that_never_ends(self):
        self.assertEqual(mistakes(f'{JOHN},"a,1,,', f"{JOHN},,1,,"), [(2, "quotes", "")])

    def test_lines_that_say_the_same(self):
        found = read(f"{JOHN},J,1,,A", f"{JOHN},J,1,,A", f"{JOHN},J,1,,", f"{JOHN},J,1,,")
        self.assertEqual([row.line for row in found.rows], [2, 4])
        self.assertEqual((found.repeated, found.mistakes), (2, ()))

    def test_a_reference_with_other_content(self):
        for line in (
            "jane@example.org,J,1,2027-01-31,A",
            f"{JOHN},J,2,2027-01-31,A",
            f"{JOHN},J,1,2027-02-01,A",
            f"{JOHN},K,1,2027-01-31,A",
        ):
            with self.subTest(line):
                found = mistakes(f"{JOHN},J,1,2027-01-31,A", line)
                self.assertEqual(found, [(3, "reference", "2")])

    def test_many_rows_without_a_reference(self):
        found = read(f"{JOHN},,1,,", "jane@example.org,,1,,", f"{JOHN},,2,,")
        self.assertEqual((len(found.rows), found.mistakes), (3, ()))


class TestFile(unittest.TestCase):
    def code(self, text: str) -> tuple[str, str]:
        with self.assertRaises(FileError) as caught:
            importfile.read(text, VIENNA)
        return caught.exception.code, caught.exception.subject

    def test_header(self):
        for text, expected in (
            ("", ("empty", "")),
            (" \n\n", ("empty", "")),
            (f"{JOHN},,1,,", ("columns missing", "address, product")),
            ("address;name", ("columns missing", "product")),
            ("address,product,valid untill", ("column unknown", "valid untill")),
            ("address,product,Address", ("column twice", "address, product, address")),
        ):
            with self.subTest(text):
                self.assertEqual(self.code(text), expected)

    def test_encodings(self):
        text = f"{HEADER}\r\n{JOHN},Žiga,1,,\r\n"
        for raw in (text.encode(), text.encode("utf-8-sig"), text.replace("\r", "").encode()):
            (row,) = importfile.read(importfile.decode(raw), VIENNA).rows
            self.assertEqual((row.line, row.name), (2, "Žiga"))
        for raw in (text.encode("cp1250"), text.encode("utf-16"), b"PK\x03\x04\x00\x00"):
            with self.assertRaises(FileError) as caught:
                importfile.decode(raw)
            self.assertEqual(caught.exception.code, "encoding")
