"""Work without a delivery: the sweep, its report, and catching up with providers."""

from niteoweb.click2sell.worker import clock
from niteoweb.click2sell.worker import sweep


__all__ = ["clock", "sweep"]
