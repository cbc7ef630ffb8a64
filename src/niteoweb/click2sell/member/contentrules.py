"""Content rules: held back while a member is made, run when the member is committed.

Plone runs the rules for "User created" in the middle of making a member. One that mails through
a server that hangs would hold the lock of provisioning, and one that has mailed cannot be
rolled back with the member.

Plone keeps in a filter of the thread whether rules are running and which have run. It goes by a
user's path, which is the user folder's for all of them, so that of two members who are made in
one request the second would have no rules. And a rule that fails leaves the filter closed. So
each event of ours gets a filter of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from niteoweb.click2sell import site as plone_site
from plone.app.contentrules import handlers
from plone.contentrules.engine.interfaces import IRuleAssignmentManager
from plone.contentrules.engine.interfaces import IRuleStorage
from Products.PluggableAuthService.events import PrincipalCreated
from zope.component import adapter
from zope.component import queryUtility


class UserCreatedRules:
    """Says that the content rules that were held back for a new member may run now."""

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id


@contextmanager
def held_back() -> Iterator[None]:
    """Run no content rules inside."""
    with _own_filter(in_progress=True, cascade=False):
        yield


@contextmanager
def afresh() -> Iterator[None]:
    """Run content rules inside, although they may have run in this request before.

    Inside of a rule that is running they run only if that rule allows others.
    """
    handlers.init()
    outer = handlers._status.rule_filter
    with _own_filter(outer.in_progress, outer.cascade):
        yield


@adapter(UserCreatedRules)
def run(event: UserCreatedRules) -> None:
    """Run the content rules for a new member, as Plone would have done."""
    if not _any_rules():
        return
    user = plone_site.tool("acl_users").getUserById(event.user_id)
    # A subscriber of another event may have deleted the member.
    if user is not None:
        handlers.user_created(PrincipalCreated(user))


def _any_rules() -> bool:
    """Whether the site has rules for new members; looking a member up costs much more."""
    storage = queryUtility(IRuleStorage)
    if storage is None or not storage.active:
        return False
    rules = IRuleAssignmentManager(plone_site.get(), None)
    return rules is not None and bool(rules.getRules(PrincipalCreated(None)))


@contextmanager
def _own_filter(in_progress: bool, cascade: bool) -> Iterator[None]:
    handlers.init()
    outer = handlers._status.rule_filter
    handlers._status.rule_filter = own = handlers.DuplicateRuleFilter()
    own.in_progress, own.cascade = in_progress, cascade
    try:
        yield
    finally:
        handlers._status.rule_filter = outer
