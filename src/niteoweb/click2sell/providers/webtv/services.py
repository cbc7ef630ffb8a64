"""Services of plone.restapi for the store: its users."""

from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.webtv import client
from niteoweb.click2sell.providers.webtv import protocol
from niteoweb.click2sell.providers.webtv import sync
from niteoweb.click2sell.providers.webtv import users
from niteoweb.click2sell.restapi import Operation
from niteoweb.click2sell.restapi import PathParameters
from plone import api
from typing import Any
from zExceptions import NotFound
from zExceptions import Unauthorized


#: Seconds before the store is asked about one user again.
AGAIN = 60

SELL = "Click2Sell: Sell in the store"
OPERATE = "Click2Sell: Operate purchases"


class StoreOperation(PathParameters, Operation):
    """A service that may ask the store; its errors become answers."""

    def settings(self) -> Any:
        """The settings of the store.

        :raises NotSetUp: it is switched off, or cannot be asked.
        """
        provider = registry.get(protocol.NAME)
        stored = registry.settings(provider)
        if not registry.is_enabled(provider) or not stored.api_token:
            raise NotSetUp
        return stored

    def operate(self) -> Any:
        """Do it, and answer errors of the store; see :meth:`work`."""
        try:
            if plone_site.is_copy():
                return self.problem(409, "Copy", "This is a copy of the site.")
            with jsonapi.within(jsonapi.SALE):
                return self.work()
        except NotSetUp:
            return self.problem(503, "NotSetUp", "WS.WebTV is switched off or not set up.")
        except client.NotAccepted:
            return self.problem(503, "NotAccepted", "The store accepts no question of ours.")
        except Unreachable:
            return self.later("Unreachable", "The store cannot be reached.", seconds=AGAIN)
        except client.UserNotFound:
            return self.problem(404, "UserNotFound", "The store does not know the user.")
        except client.StoreError as error:
            answer = self.problem(422, "Refused", "The store refuses it.")
            return {**answer, "store": error.text}

    def work(self) -> Any:
        """Do it."""
        raise NotImplementedError

    def need(self, permission: str) -> None:
        """Refuse a caller who lacks a permission.

        :raises Unauthorized: the caller lacks it.
        """
        if not api.user.has_permission(permission, obj=self.context):
            raise Unauthorized


class NotSetUp(Exception):
    """An owner has to see to the settings first."""


class UsersPost(StoreOperation):
    """Answers a POST to ``@webtv-users/{id}/refresh``: the store is asked about a user now.

    ``me`` instead of an id is the member who calls; others need to operate purchases.
    """

    def operate(self) -> Any:
        """Check who may, before anything else."""
        if api.user.is_anonymous():
            raise Unauthorized
        if self.params[:1] != ["me"]:
            self.need(OPERATE)
        if len(self.params) != 2 or self.params[1] != "refresh":
            raise NotFound
        self.options()
        return super().operate()

    def work(self) -> dict[str, Any]:
        """Ask about the user, once a minute."""
        settings = self.settings()
        id_ = self.params[0]
        if id_ == "me":
            id_ = own_id(settings)
        if not id_.isdigit():
            raise client.UserNotFound("USER_NOT_FOUND", "")
        record = users.get(plone_site.get(), id_)
        asked = record["asked_at"] if record else ""
        if asked and (timestamps.now() - timestamps.from_iso(asked)).total_seconds() < AGAIN:
            return self.later("TooMany", "Asked within a minute.", 429, AGAIN)
        return {"refreshed": sync.refresh(id_)}


def own_id(settings: Any) -> str:
    """The id of the store's user who is the current member, "" for none.

    The tie of the purchases decides; without one the member's address leads to a user, whose
    purchases are the member's only where the rules of this add-on say so.
    """
    site, member = plone_site.get(), api.user.get_current().getId()
    record = buyers.of_user(site, member)
    for provider, id_ in record["customer_ids"] if record else ():
        if provider == protocol.NAME:
            return id_
    address = accounts.text(member, "email")
    return client.user_id(settings, address) if address else ""
