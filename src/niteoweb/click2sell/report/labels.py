"""Names of kinds, outcomes and states for owners, on pages and in files."""

from collections.abc import Mapping
from niteoweb.click2sell import _
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.entitlement import State
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import MIGRATION
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.notification import VALIDATION
from niteoweb.click2sell.provider import registry
from typing import Any
from zope.i18nmessageid import Message


OUTCOMES = {
    Outcome.ACCEPTED: _("accepted"),
    Outcome.NOTHING: _("nothing to do"),
    Outcome.ATTENTION: _("needs attention"),
    Outcome.REFUSED: _("refused"),
    Outcome.FAILED: _("failed"),
    Outcome.RECEIVED: _("received, not processed yet"),
}

KINDS = {
    Kind.PURCHASE: _("purchase"),
    Kind.RENEWAL: _("renewal"),
    Kind.PLAN_CHANGE: _("plan change"),
    Kind.CANCELLATION: _("cancellation"),
    Kind.REACTIVATION: _("reactivation"),
    Kind.REFUND: _("refund"),
    Kind.CHARGEBACK: _("chargeback"),
    Kind.PAYMENT_FAILED: _("payment failed"),
    Kind.EXPIRY: _("end of access"),
    Kind.PROVISIONAL: _("purchase to be confirmed"),
    Kind.CORRECTION: _("correction of the buyer"),
    Kind.INFORMATION: _("information"),
    Kind.UNKNOWN: _("unknown"),
}

#: The acts of the site's owner, by the kind of their entries.
ACTS = {
    Kind.PURCHASE: _("access given by hand"),
    Kind.EXPIRY: _("access ended by hand"),
    Kind.REACTIVATION: _("access extended by hand"),
    Kind.PLAN_CHANGE: _("access extended by hand"),
    Kind.CORRECTION: _("buyer corrected by hand"),
}

#: The decisions of the site's owner, as their notes store them.
NOTES = {
    "attached": _("Account connected"),
    "corrected": _("Buyer corrected"),
    "decided": _("Notification accepted"),
    "dismissed": _("Notification dismissed"),
    "group made": _("Group created"),
    "note": _("Note"),
}

#: Senders of entries that are no payment providers.
SENDERS = {
    OWNER: _("by hand"),
    MIGRATION: _("release 0.4.5"),
    VALIDATION: _("an app"),
}

STATES = {
    State.ACTIVE: _("active"),
    State.PROVISIONAL: _("provisional"),
    State.GRACE: _("days of grace"),
    State.CANCELLED: _("cancelled"),
    State.UPCOMING: _("begins later"),
    State.SUSPENDED: _("suspended"),
    State.LAPSED: _("lapsed"),
    State.ENDED: _("ended"),
    State.REFUNDED: _("refunded"),
    State.UNMAPPED: _("not in the settings"),
}


def kind(entry: Mapping[str, Any]) -> Message | str:
    """The kind of an entry, or the name of an owner's act."""
    if entry["attention"] == Reason.PARAMETER:
        return _("unreadable")
    known = {**KINDS, **ACTS} if entry["provider"] == OWNER else KINDS
    if entry["kind"] == Kind.UNKNOWN and registry.reason(entry["attention"]) is not None:
        return _(
            "problem at ${provider}", mapping={"provider": registry.title(entry["provider"])}
        )
    return known.get(entry["kind"], entry["kind"])


def sender(name: str) -> Message | str:
    """The provider of an entry, or who else it comes from."""
    return SENDERS.get(name) or registry.title(name)
