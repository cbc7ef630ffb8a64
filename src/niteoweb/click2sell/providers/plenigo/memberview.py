"""The pages on which members buy, and look after their purchases at plenigo."""

from niteoweb.click2sell.browser import ITitled
from niteoweb.click2sell.member import visitor
from niteoweb.click2sell.providers.plenigo import checkout
from niteoweb.click2sell.providers.plenigo import limits
from niteoweb.click2sell.providers.plenigo import login
from niteoweb.click2sell.providers.plenigo import problems
from niteoweb.click2sell.providers.plenigo import sdk
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from urllib.parse import urlencode
from zExceptions import NotFound
from zope.interface import implementer
from zope.publisher.interfaces import IPublishTraverse


LONGEST = 2000


@implementer(ITitled)
class PlenigoView(BrowserView):
    """A page that is not there while plenigo is switched off; it says what went wrong.

    :cvar name: of the page.
    :cvar referrer: tells other sites the address of the page, or not.
    :cvar scripts: plenigo's script, with those of this site before and after it.
    :cvar script: that after it.
    """

    template: ViewPageTemplateFile
    scripts = ViewPageTemplateFile("templates/scripts.pt")
    name: str
    script = ""
    referrer = "strict-origin-when-cross-origin"
    problem: problems.Problem | None = None

    def __call__(self) -> str:
        response = self.request.response
        response.setHeader("Referrer-Policy", self.referrer)
        try:
            self.stored = checkout.settings()
        except checkout.NotSold:
            raise NotFound from None
        try:
            return self._show()
        except problems.ERRORS as error:
            self.problem = problems.of(error)
            response.setStatus(self.problem.status, lock=True)
            if self.problem.retry_after:
                response.setHeader("Retry-After", str(self.problem.retry_after))
            return self.template()

    def _show(self) -> str:
        """The page."""
        raise NotImplementedError

    def text(self, name: str, longest: int = LONGEST) -> str:
        """A parameter, "" for none that is a text of so many characters at most."""
        value = self.request.form.get(name, "")
        return value.strip() if isinstance(value, str) and len(value) <= longest else ""

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"{self.context.absolute_url()}/{self.name}"

    @property
    def sdk(self) -> dict[str, str]:
        """plenigo's script and its settings."""
        return sdk.described(self.stored)

    @property
    def sso(self) -> str | None:
        """Tells plenigo's script that plenigo is where readers log in, None where it is not."""
        return "true" if login.is_on_page(self.stored) else None

    @property
    def files_url(self) -> str:
        """The address of the scripts of this site."""
        return f"{self.context.absolute_url()}/++plone++niteoweb.click2sell.plenigo"


@implementer(IPublishTraverse)
class MemberView(PlenigoView):
    """A page for members who are logged in.

    :cvar passed_on: parameters that a login does not lose.
    :cvar steps: parts of the path that may follow the name.
    """

    passed_on: tuple[str, ...] = ()
    steps = 0

    def __init__(self, context: Any, request: Any) -> None:
        super().__init__(context, request)
        self.path: list[str] = []

    def publishTraverse(self, request: Any, name: str) -> "MemberView":
        """A step of the address below the page."""
        if len(self.path) == self.steps:
            raise NotFound
        self.path.append(name)
        return self

    def _show(self) -> str:
        self.user_id = visitor.member_id(self.context)
        if not self.user_id:
            return self._login()
        limits.MEMBER.count(self.user_id)
        return self._answer()

    def _answer(self) -> str:
        """The page, for the member who is logged in."""
        raise NotImplementedError

    def _login(self) -> str:
        """Send a visitor to the login form, which leads back here; plenigo hears nothing."""
        parameters = {name: value for name in self.passed_on if (value := self.text(name))}
        address = "/".join([self.url, *self.path])
        back = f"{address}?{urlencode(parameters)}" if parameters else address
        page = "@@plenigo-login" if login.is_on(self.stored) else "login"
        url = f"{self.context.absolute_url()}/{page}?{urlencode({'came_from': back})}"
        return self.request.response.redirect(url)
