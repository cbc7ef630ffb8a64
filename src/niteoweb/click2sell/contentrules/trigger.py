"""Content rules: access that begins or ends as a trigger, for mails of the owner's own.

The events are fired after the commit, outside the lock, each with a transaction of its own. So
a rule that fails, because the mail server refuses for example, loses no purchase and holds up
no other member's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.interfaces import IAccessEndsSoonEvent
from niteoweb.click2sell.interfaces import IAccessEvent
from niteoweb.click2sell.interfaces import IAccessGrantedEvent
from niteoweb.click2sell.interfaces import IAccessRevokedEvent
from niteoweb.click2sell.storage import log_failure
from plone import api
from plone.app.contentrules import handlers
from plone.contentrules.engine.assignments import KEY
from plone.contentrules.engine.interfaces import IRuleStorage
from plone.stringinterp.interfaces import IContextWrapper
from typing import Any
from zope.annotation.interfaces import IAnnotations
from zope.component import adapter
from zope.component import queryUtility
from zope.interface import alsoProvides
from zope.interface import Interface

import logging
import threading
import traceback
import transaction


logger = logging.getLogger("niteoweb.click2sell")

#: The events that rules can be made for.
TRIGGERS = (IAccessGrantedEvent, IAccessRevokedEvent, IAccessEndsSoonEvent)


class IOccasion(Interface):
    """The object that a rule acts on: the site, with the event as ``access_event``.

    The substitutions of :mod:`niteoweb.click2sell.contentrules.substitutions` are for it, and
    for nothing else.
    """


@adapter(IAccessEvent)
def run(event: IAccessEvent) -> None:
    """Run the rules of the site root for access that began or ended.

    They run as the member concerned, so that conditions and substitutions that ask for the
    current user mean the member. On a copy of the site none runs: it would mail true members.
    """
    site = plone_site.get()
    if not _rules(site, event) or plone_site.is_copy():
        return
    user = api.portal.get_tool("acl_users").getUserById(event.user_id)
    if user is None:
        return
    occasion = IContextWrapper(site)
    alsoProvides(occasion, IOccasion)
    # The mail action asks the event for its object, which others' subscribers need not see.
    trigger = copy(event)
    trigger.object = occasion(access_event=event)
    before = transaction.savepoint(optimistic=True)
    try:
        with api.env.adopt_user(user=user), _no_addresses_in_the_log():
            handlers.execute(site, trigger)
    except Exception as error:
        before.rollback()
        log_failure(f"A content rule for {type(event).__name__} failed", error)


def remove_rules() -> None:
    """Remove the rules for our triggers.

    They could never run any more, and without the add-on's package Plone's list of content
    rules fails at the first of them.
    """
    storage = queryUtility(IRuleStorage)
    for name, rule in list(storage.items() if storage is not None else ()):
        if rule.event in TRIGGERS:
            logger.warning("The content rule %r is removed with its trigger.", rule.title)
            del storage[name]


def _rules(site: Any, event: IAccessEvent) -> list[Any]:
    """The rules to run; asking the adapter for them would write to a site that has none."""
    assigned = IAnnotations(site).get(KEY)
    storage = queryUtility(IRuleStorage)
    if not assigned or storage is None or not storage.active:
        return []
    return assigned.getRules(event)


@contextmanager
def _no_addresses_in_the_log() -> Iterator[None]:
    """Log errors of the mail action without their messages, which name the recipients."""
    thread = threading.get_ident()

    def without_message(record: logging.LogRecord) -> bool:
        if record.thread == thread and record.exc_info:
            kind, _error, where = record.exc_info
            text = f"{record.getMessage()}: {kind.__name__}"
            record.msg, record.args = "%s\n%s", (text, "".join(traceback.format_tb(where)))
            record.exc_info = None
        return True

    actions = logging.getLogger("plone.contentrules")
    actions.addFilter(without_message)
    try:
        yield
    finally:
        actions.removeFilter(without_message)
