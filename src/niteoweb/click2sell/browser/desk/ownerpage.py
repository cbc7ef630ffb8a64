"""The base of the pages of Site Setup."""

from collections.abc import Sequence
from functools import cached_property
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.browser.desk.tabs import Tabbed
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.browser.words import headings
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.entitlement import ABOUT_ACCOUNT
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.owner import candidates
from niteoweb.click2sell.storage import log_failure
from niteoweb.click2sell.storage import transactions
from plone import api
from plone.batching import Batch
from plone.protect.authenticator import check
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from urllib.parse import urlencode
from zExceptions import NotFound
from zExceptions import Unauthorized
from ZODB.POSException import ConflictError
from zope.i18nmessageid import Message
from zope.interface import implementer
from zope.publisher.interfaces import IPublishTraverse


BUSY = _("Another process is changing the same data. Try again in a moment.")
#: Stands for a buyer on the pages of those who may operate, but not view purchases.
SOMEBODY = _("a member")

CHANGED = _("Something has happened since. Nothing was changed; look again.")

#: Reasons of payments that belong to no account yet.
WAITS_FOR_ACCOUNT = ABOUT_ACCOUNT | {Reason.PRIVILEGED_ACCOUNT}


def ask_to_try_later(request: Any) -> None:
    """Answer 503: another process is at the same data, or the database cannot be written."""
    request.response.setStatus(503, lock=True)
    request.response.setHeader("Retry-After", str(transactions.RETRY_AFTER))


class OwnerPage(Tabbed):
    """A page for people who administer the site.

    :cvar page: its name, without ``@@``.
    :cvar title: the heading.
    :cvar lead: the purpose of the page, below the heading.
    :cvar copy_warning: the limits of the page on a copy of the site.
    :ivar back: the link to the page above.
    """

    page = ""
    template: ViewPageTemplateFile
    title: Message | str = ""
    lead: Message | str = ""
    copy_warning: Message | str = ""
    back: formatting.Link | None = None

    def __call__(self) -> Any:
        try:
            address = self.post() if self.request.method == "POST" else ""
        except transactions.Busy:
            self.say(BUSY, "warning")
            ask_to_try_later(self.request)
            address = ""
        if address:
            self.request.response.redirect(address)
            return ""
        return self.show()

    def show(self) -> str:
        """The page, after the form was handled."""
        return self.template()

    def post(self) -> str:
        """Handle the form; start with :meth:`check_post`.

        :returns: the address to go on at, "" to show the page.
        :raises niteoweb.click2sell.storage.transactions.Busy: the page says to try again.
        """
        return ""

    @property
    def to_settings(self) -> formatting.Link:
        """The link that leads back from a page below the settings."""
        return formatting.Link(_("Back to the settings"), self.url_of("click2sell-settings"))

    @cached_property
    def url(self) -> str:
        """Address of the page."""
        return self.url_of(self.page)

    def url_of(self, page: str, **query: str) -> str:
        """Address of a page of the site, with a query."""
        url = f"{self.context.absolute_url()}/@@{page}"
        return f"{url}?{urlencode(query)}" if query else url

    def account(self, buyer: buyers.Buyer | None) -> formatting.Link:
        """The account of a buyer, with a link to Plone's page of it for those who may see that.

        :param buyer: None for a notification that names none.
        """
        user_id = buyer["user_id"] if buyer is not None else ""
        if not user_id:
            waiting = self._waiting_account(buyer) if buyer is not None else None
            if waiting is not None:
                return formatting.Link(waiting)
            texts = [_("no account")]
            if buyer is not None and buyer["deleted_at"]:
                time = formatting.moment(buyer["deleted_at"]).text
                texts.append(_("(deleted on ${time})", mapping={"time": time}))
            return formatting.Link(" ".join(map(formatting.translated, texts)))
        if not accounts.exists(user_id):
            gone = formatting.translated(_("(does not exist any more)"))
            return formatting.Link(f"{user_id} {gone}")
        may_see = self.may(privilege.MANAGE_MEMBERS)
        url = self.url_of("user-information", userid=user_id) if may_see else ""
        return formatting.Link(user_id, url)

    def _waiting_account(self, buyer: buyers.Buyer) -> Message | None:
        """The accounts that could be the buyer's, while a payment waits for one of them."""
        possible = {
            one.user_id: one.barred
            for entry in buyers.entries(self.context, buyer)
            if entry["outcome"] == Outcome.ATTENTION and entry["reason"] in WAITS_FOR_ACCOUNT
            for one in candidates.of(self.context, entry)
        }
        free = [user_id for user_id, barred in possible.items() if not barred]
        names = {"accounts": ", ".join(free or possible)}
        if free:
            return _("not certain yet; possibly ${accounts}", mapping=names)
        if possible:
            return _("not connected: ${accounts} can administer the site", mapping=names)
        return None

    def text(self, name: str) -> str:
        """The value of a field of the form, "" when there is none."""
        value = self.request.form.get(name)
        return value.strip() if isinstance(value, str) else ""

    def say(self, message: Message, kind: str = "info") -> None:
        """Show a message at the top of the page."""
        api.portal.show_message(message, self.request, kind)

    def fail(self, what: str, error: Exception, message: Message) -> None:
        """Log an unexpected error and show a message; a conflict is left to the caller.

        :param what: for the log.
        :param message: with the name of the error as ``${error}``.
        """
        if isinstance(error, (ConflictError, transactions.Busy)):
            raise error
        log_failure(what, error)
        self.say(Message(message, mapping={"error": type(error).__name__}), "error")

    def check_post(self) -> None:
        """Refuse a POST that no page of this site has sent, or without the permission.

        Call it first: plone.protect's automatic check sees only uncommitted changes, and our
        commits are made before it.
        """
        check(self.request)
        if not self.may_operate:
            raise Unauthorized(privilege.OPERATE)

    @property
    def by(self) -> str:
        """User id of the owner."""
        return api.user.get_current().getId() or ""

    @property
    def is_copy(self) -> bool:
        """Whether this is a copy of the site, where mails wait."""
        return plone_site.is_copy()

    @property
    def timezone(self) -> str:
        """The zone of the times on the page."""
        return str(plone_site.timezone())

    @property
    def nothing_yet(self) -> bool:
        """Whether no notification ever arrived."""
        return not ledger.count(self.context)


