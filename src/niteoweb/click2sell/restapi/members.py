"""The buyers as services of plone.restapi: find them, and see what each has and why.

``GET /@click2sell-members`` and ``GET /@click2sell-members/{buyer id}`` need the permission to
view purchases.
"""

from datetime import datetime
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.entitlement import mapping
from niteoweb.click2sell.explain import Cause
from niteoweb.click2sell.explain import diagnosis
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.explain import groups
from niteoweb.click2sell.explain import ProductAccess
from niteoweb.click2sell.explain import timeline
from niteoweb.click2sell.report import buyerlist
from niteoweb.click2sell.restapi import listing
from niteoweb.click2sell.restapi import notifications
from niteoweb.click2sell.restapi.listing import PathParameters
from plone.restapi.services import Service
from typing import Any
from zExceptions import BadRequest
from zExceptions import NotFound
from zope.i18n import translate


NAME = "@click2sell-members"

#: Fields of an event of the timeline that stand in the answer as they are.
EVENT = ("what", "subject", "outcome", "product", "receipt", "text", "by", "to", "attempts")


class MembersGet(PathParameters, Service):
    """Answers a GET: a batched list, or the buyer whose id follows."""

    def reply(self) -> dict[str, Any]:
        if not self.params:
            return self._list()
        if len(self.params) > 1:
            raise NotFound
        return details(self.context, self.request, self.params[0], timestamps.now())

    def _list(self) -> dict[str, Any]:
        """A page of the list.

        :raises BadRequest: a parameter is not possible.
        """
        text = self.request.form.get("search", "")
        if not isinstance(text, str):
            raise BadRequest('"search" may stand only once.')
        listed = buyerlist.BuyerList(self.context, text)
        now = timestamps.now()
        return listing.page(
            self.request,
            listed,
            lambda start, size: [
                summary(self.context, row) for row in listed.rows(start, size, now)
            ],
        )


def summary(site: Any, row: buyerlist.BuyerRow) -> dict[str, Any]:
    """A buyer as it stands in a list."""
    return {
        "@id": f"{site.absolute_url()}/{NAME}/{row.buyer_id}",
        "id": row.buyer_id,
        "name": row.name,
        "address": row.address,
        "user_id": row.user_id,
        "products": [_standing(standing) for standing in row.standings],
    }


def details(site: Any, request: Any, buyer_id: str, now: datetime) -> dict[str, Any]:
    """The explanation of a buyer's products, groups and obstacle.

    :param now: in UTC.
    :raises NotFound: there is no such buyer.
    """
    buyer = buyers.get(site, buyer_id)
    if buyer is None:
        raise NotFound
    explained = explanation.explain(site, buyer, now)
    return {
        "@id": f"{site.absolute_url()}/{NAME}/{buyer_id}",
        "id": buyer_id,
        "name": explained.name,
        "address": explained.addresses[0],
        "addresses": list(explained.addresses),
        "user_id": explained.user_id,
        "account": {
            "exists": explained.exists,
            "made": explained.made,
            "deleted_at": _iso(explained.deleted_at),
        },
        "obstacle": _obstacle(request, explained.obstacle),
        "products": [
            {**_standing(one), "because": [_cause(site, cause) for cause in one.causes]}
            for one in explained.standings
        ],
        "groups": [_group(site, request, one) for one in explained.groups],
        "timeline": [_happening(site, request, one) for one in explained.timeline],
    }


def _standing(access: ProductAccess) -> dict[str, Any]:
    return {
        "provider": access.provider,
        "product_id": access.product_id,
        "product_name": access.name,
        "state": str(access.state),
        "access": access.access,
        "since": _iso(access.since),
        "until": _iso(access.until),
        "access_until": _iso(access.access_until),
    }


def _cause(site: Any, cause: Cause) -> dict[str, Any]:
    return {
        "@id": _entry_url(site, cause.key),
        "kind": cause.kind,
        "receipt": cause.receipt,
        "occurred_at": _iso(cause.at),
    }


def _group(site: Any, request: Any, group: groups.Membership) -> dict[str, Any]:
    return {
        "id": group.id,
        "title": group.title,
        "standing": group.standing,
        "taken_at": _iso(group.at),
        "problem": notifications.reason_of(request, group.problem, group.id),
        "because": [
            {
                "provider": because.product[0],
                "product_id": ""
                if because.product == mapping.EVERY_BUYER
                else because.product[1],
                "line": because.line,
                "notifications": [_cause(site, cause) for cause in because.causes],
            }
            for because in group.reasons
        ],
    }


def _happening(site: Any, request: Any, event: timeline.TimelineEvent) -> dict[str, Any]:
    return {
        **{name: getattr(event, name) for name in EVENT},
        "at": _iso(event.at),
        "notification": _entry_url(site, event.key) if event.key else None,
        "reason": notifications.reason_of(request, event.reason, event.reason_subject),
    }


def _obstacle(request: Any, obstacle: diagnosis.Obstacle | None) -> dict[str, Any] | None:
    if obstacle is None:
        return None
    text = diagnosis.text(obstacle, _iso, lambda message: translate(message, context=request))
    return {"code": obstacle.code, "text": translate(text, context=request)}


def _entry_url(site: Any, key: str) -> str:
    return f"{site.absolute_url()}/{notifications.NAME}/{key}"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
