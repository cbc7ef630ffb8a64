"""The add-on's trees: all of them are kept in one annotation of the site root.

Each is a BTree or a mapping of plain values. :class:`Tree`, :class:`TreeSet` and
:class:`niteoweb.click2sell.storage.record.Record` are stored by name, which must not change; no
other class of ours is stored.
"""

from Acquisition import aq_base
from BTrees.OOBTree import OOBTree
from BTrees.OOBTree import OOTreeSet
from collections.abc import Callable
from hashlib import sha256
from persistent.mapping import PersistentMapping
from typing import Any
from zope.annotation.interfaces import IAnnotations

import json
import transaction


KEY = "niteoweb.click2sell"

#: Key under which a transaction keeps the annotations of sites that it has looked up.
_KNOWN = object()


class _Short:
    """Sizes of a tree's records: a record is written whole for one of its keys.

    BTrees have 30 and 250 by default. A purchase adds a key to some twenty trees, and writes a
    third of the bytes with these. With fewer keys below each other it would write hardly less,
    and look a key up through more records.
    """

    max_leaf_size = 8
    max_internal_size = 8


class Tree(_Short, OOBTree):
    """An OOBTree of short records."""


class TreeSet(_Short, OOTreeSet):
    """An OOTreeSet of short records."""


#: The trees and their types.
TREES = {
    # index.py
    "member_addresses": Tree,  # lower-cased e-mail address -> tuple of user ids
    "member_logins": Tree,  # lower-cased login name -> tuple of user ids
    # user id -> (address, login name, *further addresses), each "" where it is the user id
    "member_ids": Tree,
    "members_edited": TreeSet,  # number(user id) of accounts whose address proves nothing
    "members_gone": TreeSet,  # number(user id) of accounts that were deleted
    "local_roles_left": TreeSet,  # user ids of deleted accounts, see localroles.py
    # ledger.py
    "entries": Tree,  # place, see entries.py -> entry
    "entry_places": Tree,  # number(key) -> place
    # facets.py
    "facets": Tree,  # (outcome, provider, kind, product id) -> set of places
    "counts": Tree,  # values as in facets -> Length
    "transactions": Tree,  # number(provider, transaction) -> see ownership.py
    # Owners' corrections: (provider of the purchase, transaction) or ("", address)
    # -> the right address
    "corrected": Tree,
    "dismissed": TreeSet,  # keys of refused entries that an owner has dismissed
    # retryqueue.py: (provider that it waits for or "", time as stored, place)
    "retries": TreeSet,
    # Places of entries that wait for the owner, who was not told yet: no index, since nothing
    # else says what a mail has told.
    "untold": TreeSet,
    "money": TreeSet,  # (microseconds at which money moved, place)
    "money_by_day": Tree,  # day -> sums, or a mark; "" -> time zone, see daysums.py
    # buyers.py
    "buyers": Tree,  # buyer id -> record
    "buyer_by_address": Tree,  # lower-cased address -> buyer id
    "buyer_by_user": Tree,  # user id -> buyer id, where the user id is none of the addresses
    "buyer_by_customer": Tree,  # (provider, its id of the customer) -> buyer id
    # (provider, its id of a customer nobody is known for, key of the entry that names only it)
    "customers_awaited": TreeSet,
    # transfer.py: number(provider, subscription) -> place of its latest statement
    "delivered_to": Tree,
    "buyers_due": TreeSet,  # (time of the next change of access, buyer id)
    # (time of a run that ended access, buyer id), see sweep.py
    "access_ended": TreeSet,
    "buyers_pending": TreeSet,  # (group that could not be given, buyer id)
    # place of the latest payment -> buyer id, of those with access and of those without
    "buyers_active": Tree,
    "buyers_ended": Tree,
    # (first end of access that no renewal moves, as stored, buyer id), and how many by day
    "access_ends": TreeSet,
    "access_ends_by_day": Tree,  # day in UTC -> Length
    # search.py
    "buyer_words": TreeSet,  # word, space, of an entry its place and space, buyer id
    "nameless_words": TreeSet,  # word, space, key of an entry that names no buyer
    # validation.py
    "validations": Tree,  # id -> record of the validation
    "validations_by_time": TreeSet,  # (time at which it was asked for, id)
    "validations_pending": TreeSet,  # (provider, the shop's id of the subscription, id)
    "validations_asked": Tree,  # (provider, its id of the validation) -> our id
    # transfer.py: number(provider, the shop's id of a subscription) -> places of the first
    # entries of the provider's subscriptions for it, the present holder's last
    "holders": Tree,
    # accountquota.py
    "accounts_made": TreeSet,  # (time, buyer id) of those that the cap counts
    "accounts_awaited": TreeSet,  # (time at which it was asked for, buyer id)
    # outbox.py
    "mails": Tree,  # mail id -> mail
    "mails_due": TreeSet,  # (time of the next attempt, mail id)
    "mails_by_address": TreeSet,  # (number(lower-cased address), mail id)
    "mails_by_user": TreeSet,  # (user id, mail id), where the user id is not the address
    # hooks/receivers.py
    "hook_receivers": Tree,  # id -> receiver
    # hooks/outbox.py
    "hook_events": Tree,  # id -> event for a receiver
    "hook_queue": TreeSet,  # (receiver, microseconds of its filing, event) that waits
    "hook_given_up": TreeSet,  # the same of events that were given up
    "hook_events_by_member": TreeSet,  # (buyer id, microseconds, event)
    "hook_events_by_address": TreeSet,  # (lower-cased address, event)
    # retention.py
    "payloads_kept": TreeSet,  # places of old entries that need attention, see ledger.py
    # mentions.py: (address, key of an entry or id of a buyer) that names it and is another's
    "mentions": TreeSet,
    # erasure.py
    "erasures": Tree,  # time and a random end -> who erased or took in whom, and why
    # counters.py; rows that are filed by time have minus its microseconds in front
    "figures": Tree,  # (day, month or "", figure) -> Length
    "products_with_access": Tree,  # (provider, product id) -> Length, members
    "logins_awaited": TreeSet,  # (account made, buyer id)
    # reminders.py: (end of access, buyer id, provider, product id), not told yet
    "ends_ahead": TreeSet,
    "renewals_awaited": TreeSet,  # (expected, buyer id, provider, product id)
    "mails_failed": TreeSet,  # (filed, mail id)
    # rejections.py, alerts.py and moments.py
    "remarks": PersistentMapping,  # figures that are written now and then
}


