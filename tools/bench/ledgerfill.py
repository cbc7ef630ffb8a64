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
from niteoweb.click2sell.command import console
from niteoweb.click2sell.ledger import Outcome
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
    from niteoweb.click2sell.ledger import ledger
    from niteoweb.click2sell.member import group

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
        from niteoweb.click2sell.storage import trees as store

        self._site, self._end = site, end
        self._trees = {name: factory() for name, factory in store.TREES.items()}
        self._accounts = Accounts(site)
        self._now = end
        #: Records that are not in the database yet.
        self._unsaved: list[Any] = []

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Put trees in memory in the place of those in the database, and so on."""
        from niteoweb.click2sell import interfaces
        from niteoweb.click2sell import site as plone_site
        from niteoweb.click2sell import timestamps
        from niteoweb.click2sell.member import accounts as member
        from niteoweb.click2sell.member import group
        from niteoweb.click2sell.member import index
        from niteoweb.click2sell.provisioning import accountplan
        from niteoweb.click2sell.settings import effective
        from niteoweb.click2sell.storage import trees as store

        settings = plone_site.settings()
        known = SimpleNamespace(
            **{name: getattr(settings, name) for name in interfaces.IClick2SellSettings}
        )
        accounts, filling = self._accounts, self

        replaced = (
            (store, "tree", lambda _site, name: self._trees[name]),
            (store, "stored", lambda _site, name: self._trees[name]),
            (timestamps, "now", lambda: filling._now),
            # These do not change meanwhile.
            *(
                (module, name, _always(getattr(module, name)()))
                for module, names in (
                    (plone_site, ("timezone", "mail_domain")),
                    (effective, ("mapping", "policy")),
                )
                for name in names
            ),
            (plone_site, "settings", _always(known)),
            (group, "problem", cache(group.problem)),
            (group, "exists", cache(group.exists)),
            (group, "of", accounts.groups_of),
            (group, "grant", accounts.grant),
            (group, "revoke", accounts.revoke),
            (accountplan, "find", accounts.find),
            (member, "create", accounts.create),
            (member, "fields", accounts.fields),
            (member, "set_fields", accounts.set_fields),
            (member, "password_print", accounts.password_print),
            (index, "_facts", lambda user_id: (user_id, (user_id,))),
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
        from niteoweb.click2sell.buyers import buyers
        from niteoweb.click2sell.ledger import ledger
        from niteoweb.click2sell.mail import outbox

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
        self._unsaved.append(buyer)
        self._unsaved += [ledger.get(self._site, key).stored for key in self._keys]
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
        from niteoweb.click2sell.storage import trees as store
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
        from niteoweb.click2sell import site as plone_site
        from niteoweb.click2sell.buyers import buyers
        from niteoweb.click2sell.ledger import ledger
        from niteoweb.click2sell.ledger import ownership
        from niteoweb.click2sell.ledger import retryqueue
        from niteoweb.click2sell.provisioning import pipeline as provisioning
        from niteoweb.click2sell.provisioning import recording as arriving

        site, now = self._site, arrival.at
        notification = histories.read(arrival, plone_site.timezone())
        entry = arriving.write_down(site, notification, now)
        self._keys.append(entry["key"])
        if arrival.tried_at:
            for at in arrival.tried_at:
                ledger.note_failure(site, entry, "TimeoutError\n", at)
                retryqueue.schedule(site, entry, at)
            ledger.set_outcome(site, entry, Outcome.FAILED)
        elif arrival.quiet:
            buyer = buyers.get(site, entry["buyer_id"])
            ledger.count_attempt(site, entry)
            ledger.change(site, entry, counts=True)
            ownership.bind(site, entry)
            ledger.set_outcome(site, entry, Outcome.ACCEPTED)
            buyer["revision"] += 1
        else:
            applied = provisioning._provision_entry(site, entry["key"], False)
            self._mail(applied.mail_id)

    def _mail(self, mail_id: str) -> None:
        """Send a mail, without sending it."""
        from niteoweb.click2sell.mail import outbox

        if mail_id:
            mail = outbox.get(self._site, mail_id)
            outbox.sending(mail, self._now)
            outbox.sent(self._site, mail)
            self._mails.append(mail_id)

    def _broken(self, arrival: histories.Arrival) -> None:
        from niteoweb.click2sell.provider import unreadable
        from niteoweb.click2sell.provisioning import pipeline as provisioning
        from niteoweb.click2sell.provisioning import recording as arriving

        notification = unreadable(*histories.broken(arrival), arrival.at)
        entry = arriving.write_down(self._site, notification, arrival.at)
        self._keys.append(entry["key"])
        provisioning._provision_entry(self._site, entry["key"], False)
        if entry["outcome"] != Outcome.ATTENTION:
            raise AssertionError(entry["outcome"])

    def _sweep(self, number: int) -> None:
        from niteoweb.click2sell.buyers import buyers
        from niteoweb.click2sell.provisioning import pipeline as provisioning
        from niteoweb.click2sell.provisioning import plan as plans

        buyer = buyers.of_address(self._site, histories.buyer_address(number))
        plan = plans.make(self._site, buyer, self._now, despite_silence=True)
        provisioning.perform(self._site, plan, None)


def _always(value: Any) -> Callable[[], Any]:
    return lambda: value


def add_up(site: Any, end: datetime) -> None:
    """Add the money of each day up, as the automatic check has done it since.

    :param end: the present, in UTC.
    """
    from niteoweb.click2sell.ledger import daysums
    from niteoweb.click2sell.report import daily

    while daysums.to_add_up(site, end - daily.KEPT, end):
        daily.keep_up(end)


def main(folder: str, entries: str) -> None:
    begin, end = time.monotonic(), datetime.now(timezone.utc)
    with console.opened(Path(folder) / CONFIGURATION, None) as site:
        fill(site, int(entries), end)
        add_up(site, end)
    sys.stderr.write(f"{entries} entries in {time.monotonic() - begin:.0f} s\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
