"""Site Setup: one act for several buyers: filled in, previewed, then carried out."""

from functools import cached_property
from itertools import repeat
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk.memberaction import CommandPage
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.browser.words.formatting import Link
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.owner import several
from typing import Any
from urllib.parse import urlencode
from zExceptions import NotFound


#: The acts for several buyers: names of commands, with their titles.
ACTS = {name: commands.COMMANDS[name].title for name in ("resend", "extend")}

#: Buyers of one act, at most: a page of the list.
MOST = 50

#: The parameters of a part of the list.
PART = ("part", "search", "b_start")


class BulkActionView(CommandPage):
    """The page of an act for several buyers."""

    #: The commands that the form asks for; None before the preview.
    wanted: several.Several | None = None

    def __init__(self, context: Any, request: Any, list_url: str) -> None:
        super().__init__(context, request, f"{list_url}/selected")
        self.list_url = list_url
        # The part of the list that the buyers were selected in.
        self.part = {name: text for name in PART if (text := self.text(name))}
        self.cancel_url = f"{list_url}?{urlencode(self.part)}" if self.part else list_url
        self.back = Link(_("All members"), list_url)

    def __call__(self) -> str:
        if self.request.method != "POST":
            self.request.response.redirect(self.cancel_url)
            return ""
        if self.act not in ACTS:
            raise NotFound(self.act)
        return super().__call__()

    def post(self) -> str:
        """Show the form, preview the act, or carry it out."""
        self.check_post()
        if not self.chosen:
            self.say(_("Select at least one buyer."), "warning")
            return self.cancel_url
        form = self.request.form
        if "look" not in form or "change" in form or not self.settle(self._wanted):
            return ""
        number = formatting.number(len(self.wanted.commands))
        self.say(_("Done for buyers: ${number}", mapping={"number": number}))
        return self.cancel_url

    @property
    def act(self) -> str:
        """The name of the command."""
        return self.text("act")

    @property
    def command(self) -> type[commands.Command]:
        """The kind of command."""
        return commands.COMMANDS[self.act]

    @cached_property
    def chosen(self) -> list[buyers.Buyer]:
        """The selected buyers."""
        given = self.request.form.get("buyer", [])
        given = [given] if isinstance(given, str) else given
        ids = dict.fromkeys(one for one in given if isinstance(one, str))
        return [buyer for one in ids if (buyer := buyers.get(self.context, one))][:MOST]

    @property
    def people(self) -> list[Link]:
        """The selected buyers with the ways to their pages."""
        return [self._person(buyer) for buyer in self.chosen]

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """Names and values that come along with the form."""
        return [("act", self.act), ("look", "1"), *self.part.items(), *self._ids]

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Names and values of the form, each buyer among them."""
        # A single buyer comes as a text, as the other fields do.
        others = [pair for pair in super().asked if pair[0] != "buyer"]
        return [*others, *self._ids]

    @property
    def _ids(self) -> list[tuple[str, str]]:
        return [("buyer", buyer["id"]) for buyer in self.chosen]

    @property
    def may_confirm(self) -> bool:
        """Whether the act is possible for any of them."""
        return bool(self.wanted.commands)

    @property
    def effects(self) -> list[tuple[Any, Any]]:
        """The selected buyers, each with what changes, or why nothing does."""
        people = {buyer["id"]: self._person(buyer) for buyer in self.chosen}
        each = [effect for _address, effect in super().effects]
        each = each or repeat(_("The welcome mail is sent."))
        effects = {
            **dict(zip(self.wanted.commands, each, strict=False)),
            **self.wanted.left_out,
        }
        return [(people[buyer_id], effect) for buyer_id, effect in effects.items()]

    def _person(self, buyer: buyers.Buyer) -> Link:
        entries = buyers.entries(self.context, buyer)
        name = explanation.name(entries) or explanation.addresses(buyer, entries)[0]
        return Link(name, f"{self.list_url}/{buyer['id']}")

    def _wanted(self) -> several.Several:
        asked = self.act, self.chosen, self.values, self.by
        self.wanted = several.asked_for(self.context, *asked, timestamps.now())
        return self.wanted

    def _carry_out(self, wanted: several.Several) -> None:
        if self.command is not commands.Resend:
            super()._carry_out(wanted)
            return
        for command in wanted.commands.values():
            command.carry_out()
