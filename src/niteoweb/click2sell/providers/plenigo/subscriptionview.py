"""``@@plenigo-subscription``: a member's subscriptions, to cancel one or to undo that."""

from datetime import date
from datetime import datetime
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.providers.plenigo import subscriptions
from niteoweb.click2sell.providers.plenigo.memberview import MemberView
from plone.protect.authenticator import check
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile


class SubscriptionView(MemberView):
    """Lists the subscriptions; ``/<id>`` is one, which a POST cancels, or undoes that."""

    template = ViewPageTemplateFile("templates/subscription.pt")
    title = _("Your subscriptions")
    name = "@@plenigo-subscription"
    steps = 1
    step = "list"
    choices = subscriptions.Choices()
    one: subscriptions.Subscription | None = None
    received = ""

    def _answer(self) -> str:
        if not self.path:
            self.listed = subscriptions.of_member(self.user_id)
            return self.template()
        id_, self.step = self.path[0], "one"
        if self.request.method == "POST":
            check(self.request)
            try:
                return self._change(id_)
            except subscriptions.NotOffered:
                self.request.response.setStatus(400, lock=True)
                self.step = "not offered"
        self.one, self.choices = subscriptions.one(self.user_id, id_)
        return self.template()

    def _change(self, id_: str) -> str:
        if self.text("undo"):
            self.one = subscriptions.undo(self.user_id, id_)
            self.step = "undone"
        else:
            chosen = {name: self.text(name) for name in ("date", "reason")}
            self.one = subscriptions.cancel(self.user_id, id_, **chosen)
            self.step = "cancelled"
            self.received = plone_site.shown(timestamps.now())
        return self.template()

    def day(self, at: datetime | str | None) -> str:
        """A day as people read it; that of plenigo's text as plenigo writes it."""
        if isinstance(at, str):
            try:
                return plone_site.shown(date.fromisoformat(at[:10]), long=False)
            except ValueError:
                return at
        return plone_site.shown(at, long=False) if at else ""
