"""Services of plone.restapi for the store: its users, their credit, and its products."""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import timedelta
from decimal import Decimal
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import index
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.provider import is_address
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.webtv import carts
from niteoweb.click2sell.providers.webtv import client
from niteoweb.click2sell.providers.webtv import creditchanges
from niteoweb.click2sell.providers.webtv import orders
from niteoweb.click2sell.providers.webtv import protocol
from niteoweb.click2sell.providers.webtv import saleoptions
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.providers.webtv import states
from niteoweb.click2sell.providers.webtv import sync
from niteoweb.click2sell.providers.webtv import users
from niteoweb.click2sell.provisioning import rates
from niteoweb.click2sell.provisioning import TooMany
from niteoweb.click2sell.restapi import Operation
from niteoweb.click2sell.restapi import PathParameters
from plone import api
from typing import Any
from zExceptions import BadRequest
from zExceptions import NotFound
from zExceptions import Unauthorized


#: Before the store is asked about one user again.
PAUSE = timedelta(minutes=1)
#: What a member may ask about the own purchases: the store, and what is known.
REFRESHES, READINGS = rates.Rate("webtv refreshes", 1), rates.Rate("webtv readings", 10)

SELL = "Click2Sell: Sell in the store"

#: What can be asked of a user, and kinds of products.
PARTS = frozenset({"subscriptions", "content", "credit", "restrictions"})
KINDS = ("clip", "channel", "other", "site", "service", "donation")


