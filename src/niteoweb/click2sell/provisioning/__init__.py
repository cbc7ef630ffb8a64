"""Provisioning: from a notification to a site that agrees with the buyer's entitlements."""

from niteoweb.click2sell.provisioning import claiming
from niteoweb.click2sell.provisioning import enrichment
from niteoweb.click2sell.provisioning import events
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import preview
from niteoweb.click2sell.provisioning import rates
from niteoweb.click2sell.provisioning import recording
from niteoweb.click2sell.provisioning import reminding
from niteoweb.click2sell.provisioning import transfer
from niteoweb.click2sell.provisioning import validation
from niteoweb.click2sell.provisioning.apply import Applied
from niteoweb.click2sell.provisioning.plan import LOOK_AGAIN
from niteoweb.click2sell.provisioning.plan import NO_PURCHASE
from niteoweb.click2sell.provisioning.plan import Plan
from niteoweb.click2sell.provisioning.validation import TooMany
from niteoweb.click2sell.provisioning.verdict import Verdict


__all__ = [
    *["Applied", "claiming", "enrichment", "events", "pipeline", "preview", "rates"],
    *["recording", "reminding", "transfer", "validation", "LOOK_AGAIN", "NO_PURCHASE", "Plan"],
    *["TooMany", "Verdict"],
]
