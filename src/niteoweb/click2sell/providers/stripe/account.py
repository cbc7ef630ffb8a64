"""An account at Stripe, through Stripe's API.

Each question names the version of the API whose fields are read here.
"""

from collections.abc import Iterator
from niteoweb.click2sell.provider import JsonApi
from niteoweb.click2sell.provider import JsonBody
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import Unreachable
from typing import Any


#: The version whose fields are read: the first with the period on a subscription's items.
VERSION = "2025-03-31.basil"
#: Objects in a page, at most.
PAGE = 100

WRONG_MODE = "livemode"


class Account:
    """An account at Stripe, through the API.

    :param settings: with ``api_url``, ``api_token`` and ``test_mode``.
    :raises Refused: the address may not be asked.
    """

    def __init__(self, settings: Any) -> None:
        token = settings.api_token or ""
        headers = {"Authorization": f"Bearer {token}", "Stripe-Version": VERSION}
        self._api = JsonApi(settings.api_url or "", headers)
        self._test_mode = bool(settings.test_mode)

    def get(self, *path: str, **parameters: Any) -> JsonBody:
        """An object.

        :raises Refused: it is one of a test, and the settings say live, or the other way round.
        """
        return self._of_mode(self._api.get(*path, **parameters))

    def pages(self, *path: str, **parameters: Any) -> Iterator[JsonBody]:
        """The objects of a list, page by page.

        :raises Unreachable: its pages do not end.
        """
        seen: set[str] = set()
        while True:
            page = self._api.get(*path, **parameters, limit=str(PAGE))
            found = page.parts("data")
            yield from map(self._of_mode, found)
            if not found or not page.boolean("has_more"):
                return
            last = found[-1].required("id")
            if last in seen:
                raise Unreachable("pages without end")
            seen.add(last)
            parameters["starting_after"] = last

    def first(self, *path: str, **parameters: Any) -> JsonBody:
        """The first object of a list, an empty one when there is none."""
        found = self._api.get(*path, **parameters, limit="1").parts("data")
        return self._of_mode(found[0]) if found else JsonBody({})

    def open_portal(self, customer_id: str, back: str) -> str:
        """The address of a new session of the Customer Portal.

        :param back: where the portal leads to.
        """
        asked = {"customer": customer_id, "return_url": back}
        session = self._api.post(asked, "billing_portal", "sessions", form=True)
        return self._of_mode(session).text("url", 2000)

    def _of_mode(self, found: JsonBody) -> JsonBody:
        live = found.boolean("livemode")
        if live is not None and live == self._test_mode:
            raise Refused(WRONG_MODE)
        return found
