"""Members who were there before anything was measured.

Accounts as Plone's registration leaves them, written by the user folder's plugins one by one,
which fills a site in minutes. This module is imported without Plone, too.
"""

from collections.abc import Iterable
from typing import Any

import hashlib


def address_of(number: int) -> str:
    """The address of a member who was there before, spread over the alphabet, as addresses are.

    :param number: of the member, from 0.
    """
    return f"{hashlib.sha256(b'%d' % number).hexdigest()[:12]}@example.net"


def write(site: Any, address: str, properties: dict[str, Any], groups: Iterable[str]) -> None:
    """Write an account.

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
