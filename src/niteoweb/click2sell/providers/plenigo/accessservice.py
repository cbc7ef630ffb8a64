"""``GET [content]/@plenigo-access``: whether the caller may read, watch or open something.

It is for players and apps that hold the address of a film back themselves, and for pages that
plenigo's script runs in: with the session of a customer in a header no login here is needed.
"""

from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.paywall import behavior
from niteoweb.click2sell.paywall import Decision
from niteoweb.click2sell.paywall import decision
from niteoweb.click2sell.paywall import gate
from niteoweb.click2sell.paywall import teaser
from niteoweb.click2sell.providers.plenigo import accessrights
from niteoweb.click2sell.providers.plenigo import checkout
from niteoweb.click2sell.providers.plenigo import limits
from niteoweb.click2sell.providers.plenigo import offers
from niteoweb.click2sell.providers.plenigo import paywall
from niteoweb.click2sell.providers.plenigo.checkoutservice import SellingService
from plone.base.interfaces import IPloneSiteRoot
from typing import Any
from zExceptions import BadRequest
from zExceptions import NotFound
from zExceptions import Unauthorized


#: Characters of a session.
LONGEST = 10_000


class AccessGet(gate.FreeService, SellingService):
    """Tells about the caller alone."""

    for_members = False

    def act(self) -> dict[str, Any]:
        """The decision, and the offers where it is no.

        :raises NotFound: there is no such address.
        :raises Unauthorized: nobody is logged in, and no session of a customer came along.
        :raises BadRequest: the rights cannot be read, or none are named.
        """
        if self.params:
            raise NotFound
        session = self.request.getHeader("X-Plenigo-Customer-Session", "")
        if not session and not self.user_id:
            raise Unauthorized("Log in, or send the session of a customer.")
        found = self._decide(session)
        is_site = IPloneSiteRoot.providedBy(self.context)
        offered = not (found.granted or is_site)
        return {
            "@id": f"{self.context.absolute_url()}/@plenigo-access",
            "access": found.granted,
            "certain": found.certain,
            "source": found.source,
            "until": timestamps.iso(found.until) if found.until else None,
            "checked_at": timestamps.iso(found.checked_at) if found.checked_at else None,
            "offers": teaser.told(self.context, self.request, found) if offered else [],
        }

    def _decide(self, session: str) -> Decision:
        rights = self._rights()
        if not session and not rights:
            return decision.decide(self.context)
        if not session:
            limits.ACCESS_BY_RIGHTS.count(self.user_id)
            return accessrights.of_member(plone_site.get(), self.user_id, rights)
        limits.ACCESS_BY_SESSION.count(checkout.address(self.request.environ))
        page = behavior.guarded(self.context)
        rights = rights or (paywall.rights(page) if page is not None else ())
        if len(session) > LONGEST or not rights:
            raise BadRequest("A session is too long, or nothing asks for a right.")
        return accessrights.of_session(session, rights)

    def _rights(self) -> frozenset[str]:
        named = self.request.form.get("rights", "")
        names = frozenset(named.split(",")) if isinstance(named, str) and named else frozenset()
        is_site = IPloneSiteRoot.providedBy(self.context)
        if bool(names) != is_site or len(names) > paywall.MOST:
            raise BadRequest('"rights" is needed at the site, and at no page.')
        if not all(map(offers.RIGHT.fullmatch, names)):
            raise BadRequest('"rights" must be rights of plenigo with commas between them.')
        return names
