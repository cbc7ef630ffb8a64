"""Whether a provider has been silent for unusually long for this site.

A provider that cannot deliver looks like subscribers who do not renew. While it is silent, no
subscription of it is ended because a renewal is missing. One that is polled is silent when it
was not asked, or has not answered.
"""

from collections.abc import Collection
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from itertools import islice
from itertools import pairwise
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.entitlement import Chain
from niteoweb.click2sell.entitlement import Outcome
from niteoweb.click2sell.entitlement import Product
from niteoweb.click2sell.ledger import facets
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.notification import MIGRATION
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.notification import VALIDATION
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.storage import trees
from typing import Any


#: Never unusual, however busy the site.
AT_LEAST = timedelta(hours=24)
#: Arrivals that tell the usual pauses of the site.
ARRIVALS = 100
#: Silence is unusual when it is longer than the longest pause between those, this many times.
TIMES = 2
#: After its first word a provider needs a while to deliver all that could not be delivered.
CATCHING_UP = timedelta(hours=24)
#: The providers of the site's own entries; nobody waits for these.
OWN = frozenset({MIGRATION, OWNER, VALIDATION})


def longest_usual(arrivals: Sequence[datetime]) -> timedelta | None:
    """The longest silence that is nothing unusual after these arrivals.

    :param arrivals: the latest first.
    :returns: None when there are too few to tell.
    """
    if len(arrivals) < 3:
        return None
    longest = max(later - earlier for later, earlier in pairwise(arrivals))
    return max(AT_LEAST, TIMES * longest)


def silent(site: Any, now: datetime) -> dict[str, datetime]:
    """The providers that are silent for unusually long, or were until a moment ago.

    :param now: in UTC.
    :returns: with the last arrival before the silence, in UTC.
    """
    silent_since = {}
    for provider in providers(site):
        if provider in OWN:
            continue
        if is_polled(provider):
            last = asked(site, provider)
            if last is not None and now - last <= AT_LEAST:
                continue
        else:
            last = _last_before_silence(arrivals(site, provider, now), now)
        if last is not None:
            silent_since[provider] = last
    return silent_since


def held(
    site: Any, live: Collection[Product], outcome: Outcome, now: datetime
) -> tuple[Product, ...]:
    """Products that wait for a renewal of a provider that cannot be heard.

    :param live: the products with access until now.
    :param outcome: of the buyer's whole history.
    :param now: in UTC.
    """
    over = set(live) - outcome.products(now)
    return tuple(sorted(product for product in over if awaited(site, product, outcome, now)))


def awaited(site: Any, product: Product, outcome: Outcome, now: datetime) -> list[Chain]:
    """The chains of a product that wait for a renewal of a provider that cannot be heard.

    One that was over before the silence began does not, nor does that of a customer whom the
    provider keeps out.
    """
    over = [timeline for timeline in outcome.renewing(product) if timeline.limit <= now]
    if not over or any(one.suspended for one in outcome.entitlements if one.product == product):
        return []
    since = silent(site, now).get(product[0], now)
    return [timeline.chain for timeline in over if since < timeline.limit]


def arrivals(site: Any, provider: str, now: datetime | None = None) -> list[datetime]:
    """The latest arrivals, the latest first; the index alone is read.

    :param now: in UTC: without those after it, by a clock that was ahead.
    """
    first = None if now is None else -timestamps.microseconds(now)
    filed = ledger.filed(site, provider=provider).between(first)
    return [timestamps.from_microseconds(-place) for place in islice(filed, ARRIVALS)]


def providers(site: Any) -> tuple[str, ...]:
    """The providers that ever sent a notification to this site."""
    return facets.values(site, "provider")


def is_polled(name: str) -> bool:
    """Whether a provider is asked: no news of it is nothing unusual then, not asking is."""
    provider = registry.get(name)
    return provider is not None and provider.poll is not None


def asked(site: Any, name: str) -> datetime | None:
    """The time at which a provider had answered all that it was to be asked, in UTC."""
    stored = trees.tree(site, "remarks").get(f"asked {name}")
    return None if stored is None else timestamps.from_iso(stored)


def note_asked(site: Any, name: str, now: datetime) -> None:
    """Note that a provider has answered all that it was to be asked.

    :param now: in UTC.
    """
    trees.tree(site, "remarks")[f"asked {name}"] = timestamps.iso(now)


def _last_before_silence(arrivals: Sequence[datetime], now: datetime) -> datetime | None:
    heard_again = now
    for position, last in enumerate(arrivals):
        usual = longest_usual(arrivals[position:])
        if usual is None or now - heard_again > CATCHING_UP:
            return None
        if heard_again - last > usual:
            return last
        heard_again = last
    return None
