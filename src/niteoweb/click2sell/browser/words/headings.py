"""A notification or an owner's act in a few words: the title of its page."""

from niteoweb.click2sell import _
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.browser.words import unread
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.report import happenings
from niteoweb.click2sell.report import labels
from zope.i18nmessageid import Message


#: Kinds about a product.
TITLES = {
    Kind.PURCHASE: _("Purchase of ${product}"),
    Kind.RENEWAL: _("Renewal of ${product}"),
    Kind.PLAN_CHANGE: _("Change to ${product}"),
    Kind.CANCELLATION: _("Cancellation of ${product}"),
    Kind.REACTIVATION: _("Reactivation of ${product}"),
    Kind.REFUND: _("Refund of ${product}"),
    Kind.CHARGEBACK: _("Chargeback of ${product}"),
    Kind.PAYMENT_FAILED: _("Failed payment for ${product}"),
    Kind.EXPIRY: _("End of access to ${product}"),
    Kind.PROVISIONAL: _("Purchase of ${product}, to be confirmed"),
    Kind.INFORMATION: _("Information about ${product}"),
    Kind.UNKNOWN: _("Unknown notification about ${product}"),
}


def title(entry: ledger.Entry) -> str:
    """The title of an entry, such as "Purchase of Archive, 15.00 EUR, Rosa Pérez"."""
    sent = unread.as_sent(entry)
    who = sent.name or entry["email"] or entry["buyer"] or sent.address
    return ", ".join(filter(None, (summary(entry), who)))


def summary(entry: ledger.Entry) -> str:
    """An entry without its buyer, such as "Purchase of Archive, 15.00 EUR"."""
    amount = formatting.amount(entry["amount"], entry["currency"])
    return ", ".join(filter(None, (formatting.translated(_subject(entry)), amount)))


def _subject(entry: ledger.Entry) -> Message | str:
    product = {"product": formatting.product(entry)}
    if entry["provider"] == OWNER and entry["kind"] in happenings.ACTS:
        return Message(happenings.ACTS[entry["kind"]], mapping=product)
    if entry["attention"] == Reason.PARAMETER:
        sender = formatting.translated(labels.sender(entry["provider"]))
        return _("Unreadable notification from ${provider}", mapping={"provider": sender})
    of_provider = registry.reason(entry["attention"]) is not None
    if product["product"] and entry["kind"] in TITLES and not of_provider:
        return Message(TITLES[entry["kind"]], mapping=product)
    return formatting.entry_kind(entry)
