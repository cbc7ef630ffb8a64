"""Site Setup: one act for several buyers: filled in, previewed, then carried out."""

from functools import cached_property
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk.confirmation import Confirmation
from niteoweb.click2sell.browser.desk.fields import Field
from niteoweb.click2sell.browser.desk.memberaction import TYPES
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.browser.words.changes import Changes
from niteoweb.click2sell.browser.words.formatting import Link
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.owner import forms
from niteoweb.click2sell.owner import several
from niteoweb.click2sell.storage import NotPossible
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from zExceptions import NotFound
from zExceptions import Unauthorized
from zope import schema
from zope.i18nmessageid import Message


#: The acts for several buyers: names of commands.
ACTS = (
    ("resend", _("Mail the welcome mail again")),
    ("extend", _("Extend access")),
)

#: Buyers of one act, at most: a page of the list.
MOST = 50


class BulkActionView(Confirmation):
    """The page of an act for several buyers: a form, then the preview, and the button."""

    template = ViewPageTemplateFile("../templates/bulkaction.pt")
    tab = "click2sell-members"

    def __init__(self, context: Any, request: Any, list_url: str) -> None:
        super().__init__(context, request)
        self.cancel_url = list_url
        self.url = f"{list_url}/selected"
        self.back = Link(_("All members"), list_url)
        self.problems: dict[str, Message] = {}
        self.chosen: several.Several | None = None

    def __call__(self) -> str:
        if not self.may_operate:
            raise Unauthorized("Click2Sell: Operate purchases")
        if self.request.method != "POST":
            self.request.response.redirect(self.cancel_url)
            return ""
        if self.act not in dict(ACTS):
            raise NotFound(self.act)
        return super().__call__()

    def post(self) -> str:
        """Show the form, preview the act, or carry it out."""
        self.check_post()
        if not self.ids:
            self.say(_("Select at least one buyer."), "warning")
            return self.cancel_url
        if "look" not in self.request.form or "change" in self.request.form:
            return ""
        return self.cancel_url if self._try() else ""

    @property
    def act(self) -> str:
        """The name of the command."""
        return self.text("act")

    @property
    def title(self) -> Message:
        """The name of the act."""
        return dict(ACTS)[self.act]

    confirm_label = title

    @cached_property
    def ids(self) -> list[str]:
        """Ids of the selected buyers."""
        given = self.request.form.get("buyer", [])
        given = [given] if isinstance(given, str) else given
        known = [one for one in given if isinstance(one, str)]
        return [one for one in dict.fromkeys(known) if buyers.get(self.context, one)][:MOST]

    @property
    def people(self) -> dict[str, Link]:
        """The selected buyers with the ways to their pages."""
        return {buyer_id: self._person(buyer_id) for buyer_id in self.ids}

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Names and values of the form, each buyer among them."""
        return [*super().asked, *(("buyer", one) for one in self.ids)]

    @property
    def values(self) -> dict[str, str]:
        """The texts of the form; at first the defaults."""
        names = schema.getFieldNamesInOrder(commands.COMMANDS[self.act].form)
        return {name: self.text(name) or {"way": "link"}.get(name, "") for name in names}

    @property
    def fields(self) -> list[Field]:
        """The fields of the form, with their values."""
        return [self._field(name, value) for name, value in self.values.items()]

    def _field(self, name: str, value: str) -> Field:
        form = commands.COMMANDS[self.act].form
        field, terms = form[name], ()
        if isinstance(field, schema.Choice):
            terms = [(term.token, term.title) for term in field.vocabulary]
        if name == "product":
            now = timestamps.now()
            known = {
                term.token: term.title or term.token
                for one in self.ids
                for term in forms.products(
                    self.context, buyers.get(self.context, one), form, now
                )
            }
            terms = list(known.items())
            value = value or (terms[0][0] if len(terms) == 1 else "")
        choices = terms if name == "way" else [("", _("choose")), *terms]
        type_, problem = TYPES.get(name, "text"), self.problems.get(name)
        return Field.of_command(field, value, type_, choices, problem)

    @property
    def looked(self) -> bool:
        """Whether the preview is shown, and no longer the form."""
        return self.changes is not None and not self.problems

    @property
    def effects(self) -> list[tuple[Link, Any]]:
        """The selected buyers, each with what changes, or why nothing does."""
        people, changes = self.people, iter(self.changes or ())
        effects = []
        for buyer_id in self.chosen.commands:
            effect = next(changes, None)
            mail = _("The welcome mail is sent.")
            effects.append((people[buyer_id], effect.facts if effect else mail))
        return [*effects, *((people[one], why) for one, why in self.chosen.left_out.items())]

    def _person(self, buyer_id: str) -> Link:
        entries = buyers.entries(self.context, buyers.get(self.context, buyer_id))
        address = explanation.addresses(buyers.get(self.context, buyer_id), entries)[0]
        name = explanation.name(entries) or address
        return Link(name, f"{self.cancel_url}/{buyer_id}")

    def _try(self) -> bool:
        values: dict[str, Any] = dict(self.values)
        try:
            self.chosen = several.asked_for(
                self.context, self.act, self.ids, values, self.by, timestamps.now()
            )
        except forms.Problems as problems:
            self.problems = dict(problems.by_field)
            return False
        except NotPossible as problem:
            self.say(problem.message, "error")
            return False
        if not self.settle(lambda: self.chosen):
            return False
        number = formatting.number(len(self.chosen.commands))
        self.say(_("Done for buyers: ${number}", mapping={"number": number}))
        return True

    def _look(self, wanted: Any) -> tuple[Changes, ...]:
        return () if self.act == "resend" else super()._look(wanted)

    def _carry_out(self, wanted: Any) -> None:
        if self.act != "resend":
            super()._carry_out(wanted)
            return
        for command in wanted.commands.values():
            command.carry_out()
