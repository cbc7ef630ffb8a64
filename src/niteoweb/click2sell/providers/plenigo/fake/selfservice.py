"""Self-service at a plenigo that is not real: customers log in, redeem and cancel.

Readers who have logged in there come to a site from there, too.
"""

from collections.abc import Mapping
from datetime import timedelta
from niteoweb.click2sell.providers.plenigo.fake.api import Action
from niteoweb.click2sell.providers.plenigo.fake.api import shown
from niteoweb.click2sell.providers.plenigo.fake.api import text
from niteoweb.click2sell.providers.plenigo.fake.shop import FakeShop
from niteoweb.click2sell.testing import Clock
from niteoweb.click2sell.testing import Response
from typing import Any


#: How long a transfer token can be used.
THIRTY_SECONDS = timedelta(seconds=30)
#: Codes why a voucher has to be redeemed in the checkout.
NOT_FREE = 90034


class FakeSelfService(FakeShop):
    """The part of plenigo that serves customers whom it knows.

    :ivar sessions: those that are open, by what a site is given: id, customer and beginning.
    :ivar session_limit: sessions that a customer may have.
    :ivar transfers: transfer tokens, each with its session and the time it was made.
    :ivar vouchers: by code: offer, status, whether it is free and whether it was used.
    :ivar reasons: for cancelling, as the API shows them.
    :ivar dates: on which a subscription can be cancelled, by its id.
    :ivar other_customer: whose data it shows, for a session of anybody; "" for the right ones.
    """

    def __init__(self, token: str, clock: Clock | None = None) -> None:
        super().__init__(token, clock)
        self.sessions: dict[str, tuple[str, str, str]] = {}
        self.session_limit = 2
        self.transfers: dict[str, tuple[str, Any]] = {}
        self.vouchers: dict[str, dict[str, Any]] = {}
        self.reasons: list[dict[str, Any]] = []
        self.dates: dict[int, list[str]] = {}
        self.other_customer = ""
        self._session_number = 0

    def add_voucher(
        self, code: str, offer: str, free: bool = True, status: str = "ACTIVE"
    ) -> None:
        """A voucher of a campaign; its code can be redeemed once."""
        self.vouchers[code] = {"offer": offer, "free": free, "status": status, "used": False}

    def add_reason(
        self, id_: str, active: bool = True, priority: int = 1, **texts: str
    ) -> None:
        """A reason for cancelling, with its text by languages."""
        translations = [{"language": name.upper(), "text": texts[name]} for name in texts]
        self.reasons.append(
            {
                "uniqueId": id_,
                "active": active,
                "priority": priority,
                "translations": translations,
            }
        )

    def log_in(self, customer_id: str) -> str:
        """A customer logs in there.

        :returns: the session.
        """
        return self._begun(customer_id).value["customerSession"]

    def hand_over(self, session: str) -> str:
        """The customer goes to a site.

        :returns: the transfer token that is in the address.
        """
        return self._transferred({"customerSession": session}).value["transferToken"]

    @property
    def actions(self) -> Mapping[tuple[str, ...], Action]:
        """The operations that customers ask for themselves."""
        subscription = ("subscriptions", "*", "cancel")
        return {
            **super().actions,
            ("GET", "sessions", "validate"): self._validated,
            ("GET", "sessions", "customerData"): self._customer_data,
            ("POST", "sessions", "transferToken"): self._transferred,
            ("GET", "sessions", "transferToken"): self._taken,
            ("POST", "sessions", "*"): self._logged_in,
            ("PUT", "processes", "login", "changeSessions", "*"): self._changed,
            ("GET", "vouchers", "*", "validate"): self._voucher,
            ("POST", "checkout", "buyWithVoucher"): self._redeemed,
            ("GET", *subscription, "dates"): self._dates,
            ("PUT", *subscription, "regular"): self._cancelled,
            ("PUT", *subscription, "at"): self._cancelled,
            ("PUT", *subscription, "undo"): self._undone,
            ("GET", "settings", "customerCancellationReasons"): lambda value: Response(
                200, {"items": self.reasons}
            ),
        }

    # Sessions

    def _logged_in(self, customer_id: str, value: Any) -> Response:
        if customer_id not in self.customers:
            return self.error(404)
        mine = [one for one in self.sessions.values() if one[1] == customer_id]
        if len(mine) < self.session_limit:
            return self._begun(customer_id)
        items = [{"sessionId": id_, "createdAt": at} for id_, _customer, at in mine]
        removal = f"removal of {customer_id}"
        return Response(200, {"activeSessions": {"items": items}, "removalToken": removal})

    def _begun(self, customer_id: str) -> Response:
        self._session_number += 1
        session = f"session {self._session_number} " + "x" * 300
        number = f"S{self._session_number}"
        self.sessions[session] = (number, customer_id, text(self.clock.now))
        return Response(202, {"customerSession": session})

    def _changed(self, removal: str, value: Any) -> Response:
        customer_id = removal.rpartition(" ")[2]
        self.sessions = {
            session: one
            for session, one in self.sessions.items()
            if one[:2] != (value.get("sessionId"), customer_id)
        }
        return self._begun(customer_id)

    def _validated(self, value: Any) -> Response:
        session = self.sessions.get(value.get("sessionToken"))
        if session is None:
            return self.error(401, 99010)
        return Response(200, {"id": session[0], "customerId": session[1]})

    def _customer_data(self, value: Any) -> Response:
        session = self.sessions.get(value.get("sessionToken"))
        if session is None:
            return self.error(401, 99010)
        return Response(200, shown(self.customers[self.other_customer or session[1]]))

    def _transferred(self, value: Any) -> Response:
        session = value.get("customerSession")
        if session not in self.sessions:
            return self.error(401, 99010)
        token = f"transfer-{len(self.transfers) + 1}"
        self.transfers[token] = (session, self.clock.now)
        return Response(200, {"transferToken": token})

    def _taken(self, value: Any) -> Response:
        session, at = self.transfers.get(value.get("transferToken"), ("", self.clock.now))
        if not session or self.clock.now - at > THIRTY_SECONDS:
            return self.error(412 if session else 404, 20032)
        self.transfers[value["transferToken"]] = ("", at)
        return Response(200, {"customerSession": session})

    # Vouchers

    def _voucher(self, code: str, value: Any) -> Response:
        voucher = self.vouchers.get(code)
        if voucher is None:
            return self.error(404, 35001)
        if voucher["used"]:
            return self.error(403, 35003)
        return Response(200, {"plenigoOfferId": voucher["offer"], "status": voucher["status"]})

    def _redeemed(self, value: Any) -> Response:
        voucher = self.vouchers.get(value.get("voucherCode"))
        if voucher is None:
            return self.error(404, 35001)
        if not value.get("customerIpAddress") or value.get("customerId") not in self.customers:
            return self.error(400)
        if voucher["used"] or voucher["status"] != "ACTIVE":
            return self.error(403, 35003)
        if not voucher["free"]:
            return self.error(400, NOT_FREE)
        voucher["used"] = True
        customer_id, offer = value["customerId"], voucher["offer"]
        number = self.subscribe(customer_id, offer)
        order = self.order(customer_id, "P_1", offer, subscription_item=number)
        return Response(201, {"orderId": order})

    # Subscriptions

    def _dates(self, id_: str, value: Any) -> Response:
        return Response(200, {"items": self.dates.get(int(id_), [])})

    def _cancelled(self, id_: str, value: Any) -> Response:
        subscription = self.subscriptions.get(int(id_))
        if subscription is None:
            return self.error(404)
        if subscription.get("managedExternal"):
            return self.error(403, 40009)
        if subscription.get("cancellationDate"):
            return self.error(400, 40012)
        date = value.get("cancellationDate")
        if date is not None and date not in self.dates.get(int(id_), []):
            return self.error(400, 40005)
        self.cancel(int(id_))
        if date is not None:
            self.change(int(id_), endDate=date)
        return Response(200, shown(subscription))

    def _undone(self, id_: str, value: Any) -> Response:
        subscription = self.subscriptions.get(int(id_))
        if subscription is None or not subscription.get("cancellationDate"):
            return self.error(400, 40013)
        self.undo_cancellation(int(id_))
        return Response(200, shown(subscription))