def declare(**types: type) -> None:
    """Add trees of a provider's own, when its modules are imported; see :data:`TREES`."""
    TREES.update(types)


#: Functions that bring an index up to date before it is read, by its name.
refresh: dict[str, Callable[[], None]] = {}


def number(*texts: str) -> int:
    """A 128-bit hash of texts, as a compact key.

    A record of a tree is written whole for one of its keys, so short keys are cheap ones.
    """
    return int.from_bytes(sha256(json.dumps(texts).encode("ascii")).digest()[:16], "big")


def install(site: Any) -> None:
    """Create the annotation and all missing trees; existing ones stay."""
    annotations = IAnnotations(site)
    if KEY not in annotations:
        annotations[KEY] = PersistentMapping()
    for name, factory in TREES.items():
        if name not in annotations[KEY]:
            annotations[KEY][name] = factory()


def exists(site: Any) -> bool:
    """Whether the add-on was installed in this site."""
    return KEY in IAnnotations(site)


def tree(site: Any, name: str) -> Any:
    """A tree of :data:`TREES`, up to date.

    :raises KeyError: the add-on was not installed in this site.
    """
    if name in refresh:
        refresh[name]()
    return stored(site, name)


def stored(site: Any, name: str) -> Any:
    """A tree of :data:`TREES`, as it was written so far."""
    return _root(site)[name]


def _root(site: Any) -> PersistentMapping:
    """The mapping of all trees, looked up once in a transaction: a purchase asks 70 times."""
    current, base = transaction.get(), aq_base(site)
    try:
        known = current.data(_KNOWN)
    except KeyError:
        known = {}
        current.set_data(_KNOWN, known)
    # The site stands in the value, so that no other object can get its id meanwhile.
    _site, root = known.get(id(base), (None, None))
    # An annotation that was created in this transaction may be rolled back.
    if root is None or root._p_jar is None:
        root = IAnnotations(site)[KEY]
        known[id(base)] = base, root
    return root
