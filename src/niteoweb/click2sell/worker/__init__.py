"""Work without a delivery: the sweep, its report, and catching up with providers."""

from niteoweb.click2sell.worker import breaker
from niteoweb.click2sell.worker import catchup
from niteoweb.click2sell.worker import clock
from niteoweb.click2sell.worker import sweep
from niteoweb.click2sell.worker.report import SweepReport


__all__ = ["breaker", "catchup", "clock", "sweep", "SweepReport"]
