"""Those who buy at a plenigo that is not real: customers of the site, and their purchases."""

from collections.abc import Mapping
from niteoweb.click2sell.providers.plenigo.fake.api import Action
from niteoweb.click2sell.providers.plenigo.fake.api import FakePlenigoApi
from niteoweb.click2sell.providers.plenigo.fake.api import shown
from niteoweb.click2sell.providers.plenigo.fake.api import text
from niteoweb.click2sell.testing import Clock
from niteoweb.click2sell.testing import Response
from typing import Any


#: Characters that a purchase may have, by the names of its values: ``CheckoutPreparation`` in
#: plenigo's description.
LONGEST = {
    "language": 2,
    "currency": 3,
    "customerId": 18,
    **dict.fromkeys(("plenigoOfferId", "plenigoProductId", "productId", "voucherCode"), 20),
    **dict.fromkeys(("variantUniqueId", "accessRightUniqueId"), 30),
    "basketId": 40,
    "customerIpAddress": 45,
    **dict.fromkeys(("title", "affiliateId", "partnerId"), 100),
    "sourceId": 500,
}
#: Characters of each value below a name, and of the names there.
LONGEST_WITHIN = {"utm": 100, "data": 200}
LONGEST_NAME = 30


def fits(value: Any, longest: int = 0) -> bool:
    """Whether all texts of a purchase are as short as plenigo wants them.

    :param longest: characters of a text that has no limit of its own, 0 for any number.
    """
    if isinstance(value, list):
        return all(fits(one, longest) for one in value)
    if isinstance(value, str):
        return not longest or len(value) <= longest
    if not isinstance(value, dict):
        return True
    within = {name: LONGEST.get(name, LONGEST_WITHIN.get(name, longest)) for name in value}
    return all(len(name) <= LONGEST_NAME and fits(value[name], within[name]) for name in value)


class FakeShop(FakePlenigoApi):
    """The part of plenigo that sells.

    :ivar purchases: what was prepared, in order.
    :ivar offers: shopping carts and bonuses, too, by id: title and description.
    :ivar images: of offers, by id.
    :ivar tags: names of the product tags of offers, by id.
    :ivar refuses: code of the error with which it refuses purchases, 0 for none.
    """

    def __init__(self, token: str, clock: Clock | None = None) -> None:
        super().__init__(token, clock)
        self.purchases: list[dict[str, Any]] = []
        self.refuses = 0
        self.offers: dict[str, tuple[str, str]] = {}
        self.images: dict[str, list[dict[str, str]]] = {}
        self.tags: dict[str, list[str]] = {}

    @property
    def actions(self) -> Mapping[tuple[str, ...], Action]:
        """A customer is made, and a purchase prepared."""
        return {
            **super().actions,
            ("GET", "products", "offers"): self._offered,
            ("GET", "products", "shoppingCarts"): self._offered,
            ("GET", "products", "bonuses"): self._offered,
            ("GET", "vouchers", "campaigns"): lambda value: Response(200, {"items": []}),
            ("POST", "customers"): self._new_customer,
            ("POST", "checkout", "preparePurchase"): self._prepared,
        }

    def _offered(self, value: dict[str, Any]) -> Response:
        names = ("plenigoOfferId", "plenigoShoppingCartId", "plenigoBonusId")
        wanted = next((value[name] for name in names if name in value), "")
        title, description = self.offers.get(wanted, ("", ""))
        texts = {"language": "en", "title": title, "description": description}
        kind = {"imageType": "PRODUCT_CHECKOUT"}
        images = [{**kind, **one} for one in self.images.get(wanted, [])]
        tags = [{"name": name, "category": "CUSTOM"} for name in self.tags.get(wanted, [])]
        item = {"translations": [{**texts, "images": images}], "productTags": tags}
        items = [{"plenigoOfferId": wanted, **item}]
        return Response(200, {"items": items if wanted in self.offers else []})

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
        if len(wanted) != 1 or not value.get("customerIpAddress") or not fits(value):
            return self.error(400)
        if value["customerId"] not in self.customers:
            return self.error(403, 90010)
        if self.refuses:
            return self.error(400, self.refuses)
        self.purchases.append(value)
        return Response(201, {"purchaseId": f"purchase-{len(self.purchases)}"})
