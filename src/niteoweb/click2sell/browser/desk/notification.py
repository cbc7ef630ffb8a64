"""Site Setup: a notification, its outcome, and the buttons that replay it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk.ownerpage import CHANGED
from niteoweb.click2sell.browser.desk.ownerpage import EntryPage
from niteoweb.click2sell.browser.words import changes
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import preview
from niteoweb.click2sell.report import notifications
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zExceptions import NotFound
from zope.i18nmessageid import Message


#: Other notifications of the buyer that the page lists.
OTHERS = 10


#: The decisions of owners, as a note tells them.
DECISIONS = {
    "attached": _("chose the member"),
    "corrected": _("corrected the buyer"),
    "decided": _("took it in"),
    "dismissed": _("dismissed it"),
    "group made": _("made the group"),
}


@dataclass(frozen=True)
class Failure:
    """A failed attempt, unfolded or not."""

    at: formatting.Moment
    error: str
    is_open: bool

    def __html__(self) -> str:
        error = f'<pre class="border rounded p-2" tabindex="0">{escape(self.error)}</pre>'
        start = "<details open>" if self.is_open else "<details>"
        return f"{start}<summary>{self.at.__html__()}</summary>{error}</details>"


@dataclass(frozen=True)
class Note:
    """A decision of an owner."""

    at: formatting.Moment
    by: str
    what: Message | str
    text: str

    def __html__(self) -> str:
        what, text = escape(formatting.translated(self.what)), escape(self.text)
        quoted = f" <q>{text}</q>" if text else ""
        return f"{self.at.__html__()}, {escape(self.by)}: {what}{quoted}"


class NotificationView(EntryPage):
    """An entry's page. POST previews a replay, or replays.

    The button carries a fingerprint of the preview, so that nothing else is applied.
    """

    template = ViewPageTemplateFile("../templates/notification.pt")
    title = _("Notification")
    copy_warning = _(
        "This is a copy of the site: a replay changes this copy only, and its mails wait."
    )
    titles = formatting.ENTRY_TITLES
    others_label = _("Notifications")
    #: None before the dry run.
    preview: changes.Preview | None = None

    def __call__(self) -> str:
        if self.entry is None:
            raise NotFound(self.key)
        return super().__call__()

    def post(self) -> str:
        """Preview the replay, or replay."""
        self.check_post()
        self._look()
        if "replay" not in self.request.form or self.preview is None:
            return ""
        if self.text("fingerprint") != self.preview.fingerprint:
            self.say(CHANGED, "warning")
            return ""
        self._replay()
        return self.url

    def _look(self) -> None:
        """Preview the replay."""
        try:
            replayed = preview.replay(self.context, self.key, timestamps.now())
            self.preview = changes.of_replay(self.context, self.key, replayed)
        except Exception as error:
            message = _(
                "What a replay would change cannot be worked out: ${error}. The error is in "
                "the site's log."
            )
            self.fail(f"Preview of entry {self.key} failed", error, message)

    def _replay(self) -> None:
        try:
            pipeline.replay(self.key)
        except pipeline.Failed:
            message = _("The replay failed. What went wrong stands below, under the outcome.")
            self.say(message, "error")
        else:
            self.say(_("The notification was processed again."))

    # Processing

    @property
    def processing(self) -> formatting.Facts:
        """The facts about the processing; the latest failures and decisions come first."""
        failures = [
            Failure(formatting.moment(failure["at"]), failure["error"], is_open=not number)
            for number, failure in enumerate(reversed(self.entry["failures"]))
        ]
        notes = [
            Note(
                formatting.moment(note["at"]),
                note["by"],
                DECISIONS.get(note["what"], note["what"]),
                note["text"],
            )
            for note in reversed(self.entry["notes"])
        ]
        return formatting.facts(
            (_("Outcome"), [self.line.badge, self.line.reason]),
            (_("What it is about"), [self.entry["subject"]]),
            (_("Attempts"), [str(self.entry["attempts"])]),
            (_("Failed"), failures),
            (_("Decided"), notes),
        )

    @property
    def decide_url(self) -> str:
        """Address of the page where an owner can decide about it, "" when nothing can be."""
        can = self.may_operate and decisions.possible(self.context, self.entry)
        return f"{self.url}/decide" if can else ""

    # The notification

    @property
    def facts(self) -> formatting.Facts:
        """The facts that the notification states: a label, and the lines beside it."""
        entry, line = self.entry, self.line
        terms: Sequence[Message] = formatting.terms(entry["days"], entry["exclusive"])
        if not entry["terms_known"]:
            terms = [_("No line of the mapping names the product yet.")]
        times = {
            name: [formatting.moment(entry[name])] if entry[name] else []
            for name in ("occurred_at", "received_at", "valid_from", "valid_until")
        }
        return formatting.facts(
            (_("Kind"), [line.kind]),
            (_("Product"), [line.product]),
            (_("Amount"), [line.amount]),
            (_("Happened"), times["occurred_at"]),
            (_("Arrived"), times["received_at"]),
            (_("Access from, as the provider says"), times["valid_from"]),
            (_("Access until, as the provider says"), times["valid_until"]),
            (_("Terms"), terms if entry["product_id"] else []),
            (_("Receipt"), [entry["receipt"]]),
            (_("Transaction"), [entry["transaction"]]),
            (_("Provider"), [entry["provider"]]),
        )

    # The buyer

    @cached_property
    def buyer(self) -> buyers.Buyer | None:
        """The record of the buyer, None for a notification that names none."""
        return buyers.get(self.context, self.entry["buyer_id"])

    @property
    def concerned(self) -> formatting.Facts:
        """The facts about the buyer: a label, and the lines beside it."""
        entry, buyer = self.entry, self.buyer
        addresses = buyers.addresses(buyer) if buyer is not None else ()
        return formatting.facts(
            (_("Address of the buyer"), [self.line.buyer]),
            (_("Name"), [f"{entry['first_name']} {entry['last_name']}".strip()]),
            (
                _("Other addresses of this buyer"),
                [", ".join(other for other in addresses if other != entry["buyer"])],
            ),
            (_("Account"), [self.account(self.buyer)]),
        )

    @cached_property
    def others(self) -> list[formatting.EntryLine]:
        """The newest other notifications of the buyer."""
        if not self.entry["buyer"]:
            return []
        listed = notifications.Listing(
            self.context, notifications.Filters(buyer=self.entry["buyer"])
        )
        keys = [key for key in listed.keys(0, OTHERS + 1) if key != self.key]
        return formatting.entry_lines(self.context, self.list_url, keys[:OTHERS])

    # The payload

    @property
    def payload(self) -> formatting.Table:
        """Names and values as they arrived; without rows when they are not kept any more."""
        return formatting.Table(
            _("What arrived"),
            (_("Parameter"), _("Value")),
            [(formatting.Code(name), value) for name, value in self.entry["payload"].items()],
            ("fw-normal w-25", "text-break"),
            captioned=False,
            headed=True,
        )
