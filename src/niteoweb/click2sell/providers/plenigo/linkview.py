"""``@@plenigo-link``: a member proves to be a customer whom plenigo knows already."""

from niteoweb.click2sell import _
from niteoweb.click2sell.providers.plenigo import checkout
from niteoweb.click2sell.providers.plenigo import proof
from niteoweb.click2sell.providers.plenigo.memberview import MemberView
from plone.protect.authenticator import check
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile


class LinkView(MemberView):
    """Mails a link to the member's address by a POST; with its key a POST ties the customer."""

    template = ViewPageTemplateFile("templates/link.pt")
    title = _("Connect your account at plenigo")
    name = proof.PAGE
    passed_on = ("key",)
    step = "ask"
    key = ""

    def _answer(self) -> str:
        checkout.ready(writes=False)
        self.key = self.text("key")
        if self.request.method == "POST":
            check(self.request)
            if self.key:
                proof.use(self.user_id, self.key)
                self.step = "connected"
            else:
                proof.ask(self.user_id)
                self.step = "sent"
        elif self.key:
            if not proof.is_good(self.user_id, self.key):
                raise proof.NoLink
            self.step = "connect"
        return self.template()
