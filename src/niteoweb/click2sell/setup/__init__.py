"""Set-up: the checklist, and the adoption of members of release 0.4.5."""

from niteoweb.click2sell.setup import adoption
from niteoweb.click2sell.setup import checklist
from niteoweb.click2sell.setup import lastrun
from niteoweb.click2sell.setup import providerchecks
from niteoweb.click2sell.setup.check import Check
from niteoweb.click2sell.setup.check import Status


__all__ = ["adoption", "checklist", "lastrun", "providerchecks", "Check", "Status"]
