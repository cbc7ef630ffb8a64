"""Buying at plenigo, as services of plone.restapi: ``POST /@plenigo-checkout[/{id}/done]``."""

from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.member import visitor
from niteoweb.click2sell.providers.plenigo import checkout
from niteoweb.click2sell.providers.plenigo import limits
from niteoweb.click2sell.providers.plenigo import problems
from niteoweb.click2sell.providers.plenigo import sdk
from niteoweb.click2sell.providers.plenigo import vouchers
from niteoweb.click2sell.restapi import Operation
from niteoweb.click2sell.restapi import PathParameters
from typing import Any
from zExceptions import BadRequest
from zExceptions import NotFound
from zExceptions import Unauthorized


NAME = "@plenigo-checkout"


class SellingService(PathParameters, Operation):
    """A service for members who buy; it is not there while plenigo is switched off.

    :cvar for_members: somebody has to be logged in.
    """

    for_members = True

    def operate(self) -> Any:
        """Do it, for the member who is logged in.

        :raises NotFound: plenigo is switched off.
        :raises Unauthorized: nobody is logged in.
        """
        try:
            self.stored = checkout.settings()
        except checkout.NotSold:
            raise NotFound from None
        self.user_id = visitor.member_id(plone_site.get())
        if self.for_members and not self.user_id:
            raise Unauthorized("Log in to buy.")
        try:
            if self.for_members:
                limits.MEMBER.count(self.user_id)
            return self.act()
        except problems.ERRORS as error:
            return self._failed(problems.of(error))

    def act(self) -> Any:
        """Do it."""
        raise NotImplementedError

    def _failed(self, problem: problems.Problem) -> dict[str, Any]:
        words = self.said(problem.text)
        if problem.retry_after:
            return self.later(problem.kind, words, problem.status, problem.retry_after)
        answer: dict[str, Any] = self.problem(problem.status, problem.kind, words)
        return {**answer, "code": problem.code} if problem.code else answer


class CheckoutPost(SellingService):
    """Answers a POST: a purchase is prepared, or looked after when it was made."""

    def act(self) -> dict[str, Any]:
        """The purchase for plenigo's script, or the finished purchase.

        :raises NotFound: there is no such address.
        """
        if not self.params:
            return self._begin()
        if len(self.params) != 2 or self.params[1] != "done":
            raise NotFound
        order = self.options(order=int).get("order")
        if order not in (-1, -2) and (order is None or order < 1):
            raise BadRequest('"order" must be the number of an order, -1 or -2.')
        result, found = checkout.done(self.user_id, self.params[0], order)
        # One that cannot be read names no product; the owner is told of it.
        return {"result": result, "items": [told(one) for one in found if one.product_id]}

    def _begin(self) -> dict[str, Any]:
        kinds = {"offer": str, "basket": str, "voucher": str, "bonus": list}
        options = self.options(**kinds, content=str, came_from=str, source=dict)
        if sum(name in options for name in ("offer", "basket", "voucher")) != 1:
            raise BadRequest('One of "offer", "basket" and "voucher" is needed.')
        bonuses = options.get("bonus", [])
        if len(bonuses) > 1 or not all(isinstance(one, str) for one in bonuses):
            raise BadRequest('"bonus" must be a list of one bonus at most.')
        wanted = {
            "offer": options.get("offer", options.get("basket", "")),
            "voucher": options.get("voucher", ""),
            "bonus": "".join(bonuses),
            "content": options.get("content", ""),
            "came_from": sdk.own_address(options.get("came_from")),
        }
        bonus = wanted["bonus"]
        if bonus and bonus not in checkout.sold(wanted["offer"]).bonuses:
            raise BadRequest('"bonus" must be one of the offer\'s.')
        environ, source = self.request.environ, options.get("source", {})
        if wanted["voucher"]:
            begun = vouchers.begin(self.user_id, environ, wanted["voucher"])
        else:
            begun = checkout.begin(self.user_id, environ, wanted, source)
        self.request.response.setStatus(201)
        return prepared(self.context, begun)


def prepared(site: Any, begun: checkout.Checkout) -> dict[str, Any]:
    """A purchase that plenigo has prepared, for plenigo's script."""
    url = site.absolute_url()
    return {
        "@id": f"{url}/{NAME}/{begun.id}",
        "id": begun.id,
        "purchaseId": begun.purchase_id,
        "returnUrl": checkout.page_url(begun.id),
        "sdk": sdk.described(checkout.settings()),
    }


def told(notification: Any) -> dict[str, Any]:
    """An item that was bought, for an answer."""
    return {
        "title": checkout.title(notification),
        "product_id": notification.product_id,
        "access_right": notification.aliases[-1] if notification.aliases else "",
    }
