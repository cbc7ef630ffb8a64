"""Whether a provider has been silent for unusually long for this site.

A provider that cannot deliver looks like subscribers who do not renew. While it is silent, no
subscription of it is ended for want of a renewal.
"""

from datetime import datetime
from datetime import timedelta
from itertools import islice
from itertools import pairwise
from niteoweb.click2sell import ledger
from niteoweb.click2sell import store
from typing import Any


#: Never unusual, however busy the site.
AT_LEAST = timedelta(hours=24)
#: Arrivals that tell what is usual for the site.
ARRIVALS = 100
#: Silence is unusual when it is longer than the longest pause between those, this many times.
TIMES = 2


def longest_usual(site: Any, provider: str) -> timedelta | None:
    """The longest silence of a provider that is nothing unusual for this site.

    :returns: None when there were too few arrivals to tell.
    """
    arrivals = _arrivals(site, provider)
    if len(arrivals) < 3:
        return None
    longest = max(later - earlier for later, earlier in pairwise(arrivals))
    return max(AT_LEAST, TIMES * timedelta(microseconds=longest))


def silent(site: Any, now: datetime) -> dict[str, datetime]:
    """The providers that are silent for unusually long, with their last arrival, in UTC.

    :param now: in UTC.
    """
    found = {}
    for provider in providers(site):
        usual = longest_usual(site, provider)
        if usual is None:
            continue
        last = ledger.from_microseconds(_arrivals(site, provider)[0])
        if now - last > usual:
            found[provider] = last
    return found


def providers(site: Any) -> tuple[str, ...]:
    """The providers that ever sent a notification to this site."""
    prefix = "provider="
    return tuple(
        name.removeprefix(prefix)
        for name in store.tree(site, "facets").keys(min=prefix, max=prefix + "\uffff")
    )


def _arrivals(site: Any, provider: str) -> list[int]:
    """Microseconds of the latest arrivals, the latest first; the index alone is read."""
    filed = store.tree(site, "facets").get(f"provider={provider}", ())
    return [-time for time, _key in islice(filed, ARRIVALS)]
