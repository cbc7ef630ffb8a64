"""Site Setup: a command of an owner for a buyer: filled in, previewed, then carried out."""

from collections.abc import Sequence
from functools import cached_property
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk.confirmation import Confirmation
from niteoweb.click2sell.browser.desk.fields import Field
from niteoweb.click2sell.browser.words import changes as words
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.browser.words.changes import Changes
from niteoweb.click2sell.browser.words.formatting import Link
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.owner import Action
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.owner import forms
from niteoweb.click2sell.storage import NotPossible
from niteoweb.click2sell.storage import trees
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from zExceptions import NotFound
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


NO_PRODUCT = _("There is no product to choose. Products are added in the settings.")


class CommandPage(Confirmation):
    """The page of a command of an owner: a form, then the preview, and the button.

    :ivar command: the kind of command.
    :ivar chosen: the buyers that it is for, None for a person who is none yet.
    :ivar people: links to them, where the form has to name them.
    :ivar problems: of the fields, by their names; "" for the command as a whole.
    """

    template = ViewPageTemplateFile("../templates/memberaction.pt")
    tab = "click2sell-members"
    command: type[commands.Command]
    chosen: Sequence[buyers.Buyer | None]
    people: Sequence[Link] = ()

    def __init__(self, context: Any, request: Any, url: str) -> None:
        super().__init__(context, request)
        self.url = url
        self.problems: dict[str, Message] = {}

    @property
    def title(self) -> Message:
        """The name of the command."""
        return self.command.title

    confirm_label = title

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """Names and values that come along with the form."""
        return []

    @property
    def values(self) -> dict[str, str]:
        """The texts of the form; at first the defaults."""
        form, first = self.command.form, {"way": "link"}
        if self.request.method != "POST" and form.get("mail") and form["mail"].default:
            first["mail"] = "1"
        known = () if None in self.chosen else ("address", "name")
        names = [name for name in schema.getFieldNamesInOrder(form) if name not in known]
        return {name: self.text(name) or first.get(name, "") for name in names}

    @property
    def fields(self) -> list[Field]:
        """The fields of the form, with their values."""
        return [self._field(name, text) for name, text in self.values.items() if name != "key"]

    def _field(self, name: str, value: str) -> Field:
        field, choices = self.command.form[name], []
        help_ = field.description or None
        is_first = name == next(iter(self.problems), None)
        if isinstance(field, schema.Choice):
            choices = [(term.token, term.title) for term in field.vocabulary]
        elif name == "product":
            products = self._products
            value = value or (next(iter(products)) if len(products) == 1 else "")
            choices = [("", _("choose")), *products.items()]
            help_ = None if products else NO_PRODUCT
        return Field(
            name,
            field.title,
            value,
            TYPES.get(name, "text"),
            choices,
            help=help_,
            error=self.problems.get(name),
            more={"autocomplete": "off", **({"autofocus": "autofocus"} if is_first else {})},
        )

    @property
    def _products(self) -> dict[str, Message | str]:
        """The products that the command can be about, with their titles."""
        form, now = self.command.form, timestamps.now()
        return {
            term.token: term.title or term.token
            for buyer in self.chosen
            for term in forms.products(self.context, buyer, form, now)
        }

    @property
    def problem(self) -> Message | None:
        """The problem with no field of the form in particular."""
        return next((self.problems[n] for n in self.problems if n not in self.values), None)

    def refuse(self, problem: NotPossible) -> None:
        """Show the problems at their fields."""
        is_of_fields = isinstance(problem, forms.Problems)
        self.problems = dict(problem.by_field) if is_of_fields else {"": problem.message}

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the preview, and of what was done before for the buyers.

        So it is another one when the same form comes again.
        """
        address = self.text("address").lower()
        known = [buyer or buyers.find(self.context, address) for buyer in self.chosen]
        return words.fingerprint((super().fingerprint, *map(self._sizes, filter(None, known))))

    def _sizes(self, buyer: buyers.Buyer) -> tuple[int, int, int]:
        """Number of a buyer's entries, notes and mails."""
        mails = outbox.of_accounts(self.context, buyers.accounts(buyer))
        return len(buyer["keys"]), len(buyer["notes"]), len(mails)

    def _look(self, wanted: Action) -> tuple[Changes, ...]:
        return () if self.command is commands.Resend else super()._look(wanted)


class MemberActionView(CommandPage):
    """The page of a command for a buyer."""

    def __init__(
        self, context: Any, request: Any, list_url: str, buyer_id: str, name: str
    ) -> None:
        above = f"{list_url}/{buyer_id}" if buyer_id else list_url
        super().__init__(context, request, f"{above}/{name}")
        self.list_url, self.buyer_id, self.name = list_url, buyer_id, name
        self.cancel_url = self.way_back() or above

    def __call__(self) -> str:
        if not self._exists:
            raise NotFound(self.name)
        return super().__call__()

    def post(self) -> str:
        """Show the form again, preview the command, or carry it out."""
        self.check_post()
        if "change" in self.request.form or not self.settle(self._wanted):
            return ""
        self._dismiss()
        who = self.lead or self.text("name") or self.text("address")
        self.say_done(who, self.command.success)
        buyer_id = self.buyer_id or self._new_buyer()
        return self.way_back(buyer_id) or f"{self.list_url}/{buyer_id}"

    @property
    def _exists(self) -> bool:
        if not self.buyer_id:
            return self.name == "grant"
        return self.name in commands.COMMANDS and self.buyer is not None

    @property
    def command(self) -> type[commands.Command]:
        """The kind of command, by its name in the address."""
        return commands.COMMANDS[self.name]

    @cached_property
    def buyer(self) -> buyers.Buyer | None:
        """The record, None for a person who is no buyer yet."""
        return buyers.get(self.context, self.buyer_id) if self.buyer_id else None

    @property
    def chosen(self) -> Sequence[buyers.Buyer | None]:
        """The buyer."""
        return [self.buyer]

    @property
    def lead(self) -> str:
        """The buyer, as the owner knows it; "" for a person who is none yet."""
        if self.buyer is None:
            return ""
        entries = buyers.entries(self.context, self.buyer)
        address = explanation.addresses(self.buyer, entries)[0]
        name = explanation.name(entries)
        return f"{name} <{address}>" if name else address

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """Names and values that come along with the form."""
        return [(name, text) for name in ("key", "settles") if (text := self.text(name))]

    @property
    def harmful(self) -> bool:
        """Whether the buyer loses access by it."""
        return self.name == "revoke"

    def _wanted(self) -> commands.Command:
        """The command that the form asks for."""
        values: dict[str, Any] = dict(self.values)
        if "mail" in values:
            values["mail"] = bool(values["mail"])
        command = commands.asked_for(self.context, self.name, self.buyer, values, self.by)
        if isinstance(command, commands.Resend):
            self.unchanged = self._mail(command)
        return command

    def _dismiss(self) -> None:
        """Dismiss the notification that access was given or ended for."""
        entry = ledger.get(self.context, self.text("settles"))
        if entry is None or decisions.DISMISS not in decisions.possible(self.context, entry):
            return
        note = formatting.translated(self.command.success)
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

    def _carry_out(self, wanted: commands.Command) -> None:
        if isinstance(wanted, commands.Resend):
            wanted.carry_out()
        else:
            super()._carry_out(wanted)
