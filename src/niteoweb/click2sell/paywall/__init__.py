"""The paywall: pages whose body only buyers read; all others read a teaser with offers.

Who may read is decided here, by groups and by the deciders of providers, see
:mod:`~niteoweb.click2sell.paywall.decision`. Every way to the body of a page asks for it.
"""

from niteoweb.click2sell.paywall import behavior
from niteoweb.click2sell.paywall import decision
from niteoweb.click2sell.paywall import gate
from niteoweb.click2sell.paywall import teaser
from niteoweb.click2sell.paywall.decision import Decision


__all__ = ["Decision", "behavior", "decision", "gate", "teaser"]
