"""The report's figures, counted in the commit in which something happens.

Nothing is scanned to show them. Every entry and every buyer's record knows what it was counted
as, so a replay or a second delivery counts nothing twice, and what is decided otherwise later
moves. :mod:`niteoweb.click2sell.report.recount` works all of it out anew from the ledger and
the records.

A day is one of the site's time zone, as it was when something was counted.
"""

from BTrees.Length import Length
from collections.abc import Iterable
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.entitlement import GRANTS_NOTHING
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.notification import PAYMENTS
from niteoweb.click2sell.storage import trees
from persistent.mapping import PersistentMapping
from typing import Any


NEW_BUYERS = "new_buyers"
LAPSES = "lapses"

#: The figures of notifications, by kind.
OF_KIND = {
    Kind.PURCHASE: "purchases",
    Kind.RENEWAL: "renewals",
    Kind.REFUND: "refunds",
    Kind.CHARGEBACK: "chargebacks",
}

#: All figures that are counted by day and by month.
NAMES = (NEW_BUYERS, *OF_KIND.values(), LAPSES)

#: How many members never logged in, in the place of a day.
LOGINS_AWAITED = ("", "logins_awaited")

#: What owners do by hand is no payment.
UNPAID = frozenset({OWNER})

Product = tuple[str, str]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def number(site: Any, period: str, name: str) -> int:
    """A figure.

    :param period: a day, ``2026-05-03``, or a month, ``2026-05``.
    :param name: one of :data:`NAMES`.
    """
    return _number(site, "figures", (period, name))


def logins_awaited(site: Any) -> int:
    """How many members who paid, and whose account we made, never logged in."""
    return _number(site, "figures", LOGINS_AWAITED)


def with_access(site: Any) -> dict[Product, int]:
    """How many members have access to each product, by provider and product id."""
    counted = trees.tree(site, "products_with_access").items()
    return {product: length() for product, length in counted if length()}


def day(moment: datetime) -> str:
    """The day of a moment in the site's time zone."""
    # At the ends of the calendar the day of UTC will do.
    with suppress(OverflowError):
        moment = moment.astimezone(plone_site.timezone())
    return moment.date().isoformat()


def periods(day_: str) -> tuple[str, str]:
    """What something on a day is counted under: the day, and its month."""
    return day_, day_[:7]


def change(site: Any, tree: str, key: tuple[str, str], difference: int) -> None:
    """Change a counter; two processes that change the same one do not conflict.

    :param tree: ``figures`` or ``products_with_access``.
    """
    counters = trees.tree(site, tree)
    if key not in counters:
        counters[key] = Length()
    counters[key].change(difference)


def entry_day(entry: Mapping[str, Any], effective: bool) -> str:
    """The day under which an entry is counted: that of the provider's time.

    :param effective: its outcome lets it count.
    :returns: "" when it does not count. A payment or refund that a person has to decide about,
        because it has no effect so far, does not.
    """
    counts = (
        effective
        and entry["kind"] in OF_KIND
        and entry["provider"] not in UNPAID
        and entry["reason"] not in GRANTS_NOTHING
    )
    return day(datetime.fromisoformat(entry["occurred_at"])) if counts else ""


def follow_entry(site: Any, entry: PersistentMapping, effective: bool) -> None:
    """Count an entry whose outcome changed; see :func:`entry_day`."""
    counted_on = entry_day(entry, effective)
    if not _move(site, OF_KIND.get(entry["kind"], ""), entry, "counted_on", counted_on):
        return
    buyer = trees.tree(site, "buyers").get(entry["buyer_id"])
    if buyer is not None and entry["kind"] in PAYMENTS:
        follow_payments(site, buyer)


def first_payment_day(entries: Iterable[Mapping[str, Any]]) -> str:
    """The day of the first payment among a buyer's entries, "" when none was counted."""
    paid = [
        (entry["occurred_at"], entry["counted_on"])
        for entry in entries
        if entry["kind"] in PAYMENTS and entry.get("counted_on")
    ]
    return min(paid)[1] if paid else ""


def follow_payments(site: Any, buyer: PersistentMapping) -> None:
    """Count a buyer as new on the day of the first payment."""
    new_on = first_payment_day(entries.get(site, key) for key in buyer["keys"])
    _move(site, NEW_BUYERS, buyer, "new_on", new_on)
    follow_login(site, buyer)


def login_place(buyer: Mapping[str, Any]) -> tuple[int, str] | None:
    """Where a buyer who paid and never logged in is filed, the newest account first."""
    awaited = buyer["made"] and buyer.get("new_on") and not buyer.get("logged_in")
    if not (awaited and buyer.get("made_at")):
        return None
    return -timestamps.microseconds(datetime.fromisoformat(buyer["made_at"])), buyer["user_id"]


