"""Acts of an owner: grant, extend, end, decide, import, reconcile, and their previews."""

from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import candidates
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.owner import forms
from niteoweb.click2sell.owner import importfile
from niteoweb.click2sell.owner import importing
from niteoweb.click2sell.owner import reconcile
from niteoweb.click2sell.owner import several
from niteoweb.click2sell.owner import trial
from niteoweb.click2sell.owner import undo
from niteoweb.click2sell.owner.action import Action
from niteoweb.click2sell.owner.action import NotPossible


__all__ = [
    *["action", "candidates", "commands", "decisions", "forms", "importfile", "importing"],
    *["reconcile", "several", "trial", "undo", "Action", "NotPossible"],
]
