"""What the process of a site holds of its database."""

from persistent import GHOST
from Products.Five.browser import BrowserView

import json
import sys


class Held(BrowserView):
    """``@@bench-held``, as JSON.

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
