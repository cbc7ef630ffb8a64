"""Files of members to be imported: comma-separated values, read line by line.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

Nothing is guessed: an unclear value is an error of its line, because a misspelt column of end
dates would give everybody access for ever.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import tzinfo
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.provider import is_address
from typing import Any

import csv
import re


#: The columns, in the words of the header line; the others may be left out.
COLUMNS = ("address", "name", "product", "valid until", "reference")
REQUIRED = ("address", "product")

SEPARATORS = ",;\t"

#: Characters of an address, a name, a product or a reference.
LONGEST = 255

#: The reference of a row that has none.
WITHOUT_REFERENCE = "import"

_DOTTED = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})", re.ASCII)


class FileError(ValueError):
    """The file as a whole cannot be read.

    :ivar code: the problem: ``encoding``, ``empty``, ``columns missing``, ``column unknown``
        or ``column twice``.
    :ivar subject: the columns that it is about.
    """

    def __init__(self, code: str, subject: str = "") -> None:
        super().__init__(f"{code}: {subject}")
        self.code = code
        self.subject = subject


@dataclass(frozen=True)
class Mistake:
    """A line that cannot be imported.

    :ivar line: its number in the file, from 1.
    :ivar code: the problem: ``cells``, ``quotes``, ``address``, ``product``, ``long``,
        ``date`` or ``reference``.
    :ivar subject: the value that it is about, or the number of another line.
    """

    line: int
    code: str
    subject: str = ""


@dataclass(frozen=True)
class ImportRow:
    """A line that can be imported.

    :ivar line: its number in the file, from 1; of equal lines the first one.
    :ivar address: in lower case.
    :ivar until: end of access in UTC; None for the days of the product's line of the mapping.
    """

    line: int
    address: str
    name: str
    product_id: str
    until: datetime | None
    reference: str


@dataclass(frozen=True)
class File:
    """A file that was read.

    :ivar repeated: number of lines that repeat an earlier one.
    """

    rows: tuple[ImportRow, ...]
    mistakes: tuple[Mistake, ...]
    repeated: int = 0


def decode(raw: bytes) -> str:
    """The text of a file: UTF-8, with a byte order mark or without.

    :raises FileError: it is another encoding, or no text.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileError("encoding") from None
    if "\0" in text:
        raise FileError("encoding")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read(text: str, timezone_: tzinfo) -> File:
    """Read a file's text.

    :param text: as :func:`decode` returns it.
    :param timezone_: of the dates; access ends with the day.
    :raises FileError: there is no header line that can be understood.
    """
    lines = text.split("\n")
    start = next((number for number, line in enumerate(lines) if line.strip()), None)
    if start is None:
        raise FileError("empty")
    separator, columns = _header(lines[start])
    rows: dict[tuple[str, ...], ImportRow] = {}
    references: dict[str, ImportRow] = {}
    mistakes: list[Mistake] = []
    repeated = 0
    for number, cells in _records(lines[start + 1 :], start + 2, separator):
        row = _row(number, cells, columns, timezone_)
        if isinstance(row, Mistake):
            mistakes.append(row)
            continue
        content = (row.address, row.product_id, str(row.until), row.reference)
        other = rows.get(content)
        if other is not None and other.name == row.name:
            repeated += 1
        elif other := other or references.get(row.reference):
            mistakes.append(Mistake(row.line, "reference", str(other.line)))
        else:
            rows[content] = row
            if row.reference != WITHOUT_REFERENCE:
                references[row.reference] = row
    return File(tuple(rows.values()), tuple(mistakes), repeated)


def _header(line: str) -> tuple[str, list[str]]:
    """The separator and the columns: the separator with which most columns are known."""
    headers = {
        separator: [
            " ".join(cell.lower().replace("_", " ").split())
            for cell in next(_reader([line], separator, strict=False), [])
        ]
        for separator in SEPARATORS
    }
    separator = max(headers, key=lambda name: len(set(headers[name]) & set(COLUMNS)))
    columns = headers[separator]
    while columns and not columns[-1]:
        columns.pop()
    missing = [name for name in REQUIRED if name not in columns]
    unknown = [name for name in columns if name not in COLUMNS]
    if missing:
        raise FileError("columns missing", ", ".join(missing))
    if unknown:
        raise FileError("column unknown", ", ".join(unknown))
    if len(set(columns)) < len(columns):
        raise FileError("column twice", ", ".join(columns))
    return separator, columns


def _records(
    lines: Sequence[str], first: int, separator: str
) -> Iterator[tuple[int, list[str] | None]]:
    """The records with the number of the line that each begins in; blank ones do not count.

    A record whose quotation marks cannot be understood is None.
    """
    reader = _reader((f"{line}\n" for line in lines), separator)
    while True:
        number = first + reader.line_num
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error:
            cells = None
        if cells is None or any(cells):
            yield number, cells


def _reader(lines: Iterable[str], separator: str, strict: bool = True) -> Any:
    return csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=strict)


def _row(
    number: int, cells: list[str] | None, columns: Sequence[str], timezone_: tzinfo
) -> ImportRow | Mistake:
    if cells is None:
        return Mistake(number, "quotes")
    if any(cells[len(columns) :]):
        return Mistake(number, "cells", str(len(columns)))
    row = {**dict.fromkeys(COLUMNS, ""), **dict(zip(columns, cells, strict=False))}
    for name in COLUMNS:
        if len(row[name]) > LONGEST or not row[name].isprintable():
            return Mistake(number, "long", name)
    address = row["address"].lower()
    if not is_address(address):
        return Mistake(number, "address", row["address"])
    if not row["product"]:
        return Mistake(number, "product")
    try:
        until = _until(row["valid until"], timezone_)
    except ValueError:
        return Mistake(number, "date", row["valid until"])
    reference = row["reference"] or WITHOUT_REFERENCE
    return ImportRow(number, address, row["name"], row["product"], until, reference)


def _until(text: str, timezone_: tzinfo) -> datetime | None:
    """The end of a day, written as 2027-01-31 or as 31.1.2027.

    With slashes nobody can tell the day from the month.

    :raises ValueError: it is no date.
    """
    if not text:
        return None
    if dotted := _DOTTED.fullmatch(text):
        text = f"{dotted[3]}-{dotted[2]:0>2}-{dotted[1]:0>2}"
    elif len(text) != len("2027-01-31"):
        raise ValueError(text)
    return timestamps.end(text, timezone_)
