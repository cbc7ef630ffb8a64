"""Checks of a subscription through the pages and services for owners."""

from datetime import datetime
from datetime import timedelta
from tools.demo import settings
from tools.demo.story import expect
from tools.demo.story import Story
from typing import Any
from urllib.parse import quote


#: Days after the end of a subscription that was not cancelled: the add-on's default.
GRACE = timedelta(days=3)


class Seen(Story):
    """A story whose owner looks at what the site shows, by its services."""

    def entries(self, outcome: str = "") -> int:
        """The number of notifications in the ledger.

        :param outcome: count only those that this has become of.
        """
        query = f"&outcome={quote(outcome)}" if outcome else ""
        found = self.owner.json(f"/@click2sell-notifications?b_size=1{query}")
        expect(found, "the owner may not see the list")
        return found["items_total"]

    def buyer(self, address: str) -> dict[str, Any]:
        """All that the site shows of a buyer.

        Of several who name the address it is the one with an account: an app may have named it
        before the provider did.
        """
        found = self.owner.json(f"/@click2sell-members?search={quote(address)}")
        buyers = found["items"] if found else []
        buyers = [buyer for buyer in buyers if buyer.get("user_id")] or buyers
        expect(len(buyers) == 1, f"there is no buyer {address}, or several")
        return self.owner.json(f"/@click2sell-members/{buyers[0]['id']}")

    def shown(
        self,
        address: str,
        product: str,
        state: str,
        until: datetime | None = None,
        *groups: str,
        grace: bool = False,
        said: str = "",
    ) -> str:
        """Check the access that the site shows of a buyer, and return it.

        :param product: the offer that it is about.
        :param state: how access to it stands.
        :param until: its end, None where that is no matter.
        :param groups: all that the member is in, beside those of every buyer and member.
        :param grace: whether days of grace follow the end.
        :param said: the word for the state, where it is another one.
        """
        buyer = self.buyer(address)
        found = {one["product_id"]: one for one in buyer["products"]}
        expect(product in found, f"the site knows of {', '.join(found) or 'nothing'}")
        one = found[product]
        expect(one["state"] == state, f"{product} is {one['state']}, not {state}")
        line = f"{product} {said or ('overdue' if state == 'grace' else state)}"
        if until is not None:
            end, limit = one["until"], until + GRACE if grace else until
            expect(end == until.isoformat(), f"access ends at {end}, not {until}")
            expect(one["access_until"] == limit.isoformat(), f"and {one['access_until']}")
            word = "until" if one["access"] else "at"
            line += f" {'since' if state == 'grace' else word} {text(until)}"
            line += f", with grace until {text(limit)}" if grace else ""
        member = self.owner.json(f"/@users/{quote(buyer['user_id'])}")
        expect(buyer["user_id"] and member, f"{address} is no member")
        has = {group["id"] for group in member["groups"]["items"]} - {"AuthenticatedUsers"}
        expected = {settings.BUYERS_GROUP, *groups}
        expect(
            has == expected, f"in {', '.join(sorted(has))}, not {', '.join(sorted(expected))}"
        )
        return f"-> {line}\n   {buyer['user_id']} in {', '.join(sorted(has))}"

    def nothing_needs_attention(self) -> str:
        """The list has it all, and nothing is left for a person."""
        total = self.entries()
        for outcome in ("needs attention", "failed", "refused"):
            expect(not self.entries(outcome), f"{self.entries(outcome)} {outcome}")
        expect(total, "there is none")
        return f"{total} in the list, none needs attention"


def text(moment: datetime) -> str:
    """A moment, in UTC and to the minute."""
    return f"{moment:%Y-%m-%d %H:%M}"
