"""Rates: how often something may be asked for in some minutes.

They are counted in the memory of each process, so that nobody can fill the database by asking.
Several processes together let so many times as much through, and a restart begins anew.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.provisioning.validation import TooMany
from niteoweb.click2sell.settings import networks
from niteoweb.click2sell.timestamps import is_recent

import threading


#: The longest time in which calls are counted.
LONGEST = timedelta(minutes=10)

#: By path of the site, subject and who asks: the times of the calls that were let through; who
#: was let through last stands last.
_calls: OrderedDict[Hashable, list[datetime]] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True)
class Rate:
    """A rate.

    :ivar subject: what is counted, as the documentation has it.
    :ivar most: calls in that time.
    :ivar within: that time, :data:`LONGEST` at most.
    """

    subject: str
    most: int
    within: timedelta = timedelta(minutes=1)

    def count(self, by: str = "") -> None:
        """Count a call.

        :param by: who asks, "" for a rate of all together.
        :raises niteoweb.click2sell.provisioning.TooMany: there were as many; this one counts
            not.
        """
        now = timestamps.now()
        key = (plone_site.get().getPhysicalPath(), self.subject, by)
        with _lock:
            while _calls and not is_recent(next(iter(_calls.values()))[-1], now, LONGEST):
                _calls.popitem(last=False)
            recent = [at for at in _calls.get(key, ()) if is_recent(at, now, self.within)]
            if len(recent) >= self.most:
                raise TooMany
            _calls[key] = [*recent, now]
            _calls.move_to_end(key)


class AddressRate(Rate):
    """A rate of each address in the network; all IPv6 addresses of one network count as one."""

    def count(self, by: str = "") -> None:
        """Count a call, see :meth:`Rate.count`.

        :param by: the address that asks; all those that cannot be read, "", count together.
        """
        super().count(networks.subscriber(by))
