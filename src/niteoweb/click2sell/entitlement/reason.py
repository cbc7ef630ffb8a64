"""The reasons of outcomes: why an entry of the ledger needs a person, waits or was refused.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock. The texts for owners are
in :mod:`niteoweb.click2sell.ledger.reasons`.
"""

from enum import StrEnum
from niteoweb.click2sell.notification import PARAMETER
from niteoweb.click2sell.notification import SEVERAL_PIECES
from niteoweb.click2sell.notification import SEVERAL_USERS


class Reason(StrEnum):
    """The reasons of outcomes. The values are stored, so they never change."""

    # The notification itself
    UNKNOWN_KIND = "unknown kind"
    PARAMETER = PARAMETER
    ANOTHER = "another buyer or product"
    SEVERAL_USERS = SEVERAL_USERS
    SEVERAL_PIECES = SEVERAL_PIECES
    # The history
    FUTURE = "future"
    BEYOND = "beyond"
    AFTER_REFUND = "after refund"
    AMBIGUOUS = "ambiguous"
    UNMATCHED_REFUND = "unmatched refund"
    OPEN_END = "open end"
    NO_PURCHASE = "no purchase"
    ENDED = "ended"
    DISPLACED = "displaced"
    CUSTOMER_DELETED = "customer deleted"
    WAITS_FOR_PURCHASE = "waits for its purchase"
    # The provider and its customer
    UNREACHABLE = "unreachable"
    NOT_TOLD = "not told"
    CUSTOMER_NOT_KNOWN = "customer not known"
    # The buyer
    ERASED_BUYER = "erased buyer"
    ERASED = "erased"
    # The account
    #: The entry waits for the buyer to confirm it: one account, or several, have its address.
    ACCOUNT_NOT_CERTAIN = "account not certain"
    SEVERAL_ACCOUNTS = "several accounts"
    PRIVILEGED_ACCOUNT = "privileged account"
    ADDRESS_NOT_ACCEPTED = "address not accepted"
    ACCOUNT_MISSING = "account missing"
    #: The entry waits for an account; the sweep settles it, so the owner is not told.
    TOO_MANY = "too many accounts"
    # The groups
    GROUP_MISSING = "group missing"
    GROUP_PRIVILEGED = "group privileged"
    GROUP_NOT_GRANTED = "group not granted"


#: Reasons of payments that took no effect.
GRANTS_NOTHING = frozenset(
    (
        *(Reason.FUTURE, Reason.BEYOND, Reason.AFTER_REFUND, Reason.UNMATCHED_REFUND),
        *(Reason.NO_PURCHASE, Reason.ENDED, Reason.UNKNOWN_KIND),
    )
)

#: Reasons about a group, which is the subject.
ABOUT_GROUP = frozenset(
    (Reason.GROUP_MISSING, Reason.GROUP_PRIVILEGED, Reason.GROUP_NOT_GRANTED)
)

#: Reasons of payments that wait for the buyer to confirm the account that they are for.
WAITS_FOR_BUYER = frozenset((Reason.ACCOUNT_NOT_CERTAIN, Reason.SEVERAL_ACCOUNTS))

#: Reasons about the choice of an account.
ABOUT_ACCOUNT = WAITS_FOR_BUYER | {Reason.ACCOUNT_MISSING}

#: Reasons of entries that need attention, and change the buyer's access all the same.
TAKES_EFFECT = ABOUT_GROUP.union(WAITS_FOR_BUYER) | {
    *(Reason.AMBIGUOUS, Reason.DISPLACED, Reason.OPEN_END),
    *(Reason.CUSTOMER_DELETED, Reason.TOO_MANY),
}
