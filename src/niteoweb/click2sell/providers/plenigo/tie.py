"""The tie between a member of the site and a customer of plenigo.

A customer who is found by an address alone is somebody else until proved: members edit their
own address, and a customer's account opens its addresses, bank accounts and orders. So a member
is a customer that this site made for the member, or whose purchases the member has already.
None is made with an address that the member has edited and not proved: some day plenigo lets
the owner of the address into that account.
"""

from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import index
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.provider import is_address
from niteoweb.click2sell.provider import JsonApi
from niteoweb.click2sell.providers.plenigo import sdk
from niteoweb.click2sell.providers.plenigo import shop
from niteoweb.click2sell.providers.plenigo import states
from niteoweb.click2sell.settings import membertoken
from niteoweb.click2sell.storage import writer
from typing import Any


#: Ids that are tried, where plenigo has given away one.
TRIES = 3
#: Digits of an id; plenigo takes up to 18.
DIGITS = 15


class NotForOwners(Exception):
    """An account that can administer the site, or one without an address, buys nothing here."""


class NoCustomer(Exception):
    """plenigo does not know the member."""


def customers_of(site: Any, user_id: str) -> tuple[str, ...]:
    """plenigo's ids of a member, the latest used last."""
    return customers.ids(buyers.of_user(site, user_id), states.NAME)


def known(site: Any, user_id: str) -> str:
    """plenigo's id of a member who has one.

    :raises NoCustomer: there is none.
    """
    found = customer_of(site, user_id)
    if not found:
        raise NoCustomer
    return found


def customer_of(site: Any, user_id: str) -> str:
    """plenigo's id of a member, "" where none is known."""
    return next(reversed(customers_of(site, user_id)), "")


def ensure(site: Any, api: JsonApi, user_id: str, proved: str = "") -> str:
    """plenigo's id of a member, who becomes a customer if need be.

    :param proved: an address that the member has proved, in lower case.
    :raises NotForOwners: this account cannot buy.
    :raises niteoweb.click2sell.providers.plenigo.shop.AddressTaken: the address is another
        customer's or another buyer's, or may be.
    """
    address = accounts.text(user_id, "email").strip()
    if privilege.member(user_id) or not is_address(address):
        raise NotForOwners
    known = customer_of(site, user_id)
    if known:
        return known
    holder = buyers.find(site, address.lower())
    if holder is not None and holder["user_id"] not in ("", user_id):
        raise shop.AddressTaken
    if address.lower() != proved and not index.has_kept_address(site, user_id):
        raise shop.AddressTaken
    first_name, _space, last_name = accounts.text(user_id, "fullname").rpartition(" ")
    names = {"firstName": first_name.strip(), "lastName": last_name}
    values = {
        "email": address,
        "language": sdk.language(),
        "registrationSource": sdk.host(),
        **(names if all(names.values()) else {}),
    }
    for attempt in range(TRIES):
        # The same id for the next try, should the answer get lost.
        number = membertoken.number(site, f"plenigo {user_id} {attempt}", DIGITS)
        try:
            id_ = shop.create_customer(api, number, values)
        except shop.IdTaken:
            continue
        writer.run(lambda site, id_=id_: tie(site, id_, address.lower(), user_id))
        return id_
    raise shop.AddressTaken


def tie(site: Any, customer_id: str, address: str, user_id: str) -> None:
    """Let a customer be a member, so that whatever it buys is the member's.

    :raises niteoweb.click2sell.providers.plenigo.shop.AddressTaken: it is another buyer's.
    """
    record = customers.record(site, (states.NAME, customer_id), address)
    if record["user_id"] not in ("", user_id) or record["deleted_at"] or record["erased_at"]:
        raise shop.AddressTaken
    known = buyers.of_user(site, user_id)
    if known is None:
        buyers.link_account(site, record, user_id, made=False, now=timestamps.now())
    elif known["id"] != record["id"]:
        buyers.merge(site, known, record)
