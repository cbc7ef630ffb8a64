"""The expected content of each page, computed from the whole ledger:
``python -m tools.bench.expected FOLDER ADDRESS SMTP_PORT``.

Nothing of the add-on's indexes is used, so that an index cannot agree with itself.
"""

from niteoweb.click2sell.command import console
from pathlib import Path
from tools.bench import pages
from tools.bench.members import tell_addresses
from tools.instance import CONFIGURATION
from typing import Any

import json
import sys
import transaction


#: Objects after which what was read leaves the memory.
BATCH = 5000


def expected(site: Any) -> dict[str, Any]:
    """The expected rows of the lists of :mod:`tools.bench.pages`, by their names.

    :returns: of each list how many there are and the rows of the first and the last page; and
        ids of some entries and buyers.
    """
    from niteoweb.click2sell.ledger import entries
    from niteoweb.click2sell.storage import trees

    rows, payments = [], {}
    for number, place in enumerate(trees.tree(site, "entries"), 1):
        entry = entries.at(site, place)
        row = {name: entry[name] for name in ("received_at", "key", *pages.FACETS.values())}
        rows.append(tuple(row.values()))
        if entry["kind"] in ("purchase", "renewal") and entry["buyer_id"]:
            latest = payments.get(entry["buyer_id"], "")
            payments[entry["buyer_id"]] = max(latest, entry["received_at"])
        if number % BATCH == 0:
            site._p_jar.cacheMinimize()
    rows.sort(reverse=True)
    found = {}
    names = ("received_at", "key", *pages.FACETS)
    for name, filters in pages.LISTS.items():
        wanted = [(names.index(field), value) for field, value in filters.items()]
        fitting = [row[1] for row in rows if all(row[at] == value for at, value in wanted)]
        found[name] = _ends(fitting)
    paid = sorted(payments, key=lambda buyer_id: payments[buyer_id], reverse=True)
    found["members"] = _ends(paid)
    step = max(len(rows) // pages.SAMPLES, 1)
    found["some entries"] = [row[1] for row in rows[::step]]
    step = max(len(paid) // pages.SAMPLES, 1)
    found["some buyers"] = paid[::step]
    return found


def _ends(ids: list[str]) -> dict[str, Any]:
    start = max(len(ids) - 1, 0) // pages.PAGE * pages.PAGE
    return {"total": len(ids), "first": ids[: pages.PAGE], "last": ids[start:]}


def main(folder: str, address: str, smtp_port: str) -> None:
    """Write what is expected into the folder, and tell the site its place of this time."""
    with console.opened(Path(folder) / CONFIGURATION, None) as site:
        tell_addresses(address, int(smtp_port))
        transaction.commit()
        text = json.dumps(expected(site))
    (Path(folder) / "expected.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
