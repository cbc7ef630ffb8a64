"""The users of a WS.WebTV that is not real: subscriptions, access passes, credit.

Each function of the API is a method, named by its section and action. Numbers are text, numbers
and null in one and the same answer, as in the vendor's examples.
"""

from datetime import timedelta
from decimal import Decimal
from niteoweb.click2sell.testing import Clock
from typing import Any


Form = dict[str, str]


class Failure(Exception):
    """An error as the API tells it."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code)
        self.code, self.text = code, text


class FakeUsers:
    """Users and their items; products, too.

    :ivar users: by id: email, name, surname, status, credit, cart, order.
    :ivar products: by id: type_name, price, sku, period, frequency, requires_rp, clip.
    :ivar subscriptions: by id: user, product, end, renewable, rp_status, profile.
    :ivar passes: user, kind, id and end of access to content.
    :ivar payments: order, form, of all payments that were told.
    :ivar lenient: it takes a trial beside other products.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock, self.currency, self.lenient = clock, "EUR", False
        self.users: dict[str, dict[str, Any]] = {}
        self.products: dict[str, dict[str, Any]] = {}
        self.subscriptions: dict[str, dict[str, Any]] = {}
        self.passes: list[dict[str, Any]] = []
        self.payments: list[tuple[str, Form]] = []
        self.processed: list[str] = []
        self.cancelled: list[str] = []
        self.empty_lists, self.orders = False, 318

    # What a test sets up

    def add_user(self, email: str, name: str = "", credit: str = "0") -> str:
        """Add a user."""
        id_ = str(len(self.users) + 2)
        self.users[id_] = {
            "email": email,
            "name": name,
            "surname": "",
            "status": 1,
            "cart": {},
            "order": None,
            "credit": Decimal(credit),
        }
        return id_

    def add_product(self, id_: str, price: str, type_name: str = "CLIP", **more: Any) -> None:
        """Add a product."""
        self.products[id_] = {
            "price": Decimal(price),
            "type_name": type_name,
            "sku": f"SKU-{id_}",
            "period": "MONTH",
            "frequency": 1,
            "requires_rp": 0,
            "clip": None,
            **more,
        }

    def subscribe(self, user: str, product: str, days: int = 20) -> str:
        """Give a user a subscription."""
        id_ = str(100 + len(self.subscriptions))
        end = self.clock.now + timedelta(days=days)
        self.subscriptions[id_] = {
            "user": user,
            "product": product,
            "end": end,
            "renewable": 1,
            "rp_status": "",
            "profile": "",
        }
        return id_

    def add_pass(self, user: str, id_: int, days: int = 20, kind: str = "clip") -> None:
        """Give a user an access pass."""
        end = self.clock.now + timedelta(days=days)
        self.passes.append({"user": user, "kind": kind, "id": id_, "end": end})

    # Users

    def users_list(self, _iq: str, form: Form) -> Any:
        """A page of users."""
        size, page = int(form["resultsPerPageFilter"]), int(form["current_page"])
        rows = [
            {name: user.get(name, "") for name in form["fields"].split(",")} | {"id": id_}
            for id_, user in self.users.items()
            if str(user["status"]) == form.get("statusFilter", "any")
        ]
        return {"list": rows[(page - 1) * size : page * size]}

    def users_get(self, iq: str, _form: Form) -> Any:
        """A user, with more than anybody should be told."""
        user = self._user(iq, "USER_NOT_FOUND")
        told = {name: user[name] for name in ("email", "name", "surname", "status")}
        return {"data": {"id": int(iq), **told, "session_id": "SESSION", "last_ip": "::1"}}

    def users_get_id_from_email(self, iq: str, _form: Form) -> Any:
        """The id of an address."""
        for id_, user in self.users.items():
            if user["email"].lower() == iq.lower():
                return {"id": id_}
        raise Failure("USER_NOT_FOUND", "User not found")

    def users_create(self, _iq: str, form: Form) -> Any:
        """A new user."""
        if not form.get("email") or not form.get("login") or not form.get("password"):
            raise Failure("REQUEST_ERROR", "E-Mail cannot be blank")
        return {"ok": "User was created", "id": int(self.add_user(form["email"]))}

    def users_get_cvr(self, iq: str, _form: Form) -> Any:
        """The content that a user may not see."""
        self._user(iq)
        seen = {row["id"] for row in self.passes if row["user"] == iq}
        return {"cvr": {"clip": [n for n in (5, 6) if n not in seen], "channel": []}}

    # What a user has

    def store_list_subscriptions(self, iq: str, _form: Form) -> Any:
        """Current subscriptions."""
        self._user(iq)
        rows = [
            {
                "id": int(id_),
                "id_product": one["product"],
                "content_title": "Premium",
                "date_end": str(int(one["end"].timestamp())),
                "renewable": one["renewable"],
                "subscription_number": f"S-{id_}",
                "rp_profile_id": one["profile"] or None,
                "rp_status": one["rp_status"],
                "rp_amount": -1,
            }
            for id_, one in self.subscriptions.items()
            if one["user"] == iq and one["end"] > self.clock.now
        ]
        return {"list": [] if self.empty_lists else rows}

    def store_list_current_content(self, iq: str, _form: Form) -> Any:
        """Current access passes."""
        self._user(iq)
        return {
            "list": [
                {
                    "title": "A film",
                    "description": "",
                    "in_grace_period": 0,
                    "id_clip": row["id"] if row["kind"] == "clip" else None,
                    "id_channel": row["id"] if row["kind"] == "channel" else None,
                    "date_end": int(row["end"].timestamp()),
                }
                for row in self.passes
                if row["user"] == iq and row["end"] > self.clock.now
            ]
        }

    def store_get_credit(self, iq: str, _form: Form) -> Any:
        """The credit of a user."""
        return {"data": {"buyer_credit": f"{self._user(iq)['credit']:.2f}"}}

    def store_add_subtract_credit(self, iq: str, form: Form) -> Any:
        """Add to the credit of a user, or subtract."""
        user, amount = self._user(iq), Decimal(form.get("amount", "0"))
        action = form.get("creditAction")
        if action not in ("add", "subtract"):
            raise Failure("REQUEST_ERROR", "Invalid credit action")
        if amount <= 0:
            raise Failure("REQUEST_ERROR", "Invalid amount")
        if action == "subtract" and not user["credit"]:
            raise Failure("ERROR_CANT_SUBTRACT", "")
        user["credit"] += amount if action == "add" else -amount
        return {"ok": "Credit action was performed"}

    def store_get_product(self, _iq: str, form: Form) -> Any:
        """Products of a kind."""
        rows = [{"id_product": id_, **self._shown(id_)} for id_ in self.products]
        return {"overview": {"title": form.get("type", "")}, "products": rows}

    def _user(self, id_: str, code: str = "REQUEST_ERROR") -> dict[str, Any]:
        if id_ not in self.users:
            raise Failure(code, "Invalid User ID" if code == "REQUEST_ERROR" else "")
        return self.users[id_]

    def _shown(self, id_: str) -> dict[str, str]:
        product = self.products[id_]
        return {"type_name": product["type_name"], "price": f"{product['price']:.2f}"}
