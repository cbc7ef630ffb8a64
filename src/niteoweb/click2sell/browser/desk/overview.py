"""Site Setup: the overview, with open matters, the state of the site, and the set-up."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk import cures
from niteoweb.click2sell.browser.desk import outgoing
from niteoweb.click2sell.browser.desk import overviewacts
from niteoweb.click2sell.browser.desk import tabs
from niteoweb.click2sell.browser.desk.checklist import Checklist
from niteoweb.click2sell.browser.desk.notification import later
from niteoweb.click2sell.browser.desk.ownerpage import OwnerPage
from niteoweb.click2sell.browser.desk.steps import Steps
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.browser.words import headings
from niteoweb.click2sell.browser.words import unread
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import reasons
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.report import daily
from niteoweb.click2sell.report import overview
from niteoweb.click2sell.setup import duration
from niteoweb.click2sell.setup import lastrun
from niteoweb.click2sell.setup import Status
from niteoweb.click2sell.storage import NotPossible
from plone.protect.authenticator import check
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from zExceptions import Unauthorized
from zope.i18nmessageid import Message


#: Rows of what needs somebody; the number of all is told.
SHOWN = 25

#: The time of the figures.
THIRTY_DAYS = overview.Range(overview.DAY, 30)


@dataclass(frozen=True)
class Need:
    """Something that needs somebody.

    :ivar who: the buyer, with a link to the buyer's page.
    :ivar what: the notification in a few words, with a link to its page.
    :ivar why: a sentence.
    :ivar cure: the button.
    """

    who: formatting.Link
    what: formatting.Link | str
    why: Message | str
    cure: Any


@dataclass(frozen=True)
class Line:
    """A line about how it runs: a name, a sentence, and where there is more about it."""

    name: Message | str
    text: Message | str
    warning: bool = False
    more: formatting.Link | cures.Cure | None = None


class OverviewView(OwnerPage):
    """``@@click2sell-overview``: shows each reader the parts that the reader may act on."""

    template = ViewPageTemplateFile("../templates/overview.pt")
    page = tabs.OVERVIEW
    title = _("Overview")

    def __call__(self) -> Any:
        if not (self.may_view or self.may_configure or self.may_operate):
            raise Unauthorized(privilege.VIEW)
        return super().__call__()

    def __init__(self, context: Any, request: Any) -> None:
        super().__init__(context, request)
        # It takes the secret key out of the form before anything can fail.
        self.steps = Steps(context, request)
        self.checklist = Checklist(context, request)

    def post(self) -> str:
        """Carry out a cure, or an act of the set-up or of the checklist."""
        form = self.request.form
        try:
            if form.keys() & {"step", *self.checklist.acts}:
                check(self.request)
                if not self.may_configure:
                    raise Unauthorized(privilege.CONFIGURE)
                if "step" not in form:
                    self.checklist.act()
                    return ""
                self.steps.act(self.text("step"))
            else:
                self.check_post()
                if not self.may_view:
                    raise Unauthorized(privilege.VIEW)
                self.say(*overviewacts.act(self.context, form, self.by))
        except NotPossible as problem:
            self.say(problem.message, "error")
            # The page has the step's form as it was filled in.
            return "" if "step" in form else self.url
        return self.url

    @cached_property
    def now(self) -> datetime:
        """The time of the page."""
        return timestamps.now()

    # What needs somebody

    @property
    def may_cure(self) -> bool:
        """Whether this reader may settle the open matters."""
        return self.may_view or self.may_operate

    @property
    def needs(self) -> list[Need]:
        """The automatic check, if it has stopped, and the newest notifications."""
        keys = ledger.waiting_keys(self.context) if self.may_view else ()
        needs = [self._need(key) for key in islice(keys, SHOWN)]
        stopped = self._stopped
        return needs if stopped is None else [stopped, *needs]

    @property
    def for_all(self) -> cures.Cure | None:
        """The button that tries all failed notifications again."""
        return overviewacts.for_all(self.context, self.url)

    @property
    def _stopped(self) -> Need | None:
        """The automatic check, when it needs somebody."""
        check = self.late_check
        if check is None:
            return None
        stopped = check.state == Status.TODO
        label, url = _("Look at it") if stopped else _("Run it now"), self.url_of(lastrun.PAGE)
        when = formatting.translated(lastrun.ago(check.moment, self.now))
        who = formatting.Link(check.title, url if self.may_operate else "")
        return Need(who, when, check.text, cures.Cure(label, url))

    def _need(self, key: str) -> Need:
        entry = ledger.get(self.context, key)
        what = formatting.Link(
            headings.summary(entry), self.url_of(f"click2sell-notifications/{key}")
        )
        return Need(
            self._who(entry),
            what,
            _why(entry),
            cures.of_entry(self.context, entry, cures.TO_OVERVIEW),
        )

    def _who(self, entry: ledger.Entry) -> formatting.Link:
        sent = unread.as_sent(entry)
        name = sent.name or formatting.address(entry) or sent.address
        record = buyers.get(self.context, entry["buyer_id"])
        url = self.url_of(f"click2sell-members/{record['id']}") if record is not None else ""
        return formatting.Link(name or _("A buyer who could not be read"), url)

    # How it runs

    @property
    def running(self) -> list[Line]:
        """The automatic check, the mails, and each provider."""
        return [self._check(), self._mails(), *self._hooks(), *self._providers()]

    def _check(self) -> Line:
        check = lastrun.check(self.context, self.now)
        more = formatting.Link(_("See what is due, and run it now"), self.url_of(lastrun.PAGE))
        warning = check.state != Status.OK
        return Line(check.title, check.text, warning, more if self.may_operate else None)

    def _mails(self) -> Line:
        failed = overview.mails_failed(self.context).total
        waiting = len(outbox.due(self.context, self.now))
        waiting += outbox.waiting(self.context, self.now)
        if not waiting:
            return Line(_("Mail"), _("Every mail was sent."))
        names = {"waiting": formatting.number(waiting), "failed": formatting.number(failed)}
        text = _("Mails waiting: ${waiting}, failed so far: ${failed}", mapping=names)
        more = formatting.Link(_("See them in the report"), self.url_of("click2sell-report"))
        return Line(_("Mail"), text, bool(failed), more if self.may_view else None)

    def _hooks(self) -> Iterator[Line]:
        for state in outgoing.states(self.context):
            yield Line(state.name, state.text, state.fails, state.more(self))

    def _providers(self) -> Iterator[Line]:
        heard = {one.name: one for one in overview.providers(self.context, self.now)}
        for provider in registry.to_set_up():
            one = heard.pop(provider.name, None)
            if one is None:
                yield Line(provider.title, _("No notification yet."), warning=True)
            else:
                yield self._heard(one)
        yield from map(self._heard, heard.values())

    def _heard(self, provider: overview.Provider) -> Line:
        ago = duration(self.now - provider.last)
        title = registry.title(provider.name)
        names = {"ago": formatting.translated(ago)}
        if provider.silent and not provider.heard_again:
            text = _(
                "Last notification ${ago} ago, which is unusually long. Check at the provider "
                "whether notifications are delivered.",
                mapping=names,
            )
            return Line(title, text, warning=True)
        return Line(title, _("Last notification ${ago} ago.", mapping=names))

    # Thirty days in figures

    @cached_property
    def money(self) -> daily.Breakdown:
        """The money of the last days."""
        return overview.money(self.context, THIRTY_DAYS, self.now)

    @property
    def figures(self) -> formatting.Facts:
        """Money and members, and the changes of the last days."""
        totals = overview.totals(overview.rows(self.context, THIRTY_DAYS, self.now))
        money = [
            (formatting.amount(str(total.sales), currency), total.refunds, currency)
            for currency, total in sorted(self.money.currencies.items())
        ]
        refunds = [(str(-back), currency) for _in, back, currency in money if back]
        return formatting.facts(
            (_("Money in"), [paid for paid, _back, _currency in money] or ["0"]),
            (_("Money back"), [formatting.amount(*refund) for refund in refunds] or ["0"]),
            (_("New buyers"), [formatting.number(totals["new_buyers"])]),
            (_("Renewals"), [formatting.number(totals["renewals"])]),
            (_("Access ended"), [formatting.number(totals["lapses"])]),
            (
                _("Members with access now"),
                [formatting.number(overview.members_with_access(self.context))],
            ),
        )

    # Other pages

    @property
    def others(self) -> list[formatting.Link]:
        """The pages that are needed now and then."""
        view, operate, configure = privilege.VIEW, privilege.OPERATE, privilege.CONFIGURE
        own = [page for provider in registry.enabled() for page in provider.pages]
        return [
            formatting.Link(title, self.url_of(page))
            for page, title, permission in (
                *((page.path, page.title, view) for page in own),
                ("click2sell-accounting", _("Payments and refunds of a month"), view),
                ("click2sell-members", _("Members as a file"), view),
                ("click2sell-notifications", _("Notifications as a file"), view),
                ("click2sell-hooks", _("Outgoing hooks to other systems"), configure),
                ("click2sell-privacy", _("Privacy: what is stored about a person"), view),
                ("click2sell-import", _("Import members"), operate),
                ("click2sell-reconcile", _("Reconcile all members"), operate),
            )
            if self.may(permission)
        ]


def _why(entry: ledger.Entry) -> str:
    """The reason for which an entry needs somebody, and when the site tries again by itself."""
    reason = reasons.text(entry["reason"], entry["subject"])
    if not reason and entry["outcome"] == Outcome.FAILED:
        reason = _("It could not be processed.")
    return " ".join(map(formatting.translated, filter(None, (reason, later(entry)))))
