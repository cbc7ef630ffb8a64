"""In-app purchases: an app hands in a receipt of its store, and plenigo checks it.

plenigo gives each purchase a token, which whoever has bought keeps in the app: it stands in no
address and no log. A member who is logged in ties the purchase to the member's own customer;
what plenigo says then takes the road of every notification.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.provider import JsonApi
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import JsonBody
from niteoweb.click2sell.providers.plenigo import checkout
from niteoweb.click2sell.providers.plenigo import client
from niteoweb.click2sell.providers.plenigo import tie
from niteoweb.click2sell.provisioning import pipeline
from typing import Any


APPLE, GOOGLE = "apple", "google"
#: plenigo's names of the stores.
STORES = {APPLE: "appleAppStore", GOOGLE: "googlePlayStore"}

#: Characters of the values that apps hand in.
LONGEST_RECEIPT = 300_000
LONGEST_TRANSACTION = 20_000
LONGEST_PRODUCT = 500
LONGEST_PURCHASE_TOKEN = 10_000
LONGEST_TOKEN = 100


class Taken(Exception):
    """The purchase is another customer's."""


@dataclass(frozen=True)
class Purchase:
    """A purchase in a store of apps.

    :ivar customer_id: of the customer whose it is, "" for nobody's yet.
    :ivar orders: what was bought, for answers.
    """

    token: str
    customer_id: str
    orders: tuple[Mapping[str, Any], ...]


def allowed(store: str) -> frozenset[str]:
    """The ids of the apps that may hand in purchases of a store.

    :raises niteoweb.click2sell.providers.plenigo.checkout.NotSold: no app of any store may.
    """
    lines = [line.strip() for line in checkout.settings().apps or () if line.strip()]
    if not lines:
        raise checkout.NotSold
    return frozenset(line.partition("|")[2] for line in lines if line.startswith(f"{store}|"))


def add(store: str, value: Mapping[str, Any]) -> list[Purchase]:
    """Have plenigo look at a purchase that an app hands in.

    :param value: as plenigo wants it for this store.
    :raises niteoweb.click2sell.provider.Rejected: plenigo refuses, by a code.
    """
    with jsonapi.within(jsonapi.SALE):
        api = client.connect(checkout.askable())
        reply = api.ask(
            "POST", "appStores", STORES[store], value=value, yes=frozenset({200, 201})
        )
    with jsonapi.reading():
        several = reply.body.parts("purchases")
    return [_purchase(one) for one in several or [reply.body]]


def verify(store: str, token: str) -> Purchase:
    """Have plenigo look at a purchase that it knows.

    :raises niteoweb.click2sell.provider.NotFound: it does not know it.
    """
    with jsonapi.within(jsonapi.SALE):
        return _verified(client.connect(checkout.askable(writes=False)), store, token)


def associate(store: str, token: str, user_id: str) -> Purchase:
    """Tie a purchase to the customer that a member is, who has access by it at once.

    :param user_id: of the member who is logged in.
    :raises Taken: it is another customer's.
    :raises niteoweb.click2sell.provider.NotFound: plenigo does not know it.
    """
    site, now = plone_site.get(), timestamps.now()
    with jsonapi.within(jsonapi.SALE):
        api = client.connect(checkout.askable())
        purchase, own = _verified(api, store, token), tie.customer_of(site, user_id)
        if purchase.customer_id and purchase.customer_id != own:
            raise Taken
        if not purchase.customer_id:
            own = tie.ensure(site, api, user_id)
            path = ("appStores", STORES[store], token, "associate")
            purchase = _purchase(api.ask("POST", *path, value={"customerId": own}).body)
            if purchase.customer_id != own:
                raise Taken
        path = ("customers", own, "appStoreSubscriptions")
        found = list(client.listed(api, path, client.STORE_SUBSCRIPTIONS, now))
    pipeline.process_each(found)
    return purchase


def _verified(api: JsonApi, store: str, token: str) -> Purchase:
    return _purchase(client.read(api, "appStores", STORES[store], token, "verify"))


def _purchase(body: JsonBody) -> Purchase:
    with jsonapi.reading():
        token, customer_id = body.required("token"), body.identifier("customerId")
        return Purchase(token, customer_id, tuple(map(_order, body.parts("orders"))))


def _order(body: JsonBody) -> dict[str, Any]:
    at = body.moment("purchaseDate")
    rights = [one.text("uniqueId") for one in body.parts("accessRights.items")]
    rights = list(dict.fromkeys(filter(None, [body.text("accessRightUniqueId"), *rights])))
    return {
        "valid": bool(body.boolean("valid")),
        "purchase_date": timestamps.iso(at) if at else None,
        "product_id": body.text("appStoreProductId"),
        "access_rights": rights,
    }
