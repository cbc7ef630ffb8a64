"""A buyer who is erased, and the data that is stored about them."""

from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.member import localroles
from niteoweb.click2sell.privacy import erasure
from niteoweb.click2sell.privacy import export
from niteoweb.click2sell.storage import trees as store
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import plain
from niteoweb.click2sell.tests.cases.sweeps import SweepTestCase
from plone import api
from typing import Any

import transaction


REASON = "Asked for by letter"


#: Of deliveries.SALE, in lower case; none of them is in what an entry keeps.
PERSONAL = ("john", "smith", "r-1", "t-1", ": 'affiliate'", "example.org")


class ErasureTestCase(SweepTestCase):
    """A buyer, and what is stored about them."""

    def erase(
        self, address: str = EMAIL, finished: bool = True, **options: Any
    ) -> dict[str, Any]:
        """Erase as an owner does.

        :param finished: whether the background has finished it.
        """
        told = erasure.erase(address, options.pop("reason", REASON), "owner", **options)
        transaction.begin()
        if finished:
            localroles.clear()
            transaction.begin()
        return told

    def found(self, address: str = EMAIL) -> export.Holdings:
        transaction.begin()
        return export.find(self.portal, address)

    def record(self, address: str = EMAIL) -> Any:
        """The only buyer of an address."""
        [record] = self.found(address).records
        return record

    def entry(self, address: str = EMAIL, number: int = -1) -> ledger.Entry:
        return self.found(address).entries[number]

    def stored(self) -> str:
        """All that the add-on keeps, but for the index of Plone's members, in lower case."""
        transaction.begin()
        trees = {
            name: plain(store.tree(self.portal, name))
            for name in store.TREES
            if not name.startswith("member_")
        }
        trees["remarks"].pop("erasure_key", None)
        return repr(trees).lower()

    def assertNothingPersonal(self, *texts: str) -> None:
        stored = self.stored()
        for text in texts or PERSONAL:
            self.assertNotIn(text, stored)

    def members(self) -> list[str]:
        transaction.begin()
        return sorted(user.getId() for user in api.user.get_users())
