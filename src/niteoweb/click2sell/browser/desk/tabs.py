"""Site Setup: the tabs that join our pages."""

from dataclasses import dataclass
from functools import cached_property
from html import escape
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk import cures
from niteoweb.click2sell.browser.pagetitle import ITitled
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.browser.words.formatting import Link
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.setup import Check
from niteoweb.click2sell.setup import lastrun
from plone import api
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zope.i18nmessageid import Message
from zope.interface import implementer


OVERVIEW = "click2sell-overview"

#: Pages, their titles, and the permissions of which one is needed.
TABS = (
    (OVERVIEW, _("Overview"), (privilege.VIEW, privilege.CONFIGURE, privilege.OPERATE)),
    ("click2sell-members", _("Members"), (privilege.VIEW,)),
    ("click2sell-notifications", _("Notifications"), (privilege.VIEW,)),
    ("click2sell-report", _("Report"), (privilege.VIEW,)),
    ("click2sell-settings", _("Settings"), (privilege.CONFIGURE,)),
)


@dataclass(frozen=True)
class Counted:
    """The title of a tab, with the number of matters that need the reader."""

    title: Message
    number: int

    def __html__(self) -> str:
        needs = _("Needs you: ${number}", mapping={"number": self.number})
        title, spoken = (escape(formatting.translated(text)) for text in (self.title, needs))
        return (
            f'{title} <span class="badge text-bg-warning">'
            f'<span aria-hidden="true">{self.number}</span>'
            f'<span class="visually-hidden">{spoken}</span></span>'
        )


@implementer(ITitled)
class Tabbed(BrowserView):
    """A page with tabs, of which each reader sees those of the pages that they may use.

    :cvar tab: name of the page whose tab is open.
    :cvar shared: the macros of all pages.
    """

    tab = OVERVIEW
    tabs_label = _("Memberships")
    copy_label, copied_label = _("Copy"), _("Copied")
    shared = ViewPageTemplateFile("../templates/shared.pt")

    @property
    def tab_links(self) -> list[Link]:
        """The links to the tabs."""
        here = self.context.absolute_url()
        return [
            Link(
                self._counted(name, title),
                f"{here}/@@{name}",
                "page" if name == self.tab else None,
            )
            for name, title, permissions in TABS
            if self.may(*permissions)
        ]

    def _counted(self, name: str, title: Message) -> Message | Counted:
        number = self.need_count if name == OVERVIEW else 0
        return Counted(title, number) if number else title

    @property
    def need_count(self) -> int:
        """The number of all that needs the reader: notifications, and the automatic check."""
        waiting = ledger.waiting(self.context) if self.may_view else 0
        return waiting + ((self.may_view or self.may_operate) and self.late_check is not None)

    @cached_property
    def late_check(self) -> Check | None:
        """The automatic check, when it needs somebody."""
        return lastrun.late(self.context, timestamps.now())

    # The way back of a cure

    def way_back(self, buyer_id: str = "") -> str:
        """Address of the page with the button that led here, "" for none.

        :param buyer_id: of the buyer whom the page is about.
        """
        back = cures.came_from(self.request.form)
        return cures.back_url(self.context, back, buyer_id)

    @property
    def token(self) -> str:
        """Hidden inputs of a form: plone.protect's token, and the page to go back to."""
        back = cures.came_from(self.request.form)
        return cures.hidden({cures.BACK: back} if back else {})

    @property
    def may_operate(self) -> bool:
        """Whether the buttons are for this reader."""
        return self.may(privilege.OPERATE)

    @property
    def may_view(self) -> bool:
        """Whether buyers are named to this reader."""
        return self.may(privilege.VIEW)

    @property
    def may_configure(self) -> bool:
        """Whether settings can be changed by this reader."""
        return self.may(privilege.CONFIGURE)

    def may(self, *permissions: str) -> bool:
        """Whether the reader has one of some permissions on the site."""
        return any(api.user.has_permission(one, obj=self.context) for one in permissions)
