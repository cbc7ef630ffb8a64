"""In-app purchases, as a service of plone.restapi: ``POST /@plenigo-app-purchases/{store}``."""

from niteoweb.click2sell.provider import NotFound as Unknown
from niteoweb.click2sell.provider import Rejected
from niteoweb.click2sell.providers.plenigo import apps
from niteoweb.click2sell.providers.plenigo import limits
from niteoweb.click2sell.providers.plenigo import tie
from niteoweb.click2sell.providers.plenigo.checkoutservice import SellingService
from niteoweb.click2sell.settings import networks
from typing import Any
from zExceptions import BadRequest
from zExceptions import NotFound


#: Bytes of a body: receipts are long.
LARGEST = 512 * 1024

VERIFY, ASSOCIATE = "verify", "associate"

#: The header in which an app of Apple's names itself.
BUNDLE = "X-App-Bundle"

#: Codes of plenigo: a receipt that is being looked at, and one that is too old.
_CODES = {58006: (409, "InProgress"), 58003: (410, "Expired")}

TAKEN = "The purchase belongs to another customer."


class AppPurchasesPost(SellingService):
    """Answers a POST of an app: a purchase is handed in, looked at, or becomes a member's."""

    largest = LARGEST

    @property
    def for_members(self) -> bool:
        """Whether somebody has to be logged in: a purchase becomes nobody else's."""
        return self.params[1:] == [ASSOCIATE]

    def act(self) -> dict[str, Any]:
        """The purchases, as plenigo sees them.

        :raises NotFound: there is no such address, or no app may hand in purchases.
        """
        store, *action = self.params or [""]
        known = apps.allowed(store)
        if store not in apps.STORES or action not in ([], [VERIFY], [ASSOCIATE]):
            raise NotFound
        limits.APPS.count(networks.caller(self.request.environ))
        try:
            return self._of_token(store) if action else self._handed_in(store, known)
        except apps.Taken:
            return self.problem(409, "Taken", TAKEN)
        except Unknown as error:
            return self._refused(error, 404, "NotFound")
        except Rejected as error:
            return self._refused(error, *_CODES.get(error.code, (422, "Rejected")))

    def _handed_in(self, store: str, known: frozenset[str]) -> dict[str, Any]:
        app, value = (self._of_apple if store == apps.APPLE else self._of_google)()
        if app not in known:
            return self.problem(403, "UnknownApp", "This app may not hand in purchases.")
        limits.APP_PURCHASES.count()
        purchases = apps.add(store, value)
        self.request.response.setStatus(201)
        return {"purchases": [self._told(one) for one in purchases]}

    def _of_apple(self) -> tuple[str, dict[str, Any]]:
        options = self.options(receipt=str, transactionId=str)
        app = self.request.getHeader(BUNDLE) or ""
        if len(options) != 1:
            raise BadRequest('One of "receipt" and "transactionId" is needed.')
        if "receipt" in options:
            receipt = _text(options, "receipt", apps.LONGEST_RECEIPT)
            return app, {"appIdentifier": app, "receiptData": [receipt]}
        transaction = _text(options, "transactionId", apps.LONGEST_TRANSACTION)
        return app, {"appIdentifier": app, "transactionIds": [transaction]}

    def _of_google(self) -> tuple[str, dict[str, Any]]:
        kinds = {"packageName": str, "productId": str, "purchaseToken": str}
        options = self.options(**kinds, isSubscription=bool)
        app = options.get("packageName", "")
        receipt = {
            "productId": _text(options, "productId", apps.LONGEST_PRODUCT),
            "purchaseToken": _text(options, "purchaseToken", apps.LONGEST_PURCHASE_TOKEN),
            "subscription": options.get("isSubscription", False),
        }
        return app, {"packageName": app, "receiptData": [receipt]}

    def _of_token(self, store: str) -> dict[str, Any]:
        token = _text(self.options(token=str), "token", apps.LONGEST_TOKEN)
        if self.for_members:
            found = apps.associate(store, token, self.user_id)
        else:
            found = apps.verify(store, token)
        return self._told(found)

    def _told(self, purchase: apps.Purchase) -> dict[str, Any]:
        """A purchase for an answer; whose it is, it tells only the customer."""
        associated: Any = bool(purchase.customer_id)
        own = tie.customer_of(self.context, self.user_id) if self.user_id else ""
        if own and purchase.customer_id == own:
            associated = "you"
        rights = [right for one in purchase.orders for right in one["access_rights"]]
        return {
            "token": purchase.token,
            "valid": any(one["valid"] for one in purchase.orders),
            "associated": associated,
            "access_rights": list(dict.fromkeys(rights)),
            "orders": list(purchase.orders),
        }

    def _refused(self, error: Rejected, status: int, kind: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.problem(status, kind, "plenigo refuses this purchase.")
        return {**answer, "code": error.code} if error.code else answer


def _text(options: dict[str, Any], name: str, longest: int) -> str:
    value = options.get(name, "")
    if not value.isprintable() or not 0 < len(value) <= longest:
        raise BadRequest(f'"{name}" must be a text of up to {longest} characters.')
    return value
