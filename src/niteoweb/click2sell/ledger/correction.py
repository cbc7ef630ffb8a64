"""What owners found out: the address under which a transaction, or all that comes under an
address, is filed in truth.

A place is the provider whose purchase it is and a transaction, or "" and an address. Where the
right address is, all places that lead to it are filed under it too.
"""

from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.storage import trees
from typing import Any


Place = tuple[str, str]


def right(site: Any, place: Place) -> str:
    """The address that an owner found to be the right one, "" for none."""
    found = trees.tree(site, "corrected")
    if place in found or not pseudonyms.anybody(site):
        return found.get(place, "")
    return found.get(alias(site, place), "")


def alias(site: Any, place: Place) -> Place:
    """What stands for a place when the person is erased."""
    kind = pseudonyms.TRANSACTION if place[0] else pseudonyms.ADDRESS
    return place[0], pseudonyms.alias(site, kind, place[1])


def leading_to(site: Any, address: str) -> list[Place]:
    """The places of which an address is the right one.

    :param address: in lower case.
    """
    filed = trees.tree(site, "corrected_to").keys((address,), (address + "\0",))
    return [(provider, name) for _address, provider, name in filed]


def note(site: Any, place: Place, address: str) -> None:
    """Note the right address of a place, instead of the one that was noted before.

    :param address: in lower case.
    """
    forget(site, place)
    trees.tree(site, "corrected")[place] = address
    trees.tree(site, "corrected_to").insert((address, *place))


def forget(site: Any, place: Place) -> None:
    """Forget what was found out about a place."""
    address = trees.tree(site, "corrected").pop(place, None)
    if address is not None:
        trees.tree(site, "corrected_to").discard((address, *place))


def rebuild(site: Any) -> int:
    """Make the index by right address anew.

    :returns: how many places it has.
    """
    filed = trees.tree(site, "corrected_to")
    filed.clear()
    for place, address in trees.tree(site, "corrected").items():
        filed.insert((address, *place))
    return len(filed)
