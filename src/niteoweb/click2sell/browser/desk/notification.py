"""Site Setup: a notification, its outcome, and the buttons that replay it."""

from dataclasses import dataclass
from functools import cached_property
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk.ownerpage import BUSY
from niteoweb.click2sell.browser.desk.ownerpage import CHANGED
from niteoweb.click2sell.browser.desk.ownerpage import EntryPage
from niteoweb.click2sell.browser.words import changes
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import preview
from niteoweb.click2sell.report import notifications
from niteoweb.click2sell.storage import log_failure
from niteoweb.click2sell.storage import transactions
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zExceptions import NotFound
from ZODB.POSException import ConflictError
from zope.i18nmessageid import Message

import logging


logger = logging.getLogger("niteoweb.click2sell")

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
class Note:
    """A decision of an owner."""

    at: formatting.Moment
    by: str
    what: Message | str
    text: str


class NotificationView(EntryPage):
    """An entry's page. POST previews a replay, or replays.

    The button carries a fingerprint of the preview, so that nothing else is applied.
    """

    template = ViewPageTemplateFile("../templates/notification.pt")
    table = ViewPageTemplateFile("../templates/notificationtable.pt")
    titles = formatting.ENTRY_TITLES
    rows = ViewPageTemplateFile("../templates/changes.pt")
    #: None before the dry run.
    preview: changes.Preview | None = None

    def __call__(self) -> str:
        if self.entry is None:
            raise NotFound(self.key)
        if self.request.method == "POST":
            self.check_post()
            if self._try():
                self.request.response.redirect(self.url)
                return ""
        return self.template()

    def _try(self) -> bool:
        """Preview the replay, or replay.

        :returns: whether the notification was processed, or that was tried.
        """
        self._look()
        if "replay" not in self.request.form or self.preview is None:
            return False
        if self.text("fingerprint") != self.preview.fingerprint:
            self.say(CHANGED, "warning")
            return False
        self._replay()
        return True

    def _look(self) -> None:
        """Preview the replay."""
        try:
            replayed = preview.replay(self.context, self.key, timestamps.now())
            self.preview = changes.of_replay(self.context, self.key, replayed)
        except ConflictError:
            raise
        except Exception as error:
            log_failure(f"Preview of entry {self.key} failed", error)
            message = _(
                "What a replay would change cannot be worked out: ${error}. The error is in "
                "the site's log.",
                mapping={"error": type(error).__name__},
            )
            self.say(message, "error")

    def _replay(self) -> None:
        try:
            pipeline.replay(self.key)
        except transactions.Busy:
            self.say(BUSY, "warning")
        except pipeline.Failed:
            message = _("The replay failed. What went wrong stands below, under the outcome.")
            self.say(message, "error")
        else:
            self.say(_("The notification was processed again."))

    # Processing

    @property
    def failures(self) -> list[tuple[formatting.Moment, str]]:
        """When attempts failed, and with which error; the latest first."""
        failures = reversed(self.entry["failures"])
        return [(formatting.moment(failure["at"]), failure["error"]) for failure in failures]

    @property
    def decide_url(self) -> str:
        """Address of the page where an owner can decide about it, "" when nothing can be."""
        can = self.may_operate and decisions.possible(self.context, self.entry)
        return f"{self.url}/decide" if can else ""

    @property
    def notes(self) -> list[Note]:
        """The decisions of owners about it, the latest first."""
        return [
            Note(
                formatting.moment(note["at"]),
                note["by"],
                DECISIONS.get(note["what"], note["what"]),
                note["text"],
            )
            for note in reversed(self.entry["notes"])
        ]

    # The notification

    @property
    def terms(self) -> tuple[Message, ...]:
        """The terms of access that were written down."""
        return formatting.terms(self.entry["days"], self.entry["exclusive"])

    def moment(self, name: str) -> formatting.Moment | None:
        """A time of the entry."""
        return formatting.moment(self.entry[name]) if self.entry[name] else None

    # The buyer

    @property
    def name(self) -> str:
        """The buyer's first and last name."""
        return f"{self.entry['first_name']} {self.entry['last_name']}".strip()

    @cached_property
    def buyer(self) -> buyers.Buyer | None:
        """The record of the buyer, None for a notification that names none."""
        return buyers.get(self.context, self.entry["buyer_id"])

    @property
    def other_addresses(self) -> list[str]:
        """The buyer's further addresses."""
        addresses = self.buyer["addresses"] if self.buyer is not None else ()
        return [address for address in addresses if address != self.entry["buyer"]]

    @property
    def user_id(self) -> str:
        """The buyer's account, "" when there is none."""
        return self.buyer["user_id"] if self.buyer is not None else ""

    @property
    def account_exists(self) -> bool:
        """Whether the account that the buyer is tied to is there."""
        return bool(self.user_id) and accounts.exists(self.user_id)

    @property
    def deleted(self) -> formatting.Moment | None:
        """When an owner deleted the account, if that was so."""
        deleted_at = self.buyer["deleted_at"] if self.buyer is not None else ""
        return formatting.moment(deleted_at) if deleted_at else None

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
    def payload(self) -> list[tuple[str, str]]:
        """Names and values as they arrived; empty when they are not kept any more."""
        return list(self.entry["payload"].items())
