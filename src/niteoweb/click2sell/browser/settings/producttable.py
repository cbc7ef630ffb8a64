"""The widget for the products: a table over the lines of the mapping, and the lines as text.

It works without JavaScript: some empty rows take new products. Comments and lines that the
table cannot show stay as they are. Text that was edited takes the place of the table.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from niteoweb.click2sell.browser.settings.widgets import IMappingWidget
from niteoweb.click2sell.browser.settings.widgets import MappingWidget
from niteoweb.click2sell.entitlement import mapping
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.member import group
from typing import Any
from z3c.form.interfaces import NO_VALUE
from zope.interface import implementer_only


#: Lines of which there is a table; more are edited as text.
MOST = 200
#: Empty rows for new products.
EMPTY = 3
#: The choice of a new group; no id of a group has this sign in it.
NEW = "|"


@dataclass(frozen=True)
class Row:
    """A row of the table.

    :ivar at: the place of its line, counted from 0; "" for a new one.
    :ivar parts: None for a line that is shown as text.
    """

    number: int
    at: str
    text: str
    parts: mapping.Parts | None

    @property
    def line(self) -> int:
        """The number of the line, as errors name it."""
        return int(self.at) + 1


class IProductTable(IMappingWidget):
    """Takes products as rows of a table, or as lines of text."""


@implementer_only(IProductTable)
class ProductTable(MappingWidget):
    """The table of products.

    :cvar description: that of the lines stands beside them, and not below the table.
    :cvar new: the choice of a new group.
    :ivar as_text: the lines were edited as text.
    """

    description = ""
    new = NEW
    as_text = False

    def extract(self, default: Any = NO_VALUE) -> Any:
        """The lines, as text: those of the table, unless the text itself was edited."""
        text = super().extract(default)
        before = self.request.form.get(f"{self.name}.before")
        if not isinstance(before, str) or not isinstance(text, str):
            return text
        if _lines(text) != _lines(before):
            self.as_text = True
            return text
        return "\n".join(self._merged(_lines(before)))

    def _merged(self, before: list[str]) -> list[str]:
        """The lines with the changes of the table."""
        lines: dict[int, str | None] = dict(enumerate(before))
        following = len(before)
        for number in range(len(before) + EMPTY):
            at = self._typed(number, "at")
            old = before[int(at)] if at.isdecimal() and int(at) < len(before) else None
            new = self._line(number)
            if old is None and new:
                lines[following], following = new, following + 1
            elif old is not None and self._typed(number, "remove"):
                lines[int(at)] = None
            elif old is not None and new is not None:
                parts = mapping.split(old)
                if new != (parts.text if parts and not parts.rest else old.strip()):
                    lines[int(at)] = new or None
        return [line for line in lines.values() if line is not None]

    def _line(self, number: int) -> str | None:
        """The line of a row as it was typed, "" for an empty row, None for no such row."""
        form = self.request.form
        if f"{self.name}.{number}.text" in form:
            return self._typed(number, "text")
        if f"{self.name}.{number}.product" not in form:
            return None
        parts = mapping.Parts(
            self._typed(number, "product"),
            self._group(number),
            self._typed(number, "days"),
            bool(self._typed(number, "exclusive")),
            self._typed(number, "title"),
            self._typed(number, "order"),
        )
        return parts.text if parts != mapping.Parts() else ""

    def _group(self, number: int) -> str:
        chosen = self._typed(number, "group")
        return self._typed(number, "new") if chosen == NEW else chosen

    @property
    def new_groups(self) -> list[str]:
        """The names of the new groups."""
        beginning, end = f"{self.name}.", ".group"
        chosen = [name for name, value in self.request.form.items() if value == NEW]
        rows = [
            name.removeprefix(beginning).removesuffix(end)
            for name in chosen
            if name.startswith(beginning) and name.endswith(end)
        ]
        return [self._typed(row, "new") for row in rows]

    def _typed(self, number: int | str, name: str) -> str:
        value = self.request.form.get(f"{self.name}.{number}.{name}", "")
        return " ".join(value.split()) if isinstance(value, str) else ""

    @property
    def has_table(self) -> bool:
        """Whether the lines are few enough for a table."""
        return len(_lines(self.value or "")) <= MOST

    @property
    def table_rows(self) -> Iterator[Row]:
        """The rows of the table, with empty ones at the end."""
        number = 0
        for at, text in enumerate(_lines(self.value or "")):
            if not text.strip() or text.strip().startswith("#"):
                continue
            parts = mapping.split(text)
            shown = None if parts is None or parts.rest else parts
            yield Row(number, str(at), text.strip(), shown)
            number += 1
        for empty in range(EMPTY):
            yield Row(number + empty, "", "", mapping.Parts())

    @property
    def groups(self) -> list[tuple[str, str]]:
        """The groups to choose from, with their titles."""
        return group.choices()

    @property
    def missing(self) -> list[str]:
        """The groups of the lines that do not exist and can be created."""
        if self.error is None:
            return []
        return missing_groups(_lines(self.value or ""))


def missing_groups(lines: list[str]) -> list[str]:
    """The groups that do not exist and can be created."""
    named = dict.fromkeys(line.group_id for line in mapping.parse(lines)[0])
    return [
        group_id
        for group_id in named
        if group.problem(group_id) == Reason.GROUP_MISSING and not group.cannot_make(group_id)
    ]


def _lines(text: str) -> list[str]:
    """Lines without the blank ones that a text area adds at its end."""
    text = text.replace("\r\n", "\n").removeprefix("\n").rstrip("\n")
    return text.split("\n") if text else []
