"""The product-to-group lines of the settings:
``PRODUCT_ID|GROUP_ID|DAYS|exclusive|title=TITLE|order=ADDRESS``.

All after the group is optional and can be skipped: the days of access that a payment gives
(without them access does not end by itself), the word ``exclusive`` for a product whose
purchase ends the others, the owner's title of the product, and the page where it is bought. A
title or an order page in one line of a product counts for all its lines.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

import re


#: Provider and product id.
Product = tuple[str, str]

#: Stands for a product where a group is granted for having paid at all.
EVERY_BUYER: Product = ("", "*")

#: A hundred years; more is a slip of the finger.
MOST_DAYS = 36_500

#: The address of a page on the web.
ADDRESS = re.compile(r"https?://[^\s/?#@\[\]]+([/?#]\S*)?")

REASONS = {
    "form": "expected PRODUCT_ID|GROUP_ID",
    "product": "the product id is missing",
    "group": "the group is missing",
    "days": f"the days of access must be a whole number from 1 to {MOST_DAYS}",
    "option": 'only DAYS, "exclusive", title= and order= can follow the group, in this order',
    "order": "the order page must be an address that begins with https:// or http://",
    "twice": "this product and group stand in an earlier line",
    "terms": "an earlier line gives this product other days of access or another exclusivity",
    "title": "an earlier line gives this product another title",
    "page": "an earlier line gives this product another order page",
}


class MappingError(ValueError):
    """A line that cannot be read.

    :ivar line: its number, counted from 1 as the form shows it.
    :ivar reason: the mistake, one of the keys of :data:`REASONS`.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"Line {line}: {REASONS[reason]}")
        self.line = line
        self.reason = reason


@dataclass(frozen=True)
class Terms:
    """The terms of a product: the access that a payment for it gives.

    :ivar days: days of access, None for access without an end.
    :ivar exclusive: a purchase ends the buyer's other products.
    """

    days: int | None = None
    exclusive: bool = False


@dataclass(frozen=True)
class Line:
    """A line of the mapping: who buys the product joins the group.

    :ivar number: the line's number, counted from 1 as the form shows it.
    :ivar provider: the product's provider: products of two providers may have one id.
    :ivar title: the owner's name of the product, "" where this line has none.
    :ivar order_page: the address where the product is bought, "" where this line has none.
    """

    number: int
    product_id: str
    group_id: str
    terms: Terms = Terms()
    provider: str = ""
    title: str = ""
    order_page: str = ""

    def names(self, product: Product, aliases: Collection[str] = ()) -> bool:
        """Whether the line is about a product.

        :param aliases: other ids that the provider has for the product.
        """
        provider, product_id = product
        return self.provider == provider and (
            self.product_id == product_id or self.product_id in aliases
        )


def parse(
    lines: Iterable[str] | None, provider: str = ""
) -> tuple[tuple[Line, ...], tuple[MappingError, ...]]:
    """Read a provider's mapping; blank lines and ``# comments`` are skipped.

    :returns: the lines that can be read, and an error for each other line. A broken line
        never hides the others: a purchase of another product goes on.
    """
    read: list[Line] = []
    errors: list[MappingError] = []
    for number, text in enumerate(lines or (), start=1):
        text = text.strip()
        if not text or text.startswith("#"):
            continue
        try:
            line = _line(number, text, provider)
            for other in read:
                if other.product_id == line.product_id:
                    _check(line, other)
        except MappingError as error:
            errors.append(error)
        else:
            read.append(line)
    return tuple(read), tuple(errors)


def groups(
    lines: Iterable[Line], product: Product, aliases: Collection[str] = ()
) -> tuple[str, ...]:
    """The groups that a product gives, each once, in the order of the lines.

    :param aliases: as for :meth:`Line.names`.
    """
    names = (line.group_id for line in lines if line.names(product, aliases))
    return tuple(dict.fromkeys(names))


