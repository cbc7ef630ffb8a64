"""Entries of the ledger, written without a delivery."""

from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from hashlib import sha256
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification

import transaction


START = datetime(2026, 5, 3, 18, tzinfo=timezone.utc)


SALE = Notification(
    key="",
    provider="click2sell",
    kind=Kind.PURCHASE,
    transaction="",
    receipt="R",
    occurred_at=START,
    buyer="john@example.org",
    email="john@example.org",
    product_id="1",
)


def write(site, number, minutes=0, outcome="", **changes):
    """Write an entry down, some minutes after the start."""
    notification = replace(
        SALE, key=sha256(b"%d" % number).hexdigest(), transaction=f"T-{number}", **changes
    )
    entry = ledger.record(site, notification, START + timedelta(minutes=minutes))
    if outcome:
        ledger.set_outcome(site, entry, outcome)
    return entry


def fill(site, numbers):
    """Buyers with a purchase each, by number."""
    for number in numbers:
        address = f"b{number:05}@example.org"
        entry = write(
            site,
            number,
            minutes=number,
            outcome=Outcome.ACCEPTED,
            buyer=address,
            email=address,
            first_name="Ann",
            last_name=f"Smith{number:05}",
            receipt=f"R-{number:05}",
        )
        buyers.add_entry(site, buyers.of_address(site, address), entry)
    transaction.commit()
