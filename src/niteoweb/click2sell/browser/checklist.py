"""Site Setup: what has to be set up, and whether it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timezone
from niteoweb.click2sell import _
from niteoweb.click2sell import checklist
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.browser import shown
from niteoweb.click2sell.checklist import State
from niteoweb.click2sell.providers import CLICK2SELL
from plone.protect.authenticator import check
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from zope.i18nmessageid import Message


@dataclass(frozen=True)
class Look:
    """How a state looks: a word for it, an icon of the registry, Bootstrap's class for both."""

    text: Message
    icon: str
    css: str


LOOKS = {
    State.OK: Look(_("done"), "check-circle", "text-success"),
    State.WARNING: Look(_("warning"), "exclamation-triangle", "text-warning-emphasis"),
    State.TODO: Look(_("to do"), "circle", "text-danger"),
    State.UNTRIED: Look(_("not tried"), "question-circle", "text-secondary"),
}


@dataclass(frozen=True)
class Row:
    """An item of the checklist as the page shows it.

    :ivar icon: markup; the word in `look` says the same.
    """

    name: str
    look: Look
    icon: str
    title: Message
    text: Message
    details: tuple[Message | str, ...]
    moment: shown.Moment | None


class Checklist(BrowserView):
    """``@@click2sell-checklist``: the list, for the settings page and as a page of its own.

    POST also asks the mail server.
    """

    index = ViewPageTemplateFile("templates/checklist.pt")
    part = ViewPageTemplateFile("templates/checklistpart.pt")
    rows: Sequence[Row] = ()
    callback_address = ""

    def __call__(self) -> str:
        asked = self.request.method == "POST"
        if asked:
            check(self.request)
        self.request.response.setHeader("Cache-Control", "no-store")
        self.prepare(asked)
        return self.index()

    def prepare(self, ask_mail_server: bool = False) -> None:
        """Look at everything."""
        now = datetime.now(timezone.utc)
        icons = self.context.restrictedTraverse("@@iconresolver")
        self.callback_address = plone_site.callback_address(CLICK2SELL)
        self.rows = [
            _row(item, icons) for item in checklist.items(self.context, now, ask_mail_server)
        ]

    @property
    def done(self) -> int:
        """How many items are as they should be."""
        return sum(row.look is LOOKS[State.OK] for row in self.rows)

    @property
    def complete(self) -> bool:
        """Whether nothing is left to be done; the mail server is asked only on demand."""
        left = {LOOKS[State.WARNING], LOOKS[State.TODO]}
        return not any(row.look in left for row in self.rows)


def _row(item: checklist.Item, icons: Any) -> Row:
    look = LOOKS[item.state]
    return Row(
        item.name,
        look,
        icons.tag(look.icon, tag_class=look.css),
        item.title,
        item.text,
        item.details,
        shown.moment(item.moment) if item.moment else None,
    )
