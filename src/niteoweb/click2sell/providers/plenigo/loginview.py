"""``@@plenigo-login``: logging in with plenigo's id system, or with plenigo's own login."""

from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import visitor
from niteoweb.click2sell.providers.plenigo import checkout
from niteoweb.click2sell.providers.plenigo import limits
from niteoweb.click2sell.providers.plenigo import login
from niteoweb.click2sell.providers.plenigo import sdk
from niteoweb.click2sell.providers.plenigo import shop
from niteoweb.click2sell.providers.plenigo.memberview import PlenigoView
from niteoweb.click2sell.restapi import refuse_foreign_pages
from niteoweb.click2sell.settings import networks
from plone.protect.authenticator import check
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from urllib.parse import urlencode
from zExceptions import NotFound


class LoginView(PlenigoView):
    """Sends a visitor to the id system, and logs in who comes back with a proof.

    plenigo's own login stands in the page, whose script posts the session that it is told. The
    page is not there while the setting is off.
    """

    template = ViewPageTemplateFile("templates/login.pt")
    title = _("Log in")
    name = "@@plenigo-login"
    # The address may have a token in it.
    referrer = "no-referrer"
    offer = ""
    state = ""
    script = "login.js"

    def _show(self) -> str:
        if not login.is_on(self.stored):
            raise NotFound
        if visitor.member_id(self.context):
            return self._go_on()
        self.now = timestamps.now()
        if self.request.method == "POST":
            return self._posted()
        if "code" in self.request.form and not login.takes_codes(self.stored):
            raise NotFound
        if {"transferToken", "code"} & self.request.form.keys():
            return self._come_back()
        if login.is_on_page(self.stored):
            return self._login_here()
        state = self._leave_with()
        query = {"state": state, "came_from": self.came_from}
        back = urlencode({name: value for name, value in query.items() if value})
        return self.request.response.redirect(login.leaving(self.stored, f"{self.url}?{back}"))

    def _login_here(self) -> str:
        checkout.ready(writes=False)
        # Without a referrer the browser would not tell the origin of the form.
        self.request.response.setHeader("Referrer-Policy", PlenigoView.referrer)
        self.state = self._leave_with()
        return self.template()

    def _come_back(self) -> str:
        limits.LOGINS.count(networks.caller(self.request.environ))
        if "code" in self.request.form:
            proved = (login.exchange(self.text("code"), self.url),)
        else:
            proved = login.prove(self.text("transferToken"))
        return self._proved(*proved)

    def _posted(self) -> str:
        check(self.request)
        if not (login.is_on_page(self.stored) and "customerSession" in self.request.form):
            return self._accepted()
        refuse_foreign_pages(self.request)
        limits.LOGINS.count(networks.caller(self.request.environ))
        session = self.text("customerSession", shop.LONGEST_SESSION)
        return self._proved(*login.prove("", session))

    def _proved(self, user_id: str, *of_session: str) -> str:
        """Log in; a browser that comes without its state is asked first."""
        if login.is_own(self.text("state"), self._cookie, self.now):
            return self._log_in(user_id, *of_session)
        state = self._leave_with()
        self.offer = login.offered(user_id, state, self.now)
        name, _at, host = accounts.text(user_id, "email").partition("@")
        self.address = f"{name[:1]}…@{host}"
        return self.template()

    def _accepted(self) -> str:
        cookie = self._cookie
        if not login.is_own(cookie, cookie, self.now):
            raise login.NotProved
        return self._log_in(login.accepted(self.text("offer"), cookie, self.now))

    def _log_in(self, user_id: str, *of_session: str) -> str:
        response = self.request.response
        response.expireCookie(login.COOKIE, path="/")
        login.log_in(user_id, response, *of_session)
        return self._go_on()

    def _go_on(self) -> str:
        url = self.came_from or self.context.absolute_url()
        return self.request.response.redirect(url, status=303)

    def _leave_with(self) -> str:
        """A state that this browser keeps and others do not know."""
        state = login.state(self.now)
        self.request.response.setCookie(
            login.COOKIE,
            state,
            path="/",
            max_age=int(login.KEPT.total_seconds()),
            http_only=True,
            same_site="Lax",
            secure=self.url.startswith("https:"),
        )
        return state

    @property
    def _cookie(self) -> str:
        return self.request.cookies.get(login.COOKIE, "")

    @property
    def source(self) -> str:
        """The host of this site, which plenigo notes for customers who register here."""
        return sdk.host()

    @property
    def again_url(self) -> str:
        """The address that begins the login once more, and leads back to the same page."""
        query = urlencode({"came_from": self.came_from})
        return f"{self.url}?{query}" if self.came_from else self.url

    @property
    def form_url(self) -> str:
        """The site's own form, for members whom no purchase has connected yet."""
        return plone_site.login_url(self.came_from or self.context.absolute_url())

    @property
    def came_from(self) -> str:
        """The page of this site that the reader wanted, "" for none."""
        return sdk.own_address(self.text("came_from"))
