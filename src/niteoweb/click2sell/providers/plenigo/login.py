"""Logging in with plenigo: a transfer token of an id system proves who the reader is there.

So does a session there, which plenigo's own login tells in a page of this site, and an access
code of the older OAuth2, if that is set up. Only the member whom the customer is tied to is
logged in, and nobody who can administer the site: no account is found by an address, and none
is made. A transfer token is good once, for half a minute. Whoever comes back without the state
that this browser left with is asked first: else a stranger's link could log somebody in as the
stranger.
"""

from base64 import urlsafe_b64decode
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from DateTime import DateTime
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import index
from niteoweb.click2sell.member import plonepas
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import JsonBody
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.providers.plenigo import checkout
from niteoweb.click2sell.providers.plenigo import client
from niteoweb.click2sell.providers.plenigo import oauth
from niteoweb.click2sell.providers.plenigo import sessions
from niteoweb.click2sell.providers.plenigo import shop
from niteoweb.click2sell.providers.plenigo import states
from niteoweb.click2sell.settings import membertoken
from niteoweb.click2sell.storage import writer
from typing import Any
from urllib.parse import urlencode

import hmac
import secrets


#: Values of the setting.
OFF, ID_SYSTEM, PLENIGO = "off", "id-system", "plenigo"
#: The cookie with the state, and how long it is good.
COOKIE = "plenigo_login"
KEPT = timedelta(minutes=10)
#: Characters of a transfer token.
LONGEST = 50

#: Decimal digits of a signature: 132 bits.
_DIGITS = 40


class NotProved(Exception):
    """There is no member whom this token proves; why, nobody is told."""


def is_on(stored: Any) -> bool:
    """Whether readers log in with an id system, or with plenigo's own login."""
    return stored.login in (ID_SYSTEM, PLENIGO)


def is_on_page(stored: Any) -> bool:
    """Whether plenigo's own login stands in a page of this site."""
    return stored.login == PLENIGO


def takes_codes(stored: Any) -> bool:
    """Whether access codes of the older login are taken, too."""
    return is_on(stored) and bool(stored.client_secret)


def leaving(stored: Any, url: str) -> str:
    """The address of the id system, which leads back to an address of this site.

    :raises niteoweb.click2sell.providers.plenigo.checkout.NotSetUp: none is set.
    """
    if not stored.login_url:
        raise checkout.NotSetUp
    return f"{stored.login_url}?{urlencode({'returnTo': url})}"


def state(now: datetime) -> str:
    """A state that a browser leaves with, signed by this site.

    :param now: in UTC.
    """
    return _signed("state", secrets.token_hex(16), now)


def is_own(given: str, cookie: str, now: datetime) -> bool:
    """Whether a browser comes back with the state that it left with.

    :param given: what it came back with.
    :param cookie: what it keeps.
    """
    equal = hmac.compare_digest(given.encode("utf-8"), cookie.encode("utf-8", "replace"))
    return bool(given) and equal and bool(_read("state", cookie, now))


def offered(user_id: str, state_: str, now: datetime) -> str:
    """A proof that somebody in a browser with this state may log in as a member."""
    name = urlsafe_b64encode(user_id.encode("utf-8")).decode("ascii").rstrip("=")
    return _signed(f"as {state_}", name, now)


def accepted(offer: str, state_: str, now: datetime) -> str:
    """The user id of an offer that was made to a browser with this state.

    :raises NotProved: there was none.
    """
    name = _read(f"as {state_}", offer, now)
    if not name:
        raise NotProved
    return _usable(urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode("utf-8"))


def prove(token: str, session: str = "") -> tuple[str, str, str]:
    """Take a transfer token, or a session.

    :returns: user id of the member whom it proves, the customer's id, and the session there.
    :raises NotProved: it proves nobody.
    :raises niteoweb.click2sell.providers.plenigo.checkout.NotSetUp: no token is set.
    :raises niteoweb.click2sell.provider.Unreachable: try again later.
    """
    if len(token) > LONGEST or not (token or session):
        raise NotProved
    with _asking():
        api = client.connect(checkout.askable(writes=False))
        session = session or shop.session_of(api, token)
        customer_id = shop.session_customer(api, session)
        customer = client.read(api, "sessions", "customerData", sessionToken=session)
    return _member(customer, customer_id), customer_id, session


