"""Site Setup: the automatic check: its last run, the work that is due, the buttons for it."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk.ownerpage import CHANGED
from niteoweb.click2sell.browser.desk.ownerpage import OwnerPage
from niteoweb.click2sell.browser.words import changes as words
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.setup import Check
from niteoweb.click2sell.setup import lastrun
from niteoweb.click2sell.setup import Status
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import schedule
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from niteoweb.click2sell.worker import clock
from niteoweb.click2sell.worker import sweep
from niteoweb.click2sell.worker import SweepReport
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from zope.i18nmessageid import Message


#: Rows of the table; the number of all is told.
SHOWN = 500

#: Bootstrap's class for the last run; nothing is shown of one that is as it should be.
ALERTS = {Status.WARNING: "alert-warning", Status.TODO: "alert-danger"}

#: The numbers of the preview, each with its sentence.
DUE = {
    "entries": _("Notifications that are processed again: ${number}"),
    "groups": _("Members who get a group that had been missing: ${number}"),
    "accounts": _("Accounts that are created for buyers who have waited: ${number}"),
    "mails": _("Mails that are sent: ${number}"),
    "troubled": _("Members who cannot be looked at; the site's log says why: ${number}"),
}

#: The numbers of what is not due yet.
WAITING = {
    "unaddressed": _("Mails that wait until the public address of the site is set: ${number}"),
    "entries": _("Failed notifications that wait for their next attempt: ${number}"),
    "mails": _("Mails that wait for their next attempt: ${number}"),
    "accounts": _("Buyers who wait for an account: ${number}"),
}

_SILENT = _(
    "${provider} has been silent for unusually long: until it is heard from again, none of its "
    "subscriptions is ended because a renewal is missing."
)
_SILENT_TOO = _(
    "${provider} has been silent for unusually long: these members include subscribers whose "
    "renewal did not arrive."
)


class AutomaticCheck(OwnerPage):
    """``@@click2sell-check``: the last run, a preview, and the buttons that run it.

    GET changes nothing. Where a background thread runs the check, a button leaves it to that
    thread, so that nobody waits for providers and mail servers.
    """

    template = ViewPageTemplateFile("../templates/automaticcheck.pt")
    page, shown = lastrun.PAGE, SHOWN
    title = lastrun.TITLE
    lead = _(
        "It ends access that is over, tries again what failed, sends the mails that are due, "
        "and tells you what waits for you."
    )
    copy_warning = _("This is a copy of the site: you can look, but nothing is changed here.")

    def post(self) -> str:
        """Run the check, or leave that to the thread for it."""
        self.check_post()
        if self.is_copy:
            self.say(_("This is a copy of the site: nothing was changed."), "error")
            return ""
        if self.text("fingerprint") != self.fingerprint:
            self.say(CHANGED, "warning")
            return ""
        try:
            self._run(confirmed=self.asks and "confirm" in self.request.form)
        except Unreachable:
            raise transactions.Busy from None
        except Exception as error:
            message = _(
                "The check could not be run to its end: ${error}. The error is in the site's "
                "log."
            )
            self.fail("The automatic check failed", error, message)
            return ""
        return self.url

    def _run(self, confirmed: bool) -> None:
        by = self.by
        if clock.is_run_by_thread():
            writer.run(lambda site: schedule.request(site, by, timestamps.now(), confirmed))
            background.wake(background.CLOCK)
        else:
            clock.run_in_request(by, confirmed)
            self.say(_("The check has run."))

    # The last run

    @cached_property
    def now(self) -> datetime:
        """The time of the page."""
        return timestamps.now()

    @cached_property
    def last(self) -> schedule.Run | None:
        """The last run, None for never."""
        return schedule.last_run(self.context)

    @cached_property
    def _check(self) -> Check:
        return lastrun.check(self.context, self.now)

    @property
    def alert(self) -> str:
        """Bootstrap's class for :attr:`state`, "" when all is well, or the preview says it."""
        if self.stopped and self._check.state == Status.TODO:
            return ""
        return ALERTS.get(self._check.state, "")

    @property
    def state(self) -> Message:
        """Whether the check runs as it should."""
        return self._check.text

    @property
    def facts(self) -> formatting.Facts:
        """The last run, and how often there is one."""
        last = self.last
        if last is None:
            return formatting.facts((_("How often"), [lastrun.pause()]))
        return formatting.facts(
            (_("Last run"), [formatting.moment(last.begun_at)]),
            (_("Started by"), [lastrun.started_by(last.by)]),
            (_("Duration"), [lastrun.took(last, self.now)]),
            (_("What it did"), lastrun.done(last)),
            (_("How often"), [lastrun.pause()]),
        )

    @property
    def awaited(self) -> Message | None:
        """A run that goes on, or begins in a moment; None for neither."""
        if self.is_asked_for:
            names = {"who": schedule.requested(self.context).by}
            return _("${who} has asked for a run. It begins in a moment.", mapping=names)
        if self.last and lastrun.is_running(self.last, self.now):
            return _("It is running now.")
        return None

    @cached_property
    def is_asked_for(self) -> bool:
        """Whether somebody has asked for a run that a thread begins in a moment."""
        return clock.is_run_by_thread() and schedule.requested(self.context) is not None

    # The preview

    @cached_property
    def preview(self) -> SweepReport:
        """The report of a run that would begin now; nothing is changed."""
        return sweep.sweep(dry_run=True)

    @cached_property
    def stopped(self) -> Message | None:
        """The reason for which no access would be ended, None when access would be ended."""
        if not self.preview.stopped:
            return None
        if self.preview.off:
            return lastrun.doubted(self.preview.stopped)
        return _(
            "${members} members would lose access at once, and the limit is ${limit}. Nobody "
            "will lose it until you confirm. If these are not the right members, check the "
            "server's clock and the days of access under Products and groups.",
            mapping=dict(self.preview.stopped),
        )

    @cached_property
    def held(self) -> list[str]:
        """Addresses of members of whom providers say that their access is over, too many."""
        return [one for provider in registry.enabled() for one in provider.held(self.context)]

    @property
    def asks(self) -> bool:
        """Whether there is something to confirm."""
        return bool(self.stopped or self.held)

    @cached_property
    def lapsed(self) -> Sequence[dict[str, Any]]:
        """The members who lose access; where that has to be confirmed, all whom it is about."""
        if not self.asks:
            return self.preview.lapsed
        return sweep.sweep(dry_run=True, confirmed=True).lapsed

    @property
    def fingerprint(self) -> str:
        """Stands for the members whom the reader has seen."""
        members = (
            (member["user_id"], repr(member["products"]), sorted(member["groups"]))
            for member in self.lapsed
        )
        return words.fingerprint((bool(self.stopped), *self.held, *members))

    @property
    def sentences(self) -> list[Message]:
        """A sentence for each kind of work that is due, beside access that ends."""
        report = self.preview
        numbers = {
            "entries": len(report.entries),
            "groups": report.granted,
            "accounts": report.accounts,
            "mails": report.mails["due"] if self._can_mail else 0,
            "troubled": report.troubled,
        }
        return lastrun.sentences(numbers, DUE)

    @property
    def waiting(self) -> list[Message]:
        """A sentence for each kind of work that is not due yet, and each silent provider."""
        text = _SILENT_TOO if self.asks else _SILENT
        unaddressed = 0 if self._can_mail else self.preview.mails["due"]
        numbers = {**self.preview.waiting, "unaddressed": unaddressed}
        return [
            *(
                Message(text, mapping={"provider": registry.title(name)})
                for name in sorted(self.preview.silent)
            ),
            *lastrun.sentences(numbers, WAITING),
        ]

    @property
    def _can_mail(self) -> bool:
        """Whether links in mails would lead anywhere."""
        return bool(plone_site.public_address())

    @property
    def nothing_due(self) -> bool:
        """Whether a run would do nothing."""
        return not (self.lapsed or self.held or self.sentences)

    @property
    def table(self) -> formatting.Table:
        """The members who lose access."""
        return formatting.Table(
            _("Members who lose access"),
            (_("Member"), _("Products"), _("Groups taken")),
            [
                (
                    self._member(member),
                    ", ".join(map(self._product, member["products"])),
                    ", ".join(member["groups"]) or _("none"),
                )
                for member in self.lapsed[:SHOWN]
            ],
            ("text-break",) * 3,
            "align-middle",
            captioned=False,
            total=len(self.lapsed),
        )

    def _member(self, member: dict[str, Any]) -> formatting.Link:
        user_id, email = member["user_id"], member["email"]
        record = buyers.of_user(self.context, user_id)
        text = user_id if email in ("", user_id) else f"{user_id} ({email})"
        url = self.url_of(f"click2sell-members/{record['id']}") if record is not None else ""
        return formatting.Link(text or _("no account"), url)

    def _product(self, product: dict[str, str]) -> str:
        names = product["provider"], product["product_id"]
        return formatting.product_title(self.context, names)
