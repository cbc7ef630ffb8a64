"""Accounts: the one that an address belongs to, new ones, their properties and passwords."""

from collections.abc import Iterator
from collections.abc import Mapping
from DateTime import DateTime
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.member import contentrules
from niteoweb.click2sell.member import group
from niteoweb.click2sell.member import index
from niteoweb.click2sell.member import plonenames
from niteoweb.click2sell.member import plonepas
from niteoweb.click2sell.member import principal
from plone.app.users.utils import uuid_userid_generator
from typing import Any
from urllib.parse import quote

import hashlib
import logging
import secrets
import string


logger = logging.getLogger("niteoweb.click2sell")


#: No letters that look like digits, so that a password can be typed from paper.
ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
#: Letters in a password, in groups of six: 24 * log2(57) is 139 bits.
PASSWORD_LENGTH = 24
#: Alphabets and lengths of passwords for other policies. None has less than 46 bits.
SHAPES = (
    (ALPHABET, (24, 16, 12, 10, 8)),
    (ALPHABET + "!#?.+_", (40, 24, 16, 12, 10, 8)),
    (ALPHABET + "!", (16, 12, 8)),
    (string.ascii_letters, (24, 12, 10)),
    (string.ascii_lowercase + string.digits, (24, 12, 10)),
    (string.digits, (20, 16)),
    (ALPHABET, (64,)),
)
#: The kinds of characters that policies ask for.
KINDS = (str.islower, str.isupper, str.isdigit, lambda character: not character.isalnum())
#: The login time that Plone gives to a member who never logged in.
NEVER = DateTime("2000/01/01")


def exists(user_id: str) -> bool:
    """Whether the site has an account of this user id."""
    return bool(user_id) and _user(user_id) is not None


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
    :returns: user id and password, "" for a password that nobody knows.
    """
    site = plone_site.get()
    names = _given(address, properties.get("fullname", ""))
    user_id = plonenames.generate_user_id(site, names) or address
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

    :param password: "" for one that nobody knows, whatever the site's policy.
    :returns: the member, as Plone wraps it.
    :raises ValueError: Plone, or the site, refuses the user id or a property.
    """
    registration = plone_site.tool("portal_registration")
    membership = plone_site.tool("portal_membership")
    properties = {**properties, "username": user_id, "email": address}
    with contentrules.held_back(), index.held_back(user_id):
        if password:
            return registration.addMember(user_id, password, ("Member",), properties=properties)
        problem = registration.testPropertiesValidity(properties)
        if problem or not _is_allowed(user_id):
            raise ValueError(problem)
        membership.addMember(user_id, secrets.token_urlsafe(), ("Member",), "", properties)
        return membership.getMemberById(user_id)


def _is_allowed(user_id: str) -> bool:
    """Whether Plone takes this user id for a new account."""
    return bool(plone_site.tool("portal_registration").isMemberIdAllowed(user_id))


def new_login_name(address: str, fullname: str) -> str:
    """The login name of a new member, by the site's settings."""
    site = plone_site.get()
    return plonenames.generate_login_name(site, _given(address, fullname)) or address


def new_password() -> str:
    """A random password that the site's policies accept, "" when they refuse all that we try.

    The first is of 24 characters and three hyphens. It has lower case, upper case, a digit and
    a hyphen, so that common password rules hold. Others are shorter, longer and of other kinds.
    """
    registration = plone_site.tool("portal_registration")
    for password in _passwords():
        # Asked, so that a policy that fails is one that does not accept.
        if principal.asked(lambda: not registration.testPasswordValidity(password)):  # noqa: B023
            return password
    logger.warning("The site's password policy refuses each password: a link has to do.")
    return ""


def _passwords() -> Iterator[str]:
    text = _random(ALPHABET, PASSWORD_LENGTH)
    yield "-".join(text[start : start + 6] for start in range(0, len(text), 6))
    for alphabet, lengths in SHAPES:
        for length in lengths:
            yield _random(alphabet, length)


def _random(alphabet: str, length: int) -> str:
    """A random text with a character of each kind that the alphabet has."""
    kinds = [kind for kind in KINDS if any(map(kind, alphabet))]
    while True:
        text = "".join(secrets.choice(alphabet) for _ in range(length))
        if all(any(map(kind, text)) for kind in kinds):
            return text


def fields(user_id: str, names: tuple[str, ...]) -> dict[str, Any]:
    """Values of member properties."""
    member = plone_site.tool("portal_membership").getMemberById(user_id)
    return {name: principal.value(member, name) for name in names}


def text(user_id: str, name: str) -> str:
    """The value of a member property that is a text."""
    return principal.text(plone_site.tool("portal_membership").getMemberById(user_id), name)


def set_fields(user_id: str, values: Mapping[str, Any]) -> None:
    """Write member properties."""
    member = plone_site.tool("portal_membership").getMemberById(user_id)
    member.setMemberProperties(dict(values))


def login_name(user_id: str) -> str:
    """The login name of a member."""
    return _login_name(plone_site.tool("acl_users").getUserById(user_id))


def names(user_id: str) -> tuple[str, str] | None:
    """A member's full name and login name, None when there is no such member."""
    user = _user(user_id)
    if user is None:
        return None
    member = plone_site.tool("portal_membership").wrapUser(user)
    return principal.text(member, "fullname"), _login_name(user)


def _user(user_id: str) -> Any:
    """An account as the user folder has it, None for none."""
    return principal.asked(plone_site.tool("acl_users").getUserById, user_id)


def _login_name(user: Any) -> str:
    return next(iter(principal.texts(user.getUserName())), "") or user.getId()


def never_logged_in(user_id: str) -> bool:
    """Whether the member has not logged in since the account was made."""
    user = _user(user_id)
    member = plone_site.tool("portal_membership").wrapUser(user) if user is not None else None
    return principal.value(member, "login_time") in (None, "", NEVER)


def password_print(user_id: str) -> str:
    """A fingerprint of the stored password hash, to recognise an unchanged password.

    :returns: "" when the account's password is not kept by Plone itself.
    """
    stored = plonepas.password_hash(user_id)
    return hashlib.sha256(stored).hexdigest() if stored else ""


def set_password(user_id: str) -> str:
    """Give a member a new random password.

    :returns: the password, "" when the site's policies accept none: the old one stays.
    """
    password = new_password()
    if password:
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
