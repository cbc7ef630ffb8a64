"""The API of a plenigo that is not real: lists, and single objects by id.

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


#: It is given the ids of its path, and what was sent: body and query.
Action = Callable[..., Response]

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
    :ivar lacks: rights that the token has not, by the beginning of the paths that need them.
    :ivar emergency: it answers everybody that it is in emergency mode.
    :ivar customers: by id, as the API shows them.
    :ivar subscriptions: by id, as the API shows them.
    :ivar orders: by id, as the API shows them.
    :ivar store_subscriptions: of app stores, by id, as the API shows them.
    :ivar asked: the actions that it was asked for, each with what was sent.
    """

    base = "/api/v3.0"

    def __init__(self, token: str, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.token = token
        self.emergency = False
        self.lacks: set[str] = set()
        self.customers: dict[str, dict[str, Any]] = {}
        self.subscriptions: dict[int, dict[str, Any]] = {}
        self.orders: dict[int, dict[str, Any]] = {}
        self.store_subscriptions: dict[int, dict[str, Any]] = {}
        self.asked: list[tuple[str, Any]] = []

    def answer(self, request: Request) -> Response:
        """The answer of the API."""
        if self.emergency:
            return self.error(400, 99018)
        if request.headers.get("x-plenigo-token") != self.token:
            return self.error(401)
        if request.path and request.path[0] in self.lacks:
            return self.error(401, 99009)
        answer = self._acted(request)
        if answer is None and request.method == "GET":
            answer = self._listed(request) or self._shown(request)
        return answer or self.error(404)

    @property
    def actions(self) -> Mapping[tuple[str, ...], Action]:
        """Its actions, by method and path; ``*`` is an id, which the action is given."""
        return {}

    def _acted(self, request: Request) -> Response | None:
        asked = (request.method, *request.path)
        for path, action in self.actions.items():
            if len(path) != len(asked) or not all(
                map(lambda one, two: one in ("*", two), path, asked)
            ):
                continue
            ids = [two for one, two in zip(path, asked, strict=True) if one == "*"]
            value = dict(request.query)
            if request.method != "GET":
                value |= self._sent(request)
                self.asked.append((request.path[-1], value))
            return action(*ids, value)
        return None

    def _sent(self, request: Request) -> dict[str, Any]:
        """The body of a request."""
        return json.loads(request.body or b"{}")

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
            and all(
                query.get(name, value.get(name)) == value.get(name)
                for name in ("email", "externalSystemId")
            )
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
