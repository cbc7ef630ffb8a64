"""Resources of a process after many purchases."""

from collections.abc import Callable
from dataclasses import dataclass
from tools import client
from tools.bench.provider import rush
from tools.bench.sites import memory
from tools.bench.sites import Site


#: Objects that each thread keeps: so few that the caches are full long before the first look.
CACHE_SIZE = 2000
#: What the file storage's index takes for an object of the database: two bytes of its number
#: and six of its place in the file.
INDEX_BYTES = 8
#: One for each thread; a thread that nobody needs would open no cache.
CLIENTS = 4
#: Looks at the memory, at equal distances.
LOOKS = 10


@dataclass
class Look:
    """The resources of a process at a moment.

    :ivar purchases: that it had answered.
    :ivar memory: bytes in use.
    :ivar loaded: objects in the caches of all threads.
    :ivar placeholders: objects that those in the caches point to.
    :ivar placeholder_bytes: what these take at least.
    :ivar objects: of the database, all of which the file storage's index names.
    """

    purchases: int
    memory: int
    loaded: int
    placeholders: int
    placeholder_bytes: int
    objects: int


@dataclass
class Endurance:
    """The findings of an endurance run.

    :ivar failed: purchases that were not acknowledged.
    """

    looks: list[Look]
    failed: int = 0

    @property
    def grown(self) -> int:
        """Bytes that the process grew by from the first look to the last."""
        return self.looks[-1].memory - self.looks[0].memory

    @property
    def index_grown(self) -> int:
        """Bytes of that which are the database's index."""
        return INDEX_BYTES * (self.looks[-1].objects - self.looks[0].objects)

    @property
    def placeholders_grown(self) -> int:
        """Bytes of that which are placeholders."""
        return self.looks[-1].placeholder_bytes - self.looks[0].placeholder_bytes


def measure(site: Site, purchases: int, tell: Callable[[str], None]) -> Endurance:
    """Buy at a site.

    :param site: a new one that keeps :data:`CACHE_SIZE` objects, and whose mail needs no link:
        Plone walks all links at each request.
    :param tell: called with what was seen.
    """
    looks: list[Look] = []
    with site.served() as pid:
        for number in range(1, LOOKS + 1):
            site.note(rush(site.port, CLIENTS, purchases // LOOKS))
            site.settle()
            held = client.ask(site.port, "@@bench-held").json()
            looks.append(Look(number * (purchases // LOOKS), memory(pid), **held))
            tell(f"{looks[-1].purchases:,} purchases, {looks[-1].memory / 1e6:.0f} MB")
    return Endurance(looks, site.failed)
