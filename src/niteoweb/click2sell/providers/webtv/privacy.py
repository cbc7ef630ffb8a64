"""Records of a person beside the ledger: exported and erased by address."""

from collections.abc import Collection
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.providers.webtv import users
from typing import Any


def export(site: Any, addresses: Collection[str]) -> list[dict[str, Any]]:
    """The records that name an address.

    :param addresses: in lower case.
    """
    told = []
    for address in addresses:
        ids = users.of_address(site, address)
        told += [{"store_user": id_, **users.get(site, id_)} for id_ in ids]
        told += [{"sale": sale["id"], **sale} for sale in sales.of_address(site, address)]
    return told


def erase(site: Any, addresses: Collection[str]) -> None:
    """Take addresses and names out of the records.

    :param addresses: in lower case.
    """
    for address in addresses:
        users.erase(site, address)
        sales.erase(site, address)
