"""A member of release 0.4.5: the five fields, and whether they can be adopted."""

from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
from DateTime import DateTime
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import index
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.provisioning import NO_PURCHASE
from niteoweb.click2sell.storage import trees
from typing import Any


_DATE = "last_purchase_timestamp"
FIELDS = (*(name for name in NO_PURCHASE if name != _DATE), "affiliate", "email")

#: The field's default is midnight of 2000-01-01 somewhere: no date was ever written.
NO_DATE_UNTIL = datetime(2000, 1, 3, tzinfo=timezone.utc)
#: Clocks and time zones differ; more than this ahead is no date of a purchase.
AHEAD = timedelta(hours=24)

# Why an adopted member is listed.
LAPSES = "lapses"  # the days of access are over: the next sweep ends it
OTHER_GROUPS = "other groups"  # in groups of other products, which stay
OUTSIDE = "outside"  # in no group of the product: access counts as ended
MORE_GROUPS = "more groups"  # the product gives groups that a later run will give
NO_LINE = "no line"  # the mapping has no line for the product
ADOPTED = frozenset({LAPSES, OTHER_GROUPS, OUTSIDE, MORE_GROUPS, NO_LINE})

# Why a member is not adopted.
PRIVILEGED = "privileged"
NO_ADDRESS = "no address"
NO_DATE = "no date"
SEVERAL_ACCOUNTS = "several accounts"  # with this address
ANOTHER_BUYER = "another buyer"  # the address is tied to another member
BOUGHT_SINCE = "bought since"  # a buyer already, in groups that we did not give


@dataclass(frozen=True)
class Finding:
    """A member that the owner should know about.

    :ivar why: one of the constants above.
    :ivar groups: the groups that it is about.
    """

    why: str
    user_id: str
    address: str
    product_id: str
    groups: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The finding as plain values."""
        return {**asdict(self), "adopted": self.why in ADOPTED}


class LegacyMember:
    """A member with the fields that 0.4.5 wrote."""

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        exists = accounts.exists(user_id)
        self.fields = {name: accounts.text(user_id, name) for name in FIELDS if exists}
        self.product_id = self.fields.get("product_id", "").strip()
        self.email = self.fields.get("email", "").strip()
        self.address = (user_id if "@" in user_id else self.email).lower()

    @property
    def occurred_at(self) -> datetime | None:
        """Time of the purchase in UTC, None when the field has no date."""
        value = accounts.fields(self.user_id, (_DATE,))[_DATE]
        if not isinstance(value, DateTime):
            return None
        try:
            moment = timestamps.from_microseconds(value.micros())
        except OverflowError:
            return None
        return moment if moment > NO_DATE_UNTIL else None

    def problem(self, site: Any, now: datetime) -> str:
        """Why the member cannot be adopted, or ""."""
        if privilege.member(self.user_id):
            return PRIVILEGED
        if not accounts.is_address(self.address):
            return NO_ADDRESS
        if self.occurred_at is None or self.occurred_at > now + AHEAD:
            return NO_DATE
        if any(match.user_id != self.user_id for match in index.find(site, self.address)):
            return SEVERAL_ACCOUNTS
        known = trees.tree(site, "buyer_by_address").get(self.address)
        return ANOTHER_BUYER if known and buyers.get(site, known)["user_id"] else ""

    def finding(self, why: str, groups: Sequence[str] = ()) -> Finding:
        """A finding about the member."""
        return Finding(why, self.user_id, self.address, self.product_id, tuple(groups))
