"""Outcomes of notifications: the states of the ledger's entries.

The outcome of a buyer's whole history is :class:`niteoweb.click2sell.entitlement.Outcome`.
"""

from enum import StrEnum


class Outcome(StrEnum):
    """The outcome of a notification. The values are stored, so they never change."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    NOTHING = "nothing to do"
    ATTENTION = "needs attention"
    REFUSED = "refused"
    FAILED = "failed"
    #: No entry was made, see :data:`.ownership.ENTRIES_PER_TRANSACTION`.
    NOT_KEPT = "not kept"


#: Outcomes that answer a second delivery; the others are tried again.
FINAL = frozenset({Outcome.ACCEPTED, Outcome.NOTHING, Outcome.ATTENTION, Outcome.REFUSED})

#: Outcomes that the report's figures count.
EFFECTIVE = FINAL - {Outcome.REFUSED}

#: Outcomes that the owner has to know of.
WAITS = frozenset({Outcome.ATTENTION, Outcome.REFUSED, Outcome.FAILED})