class StoreOperation(PathParameters, Operation):
    """A service that may ask the store; its errors become answers.

    :cvar asks: it asks the store while its caller waits.
    """

    asks = True

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
            with jsonapi.within(jsonapi.SALE) if self.asks else nullcontext():
                return self.work()
        except TooMany:
            return self.later("TooMany", "Asked within a minute.", 429, PAUSE.seconds)
        except NotSetUp:
            return self.problem(503, "NotSetUp", "WS.WebTV is switched off or not set up.")
        except client.NotAccepted:
            return self.problem(503, "NotAccepted", "The store accepts no question of ours.")
        except Unreachable:
            return self.later("Unreachable", "The store cannot be reached.", 503, PAUSE.seconds)
        except sales.Conflict as conflict:
            if conflict.kind == "Busy":
                seconds = int(sales.LEASE.total_seconds())
                return self.later("Busy", conflict.message, conflict.status, seconds)
            return self.problem(conflict.status, conflict.kind, conflict.message)
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

    ``me`` instead of an id is the member who calls; others need to operate purchases. With
    ``credit`` instead of ``refresh`` the credit of the user is changed, for those who may sell.
    """

    def operate(self) -> Any:
        """Check who may, before anything else."""
        if api.user.is_anonymous():
            raise Unauthorized
        if self.params[1:] == ["credit"]:
            self.need(SELL)
        elif self.params[:1] != ["me"]:
            self.need(privilege.OPERATE)
        if len(self.params) != 2 or self.params[1] not in ("refresh", "credit"):
            raise NotFound
        return super().operate()

    def work(self) -> dict[str, Any]:
        """Change the credit, or ask about the user, once a minute."""
        if self.params[1] == "credit":
            return self._credit()
        self.options()
        settings, id_ = self.settings(), self.params[0]
        if id_ == "me":
            # A member who is no user of the store costs it a question, too.
            REFRESHES.count(self.by)
            id_ = own_id(settings)
        if not states.is_id(id_):
            raise client.UserNotFound
        record = users.get(plone_site.get(), id_)
        asked = record["asked_at"] if record else ""
        if asked and timestamps.is_recent(timestamps.from_iso(asked), timestamps.now(), PAUSE):
            raise TooMany
        return {"refreshed": sync.refresh(id_)}

    def _credit(self) -> dict[str, Any]:
        options = self.options(action=str, amount=str, reference=str, description=str)
        if options.get("action") not in ("add", "subtract"):
            raise BadRequest('"action" must be add or subtract.')
        amount = Decimal(saleoptions.amount(options))
        reference = saleoptions.text(options, "reference")
        if not states.is_id(self.params[0]):
            raise client.UserNotFound
        values = (options["action"], amount, options.get("description", "")[:200])
        told = creditchanges.change(self.settings(), reference, self.params[0], *values)
        self.request.response.setStatus(202 if told["state"] == creditchanges.ASKING else 200)
        return dict(told)


class UsersGet(StoreOperation):
    """Answers a GET to ``@webtv-users/{id}``: the present state of a user at the store.

    ``me`` instead of an id is the member who calls; others need to view purchases, and may name
    an ``email`` instead of the id. ``parts`` names what is asked for.
    """

    def operate(self) -> Any:
        """Check who may, before anything else."""
        if api.user.is_anonymous():
            raise Unauthorized
        if self.params != ["me"]:
            self.need(privilege.VIEW)
        if len(self.params) > 1:
            raise NotFound
        return super().operate()

    def work(self) -> dict[str, Any]:
        """Ask for the parts."""
        form = self.request.form
        parts = str(form.get("parts") or "subscriptions,content,credit").split(",")
        if set(parts) - PARTS:
            raise BadRequest(f"Possible parts: {', '.join(sorted(PARTS))}.")
        email = form.get("email")
        if not self.params and not (isinstance(email, str) and is_address(email)):
            raise BadRequest('"email" must be an e-mail address.')
        settings = self.settings()
        id_ = self.params[0] if self.params else client.user_id(settings, email)
        if id_ == "me":
            READINGS.count(self.by)
            id_ = tied_id()
        if not states.is_id(id_):
            raise client.UserNotFound
        told: dict[str, Any] = {"user": id_, "currency": settings.currency}
        with jsonapi.reading():
            if "subscriptions" in parts:
                told["subscriptions"] = _items(client.subscriptions(settings, id_).items)
            if "content" in parts:
                told["content"] = _items(client.content(settings, id_).items)
        if "credit" in parts:
            told["credit"] = orders.money(carts.credit(settings, id_))
        if "restrictions" in parts:
            told["restricted"] = carts.restrictions(settings, id_)
        self.request.response.setHeader("Cache-Control", "private, no-store")
        return told


class ProductsGet(StoreOperation):
    """Answers a GET to ``@webtv-products``: products of a content or of a kind."""

    def work(self) -> dict[str, Any]:
        """Ask the store."""
        self.need(SELL)
        form = self.request.form
        kind, id_, user = (str(form.get(name) or "") for name in ("type", "id", "user"))
        if kind not in KINDS:
            raise BadRequest(f'"type" must be one of {", ".join(KINDS)}.')
        if not all(states.is_id(text or "1") for text in (id_, user)):
            raise BadRequest('"id" and "user" must be numbers.')
        return carts.products(self.settings(), user, kind, id_)


def _items(items: Sequence[states.Item]) -> list[dict[str, Any]]:
    return [
        {
            "id": item.transaction,
            "product": item.product,
            "title": item.title,
            "until": timestamps.iso(item.until),
            "renewable": item.goes_on,
            "status": item.status,
            "number": item.number,
        }
        for item in items
    ]


def tied_id() -> str:
    """The id of the store's user whose purchases are the current member's, "" for none."""
    buyer = buyers.of_user(plone_site.get(), api.user.get_current().getId())
    return next(iter(customers.ids(buyer, protocol.NAME)), "")


def own_id(settings: Any) -> str:
    """The id of the store's user who is the current member, "" for none.

    The tie of the purchases decides; without one the member's address leads to a user, whose
    purchases are the member's only where the rules of this add-on say so. An address that the
    member has edited leads nowhere: the answer would tell whose the store knows.
    """
    user_id = api.user.get_current().getId()
    kept = index.has_kept_address(plone_site.get(), user_id)
    address = accounts.text(user_id, "email") if kept else ""
    return tied_id() or (client.user_id(settings, address) if address else "")
