"""The ledger's entries in the site's words, time zone and format, as owners read them."""

from babel import dates
from babel import Locale
from babel import numbers
from babel import UnknownLocaleError
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from decimal import Decimal
from functools import cache
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.words import unread
from niteoweb.click2sell.browser.words.parts import Address
from niteoweb.click2sell.browser.words.parts import Badge
from niteoweb.click2sell.browser.words.parts import Code
from niteoweb.click2sell.browser.words.parts import Facts
from niteoweb.click2sell.browser.words.parts import facts
from niteoweb.click2sell.browser.words.parts import Folded
from niteoweb.click2sell.browser.words.parts import Link
from niteoweb.click2sell.browser.words.parts import markup
from niteoweb.click2sell.browser.words.parts import Moment
from niteoweb.click2sell.browser.words.parts import Noted
from niteoweb.click2sell.browser.words.parts import Part
from niteoweb.click2sell.browser.words.parts import Table
from niteoweb.click2sell.browser.words.parts import translated
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
from typing import Any
from zope.i18nmessageid import Message


#: The parts of pages, which it hands on.
__all__ = [
    "Address",
    "Badge",
    "Code",
    "Facts",
    "Folded",
    "Link",
    "Moment",
    "Noted",
    "Part",
    "Table",
    "facts",
    "markup",
    "translated",
]


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
    return capitalized(labels.kind(entry))


def capitalized(text: Message | str) -> str:
    """A text as the first word of a line."""
    shown = translated(text)
    return shown[:1].upper() + shown[1:]


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


def short_day(at: date) -> str:
    """A day without its year, where there is little room."""
    return dates.format_skeleton("MMMd", at, locale=_locale(api.portal.get_current_language()))


def product(entry: ledger.Entry) -> str:
    """An entry's product, by the owner's title or as it was sent."""
    return history.product_title(entry)


def product_title(site: Any, product: Product) -> str:
    """The name of a product, by provider and product id."""
    return products.title(*product, overview.product_name(site, product))


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
    buyer_id, sent = entry["buyer_id"], unread.as_sent(entry)
    return EntryLine(
        url=f"{url}/{entry['key']}",
        arrived=moment(entry["received_at"]),
        kind=entry_kind(entry),
        badge=badge(entry["outcome"]),
        reason=reasons.text(entry["reason"], entry["subject"]),
        product=product(entry),
        amount=amount(entry["amount"], entry["currency"]),
        buyer=address(entry) or Address(sent.address),
        name=sent.name,
        buyer_url=f"{site.absolute_url()}/@@click2sell-members/{buyer_id}" if buyer_id else "",
    )


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
