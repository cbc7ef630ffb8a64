"""Site Setup: what an owner does for a buyer: filled in, looked at, then carried out."""

from datetime import datetime
from functools import cached_property
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk.confirmation import Confirmation
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.browser.words.actionforms import DONE
from niteoweb.click2sell.browser.words.actionforms import Field
from niteoweb.click2sell.browser.words.actionforms import HELP
from niteoweb.click2sell.browser.words.actionforms import LABELS
from niteoweb.click2sell.browser.words.actionforms import TITLES
from niteoweb.click2sell.browser.words.actionforms import TYPES
from niteoweb.click2sell.browser.words.actionforms import WAYS
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.owner import access
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import requests
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from zExceptions import NotFound
from zExceptions import Unauthorized
from zope.i18nmessageid import Message


class MemberActionView(Confirmation):
    """The page of an action on a buyer: a form, then what it would change, and the button."""

    template = ViewPageTemplateFile("../templates/memberaction.pt")
    #: What is mailed, where that is all that is done.
    mail: Message | None = None

    def __init__(
        self, context: Any, request: Any, list_url: str, buyer_id: str, name: str
    ) -> None:
        super().__init__(context, request)
        self.list_url, self.buyer_id, self.name = list_url, buyer_id, name
        self.back_url = f"{list_url}/{buyer_id}" if buyer_id else list_url
        self.url = f"{self.back_url}/{name}"
        self.problems: dict[str, Message] = {}

    def __call__(self) -> str:
        if not self._exists:
            raise NotFound(self.name)
        if not self.may_operate:
            raise Unauthorized("Click2Sell: Operate purchases")
        if self.request.method == "POST":
            self.check_post()
            if "change" not in self.request.form and self._try():
                self.request.response.redirect(self.back_url)
                return ""
        return self.template()

    @property
    def _exists(self) -> bool:
        if not self.buyer_id:
            return self.name == requests.GRANT
        return self.name in requests.FIELDS and self.buyer is not None

    @cached_property
    def buyer(self) -> buyers.Buyer | None:
        """The record, None for somebody who is no buyer yet."""
        return buyers.get(self.context, self.buyer_id) if self.buyer_id else None

    @cached_property
    def now(self) -> datetime:
        """The moment of the request, in UTC."""
        return timestamps.now()

    @property
    def title(self) -> Message:
        """What is done."""
        return TITLES[self.name]

    @property
    def whom(self) -> str:
        """The buyer, as the owner knows it; "" for somebody who is none yet."""
        if self.buyer is None:
            return ""
        found = [ledger.get(self.context, key) for key in self.buyer["keys"]]
        address, name = explanation.addresses(self.buyer, found)[0], explanation.name(found)
        return f"{name} <{address}>" if name else address

    # The form

    @property
    def values(self) -> dict[str, str]:
        """What was filled in; at first what suits."""
        form = self.request.form
        names = [
            name
            for name in requests.FIELDS[self.name]
            if self.buyer is None or name not in ("address", "name")
        ]
        first = {"mail": "1", "way": "link"} if self.request.method != "POST" else {}
        return {
            name: value.strip() if isinstance(value, str) else ""
            for name in names
            for value in (form.get(name, first.get(name, "")),)
        }

    @property
    def fields(self) -> list[Field]:
        """The fields of the form, with what was filled in."""
        return [
            Field(
                name=name,
                label=LABELS[name],
                help=HELP.get(name),
                type=TYPES.get(name, "text"),
                value=value,
                choices=self._choices(name),
                error=self.problems.get(name),
            )
            for name, value in self.values.items()
        ]

    @property
    def looked(self) -> bool:
        """Whether what would change is shown, and no longer the form."""
        return self.changes is not None and not self.problems

    @property
    def problem(self) -> Message | None:
        """What is wrong with no field in particular."""
        return self.problems.get("")

    def _choices(self, name: str) -> tuple[requests.Choice, ...]:
        if name == "product":
            return requests.products(self.context, self.buyer, self.name, self.now)
        if name == "way":
            return tuple(requests.Choice(way, WAYS[way]) for way in requests.WAYS)
        return ()

    # What it does

    def _try(self) -> bool:
        """Show what the action would change, or do it.

        :returns: whether it was done.
        """
        try:
            if self.name == requests.RESEND:
                return self._resend()
            act = requests.made(
                self.context, self.buyer, self.name, self.values, self.by, self.now
            )
        except requests.Problems as problems:
            self.problems = dict(problems.found)
            return False
        if not self.settle(lambda: act):
            return False
        self.say(DONE[self.name], "info")
        if not self.buyer_id:
            self.back_url = f"{self.list_url}/{self._new_buyer()}"
        return True

    def _new_buyer(self) -> str:
        """Id of the buyer of the address that something was granted to."""
        address = action.address_of(self.text("address"))
        return trees.tree(self.context, "buyer_by_address").get(address, "")

    def _resend(self) -> bool:
        way = requests.way(self.buyer, self.values)
        user_id = self.buyer["user_id"]
        to = accounts.fields(user_id, ("email",))["email"] if accounts.exists(user_id) else ""
        self.changes = ()
        self.mail = _(
            "The welcome mail goes to ${address}, with ${what}.",
            mapping={"address": to, "what": formatting.translated(WAYS[way])},
        )
        if "confirm" not in self.request.form:
            return False
        if self.text("fingerprint") != self.fingerprint:
            message = _("Something has happened since. Nothing was changed; look again.")
            self.say(message, "warning")
            return False
        try:
            mail_id = access.resend(user_id, way, self.by)
        except action.NotPossible as problem:
            self.problems = {"": problem.message}
            return False
        except transactions.Busy:
            message = _("Another process is at the same data. Try again in a moment.")
            self.say(message, "warning")
            return False
        if outbox.get(self.context, mail_id)["state"] == outbox.SENT:
            self.say(_("The welcome mail was sent."), "info")
        else:
            message = _("The mail was not sent yet. It waits in the outbox for the sweep.")
            self.say(message, "warning")
        return True
