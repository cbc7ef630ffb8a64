"""A Stripe that is not real: an account, signed events, and the API that is asked.

It signs as Stripe does, also with the old secret while a secret is rotated, and answers with
Stripe's pages and errors.
"""

from collections.abc import Callable
from collections.abc import Iterable
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell.providers.stripe import account
from niteoweb.click2sell.providers.stripe import client
from niteoweb.click2sell.providers.stripe import protocol
from niteoweb.click2sell.providers.stripe.fakeaccount import StripeAccount
from niteoweb.click2sell.providers.stripe.fakerecord import DEFAULT_PAGE
from niteoweb.click2sell.providers.stripe.fakerecord import shown
from niteoweb.click2sell.providers.stripe.fakerecord import Values
from niteoweb.click2sell.testing import Clock
from niteoweb.click2sell.testing import FakeServer
from niteoweb.click2sell.testing import Request
from niteoweb.click2sell.testing import Response
from niteoweb.click2sell.testing import Sender
from urllib.parse import parse_qs


TOKEN = "rk_live_made_up"  # noqa: S105
SECRET = "whsec_made_up"  # noqa: S105

#: When Stripe tries an event again that failed: growing pauses, for three days.
RETRIES = tuple(timedelta(hours=hours) for hours in (1, 2, 4, 8, 12, 12, 12, 12))

LARGEST_PAGE = 100

ERRORS = {
    400: ("invalid_request_error", "parameter_unknown", "Received unknown parameter."),
    401: ("invalid_request_error", None, "Invalid API Key provided."),
    403: ("invalid_request_error", None, "The provided key does not have the permissions."),
    404: ("invalid_request_error", "resource_missing", "No such object."),
    429: ("invalid_request_error", "rate_limit", "Too many requests."),
    500: ("api_error", None, "An error occurred."),
    503: ("api_error", None, "Service unavailable."),
}

#: Objects that are asked for by their ids, by the path.
_BY_ID = {
    "subscriptions": "subscription",
    "customers": "customer",
    "charges": "charge",
    "invoices": "invoice",
}
#: Lists of all objects of a type, by the path.
_LISTS = {**_BY_ID, "products": "product", "webhook_endpoints": "webhook_endpoint"}


