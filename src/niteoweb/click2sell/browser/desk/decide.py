"""Site Setup: the decisions of an owner about one notification."""

from dataclasses import replace
from functools import cached_property
from niteoweb.click2sell import _
from niteoweb.click2sell.browser.desk.confirmation import Confirmation
from niteoweb.click2sell.browser.desk.fields import Field
from niteoweb.click2sell.browser.desk.ownerpage import EntryPage
from niteoweb.click2sell.browser.words.formatting import Link
from niteoweb.click2sell.owner import Action
from niteoweb.click2sell.owner import candidates
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.owner import NotPossible
from niteoweb.click2sell.report import labels
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from zope.i18nmessageid import Message


#: The fields of decisions that have others than the reason.
NAMES = {
    decisions.ATTACH: ("search", "reason"),
    decisions.CORRECT: ("address", "scope", "reason"),
    decisions.MAKE_GROUP: (),
}


#: The notifications that get another buyer.
SCOPES = (
    ("purchase", _("This purchase, and what follows under its transaction")),
    ("everything", _("Everything that came and will come under the wrong address")),
)


class DecideView(Confirmation, EntryPage):
    """The decisions about an entry: a form for each, then the preview, and the button."""

    template = ViewPageTemplateFile("../templates/decide.pt")
    explanations = {
        decisions.MAKE_GROUP: _(
            "The buyer is added to it at once, and others who wait with the next automatic "
            "check."
        ),
        decisions.DECIDE: _(
            "The transaction then belongs to the buyer and product of this notification. "
            "Access that it gave to another buyer or product ends."
        ),
        decisions.CORRECT: _(
            "For a mistyped address, for example. The wrong member loses this access."
        ),
        decisions.DISMISS: _("There is nothing to do. The notification stays in the history."),
    }

    def __init__(self, context: Any, request: Any, list_url: str, key: str) -> None:
        super().__init__(context, request, list_url, key)
        self.url = f"{self.entry_url}/decide"
        self.back = Link(_("Back to the notification"), self.entry_url)

    @property
    def cancel_url(self) -> str:
        """Address of the page that the owner came from."""
        return self.way_back(self.entry["buyer_id"]) or self.url

    @property
    def harmful(self) -> bool:
        """Whether somebody loses access by the decision."""
        return self.what in (decisions.DECIDE, decisions.CORRECT)

    @property
    def confirm_label(self) -> Message:
        """The decision that is previewed."""
        return self.label(self.what)

    def post(self) -> str:
        """Preview the decision, or carry it out."""
        self.check_post()
        buyer_id, title = self.entry["buyer_id"], self.title
        form = self.request.form
        if "find" in form or "change" in form or not self.settle(self._wanted):
            return ""
        self.say_done(title, labels.NOTES[decisions.DECISIONS[self.text("what")].noted])
        return self.way_back(buyer_id) or self.entry_url

    def _wanted(self) -> Action:
        """The decision that the form asks for.

        :raises niteoweb.click2sell.owner.NotPossible: it cannot be done.
        """
        if not self.what:
            raise NotPossible(decisions.GONE)
        if self.what == decisions.ATTACH and not self.text("candidate"):
            raise NotPossible(_("Choose an account."))
        reason = self.text("reason")
        values = {
            "user_id": self.text("candidate"),
            "address": self.text("address"),
            "everything": self.text("scope") == "everything",
            "reason": reason,
            "note": reason,
        }
        decision = decisions.DECISIONS[self.what]
        return decision.asked_for(values, key=self.key, by=self.by)

    @property
    def what(self) -> str:
        """The decision that the form asks for, by its name; "" before anybody has asked."""
        asked = self.text("what")
        return asked if asked in self.possible else ""

    @cached_property
    def possible(self) -> tuple[str, ...]:
        """The decisions that are possible."""
        return decisions.possible(self.context, self.entry)

    @cached_property
    def matches(self) -> list[candidates.Candidate]:
        """The accounts that the search finds."""
        return candidates.search(self.text("search"))

    @cached_property
    def candidates(self) -> list[candidates.Candidate]:
        """The accounts that could be the buyer's, with those that a search finds."""
        likely = candidates.of(self.context, self.entry)
        known = {one.user_id for one in likely}
        return [*likely, *(one for one in self.matches if one.user_id not in known)]

    def label(self, what: str) -> Message:
        """The name of a decision."""
        titles = {
            decisions.ATTACH: _("Connect the account"),
            decisions.MAKE_GROUP: _(
                "Create the group ${group}", mapping={"group": self.entry["subject"]}
            ),
            decisions.DECIDE: _("Accept it"),
            decisions.CORRECT: _("Correct the buyer"),
            decisions.DISMISS: _("Dismiss"),
        }
        return titles[what]

    def fields(self, what: str) -> list[Field]:
        """The fields of the form of a decision."""
        required, texts = {"required": "required"}, {"autocomplete": "off"}
        fields = {
            "search": Field(
                "search",
                _("Search for another account"),
                help=_("Name, address, login name or user id."),
                more=texts,
            ),
            "address": Field(
                "address",
                _("Address of the right buyer"),
                type="email",
                more={**texts, **required},
            ),
            "scope": Field(
                "scope", _("What belongs to this buyer?"), type="select", choices=SCOPES
            ),
            "reason": Field(
                "reason",
                _("Reason (shown in the history)"),
                more={"maxlength": "500"}
                if what == decisions.ATTACH
                else {"maxlength": "500", **required},
            ),
        }
        return [
            replace(fields[name], value=self.text(name), form=what)
            for name in NAMES.get(what, ("reason",))
        ]

    def mark(self, what: str) -> bool:
        """Whether the form of a decision is open: it was asked for, or is the likely one."""
        return what == (self.what or next(iter(self.possible), ""))
