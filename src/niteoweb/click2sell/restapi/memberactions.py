"""An owner's commands for a buyer, as services of plone.restapi.

``POST /@click2sell-members/grant`` for an address, and ``grant``, ``extend``, ``revoke``,
``resend``, ``undo`` and ``note`` after a buyer's id. They need the permission to operate
purchases.
"""

from collections.abc import Mapping
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.owner import forms
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.restapi import changes
from niteoweb.click2sell.restapi import protection
from niteoweb.click2sell.restapi.listing import PathParameters
from niteoweb.click2sell.restapi.protection import Operation
from typing import Any
from zExceptions import BadRequest
from zExceptions import NotFound
from zope.i18nmessageid import Message
from zope.interface.interfaces import IInterface


class MembersPost(PathParameters, Operation):
    """Answers a POST to ``grant``, or to an action after a buyer's id.

    The answer lists the changes, with ``{"dry_run": true}`` without making them. 400 names
    the options that are not possible.
    """

    def operate(self) -> dict[str, Any]:
        buyer, name = self._asked()
        given = self.options(**kinds(commands.COMMANDS[name].form, buyer), dry_run=bool)
        dry_run = given.pop("dry_run", False)
        values = {"provider": registry.MAIN, "product_id": "", **given}
        values["product"] = values["provider"], values["product_id"].strip()
        try:
            command = commands.asked_for(self.context, name, buyer, values, self.by)
            if isinstance(command, commands.Resend):
                return self._resend(command, dry_run)
            return changes.settle(command, dry_run)
        except forms.Problems as problems:
            raise BadRequest(self._sentence(problems.by_field)) from None

    def _asked(self) -> tuple[buyers.Buyer | None, str]:
        """The buyer, None for a grant to an address, and the name of the command.

        :raises NotFound: there is no such buyer or command.
        """
        if self.params == ["grant"]:
            return None, "grant"
        if len(self.params) != 2 or self.params[1] not in commands.COMMANDS:
            raise NotFound
        buyer = buyers.get(self.context, self.params[0])
        if buyer is None:
            raise NotFound
        return buyer, self.params[1]

    def _resend(self, command: commands.Resend, dry_run: bool) -> dict[str, Any]:
        answer = {"dry_run": dry_run, "way": command.way}
        if dry_run:
            return {**answer, "user_id": command.recipient(self.context)}
        mail = outbox.get(self.context, command.carry_out())
        return {**answer, "user_id": mail["user_id"], "state": mail["state"]}

    def _sentence(self, problems: Mapping[str, Message]) -> str:
        names = {"product": "product_id"}
        return " ".join(
            f"{names.get(name, name)}: {self.said(text)}" for name, text in problems.items()
        )


def kinds(form: IInterface, buyer: buyers.Buyer | None) -> dict[str, type]:
    """The options of a form, and their types; a buyer's address and name are known."""
    options = protection.kinds(form)
    if options.pop("product", None) is not None:
        options |= {"provider": str, "product_id": str}
    known = () if buyer is None else ("address", "name")
    return {name: kind for name, kind in options.items() if name not in known}