def exchange(code: str, redirect_uri: str) -> str:
    """Exchange an access code of the older login.

    Nothing says for sure that a profile of it has the id of a customer, so the customer has to
    have the address of the profile, too.

    :param redirect_uri: the page that was told the code, "" to leave that out.
    :returns: user id of the member whom it proves.

    It raises what :func:`prove` does.
    """
    stored = checkout.askable(writes=False)
    if not stored.company_id:
        raise checkout.NotSetUp
    if not 0 < len(code) <= oauth.LONGEST_CODE:
        raise NotProved
    with _asking():
        customer_id, address = oauth.profile(stored, code, redirect_uri)
        customer = client.read(client.connect(stored), "customers", customer_id)
    if not address or customer.title("email").lower() != address:
        raise NotProved
    return _member(customer, customer_id)


@contextmanager
def _asking() -> Iterator[None]:
    """Ask plenigo; what it refuses proves nobody."""
    try:
        with jsonapi.within(jsonapi.SALE):
            yield
    except Refused:
        raise NotProved from None


def _member(customer: JsonBody, customer_id: str) -> str:
    """The member who is tied to a customer whom plenigo lets in.

    :param customer: as plenigo shows it.
    """
    with jsonapi.reading():
        is_same = customer.identifier("customerId") == customer_id
        is_active = customer.text("status") == states.ACTIVATED
    site = plone_site.get()
    buyer = customers.buyer(site, (states.NAME, customer_id))
    if not (is_same and is_active) or buyer is None or pseudonyms.is_erased(buyer):
        raise NotProved
    user_id, address = buyer["user_id"], customer.title("email").lower()
    if any(match.user_id != user_id for match in index.find(site, address)):
        # The customer has the address of another member by now.
        raise NotProved
    return _usable(user_id)


def log_in(user_id: str, response: Any, customer_id: str = "", session: str = "") -> None:
    """Log a member in, whom a token has proved.

    :param session: at plenigo, which opens the self-service; "" for none.
    """
    plonepas.log_in(user_id, response)

    def work(site: Any) -> None:
        _note_login(user_id)
        if session:
            sessions.keep(site, user_id, customer_id, session)

    writer.run(work)


def web_token(user_id: str) -> str:
    """A token of plone.restapi for a member, whom a session has proved."""

    def work(site: Any) -> str:
        _note_login(user_id)
        return plonepas.web_token(user_id, accounts.text(user_id, "fullname"))

    return writer.run(work)


def _note_login(user_id: str) -> None:
    accounts.set_fields(user_id, {"login_time": DateTime()})


def _usable(user_id: str) -> str:
    """A member who may be logged in.

    :raises NotProved: there is no such account, or it can administer the site.
    """
    if not accounts.exists(user_id) or privilege.member(user_id):
        raise NotProved
    return user_id


def _signed(purpose: str, value: str, now: datetime) -> str:
    until = format(timestamps.microseconds(now + KEPT) // 1_000_000, "x")
    return f"{until}.{value}.{_signature(purpose, until, value)}"


def _read(purpose: str, signed: str, now: datetime) -> str:
    """The value that was signed, "" where it was not, or too long ago."""
    with suppress(ValueError):
        until, value, signature = signed.split(".")
        genuine = hmac.compare_digest(
            _signature(purpose, until, value).encode(), signature.encode("utf-8")
        )
        if genuine and timestamps.from_microseconds(int(until, 16) * 1_000_000) > now:
            return value
    return ""


def _signature(purpose: str, until: str, value: str) -> str:
    subject = f"plenigo login {purpose} {until} {value}"
    return membertoken.number(plone_site.get(), subject, _DIGITS)
