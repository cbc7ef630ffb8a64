"""Names of kinds, outcomes and states for owners, on pages and in files."""

from niteoweb.click2sell import _
from niteoweb.click2sell.entitlement import State
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.notification import Kind


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
    Kind.EXPIRY: _("expiry"),
    Kind.PROVISIONAL: _("provisional"),
    Kind.CORRECTION: _("correction of the buyer"),
    Kind.INFORMATION: _("information"),
    Kind.UNKNOWN: _("unknown"),
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
    State.UNMAPPED: _("no line in the mapping"),
}
