"""Access rights at a plenigo that is not real, and the script of its checkout."""

from collections.abc import Mapping
from datetime import timedelta
from niteoweb.click2sell.providers.plenigo.fake.api import Action
from niteoweb.click2sell.providers.plenigo.fake.api import FakePlenigoApi
from niteoweb.click2sell.providers.plenigo.fake.api import text
from niteoweb.click2sell.testing import Clock
from niteoweb.click2sell.testing import Request
from niteoweb.click2sell.testing import Response
from typing import Any


#: The paths of the customer API and of the script, below the address of the API.
CUSTOMER_API, SDK = "customer", "sdk"

#: Draws the buttons of a checkout and of a login, fires the events that plenigo documents, and
#: says of the self-service what it was told.
SCRIPT = b"""
(function () {
  var own = document.currentScript.src.split("/sdk/")[0];
  var tell = function (name, detail) {
    document.dispatchEvent(new CustomEvent("plenigo." + name, { detail: detail }));
  };
  window.plenigo = window.plenigo || {};
  window.plenigo.CONSTS = { SNIPPETS: { ORDER: "orders" } };
  window.plenigo.Snippets = function (transferToken, options) {
    this.open = function (page) {
      var settings = JSON.stringify(options.displaySettings);
      var text = [page, transferToken, options.subscriptionId, settings].join(" ");
      document.getElementById(options.elementId).textContent = text;
    };
    this.start = function () { this.open("all"); };
  };
  var buttons = function (options) {
    return function (label, press) {
      var one = document.createElement("button");
      one.type = "button";
      one.className = "btn btn-primary me-3";
      one.textContent = label;
      one.addEventListener("click", press);
      document.getElementById(options.elementId).appendChild(one);
    };
  };
  window.plenigo.SSO = function (options) {
    var show = function (way) {
      var button = buttons(options);
      button("Enter: " + way, function () {
        var session = document.createElement("script");
        session.src = own + "/sdk/enter";
        document.head.appendChild(session);
      });
      button("Break", function () { tell("Error", { errorMsg: "broken" }); });
    };
    this.login = function () { show("login"); };
    this.register = function () { show("register at " + options.source); };
    this.forgotPassword = function () { show("forgotPassword"); };
  };
  window.plenigo.Checkout = function (purchaseId, options) {
    var button = buttons(options);
    this.start = function () {
      button("Pay", function () {
        var order = document.createElement("script");
        order.src = own + "/sdk/buy?purchase=" + encodeURIComponent(purchaseId);
        document.head.appendChild(order);
      });
      button("Decline", function () { tell("PurchaseFailed", {}); });
      button("Break", function () { tell("Error", { errorMsg: "broken" }); });
    };
  };
})();
"""

#: Tells the page that an order was made.
BOUGHT = b"""document.dispatchEvent(
  new CustomEvent("plenigo.PurchaseSuccess", { detail: { orderId: %d } })
);"""
#: Tells the page the session of who has logged in.
ENTERED = b"""document.dispatchEvent(
  new CustomEvent("plenigo.LoginSuccess", { detail: { customerSession: "%s" } })
);"""
JAVASCRIPT = {"Content-Type": "text/javascript"}


class FakeAccess(FakePlenigoApi):
    """Rights of access, by the purchases of customers.

    :ivar sessions_of: customers by their session, for the customer API.
    :ivar at_the_keyboard: id of the customer who logs in, "" for the first.
    :ivar cached_for: how long an answer may be kept, None where plenigo does not say.
    :ivar rights_of_offers: the rights that offers give, beside ``access``.
    """

    def __init__(self, token: str, clock: Clock | None = None) -> None:
        super().__init__(token, clock)
        self.sessions_of: dict[str, str] = {}
        self.at_the_keyboard = ""
        self.cached_for: timedelta | None = None
        self.rights_of_offers: dict[str, str] = {}

    @property
    def actions(self) -> Mapping[tuple[str, ...], Action]:
        """Rights are listed, for those who may, and a customer's access is asked for."""
        return {
            **super().actions,
            ("GET", "accessRights"): lambda value: Response(200, {"items": []}),
            ("GET", "accessRights", "*", "hasAccess"): self._has_access,
        }

    def answer(self, request: Request) -> Response:
        """The answer of the API, of the customer API, or the script."""
        if request.path[0] == SDK:
            return self._script(request)
        if request.path[0] != CUSTOMER_API:
            return super().answer(request)
        customer = self.sessions_of.get(request.headers.get("x-plenigo-customer-session", ""))
        if customer is None or "x-plenigo-token" in request.headers:
            return self.error(401, 99010)
        return self._has_access(customer, dict(request.query))

    def _script(self, request: Request) -> Response:
        if request.path[1] == "buy":
            order = self.buy(request.query["purchase"])
            return Response(200, BOUGHT % order, JAVASCRIPT)
        if request.path[1] == "enter":
            session = self.log_in(self.at_the_keyboard or next(iter(self.customers)))
            return Response(200, ENTERED % session.encode(), JAVASCRIPT)
        return Response(200, SCRIPT, JAVASCRIPT)

    def buy(self, purchase_id: str) -> int:
        """The customer pays for a prepared purchase.

        :returns: the order's id.
        """
        purchase = self.purchases[int(purchase_id.rpartition("-")[2]) - 1]
        customer, offer = purchase["customerId"], purchase["items"][0]["plenigoOfferId"]
        right = self.rights_of_offers.get(offer, "access")
        subscription = self.subscribe(customer, offer, access_right=right)
        return self.order(customer, offer, subscription_item=subscription)

    def _has_access(self, customer_id: str, value: dict[str, Any]) -> Response:
        customer = self.customers.get(customer_id)
        wanted = value.get("accessRightUniqueIds", "")
        if customer is None or not wanted:
            return self.error(404 if wanted else 400)
        blocked = customer.get("status") == "BLOCKED"
        items = [self._item(customer_id, right) for right in wanted.split(",")]
        granted = not blocked and any(one["accessGranted"] for one in items)
        return Response(
            200, {"accessGranted": granted, "customerBlocked": blocked, "items": items}
        )

    def _item(self, customer_id: str, right: str) -> dict[str, Any]:
        giving = [
            one
            for one in self.subscriptions.values()
            if one["deliveryCustomerId"] == customer_id
            and one["status"] == "ACTIVE"
            and right in [item["accessRightUniqueId"] for item in one["items"]]
        ]
        item = {"accessRightUniqueId": right, "accessGranted": bool(giving), "blocked": False}
        if giving and giving[0].get("endDate"):
            item["lifeTimeEnd"] = giving[0]["endDate"]
        if giving and self.cached_for is not None:
            item["maxCacheDate"] = text(self.clock.now + self.cached_for)
        return item
