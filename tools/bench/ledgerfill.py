"""Fill a site with the ledger of years: ``python -m tools.bench.ledgerfill FOLDER ENTRIES``.

The add-on's own functions write down, file and provision every notification of histories.py.
They are given trees in memory, which go into the database at the end, each record once, and in
the place of Plone's user folder a list of accounts, which goes there too. A renewal that
changes nothing but its own entry is not provisioned. The tests compare what comes of that with
what the ordinary road leaves in the database.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import ExitStack
from datetime import datetime
from datetime import timezone
from functools import cache
from niteoweb.click2sell import console
from pathlib import Path
from tools.bench import histories
from tools.bench.accounts import Accounts
from tools.demo import settings as demo
from tools.instance import CONFIGURATION
from types import SimpleNamespace
from typing import Any
from unittest import mock

import gc
import logging
import sys
import time


#: Buyers in a commit.
BATCH = 1000


class NotEmpty(Exception):
    """The site has a ledger already; only an empty one can be filled."""


def fill(site: Any, entries: int, end: datetime) -> None:
    """Fill an empty site.

    :param entries: how many notifications, a multiple of :data:`.histories.EACH`.
    :param end: the present, in UTC.
    :raises NotEmpty: the ledger is not empty.
    """
    fill_buyers(site, range(entries // histories.EACH), end)


def fill_buyers(site: Any, numbers: Iterable[int], end: datetime) -> None:
    """Fill an empty site with the histories of some buyers.

    :param numbers: of the buyers; the first of a cycle of histories is there if any of it is.
    :param end: the present, in UTC.
    :raises NotEmpty: the ledger is not empty.
    """
    from niteoweb.click2sell import group
    from niteoweb.click2sell import ledger

    if ledger.count(site):
        raise NotEmpty
    if not group.exists(demo.BUYERS_GROUP):
        group.make(demo.BUYERS_GROUP, "Click2Sell")
    filling = Filling(site, end)
    gc.collect()
    # Millions of objects that all stay: looking for garbage among them takes most of the time.
    gc.disable()
    try:
        with filling.begun():
            for position, number in enumerate(numbers, 1):
                filling.add(number)
                if position % BATCH == 0:
                    filling.save()
            filling.save()
        filling.finish()
    finally:
        gc.unfreeze()
        gc.enable()


class Filling:
    """A ledger that is being filled.

    :param end: the present, in UTC.
    """

    def __init__(self, site: Any, end: datetime) -> None:
        from niteoweb.click2sell import store

        self._site, self._end = site, end
        self._trees = {name: factory() for name, factory in store.TREES.items()}
        self._accounts = Accounts(site)
        self._now = end
        #: Records that are not in the database yet.
        self._unsaved: list[Any] = []

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Put trees in memory in the place of those in the database, and so on."""
        from niteoweb.click2sell import account
        from niteoweb.click2sell import figures
        from niteoweb.click2sell import group
        from niteoweb.click2sell import interfaces
        from niteoweb.click2sell import member
        from niteoweb.click2sell import memberindex
        from niteoweb.click2sell import provisioning
        from niteoweb.click2sell import search
        from niteoweb.click2sell import site as plone_site
        from niteoweb.click2sell import store

        self._follow = (figures.follow_payments, search.file)
        settings = plone_site.settings()
        known = SimpleNamespace(
            **{name: getattr(settings, name) for name in interfaces.IClick2SellSettings}
        )
        accounts, filling = self._accounts, self

        class Clock(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:
                return filling._now.astimezone(tz)

        replaced = (
            (store, "tree", lambda _site, name: self._trees[name]),
            (provisioning, "datetime", Clock),
            # What follows from all of a buyer's notifications is worked out once.
            (figures, "follow_payments", lambda _site, _buyer: None),
            (search, "file", lambda _site, _buyer: None),
            # These do not change meanwhile.
            *(
                (plone_site, name, _always(getattr(plone_site, name)()))
                for name in ("mapping", "policy", "timezone", "mail_domain")
            ),
            (plone_site, "settings", _always(known)),
            (group, "problem", cache(group.problem)),
            (group, "exists", cache(group.exists)),
            (group, "contains", accounts.contains),
            (group, "grant", accounts.grant),
            (group, "revoke", accounts.revoke),
            (account, "find", accounts.find),
            (member, "create", accounts.create),
            (member, "fields", accounts.fields),
            (member, "set_fields", accounts.set_fields),
            (member, "password_print", accounts.password_print),
            (memberindex, "_facts", lambda user_id: (user_id, user_id)),
        )
        logger = logging.getLogger("niteoweb.click2sell")
        level = logger.level
        with ExitStack() as stack:
            for of, name, replacement in replaced:
                stack.enter_context(mock.patch.object(of, name, replacement))
            stack.callback(logger.setLevel, level)
            # A line for each notification that needs attention.
            logger.setLevel(logging.CRITICAL)
            yield

    def add(self, number: int) -> None:
        """Add a buyer."""
        from niteoweb.click2sell import buyer as buyers
        from niteoweb.click2sell import ledger
        from niteoweb.click2sell import outbox

        self._keys: list[str] = []
        self._mails: list[str] = []
        for arrival in histories.history(number, self._end):
            self._now = arrival.at
            if not arrival.form:
                self._sweep(number)
            elif arrival.broken:
                self._broken(arrival)
            else:
                self._arrived(arrival)
        buyer = buyers.of_address(self._site, histories.buyer_address(number))
        for follow in self._follow:
            follow(self._site, buyer)
        self._unsaved.append(buyer)
        self._unsaved += [ledger.get(self._site, key) for key in self._keys]
        self._unsaved += [outbox.get(self._site, mail_id) for mail_id in self._mails]

    def save(self) -> None:
        """Write the records of the buyers so far, and forget what is in them."""
        import transaction

        connection = self._site._p_jar
        for record in self._unsaved:
            connection.add(record)
        transaction.commit()
        for record in self._unsaved:
            record._p_deactivate()
        self._unsaved.clear()
        # What is left stays to the end.
        gc.collect()
        gc.freeze()

    def finish(self) -> None:
        """Put the trees into the database, and the accounts."""
        from niteoweb.click2sell import store
        from zope.annotation.interfaces import IAnnotations

        import transaction

        store.install(self._site)
        root = IAnnotations(self._site)[store.KEY]
        while self._trees:
            name, tree = self._trees.popitem()
            root[name] = tree
            transaction.commit()
            del tree
            self._site._p_jar.cacheMinimize()
        self._accounts.save()
        transaction.commit()
        self._site._p_jar.cacheMinimize()

    def _arrived(self, arrival: histories.Arrival) -> None:
        from niteoweb.click2sell import arrival as arriving
        from niteoweb.click2sell import binding
        from niteoweb.click2sell import buyer as buyers
        from niteoweb.click2sell import entrynote
        from niteoweb.click2sell import ledger
        from niteoweb.click2sell import provisioning
        from niteoweb.click2sell import retry
        from niteoweb.click2sell import site as plone_site

        site, now = self._site, arrival.at
        notification = histories.read(arrival, plone_site.timezone())
        entry = arriving.write_down(site, notification, now)
        self._keys.append(entry["key"])
        if arrival.tried_at:
            for at in arrival.tried_at:
                entry["attempts"] += 1
                entrynote.note_failure(entry, "TimeoutError\n", at)
                retry.note(site, entry, at)
            ledger.finish(site, entry, ledger.FAILED)
        elif arrival.quiet:
            buyer = buyers.get(site, entry["buyer_id"])
            entry["attempts"] += 1
            ledger.change(entry, counts=True)
            binding.bind(site, entry)
            ledger.finish(site, entry, ledger.ACCEPTED)
            buyer["revision"] += 1
        else:
            _plan, done = provisioning._provision_entry(site, entry["key"], False)
            self._mail(done.mail_id)

    def _mail(self, mail_id: str) -> None:
        """Send a mail, without sending it."""
        from niteoweb.click2sell import outbox

        if mail_id:
            mail = outbox.get(self._site, mail_id)
            outbox.sent(self._site, mail)
            self._mails.append(mail_id)

    def _broken(self, arrival: histories.Arrival) -> None:
        from niteoweb.click2sell import arrival as arriving
        from niteoweb.click2sell import ledger

        told = histories.broken(arrival)
        entry = arriving.broken_recorder(*told)(self._site, arrival.at)
        self._keys.append(entry["key"])
        if entry["outcome"] != ledger.ATTENTION:
            raise AssertionError(entry["outcome"])

    def _sweep(self, number: int) -> None:
        from niteoweb.click2sell import buyer as buyers
        from niteoweb.click2sell import plan as plans
        from niteoweb.click2sell import provisioning

        buyer = buyers.of_address(self._site, histories.buyer_address(number))
        plan = plans.make(self._site, buyer, self._now, despite_silence=True)
        provisioning.perform(self._site, plan, None)


def _always(value: Any) -> Callable[[], Any]:
    return lambda: value


def main(folder: str, entries: str) -> None:
    begin = time.monotonic()
    with console.opened(Path(folder) / CONFIGURATION, None) as site:
        fill(site, int(entries), datetime.now(timezone.utc))
    sys.stderr.write(f"{entries} entries in {time.monotonic() - begin:.0f} s\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
