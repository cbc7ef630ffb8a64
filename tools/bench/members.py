"""Fill a database with members, and look for purchases in it; each in a process of its own.

Members are made in batches: accounts, roles, properties and groups by the user folder's own
plugins, the sale of each by the add-on's own ledger. Only Plone's registration is left out.
"""

from collections.abc import Iterable
from datetime import datetime
from datetime import timezone
from niteoweb.click2sell.command import console
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.providers.click2sell import protocol as click2sell
from pathlib import Path
from tools.bench.histories import buyer_address
from tools.demo import settings as demo
from tools.instance import CONFIGURATION
from tools.sale import encoded
from tools.sale import form
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import hashlib
import json
import sys


#: Members in a commit: each commit writes most of the trees' records.
BATCH = 5000
#: That every buyer is in.
GROUPS = (demo.BUYERS_GROUP, demo.GROUP)


def fill(site: Any, total: int) -> None:
    """Make members until there are so many of ours.

    :param total: how many, those of earlier calls included.
    """
    from niteoweb.click2sell import site as plone_site
    from niteoweb.click2sell.member import group
    from niteoweb.click2sell.member import plonepas
    from niteoweb.click2sell.storage import trees as store

    import transaction

    if not group.exists(demo.BUYERS_GROUP):
        group.make(demo.BUYERS_GROUP, "Click2Sell")
    for name in GROUPS:
        plonepas.keep_in_tree(name)
    timezone_ = plone_site.timezone()
    for number in range(len(store.tree(site, "buyers")), total):
        notification = _notification(buyer_address(number), timezone_)
        properties = {
            "fullname": notification.fullname,
            "product_id": notification.product_id,
            "last_purchase_id": notification.receipt,
        }
        write_account(site, notification.buyer, properties)
        _purchase(site, notification)
        if number % BATCH == 0:
            transaction.commit()
            site._p_jar.cacheMinimize()
    transaction.commit()


def tell_addresses(address: str, smtp_port: int) -> None:
    """Tell the current site where it will be served, and where its mail server listens."""
    from niteoweb.click2sell import site as plone_site
    from plone import api

    plone_site.settings().site_address = address
    plone_site.settle()
    api.portal.set_registry_record("plone.smtp_port", smtp_port)


def write_account(
    site: Any, address: str, properties: dict[str, Any], groups: Iterable[str] = GROUPS
) -> None:
    """Write an account as Plone's registration leaves it, by the user folder's plugins.

    :param address: user id, login name and e-mail address.
    :param properties: other properties.
    :param groups: that it is in; they have to exist.
    """
    from Products.PluggableAuthService.PropertiedUser import PropertiedUser

    pas = site.acl_users
    pas.source_users.addUser(address, address, hashlib.sha256(address.encode()).hexdigest())
    pas.portal_role_manager.assignRoleToPrincipal("Member", address)
    sheet = pas.mutable_properties.getPropertiesForUser(PropertiedUser(address))
    sheet._properties.update(properties, email=address)
    pas.mutable_properties.setPropertiesForUser(PropertiedUser(address), sheet)
    # What the group plugin does, without the events in between.
    pas.source_groups._principal_groups[address] = tuple(groups)
    for name in groups:
        pas.source_groups._group_principal_map[name].insert(address)


def _notification(address: str, timezone_: ZoneInfo) -> Notification:
    """A sale, really signed, as the callback reads it."""
    delivery = Delivery(encoded(form(address)), click2sell.CONTENT_TYPE)
    stored = SimpleNamespace(secretkey=demo.SECRET_KEY, previous_secretkey=None)
    genuine = click2sell.verify(delivery, stored, datetime.now(timezone.utc))
    (notification,) = click2sell.parse(genuine, timezone_)
    return notification


def _purchase(site: Any, notification: Notification) -> None:
    """Write the records of a purchase by the add-on's own modules."""
    from niteoweb.click2sell import timestamps
    from niteoweb.click2sell.buyers import buyers
    from niteoweb.click2sell.entitlement.mapping import EVERY_BUYER
    from niteoweb.click2sell.ledger import ledger
    from niteoweb.click2sell.ledger import ownership
    from niteoweb.click2sell.provisioning import recording

    now = datetime.now(timezone.utc)
    entry = recording.write_down(site, notification, now)
    buyer = buyers.get(site, entry["buyer_id"])
    product = (entry["provider"], entry["product_id"])
    buyers.link_account(site, buyer, notification.buyer, made=True, now=now)
    buyers.change(
        site,
        buyer,
        made_at=timestamps.iso(now),
        grants={demo.GROUP: (product,), demo.BUYERS_GROUP: (EVERY_BUYER,)},
        due=(demo.BUYERS_GROUP, demo.GROUP),
        live=(product,),
    )
    buyer["revision"] += 1
    ledger.change(site, entry, counts=True)
    ownership.bind(site, entry)
    ledger.set_outcome(site, entry, Outcome.ACCEPTED)


class Missing(Exception):
    """The site does not hold what it has to hold; the message says what is wrong."""


def check(site: Any, sold: Iterable[str], total: int, failed: int = 0) -> None:
    """Whether every purchase that was acknowledged is there, once, and nothing else.

    :param sold: the addresses of the buyers; a buyer bought once.
    :param total: how many entries the ledger has to have.
    :param failed: purchases that were not acknowledged, which it may have, too.
    :raises Missing: something is missing or too much.
    """
    from niteoweb.click2sell.ledger import ledger
    from niteoweb.click2sell.storage import trees as store

    numbers = (
        len(store.tree(site, "entries")),
        ledger.count(site),
        ledger.count(site, outcome=Outcome.ACCEPTED),
    )
    if min(numbers) < total or max(numbers) > total + failed:
        raise Missing(f"{total} entries are due in the ledger; there are {numbers}")
    listed = [set(site.acl_users.source_groups.getGroupMembers(name)) for name in GROUPS]
    for address in sold:
        if wrong := _wrong(site, address, listed):
            raise Missing(f"{address}: {wrong}")


def _wrong(site: Any, address: str, listed: list[set[str]]) -> str:
    """The fault of a buyer's records, "" for none."""
    from niteoweb.click2sell.buyers import buyers
    from niteoweb.click2sell.ledger import ledger

    entries = [ledger.get(site, key) for key in buyers.of_address(site, address)["keys"]]
    if [entry["outcome"] for entry in entries] != [Outcome.ACCEPTED]:
        return "not one accepted notification"
    member = site.portal_membership.getMemberById(address)
    if member is None:
        return "no account"
    if member.getProperty("last_purchase_id") != entries[0]["receipt"]:
        return "another receipt"
    if not set(GROUPS) <= set(member.getGroups()):
        return "not in the groups"
    return "" if all(address in members for members in listed) else "not listed in the groups"


def main(command: str, folder: str, *arguments: str) -> None:
    """``fill FOLDER TOTAL ADDRESS SMTP_PORT MAIL`` or, given JSON, ``check FOLDER``."""
    with console.opened(Path(folder) / CONFIGURATION, None) as site:
        if command == "fill":
            from niteoweb.click2sell import site as plone_site

            total, address, smtp_port, mail = arguments
            plone_site.settings().welcome_mail = mail
            tell_addresses(address, int(smtp_port))
            fill(site, int(total))
        else:
            check(site, **json.load(sys.stdin))


if __name__ == "__main__":
    main(*sys.argv[1:])
