"""The ledger's entries in the site's words, time zone and format, as owners read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from html import escape
from itertools import zip_longest
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import reasons
from niteoweb.click2sell.report import labels
from niteoweb.click2sell.report import rows
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from zope.globalrequest import getRequest
from zope.i18n import translate
from zope.i18nmessageid import Message


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


@dataclass(frozen=True)
class EntryLine:
    """An entry in a list."""

    url: str
    arrived: Moment
    kind: Message | str
    badge: Badge
    reason: Message | str
    product: str
    amount: str
    buyer: str


#: The columns of a list of entries.
ENTRY_TITLES = (_("Arrived"), _("Kind"), _("Outcome"), _("Product"), _("Amount"), _("Buyer"))

#: Bootstrap's class for the colour of each outcome.
COLOURS = {
    Outcome.ACCEPTED: "text-bg-success",
    Outcome.ATTENTION: "text-bg-warning",
    Outcome.REFUSED: "text-bg-dark",
    Outcome.FAILED: "text-bg-danger",
    Outcome.RECEIVED: "text-bg-info",
}


def badge(outcome: str) -> Badge:
    """A stored outcome."""
    text = labels.OUTCOMES.get(outcome, outcome)
    return Badge(text, COLOURS.get(outcome, "text-bg-secondary"))


def kind(stored: str) -> Message | str:
    """A stored kind."""
    return labels.KINDS.get(stored, stored)


def moment(at: datetime | str) -> Moment:
    """A point in time.

    :param at: with its time zone, or as the ledger stores it.
    """
    if isinstance(at, str):
        at = timestamps.from_iso(at)
    local = timestamps.in_zone(at, plone_site.timezone())
    return Moment(plone_site.shown(at), local.isoformat(timespec="seconds"))


def day(at: date) -> str:
    """A day; of a point in time, the one in the site's time zone."""
    return plone_site.shown(at, long=False)


def product(entry: ledger.Entry) -> str:
    """An entry's product, by the owner's title or as it was sent."""
    return history.product_title(entry)


def translated(message: Message | str) -> str:
    """A text in the reader's language, to be quoted in another one."""
    return translate(message, context=getRequest())


def amount(paid: str | None, currency: str) -> str:
    """An amount with its currency, "" when the provider did not say how much."""
    return f"{paid} {currency}".strip() if paid else ""


def terms(days: int | None, exclusive: bool) -> tuple[Message, ...]:
    """The terms of access of a product."""
    lines = [
        _("Access has no end of its own.")
        if days is None
        else _("Days of access for each payment: ${days}", mapping={"days": days})
    ]
    if exclusive:
        lines.append(_("A purchase ends access to the other products."))
    return tuple(lines)


def address(entry: ledger.Entry) -> str:
    """The buyer's address as it was sent."""
    return entry["email"] or entry["buyer"]


def entry_line(url: str, entry: ledger.Entry) -> EntryLine:
    """An entry in a list.

    :param url: address of the list.
    """
    return EntryLine(
        url=f"{url}/{entry['key']}",
        arrived=moment(entry["received_at"]),
        kind=kind(entry["kind"]),
        badge=badge(entry["outcome"]),
        reason=reasons.text(entry["reason"], entry["subject"]),
        product=product(entry),
        amount=amount(entry["amount"], entry["currency"]),
        buyer=address(entry),
    )


def entry_lines(site: Any, url: str, keys: list[str]) -> list[EntryLine]:
    """The entries of a list; see :func:`entry_line`."""
    return [
        *rows.each(
            keys,
            lambda key: entry_line(url, ledger.get(site, key)),
            lambda key: EntryLine(
                url=f"{url}/{key}",
                arrived=Moment("", ""),
                kind=rows.NOT_SHOWN,
                badge=badge(""),
                reason="",
                product="",
                amount="",
                buyer="",
            ),
        )
    ]


def facts(*pairs: tuple[Message, Sequence[Any]]) -> Facts:
    """Facts for a page, without empty lines and without labels that have no lines."""
    kept = [(label, [line for line in lines if line]) for label, lines in pairs]
    return Facts((label, lines) for label, lines in kept if lines)
