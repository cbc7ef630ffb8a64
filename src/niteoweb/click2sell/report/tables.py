"""Tables for files: notifications, members and the accounts.

Each table is a generator of rows, the header first, that keeps no more than a row in memory,
and of members the addresses that they are sorted by; so a table may be of any length. A row's
cells are texts, messages to be translated, numbers, and None.
"""

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
from niteoweb.click2sell.explain import explanation
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
            labels.sender(entry["provider"]),
            labels.kind(entry),
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
    """A row for each membership, with access or without, sorted by address.

    A spreadsheet or a mail program can merge it into letters. Who paid and has no product has a
    row without one.

    :param now: in UTC.
    :param request: to translate for.
    """
    zone = plone_site.timezone()
    words = {state: translate(text, context=request) for state, text in labels.STATES.items()}
    yield (
        _("E-mail"),
        _("First name"),
        _("Last name"),
        _("Product"),
        _("Status"),
        _("Until (${zone})", mapping={"zone": str(zone)}),
        _("Product id"),
        _("Provider"),
        _("User id"),
        _("Last payment (${zone})", mapping={"zone": str(zone)}),
    )

    def of_buyer(buyer: buyers.Buyer) -> list[TableRow]:
        outcome = history.outcome(site, buyer, now)
        payments = history.in_order(filter(history.is_payment, outcome.entries))
        known = buyers.addresses(buyer)
        address = payments[-1]["buyer"] if payments else next(iter(known), "")
        person = (address, *_names(buyer, payments))
        last = _moment(explanation.paid_at(buyers.entries(site, buyer)), zone)
        memberships = [
            (
                history.title(site, buyer, entitlement.product),
                words[outcome.state_of(entitlement)],
                _moment(outcome.end_of(entitlement), zone),
                entitlement.product_id,
                translate(labels.sender(entitlement.provider), context=request),
            )
            for entitlement in outcome.entitlements
        ]
        return [
            (*person, *membership, buyer["user_id"], last)
            for membership in sorted(memberships) or [("",) * 5]
        ]

    def not_shown(buyer: buyers.Buyer) -> list[TableRow]:
        return [(rows.NOT_SHOWN, *(None,) * 7, buyer["user_id"], None)]

    tree = trees.tree(site, "buyers")
    known = (
        (next(iter(buyers.addresses(b)), ""), b["id"]) for b in batched(site, tree.values())
    )
    ordered = (tree[buyer_id] for _address, buyer_id in sorted(known))
    for of_one in rows.each(batched(site, ordered), of_buyer, not_shown):
        yield from of_one


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
    for posting in accounting.postings(site, period):
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
            labels.kind(entry),
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


def _names(buyer: buyers.Buyer, payments: Sequence[ledger.Entry]) -> tuple[str, str]:
    """First and last name with the latest payment that has one, else those of the account."""
    for entry in reversed(payments):
        if entry["first_name"] or entry["last_name"]:
            return entry["first_name"], entry["last_name"]
    if buyer["user_id"] and member.exists(buyer["user_id"]):
        first, _space, last = member.text(buyer["user_id"], "fullname").rpartition(" ")
        return first, last
    return "", ""


def _remark(entry: Mapping[str, Any]) -> Message | str:
    """A remark for the accounts on an entry that was not simply accepted."""
    if entry["outcome"] == Outcome.ACCEPTED:
        return ""
    return reasons.text(entry["reason"], entry["subject"]) or labels.OUTCOMES.get(
        entry["outcome"], entry["outcome"]
    )