def due_groups(
    lines: Sequence[Line],
    products: Iterable[Product],
    aliases: Mapping[Product, Collection[str]],
    every_buyer: str = "",
) -> dict[str, tuple[Product, ...]]:
    """The groups that products with access give, each with the products that give it.

    :param aliases: other ids of each product.
    :param every_buyer: the group of all buyers, "" where the buyer is not to be in it.
    """
    due: dict[str, tuple[Product, ...]] = {}
    for product in products:
        for group_id in groups(lines, product, aliases.get(product, ())):
            due[group_id] = (*due.get(group_id, ()), product)
    if every_buyer:
        due[every_buyer] = (*due.get(every_buyer, ()), EVERY_BUYER)
    return due


def terms(
    lines: Iterable[Line], product: Product, aliases: Collection[str] = ()
) -> Terms | None:
    """The terms of a product, None when it has no line.

    :param aliases: as for :meth:`Line.names`. A line that names the product itself comes first.
    """
    return next((line.terms for line in _about(lines, product, aliases)), None)


def title(lines: Iterable[Line], product: Product, aliases: Collection[str] = ()) -> str:
    """The owner's title of a product, "" when no line has one; see :func:`terms`."""
    return next(filter(None, (line.title for line in _about(lines, product, aliases))), "")


def order_page(lines: Iterable[Line], product: Product, aliases: Collection[str] = ()) -> str:
    """The address where a product is bought, "" when no line has one; see :func:`terms`."""
    return next(filter(None, (line.order_page for line in _about(lines, product, aliases))), "")


def _about(lines: Iterable[Line], product: Product, aliases: Collection[str]) -> list[Line]:
    """The lines about a product, those that name the product itself first."""
    named = (line for line in lines if line.names(product, aliases))
    return sorted(named, key=lambda line: line.product_id != product[1])


@dataclass(frozen=True)
class Parts:
    """The parts of a line as they were typed, right or wrong.

    :ivar rest: what has no place after the group, "" for a line in order.
    """

    product_id: str = ""
    group_id: str = ""
    days: str = ""
    exclusive: bool = False
    title: str = ""
    order_page: str = ""
    rest: str = ""

    @property
    def text(self) -> str:
        """The line."""
        options = (
            self.days,
            "exclusive" if self.exclusive else "",
            f"title={self.title}" if self.title else "",
            f"order={self.order_page}" if self.order_page else "",
            self.rest,
        )
        return "|".join((self.product_id, self.group_id, *filter(None, options)))


def split(text: str) -> Parts | None:
    """The parts of a line; None for a blank line, a comment, or one without a bar."""
    text = text.strip()
    if "|" not in text or text.startswith("#"):
        return None
    product_id, group_id, *options = (part.strip() for part in text.split("|"))
    days = exclusive = ""
    if options and not re.match("exclusive$|title=|order=", options[0]):
        days = options.pop(0)
    if options and options[0] in ("", "exclusive"):
        exclusive = options.pop(0)
    named = {}
    for name in ("title", "order"):
        if options and options[0].startswith(f"{name}="):
            named[name] = options.pop(0).partition("=")[2].strip()
    return Parts(
        *(product_id, group_id, days, bool(exclusive)),
        *(named.get("title", ""), named.get("order", ""), "|".join(options) or ""),
    )


def _line(number: int, text: str, provider: str) -> Line:
    parts = split(text)
    if parts is None:
        raise MappingError(number, "form")
    if not parts.product_id:
        raise MappingError(number, "product")
    if not parts.group_id:
        raise MappingError(number, "group")
    days = parts.days
    if days and not (re.fullmatch(r"[0-9]{1,5}", days) and 1 <= int(days) <= MOST_DAYS):
        raise MappingError(number, "days")
    if parts.rest:
        raise MappingError(number, "option")
    if parts.order_page and not ADDRESS.fullmatch(parts.order_page):
        raise MappingError(number, "order")
    terms_ = Terms(int(days) if days else None, parts.exclusive)
    return Line(
        *(number, parts.product_id, parts.group_id, terms_, provider),
        *(parts.title, parts.order_page),
    )


def _check(line: Line, earlier: Line) -> None:
    """Check two lines of one product: different groups, and nothing else that differs."""
    if line.group_id == earlier.group_id:
        raise MappingError(line.number, "twice")
    if line.terms != earlier.terms:
        raise MappingError(line.number, "terms")
    for reason, one, other in (
        ("title", line.title, earlier.title),
        ("page", line.order_page, earlier.order_page),
    ):
        if one and other and one != other:
            raise MappingError(line.number, reason)
