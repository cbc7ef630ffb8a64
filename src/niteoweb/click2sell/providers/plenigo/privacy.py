"""Records of a person beside the ledger: sessions at plenigo, and links that prove one."""

from collections.abc import Collection
from niteoweb.click2sell.providers.plenigo import proof
from niteoweb.click2sell.providers.plenigo import sessions
from typing import Any


#: The records, by the names that the export tells their ends under.
RECORDS = {"session_kept_until": sessions.SESSIONS, "link_good_until": proof.LINKS}


def export(site: Any, addresses: Collection[str]) -> list[dict[str, str]]:
    """Tell that sessions and links of people are kept, and not which.

    :param addresses: in lower case.
    """
    return [
        {name: end}
        for name, records in RECORDS.items()
        for end in records.ends(site, addresses).values()
    ]


def erase(site: Any, addresses: Collection[str]) -> None:
    """Forget the sessions and links of people.

    :param addresses: in lower case.
    """
    for records in RECORDS.values():
        records.erase(site, addresses)
