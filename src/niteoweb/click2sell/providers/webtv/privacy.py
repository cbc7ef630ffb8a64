"""What is kept of a person beside the ledger: exported and erased by address."""

from collections.abc import Collection
from niteoweb.click2sell.providers.webtv import users
from typing import Any


def export(site: Any, addresses: Collection[str]) -> list[dict[str, Any]]:
    """The records that name an address.

    :param addresses: in lower case.
    """
    ids = [id_ for address in addresses for id_ in users.of_address(site, address)]
    return [{"store_user": id_, **(users.get(site, id_) or {})} for id_ in ids]


def erase(site: Any, addresses: Collection[str]) -> None:
    """Take addresses and names out of the records.

    :param addresses: in lower case.
    """
    for address in addresses:
        users.erase(site, address)
