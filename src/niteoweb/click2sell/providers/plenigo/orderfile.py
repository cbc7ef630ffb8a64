"""Files of orders that are to be brought to plenigo: comma-separated values, one order a line.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

Everything is checked before anything is sent. A mistake names its line and column, never the
value: files have names and bank accounts in them.

Names and limits are those of plenigo's OpenAPI description, version 250520; it does not have
``issueBased`` and ``issueSteps``, which plenigo's own guide for imports has.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from niteoweb.click2sell.providers.plenigo import ordercells
from typing import Any

import csv


#: Columns of a customer, of an address, and of a bank account.
NAMES = ("salutation", "first_name", "last_name")
CUSTOMER = (
    *("email", "language", *NAMES, "birthday", "username", "invoice_email"),
    "external_customer_id",
)
ADDRESS = ("company", "street", "street_number", "postcode", "city", "country")
BANK_ACCOUNT = ("account_owner", "iban", "bic", "mandate_id", "mandate_date")
#: plenigo's names of columns, where they are others.
_OTHERS = {
    "external_customer_id": "externalSystemId",
    "company": "companyName",
    "account_owner": "owner",
}

COLUMNS = (
    *("external_id", "offer", "kind", "customer_id", "pseudo_email", *CUSTOMER),
    *(*ADDRESS, *BANK_ACCOUNT, "payment_method", "quantity", *ordercells.DATES, "discount"),
    *("bonus_ids", "issue_steps"),
)
REQUIRED = ("external_id", "offer", "kind", "payment_method")

#: Columns that a kind needs, and those that it cannot have.
_NEEDED = {
    ordercells.PLENIGO: "start_date",
    ordercells.EXTERNAL: "start_date",
    ordercells.ISSUE: "issue_steps",
}
_WRONG = {
    ordercells.PLENIGO: ("issue_steps",),
    ordercells.EXTERNAL: ("issue_steps", "iban", "reference_start_date", "next_booking_date"),
    ordercells.ISSUE: ("end_date", "reference_start_date", "next_booking_date"),
}

MISSING, WRONG, TWICE = "is missing", "is not possible here", "stands twice"


class FileError(ValueError):
    """The file has no header line that can be understood; the message says why."""


@dataclass(frozen=True)
class Mistake:
    """A mistake in a line.

    :ivar line: its number in the file, from 1.
    :ivar why: one of :data:`MISSING`, :data:`WRONG` and :data:`TWICE`.
    """

    line: int
    column: str
    why: str


@dataclass(frozen=True)
class Order:
    """An order that can be brought to plenigo.

    :ivar values: column -> value, of those that have one; dates as plenigo has them.
    :ivar steps: of an order that counts issues.
    """

    line: int
    values: Mapping[str, str]
    steps: tuple[Mapping[str, Any], ...] = ()

    @property
    def id(self) -> str:
        """Its id in the system that it comes from."""
        return self.values["external_id"]

    @property
    def is_external(self) -> bool:
        """Whether another system charges for it."""
        return self.values["kind"] == ordercells.EXTERNAL

    def fields(self, columns: Iterable[str]) -> dict[str, str]:
        """Values of columns, under plenigo's names."""
        return {_name(one): self.values[one] for one in columns if one in self.values}

    @property
    def address(self) -> dict[str, str]:
        """The address for deliveries, empty for none."""
        return self.fields((*NAMES, *ADDRESS)) if "country" in self.values else {}

    def item(self, customer_id: str, restarts: bool = False, **ids: int) -> dict[str, Any]:
        """The order, as plenigo imports it.

        :param restarts: it had an end, which is taken back.
        :param ids: ``deliveryAddressId`` and ``paymentMethodId``.
        """
        values = self.values
        item: dict[str, Any] = {
            "externalSystemId": self.id,
            "plenigoOfferId": values["offer"],
            "invoiceCustomerId": customer_id,
            "deliveryCustomerId": customer_id,
            "quantity": int(values.get("quantity", 1)),
            "paymentMethod": values["payment_method"],
            **ids,
        }
        item |= self.fields(ordercells.DATES)
        if "discount" in values:
            item["discountPercentage"] = int(values["discount"])
        if "bonus_ids" in values:
            item["plenigoBonusIds"] = values["bonus_ids"].split()
        if self.steps:
            # plenigo's description wants a start for every order.
            first = self.steps[0]["startDate"]
            item |= {"issueBased": True, "issueSteps": list(self.steps)}
            item.setdefault("startDate", first)
        if restarts:
            item["endDate"] = None
        return item


