"""The record of a Stripe that is not real: objects as its API has them, and events about them.

Fields are those of Stripe's API version 2025-03-31.basil, as far as anybody reads them. With
``old_shape`` events are of the versions before: the period stands on the subscription, and a
charge names its invoice.
"""

from collections.abc import Callable
from copy import deepcopy
from niteoweb.click2sell.testing import Clock
from typing import Any


OLD, NEW = "2024-06-20", "2025-03-31.basil"
#: Objects of a list, if a question does not say how many, and in an event.
DEFAULT_PAGE = 10

Values = dict[str, Any]


class Record:
    """Objects by id, and the events that tell of them.

    :ivar objects: all of them by id, as the API shows them.
    :ivar events: all that happened, the oldest first.
    :ivar livemode: of all of them; False for those of the test mode.
    :ivar old_shape: whether events have the fields of older versions of the API.
    """

    def __init__(self, clock: Clock, tell: Callable[[Values], None]) -> None:
        """
        :param tell: gets each event.
        """
        self.clock = clock
        self.objects: dict[str, Values] = {}
        self.events: list[Values] = []
        self.livemode, self.old_shape = True, False
        self._tell = tell
        self._number = 0

    def _add(self, type_: str, id_: str = "", **fields: Any) -> Values:
        prefix = {"subscription": "sub", "subscription_item": "si", "checkout.session": "cs"}
        id_ = id_ or self._id(prefix.get(type_, type_[:2]))
        made = {"id": id_, "object": type_, "livemode": self.livemode, "created": self._now()}
        self.objects[id_] = made | fields
        return self.objects[id_]

    def _id(self, prefix: str) -> str:
        self._number += 1
        return f"{prefix}_{self._number:08}"

    def _now(self) -> int:
        return int(self.clock.now.timestamp())

    def _say(self, type_: str, about: Values, before: Values | None = None) -> None:
        data = {"object": shown(about, self.old_shape)}
        if before is not None:
            data["previous_attributes"] = deepcopy(before)
        event = {
            "id": self._id("evt"),
            "object": "event",
            "api_version": OLD if self.old_shape else NEW,
            "created": self._now(),
            "livemode": self.livemode,
            "type": type_,
            "data": data,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
        }
        self.events.append(event)
        self._tell(event)


def shown(about: Values, old: bool = False) -> Values:
    """An object as it goes out.

    :param old: with the fields of the API's older versions.
    """
    one = deepcopy(about)
    type_ = one.get("object")
    if type_ == "charge" and not old:
        del one["invoice"]
    if not old:
        return one
    if type_ == "subscription":
        for item in one["items"]["data"]:
            for name in ("current_period_start", "current_period_end"):
                one[name] = item.pop(name)
    if type_ == "invoice":
        one["subscription"] = one.pop("parent")["subscription_details"]["subscription"]
        for line in one["lines"]["data"]:
            details = line.pop("parent").get("subscription_item_details", {})
            line["subscription_item"] = details.get("subscription_item")
            line["proration"] = False
            price = line.pop("pricing")["price_details"]
            line["price"] = {"id": price["price"], "product": price["product"]}
    return one
