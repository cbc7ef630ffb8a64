"""Site Setup: the receivers of outgoing hooks, the events that wait for them, a test event."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from niteoweb.click2sell import _
from niteoweb.click2sell import hooks
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk import cures
from niteoweb.click2sell.browser.desk import overviewacts
from niteoweb.click2sell.browser.desk.fields import Field
from niteoweb.click2sell.browser.desk.fields import VERBATIM
from niteoweb.click2sell.browser.desk.ownerpage import CHANGED
from niteoweb.click2sell.browser.desk.ownerpage import OwnerPage
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.storage import NotPossible
from niteoweb.click2sell.storage import writer
from plone.protect.authenticator import check
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from zope.i18nmessageid import Message


#: The events in words for owners.
EVENTS = {
    hooks.events.GRANTED: _("A member gets access to a product"),
    hooks.events.ENDED: _("A member's access to a product ends"),
    hooks.events.CREATED: _("An account was created for a buyer"),
    hooks.events.ATTENTION: _("A purchase needs your decision"),
    hooks.events.SILENT: _("A payment provider has fallen silent"),
}


@dataclass(frozen=True)
class Shown:
    """A receiver on the page.

    :ivar may_retry: whether something of it waits for another try.
    """

    id: str
    host: str
    facts: formatting.Facts
    may_retry: bool


class OutgoingHooks(OwnerPage):
    """``@@click2sell-hooks``: the receivers; POST adds, tests, tries again and removes.

    :ivar made: the secret that was made for a new receiver, which is shown this once.
    """

    template = ViewPageTemplateFile("../templates/outgoing.pt")
    page = "click2sell-hooks"
    tab = "click2sell-settings"
    title = _("Outgoing hooks")
    back = OwnerPage.to_settings
    lead = _(
        "Other systems can be told when a member gets access or loses it. Each receiver is "
        "posted signed events. What it does not take is sent again for three days."
    )
    copy_warning = _("This is a copy of the site: no events are sent from here.")
    made = ""

    def __init__(self, context: Any, request: Any) -> None:
        super().__init__(context, request)
        # Errors are logged with the form: it must not have the secret in it.
        secret = request.form.pop("secret", "")
        self.secret = secret.strip() if isinstance(secret, str) else ""

    def post(self) -> str:
        """Add a receiver, or do something with one."""
        check(self.request)
        self.request.response.setHeader("Cache-Control", "no-store")
        try:
            if "add" in self.request.form:
                return self._add()
            for name, act, text in (
                (
                    "test",
                    _test,
                    _("The test event is on its way. Load the page again in a moment."),
                ),
                ("again", hooks.outbox.try_again, _("The events are sent again.")),
                ("remove", hooks.outbox.remove, _("The receiver was removed.")),
            ):
                if self.text(name):
                    self._act(act, self.text(name))
                    self.say(text)
        except NotPossible as problem:
            self.say(problem.message, "error")
            return ""
        return self.url

    def _add(self) -> str:
        url, wanted = self.text("address"), self._wanted
        secret = self.secret or hooks.receivers.new_secret()
        now = timestamps.now()
        writer.run(lambda site: hooks.receivers.add(site, url, secret, wanted, now)["id"])
        self.say(_("The receiver was added."))
        if self.secret:
            return self.url
        self.made = secret
        return ""

    def _act(self, act: Any, receiver_id: str) -> None:
        def work(site: Any) -> None:
            receiver = hooks.receivers.find(site, receiver_id)
            if receiver is None:
                raise NotPossible(CHANGED)
            act(site, receiver)

        writer.run(work)

    @property
    def _wanted(self) -> list[str]:
        return [event for event in EVENTS if self.text(f"wants-{event}")]

    @cached_property
    def now(self) -> datetime:
        """The time of the page."""
        return timestamps.now()

    @property
    def receivers(self) -> Iterator[Shown]:
        """The receivers, the oldest first."""
        for receiver in hooks.receivers.every(self.context):
            waiting = hooks.outbox.waiting(self.context, receiver["id"])
            given_up = hooks.outbox.given_up(self.context, receiver["id"])
            delivered = receiver["delivered_at"]
            facts = formatting.facts(
                (_("Address"), [formatting.Code(receiver["url"])]),
                (_("Events"), [EVENTS[event] for event in receiver["events"]]),
                (_("State"), self._state(receiver)),
                (_("Last delivery"), [formatting.moment(delivered)] if delivered else []),
                (_("Events that wait"), [str(waiting)]),
                (_("Events given up"), [str(given_up)] if given_up else []),
            )
            may_retry = bool(waiting or given_up or receiver["switched_off_at"])
            yield Shown(receiver["id"], hooks.receivers.host(receiver), facts, may_retry)

    def _state(self, receiver: Any) -> list[Any]:
        if receiver["switched_off_at"]:
            return [
                formatting.Badge(_("switched off"), "text-bg-danger"),
                _("It answered that it is gone for good (status 410)."),
            ]
        if not receiver["failures"]:
            return [formatting.Badge(_("in use"), "text-bg-success")]
        return [
            formatting.Badge(_("takes nothing now"), "text-bg-warning"),
            error(receiver["error"]),
            formatting.Noted(_("Next try"), formatting.moment(receiver["next_at"]).text),
        ]

    @property
    def may_add(self) -> bool:
        """Whether there is room for one more."""
        return len(hooks.receivers.every(self.context)) < hooks.receivers.MOST

    @property
    def fields(self) -> list[Field]:
        """The fields of the form for a new receiver."""
        return [
            Field(
                "address",
                _("Address of the receiver"),
                self.text("address") if self.made == "" else "",
                "url",
                help=_("It has to begin with https."),
                more={**VERBATIM, "required": "required"},
            ),
            Field(
                "secret",
                _("Secret for the signatures"),
                "",
                "password",
                help=_(
                    "The secret that the receiver shows, which begins with whsec_. Leave it "
                    "empty to have one created, which is shown to you once."
                ),
                more={**VERBATIM, "autocomplete": "new-password"},
            ),
        ]

    @property
    def choices(self) -> list[Field]:
        """The events to choose from; the access of members at first."""
        chosen = self._wanted if "add" in self.request.form and not self.made else EVENTS
        return [
            Field(f"wants-{event}", text, "1" if event in chosen else "", "checkbox")
            for event, text in EVENTS.items()
        ]


@dataclass(frozen=True)
class State:
    """The state of a receiver in a line.

    :ivar waits: id of the receiver, if events wait for another try that can be asked for.
    """

    name: Message
    text: Message
    fails: bool
    waits: str = ""

    def more(self, page: OwnerPage) -> formatting.Link | cures.Cure | None:
        """The button that sends again, on the overview, or the link to the receivers."""
        if self.waits and page.may_view and page.may_operate:
            again = {overviewacts.HOOKS: self.waits}
            return cures.Cure(_("Send them again now"), page.url, again)
        link = formatting.Link(_("Outgoing hooks"), page.url_of(OutgoingHooks.page))
        return link if page.may_configure else None


def states(site: Any) -> list[State]:
    """The states of all receivers, the oldest first."""
    return [_state(site, receiver) for receiver in hooks.receivers.every(site)]


def _state(site: Any, receiver: Any) -> State:
    name = _("Outgoing hook: ${host}", mapping={"host": hooks.receivers.host(receiver)})
    if receiver["switched_off_at"]:
        text = _("Switched off: it answered that it is gone for good.")
        return State(name, text, fails=True)
    waiting = hooks.outbox.waiting(site, receiver["id"])
    given_up = hooks.outbox.given_up(site, receiver["id"])
    if not waiting and not given_up:
        return State(name, _("Every event was taken."), fails=False)
    numbers = {"waiting": formatting.number(waiting), "given_up": formatting.number(given_up)}
    text = _("Events waiting: ${waiting}, given up: ${given_up}", mapping=numbers)
    return State(name, text, bool(receiver["failures"] or given_up), receiver["id"])


def error(status: str) -> Message:
    """The failure of a receiver in words.

    :param status: of its answer, "" for none.
    """
    if not status:
        return _("It does not answer.")
    return _("It answered with the status ${status}.", mapping={"status": status})


def _test(site: Any, receiver: Any) -> None:
    hooks.outbox.file_test(site, receiver, timestamps.now())
