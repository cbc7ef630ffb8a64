"""Readers who log in at a plenigo that is not real, and come to a site from there."""

from collections.abc import Mapping
from niteoweb.click2sell.providers.plenigo.fake.api import Action
from niteoweb.click2sell.providers.plenigo.fake.api import shown
from niteoweb.click2sell.providers.plenigo.fake.selfservice import FakeSelfService
from niteoweb.click2sell.testing import Clock
from niteoweb.click2sell.testing import Response
from typing import Any


class FakeLogin(FakeSelfService):
    """The part of plenigo that is an id system.

    :ivar other_customer: whose data it shows, for a session of anybody; "" for the right ones.
    """

    def __init__(self, token: str, clock: Clock | None = None) -> None:
        super().__init__(token, clock)
        self.other_customer = ""

    @property
    def actions(self) -> Mapping[tuple[str, ...], Action]:
        """A session tells whose it is."""
        data = {("GET", "sessions", "customerData"): self._customer_data}
        return {**super().actions, **data}

    def log_in(self, customer_id: str) -> str:
        """A customer logs in there.

        :returns: the session.
        """
        return self._begun(customer_id).value["customerSession"]

    def hand_over(self, session: str) -> str:
        """The customer goes to a site.

        :returns: the transfer token that is in the address.
        """
        return self._transferred({"customerSession": session}).value["transferToken"]

    def _customer_data(self, value: dict[str, Any]) -> Response:
        session = self.sessions.get(value.get("sessionToken"))
        if session is None:
            return self.error(401, 99010)
        return Response(200, shown(self.customers[self.other_customer or session[1]]))
