"""Site Setup: reconcile all buyers after the mapping was changed."""

from collections.abc import Sequence
from niteoweb.click2sell import _
from niteoweb.click2sell.browser.desk.ownerpage import CHANGED
from niteoweb.click2sell.browser.desk.ownerpage import OwnerPage
from niteoweb.click2sell.browser.desk.ownerpage import SOMEBODY
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.member import group
from niteoweb.click2sell.owner import reconcile
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zope.i18nmessageid import Message

import time


#: Rows of the table; the number of all is told.
SHOWN = 200

#: Seconds that one press of a button works; it goes on with the next.
AT_MOST = 20


class ReconcileView(OwnerPage):
    """``@@click2sell-reconcile``: a preview for all buyers, and the button that applies it.

    GET changes nothing and computes nothing. On a large site a press of a button looks at as
    many buyers as the time allows, and the next goes on after them. Only changes that were
    shown are applied.
    """

    template = ViewPageTemplateFile("../templates/reconcile.pt")
    page, tab = "click2sell-reconcile", "click2sell-settings"
    title = _("Reconcile all members")
    lead = _(
        "After you have changed products or groups: members are added to the groups that their "
        "products give now, and removed from those that their products no longer give."
    )
    copy_warning = _("This is a copy of the site: you can look, but nothing is changed here.")
    #: None before the preview.
    part: reconcile.Part | None = None
    #: The buyer after whom `part` begins.
    after = ""

    def post(self) -> str:
        """Preview the changes for buyers, or apply them."""
        self.check_post()
        if "apply" in self.request.form:
            self.after = self.text("after")
            self._look_again(self.text("until"))
            self._apply()
        else:
            self.after = self.text("until") if "next" in self.request.form else ""
            self.part = reconcile.part(self.context, self.after, seconds=AT_MOST)
        return ""

    @property
    def changes(self) -> Sequence[reconcile.Change]:
        """The changes that reconciling would make."""
        return self.part.changes if self.part else ()

    @property
    def table(self) -> formatting.Table:
        """The first of the changes."""
        return formatting.Table(
            _("What would change"),
            (_("Member"), _("Added to the groups"), _("Removed from the groups")),
            [
                (self._member(change), group.titles(change.given), group.titles(change.taken))
                for change in self.changes[:SHOWN]
            ],
            ("text-break",) * 3,
            "align-middle",
            captioned=False,
            total=len(self.changes),
        )

    @property
    def fingerprint(self) -> str:
        """Stands for the changes that the reader has seen."""
        return reconcile.fingerprint(self.changes)

    def _look_again(self, until: str) -> None:
        """Preview the changes of the part again, without a limit of time."""
        self.part = reconcile.part(self.context, self.after, until)

    def _apply(self) -> None:
        """Apply the changes if they are those that the reader has seen."""
        if self.is_copy:
            self.say(_("This is a copy of the site: nothing was changed."), "error")
            return
        if self.text("fingerprint") != self.fingerprint:
            self.say(CHANGED, "warning")
            return
        enough = time.monotonic() + AT_MOST
        report = reconcile.apply(self.changes, lambda so_far: time.monotonic() > enough)
        self._look_again(self.part.until)
        if report.changed:
            message = _("Members changed: ${number}", mapping={"number": report.changed})
            self.say(message)
        if self.changes:
            message = _(
                "Members left: ${number}. Apply again to go on.",
                mapping={"number": len(self.changes)},
            )
            self.say(message, "warning")

    def _member(self, change: reconcile.Change) -> formatting.Noted | Message | str:
        if not self.may_view:
            return SOMEBODY
        if change.address == change.user_id:
            return change.user_id
        return formatting.Noted(change.user_id or _("New member"), change.address)
