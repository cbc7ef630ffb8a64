"""The ledger as services of plone.restapi: list it, see an entry, process one again.

``GET /@click2sell-notifications`` and ``GET /@click2sell-notifications/{key}`` need the
permission to view purchases, ``POST /@click2sell-notifications/{key}/replay`` that to operate
them.
"""

from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import reasons
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import preview as dryrun
from niteoweb.click2sell.report import notifications
from niteoweb.click2sell.restapi import changes
from niteoweb.click2sell.restapi import protection
from niteoweb.click2sell.restapi.listing import PathParameters
from niteoweb.click2sell.restapi.listing import Records
from niteoweb.click2sell.restapi.protection import Operation
from typing import Any
from zExceptions import BadRequest
from zExceptions import NotFound
from zope.i18n import translate


NAME = "@click2sell-notifications"

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
    "on_behalf_of",
    "valid_from",
    "valid_until",
    "error",
    "attempts",
    "counts",
)


class Entries(PathParameters):
    """The entries of the ledger, as the services answer them."""

    def url(self, key: str) -> str:
        """The address of an entry."""
        return f"{self.context.absolute_url()}/{NAME}/{key}"

    def summary(self, key: str) -> dict[str, Any]:
        """An entry as it stands in a list."""
        entry = ledger.get(self.context, key)
        buyer = buyers.get(self.context, entry["buyer_id"])
        return {
            "@id": self.url(key),
            **{name: entry[name] for name in SUMMARY},
            "reason": reason_of(self.request, entry["reason"], entry["subject"]),
            "user_id": buyer["user_id"] if buyer is not None else "",
        }

    def details(self, key: str) -> dict[str, Any]:
        """An entry with all its fields.

        :raises NotFound: there is no such entry.
        """
        entry = ledger.get(self.context, key)
        if entry is None:
            raise NotFound
        return {
            **self.summary(key),
            **{name: entry[name] for name in DETAILS},
            "terms": {
                "known": entry["terms_known"],
                "days": entry["days"],
                "exclusive": entry["exclusive"],
            },
            "failures": list(entry["failures"]),
            "dismissed": entry["dismissed"] is not None,
            "notes": list(entry["notes"]),
            "payload": dict(entry["payload"]),
        }


class NotificationsGet(Entries, Records):
    """Answers a GET: a batched list, or the entry whose key follows."""

    def page(self) -> dict[str, Any]:
        """A page of the list.

        :raises BadRequest: a filter or a number is not possible.
        """
        try:
            filters = notifications.parse(
                self.context, self.request.form, plone_site.timezone()
            )
        except notifications.FilterError as error:
            raise BadRequest(translate(error.message, context=self.request)) from None
        listed = notifications.Listing(self.context, filters)
        return self.batch(
            listed,
            lambda start, size: [self.summary(key) for key in listed.keys(start, size)],
        )


class NotificationsPost(Entries, Operation):
    """Answers a POST to ``{key}/replay``, or to ``{key}/`` and a decision of an owner.

    Body: ``{}``, or ``{"dry_run": true}`` for a preview, with the fields of the decision. The
    answer to a replay is the entry as it is afterwards: 500 when it failed again, then it is
    kept as failed. 503 with ``Retry-After`` when another process was at the same data.
    """

    def operate(self) -> dict[str, Any]:
        """Process the entry again or settle a decision, or preview the changes.

        :raises NotFound: there is no such entry, or nothing of that name to do with it.
        """
        if len(self.params) != 2:
            raise NotFound
        key, verb = self.params
        for name, decision in decisions.DECISIONS.items():
            if verb == name.replace("_", "-"):
                return self._decide(key, decision)
        if verb != "replay":
            raise NotFound
        options = self.options(dry_run=bool)
        try:
            if options.get("dry_run"):
                return self._preview(key)
            pipeline.replay(key)
        except KeyError:
            raise NotFound from None
        except pipeline.Failed:
            return self.problem(500, "Failed", "It failed again, and is kept as failed.")
        return self.details(key)

    def _decide(self, key: str, decision: type[decisions.Decision]) -> dict[str, Any]:
        given = self.options(**protection.kinds(decision.form), dry_run=bool)
        if ledger.get(self.context, key) is None:
            raise NotFound
        dry_run = given.pop("dry_run", False)
        return changes.settle(decision.asked_for(given, key=key, by=self.by), dry_run)

    def _preview(self, key: str) -> dict[str, Any]:
        """The preview of a replay.

        :raises KeyError: there is no such entry.
        """
        replayed = dryrun.replay(self.context, key, timestamps.now())
        plan, verdict = replayed.plan, replayed.verdict
        return {
            "@id": self.url(key),
            "key": key,
            "dry_run": True,
            **changes.of(plan),
            "outcome": verdict.outcome,
            "reason": reason_of(self.request, verdict.reason, verdict.subject),
        }


def reason_of(request: Any, code: str, subject: str) -> dict[str, str] | None:
    """A stored reason: its code and its text, None for no reason."""
    if not code:
        return None
    return {"code": code, "text": translate(reasons.text(code, subject), context=request)}
