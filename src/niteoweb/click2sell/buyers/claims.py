"""Claims: one-time links by which a buyer confirms the account that a purchase is for.

The token in a link goes to the paid address and nowhere else; stored is its hash.
"""

from datetime import datetime
from datetime import timedelta
from hashlib import sha256
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers.buyers import Buyer
from typing import Any

import hmac
import secrets


#: How long a link can be used.
KEPT = timedelta(days=14)
#: Links of a buyer that can be used at a time; a mail that is repeated brings a new one.
MOST = 5

#: Characters of a buyer's id, which a token begins with.
_ID = 12


def issue(site: Any, buyer: Buyer, now: datetime) -> str:
    """A new token for a buyer.

    :param now: in UTC.
    """
    token = buyer["id"] + secrets.token_urlsafe(32)
    kept = (*buyer.get("claims", ()), (_hash(token), timestamps.iso(now + KEPT)))
    buyers.change(site, buyer, claims=kept[-MOST:])
    return token


def find(site: Any, token: str, now: datetime) -> tuple[Buyer | None, bool]:
    """The buyer of a token, None for a token that was used or never issued.

    :param now: in UTC.
    :returns: also whether the token can be used still.
    """
    buyer = buyers.get(site, token[:_ID])
    given = _hash(token)
    for stored, until in buyer.get("claims", ()) if buyer is not None else ():
        if hmac.compare_digest(stored, given):
            return buyer, timestamps.iso(now) < until
    return None, False


def use(site: Any, buyer: Buyer) -> None:
    """End all links of a buyer."""
    buyers.change(site, buyer, claims=())


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()
