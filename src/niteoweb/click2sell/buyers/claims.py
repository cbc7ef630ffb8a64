"""Claims: one-time links by which a buyer confirms the account that a purchase is for.

The token in a link goes to the paid address and nowhere else; stored is its hash with that
address. A purchase that has another address by then is none of the reader's business.
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


def issue(site: Any, buyer: Buyer, address: str, now: datetime) -> str:
    """A new token for a buyer.

    :param address: that it is mailed to.
    :param now: in UTC.
    """
    token = f"{buyer['id']}.{secrets.token_urlsafe(32)}"
    kept = (*buyer.get("claims", ()), (_hash(token, address), timestamps.iso(now + KEPT)))
    buyers.change(site, buyer, claims=kept[-MOST:])
    return token


def find(site: Any, token: str) -> Buyer | None:
    """The buyer whom a token names; :func:`until` tells whether the token is one."""
    return buyers.get(site, token.partition(".")[0])


def until(buyer: Buyer, token: str, address: str) -> str:
    """Until when a token can be used, "" for one that was used or never issued.

    :param address: that the buyer's purchase is paid under now.
    """
    given = _hash(token, address)
    for stored, end in buyer.get("claims", ()):
        if hmac.compare_digest(stored, given):
            return end
    return ""


def use(site: Any, buyer: Buyer) -> None:
    """End all links of a buyer."""
    buyers.change(site, buyer, claims=())


def _hash(token: str, address: str) -> str:
    return sha256(f"{token} {address}".encode("utf-8", "replace")).hexdigest()
