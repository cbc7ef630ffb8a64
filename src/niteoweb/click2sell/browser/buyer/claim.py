"""The page of the link in a mail: a buyer confirms the account that a purchase is for."""

from AccessControl import getSecurityManager
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk.ownerpage import ask_to_try_later
from niteoweb.click2sell.browser.pagetitle import ITitled
from niteoweb.click2sell.member import visitor
from niteoweb.click2sell.provisioning import claiming
from niteoweb.click2sell.storage import NotPossible
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from plone.protect.authenticator import check
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from urllib.parse import urlencode
from zope.i18nmessageid import Message
from zope.interface import implementer


#: Characters of a token or an address, at most.
LONGEST = 254


@implementer(ITitled)
class ClaimView(BrowserView):
    """``@@my-purchase-claim``: shows the purchase of a link, and ties it by a POST.

    It needs no permission: the token is the proof of who reads it. Without a token it mails
    another link to an address that is typed in, and never tells whether a purchase waits there.
    """

    template = ViewPageTemplateFile("../templates/claim.pt")
    title = _("Confirm a purchase")
    claim: claiming.Claim | None = None
    message: Message | None = None
    done = False

    def __call__(self) -> str:
        response = self.request.response
        response.setHeader("Referrer-Policy", "no-referrer")
        response.setHeader("X-Robots-Tag", "noindex")
        self.token = self._text("token")
        if plone_site.is_copy() or not trees.exists(self.context):
            self.message = _("This is a copy of the site. Nothing can be confirmed here.")
            return self.template()
        try:
            if self.request.method == "POST":
                # The automatic check sees uncommitted changes only, and the writer commits.
                check(self.request)
                self._act()
            if self.token and not self.done:
                self.claim = claiming.look(self.context, self.token, timestamps.now())
        except NotPossible as problem:
            self.message = problem.message
        except transactions.Busy:
            ask_to_try_later(self.request)
            self.message = _("The site is busy. Try again in a moment.")
        return self.template()

    def _act(self) -> None:
        action = self._text("action")
        if action == "again":
            claiming.hand_over(self._text("address"))
            self.message = _(
                "If a purchase is waiting under this address, we have mailed a new link to it. "
                "You can ask for three a day at most."
            )
            self.done = True
        elif action == "reset":
            claiming.reset(self.token, self._text("account"))
            self.message = _(
                "We have mailed you a link to set a new password. Log in with the new "
                "password, then open the link to this page again."
            )
        elif self.token and action in ("confirm", "own") and (self.user_id or action == "own"):
            applied = claiming.confirm(self.token, self.user_id if action == "confirm" else "")
            self.done = True
            if applied.plan.problem:
                self.message = _(
                    "Confirmed. Your account will be created soon, and we will mail you."
                )
            elif applied.created:
                self.message = _("Your account was created. We have mailed you how to log in.")
            else:
                self.message = _("Confirmed: the purchase was added to your account.")

    def _text(self, name: str) -> str:
        value = self.request.form.get(name, "")
        return value.strip() if isinstance(value, str) and len(value) <= LONGEST else ""

    @property
    def user_id(self) -> str:
        """The member of the site who is logged in, "" for nobody."""
        return visitor.member_id(self.context)

    @property
    def user_name(self) -> str:
        """The login name of the member who is logged in."""
        return getSecurityManager().getUser().getUserName()

    @property
    def login_url(self) -> str:
        """The login form, which comes back here."""
        query = urlencode({"token": self.token})
        return plone_site.login_url(
            f"{self.context.absolute_url()}/@@my-purchase-claim?{query}"
        )

    @property
    def purchases_url(self) -> str:
        """The member's own page."""
        return f"{self.context.absolute_url()}/@@my-purchases" if self.user_id else ""
