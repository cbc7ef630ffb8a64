"""Services of plone.restapi by which members look after their purchases at plenigo.

``POST /@plenigo-voucher[/redeem]``, ``POST /@plenigo-transfer-token``,
``GET /@plenigo-subscriptions[/{id}]`` and ``POST /@plenigo-subscriptions/{id}/cancel`` and
``/undo``.
"""

from datetime import datetime
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.providers.plenigo import checkout
from niteoweb.click2sell.providers.plenigo import sessions
from niteoweb.click2sell.providers.plenigo import subscriptions
from niteoweb.click2sell.providers.plenigo import vouchers
from niteoweb.click2sell.providers.plenigo.checkoutservice import prepared
from niteoweb.click2sell.providers.plenigo.checkoutservice import SellingService
from niteoweb.click2sell.providers.plenigo.checkoutservice import told
from typing import Any
from zExceptions import BadRequest
from zExceptions import NotFound


class VoucherPost(SellingService):
    """Answers a POST: which offer a voucher is for, or it is redeemed."""

    def act(self) -> dict[str, Any]:
        """The offer; of a voucher that is redeemed the order, or the purchase to go on with.

        :raises NotFound: there is no such address.
        """
        if self.params not in ([], ["redeem"]):
            raise NotFound
        code = self.options(code=str).get("code", "")
        if not self.params:
            id_ = vouchers.offer_of(self.user_id, code)
            found, _bonuses = checkout.presentation(self.stored, id_)
            texts = {"title": found.title, "description": found.description}
            known = {name: text for name, text in texts.items() if text}
            return {"offer": {"id": id_, **known}}
        redeemed = vouchers.redeem(self.user_id, self.request.environ, code)
        self.request.response.setStatus(201)
        if isinstance(redeemed, checkout.Checkout):
            return prepared(self.context, redeemed)
        order, items = redeemed
        return {"order": order, "items": [told(one) for one in items]}


class TransferTokenPost(SellingService):
    """Answers a POST: a token with which plenigo's script opens the self-service."""

    def act(self) -> dict[str, str]:
        """The token.

        :raises NotFound: there is no such address.
        """
        if self.params:
            raise NotFound
        self.options()
        return {"transferToken": sessions.transfer_token(self.user_id, self.request.environ)}


class SubscriptionsGet(SellingService):
    """Answers a GET: the member's subscriptions, or one with its choices."""

    def act(self) -> dict[str, Any]:
        """The list, or the one that the path names.

        :raises NotFound: there is no such address.
        """
        if len(self.params) > 1:
            raise NotFound
        if not self.params:
            listed = subscriptions.of_member(self.user_id)
            return {"items": [_of(one) for one in listed]}
        one, choices = subscriptions.one(self.user_id, self.params[0])
        reasons = [{"id": id_, "text": text} for id_, text in choices.reasons.items()]
        return {**_of(one), "dates": list(choices.dates), "reasons": reasons}


class SubscriptionsPost(SellingService):
    """Answers a POST: a subscription is cancelled, or that is undone."""

    def act(self) -> dict[str, Any]:
        """The subscription as it stands then.

        :raises BadRequest: the date or the reason is none that plenigo offers.
        :raises NotFound: there is no such address.
        """
        if len(self.params) != 2 or self.params[1] not in ("cancel", "undo"):
            raise NotFound
        id_, name = self.params
        if name == "undo":
            self.options()
            return _of(subscriptions.undo(self.user_id, id_))
        options = self.options(date=str, reason=str)
        try:
            return _of(subscriptions.cancel(self.user_id, id_, **options))
        except subscriptions.NotOffered:
            raise BadRequest('"date" and "reason" must be of those that GET lists.') from None


def _of(one: subscriptions.Subscription) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title,
        "status": one.status,
        "start": _moment(one.start),
        "end": _moment(one.end),
        "cancelled": _moment(one.cancelled),
        "may_cancel": one.may_cancel,
        "may_undo": one.may_undo,
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else timestamps.iso(at)
