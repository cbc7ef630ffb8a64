"""What an owner filled in for an action on a buyer: read and checked, for the page and the
services alike, so that neither accepts what the other refuses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import Product
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.explain import products as standing
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.owner import access
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.report import overview
from niteoweb.click2sell.settings import effective
from typing import Any
from zope.i18nmessageid import Message

import re


# The actions, and the fields that each one asks for.
GRANT = "grant"
EXTEND = "extend"
REVOKE = "revoke"
RESEND = "resend"
FIELDS = {
    GRANT: ("address", "name", "product", "until", "reason", "mail"),
    EXTEND: ("product", "days", "reason"),
    REVOKE: ("product", "reason"),
    RESEND: ("way",),
}

#: What a welcome mail that is sent again may bring.
WAYS = ("link", "password")


class Problems(ValueError):
    """Fields have values that they cannot have.

    :ivar found: name of a field -> what is wrong, for the person who asked, translatable; ""
        for what concerns no field in particular.
    """

    def __init__(self, found: Mapping[str, Message]) -> None:
        super().__init__(", ".join(found))
        self.found = found


@dataclass(frozen=True)
class Choice:
    """A value that a field can have.

    :ivar value: as it stands in a form.
    :ivar text: its name.
    """

    value: str
    text: str


def products(
    site: Any, buyer: buyers.Buyer | None, name: str, now: datetime
) -> tuple[Choice, ...]:
    """The products that an action can be about.

    :param buyer: None for somebody who is no buyer yet.
    :param name: of the action.
    :param now: in UTC.
    """
    had = standings(site, buyer, now) if buyer is not None else ()
    names = {
        (one.provider, one.product_id): one.name for one in had if name != REVOKE or one.access
    }
    if name == GRANT:
        for line in effective.mapping():
            product = line.provider, line.product_id
            if product not in names:
                names[product] = overview.product_name(site, product)
    return tuple(
        Choice(product_value(product), f"{text} ({product[1]})" if text else product[1])
        for product, text in sorted(names.items())
    )


def standings(
    site: Any, buyer: buyers.Buyer, now: datetime
) -> tuple[standing.ProductAccess, ...]:
    """How a buyer stands with each product that it ever had; see products.py."""
    return standing.of(history.outcome(site, buyer, now))


def product_value(product: Product) -> str:
    """A product as it stands in a form."""
    return f"{product[0]} {product[1]}"


def made(
    site: Any,
    buyer: buyers.Buyer | None,
    name: str,
    values: Mapping[str, str],
    by: str,
    now: datetime,
) -> action.Action:
    """The action that was asked for; nothing is done yet.

    :param buyer: None to grant something to an address.
    :param name: :data:`GRANT`, :data:`EXTEND` or :data:`REVOKE`.
    :param values: of the fields; what is missing is empty.
    :param by: user id of the owner.
    :param now: in UTC.
    :raises Problems: fields have values that they cannot have.
    """
    read = _Reader(site, buyer, values, now)
    reason = read.needed("reason", _("Say why: it stands in the record."))
    make = {
        GRANT: read.grant,
        EXTEND: read.extend,
        REVOKE: read.revoke,
    }[name](reason, by)
    read.check()
    try:
        return make()
    except action.NotPossible as problem:
        raise Problems({"": problem.message}) from None


def way(buyer: buyers.Buyer, values: Mapping[str, str]) -> str:
    """What the welcome mail that is sent again brings.

    :raises Problems: it cannot be sent so.
    """
    chosen = values.get("way", "")
    if not buyer["user_id"]:
        raise Problems({"": _("The buyer has no account.")})
    if chosen not in WAYS:
        raise Problems({"way": _("Choose one.")})
    if chosen == "password" and not buyer["made"]:
        message = _("The account existed before the purchase: it keeps its password.")
        raise Problems({"way": message})
    return chosen


class _Reader:
    """Reads the fields, and remembers what is wrong with each."""

    def __init__(
        self, site: Any, buyer: buyers.Buyer | None, values: Mapping[str, str], now: datetime
    ) -> None:
        self._site, self._buyer, self._values, self._now = site, buyer, values, now
        self._problems: dict[str, Message] = {}

    def check(self) -> None:
        if self._problems:
            raise Problems(self._problems)

    def text(self, name: str) -> str:
        return (self._values.get(name) or "").strip()

    def needed(self, name: str, message: Message) -> str:
        text = self.text(name)
        if not text:
            self._problems[name] = message
        return text

    def grant(self, reason: str, by: str) -> Any:
        product, until, name = self._product(), self._until(), self.text("name")
        if self._buyer is None:
            address = self._address()
        else:
            found = [ledger.get(self._site, key) for key in self._buyer["keys"]]
            address = explanation.addresses(self._buyer, found)[0]
        mails = bool(self.text("mail"))
        return lambda: access.grant(
            self._site, address, product, until, reason, by, name=name, mail=mails
        )

    def extend(self, reason: str, by: str) -> Any:
        product, days = self._product(), self._days()
        return lambda: access.extend(self._site, self._id, product, days, reason, by)

    def revoke(self, reason: str, by: str) -> Any:
        product = self._product()
        return lambda: access.end(self._site, self._id, product, reason, by)

    @property
    def _id(self) -> str:
        return self._buyer["id"]

    def _product(self) -> Product:
        provider, _space, product_id = self.text("product").partition(" ")
        # What an owner does speaks for a provider, and is none itself.
        if not product_id or provider == OWNER:
            self._problems["product"] = _("Choose a product.")
        return provider, product_id.strip()

    def _address(self) -> str:
        text = self.needed("address", _("Enter an e-mail address."))
        try:
            return action.address_of(text) if text else ""
        except action.NotPossible as problem:
            self._problems["address"] = problem.message
            return ""

    def _until(self) -> datetime | None:
        text = self.text("until")
        if not text:
            return None
        try:
            until = timestamps.end(text, plone_site.timezone())
        except ValueError:
            self._problems["until"] = _("This has to be a date such as 2027-01-31.")
            return None
        if until <= self._now:
            self._problems["until"] = _("This day is over.")
        return until

    def _days(self) -> int:
        text = self.text("days")
        number = int(text) if re.fullmatch(r"[0-9]{1,5}", text, re.ASCII) else 0
        if not 1 <= number <= access.MOST_DAYS:
            self._problems["days"] = _(
                "This has to be a whole number from 1 to ${most}.",
                mapping={"most": str(access.MOST_DAYS)},
            )
        return number
