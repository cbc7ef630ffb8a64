"""Logging in with plenigo, as a service of plone.restapi: ``POST /@plenigo-session``."""

from niteoweb.click2sell.providers.plenigo import limits
from niteoweb.click2sell.providers.plenigo import login
from niteoweb.click2sell.providers.plenigo import sdk
from niteoweb.click2sell.providers.plenigo import shop
from niteoweb.click2sell.providers.plenigo.checkoutservice import SellingService
from niteoweb.click2sell.settings import networks
from typing import Any
from zExceptions import BadRequest
from zExceptions import NotFound


class SessionPost(SellingService):
    """Answers a POST: a token of plone.restapi for the member whom plenigo proves.

    Nothing is kept in the browser: a page of another site cannot log anybody in by it.
    """

    for_members = False
    largest = shop.LONGEST_SESSION + 1024

    def act(self) -> Any:
        """Log in.

        :raises NotFound: nobody logs in with plenigo here.
        """
        if self.params or not login.is_on(self.stored):
            raise NotFound
        kinds = dict.fromkeys(("transferToken", "customerSession", "accessCode"), str)
        options = self.options(**kinds, redirectUri=str)
        redirect_uri = self._redirect_uri(options)
        if len(options) != 1:
            raise BadRequest(f"One of {', '.join(kinds)} is needed.")
        if "accessCode" in options and not login.takes_codes(self.stored):
            raise NotFound
        try:
            limits.LOGINS.count(networks.caller(self.request.environ))
            if "accessCode" in options:
                user_id = login.exchange(options["accessCode"], redirect_uri)
            else:
                token = options.get("transferToken", "")
                user_id, *_rest = login.prove(token, options.get("customerSession", ""))
        except login.NotProved:
            return self.problem(401, "NotProved", "No member is logged in by this.")
        web_token = login.web_token(user_id)
        if not web_token:
            return self.problem(501, "NotPossible", "This site has no tokens.")
        return {"token": web_token}

    def _redirect_uri(self, options: dict[str, Any]) -> str:
        """The page that was told an access code, taken out of the options; "" for none."""
        given = options.pop("redirectUri", "") if "accessCode" in options else ""
        if given and sdk.own_address(given) != given:
            raise BadRequest('"redirectUri" must be an address of this site.')
        return given
