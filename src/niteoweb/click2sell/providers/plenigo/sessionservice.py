"""Logging in with plenigo, as a service of plone.restapi: ``POST /@plenigo-session``."""

from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.plenigo import checkout
from niteoweb.click2sell.providers.plenigo import login
from niteoweb.click2sell.providers.plenigo import problems
from niteoweb.click2sell.providers.plenigo import shop
from niteoweb.click2sell.provisioning import rates
from niteoweb.click2sell.restapi import Operation
from niteoweb.click2sell.settings import networks
from typing import Any
from zExceptions import BadRequest
from zExceptions import NotFound


class SessionPost(Operation):
    """Answers a POST: a token of plone.restapi for the member whom a customer's session proves.

    Nothing is kept in the browser: a page of another site cannot log anybody in by it.
    """

    largest = shop.LONGEST_SESSION + 1024

    def operate(self) -> Any:
        """Log in.

        :raises NotFound: nobody logs in with plenigo here.
        """
        try:
            is_on = login.is_on(checkout.settings())
        except checkout.NotSold:
            is_on = False
        if not is_on:
            raise NotFound
        options = self.options(transferToken=str, customerSession=str)
        if len(options) != 1:
            raise BadRequest('One of "transferToken" and "customerSession" is needed.')
        try:
            rates.count(login.FROM_ONE, "login", networks.caller(self.request.environ))
            token = options.get("transferToken", "")
            user_id, *_rest = login.prove(token, options.get("customerSession", ""))
        except login.NotProved:
            return self.problem(401, "NotProved", "No member is logged in by this.")
        except (*problems.ERRORS, Unreachable) as error:
            found = problems.of(error)
            words = self.said(found.text)
            return self.later(found.kind, words, found.status, found.retry_after)
        web_token = login.web_token(user_id)
        if not web_token:
            return self.problem(501, "NotPossible", "This site has no tokens.")
        return {"token": web_token}
