"""Fill a site with the ledger of years: ``python -m bench.ledgerfill FOLDER ENTRIES``.

The add-on's own functions write down, file and provision every notification of histories.py.
They are given trees in memory, which go into the database at the end, each record once, and in
the place of Plone's user folder a list of accounts, which goes there too. A renewal that
changes nothing but its own entry is not provisioned. The tests compare what comes of that with
what the ordinary road leaves in the database.
"""

from bench import histories
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import ExitStack
from datetime import datetime
from datetime import timezone
from demo import settings as demo
from functools import cache
from niteoweb.click2sell import console
from niteoweb.click2sell.provider import click2sell
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock
from urllib.parse import urlencode

import dataclasses
import gc
import hashlib
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
        from niteoweb.click2sell import binding
        from niteoweb.click2sell import buyer as buyers
        from niteoweb.click2sell import entrynote
        from niteoweb.click2sell import ledger
        from niteoweb.click2sell import provisioning
        from niteoweb.click2sell import retry
        from niteoweb.click2sell import site as plone_site

        site, now = self._site, arrival.at
        notification = read(arrival, plone_site.timezone())
        entry = provisioning.write_down(site, notification, now)
        self._keys.append(entry["key"])
        if arrival.tried_at:
            for at in arrival.tried_at:
                entry["attempts"] += 1
                entrynote.note_failure(entry, "TimeoutError\n", at)
                retry.note(entry, at)
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
            outbox.sending(self._site, mail, self._now)
            outbox.sent(self._site, mail)
            self._mails.append(mail_id)

    def _broken(self, arrival: histories.Arrival) -> None:
        from niteoweb.click2sell import ledger
        from niteoweb.click2sell import provisioning

        def process(key: str, record: Any, signed_by: str) -> None:
            entry = record(self._site, arrival.at)
            self._keys.append(key)
            if entry["outcome"] != ledger.ATTENTION:
                raise AssertionError(entry["outcome"])

        with mock.patch.object(provisioning, "_process", process):
            provisioning.process_broken(*broken(arrival))

    def _sweep(self, number: int) -> None:
        from niteoweb.click2sell import buyer as buyers
        from niteoweb.click2sell import plan as plans
        from niteoweb.click2sell import provisioning

        buyer = buyers.of_address(self._site, histories.buyer_address(number))
        plan = plans.make(self._site, buyer, self._now, despite_silence=True)
        provisioning.perform(self._site, plan, None)


class Accounts:
    """The user folder's part: which accounts there will be, and which groups they are in."""

    def __init__(self, site: Any) -> None:
        self._site = site
        self._groups: dict[str, tuple[str, ...]] = {}
        self._fields: dict[str, dict[str, Any]] = {}

    def find(self, _site: Any, buyer: Any, payments: Any, _turn: Any, _now: datetime) -> Any:
        """The account of a buyer; nobody had one before the purchase."""
        from niteoweb.click2sell.account import Account

        user_id = buyer["user_id"]
        return Account(user_id) if user_id else Account(create=bool(payments))

    def create(self, address: str, properties: Any) -> tuple[str, str]:
        """Make an account."""
        from niteoweb.click2sell import memberindex

        self._fields[address] = {**properties, "email": address}
        memberindex.update(self._site, address)
        return address, ""

    def fields(self, user_id: str, names: tuple[str, ...]) -> dict[str, Any]:
        """Values of member properties."""
        from niteoweb.click2sell.plan import NO_PURCHASE

        return {name: {**NO_PURCHASE, **self._fields[user_id]}.get(name) for name in names}

    def set_fields(self, user_id: str, values: Any) -> None:
        """Write member properties."""
        self._fields[user_id].update(values)

    def password_print(self, user_id: str) -> str:
        """The fingerprint of what :meth:`save` will write."""
        return hashlib.sha256(_password(user_id).encode("ascii")).hexdigest()

    def contains(self, group_id: str, user_id: str) -> bool:
        """Whether a member is in a group."""
        return group_id in self._groups.get(user_id, ())

    def grant(self, user_id: str, group_id: str) -> None:
        """Put a member into a group."""
        self._groups[user_id] = (*self._groups.get(user_id, ()), group_id)

    def revoke(self, user_id: str, group_id: str) -> None:
        """Take a member out of a group."""
        groups = self._groups[user_id]
        self._groups[user_id] = tuple(name for name in groups if name != group_id)

    def save(self) -> None:
        """Write all of them into the user folder."""
        from niteoweb.click2sell import group
        from niteoweb.click2sell import largegroup

        pas = self._site.acl_users
        users, kept = pas.source_users, pas.mutable_properties
        members: dict[str, list[str]] = {}
        defaults = dict(
            kept.getPropertiesForUser(group.Principal("nobody")).propertyItems(),
            isGroup=False,
        )
        for user_id in sorted(self._fields):
            users._user_passwords[user_id] = _password(user_id)
            users._login_to_userid[user_id] = users._userid_to_login[user_id] = user_id
            pas.portal_role_manager._principal_roles[user_id] = ("Member",)
            kept._storage[user_id] = {**defaults, **self._fields[user_id]}
            if groups := self._groups.get(user_id):
                pas.source_groups._principal_groups[user_id] = groups
                for name in groups:
                    members.setdefault(name, []).append(user_id)
        for name, user_ids in members.items():
            largegroup.prepare(name)
            pas.source_groups._group_principal_map[name].update(user_ids)


def read(arrival: histories.Arrival, timezone_: Any) -> Any:
    """A notification as the callback reads it.

    Those of another provider are as if a module of its own had read them.
    """
    notification = click2sell.parse(SimpleNamespace(values=lambda: arrival.form), timezone_)
    if arrival.provider == click2sell.NAME:
        return notification
    key = click2sell.idempotency_key(arrival.provider, notification.key)
    return dataclasses.replace(notification, key=key, provider=arrival.provider)


def broken(arrival: histories.Arrival) -> tuple[str, str, str, dict[str, str], str]:
    """What is known of a notification that could not be read, see provisioning.py."""
    payload = {name: value for name, value in arrival.form.items() if name != "checksum"}
    payload[arrival.broken] = "?"
    key = hashlib.sha256(urlencode(payload).encode("ascii")).hexdigest()
    transaction_id = payload["acquirer_transaction_id"]
    return key, arrival.provider, transaction_id, payload, arrival.broken


def _always(value: Any) -> Callable[[], Any]:
    return lambda: value


def _password(user_id: str) -> str:
    """What stands for the hash of a password: no password has it."""
    return "{SSHA}" + hashlib.sha256(user_id.encode("ascii")).hexdigest()


def main(folder: str, entries: str) -> None:
    begin = time.monotonic()
    with console.opened(Path(folder) / "zope.conf", None) as site:
        fill(site, int(entries), datetime.now(timezone.utc))
    sys.stderr.write(f"{entries} entries in {time.monotonic() - begin:.0f} s\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
