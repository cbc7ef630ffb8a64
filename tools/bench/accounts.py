"""The user folder's part of a ledger that is filled: which accounts there are, in which groups.

Stands in the place of Plone's own while :mod:`.ledgerfill` fills a ledger, and writes what came
of it into the user folder at the end, without registering anybody.
"""

from datetime import datetime
from typing import Any

import hashlib


class Accounts:
    """The user folder's part: which accounts there will be, and which groups they are in."""

    def __init__(self, site: Any) -> None:
        self._site = site
        self._groups: dict[str, tuple[str, ...]] = {}
        self._fields: dict[str, dict[str, Any]] = {}

    def find(self, _site: Any, buyer: Any, payments: Any, _turn: Any, _now: datetime) -> Any:
        """The account of a buyer; nobody had one before the purchase."""
        from niteoweb.click2sell.provisioning.accountplan import AccountPlan

        user_id = buyer["user_id"]
        return AccountPlan(user_id=user_id) if user_id else AccountPlan(create=bool(payments))

    def create(self, address: str, properties: Any, _beside: bool) -> tuple[str, str]:
        """Make an account."""
        from niteoweb.click2sell.member import index

        self._fields[address] = {**properties, "email": address}
        index.update(self._site, address)
        return address, ""

    def fields(self, user_id: str, names: tuple[str, ...]) -> dict[str, Any]:
        """Values of member properties."""
        from niteoweb.click2sell.provisioning.plan import NO_PURCHASE

        return {name: {**NO_PURCHASE, **self._fields[user_id]}.get(name) for name in names}

    def set_fields(self, user_id: str, values: Any) -> None:
        """Write member properties."""
        self._fields[user_id].update(values)

    def password_print(self, user_id: str) -> str:
        """The fingerprint of what :meth:`save` will write."""
        return hashlib.sha256(_password(user_id).encode("ascii")).hexdigest()

    def groups_of(self, user_id: str) -> tuple[str, ...]:
        """The groups of a member."""
        return self._groups.get(user_id, ())

    def grant(self, user_id: str, group_id: str) -> None:
        """Put a member into a group."""
        self._groups[user_id] = (*self._groups.get(user_id, ()), group_id)

    def revoke(self, user_id: str, group_id: str) -> None:
        """Take a member out of a group."""
        groups = self._groups[user_id]
        self._groups[user_id] = tuple(name for name in groups if name != group_id)

    def save(self) -> None:
        """Write all of them into the user folder."""
        from niteoweb.click2sell.member import plonepas
        from Products.PluggableAuthService.PropertiedUser import PropertiedUser

        pas = self._site.acl_users
        users, kept = pas.source_users, pas.mutable_properties
        members: dict[str, list[str]] = {}
        defaults = dict(
            kept.getPropertiesForUser(PropertiedUser("nobody")).propertyItems(),
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
            plonepas.keep_in_tree(name)
            pas.source_groups._group_principal_map[name].update(user_ids)


def _password(user_id: str) -> str:
    """A stand-in for the hash of a password, which no password has."""
    return "{SSHA}" + hashlib.sha256(user_id.encode("ascii")).hexdigest()
