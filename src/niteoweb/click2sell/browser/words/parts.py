"""Parts of pages: tables, links, badges and times, each with its markup."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import zip_longest
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from zope.globalrequest import getRequest
from zope.i18n import translate
from zope.i18nmessageid import Message

import re


#: Characters of an address that no column is too narrow for, and where a longer one may break.
_LONG = 36
_SIGNS = re.compile(r"([@.+_-])")
_RUNS = re.compile(r"(\w{24})(?=\w)")


class Part:
    """A part of pages with a template of its own; other templates insert it as markup.

    :cvar template: knows the part as ``view``.
    """

    template: ViewPageTemplateFile
    context = None
    request = property(lambda self: getRequest())

    def __html__(self) -> str:
        return self.template()


@dataclass(frozen=True)
class Badge:
    """An outcome: its text, and Bootstrap's class for its colour."""

    text: Message | str
    css: str

    def __html__(self) -> str:
        return f'<span class="badge {self.css}">{escape(translated(self.text))}</span>'


class Code(str):
    """A technical name."""

    def __html__(self) -> str:
        return f"<code>{escape(self)}</code>"


@dataclass(frozen=True)
class Noted:
    """A text with a note below it in small letters."""

    text: Message | str
    note: Message | str

    def __html__(self) -> str:
        text, note = escape(translated(self.text)), escape(translated(self.note))
        return f'{text} <span class="d-block small text-muted">{note}</span>'


@dataclass(frozen=True)
class Moment:
    """A point in time: for people, and exact to the second with its offset.

    A template inserts it as an element ``time``.
    """

    text: str
    exact: str

    def __html__(self) -> str:
        return f'<time datetime="{self.exact}">{escape(self.text)}</time>'


@dataclass(frozen=True)
class Link:
    """A link on a page.

    :ivar url: "" for a text that leads nowhere.
    :ivar current: the value of ``aria-current``, None for a link to another page.
    """

    text: Message | str
    url: str = ""
    current: str | None = None

    def __html__(self) -> str:
        text = escape(translated(self.text))
        return f'<a href="{escape(self.url)}">{text}</a>' if self.url else text


class Address(str):
    """An e-mail address; a long one may be broken at its signs, and no other anywhere.

    Where it has none for long, it may be broken there, too.
    """

    def __html__(self) -> str:
        text = escape(self)
        if len(self) <= _LONG:
            return text
        return _SIGNS.sub(r"\1<wbr>", _RUNS.sub(r"\1<wbr>", text))


@dataclass(frozen=True)
class Folded:
    """Lines that a reader can unfold."""

    summary: Message | str
    lines: Sequence[Any]

    def __html__(self) -> str:
        lines = "".join(f"<div>{markup(line)}</div>" for line in self.lines)
        return f"<details><summary>{markup(self.summary)}</summary>{lines}</details>"


class Facts(list, Part):
    """Labels, each with the lines beside it."""

    template = ViewPageTemplateFile("../templates/facts.pt")

    def __add__(self, others: "Facts") -> "Facts":
        return Facts([*self, *others])


@dataclass(frozen=True)
class Table(Part):
    """A table on a page.

    :ivar rows: the cells of each row; a cell with ``__html__`` is inserted as markup.
    :ivar styles: Bootstrap's classes for the cells of each column; "" is the default.
    :ivar captioned: whether the name is shown, and not only told to screen readers.
    :ivar headed: whether the first cell of a row is its heading.
    :ivar foot: the cells of the last row.
    :ivar total: the number of all rows, where only the first are shown.
    """

    name: Message | str
    titles: Sequence[Message]
    rows: Sequence[Sequence[Any]]
    styles: Sequence[str] = ()
    css: str = ""
    captioned: bool = True
    headed: bool = False
    foot: Sequence[Message | str] = ()
    total: int = 0
    template = ViewPageTemplateFile("../templates/table.pt")

    def cells(self, row: Sequence[Any]) -> list[tuple[str, Any, bool]]:
        """The cells of a row: its style, its content, and whether it is a heading."""
        styles = zip_longest(self.styles, row, fillvalue="")
        return [(css, cell, self.headed and not at) for at, (css, cell) in enumerate(styles)]


def markup(line: Any) -> str:
    """A line as a template inserts it."""
    return line.__html__() if hasattr(line, "__html__") else escape(translated(line))


def translated(message: Message | str) -> str:
    """A text in the reader's language, to be quoted in another one."""
    return translate(message, context=getRequest())


def facts(*pairs: tuple[Message, Sequence[Any]]) -> Facts:
    """Facts for a page, without empty lines and without labels that have no lines."""
    kept = [(label, [line for line in lines if line]) for label, lines in pairs]
    return Facts((label, lines) for label, lines in kept if lines)
