"""Pages of the benchmarks' sites alone: Plone's registration, and the objects in memory."""

from persistent import GHOST
from Products.Five.browser import BrowserView
from tools.bench.members import GROUPS
from tools.bench.provider import PARSED

import json
import sys


PASSWORD = "As-good-as-any-1"  # noqa: S105


class Registration(BrowserView):
    """``@@bench-registration``: register the buyer of a notification, with two groups.

    Plone's own registration, and nothing else: what no add-on can save. No checksum, no
    purchase fields, no mail; the publisher commits.
    """

    def __call__(self) -> str:
        address = self.request.form["buyer_email"]
        site = self.context
        site.portal_registration.addMember(
            address, PASSWORD, ("Member",), properties={"username": address, "email": address}
        )
        for name in GROUPS:
            site.portal_groups.addPrincipalToGroup(address, name)
        return PARSED


class Held(BrowserView):
    """``@@bench-held``: the objects of the database that the process holds, as JSON.

    ``loaded`` objects are those that the caches of all threads keep. ``placeholders`` stand for
    objects that a loaded one points to and that are not loaded; no setting limits them, and
    ``placeholder_bytes`` is what they and their ids take, without the caches' own tables.
    ``objects`` are all of the database, each of which has a line in the file storage's index.
    """

    def __call__(self) -> str:
        database = self.context._p_jar.db()
        found = {
            "loaded": 0,
            "placeholders": 0,
            "placeholder_bytes": 0,
            "objects": len(database.storage),
        }

        def look(connection) -> None:
            cache = connection._cache
            for oid, known in cache.items():
                if known._p_state == GHOST:
                    found["placeholders"] += 1
                    found["placeholder_bytes"] += sys.getsizeof(oid) + sys.getsizeof(known)
            found["loaded"] += cache.cache_non_ghost_count

        database._connectionMap(look)
        self.request.response.setHeader("Content-Type", "application/json")
        return json.dumps(found)