def follow_login(site: Any, buyer: PersistentMapping) -> None:
    """File a buyer who paid and never logged in, or no longer."""
    before, after = buyer.get("login_awaited"), login_place(buyer)
    if before == after:
        return
    filed = trees.tree(site, "logins_awaited")
    if before:
        filed.remove(before)
    if after:
        filed.insert(after)
    change(site, "figures", LOGINS_AWAITED, bool(after) - bool(before))
    buyer["login_awaited"] = after


def renewal_places(
    buyer: Mapping[str, Any], expected: Mapping[Product, datetime]
) -> tuple[tuple[int, str, str, str], ...]:
    """Where a buyer's next renewals are filed, the latest first.

    :param expected: when the renewal of each subscription has to be there.
    """
    if not buyer["user_id"]:
        return ()
    return tuple(
        (-timestamps.microseconds(moment), buyer["id"], *product)
        for product, moment in sorted(expected.items())
    )


def follow_renewals(
    site: Any, buyer: PersistentMapping, expected: Mapping[Product, datetime]
) -> None:
    """File a buyer under the times at which renewals have to be there.

    A renewal that comes moves the time on: who is filed under a past time has not renewed.
    """
    before, after = buyer.get("renewals_awaited", ()), renewal_places(buyer, expected)
    if before == after:
        return
    filed = trees.tree(site, "renewals_awaited")
    for place in set(before).difference(after):
        filed.remove(place)
    for place in set(after).difference(before):
        filed.insert(place)
    buyer["renewals_awaited"] = after


def count_lapses(site: Any, buyer: PersistentMapping, now: datetime, products: int) -> None:
    """Count that access to some products ended.

    :param now: in UTC.
    """
    if products:
        ended_on = day(now)
        buyer["ended_on"] = (*buyer.get("ended_on", ()), *[ended_on] * products)
        for period in periods(ended_on):
            change(site, "figures", (period, LAPSES), products)


def count_products(site: Any, before: Iterable[Product], after: Iterable[Product]) -> None:
    """Count a member with access to other products than before."""
    before, after = set(before), set(after)
    for product in sorted(before ^ after):
        change(site, "products_with_access", product, 1 if product in after else -1)


def absorb(site: Any, buyer: PersistentMapping, other: PersistentMapping) -> None:
    """Make two buyers one, whose payments are followed afterwards.

    :param other: goes.
    """
    if ended_on := other.get("ended_on"):
        buyer["ended_on"] = (*buyer.get("ended_on", ()), *ended_on)
    _move(site, NEW_BUYERS, other, "new_on", "")
    follow_login(site, other)
    follow_renewals(site, other, {})


def file_mail(site: Any, mail: PersistentMapping) -> None:
    """File a mail that could not be sent, and is to be tried again, or no longer."""
    filed, place = trees.tree(site, "mails_failed"), mail_place(mail)
    if mail_failed(mail):
        filed.insert(place)
    elif place in filed:
        filed.remove(place)


def mail_place(mail: Mapping[str, Any]) -> tuple[int, str]:
    """Where a mail is filed, the newest first."""
    return -timestamps.microseconds(datetime.fromisoformat(mail["filed_at"])), mail["id"]


def mail_failed(mail: Mapping[str, Any]) -> bool:
    """Whether a mail could not be sent so far."""
    return bool(mail["due_at"] and mail["error"])


def since(site: Any, tree: str, earliest: datetime, now: datetime) -> Iterable[Any]:
    """What is filed in a tree between two moments, the latest first.

    :param tree: ``renewals_awaited``, ``logins_awaited`` or ``mails_failed``.
    """
    return trees.tree(site, tree).keys(
        (-timestamps.microseconds(now),), (1 - timestamps.microseconds(earliest),)
    )


def moment(place: tuple[Any, ...]) -> datetime:
    """The time that something is filed under, in UTC."""
    return _EPOCH + timedelta(microseconds=-place[0])


def _number(site: Any, tree: str, key: tuple[str, str]) -> int:
    length = trees.tree(site, tree).get(key)
    return length() if length is not None else 0


def _move(
    site: Any, name: str, counted: PersistentMapping, field: str, counted_on: str
) -> bool:
    """Count something under another day than before.

    :returns: whether anything changed.
    """
    before = counted.get(field, "")
    if before == counted_on:
        return False
    for day_, difference in ((before, -1), (counted_on, 1)):
        if day_:
            for period in periods(day_):
                change(site, "figures", (period, name), difference)
    counted[field] = counted_on
    return True
