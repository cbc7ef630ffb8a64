"""A Plone without the add-on: created, filled and checked, in processes of their own.

Its two groups are kept as the add-on keeps them, for Plone's registration alone, see views.py.
"""

from collections.abc import Iterable
from pathlib import Path
from tools import instance
from tools import SITE_ID
from tools.bench.histories import buyer_address
from tools.bench.members import BATCH
from tools.bench.members import GROUPS
from tools.bench.members import Missing
from tools.bench.members import write_account
from tools.demo import settings as demo
from typing import Any

import json
import sys


def create(app: Any) -> None:
    """Create the site, with its groups."""
    site = instance.create_site(app, (demo.OWNER, demo.OWNER_PASSWORD), demo.SITE_TITLE)
    from BTrees.OOBTree import OOTreeSet
    from plone import api

    import transaction

    for name in GROUPS:
        api.group.create(groupname=name)
        site.acl_users.source_groups._group_principal_map[name] = OOTreeSet()
    transaction.commit()


def fill(site: Any, total: int) -> None:
    """Make members until there are so many."""
    import transaction

    for number in range(len(site.acl_users.source_users.getUserIds()), total):
        fullname = f"{demo.BUYER_NAME} {demo.BUYER_SURNAME}"
        write_account(site, buyer_address(number), {"fullname": fullname})
        if number % BATCH == 0:
            transaction.commit()
            site._p_jar.cacheMinimize()
    transaction.commit()


def check(site: Any, registered: Iterable[str], total: int) -> None:
    """Check that every registration is there, and nothing else.

    :param registered: addresses of the members who were registered.
    :param total: how many members there have to be.
    :raises Missing: something is missing or too much.
    """
    found = len(site.acl_users.source_users.getUserIds())
    if found != total:
        raise Missing(f"{total} members are due; there are {found}")
    listed = [set(site.acl_users.source_groups.getGroupMembers(name)) for name in GROUPS]
    for address in registered:
        member = site.portal_membership.getMemberById(address)
        if member is None:
            raise Missing(f"{address}: no account")
        if not set(GROUPS) <= set(member.getGroups()):
            raise Missing(f"{address}: not in the groups")
        if not all(address in members for members in listed):
            raise Missing(f"{address}: not listed in the groups")


def main(command: str, folder: str, *arguments: str) -> None:
    """``create FOLDER``, ``fill FOLDER TOTAL`` or, with JSON as input, ``check FOLDER``."""
    with instance.application(Path(folder) / instance.CONFIGURATION) as app:
        if command == "create":
            create(app)
            return
        from zope.component.hooks import setSite

        setSite(site := app[SITE_ID])
        if command == "fill":
            fill(site, int(arguments[0]))
        else:
            check(site, **json.load(sys.stdin))


if __name__ == "__main__":
    main(*sys.argv[1:])
