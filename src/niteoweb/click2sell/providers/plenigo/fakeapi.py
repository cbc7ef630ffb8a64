"""The API of a plenigo that is not real.

Fields, errors and limits are those of plenigo's OpenAPI description, version 250520. A size
that is out of range counts as 5, as it says there.
"""

from collections.abc import Callable
from collections.abc import Mapping
from datetime import datetime
from datetime import timezone
from niteoweb.click2sell.testing import Clock
from niteoweb.click2sell.testing import FakeServer
from niteoweb.click2sell.testing import Request
from niteoweb.click2sell.testing import Response
from typing import Any

import json


SIZES = range(5, 101)
DEFAULT_SIZE = 5

ERRORS = {
    400: (99400, "Provided data cannot be processed."),
    401: (99015, "Api token provided is not authorized."),
    404: (99404, "Entity for given id does not exist."),
    429: (99429, "The rate limit for this endpoint is reached. Please try again later."),
    500: (99500, "Currently we are not able to answer your request."),
    503: (99503, "Service Unavailable."),
}


class FakePlenigoApi(FakeServer):
    """The answers.

    :ivar token: the API asks for it.
    :ivar emergency: it answers everybody that it is in emergency mode.
    :ivar customers: by id, as the API shows them.
    :ivar subscriptions: by id, as the API shows them.
    :ivar orders: by id, as the API shows them.
    :ivar store_subscriptions: of app stores, by id, as the API shows them.
    :ivar asked: the actions that it was asked for, each with what was sent.
    :ivar purchases: what was prepared, in order.
    :ivar refuses: code of the error with which it refuses purchases, 0 for none.
    """

    base = "/api/v3.0"

    def __init__(self, token: str, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.token = token
        self.emergency = False
        self.customers: dict[str, dict[str, Any]] = {}
        self.subscriptions: dict[int, dict[str, Any]] = {}
        self.orders: dict[int, dict[str, Any]] = {}
        self.store_subscriptions: dict[int, dict[str, Any]] = {}
        self.asked: list[tuple[str, Any]] = []
        self.purchases: list[dict[str, Any]] = []
        self.refuses = 0

    def answer(self, request: Request) -> Response:
        """The answer of the API."""
        if self.emergency:
            return self.error(400, 99018)
        if request.headers.get("x-plenigo-token") != self.token:
            return self.error(401)
        if request.method == "GET":
            return self._listed(request) or self._shown(request)
        action = self._actions.get((request.method, *request.path))
        if action is None:
            return self.error(404)
        value = json.loads(request.body)
        self.asked.append((request.path[-1], value))
        return action(value)

    @property
    def _actions(self) -> Mapping[tuple[str, ...], Callable[[dict[str, Any]], Response]]:
        return {
            ("POST", "customers"): self._new_customer,
            ("POST", "checkout", "preparePurchase"): self._prepared,
        }

    def _new_customer(self, value: dict[str, Any]) -> Response:
        same_id = self.customers.get(value["customerId"])
        if same_id is not None:
            same = same_id["email"] == value["email"]
            return Response(208, shown(same_id)) if same else self.error(400, 20027)
        if any(one.get("email") == value["email"] for one in self.customers.values()):
            return self.error(400, 20007)
        changed = {"changedDate": text(self.clock.now), "status": "ACTIVATED"}
        self.customers[value["customerId"]] = {**value, **changed}
        return Response(201, shown(self.customers[value["customerId"]]))

    def _prepared(self, value: dict[str, Any]) -> Response:
        wanted = [name for name in ("items", "basketId", "voucherCode") if name in value]
        if len(wanted) != 1 or not value.get("customerIpAddress"):
            return self.error(400)
        if value["customerId"] not in self.customers:
            return self.error(403, 90010)
        if self.refuses:
            return self.error(400, self.refuses)
        self.purchases.append(value)
        return Response(201, {"purchaseId": f"purchase-{len(self.purchases)}"})

    def error(self, status: int, code: int = 0) -> Response:
        """An error, as plenigo documents it.

        :param code: 0 for the usual one of the status.
        """
        usual, message = ERRORS.get(status, (0, ""))
        return Response(status, {"errorCode": code or usual, "errorMessage": message})

    @property
    def _collections(self) -> Mapping[tuple[str, ...], Mapping[Any, dict[str, Any]]]:
        return {
            ("customers",): self.customers,
            ("subscriptions",): self.subscriptions,
            ("orders",): self.orders,
            ("appStores", "subscriptions"): self.store_subscriptions,
        }

    def _shown(self, request: Request) -> Response:
        *collection, id_ = request.path
        records = self._collections.get(tuple(collection), {})
        record = {str(key): value for key, value in records.items()}.get(id_)
        return self.error(404) if record is None else Response(200, shown(record))

    def _listed(self, request: Request) -> Response | None:
        """A page of a list, or of that of a customer; None where it is none."""
        owner, path = "", request.path
        if len(path) == 3 and path[0] == "customers":
            owner, path = path[1], path[2:]
            if path == ("appStoreSubscriptions",):
                path = ("appStores", "subscriptions")
        if path not in self._collections:
            return None
        query = request.query
        try:
            size = int(query.get("size", DEFAULT_SIZE))
            after = int(query.get("startingAfter", 0))
            since = datetime.fromisoformat(query.get("startTime", "1990-01-01T00:00:00Z"))
        except ValueError:
            return self.error(400)
        size = size if size in SIZES else DEFAULT_SIZE
        names = ("invoiceCustomerId", "deliveryCustomerId", "customerId")
        items = [
            shown(value)
            for key, value in sorted(self._collections[path].items())
            if int(key) > after
            and datetime.fromisoformat(value["changedDate"]) >= since
            and (not owner or owner in [value.get(name) for name in names])
            and query.get("email", value.get("email")) == value.get("email")
            and _has_item(value, query.get("subscriptionItemId"))
        ]
        return Response(200, {"items": items[:size]})


def _has_item(entity: Mapping[str, Any], item_id: str | None) -> bool:
    items = entity.get("items", ())
    return item_id is None or item_id in [str(one.get("subscriptionItemId")) for one in items]


def shown(entity: Mapping[str, Any]) -> dict[str, Any]:
    """An entity as it goes out: values that are not there are left out."""
    return {name: value for name, value in entity.items() if value not in (None, "")}


def text(moment: datetime) -> str:
    """A moment as plenigo writes it."""
    return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
