"""Look for everything that was acknowledged: ``python -m tools.soak.check FOLDER``.

A process of its own, on the database of a site that is stopped. It reads the acknowledged
notifications as JSON and writes a list of the problems as JSON.
"""

from datetime import datetime
from datetime import timezone
from niteoweb.click2sell.command import console
from niteoweb.click2sell.ledger import Outcome
from pathlib import Path
from tools.instance import CONFIGURATION
from typing import Any

import json
import sys


#: The kinds of the ledger, by what Click2Sell calls them.
KINDS = {"Sale": "purchase", "Refund": "refund"}


def problems(
    site: Any, acknowledged: dict[str, list[list[str]]], never: list[str]
) -> list[str]:
    """Records of the site that are missing, surplus or contradictory.

    :param acknowledged: by address, kind and transaction of each notification.
    :param never: transactions that must not be in the ledger.
    """
    from niteoweb.click2sell.buyers import buyers
    from niteoweb.click2sell.ledger import ledger
    from niteoweb.click2sell.storage import trees
    from niteoweb.click2sell.tests.proof import dump

    found = []
    for address, told in acknowledged.items():
        buyer = buyers.of_address(site, address)
        entries = [ledger.get(site, key) for key in buyer["keys"]]
        kept = {
            (str(entry["kind"]), entry["transaction"])
            for entry in entries
            if entry["outcome"] == Outcome.ACCEPTED
        }
        missing = {(KINDS[kind], transaction) for kind, transaction in told} - kept
        found += [f"{address}: {kind} {name} is lost" for kind, name in sorted(missing)]
    kept = {ledger.get(site, key)["transaction"] for key in ledger.newest_first(site)}
    found += [f"transaction {name} is in the ledger" for name in kept.intersection(never)]
    found += dump.unentitled(site, datetime.now(timezone.utc))
    found += dump.contradictions(site)
    members = len(site.acl_users.source_users.getUserIds())
    if members != len(trees.tree(site, "buyers")):
        found.append(f"{members} members, {len(trees.tree(site, 'buyers'))} buyers")
    return found


def main(folder: str) -> None:
    with console.opened(Path(folder) / CONFIGURATION, None) as site:
        found = problems(site, **json.load(sys.stdin))
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
