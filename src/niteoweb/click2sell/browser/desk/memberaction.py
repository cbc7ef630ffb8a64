"""Site Setup: a command of an owner for a buyer: filled in, previewed, then carried out."""

from functools import cached_property
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk.confirmation import Confirmation
from niteoweb.click2sell.browser.desk.fields import Field
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.browser.words.changes import Changes
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.owner import forms
from niteoweb.click2sell.storage import NotPossible
from niteoweb.click2sell.storage import trees
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from zExceptions import NotFound
from zExceptions import Unauthorized
from zope import schema
from zope.i18nmessageid import Message


#: Types of the inputs that are no plain text.
TYPES = {
    "address": "email",
    "until": "date",
    "days": "number",
    "mail": "checkbox",
    "product": "select",
    "way": "select",
}


class MemberActionView(Confirmation):
    """The page of a command for a buyer: a form, then the preview, and the button."""

    template = ViewPageTemplateFile("../templates/memberaction.pt")
    tab = "click2sell-members"
    #: The message after it was carried out.
    success: Message | None = None

    def __init__(
        self, context: Any, request: Any, list_url: str, buyer_id: str, name: str
    ) -> None:
        super().__init__(context, request)
        self.list_url, self.buyer_id, self.name = list_url, buyer_id, name
        above = f"{list_url}/{buyer_id}" if buyer_id else list_url
        self.url = f"{above}/{name}"
        self.cancel_url = self.way_back() or above
        self.problems: dict[str, Message] = {}

    def __call__(self) -> str:
        if not self._exists:
            raise NotFound(self.name)
        if not self.may_operate:
            raise Unauthorized("Click2Sell: Operate purchases")
        return super().__call__()

    def post(self) -> str:
        """Show the form again, preview the command, or carry it out."""
        self.check_post()
        if "change" in self.request.form or not self._try():
            return ""
        buyer_id = self.buyer_id or self._new_buyer()
        return self.way_back(buyer_id) or f"{self.list_url}/{buyer_id}"

    @property
    def _exists(self) -> bool:
        if not self.buyer_id:
            return self.name == "grant"
        return self.name in commands.COMMANDS and self.buyer is not None

    @property
    def _command(self) -> type[commands.Command]:
        return commands.COMMANDS[self.name]

    @cached_property
    def buyer(self) -> buyers.Buyer | None:
        """The record, None for a person who is no buyer yet."""
        return buyers.get(self.context, self.buyer_id) if self.buyer_id else None

    @property
    def title(self) -> Message:
        """The name of the command."""
        return self._command.title

    confirm_label = title

    @property
    def lead(self) -> str:
        """The buyer, as the owner knows it; "" for a person who is none yet."""
        if self.buyer is None:
            return ""
        entries = [ledger.get(self.context, key) for key in self.buyer["keys"]]
        address = explanation.addresses(self.buyer, entries)[0]
        name = explanation.name(entries)
        return f"{name} <{address}>" if name else address

    # The form

    @property
    def values(self) -> dict[str, str]:
        """The texts of the form; at first the defaults."""
        names = schema.getFieldNamesInOrder(self._command.form)
        if self.buyer is not None:
            names = [name for name in names if name not in ("address", "name")]
        form = self._command.form
        first = {
            "mail": "1" if form.get("mail") and form["mail"].default else "",
            "way": "link",
        }
        if self.request.method == "POST":
            first = {}
        return {name: self.text(name) or first.get(name, "") for name in names}

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """Names and values that come along with the form."""
        return [(name, text) for name in ("key", "settles") if (text := self.text(name))]

    @property
    def fields(self) -> list[Field]:
        """The fields of the form, with their values."""
        return [self._field(name, text) for name, text in self.values.items() if name != "key"]

    @property
    def harmful(self) -> bool:
        """Whether the buyer loses access by it."""
        return self.name == "revoke"

    def _field(self, name: str, value: str) -> Field:
        field, form = self._command.form[name], self._command.form
        terms = field.vocabulary if isinstance(field, schema.Choice) else ()
        if name == "product":
            terms = forms.products(self.context, self.buyer, form, timestamps.now())
        named = ((term.token, term.title or term.token) for term in terms)
        choices = [("", _("choose")), *named]
        type_, problem = TYPES.get(name, "text"), self.problems.get(name)
        return Field.of_command(field, value, type_, choices, problem)

    @property
    def looked(self) -> bool:
        """Whether the preview is shown, and no longer the form."""
        return self.changes is not None and not self.problems

    @property
    def problem(self) -> Message | None:
        """The problem with no field of the form in particular."""
        return next((self.problems[n] for n in self.problems if n not in self.values), None)

    # What it does

    def _try(self) -> bool:
        """Preview the command, or carry it out.

        :returns: whether it was carried out.
        """
        values: dict[str, Any] = dict(self.values)
        if "mail" in values:
            values["mail"] = bool(values["mail"])
        try:
            command = commands.asked_for(self.context, self.name, self.buyer, values, self.by)
            if isinstance(command, commands.Resend):
                self.unchanged = self._mail(command)
        except forms.Problems as problems:
            self.problems = dict(problems.by_field)
            return False
        except NotPossible as problem:
            self.problems = {"": problem.message}
            return False
        if not self.settle(lambda: command):
            return False
        self._settle()
        kind = "info" if self.success is command.success else "warning"
        self.say_done(
            self.lead or self.text("name") or self.text("address"), self.success, kind
        )
        return True

    def _settle(self) -> None:
        """Dismiss the notification that access was given or ended for."""
        entry = ledger.get(self.context, self.text("settles"))
        if entry is None or decisions.DISMISS not in decisions.possible(self.context, entry):
            return
        note = formatting.translated(self._command.success)
        action.carry_out(decisions.Dismiss(key=entry["key"], by=self.by, note=note))

    def _new_buyer(self) -> str:
        """Id of the buyer who got access by the address."""
        address = forms.address_of(self.text("address"))
        return trees.tree(self.context, "buyer_by_address").get(address, "")

    def _mail(self, command: commands.Resend) -> Message:
        user_id = command.recipient(self.context)
        way = command.form["way"].vocabulary.getTerm(command.way).title
        return _(
            "The welcome mail goes to ${address}, with ${what}.",
            mapping={
                "address": accounts.text(user_id, "email"),
                "what": formatting.translated(way),
            },
        )

    def _look(self, wanted: Any) -> tuple[Changes, ...]:
        return () if isinstance(wanted, commands.Resend) else super()._look(wanted)

    def _carry_out(self, wanted: Any) -> None:
        self.success = wanted.success
        if not isinstance(wanted, commands.Resend):
            super()._carry_out(wanted)
        else:
            wanted.carry_out()
