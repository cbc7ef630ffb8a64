"""A command for several buyers, in one commit."""

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.owner.action import Action
from niteoweb.click2sell.owner.action import AffectedBuyer
from niteoweb.click2sell.owner.action import NotPossible
from typing import Any
from zope.i18nmessageid import Message
from zope.interface import Interface


@dataclass(frozen=True)
class Several(Action):
    """Commands for several buyers.

    :ivar commands: those that can be carried out, by the ids of their buyers.
    :ivar left_out: why nothing is done for the others, by the ids of the buyers.
    """

    form = Interface
    commands: Mapping[str, commands.Command]
    left_out: Mapping[str, Message]

    def write(self, site: Any, now: datetime) -> list[AffectedBuyer]:
        """Record the notifications of all of them."""
        return [one for command in self.commands.values() for one in command.write(site, now)]


def asked_for(
    site: Any,
    name: str,
    chosen: Iterable[buyers.Buyer],
    values: Mapping[str, Any],
    by: str,
    now: datetime,
) -> Several:
    """The command that a form asks for, for each of the buyers for whom it is possible.

    :param name: of the command, see :data:`niteoweb.click2sell.owner.commands.COMMANDS`.
    :param values: of the form's fields.
    :param by: user id of the owner.
    :param now: in UTC.
    :raises niteoweb.click2sell.owner.forms.Problems: fields have values that they cannot have.
    """
    possible: dict[str, commands.Command] = {}
    left_out: dict[str, Message] = {}
    for buyer in chosen:
        command = commands.asked_for(site, name, buyer, values, by)
        try:
            if isinstance(command, commands.Resend):
                command.recipient(site)
            else:
                tuple(command.notifications(site, now))
        except NotPossible as problem:
            left_out[buyer["id"]] = problem.message
        else:
            possible[buyer["id"]] = command
    return Several(possible, left_out)
