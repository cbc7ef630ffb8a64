"""Tables for files: notifications, members and the accounts.

Each table is a generator of rows, the header first, that keeps no more than a row in memory;
so a table may be of any length. A row's cells are texts, messages to be translated, numbers,
and None.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from datetime import tzinfo
from decimal import Decimal
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import Entitlement
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import reasons
from niteoweb.click2sell.member import accounts as member
from niteoweb.click2sell.report import accounting
from niteoweb.click2sell.report import labels
from niteoweb.click2sell.report import notifications as listing
from niteoweb.click2sell.report import rows
from niteoweb.click2sell.storage import batched
from niteoweb.click2sell.storage import trees
from typing import Any
from zope.i18n import translate
from zope.i18nmessageid import Message


Cell = Message | str | int | Decimal | None
TableRow = Sequence[Cell]


def notifications(site: Any, filters: listing.Filters) -> Iterator[TableRow]:
    """The notifications that filters let through, the newest first."""
    zone = plone_site.timezone()
    yield (
        _("Arrived (${zone})", mapping={"zone": str(zone)}),
        _("Time of the provider (${zone})", mapping={"zone": str(zone)}),
        _("Provider"),
        _("Kind"),
        _("Outcome"),
        _("Reason"),
        _("Address of the buyer"),
        _("First name"),
        _("Last name"),
        _("Product id"),
        _("Product"),
        _("Transaction"),
        _("Receipt"),
        _("Amount"),
        _("Currency"),
        _("Country"),
        _("Affiliate"),
        _("Valid until (${zone})", mapping={"zone": str(zone)}),
        _("User id"),
        _("Key"),
    )
    keys = listing.Listing(site, filters).every_key()

    def row(entry: ledger.Entry) -> TableRow:
        buyer = buyers.get(site, entry["buyer_id"])
        return (
            _moment(entry["received_at"], zone),
            _moment(entry["occurred_at"], zone),
            entry["provider"],
            labels.KINDS.get(entry["kind"], entry["kind"]),
            labels.OUTCOMES.get(entry["outcome"], entry["outcome"]),
            reasons.text(entry["reason"], entry["subject"]),
            entry["email"] or entry["buyer"],
            entry["first_name"],
            entry["last_name"],
            entry["product_id"],
            history.product_title(entry),
            entry["transaction"],
            entry["receipt"],
            None if entry["amount"] is None else Decimal(entry["amount"]),
            entry["currency"],
            entry["country"],
            entry["affiliate"],
            _moment(entry["valid_until"], zone),
            buyer["user_id"] if buyer is not None else "",
            entry["key"],
        )

    def not_shown(entry: ledger.Entry) -> TableRow:
        return (rows.NOT_SHOWN, *(None,) * 18, entry["key"])

    entries = batched(site, (ledger.get(site, key) for key in keys))
    yield from rows.each(entries, row, not_shown)


def members(site: Any, now: datetime, request: Any) -> Iterator[TableRow]:
    """All buyers, with access or without.

    :param now: in UTC.
    :param request: to translate for.
    """
    zone = plone_site.timezone()
    words = {state: translate(text, context=request) for state, text in labels.STATES.items()}
    yield (
        _("Address"),
        _("Other addresses"),
        _("Name"),
        _("User id"),
        _("Products"),
        _("Groups granted"),
        _("Last payment (${zone})", mapping={"zone": str(zone)}),
    )

    def row(buyer: buyers.Buyer) -> TableRow:
        outcome = history.outcome(site, buyer, now)
        payments = history.in_order(filter(history.is_payment, outcome.entries))
        known = buyers.addresses(buyer)
        address = payments[-1]["buyer"] if payments else next(iter(known), "")
        return (
            address,
            _joined(other for other in known if other != address),
            _name(buyer, payments),
            buyer["user_id"],
            _joined(
                _entitlement(entitlement, words[outcome.state_of(entitlement)], zone)
                for entitlement in outcome.entitlements
            ),
            _joined(sorted(buyer["grants"])),
            _moment(payments[-1]["occurred_at"], zone) if payments else "",
        )

    def not_shown(buyer: buyers.Buyer) -> TableRow:
        return (rows.NOT_SHOWN, None, None, buyer["user_id"], None, None, None)

    yield from rows.each(batched(site, trees.tree(site, "buyers").values()), row, not_shown)


def accounts(site: Any, period: accounting.Period) -> Iterator[TableRow]:
    """The money that moved in a period, the oldest first, and the sums at the end."""
    zone = plone_site.timezone()
    header: TableRow = (
        _("Date (${zone})", mapping={"zone": str(zone)}),
        _("Time"),
        _("Receipt"),
        _("Transaction"),
        _("Product id"),
        _("Product"),
        _("Country"),
        _("Kind"),
        _("Amount"),
        _("Currency"),
        _("Arrived (${zone})", mapping={"zone": str(zone)}),
        _("Remark"),
    )
    yield header
    total = accounting.Summary()
    for posting in batched(site, accounting.postings(site, period)):
        total.add(posting)
        entry = posting.entry
        date, _space, time = _moment(posting.moved_at, zone).partition(" ")
        yield (
            date,
            time,
            entry["receipt"],
            entry["transaction"],
            entry["product_id"],
            history.product_title(entry),
            entry["country"],
            labels.KINDS.get(entry["kind"], entry["kind"]),
            posting.amount,
            entry["currency"],
            _moment(entry["received_at"], zone),
            _remark(entry),
        )
    blank = (None,) * len(header)
    yield blank
    for currency, sums in total.in_order:
        for text, amount in (
            (_("Sum of sales"), sums.sales),
            (_("Sum of refunds"), sums.refunds),
            (_("Net"), sums.net),
        ):
            yield (text, *blank[1:8], amount, currency, None, None)
        yield (_("Number"), *blank[1:8], sums.number, currency, None, None)
    if total.without_amount:
        yield (_("Without an amount"), *blank[1:8], total.without_amount, *blank[9:])


def _moment(at: datetime | str | None, zone: tzinfo) -> str:
    """A point in time as every spreadsheet reads it.

    :param at: with its time zone, or as the ledger stores it.
    """
    if not at:
        return ""
    if isinstance(at, str):
        at = timestamps.from_iso(at)
    return timestamps.in_zone(at, zone).replace(tzinfo=None).isoformat(" ", "seconds")


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(texts)


def _name(buyer: buyers.Buyer, payments: Sequence[ledger.Entry]) -> str:
    """The name that came with the latest payment, else that of the account."""
    for entry in reversed(payments):
        if name := history.notification(entry).fullname:
            return name
    if buyer["user_id"] and member.exists(buyer["user_id"]):
        return member.text(buyer["user_id"], "fullname")
    return ""


def _entitlement(entitlement: Entitlement, state: str, zone: tzinfo) -> str:
    """A product, its state and its end, such as ``2: active (2027-01-31 12:00:00)``."""
    until = _moment(entitlement.until, zone)
    text = f"{entitlement.product_id}: {state}"
    return f"{text} ({until})" if until else text


def _remark(entry: Mapping[str, Any]) -> Message | str:
    """A remark for the accounts on an entry that was not simply accepted."""
    if entry["outcome"] == Outcome.ACCEPTED:
        return ""
    return reasons.text(entry["reason"], entry["subject"]) or labels.OUTCOMES.get(
        entry["outcome"], entry["outcome"]
    )
