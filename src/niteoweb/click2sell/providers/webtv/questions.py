"""The questions of the store to its external payment processor, which this site can be.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.

The vendor's protocol is PHP's: ``json_encode`` of texts, and an MD5 of joined texts for each
recurring item. The latter lets digits be moved between SKU, amount and frequency, and covers no
date and no order. So an item counts only where a line of the settings repeats its terms.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from decimal import Decimal
from niteoweb.click2sell.notification import ParameterInvalid
from niteoweb.click2sell.notification import ParameterMissing
from niteoweb.click2sell.notification import SecretKeyNotSet
from niteoweb.click2sell.notification import WrongSignature
from niteoweb.click2sell.providers.webtv.protocol import signed
from typing import Any
from urllib.parse import parse_qsl
from urllib.parse import quote
from urllib.parse import urlencode

import hashlib
import hmac
import json
import re


PAY, STATUS, CANCEL = "pay", "rp_status", "rp_cancel"

ACTIVE, CANCELLED, PENDING = "Active", "Cancelled", "Pending"
SUSPENDED, EXPIRED, INVALID = "Suspended", "Expired", "Invalid profile"
STATUSES = frozenset({ACTIVE, PENDING, CANCELLED, SUSPENDED, EXPIRED})

#: Bytes of a query, and recurring items in it.
LONGEST, MOST_ITEMS = 64 * 1024, 20

_DAYS = {"DAY": 1, "WEEK": 7, "MONTH": 31, "YEAR": 366}
_AMOUNT = re.compile(r"\d{1,9}(\.\d{1,8})?", re.ASCII)
_ID = re.compile(r"\d{1,10}", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_ORDER = ("id_gateway", "id_order", "amount", "currency_code", "order_number")


@dataclass(frozen=True)
class Item:
    """A recurring item of an order that is to be paid.

    :ivar url: of the line that its terms agree with, "" where none does.
    :ivar error: why it is not taken.
    """

    sku: str
    amount: str
    period: str
    frequency: str
    first: str
    url: str = ""
    error: str = ""


@dataclass(frozen=True)
class Question:
    """A genuine request of the store.

    :ivar key: the secret key that signed it, and signs the answer.
    :ivar values: all parameters but signatures.
    """

    action: str
    key: str
    values: Mapping[str, str]
    items: tuple[Item, ...] = ()


def php_json(values: Mapping[str, str]) -> str:
    """A mapping as PHP's ``json_encode`` writes it."""
    return json.dumps(dict(values), separators=(",", ":")).replace("/", "\\/")


def php_number(text: str) -> str:
    """The text of ``floatval`` of a text, as PHP writes it."""
    return f"{float(text):.14G}"


def sign_values(key: str, **values: str) -> str:
    """The signature of values, in this order."""
    return signed(key, php_json(values))


def sign_item(key: str, sku: str, amount: str, frequency: str, period: str) -> str:
    """The signature of a recurring item."""
    return _of_md5(key, f"{sku}{php_number(amount)}{frequency}{period}")


def sign_profile(key: str, profile: str, status: str) -> str:
    """The signature of a profile that is returned."""
    return _of_md5(key, f"{profile}{status}")


