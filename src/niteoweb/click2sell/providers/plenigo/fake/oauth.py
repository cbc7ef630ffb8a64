"""The login by OAuth2 of the API before the present one, at a plenigo that is not real."""

from collections.abc import Mapping
from niteoweb.click2sell.providers.plenigo.fake.api import Action
from niteoweb.click2sell.providers.plenigo.fake.selfservice import FakeSelfService
from niteoweb.click2sell.testing import Clock
from niteoweb.click2sell.testing import Request
from niteoweb.click2sell.testing import Response
from typing import Any
from urllib.parse import parse_qsl


#: The first part of the paths of that API.
OLD = "v2"


class FakeOAuth(FakeSelfService):
    """The part of plenigo that exchanges an access code for a token, and that for a profile.

    :ivar company_id: of the site that may exchange codes.
    :ivar client_secret: the site proves itself by it.
    :ivar codes: those that can be exchanged, each with the customer and the page it was for.
    :ivar profile: fields of each profile that are other ones than the customer's.
    """

    beside = {"/api/v2": OLD}

    def __init__(self, token: str, clock: Clock | None = None) -> None:
        super().__init__(token, clock)
        self.company_id, self.client_secret = "COMP", "the secret of a company"
        self.codes: dict[str, tuple[str, str]] = {}
        self.profile: dict[str, Any] = {}
        self._access_tokens: dict[str, str] = {}
        self._given = 0

    @property
    def actions(self) -> Mapping[tuple[str, ...], Action]:
        """An access code is exchanged once; a token tells whose it is."""
        return {
            **super().actions,
            ("POST", OLD, "oauth2", "verify"): self._exchanged,
            ("GET", OLD, "user", "profile"): self._profile,
        }

    def answer(self, request: Request) -> Response:
        """The answer; the API before asks for no token of the present one."""
        if request.path[0] != OLD or self.emergency:
            return super().answer(request)
        return self._acted(request) or _error(404, "not_found")

    def authorize(self, customer_id: str, redirect_uri: str = "") -> str:
        """A customer logs in there, and lets the company see the profile.

        :param redirect_uri: the page that is told the access code.
        :returns: the access code.
        """
        self._given += 1
        code = f"code-{self._given}"
        self.codes[code] = (customer_id, redirect_uri)
        return code

    def _sent(self, request: Request) -> dict[str, Any]:
        if request.path[0] != OLD:
            return super()._sent(request)
        return dict(parse_qsl(request.body.decode("ascii")))

    def _exchanged(self, value: dict[str, str]) -> Response:
        if value.get("grant_type") != "authorization_code":
            return _error(400, "unsupported_grant_type")
        client = (value.get("client_id"), value.get("client_secret"))
        if client != (self.company_id, self.client_secret):
            return _error(401, "invalid_client")
        customer_id, redirect_uri = self.codes.pop(value.get("code", ""), ("", ""))
        if not customer_id or redirect_uri != value.get("redirect_uri", ""):
            return _error(400, "invalid_grant")
        token = f"access-token-{self._given}-of-{customer_id}"
        self._access_tokens[token] = customer_id
        return Response(
            200,
            {
                "access_token": token,
                "token_type": "bearer",
                "expires_in": 3600,
                "refresh_token": f"refresh-{token}",
            },
        )

    def _profile(self, value: dict[str, str]) -> Response:
        customer_id = self._access_tokens.get(value.get("token", ""))
        if customer_id is None:
            return _error(403, "invalid_token")
        email = self.customers[customer_id].get("email")
        return Response(200, {"userId": customer_id, "email": email, **self.profile})


def _error(status: int, error: str) -> Response:
    return Response(status, {"error": error, "error_description": f"That is {error}."})
