"""Imports into a plenigo that is not real: customers, addresses, bank accounts and orders."""

from collections.abc import Mapping
from niteoweb.click2sell.providers.plenigo.fake.api import Action
from niteoweb.click2sell.providers.plenigo.fake.api import text
from niteoweb.click2sell.providers.plenigo.fake.shop import FakeShop
from niteoweb.click2sell.testing import Clock
from niteoweb.click2sell.testing import Response
from typing import Any


#: Orders in one import, and the fields that each has to have.
MOST = 50
NEEDED = (
    *("externalSystemId", "plenigoOfferId", "invoiceCustomerId", "quantity", "startDate"),
    "paymentMethod",
)
LONGEST_OWNER = 30


class FakeImports(FakeShop):
    """The part of plenigo that takes in customers of another system.

    :ivar addresses: of customers, as it shows them.
    :ivar bank_accounts: of customers, as it shows them.
    :ivar import_log: what became of imports, as it shows it.
    :ivar import_code: code of the error with which it refuses imports, 0 for none.
    :ivar import_error: reason for which it does not take orders later on, "" for none.
    :ivar imports_wait: orders wait until :meth:`run_imports`.
    """

    def __init__(self, token: str, clock: Clock | None = None) -> None:
        super().__init__(token, clock)
        self.addresses: list[dict[str, Any]] = []
        self.bank_accounts: list[dict[str, Any]] = []
        self.import_log: list[dict[str, Any]] = []
        self.import_code = 0
        self.import_error = ""
        self.imports_wait = False
        self._imports: list[dict[str, Any]] = []

    @property
    def actions(self) -> Mapping[tuple[str, ...], Action]:
        """Customers, addresses, bank accounts and orders are made, and found again."""
        return {
            **super().actions,
            ("POST", "customers"): self._brought_along,
            ("POST", "addresses"): self._new_address,
            ("GET", "customers", "*", "addresses"): self._addresses_of,
            ("POST", "paymentMethods", "bankAccounts"): self._new_bank_account,
            ("GET", "customers", "*", "paymentMethods"): self._payment_methods_of,
            ("POST", "imports", "orders"): self._imported,
            ("GET", "imports", "orders", "logs"): self._log,
        }

    def run_imports(self) -> None:
        """Carry out the imports that wait."""
        for item in self._imports:
            entry = {"externalSystemId": item["externalSystemId"], "success": True}
            if self.import_error:
                entry |= {"success": False, "errorReason": self.import_error}
            else:
                self._carry_out(item)
            self.import_log.append({**entry, "createdDate": text(self.clock.now)})
        self._imports.clear()

    def _carry_out(self, item: dict[str, Any]) -> None:
        known = self._known(item["externalSystemId"])
        if not known:
            number = self.subscribe(item["invoiceCustomerId"], item["plenigoOfferId"])
            known = [self.subscriptions[number]]
            known[0] |= {"externalSystemId": item["externalSystemId"]}
        if "endDate" in item:
            known[0]["endDate"] = item["endDate"]

    def _known(self, external_id: str) -> list[dict[str, Any]]:
        return [
            one
            for one in self.subscriptions.values()
            if one.get("externalSystemId") == external_id
        ]

    def _brought_along(self, value: dict[str, Any]) -> Response:
        id_ = str(700000 + len(self.customers))
        email = f"{id_}@plenigo-mail.com" if value.get("pseudoEmail") else value.get("email")
        if not email or len(value.get("language", "")) != 2:
            return self.error(400)
        return self._new_customer({"customerId": id_, **value, "email": email})

    def _new_address(self, value: dict[str, Any]) -> Response:
        if value["customerId"] not in self.customers or len(value["country"]) != 2:
            return self.error(400)
        self.addresses.append({**value, "addressId": len(self.addresses) + 1})
        return Response(201, self.addresses[-1])

    def _addresses_of(self, customer_id: str, _query: dict[str, Any]) -> Response:
        mine = [one for one in self.addresses if one["customerId"] == customer_id]
        return Response(200, {"items": mine})

    def _new_bank_account(self, value: dict[str, Any]) -> Response:
        if len(value["owner"]) > LONGEST_OWNER or len(value.get("mandateDate", "x" * 10)) != 10:
            return self.error(400)
        self.bank_accounts.append({**value, "bankAccountId": len(self.bank_accounts) + 1})
        return Response(201, self.bank_accounts[-1])

    def _payment_methods_of(self, customer_id: str, _query: dict[str, Any]) -> Response:
        mine = [one for one in self.bank_accounts if one["customerId"] == customer_id]
        return Response(200, {"bankAccounts": mine})

    def _imported(self, value: dict[str, Any]) -> Response:
        items = value["items"]
        if self.import_code:
            return self.error(400, self.import_code)
        if len(items) > MOST or any(name not in item for item in items for name in NEEDED):
            return self.error(400)
        for item in items:
            is_external = item["paymentMethod"] == "BILLING" and "issueBased" not in item
            if self._known(item["externalSystemId"]) and not is_external:
                return self.error(400, 97001)
        self._imports += items
        if not self.imports_wait:
            self.run_imports()
        return Response(201, {"success": True, "promiseId": "promise"})

    def _log(self, query: dict[str, Any]) -> Response:
        id_ = query.get("externalSystemId")
        found = [one for one in self.import_log if one["externalSystemId"] == id_]
        return Response(200, {"items": found[::-1]})
