"""Files of comma-separated values, for people who open them in a spreadsheet.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

A spreadsheet runs formulas, and strangers have typed many of these texts. So, after OWASP's
advice on CSV injection, a text that could be taken for a formula gets an apostrophe in front:
defusedcsv writes the cells. It looks at the first sign of a cell only. A reader with another
separator finds more beginnings of cells, and a spreadsheet overlooks blanks and reads
full-width forms; so this module marks those places in the same way. Numbers of our own stay
numbers.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from defusedcsv import csv

import re
import unicodedata


#: The separators by their names.
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t"}

#: The decimal signs by their names.
DECIMALS = {"point": ".", "comma": ","}

#: Tells spreadsheets that the file is UTF-8.
BOM = "\ufeff"

Cell = str | int | Decimal | None

#: Any reader of the file may begin a cell behind these.
_BEGINNINGS = re.compile(r"(?<=[,;\t\r\n])(?![\t\r\n])")


@dataclass(frozen=True)
class Layout:
    """The layout of a file.

    :ivar separator: one of :data:`SEPARATORS`.
    :ivar decimal: one of :data:`DECIMALS`.
    """

    separator: str = "comma"
    decimal: str = "point"


def pieces(rows: Iterable[Sequence[Cell]], layout: Layout) -> Iterator[bytes]:
    """The file's bytes, a piece for each row: UTF-8 with a byte order mark, lines end in CRLF.

    :param rows: texts, numbers, and None for an empty cell.
    """
    yield BOM.encode("utf-8")
    writer = csv.writer(_Line, delimiter=SEPARATORS[layout.separator])
    for row in rows:
        yield writer.writerow(_cell(value, layout) for value in row).encode("utf-8", "replace")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet could take a text for a formula.

    Blanks and invisible characters in front do not count, and full-width forms count as the
    signs that they are.
    """
    if text[:1] in ("\t", "\r", "\n"):
        return True
    first = next((char for char in text if char.isprintable() and not char.isspace()), "")
    return unicodedata.normalize("NFKC", first)[:1] in tuple("=+-@|%")


def number(value: Decimal, decimal: str) -> str:
    """A number with all its decimals and the decimal sign of that name."""
    return f"{value:f}".replace(".", DECIMALS[decimal])


class _Line:
    """A file that gives back each line: the writer returns it."""

    @staticmethod
    def write(line: str) -> str:
        return line


def _cell(value: Cell, layout: Layout) -> Cell:
    if isinstance(value, Decimal):
        return number(value, layout.decimal)
    if isinstance(value, str):
        # A reader takes quotation marks there for its own.
        parts = ((part, part.replace('"', "")) for part in _BEGINNINGS.split(value))
        return "".join(f"'{part}" if is_formula(bare) else part for part, bare in parts)
    return value
