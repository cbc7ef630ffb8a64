"""Accounts: the one that an address belongs to, new ones, their properties and passwords."""

from AccessControl.PermissionRole import rolesForPermissionOn
from collections.abc import Mapping
from DateTime import DateTime
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.member import contentrules
from niteoweb.click2sell.member import group
from niteoweb.click2sell.member import index
from niteoweb.click2sell.member import plonepas
from plone.app.users.utils import generate_login_name
from plone.app.users.utils import generate_user_id
from plone.app.users.utils import uuid_userid_generator
from plone.base.interfaces import ISecuritySchema
from plone.registry.interfaces import IRegistry
from typing import Any
from urllib.parse import quote
from zope.component import getUtility

import hashlib
import secrets


#: No letters that look like digits, so that a password can be typed from paper.
ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
#: Letters in a password, in groups of six: 24 * log2(57) is 139 bits.
PASSWORD_LENGTH = 24
#: The login time that Plone gives to a member who never logged in.
NEVER = DateTime("2000/01/01")


def exists(user_id: str) -> bool:
    """Whether the site has an account of this user id."""
    return bool(user_id) and plone_site.tool("acl_users").getUserById(user_id) is not None


def visitors_choose_passwords() -> bool:
    """Whether visitors can register, with passwords of their own, under any address.

    Otherwise Plone mails a link to the address that a new account has.
    """
    record = getUtility(IRegistry).forInterface(ISecuritySchema, prefix="plone", check=False)
    anybody = "Anonymous" in rolesForPermissionOn("Add portal member", plone_site.get())
    return bool((record.enable_self_reg or anybody) and record.enable_user_pwd_choice)


def create(
    address: str, properties: Mapping[str, Any], beside: bool = False
) -> tuple[str, str]:
    """Make a member through Plone's own registration.

    No content rules run: the caller fires
    :class:`niteoweb.click2sell.member.contentrules.UserCreatedRules` when the member is
    committed.

    :param address: the buyer's, in lower case; becomes the e-mail address, the login name and,
        where the site's settings and rules allow it, the user id.
    :param properties: further member properties, ``fullname`` among them.
    :param beside: other accounts may have the address: the new one gets another user id, and
        another login name where that is taken.
    :returns: user id and password.
    """
    site = plone_site.get()
    names = _given(address, properties.get("fullname", ""))
    user_id = generate_user_id(site, names) or address
    if group.left_behind(user_id) or (user_id != address and not _is_allowed(user_id)):
        user_id = uuid_userid_generator()
    login_name = new_login_name(address, names["fullname"])
    if beside:
        user_id = f"member-{secrets.token_hex(4)}"
        if any(match.by_name for match in index.find(site, address)):
            login_name = user_id
    password = new_password()
    try:
        member = _register(user_id, password, address, properties)
    except ValueError:
        # Plone asks first of all whether it may be a user id. It has asked twice by then, and
        # each time each plugin: asking before it does would be once more for everybody.
        if user_id != address or exists(user_id) or _is_allowed(user_id):
            raise
        user_id = uuid_userid_generator()
        member = _register(user_id, password, address, properties)
    if login_name != user_id:
        plone_site.tool("acl_users").updateLoginName(user_id, login_name)
        member = None
    index.update(site, user_id, member)
    return user_id, password


def _register(user_id: str, password: str, address: str, properties: Mapping[str, Any]) -> Any:
    """Have Plone make the account.

    :returns: the member, as Plone wraps it.
    :raises ValueError: Plone, or the site, refuses the user id, the password or a property.
    """
    with contentrules.held_back(), index.held_back(user_id):
        return plone_site.tool("portal_registration").addMember(
            user_id,
            password,
            ("Member",),
            properties={**properties, "username": user_id, "email": address},
        )


def _is_allowed(user_id: str) -> bool:
    """Whether Plone takes this user id for a new account."""
    return bool(plone_site.tool("portal_registration").isMemberIdAllowed(user_id))


def new_login_name(address: str, fullname: str) -> str:
    """The login name of a new member, by the site's settings."""
    site = plone_site.get()
    return generate_login_name(site, _given(address, fullname)) or address


def new_password() -> str:
    """A random password of 24 characters and three hyphens.

    It has lower case, upper case, a digit and a hyphen, so that common password rules hold.
    """
    while True:
        text = "".join(secrets.choice(ALPHABET) for _ in range(PASSWORD_LENGTH))
        kinds = (str.islower, str.isupper, str.isdigit)
        if all(any(kind(character) for character in text) for kind in kinds):
            return "-".join(text[start : start + 6] for start in range(0, len(text), 6))


def fields(user_id: str, names: tuple[str, ...]) -> dict[str, Any]:
    """Values of member properties."""
    member = plone_site.tool("portal_membership").getMemberById(user_id)
    return {name: member.getProperty(name, None) for name in names}


def set_fields(user_id: str, values: Mapping[str, Any]) -> None:
    """Write member properties."""
    member = plone_site.tool("portal_membership").getMemberById(user_id)
    member.setMemberProperties(dict(values))


def login_name(user_id: str) -> str:
    """The login name of a member."""
    return plone_site.tool("acl_users").getUserById(user_id).getUserName()


def names(user_id: str) -> tuple[str, str] | None:
    """A member's full name and login name, None when there is no such member."""
    user = plone_site.tool("acl_users").getUserById(user_id)
    if user is None:
        return None
    member = plone_site.tool("portal_membership").wrapUser(user)
    return member.getProperty("fullname", None), user.getUserName()


def never_logged_in(user_id: str) -> bool:
    """Whether the member has not logged in since the account was made."""
    return fields(user_id, ("login_time",))["login_time"] in (None, "", NEVER)


def password_print(user_id: str) -> str:
    """A fingerprint of the stored password hash, to recognise an unchanged password.

    :returns: "" when the account's password is not kept by Plone itself.
    """
    stored = plonepas.password_hash(user_id)
    return hashlib.sha256(stored).hexdigest() if stored else ""


def set_password(user_id: str) -> str:
    """Give a member a new random password.

    :returns: the password.
    """
    password = new_password()
    plone_site.tool("acl_users").userSetPassword(user_id, password)
    return password


def reset_link(user_id: str) -> str:
    """A one-time link to set a password, through Plone's own reset.

    :raises niteoweb.click2sell.site.NoAddress: the site has no public address.
    """
    reset = plone_site.tool("portal_password_reset").requestReset(user_id)
    return plone_site.link(f"passwordreset/{reset['randomstring']}?userid={quote(user_id)}")


def _given(address: str, fullname: str) -> dict[str, str]:
    """The values that Plone makes user ids and login names of."""
    return {"username": address, "email": address, "fullname": fullname}


def is_address(text: str) -> bool:
    """Whether Plone's own forms accept a text as an e-mail address."""
    return bool(plone_site.tool("portal_registration").isValidEmail(text))