class EntryPage(OwnerPage):
    """A page about one entry of the ledger."""

    tab = "click2sell-notifications"

    def __init__(self, context: Any, request: Any, list_url: str, key: str) -> None:
        super().__init__(context, request)
        self.list_url = list_url
        self.key = key
        self.url = self.entry_url = f"{list_url}/{key}"
        self.back = formatting.Link(_("All notifications"), list_url)

    def __call__(self) -> Any:
        if self.entry is None:
            raise NotFound(self.key)
        return super().__call__()

    @property
    def title(self) -> str:
        """The notification in a few words."""
        return headings.title(self.entry)

    @cached_property
    def entry(self) -> ledger.Entry | None:
        """The entry, None when there is none."""
        return ledger.get(self.context, self.key)

    @cached_property
    def line(self) -> formatting.EntryLine:
        """The entry in words."""
        return formatting.entry_line(self.context, self.list_url, self.entry)


@implementer(IPublishTraverse)
class ListPage(OwnerPage):
    """A list that comes in pages; the rest of the path leads to a page of one of its lines.

    :cvar size: lines on a page.
    :cvar kept: parameters that the addresses of the other pages keep.
    :ivar total: number of all lines.
    :ivar capped: there are more lines than were counted.
    :ivar batch: the links to the other pages.
    :ivar names: the rest of the path.
    """

    size = 50
    kept: Sequence[str] = ()
    total = 0
    capped = False
    rows: Sequence[Any] = ()
    batch: Batch | None = None

    def __init__(self, context: Any, request: Any) -> None:
        super().__init__(context, request)
        self.names: list[str] = []

    def publishTraverse(self, request: Any, name: str) -> "ListPage":
        """Take a part of the path."""
        self.names.append(name)
        return self

    def turn_to_page(self, listed: Any) -> int:
        """Turn to the page that was asked for; behind the last page there is none.

        :param listed: the list, with ``total`` and ``capped``.
        :returns: the number of lines before the page.
        """
        try:
            wanted = int(self.request.form.get("b_start", 0))
        except (TypeError, ValueError):
            wanted = 0
        self.total, self.capped = listed.total, listed.capped
        start = min(max(wanted, 0), max(self.total - 1, 0)) // self.size * self.size
        # The batch only counts; it never asks for a line.
        self.batch = Batch(range(self.total), self.size, start, pagerange=5)
        return start

    @property
    def number(self) -> str:
        """The number of lines, for people."""
        return formatting.number(self.total)
