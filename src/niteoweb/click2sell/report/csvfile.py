"""Files of comma-separated values, for people who open them in a spreadsheet.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

A spreadsheet runs formulas, and strangers have typed many of these texts. So, after OWASP's
advice on CSV injection: a text that could be taken for a formula gets an apostrophe in front,
and a text that holds any separator is quoted, so that a reader with another separator finds no
cell that begins in the middle of a text. Numbers of our own stay numbers, negative ones too.

The package defusedcsv leaves formulas behind blanks, in full-width forms and after a separator
within a text, and rewrites harmless texts; so this module has rules of its own.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import re
import unicodedata


#: The separators by their names.
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t"}

#: The decimal signs by their names.
DECIMALS = {"point": ".", "comma": ","}

#: Tells spreadsheets that the file is UTF-8.
BOM = "\ufeff"

Cell = str | int | Decimal | None

_QUOTED = re.compile(r'[,;\t"\'\r\n]|^\s|\s$')


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
    separator = SEPARATORS[layout.separator]
    for row in rows:
        line = separator.join(_cell(value, layout, separator) for value in row)
        yield f"{line}\r\n".encode("utf-8", "replace")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet could take a text for a formula.

    Blanks and invisible characters in front do not count, and full-width forms count as the
    signs that they are.
    """
    if text[:1] in ("\t", "\r", "\n"):
        return True
    first = next((char for char in text if char.isprintable() and not char.isspace()), "")
    return unicodedata.normalize("NFKC", first)[:1] in tuple("=+-@")


def number(value: Decimal, decimal: str) -> str:
    """A number with all its decimals and the decimal sign of that name."""
    return f"{value:f}".replace(".", DECIMALS[decimal])


def _cell(value: Cell, layout: Layout, separator: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        text = f"'{value}" if is_formula(value) else value
        return f'"{text.replace(chr(34), chr(34) * 2)}"' if _QUOTED.search(text) else text
    text = number(value, layout.decimal) if isinstance(value, Decimal) else str(value)
    return f'"{text}"' if separator in text else text
