"""A Plone without the add-on: made, filled and looked at, in processes of their own.

It has two groups as Plone makes them, for the algorithm of release 0.4.5 (legacy.py), and two
whose members are kept as the add-on keeps them, for Plone's registration alone
(registration.py).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tools.bench import legacy
from tools.bench import registration
from tools.bench import useraccounts
from tools.bench.members import BATCH
from tools.bench.members import Missing
from tools.demo import plonesite
from tools.demo import settings as demo
from typing import Any

import json
import sys


#: That every buyer is in, as on the site with the add-on.
GROUPS = (demo.BUYERS_GROUP, demo.GROUP)

_PROPERTIES = (
    ("product_id", "", "string"),
    ("product_name", "", "string"),
    ("affiliate", "", "string"),
    ("last_purchase_id", "", "string"),
    ("last_purchase_timestamp", "2000/01/01", "date"),
)


def create(folder: Path, smtp_port: int) -> None:
    """Create the site, with the settings, fields and groups of release 0.4.5."""
    with plonesite.new_site(folder, smtp_port) as site:
        from BTrees.OOBTree import OOTreeSet
        from plone import api
        from plone.registry import field
        from plone.registry.record import Record

        import transaction

        mapping = [f"{demo.PRODUCT}|{name}" for name in GROUPS]
        for name, value in (
            ("secretkey", Record(field.TextLine(), demo.SECRET_KEY)),
            ("mapping", Record(field.List(value_type=field.TextLine()), mapping)),
        ):
            site.portal_registry.records[f"{legacy.PREFIX}.{name}"] = value
        for name, value, kind in _PROPERTIES:
            site.portal_memberdata.manage_addProperty(name, value, kind)
        for name in (*GROUPS, *registration.GROUPS):
            api.group.create(groupname=name)
        for name in registration.GROUPS:
            site.acl_users.source_groups._group_principal_map[name] = OOTreeSet()
        transaction.commit()


def fill(site: Any, total: int, smtp_port: int) -> None:
    """Make members until there are so many, and note where the mail goes today."""
    from plone import api

    import transaction

    api.portal.set_registry_record("plone.smtp_port", smtp_port)
    for number in range(len(site.acl_users.source_users.getUserIds()), total):
        address = useraccounts.address_of(number)
        properties = {
            "fullname": f"{demo.BUYER_NAME} {demo.BUYER_SURNAME}",
            "product_id": demo.PRODUCT,
            "last_purchase_id": address,
        }
        useraccounts.write(site, address, properties, (*GROUPS, *registration.GROUPS))
        if number % BATCH == 0:
            transaction.commit()
            site._p_jar.cacheMinimize()
    transaction.commit()


def check(site: Any, sold: dict[str, str], registered: list[str], total: int) -> None:
    """Whether every purchase and every registration is there.

    :param sold: receipts of what the algorithm of release 0.4.5 acknowledged, by address.
    :param registered: addresses that Plone alone has registered.
    :param total: how many members there have to be.
    :raises Missing: something is missing or too much.
    """
    users = site.acl_users.source_users
    found = len(users.getUserIds())
    if found != total:
        raise Missing(f"{total} members are due; there are {found}")
    groups = site.acl_users.source_groups
    for addresses, names in ((sold, GROUPS), (registered, registration.GROUPS)):
        listed = [set(groups.getGroupMembers(name)) for name in names]
        for address in addresses:
            member = site.portal_membership.getMemberById(address)
            if member is None:
                raise Missing(f"{address}: no account")
            if not set(names) <= set(member.getGroups()):
                raise Missing(f"{address}: not in the groups")
            if not all(address in members for members in listed):
                raise Missing(f"{address}: not listed in the groups")
            if member.getProperty("last_purchase_id") != sold.get(address, ""):
                raise Missing(f"{address}: another receipt")


@contextmanager
def opened(folder: Path) -> Iterator[Any]:
    """Open the site."""
    from Zope2.Startup.run import configure_wsgi

    import Zope2

    configure_wsgi(str(folder / "zope.conf"))
    app = Zope2.app()
    # Nothing of these before the database is open, see demo/plonesite.py.
    from Testing.makerequest import makerequest
    from zope.component.hooks import setSite

    site = makerequest(app)[demo.SITE_ID]
    setSite(site)
    yield site
    setSite(None)
    app._p_jar.close()
    for database in Zope2.opened:
        database.close()


def main(command: str, folder: str, *arguments: str) -> None:
    """``create FOLDER PORT``, ``fill FOLDER TOTAL PORT`` or ``check FOLDER FILE``."""
    if command == "create":
        create(Path(folder), int(arguments[0]))
        return
    with opened(Path(folder)) as site:
        if command == "fill":
            fill(site, int(arguments[0]), int(arguments[1]))
        else:
            check(site, **json.loads(Path(arguments[0]).read_text("utf-8")))


if __name__ == "__main__":
    main(*sys.argv[1:])
