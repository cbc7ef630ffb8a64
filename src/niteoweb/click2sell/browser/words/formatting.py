"""The ledger's entries in the site's words, time zone and format, as owners read them."""

from babel import Locale
from babel import numbers
from babel import UnknownLocaleError
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from decimal import Decimal
from functools import cache
from html import escape
from itertools import zip_longest
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import Product
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import reasons
from niteoweb.click2sell.report import labels
from niteoweb.click2sell.report import overview
from niteoweb.click2sell.report import rows
from niteoweb.click2sell.settings import products
from plone import api
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from zope.globalrequest import getRequest
from zope.i18n import translate
from zope.i18nmessageid import Message

import re


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
    """An e-mail address; a long one may be broken at its signs, and no other anywhere."""

    def __html__(self) -> str:
        text = escape(self)
        return _SIGNS.sub(r"\1<wbr>", text) if len(self) > _LONG else text


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


@dataclass(frozen=True)
class EntryLine:
    """An entry in a list.

    :ivar url: of the entry's page.
    :ivar name: of the buyer, "" when it is not known.
    :ivar buyer: the address, "" when the entry names none.
    :ivar buyer_url: of the buyer's page, "" for none.
    """

    url: str
    arrived: Moment
    kind: Message | str
    badge: Badge
    reason: Message | str
    product: str
    amount: str
    buyer: Address
    name: str = ""
    buyer_url: str = ""

    @property
    def person(self) -> Link:
        """The buyer by name, else by address, with the way to the buyer's page."""
        return Link(self.name or self.buyer, self.buyer_url)


#: The columns of a list of entries, and the style of the heading of one with numbers.
ENTRY_TITLES = (_("Kind"), _("Buyer"), _("Product"), _("Amount"), _("Outcome"), _("Arrived"))

#: Characters of an address that no column is too narrow for, and where a longer one may break.
_LONG = 36
_SIGNS = re.compile(r"([@.+_-])")

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


def entry_kind(entry: ledger.Entry) -> str:
    """The kind of an entry, as the first word of a line."""
    text = translated(labels.kind(entry))
    return text[:1].upper() + text[1:]


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


def product_title(site: Any, product: Product) -> str:
    """The name of a product, by provider and product id."""
    return products.title(*product, overview.product_name(site, product))


def product_label(name: str, product_id: str) -> str:
    """A product: its name and its id, as far as they are known."""
    if not name or not product_id or name == product_id:
        return name or product_id
    return f"{name} ({product_id})"


def markup(line: Any) -> str:
    """A line as a template inserts it."""
    return line.__html__() if hasattr(line, "__html__") else escape(translated(line))


def translated(message: Message | str) -> str:
    """A text in the reader's language, to be quoted in another one."""
    return translate(message, context=getRequest())


@cache
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def amount(paid: Decimal | str | None, currency: str) -> str:
    """An amount with its currency as the reader writes it, "" when it is not known.

    An English reader sees the code of the currency: a dollar sign would not say whose dollar.
    """
    if not paid:
        return ""
    locale, value = _locale(api.portal.get_current_language()), Decimal(paid)
    if locale.language == "en" or not currency:
        number_ = numbers.format_decimal(value, "#,##0.00#####", locale)
        return f"{number_} {currency}".strip()
    return numbers.format_currency(value, currency, locale=locale, decimal_quantization=False)


def number(value: int) -> str:
    """A whole number as the reader writes it."""
    return numbers.format_decimal(value, locale=_locale(api.portal.get_current_language()))


def terms(days: int | None, exclusive: bool) -> tuple[Message, ...]:
    """The terms of access of a product."""
    lines = [
        _("Unlimited access")
        if days is None
        else _("Days of access for each payment: ${days}", mapping={"days": days})
    ]
    if exclusive:
        lines.append(_("A purchase ends access to the other products."))
    return tuple(lines)


def address(entry: ledger.Entry) -> Address:
    """The buyer's address as it was sent."""
    return Address(entry["email"] or entry["buyer"])


def entry_line(site: Any, url: str, entry: ledger.Entry) -> EntryLine:
    """An entry in a list.

    :param url: address of the list.
    """
    buyer_id = entry["buyer_id"]
    return EntryLine(
        url=f"{url}/{entry['key']}",
        arrived=moment(entry["received_at"]),
        kind=entry_kind(entry),
        badge=badge(entry["outcome"]),
        reason=reasons.text(entry["reason"], entry["subject"]),
        product=product(entry),
        amount=amount(entry["amount"], entry["currency"]),
        buyer=address(entry),
        name=buyer_name(entry),
        buyer_url=f"{site.absolute_url()}/@@click2sell-members/{buyer_id}" if buyer_id else "",
    )


def buyer_name(entry: ledger.Entry) -> str:
    """The buyer's name as the entry has it."""
    return f"{entry['first_name']} {entry['last_name']}".strip()


def entry_lines(site: Any, url: str, keys: list[str]) -> list[EntryLine]:
    """The entries of a list; see :func:`entry_line`."""
    return [
        *rows.each(
            keys,
            lambda key: entry_line(site, url, ledger.get(site, key)),
            lambda key: EntryLine(
                url=f"{url}/{key}",
                arrived=Moment("", ""),
                kind=rows.NOT_SHOWN,
                badge=badge(""),
                reason="",
                product="",
                amount="",
                buyer=Address(),
            ),
        )
    ]


def facts(*pairs: tuple[Message, Sequence[Any]]) -> Facts:
    """Facts for a page, without empty lines and without labels that have no lines."""
    kept = [(label, [line for line in lines if line]) for label, lines in pairs]
    return Facts((label, lines) for label, lines in kept if lines)
