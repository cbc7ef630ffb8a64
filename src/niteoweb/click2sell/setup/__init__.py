"""Set-up: the entry of Site Setup, the checklist, the adoption of members of 0.4.5."""

from niteoweb.click2sell.setup import adoption
from niteoweb.click2sell.setup import checklist
from niteoweb.click2sell.setup import configlet
from niteoweb.click2sell.setup import lastrun
from niteoweb.click2sell.setup import memberspage
from niteoweb.click2sell.setup import providerchecks
from niteoweb.click2sell.setup.check import Check
from niteoweb.click2sell.setup.check import duration
from niteoweb.click2sell.setup.check import Status


__all__ = [
    *["adoption", "checklist", "configlet", "lastrun", "memberspage", "providerchecks"],
    *["Check", "duration", "Status"],
]
