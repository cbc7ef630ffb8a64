"""What an owner does for a buyer, as services of plone.restapi.

``POST /@click2sell-members/grant`` for an address, and ``grant``, ``extend``, ``revoke`` and
``resend`` after a buyer's id. They need the permission to operate purchases.
"""

from collections.abc import Mapping
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.owner import access
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import requests
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.restapi import changes
from niteoweb.click2sell.restapi.listing import PathParameters
from niteoweb.click2sell.restapi.protection import Operation
from plone import api
from typing import Any
from zExceptions import BadRequest
from zExceptions import NotFound
from zope.i18n import translate
from zope.i18nmessageid import Message


#: The options of each action, and their types.
OPTIONS = {
    requests.GRANT: {
        "provider": str,
        "product_id": str,
        "until": str,
        "reason": str,
        "mail": bool,
        "dry_run": bool,
    },
    requests.EXTEND: {
        "provider": str,
        "product_id": str,
        "days": int,
        "reason": str,
        "dry_run": bool,
    },
    requests.REVOKE: {"provider": str, "product_id": str, "reason": str, "dry_run": bool},
    requests.RESEND: {"way": str, "dry_run": bool},
}

#: Further options of a grant to an address.
TO_AN_ADDRESS = {"address": str, "name": str}


class MembersPost(PathParameters, Operation):
    """Answers a POST to ``grant``, or to an action after a buyer's id.

    The answer tells what changes, with ``{"dry_run": true}`` what would. 400 names the
    options that are not possible.
    """

    def operate(self) -> dict[str, Any]:
        buyer, name = self._asked()
        extra = TO_AN_ADDRESS if buyer is None else {}
        given = self.options(**extra, **OPTIONS[name])
        try:
            if name == requests.RESEND:
                return self._resend(buyer, given)
            return self._act(buyer, name, given)
        except requests.Problems as problems:
            said = {_option(field): self._said(text) for field, text in problems.found.items()}
            raise BadRequest(_sentence(said)) from None
        except action.NotPossible as problem:
            raise BadRequest(self._said(problem.message)) from None

    def _asked(self) -> tuple[buyers.Buyer | None, str]:
        """The buyer, None for a grant to an address, and the action.

        :raises NotFound: there is no such buyer or action.
        """
        if self.params == [requests.GRANT]:
            return None, requests.GRANT
        if len(self.params) != 2 or self.params[1] not in OPTIONS:
            raise NotFound
        buyer = buyers.get(self.context, self.params[0])
        if buyer is None:
            raise NotFound
        return buyer, self.params[1]

    def _act(
        self, buyer: buyers.Buyer | None, name: str, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        values = {option: str(value) for option, value in given.items()}
        provider = given.get("provider", registry.MAIN)
        values["product"] = f"{provider} {given.get('product_id', '')}"
        values["mail"] = "1" if given.get("mail", True) else ""
        by, now = api.user.get_current().getId(), timestamps.now()
        act = requests.made(self.context, buyer, name, values, by, now)
        return changes.settle(act, bool(given.get("dry_run")))

    def _resend(self, buyer: buyers.Buyer, given: Mapping[str, Any]) -> dict[str, Any]:
        way = requests.way(buyer, {"way": given.get("way", "link")})
        if given.get("dry_run"):
            return {"dry_run": True, "way": way, "user_id": buyer["user_id"]}
        mail_id = access.resend(buyer["user_id"], way, api.user.get_current().getId())
        mail = outbox.get(self.context, mail_id)
        return {
            "dry_run": False,
            "way": way,
            "user_id": mail["user_id"],
            "state": mail["state"],
        }

    def _said(self, message: Message) -> str:
        return translate(message, context=self.request)


def _option(field: str) -> str:
    """The option that a field of :mod:`niteoweb.click2sell.owner.requests` is read from."""
    return "product_id" if field == "product" else field


def _sentence(said: Mapping[str, str]) -> str:
    return " ".join(f"{name}: {text}" if name else text for name, text in said.items())
