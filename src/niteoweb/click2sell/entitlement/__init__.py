"""The access that a history of notifications gives. Pure: no Zope, no I/O, no clock."""

from niteoweb.click2sell.entitlement import mapping
from niteoweb.click2sell.entitlement import past
from niteoweb.click2sell.entitlement.chain import Chain
from niteoweb.click2sell.entitlement.event import BillingEvent
from niteoweb.click2sell.entitlement.event import OPEN
from niteoweb.click2sell.entitlement.event import TOLERANCE
from niteoweb.click2sell.entitlement.mapping import Line
from niteoweb.click2sell.entitlement.mapping import MappingError
from niteoweb.click2sell.entitlement.mapping import MOST_DAYS
from niteoweb.click2sell.entitlement.mapping import parse
from niteoweb.click2sell.entitlement.mapping import Product
from niteoweb.click2sell.entitlement.outcome import compute
from niteoweb.click2sell.entitlement.outcome import Entitlement
from niteoweb.click2sell.entitlement.outcome import merged
from niteoweb.click2sell.entitlement.outcome import Outcome
from niteoweb.click2sell.entitlement.outcome import Policy
from niteoweb.click2sell.entitlement.period import ProductPeriod
from niteoweb.click2sell.entitlement.period import State
from niteoweb.click2sell.entitlement.provisional import AT_MOST
from niteoweb.click2sell.entitlement.provisional import may_be_given
from niteoweb.click2sell.entitlement.reason import ABOUT_ACCOUNT
from niteoweb.click2sell.entitlement.reason import ABOUT_GROUP
from niteoweb.click2sell.entitlement.reason import GRANTS_NOTHING
from niteoweb.click2sell.entitlement.reason import Reason
from niteoweb.click2sell.entitlement.reason import TAKES_EFFECT
from niteoweb.click2sell.entitlement.reason import WAITS_FOR_BUYER


__all__ = [
    *["mapping", "past", "ABOUT_ACCOUNT", "ABOUT_GROUP", "AT_MOST", "BillingEvent", "Chain"],
    *["compute", "Entitlement", "GRANTS_NOTHING", "Line", "MappingError", "may_be_given"],
    *["merged", "MOST_DAYS", "OPEN", "Outcome", "parse", "Policy", "Product"],
    *["ProductPeriod", "Reason", "State", "TAKES_EFFECT", "TOLERANCE", "WAITS_FOR_BUYER"],
]
