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
        found = buyerlist.Directory(self.context, text)
        now = timestamps.now()
        return listing.page(
            self.request,
            found,
            lambda start, size: [
                summary(self.context, row) for row in found.rows(start, size, now)
            ],
        )


def summary(site: Any, row: buyerlist.Row) -> dict[str, Any]:
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
    """Everything that explains what a buyer has.

    :param now: in UTC.
    :raises NotFound: there is no such buyer.
    """
    buyer = buyers.get(site, buyer_id)
    if buyer is None:
        raise NotFound
    found = explanation.explain(site, buyer, now)
    return {
        "@id": f"{site.absolute_url()}/{NAME}/{buyer_id}",
        "id": buyer_id,
        "name": found.name,
        "address": found.addresses[0],
        "addresses": list(found.addresses),
        "user_id": found.user_id,
        "account": {
            "exists": found.exists,
            "made": found.made,
            "deleted_at": _iso(found.deleted_at),
        },
        "obstacle": _obstacle(request, found.obstacle),
        "products": [
            {**_standing(one), "because": [_cause(site, cause) for cause in one.causes]}
            for one in found.standings
        ],
        "groups": [_group(site, request, one) for one in found.groups],
        "timeline": [_happening(site, request, one) for one in found.timeline],
    }


def _standing(found: ProductAccess) -> dict[str, Any]:
    return {
        "provider": found.provider,
        "product_id": found.product_id,
        "product_name": found.name,
        "state": str(found.state),
        "access": found.access,
        "since": _iso(found.since),
        "until": _iso(found.until),
        "access_until": _iso(found.access_until),
    }


def _cause(site: Any, cause: Cause) -> dict[str, Any]:
    return {
        "@id": _entry_url(site, cause.key),
        "kind": cause.kind,
        "receipt": cause.receipt,
        "occurred_at": _iso(cause.at),
    }


def _group(site: Any, request: Any, found: groups.Membership) -> dict[str, Any]:
    return {
        "id": found.id,
        "title": found.title,
        "standing": found.standing,
        "taken_at": _iso(found.at),
        "problem": notifications.reason_of(request, found.problem, found.id),
        "because": [
            {
                "provider": because.product[0],
                "product_id": ""
                if because.product == mapping.EVERY_BUYER
                else because.product[1],
                "line": because.line,
                "notifications": [_cause(site, cause) for cause in because.causes],
            }
            for because in found.reasons
        ],
    }


def _happening(site: Any, request: Any, found: timeline.TimelineEvent) -> dict[str, Any]:
    return {
        "at": _iso(found.at),
        "what": found.what,
        "subject": found.subject,
        "notification": _entry_url(site, found.key) if found.key else None,
        "outcome": found.outcome,
        "reason": notifications.reason_of(request, found.reason, found.reason_subject),
        "product": found.product,
        "receipt": found.receipt,
        "text": found.text,
        "by": found.by,
        "to": found.to,
        "attempts": found.attempts,
    }


def _obstacle(request: Any, found: diagnosis.Obstacle | None) -> dict[str, Any] | None:
    if found is None:
        return None
    text = diagnosis.text(found, _iso, lambda message: translate(message, context=request))
    return {"code": found.code, "text": translate(text, context=request)}


def _entry_url(site: Any, key: str) -> str:
    return f"{site.absolute_url()}/{notifications.NAME}/{key}"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
