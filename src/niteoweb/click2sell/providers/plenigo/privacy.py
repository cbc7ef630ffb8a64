"""Records of a person beside the ledger: sessions at plenigo, and links that prove one."""

from collections.abc import Collection
from niteoweb.click2sell.providers.plenigo import proof
from niteoweb.click2sell.providers.plenigo import sessions
from typing import Any


def export(site: Any, addresses: Collection[str]) -> list[dict[str, str]]:
    """Tell that sessions and links of people are kept, and not which.

    :param addresses: in lower case.
    """
    return [*sessions.export(site, addresses), *proof.export(site, addresses)]


def erase(site: Any, addresses: Collection[str]) -> None:
    """Forget the sessions and links of people.

    :param addresses: in lower case.
    """
    sessions.erase(site, addresses)
    proof.erase(site, addresses)
