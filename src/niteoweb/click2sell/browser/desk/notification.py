"""Site Setup: a notification, its outcome, and the buttons that replay it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk import cures
from niteoweb.click2sell.browser.desk.ownerpage import CHANGED
from niteoweb.click2sell.browser.desk.ownerpage import EntryPage
from niteoweb.click2sell.browser.words import changes
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import preview
from niteoweb.click2sell.report import labels
from niteoweb.click2sell.report import notifications
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zope.i18nmessageid import Message


#: Other notifications of the buyer that the page lists.
OTHERS = 10


@dataclass(frozen=True)
class Failure:
    """A failed attempt; the error is for those who administer the server."""

    at: formatting.Moment
    error: str

    def __html__(self) -> str:
        error = f'<pre class="border rounded p-2" tabindex="0">{escape(self.error)}</pre>'
        details = escape(formatting.translated(_("Details for your administrator")))
        folded = f"<details><summary>{details}</summary>{error}</details>"
        return f"{self.at.__html__()} {folded}"


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
    """An entry's page. POST previews another try, or makes it.

    The button carries a fingerprint of the preview, so that nothing else is applied.
    """

    template = ViewPageTemplateFile("../templates/notification.pt")
    copy_warning = _(
        "This is a copy of the site: what you do changes this copy only, and its mails wait."
    )
    titles = formatting.ENTRY_TITLES
    others_label = _("Notifications")
    #: None before the preview.
    preview: changes.Preview | None = None

    def post(self) -> str:
        """Preview another try, or make it."""
        self.check_post()
        self._look()
        if "replay" not in self.request.form or self.preview is None:
            return ""
        if self.text("fingerprint") != self.preview.fingerprint:
            self.say(CHANGED, "warning")
            return ""
        buyer_id = self.entry["buyer_id"]
        self._replay()
        return self.way_back(buyer_id) or self.url

    @property
    def cancel_url(self) -> str:
        """Address of the page with the cure, else of the page without the preview."""
        return self.way_back(self.entry["buyer_id"]) or self.url

    def _look(self) -> None:
        """Preview the replay."""
        try:
            replayed = preview.replay(self.context, self.key, timestamps.now())
            self.preview = changes.of_replay(self.context, self.key, replayed)
        except Exception as error:
            message = _(
                "The result of another try cannot be worked out: ${error}. The error is in the "
                "site's log."
            )
            self.fail(f"Preview of entry {self.key} failed", error, message)

    def _replay(self) -> None:
        try:
            pipeline.replay(self.key)
        except pipeline.Failed:
            self.say(_("It failed again. Your administrator finds the error below."), "error")
        else:
            self.say(_("The notification was processed again."))

    # Processing

    @property
    def cure(self) -> cures.Cure | None:
        """The way out, None for a notification that needs nobody."""
        return cures.of_entry(self.context, self.entry) if self.may_operate else None

    @property
    def later(self) -> Message | None:
        """When the site tries again by itself, None when it does not."""
        return later(self.entry)

    @property
    def processing(self) -> formatting.Facts:
        """The facts about the processing; the latest failures and decisions come first."""
        failures = [
            Failure(formatting.moment(failure["at"]), failure["error"])
            for failure in reversed(self.entry["failures"])
        ]
        notes = [
            Note(
                formatting.moment(note["at"]),
                note["by"],
                labels.NOTES.get(note["what"], note["what"]),
                note["text"],
            )
            for note in reversed(self.entry["notes"])
        ]
        attempts = self.entry["attempts"]
        return formatting.facts(
            (_("Attempts"), [str(attempts)] if attempts > 1 else []),
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
            terms = [_("The product is not in the settings yet.")]
        times = {
            name: [formatting.moment(entry[name])] if entry[name] else []
            for name in ("occurred_at", "received_at", "valid_from", "valid_until")
        }
        owners = entry["provider"] == OWNER
        until = _("Access until") if owners else _("Access until, as the provider says")
        return formatting.facts(
            (_("Kind"), [line.kind]),
            (_("Product"), [line.product]),
            (_("Product id"), [entry["product_id"]] if not owners else []),
            (_("Amount"), [line.amount]),
            (_("Happened"), times["occurred_at"]),
            (_("Arrived"), times["received_at"] if not owners else []),
            (_("Access from, as the provider says"), times["valid_from"]),
            (until, times["valid_until"]),
            (_("Terms"), terms if entry["product_id"] and not owners else []),
            (_("Receipt"), [entry["receipt"]]),
            (_("Transaction"), [entry["transaction"]] if not owners else []),
            (_("Provider"), [labels.sender(entry["provider"])]),
            (_("Reason"), [entry["payload"].get("reason", "")] if owners else []),
            (_("By"), [entry["payload"].get("by", "")] if owners else []),
            (_("Could not be read"), [self._unreadable]),
        )

    @property
    def _unreadable(self) -> formatting.Code | str:
        """The name of the parameter that could not be read, "" for none."""
        unreadable = self.entry["reason"] == Reason.PARAMETER
        return formatting.Code(self.entry["subject"]) if unreadable else ""

    # The buyer

    @cached_property
    def buyer(self) -> buyers.Buyer | None:
        """The record of the buyer, None for a notification that names none."""
        return buyers.get(self.context, self.entry["buyer_id"])

    @property
    def concerned(self) -> formatting.Facts:
        """The facts about the buyer: a label, and the lines beside it."""
        entry, buyer = self.entry, self.buyer
        if buyer is None:
            return formatting.facts(
                (_("Name"), [self.line.name]), (_("Address of the buyer"), [self.line.buyer])
            )
        addresses = buyers.addresses(buyer)
        return formatting.facts(
            (_("Name"), [self.line.name]),
            (_("Address of the buyer"), [self.line.buyer]),
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
    def by_hand(self) -> bool:
        """Whether an owner did it, so that no provider has sent anything."""
        return self.entry["provider"] == OWNER

    @property
    def payload(self) -> formatting.Table:
        """Names and values as they arrived; without rows when they are not kept any more."""
        return formatting.Table(
            _("What the provider sent"),
            (_("Parameter"), _("Value")),
            [(formatting.Code(name), value) for name, value in self.entry["payload"].items()],
            ("fw-normal w-25", "text-break"),
            captioned=False,
            headed=True,
        )


def later(entry: ledger.Entry) -> Message | None:
    """When the site tries an entry again by itself, None when it does not."""
    if entry["waits_for"]:
        title = registry.title(entry["waits_for"])
        return _(
            "It will be tried again when ${provider} answers.", mapping={"provider": title}
        )
    if not entry["retry_at"]:
        return None
    at = max(timestamps.from_iso(entry["retry_at"]), timestamps.now())
    return _("It will be tried again on ${time}.", mapping={"time": formatting.moment(at).text})