def read(query: str, settings: Any, now: datetime) -> Question:
    """Read and verify a request.

    :param query: raw: a name that comes twice is refused.
    :param settings: with ``secretkey``, ``previous_secretkey`` and ``pay_urls``.
    :param now: in UTC.
    :raises ParameterError: it is malformed.
    :raises SecretKeyNotSet: nothing can be verified.
    :raises WrongSignature: it is not the store's.
    """
    if len(query) > LONGEST:
        raise ParameterInvalid("?")
    values: dict[str, str] = {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
    except ValueError:
        raise ParameterInvalid("?") from None
    for name, value in pairs:
        if not _NAME.fullmatch(name) or name in values or not value.isprintable():
            raise ParameterInvalid(name if _NAME.fullmatch(name) else "?")
        values[name] = value
    keys = [key for key in (settings.secretkey, settings.previous_secretkey) if key]
    if not settings.secretkey:
        raise SecretKeyNotSet
    action = values.pop("action", PAY)
    if action not in (PAY, STATUS, CANCEL):
        raise ParameterInvalid("action")
    names = _ORDER if action == PAY else ("profile_id",)
    for name in (*names, "signature"):
        if not values.get(name):
            raise ParameterMissing(name)
    # A browser may have made a plus sign a space.
    given = values.pop("signature").replace(" ", "+")
    extra = {} if action == PAY else {"action": action}
    told = {**extra, **{name: values[name] for name in names}}
    matching = [key for key in keys if _equal(given, sign_values(key, **told))]
    if not matching:
        raise WrongSignature
    key = matching[0]
    if action != PAY:
        return Question(action, key, told)
    if not _AMOUNT.fullmatch(values["amount"]):
        raise ParameterInvalid("amount")
    for name in ("id_gateway", "id_order"):
        if not _ID.fullmatch(values[name]):
            raise ParameterInvalid(name)
    items = _items(values, key, settings.pay_urls or (), now)
    if not Decimal(values["amount"]) and not any(not item.error for item in items):
        raise ParameterInvalid("amount")
    return Question(action, key, told, items)


def pay_url(lines: Sequence[str], items: Sequence[Item], values: Mapping[str, str]) -> str:
    """The page where an order is paid, "" for none: that of the first valid item, or of ``*``.

    :param values: for the placeholders.
    """
    valid = [item for item in items if not item.error]
    url = valid[0].url if valid else ""
    if not items:
        urls = (line.strip().partition("|") for line in lines)
        url = next((url for name, _bar, url in urls if name == "*"), "")
    for name, value in {**values, "sku": valid[0].sku if valid else ""}.items():
        url = url.replace(f"{{{name}}}", quote(value, safe=""))
    return url


def return_url(
    base: str,
    script: str,
    key: str,
    gateway: str,
    order: str,
    transaction: str,
    message: str = "",
    profiles: Sequence[Mapping[str, str]] = (),
) -> str:
    """The address that the buyer goes back to; it tells the store the result of the payment.

    :param base: address of the WebTV, with a slash at its end.
    :param transaction: "" where nothing was paid.
    :param profiles: of each item: profile, status, first, error.
    """
    status = "SUCCESS" if transaction else "ERROR"
    told = {"id_gateway": gateway, "id_order": order, "status": status}
    step = f"gid_{gateway}-step_2" + ("-rp_1" if profiles else "")
    query = {
        "go": "store",
        "do": "payOrder",
        "iq": order,
        "tp": step,
        "status": status,
        "status_msg": message,
        "transaction": transaction,
        "signature": sign_values(key, **told, id_transaction=transaction),
    }
    for number, one in enumerate(profiles):
        failed = one["error"] or not transaction
        profile = "" if failed else one["profile"]
        state = INVALID if one["error"] else ACTIVE if transaction else PENDING
        values = {"error": one["error"]} if one["error"] else {}
        values |= {"profile_id": profile, "status": state, "first_payment_date": one["first"]}
        values["signature"] = sign_profile(key, profile, state)
        query |= {f"rp_{number}_{name}": value for name, value in values.items()}
    return f"{base}{script}?{urlencode(query)}"


def _items(
    values: Mapping[str, str], key: str, lines: Sequence[str], now: datetime
) -> tuple[Item, ...]:
    """The recurring items that are there; their number is not signed."""
    items = []
    for number in range(MOST_ITEMS + 1):
        names = ("sku", "amount", "period", "period_frequency", "first_payment_date")
        told = [values.get(f"rp_{number}_{name}", "") for name in names]
        if not any(told):
            break
        if number == MOST_ITEMS:
            raise ParameterInvalid("rp_num")
        sku, amount, period, frequency, first = told
        item = Item(sku, amount, period, frequency, first)
        given = values.get(f"rp_{number}_signature", "").replace(" ", "+")
        free = not float(values["amount"])
        error, url = _problem(item, given, key, lines, now, free)
        items.append(Item(*told, url=url, error=error))
    return tuple(items)


def _problem(
    item: Item, given: str, key: str, lines: Sequence[str], now: datetime, free: bool
) -> tuple[str, str]:
    """Why an item is not taken, and the address of its line."""
    sound = _AMOUNT.fullmatch(item.amount) and re.fullmatch(r"[1-9]\d{0,2}", item.frequency)
    if not sound or item.period not in _DAYS or not re.fullmatch(r"\d{1,10}", item.first):
        return "malformed", ""
    expected = sign_item(key, item.sku, item.amount, item.frequency, item.period)
    if not _equal(given, expected):
        return "wrong signature", ""
    url = ""
    for line in lines:
        sku, *rest = line.strip().split("|")
        if len(rest) == 3 and sku == item.sku:
            terms = f"{item.frequency} {item.period}"
            if Decimal(rest[0]) == Decimal(item.amount) and rest[1] == terms:
                url = rest[2]
    if not url:
        return "unknown terms", ""
    days = 2 * _DAYS[item.period] * int(item.frequency) + 3
    latest = now + timedelta(days=max(days, 400) if free else days)
    if not now - timedelta(days=1) <= _moment(item.first, now) <= latest:
        return "first payment date", ""
    return "", url


def _moment(seconds: str, now: datetime) -> datetime:
    return datetime.fromtimestamp(int(seconds), now.tzinfo)


def _of_md5(key: str, text: str) -> str:
    return signed(key, hashlib.md5(text.encode("utf-8"), usedforsecurity=False).hexdigest())


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("ascii"))
