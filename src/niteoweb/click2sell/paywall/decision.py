"""The decision whether the visitor may read a page behind the paywall.

The rules, the first that applies:

1. Who may change the page reads it.
2. Nobody is let in without being logged in to this site.
3. Members of one of the page's groups read it.
4. A provider that has a decider says so; a provider may not be certain.

Without a rule that lets the visitor in, the page stays closed.
"""

from AccessControl import getSecurityManager
from dataclasses import dataclass
from datetime import datetime
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.member import visitor
from niteoweb.click2sell.paywall import behavior
from niteoweb.click2sell.provider import registry
from Products.CMFCore.permissions import ModifyPortalContent
from typing import Any
from zope.annotation.interfaces import IAnnotations
from zope.globalrequest import getRequest


#: Sources of a decision, beside the names of providers.
NO_PAYWALL, EDITOR, GROUP = "", "editor", "group"

_MEMO = "niteoweb.click2sell.paywall"


@dataclass(frozen=True)
class Decision:
    """Whether the visitor may read a page.

    :ivar source: of a yes.
    :ivar certain: False where a provider could not be asked: then nothing is offered, or
        people would buy what they have.
    :ivar until: end of the access, None where it is not known.
    :ivar checked_at: when the source was asked, None where it is this moment.
    """

    granted: bool
    source: str = ""
    certain: bool = True
    until: datetime | None = None
    checked_at: datetime | None = None


def decide(content: Any) -> Decision:
    """Decide whether the visitor may read a content object."""
    page = behavior.guarded(content)
    if page is None:
        return Decision(True, NO_PAYWALL)
    request = getRequest()
    if request is not None:
        # Whatever is answered is for this visitor, and at this moment.
        request.response.setHeader("Cache-Control", "private, no-store")
    security = getSecurityManager()
    if security.checkPermission(ModifyPortalContent, content):
        return Decision(True, EDITOR)
    user_id = visitor.member_id(plone_site.get())
    if not user_id:
        return Decision(False)
    if not set(behavior.access_groups(page)).isdisjoint(security.getUser().getGroups()):
        return Decision(True, GROUP)
    memo = {} if request is None else IAnnotations(request).setdefault(_MEMO, {})
    key = (page.getPhysicalPath(), user_id)
    if key not in memo:
        memo[key] = _ask_deciders(page, user_id)
    return memo[key]


def _ask_deciders(page: Any, user_id: str) -> Decision:
    decisions = [
        one.paywall.decide(page, user_id)
        for one in registry.registered()
        if one.paywall is not None and one.paywall.guards(page)
    ]
    for decision in decisions:
        if decision.granted:
            return decision
    return Decision(False, certain=all(decision.certain for decision in decisions))
