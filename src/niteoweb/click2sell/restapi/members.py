"""The buyers as services of plone.restapi: find them, and see their access and its causes.

``GET /@click2sell-members`` and ``GET /@click2sell-members/{buyer id}`` need the permission to
view purchases.
"""

from datetime import datetime
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.entitlement import mapping
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.explain import groups
from niteoweb.click2sell.explain import obstacles
from niteoweb.click2sell.explain import ProductAccess
from niteoweb.click2sell.explain import timeline
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.report import buyerlist
from niteoweb.click2sell.report import happenings
from niteoweb.click2sell.restapi import notifications
from niteoweb.click2sell.restapi.listing import Records
from typing import Any
from zExceptions import BadRequest
from zExceptions import NotFound
from zope.i18n import translate
from zope.i18nmessageid import Message


NAME = "@click2sell-members"

#: Fields of an event of the timeline that stand in the answer as they are.
EVENT = ("what", "subject", "outcome", "product", "receipt", "text", "by", "to", "attempts")


class MembersGet(Records):
    """Answers a GET: a batched list, or the buyer whose id follows."""

    def page(self) -> dict[str, Any]:
        """A page of the list.

        :raises BadRequest: a parameter is not possible.
        """
        text, part = (self._once(name) for name in ("search", "part"))
        if part not in buyerlist.PARTS:
            possible = ", ".join(filter(None, buyerlist.PARTS))
            raise BadRequest(f'"part" must be one of: {possible}.')
        now = timestamps.now()
        listed = buyerlist.BuyerList(self.context, text, part, now=now)
        answer = self.batch(
            listed, lambda start, size: [self._row(row) for row in listed.rows(start, size)]
        )
        return {**answer, "numbers": _numbers(buyerlist.numbers(self.context, now))}

    def _once(self, name: str) -> str:
        text = self.request.form.get(name, "")
        if not isinstance(text, str):
            raise BadRequest(f'"{name}" may stand only once.')
        return text

    def details(self, buyer_id: str) -> dict[str, Any]:
        """The explanation of a buyer's products, groups and obstacle.

        :raises NotFound: there is no such buyer.
        """
        buyer = buyers.get(self.context, buyer_id)
        if buyer is None:
            raise NotFound
        explained = explanation.explain(self.context, buyer, timestamps.now())
        deleted_at = timestamps.from_iso(buyer["deleted_at"]) if buyer["deleted_at"] else None
        return {
            "@id": self._url(NAME, buyer_id),
            "id": buyer_id,
            "name": explained.name,
            "address": explained.addresses[0],
            "addresses": list(explained.addresses),
            "user_id": buyer["user_id"],
            "account": {
                "exists": explained.exists,
                "made": buyer["made"],
                "deleted_at": _iso(deleted_at),
            },
            "obstacle": self._obstacle(explained.obstacle),
            "products": [
                {
                    **standing(one),
                    "opened": one.product in explained.opened,
                    "because": [self._cause(cause) for cause in one.causes],
                }
                for one in explained.standings
            ],
            "groups": [self._group(group) for group in explained.groups],
            "timeline": [self._event(event) for event in explained.timeline],
        }

    def _row(self, row: buyerlist.BuyerRow) -> dict[str, Any]:
        explained = row.explained
        return {
            "@id": self._url(NAME, row.buyer_id),
            "id": row.buyer_id,
            "name": row.name,
            "address": row.address,
            "user_id": row.user_id,
            "obstacle": self._obstacle(explained.obstacle) if explained else None,
            "last_payment": _iso(explained.paid_at) if explained else None,
            "products": [
                {**standing(one), "opened": one.product in explained.opened}
                for one in (explained.standings if explained else ())
            ],
        }

    def _cause(self, cause: ledger.Entry) -> dict[str, Any]:
        return {
            "@id": self._url(notifications.NAME, cause["key"]),
            "kind": cause["kind"],
            "receipt": cause["receipt"],
            "occurred_at": _iso(timestamps.from_iso(cause["occurred_at"])),
        }

    def _group(self, group: groups.Membership) -> dict[str, Any]:
        return {
            "id": group.id,
            "title": group.title,
            "standing": group.standing,
            "taken_at": _iso(group.at),
            "problem": notifications.reason_of(self.request, group.problem, group.id),
            "because": [
                {
                    "provider": because.product[0],
                    "product_id": ""
                    if because.product == mapping.EVERY_BUYER
                    else because.product[1],
                    "line": because.line,
                    "notifications": [self._cause(cause) for cause in because.causes],
                }
                for because in group.reasons
            ],
        }

    def _event(self, event: timeline.TimelineEvent) -> dict[str, Any]:
        return {
            **{name: getattr(event, name) for name in EVENT},
            "title": self._said(happenings.text(event, self._said)),
            "text": self._said(happenings.remark(event)),
            "at": _iso(event.at),
            "notification": self._url(notifications.NAME, event.key) if event.key else None,
            "reason": notifications.reason_of(self.request, event.reason, event.reason_subject),
        }

    def _obstacle(self, obstacle: obstacles.Obstacle | None) -> dict[str, Any] | None:
        if obstacle is None:
            return None
        text = self._said(obstacles.text(obstacle, plone_site.shown, self._said))
        return {"code": obstacle.code, "text": text}

    def _said(self, text: Message | str) -> str:
        return translate(text, context=self.request)

    def _url(self, service: str, id_: str) -> str:
        return f"{self.context.absolute_url()}/{service}/{id_}"


def _numbers(numbers: dict[str, int]) -> dict[str, int]:
    """The numbers of the parts, the whole list under a name of its own."""
    return {part or "all": number for part, number in numbers.items()}


def standing(access: ProductAccess) -> dict[str, Any]:
    """The access to a product, for an answer."""
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


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
