"""The ledger as services of plone.restapi: list it, see an entry, process one again.

``GET /@click2sell-notifications`` and ``GET /@click2sell-notifications/{key}`` need the
permission to view purchases, ``POST /@click2sell-notifications/{key}/replay`` that to operate
them.
"""

from collections.abc import Mapping
from datetime import datetime
from datetime import timezone
from niteoweb.click2sell import buyer as buyers
from niteoweb.click2sell import dryrun
from niteoweb.click2sell import ledger
from niteoweb.click2sell import listing
from niteoweb.click2sell import provisioning
from niteoweb.click2sell import reason
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.restapi.protection import Operation
from plone.restapi.batching import DEFAULT_BATCH_SIZE
from plone.restapi.batching import HypermediaBatch
from plone.restapi.deserializer import parse_int
from plone.restapi.serializer.converters import json_compatible
from plone.restapi.services import Service
from typing import Any
from zExceptions import BadRequest
from zExceptions import NotFound
from zope.i18n import translate
from zope.interface import implementer
from zope.publisher.interfaces import IPublishTraverse

import json


NAME = "@click2sell-notifications"

#: Entries on a page, at most.
LARGEST_PAGE = 1000

#: Fields of an entry that stand in a list as they are stored.
SUMMARY = (
    "key",
    "provider",
    "kind",
    "outcome",
    "received_at",
    "occurred_at",
    "buyer",
    "product_id",
    "product_name",
    "amount",
    "currency",
)
#: Further fields of an entry, shown when it is asked for by its key.
DETAILS = (
    "email",
    "first_name",
    "last_name",
    "transaction",
    "receipt",
    "country",
    "affiliate",
    "subscription",
    "speaks_for",
    "valid_until",
    "error",
    "attempts",
    "counts",
)


@implementer(IPublishTraverse)
class NotificationsGet(Service):
    """Answers a GET: a batched list, or the entry whose key follows."""

    def __init__(self, context: Any, request: Any) -> None:
        super().__init__(context, request)
        self.params: list[str] = []

    def publishTraverse(self, request: Any, name: str) -> "NotificationsGet":  # noqa: N802
        self.params.append(name)
        return self

    def reply(self) -> dict[str, Any]:
        if not self.params:
            return self._list()
        if len(self.params) > 1:
            raise NotFound
        return details(self.context, self.request, self.params[0])

    def _list(self) -> dict[str, Any]:
        """A page of the list.

        :raises BadRequest: a filter or a number is not possible.
        """
        try:
            filters = listing.parse(self.context, self.request.form, plone_site.timezone())
        except listing.FilterError as error:
            raise BadRequest(translate(error.message, context=self.request)) from None
        found = listing.Listing(self.context, filters)
        _check_page(self.request.form)
        # The batch only reckons; it never asks for an entry.
        batch = HypermediaBatch(self.request, range(found.total))
        numbers = list(batch)
        keys = found.keys(numbers[0], len(numbers)) if numbers else []
        answer = {
            "@id": batch.canonical_url,
            "items": [summary(self.context, self.request, key) for key in keys],
            "items_total": found.total,
            "items_total_capped": found.capped,
        }
        if batch.links:
            answer["batching"] = batch.links
        return answer


@implementer(IPublishTraverse)
class NotificationsPost(Operation):
    """Answers a POST to ``{key}/replay``.

    Body: ``{}``, or ``{"dry_run": true}`` to be told what would change. Otherwise the answer is
    the entry as it is afterwards: 500 when it failed again, then it is kept as failed, and 503
    with ``Retry-After`` when another process was at the same data.
    """

    def __init__(self, context: Any, request: Any) -> None:
        super().__init__(context, request)
        self.params: list[str] = []

    def publishTraverse(self, request: Any, name: str) -> "NotificationsPost":  # noqa: N802
        self.params.append(name)
        return self

    def operate(self) -> dict[str, Any]:
        if len(self.params) != 2 or self.params[1] != "replay":
            raise NotFound
        key = self.params[0]
        options = self.options(dry_run=bool)
        try:
            if options.get("dry_run"):
                return preview(self.context, self.request, key)
            provisioning.replay(key)
        except KeyError:
            raise NotFound from None
        except provisioning.Failed:
            return self.problem(500, "Failed", "It failed again, and is kept as failed.")
        return details(self.context, self.request, key)


def summary(site: Any, request: Any, key: str) -> dict[str, Any]:
    """An entry as it stands in a list."""
    entry = ledger.get(site, key)
    buyer = buyers.get(site, entry["buyer_id"])
    return {
        "@id": f"{site.absolute_url()}/{NAME}/{key}",
        **{name: entry[name] for name in SUMMARY},
        "reason": _reason(request, entry["reason"], entry["subject"]),
        "user_id": buyer["user_id"] if buyer is not None else "",
    }


def details(site: Any, request: Any, key: str) -> dict[str, Any]:
    """Everything that is known of an entry.

    :raises NotFound: there is no such entry.
    """
    entry = ledger.get(site, key)
    if entry is None:
        raise NotFound
    return {
        **summary(site, request, key),
        **{name: entry[name] for name in DETAILS},
        "terms": {
            "known": entry["terms_known"],
            "days": entry["days"],
            "exclusive": entry["exclusive"],
        },
        "dismissed": entry["dismissed"] is not None,
        "notes": list(entry["notes"]),
        "payload": json.loads(entry["payload"]),
    }


def preview(site: Any, request: Any, key: str) -> dict[str, Any]:
    """What a replay of an entry would change.

    :raises KeyError: there is no such entry.
    """
    found = dryrun.replay(site, key, datetime.now(timezone.utc))
    plan, verdict = found.plan, found.verdict
    return {
        "@id": f"{site.absolute_url()}/{NAME}/{key}",
        "key": key,
        "dry_run": True,
        "member": {
            "create": plan.create,
            "attach": plan.attach,
            "user_id": plan.user_id,
        },
        "fields": json_compatible(dict(plan.properties)),
        "groups": {"granted": list(plan.grant), "revoked": list(plan.revoked)},
        "access": {"gained": _products(plan.gained), "lost": _products(plan.lost)},
        "mail": plan.mail or "none",
        "outcome": verdict.outcome,
        "reason": _reason(request, verdict.reason, verdict.subject),
    }


def _check_page(form: Mapping[str, Any]) -> None:
    """plone.restapi takes any number of entries, and fails on negative ones.

    :raises BadRequest: a number is no number or not possible.
    """
    if parse_int(form, "b_start", 0) < 0:
        raise BadRequest("Invalid b_start: Less than 0")
    if not 1 <= parse_int(form, "b_size", DEFAULT_BATCH_SIZE) <= LARGEST_PAGE:
        raise BadRequest(f"Invalid b_size: Not from 1 to {LARGEST_PAGE}")


def _products(products: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [{"provider": provider, "product_id": name} for provider, name in products]


def _reason(request: Any, code: str, subject: str) -> dict[str, str] | None:
    if not code:
        return None
    return {"code": code, "text": translate(reason.text(code, subject), context=request)}