class FakeStripe(FakeServer):
    """A Stripe on this machine, while its ``with`` block lasts.

    Each event of :attr:`account` is put on the pile of :attr:`events`, which
    ``events.deliver(url)`` delivers.

    :ivar token: the API asks for it.
    :ivar account: a shop's customers, subscriptions and payments.
    :ivar events: sends the pending ones.
    :ivar old_secret: signs them, too, while the secret is rotated.
    :ivar permissions: paths that the key may ask for, None for all.
    """

    base = "/v1"

    def __init__(
        self,
        secret: str = SECRET,
        token: str = TOKEN,
        clock: Clock | None = None,
        sign: Callable[[str, int, bytes], str] = protocol.sign,
    ) -> None:
        """
        :param sign: makes the header of a secret, a time and a body.
        """
        super().__init__(clock)
        self.token = token
        self.old_secret = ""
        self.permissions: set[str] | None = None
        self._sign = sign
        self.events = Sender(self.clock, self._headers, secret, RETRIES)
        self.account = StripeAccount(self.clock, self._put)

    def answer(self, request: Request) -> Response:
        """The answer of the API."""
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return self.error(401)
        if self.permissions is not None and request.path[0] not in self.permissions:
            return self.error(403)
        if request.headers.get("stripe-version") != account.VERSION:
            return self.error(400)
        if request.method == "POST":
            return self._post(request)
        path, query, objects = request.path, request.query, self.account.objects
        if path[0] in _BY_ID and len(path) == 2:
            one = objects.get(path[1])
            if one is None or one["object"] != _BY_ID[path[0]]:
                return self.error(404)
            return Response(200, self._expanded(_cut(shown(one)), query))
        if path[0] in _LISTS and len(path) == 1:
            return self._page(self._of(_LISTS[path[0]]), query)
        if path[:2] == ("checkout", "sessions") and path[3:] == ("line_items",):
            lines = objects.get(f"{path[2]} lines")
            return self._page(lines["data"], query) if lines else self.error(404)
        if path == ("checkout", "sessions"):
            found = self._of("checkout.session")
            for name in {"subscription", "payment_intent"} & query.keys():
                found = [one for one in found if one[name] == query[name]]
            return self._page(found, query)
        if path == ("invoice_payments",):
            wanted = query.get("payment[payment_intent]", "")
            found = self._of("invoice_payment")
            paid = [o for o in found if o["payment"]["payment_intent"] == wanted]
            return self._page(paid, query)
        if path == ("subscription_items",):
            items = objects[query["subscription"]]["items"]["data"]
            return self._page(items, query)
        if path == ("entitlements", "active_entitlements"):
            features = objects.get(f"{query['customer']} features", {"data": []})
            return self._page(features["data"], query)
        if path == ("events",):
            return self._page(self._listed(query), query)
        return self.error(404)

    def error(self, status: int) -> Response:
        """An error, as Stripe documents it."""
        type_, code, message = ERRORS[status]
        return Response(status, {"error": {"type": type_, "code": code, "message": message}})

    def _post(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        if request.path != ("billing_portal", "sessions"):
            return self.error(404)
        customer = self.account.objects.get(form.get("customer", ""), {})
        if customer.get("object") != "customer" or customer.get("deleted"):
            return self.error(400)
        session = {
            "id": "bps_1",
            "object": "billing_portal.session",
            "customer": customer["id"],
            "livemode": self.account.livemode,
            "return_url": form.get("return_url"),
            "url": f"{self.url.removesuffix(self.base)}/p/session/{customer['id']}",
        }
        return Response(200, session)

    def _of(self, type_: str) -> list[Values]:
        found = self.account.objects.values()
        return [shown(one) for one in found if one.get("object") == type_][::-1]

    def _listed(self, query: dict[str, str]) -> list[Values]:
        """The events of a time, the latest first; they are kept for 30 days."""
        types = set(filter(None, query.get("types[]", "").split(",")))
        kept = (self.clock.now - client.KEPT).timestamp()
        since = max(int(query.get("created[gte]", 0)), kept)
        return [
            event
            for event in reversed(self.account.events)
            if event["created"] >= since and (not types or event["type"] in types)
        ]

    def _page(self, found: Iterable[Values], query: dict[str, str]) -> Response:
        found, size = list(found), int(query.get("limit", DEFAULT_PAGE))
        if not 1 <= size <= LARGEST_PAGE or len(query.get("types[]", "").split(",")) > 20:
            return self.error(400)
        after = query.get("starting_after")
        if after:
            ids = [one["id"] for one in found]
            if after not in ids:
                return self.error(400)
            found = found[ids.index(after) + 1 :]
        data = [self._expanded(one, query) for one in found[:size]]
        return Response(200, {"object": "list", "data": data, "has_more": len(found) > size})

    def _expanded(self, one: Values, query: dict[str, str]) -> Values:
        """An object with its products in full, where that is asked for."""
        if query.get("expand[]", "").endswith("price.product"):
            inside = one["items"]["data"] if "items" in one else [one]
            for item in inside:
                product = item["price"]["product"]
                item["price"] = {**item["price"], "product": self.account.objects[product]}
        return one

    def _put(self, event: Values) -> None:
        self.events.write(event["type"], event)

    def _headers(self, secret: str, moment: datetime, body: bytes) -> dict[str, str]:
        time = int(moment.timestamp())
        header = self._sign(secret, time, body)
        if self.old_secret:
            old = self._sign(self.old_secret, time, body)
            header = f"{header},{old.partition(',')[2]}"
        return {"Stripe-Signature": header}


def _cut(one: Values) -> Values:
    """An object with the first items of a subscription: the others are pages of their own."""
    items = one.get("items", {"data": []})
    items["has_more"] = len(items["data"]) > DEFAULT_PAGE
    del items["data"][DEFAULT_PAGE:]
    return one
