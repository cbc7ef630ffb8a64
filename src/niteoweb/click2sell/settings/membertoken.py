"""Member tokens: an order link tells by one which member was logged in when buying.

Providers hand a parameter of the order link back with the purchase, as Click2Sell does with
those that begin with ``cp_``. The token names the member and is signed with a key of the site.
It is good for a day, for this member's present password and at this public address only.

It is made of letters, digits, hyphens and underscores: Stripe drops a value with anything else.
"""

from base64 import urlsafe_b64decode
from base64 import urlsafe_b64encode
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.storage import trees
from typing import Any

import binascii
import hmac
import json
import secrets


KEPT = timedelta(days=1)

#: Characters of a value that every provider takes: Click2Sell 255, Stripe 200.
LONGEST = 200

_KEY = "member_tokens"


def make_key(site: Any) -> None:
    """Make the site's key, unless there is one."""
    trees.tree(site, "remarks").setdefault(_KEY, secrets.token_hex(32))


def issue(site: Any, user_id: str, now: datetime) -> str:
    """A token for the member who is logged in, "" where none is possible.

    :param now: in UTC.
    """
    name = urlsafe_b64encode(user_id.encode("utf-8")).decode("ascii").rstrip("=")
    until = format(timestamps.microseconds(now + KEPT) // 1_000_000, "x")
    signature = _signature(site, user_id, until)
    token = f"{signature}-{until}-{name}"
    return token if signature and len(token) <= LONGEST else ""


def member(site: Any, token: str, now: datetime) -> str:
    """The user id of the member whom a token names, "" for a token that is not ours or too old.

    :param now: in UTC.
    """
    given, _hyphen, rest = token.partition("-")
    until, _hyphen, name = rest.partition("-")
    try:
        user_id = urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode("utf-8")
        too_old = timestamps.from_microseconds(int(until, 16) * 1_000_000) <= now
        genuine = hmac.compare_digest(_signature(site, user_id, until), given)
    except (ValueError, TypeError, OverflowError, binascii.Error):
        return ""
    return user_id if given and genuine and not too_old and accounts.exists(user_id) else ""


def number(site: Any, subject: str, digits: int) -> str:
    """A number for a subject on this site: always equal, and unguessable."""
    key = bytes.fromhex(trees.tree(site, "remarks").get(_KEY, ""))
    digest = hmac.new(key, f"number {subject}".encode(), "sha256").digest() if key else b""
    if not digest:
        raise ValueError("The site has no key.")
    lowest = 10 ** (digits - 1)
    return str(lowest + int.from_bytes(digest) % (9 * lowest))


def _signature(site: Any, user_id: str, until: str) -> str:
    """The signature of a token, "" for a site without a key."""
    key = trees.tree(site, "remarks").get(_KEY, "")
    path, address = site.getPhysicalPath(), plone_site.public_address()
    signed = json.dumps([path, address, user_id, accounts.password_print(user_id), until])
    return key and hmac.new(bytes.fromhex(key), signed.encode("ascii"), "sha256").hexdigest()
