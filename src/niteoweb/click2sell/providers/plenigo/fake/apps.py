"""The app stores at a plenigo that is not real: purchases that apps hand in."""

from collections.abc import Mapping
from niteoweb.click2sell.providers.plenigo.fake.api import Action
from niteoweb.click2sell.providers.plenigo.fake.api import FakePlenigoApi
from niteoweb.click2sell.providers.plenigo.fake.api import shown
from niteoweb.click2sell.providers.plenigo.fake.api import text
from niteoweb.click2sell.testing import Clock
from niteoweb.click2sell.testing import Response
from typing import Any


STORES = {"appleAppStore": "appIdentifier", "googlePlayStore": "packageName"}

#: Characters of a receipt.
LONGEST = 300_000


class FakeApps(FakePlenigoApi):
    """The part of plenigo that serves apps.

    :ivar app_ids: ids of the apps that it knows.
    :ivar app_purchases: by token, as it shows them.
    :ivar app_code: code of the error with which it refuses purchases, 0 for none.
    :ivar bought_in_app: access rights of each purchase in the next receipt.
    """

    def __init__(self, token: str, clock: Clock | None = None) -> None:
        super().__init__(token, clock)
        self.app_ids = {"de.lab.app"}
        self.app_purchases: dict[str, dict[str, Any]] = {}
        self.app_code = 0
        self.bought_in_app: list[list[str]] = [["right-2"]]

    @property
    def actions(self) -> Mapping[tuple[str, ...], Action]:
        """Purchases are added, looked at, and become a customer's."""
        actions = dict(super().actions)
        for store, name in STORES.items():
            path = ("appStores", store)
            actions["POST", *path] = lambda value, name=name: self._added(value, name)
            actions["GET", *path, "*", "verify"] = self._looked_at
            actions["POST", *path, "*", "associate"] = self._associated
        return actions

    def _added(self, value: dict[str, Any], name: str) -> Response:
        if value.get(name) not in self.app_ids:
            return self.error(400, 58001)
        if self.app_code:
            return self.error(408 if self.app_code == 58003 else 400, self.app_code)
        handed_in = value.get("receiptData") or value.get("transactionIds")
        if not handed_in or len(handed_in[0]) > LONGEST:
            return self.error(400, 58007)
        added = []
        for rights in self.bought_in_app:
            token = f"token-{len(self.app_purchases) + 1}"
            order = {
                "valid": True,
                "purchaseDate": text(self.clock.now),
                "appStoreProductId": "monthly",
                "accessRightUniqueId": rights[0],
                "accessRights": {"items": [{"uniqueId": right} for right in rights]},
            }
            purchase = {"token": token, "hasOrders": True, "orders": [order]}
            self.app_purchases[token] = purchase
            added.append(purchase)
        several = len(added) > 1 or name == "appIdentifier"
        return Response(201, {"purchases": added} if several else added[0])

    def _looked_at(self, token: str, _query: dict[str, Any]) -> Response:
        if token not in self.app_purchases:
            return self.error(404)
        if self.app_code:
            return self.error(408, self.app_code)
        return Response(200, shown(self.app_purchases[token]))

    def _associated(self, token: str, value: dict[str, Any]) -> Response:
        purchase, customer_id = self.app_purchases.get(token), value.get("customerId")
        if purchase is None or customer_id not in self.customers:
            return self.error(404)
        if purchase.get("customerId", customer_id) != customer_id:
            return self.error(400)
        purchase["customerId"] = customer_id
        for order in purchase["orders"]:
            self.subscribe_in_store(customer_id, order["accessRightUniqueId"], 30)
        return Response(200, shown(purchase))
