"""The cells of a file of orders for plenigo: their values, in plenigo's form.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.
"""

from datetime import datetime
from datetime import timezone
from niteoweb.click2sell.provider import is_address
from niteoweb.click2sell.providers.plenigo import offers
from typing import Any

import json
import re


#: Kinds of orders: plenigo charges for it, another system does, or it counts issues.
PLENIGO, EXTERNAL, ISSUE = "plenigo", "external", "issue"

DATES = ("order_date", "start_date", "end_date", "reference_start_date", "next_booking_date")
DAYS = ("birthday", "mandate_date")

_METHODS = (
    "AMAZON_PAY|APPLE_PAY|BANK_ACCOUNT|BILLING|CREDIT_CARD|GOOGLE_PAY|IDEAL|PAYPAL|POSTFINANCE|"
    "SOFORT|TWINT|ZERO"
)
_TEXT = r".{1,100}"
#: What a column may have, where it has something.
_FORMS = {
    "external_id": _TEXT,
    "offer": r"[0-9A-Za-z_]{20}",
    "kind": f"{PLENIGO}|{EXTERNAL}|{ISSUE}",
    "customer_id": r"\d{1,18}",
    "pseudo_email": "yes|no",
    "salutation": "DIVERSE|MR|MRS|NONE",
    "language": "[a-z]{2}",
    "country": "[A-Z]{2}",
    "account_owner": ".{1,30}",
    "bic": r"[0-9A-Z]{8}([0-9A-Z]{3})?",
    "payment_method": _METHODS,
    "quantity": r"[1-9]\d{0,3}|10000",
    "discount": r"\d{1,2}|100",
    "bonus_ids": rf"{offers.ID.pattern}( {offers.ID.pattern})*",
    "issue_steps": r".{2,10000}",
}


def value(column: str, text: str) -> str:
    """The text of a cell in plenigo's form.

    :raises ValueError: it is none that the column can have.
    """
    if column in DATES:
        return moment(text)
    if column in DAYS:
        return datetime.strptime(text, "%Y-%m-%d").date().isoformat()
    if column in ("email", "invoice_email"):
        fits = is_address(text) and len(text) <= 100
    elif column == "iban":
        text = text.replace(" ", "").upper()
        fits = _is_iban(text)
    else:
        fits = bool(re.fullmatch(_FORMS.get(column, _TEXT), text, re.ASCII))
    if not fits or not text.isprintable():
        raise ValueError(column)
    return text


def moment(text: str) -> str:
    """A day or a moment with its time zone, in UTC."""
    moment = datetime.fromisoformat(text)
    if len(text) == len("2027-01-31"):
        moment = moment.replace(tzinfo=timezone.utc)
    if moment.tzinfo is None or not 1990 < moment.year < 2200:
        raise ValueError(text)
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_iban(text: str) -> bool:
    if not re.fullmatch(r"[A-Z]{2}\d{2}[0-9A-Z]{11,30}", text, re.ASCII):
        return False
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1


def steps(text: str) -> tuple[dict[str, Any], ...]:
    """The steps of an order that counts issues.

    :raises ValueError: they are none.
    """
    steps = []
    for one in json.loads(text):
        step = {"startDate": moment(one.pop("startDate"))}
        if "openDeliveries" in one:
            number = one.pop("openDeliveries")
            if type(number) is not int or number < 0:
                raise ValueError("openDeliveries")
            step["openDeliveries"] = number
        if "cancellationDate" in one:
            step["cancellationDate"] = moment(one.pop("cancellationDate"))
        if one:
            raise ValueError("issue_steps")
        steps.append(step)
    return tuple(steps)
