"""Whether a customer has a right of access: as plenigo says, said lately, or the site knows.

plenigo's answer is remembered in the process, for as long as the settings and plenigo allow. It
is forgotten with each change of the member's record, which everything that plenigo tells makes.
While plenigo cannot be asked, its last answer counts for some hours, then what was bought
according to the ledger; without either there is no access.
"""

from collections import OrderedDict
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.paywall import Decision
from niteoweb.click2sell.provider import JsonApi
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import NotFound
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.plenigo import client
from niteoweb.click2sell.providers.plenigo import protocol
from niteoweb.click2sell.providers.plenigo import tie
from typing import Any
from zope.annotation.interfaces import IAnnotations
from zope.globalrequest import getRequest

import threading
import time


#: Answers that a process remembers, at most.
MOST = 10_000
#: How long a "no" is remembered: who has just bought must get in.
NO_AT_MOST = timedelta(seconds=30)
SITE = "site"
#: The header with the session of a customer, who is asked about in its own name.
SESSION = "X-plenigo-customer-session"

_UNTIL = "niteoweb.click2sell.plenigo.until"


@dataclass(frozen=True)
class Answer:
    """An answer of plenigo.

    :ivar until: end of the access, None where there is none.
    :ivar keep_until: when plenigo has to be asked again.
    """

    granted: bool
    read_at: datetime
    keep_until: datetime
    until: datetime | None = None


_answers: OrderedDict[tuple[Any, ...], Answer] = OrderedDict()
_lock = threading.Lock()


def of_member(site: Any, user_id: str, rights: Iterable[str]) -> Decision:
    """Whether a member has one of some rights."""
    provider, rights, now = registry.get(protocol.NAME), frozenset(rights), timestamps.now()
    stored, customer_id = registry.settings(provider), tie.customer_of(site, user_id)
    if not (customer_id and stored.api_token and registry.is_enabled(provider)):
        return _by_site(site, user_id, rights, now)
    revision = buyers.of_user(site, user_id)["revision"]
    key = (site.getPhysicalPath(), stored.api_url, customer_id, rights, revision)
    with _lock:
        known = _answers.get(key)
    if known is not None and known.read_at <= now < known.keep_until:
        return _decided(known)
    answer = _ask(stored, customer_id, rights, now)
    if answer is not None:
        with _lock:
            _answers[key] = answer
            _answers.move_to_end(key)
            while len(_answers) > MOST:
                _answers.popitem(last=False)
        return _decided(answer)
    grace = timedelta(hours=stored.access_grace_hours or 0)
    if known is not None and now < min(known.read_at + grace, known.until or timestamps.LAST):
        return _decided(known, certain=False)
    return _by_site(site, user_id, rights, now, certain=False)


def of_session(session: str, rights: Iterable[str]) -> Decision:
    """Whether a customer who has a session at plenigo has one of some rights."""
    provider, now = registry.get(protocol.NAME), timestamps.now()
    stored = registry.settings(provider)
    try:
        with _limit():
            headers = {SESSION: session}
            api = JsonApi(stored.customer_api_url or "", headers, codes=client.CODES)
            return _decided(_read(api, ("accessRights",), rights, now, timedelta()))
    except (Unreachable, Refused):
        return Decision(False, certain=False)


def _ask(stored: Any, customer_id: str, rights: frozenset[str], now: datetime) -> Answer | None:
    """plenigo's answer, None for no answer: a wrong token must not keep everybody out."""
    keep = timedelta(seconds=stored.access_seconds or 0)
    try:
        with _limit():
            api = client.connect(stored)
            return _read(api, ("accessRights", customer_id), rights, now, keep)
    except NotFound:
        return Answer(False, now, now + min(keep, NO_AT_MOST))
    except (Unreachable, Refused):
        return None


def _read(
    api: JsonApi, path: tuple[str, ...], rights: Iterable[str], now: datetime, keep: timedelta
) -> Answer:
    query = {"accessRightUniqueIds": ",".join(sorted(rights))}
    body = api.ask("GET", *path, "hasAccess", query=query, repeat=False).body
    with jsonapi.reading():
        granted, blocked = body.boolean("accessGranted"), body.boolean("customerBlocked")
        giving = [one for one in body.parts("items") if one.boolean("accessGranted")]
        ends = [one.moment("lifeTimeEnd") for one in giving]
        limits = [one.moment("maxCacheDate") for one in giving]
    if granted is None:
        raise Unreachable("answer unreadable")
    if blocked or not granted:
        return Answer(False, now, now + min(keep, NO_AT_MOST))
    until = max(ends) if ends and None not in ends else None
    return Answer(True, now, min([now + keep, *filter(None, (*limits, until))]), until)


@contextmanager
def _limit() -> Iterator[None]:
    """Ask inside of the second that a request may wait for all of its questions."""
    request = getRequest()
    notes = {} if request is None else IAnnotations(request)
    until = notes.setdefault(_UNTIL, time.monotonic() + jsonapi.REQUEST)
    with jsonapi.within(until - time.monotonic()):
        yield


def _decided(answer: Answer, certain: bool = True) -> Decision:
    source = protocol.NAME if answer.granted else ""
    return Decision(answer.granted, source, certain, answer.until, answer.read_at)


def _by_site(
    site: Any, user_id: str, rights: frozenset[str], now: datetime, certain: bool = True
) -> Decision:
    """Whether the member has bought one of the rights, according to the ledger."""
    buyer = buyers.of_user(site, user_id)
    if buyer is None:
        return Decision(False, certain=certain)
    outcome = history.outcome(site, buyer, now)
    for product in outcome.live:
        name, product_id = product
        ids = {product_id, *outcome.aliases.get(product, ())}
        if name == protocol.NAME and not rights.isdisjoint(ids):
            return Decision(True, SITE, certain, outcome.endings.get(product), now)
    return Decision(False, certain=certain)