def read(text: str) -> tuple[list[Order], list[Mistake]]:
    """Read a file.

    :raises FileError: the first line does not name the columns.
    """
    rows = csv.reader(text.splitlines(), delimiter=_separator(text), strict=True)
    orders: list[Order] = []
    mistakes: list[Mistake] = []
    ids: set[str] = set()
    columns: list[str] = []
    try:
        columns = [cell.strip().lower() for cell in next(rows, [])]
        _check(columns)
        for cells in rows:
            if not any(cell.strip() for cell in cells):
                continue
            order = _order(rows.line_num, columns, cells)
            if isinstance(order, Order) and order.id in ids:
                order = Mistake(rows.line_num, "external_id", TWICE)
            if isinstance(order, Order):
                ids.add(order.id)
                orders.append(order)
            else:
                mistakes.append(order)
    except csv.Error:
        raise FileError(f"Line {rows.line_num}: quotation marks.") from None
    return orders, mistakes


def _separator(text: str) -> str:
    return max(",;\t", key=text.partition("\n")[0].count)


def _check(columns: Sequence[str]) -> None:
    missing = [name for name in REQUIRED if name not in columns]
    unknown = [name for name in columns if name not in COLUMNS]
    if missing:
        raise FileError(
            f"The first line has to name the columns. Missing: {', '.join(missing)}"
        )
    if unknown:
        raise FileError(f"Columns that are not known: {', '.join(map(repr, unknown))}")
    if len(set(columns)) < len(columns):
        raise FileError("The first line names a column twice.")


def _order(line: int, columns: Sequence[str], cells: Sequence[str]) -> Order | Mistake:
    if len(cells) > len(columns):
        return Mistake(line, "the last column", TWICE)
    given = zip(columns, (cell.strip() for cell in cells), strict=False)
    values = {name: value for name, value in given if value}
    for column, value in values.items():
        try:
            values[column] = ordercells.value(column, value)
        except ValueError:
            return Mistake(line, column, WRONG)
    problem = next(_problems(values), None)
    if problem is not None:
        return Mistake(line, *problem)
    try:
        return Order(line, values, ordercells.steps(values.get("issue_steps", "[]")))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Mistake(line, "issue_steps", WRONG)


def _problems(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The values of a line that contradict each other."""
    yield from ((name, MISSING) for name in REQUIRED if name not in values)
    kind = values.get("kind", ordercells.PLENIGO)
    if _NEEDED[kind] not in values:
        yield _NEEDED[kind], MISSING
    yield from ((name, WRONG) for name in _WRONG[kind] if name in values)
    if kind == ordercells.EXTERNAL and values.get("payment_method") != "BILLING":
        yield "payment_method", WRONG
    if values.get("pseudo_email") == "yes":
        # Nothing else tells that the customer is there already.
        if "external_customer_id" not in values:
            yield "external_customer_id", MISSING
        if "email" in values:
            yield "email", WRONG
    elif not values.keys() & {"customer_id", "email"}:
        yield "email", MISSING
    if "iban" in values:
        if "account_owner" not in values:
            yield "account_owner", MISSING
        if values.get("payment_method") != "BANK_ACCOUNT":
            yield "payment_method", WRONG
    elif values.keys() & {*BANK_ACCOUNT}:
        yield "iban", MISSING
    if values.keys() & {*ADDRESS}:
        if "country" not in values:
            yield "country", MISSING
        if "company" not in values and not values.keys() >= {"first_name", "last_name"}:
            yield "last_name", MISSING
    for name in ("end_date", "reference_start_date", "next_booking_date"):
        if name in values and values[name] < values.get("start_date", ""):
            yield name, WRONG


def _name(column: str) -> str:
    """plenigo's name of a column."""
    first, *others = column.split("_")
    return _OTHERS.get(column) or first + "".join(map(str.capitalize, others))
