"""Rules for the settings that may be saved: one set for every way of saving them.

The forms of Site Setup and the control panel services all go through :func:`normalize`,
:func:`validate` and :func:`save`, so that none accepts what another one refuses. Each payment
provider has settings of its own; those of Click2Sell are the add-on's, too.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from niteoweb.click2sell import _
from niteoweb.click2sell import site
from niteoweb.click2sell.entitlement import MappingError
from niteoweb.click2sell.entitlement import MOST_DAYS
from niteoweb.click2sell.entitlement import parse
from niteoweb.click2sell.interfaces import IPaymentProvider
from niteoweb.click2sell.interfaces import ISecretKeyActions
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import group
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.settings import apitoken
from niteoweb.click2sell.settings import networks
from niteoweb.click2sell.settings import secretkeys
from string import Template
from typing import Any
from urllib.parse import urlsplit
from zope.i18nmessageid import Message
from zope.interface.interfaces import IInterface
from zope.schema.interfaces import ConstraintNotSatisfied
from zope.schema.interfaces import ITextLine
from zope.schema.interfaces import ValidationError

import re
import unicodedata


#: Placeholders in the subject of the welcome mail.
SUBJECT_PLACEHOLDERS = ("name", "login", "login_url", "product", "site")
#: Placeholders in the text of the welcome mail.
TEXT_PLACEHOLDERS = (*SUBJECT_PLACEHOLDERS, "credentials")

#: Control characters and the two separators of Unicode: none of them belongs into one line.
_CONTROL = {"Cc", "Zl", "Zp"}

#: Fields that are never shown, sent or logged; a blank one keeps the stored value.
SECRETS = (*secretkeys.NAMES, apitoken.NAME)

#: Lists in which neither blank lines nor repetitions mean anything.
LISTS = ("alert_addresses", "allowed_networks", "trusted_proxies")

Problem = tuple[str, Message]


def normalize(values: Mapping[str, Any]) -> dict[str, Any]:
    """Bring values that were typed or sent into the form in which they are kept.

    The secret keys and the group of all buyers lose spaces and line breaks around them, which
    come with pasting; nothing inside them is touched, and a key of spaces only is a blank one.
    Lines of the mapping stay as they are, comments and blank lines too, so that line numbers
    keep their meaning. Addresses and networks lose spaces, blank lines and repetitions. Line
    ends of the text become those of this system.

    :param values: by the names of the fields, all or some of them.
    :returns: a new dictionary; values of a wrong type are left for :func:`validate`.
    """
    normal = dict(values)
    for name in SECRETS:
        if isinstance(normal.get(name), str):
            normal[name] = normal[name].strip() or None
    if "buyers_group" in normal:
        buyers_group = normal["buyers_group"]
        normal["buyers_group"] = (
            buyers_group.strip() if isinstance(buyers_group, str) else buyers_group or ""
        )
    for name in "site_address", "api_url":
        if name in normal:
            address = normal[name] or ""
            normal[name] = address.strip().rstrip("/") if isinstance(address, str) else address
    for name in ("mapping", *LISTS):
        if name in normal and normal[name] is None:
            normal[name] = []
    for name in LISTS:
        if name in normal:
            normal[name] = _tidy(normal[name])
    if isinstance(normal.get("welcome_text"), str):
        normal["welcome_text"] = re.sub("\r\n?", "\n", normal["welcome_text"])
    return normal


def validate(
    values: Mapping[str, Any], provider: IPaymentProvider | None = None
) -> list[Problem]:
    """Check a provider's settings before they are saved.

    :param values: as :func:`normalize` returned them; a setting that is not among them stays
        as it is stored and is not checked, except where another one depends on it.
    :param provider: None for the one with the add-on's own settings.
    :returns: all that is wrong, as names of fields with messages for the reader; a field
        may come several times.
    """
    provider = provider or registry.main()
    problems = list(_wrong_values(values, provider.schema))
    wrong = {name for name, message in problems}
    sound = {name: value for name, value in values.items() if name not in wrong}
    problems += secretkeys.problems(sound, provider)
    problems += apitoken.problems(sound)
    if "mapping" in sound:
        problems += [("mapping", message) for message in _mapping_problems(sound["mapping"])]
    if "alert_addresses" in sound:
        problems += [
            (
                "alert_addresses",
                _('"${address}" is no e-mail address.', mapping={"address": found}),
            )
            for found in accounts.wrong_addresses(sound["alert_addresses"])
        ]
    for name in networks.SETTINGS:
        problems += [
            (name, message) for message in networks.problems(name, sound.get(name, []))
        ]
    if sound.get("buyers_group"):
        problems += [
            ("buyers_group", message) for message in _group_problems(sound["buyers_group"])
        ]
    if sound.get("site_address") and not _is_address(sound["site_address"]):
        message = _("This has to be an address such as https://www.example.org")
        problems.append(("site_address", message))
    for name, allowed in (
        ("welcome_subject", SUBJECT_PLACEHOLDERS),
        ("welcome_text", TEXT_PLACEHOLDERS),
    ):
        if name in sound:
            problems += [
                (name, message) for message in _template_problems(sound[name], allowed)
            ]
    if sound.keys() & {"welcome_mail", "welcome_text"} and "welcome_text" not in wrong:
        problems += _credentials_problems(sound)
    return problems


def save(values: Mapping[str, Any], provider: IPaymentProvider | None = None) -> None:
    """Store settings of a provider that :func:`validate` found nothing wrong with.

    What becomes of the secret keys is told by :func:`secretkeys.changes`.
    """
    provider = provider or registry.main()
    stored = registry.settings(provider)
    changes = {name: value for name, value in values.items() if name in provider.schema}
    changes.update(secretkeys.changes(values, provider))
    changes.update(apitoken.changes(values, provider))
    # A change of the address clears the token, so that a new one has to come after it.
    for name, value in sorted(changes.items(), key=lambda item: item[0] == apitoken.NAME):
        if getattr(stored, name) != value:
            setattr(stored, name, value)
    secretkeys.tidy(site.get())


def stored_address() -> str:
    """The public address of the site, "" when none is set."""
    return site.settings().site_address or ""


def own_address() -> str:
    """The address that the request came to, "" in a script, where there is none."""
    address = site.get().absolute_url()
    return "" if urlsplit(address).hostname == "nohost" else address


def _tidy(lines: Any) -> Any:
    """Lines without spaces around them, blank ones and repetitions.

    :returns: `lines` as they are when they are no list of text.
    """
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        return lines
    return [line for line in dict.fromkeys(line.strip() for line in lines) if line]


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and not (parts.query or parts.fragment or parts.username)
            and (parts.port or 1) > 0
        )
    except ValueError:
        return False


def _wrong_values(values: Mapping[str, Any], settings: IInterface) -> Iterator[Problem]:
    """Values that the fields themselves refuse: missing, of a wrong type, more than a line."""
    for name, value in values.items():
        schema = ISecretKeyActions if name in ISecretKeyActions else settings
        field = schema[name]
        try:
            field.validate(value)
        except ConstraintNotSatisfied as error:
            yield name, _one_line() if ITextLine.providedBy(field) else error.doc()
        except ValidationError as error:
            yield name, error.doc()
        else:
            if ITextLine.providedBy(field) and value and _has_control_character(value):
                yield name, _one_line()


def _one_line() -> Message:
    return _("A line break or another control character is not possible here.")


def _has_control_character(text: str) -> bool:
    return any(unicodedata.category(character) in _CONTROL for character in text)


def _mapping_problems(lines: list[str]) -> list[Message]:
    read, errors = parse(lines)
    problems = [(error.line, _line_message(error)) for error in errors]
    for line in read:
        names = {"line": line.number, "group": line.group_id}
        if not group.exists(line.group_id):
            message = _('Line ${line}: there is no group "${group}"', mapping=names)
        elif group.is_automatic(line.group_id):
            message = _(
                'Line ${line}: nobody can be put in the group "${group}"', mapping=names
            )
        elif privilege.group(line.group_id):
            message = _(
                'Line ${line}: the group "${group}" may administer the site, buyers cannot be '
                "put in it",
                mapping=names,
            )
        else:
            continue
        problems.append((line.number, message))
    return [message for number, message in sorted(problems, key=lambda problem: problem[0])]


def _line_message(error: MappingError) -> Message | str:
    """The translatable message of a line that cannot be read."""
    names = {"line": error.line}
    messages = {
        "form": _("Line ${line}: expected PRODUCT_ID|GROUP_ID", mapping=names),
        "days": _(
            "Line ${line}: the days of access must be a whole number from 1 to ${most}",
            mapping={**names, "most": MOST_DAYS},
        ),
        "option": _(
            'Line ${line}: after the days of access only the word "exclusive" can follow',
            mapping=names,
        ),
        "terms": _(
            "Line ${line}: an earlier line gives this product other days of access or another "
            "exclusivity",
            mapping=names,
        ),
        "product": _("Line ${line}: the product id is missing", mapping=names),
        "group": _("Line ${line}: the group id is missing", mapping=names),
        "twice": _(
            "Line ${line}: this product and group stand in an earlier line", mapping=names
        ),
    }
    return messages.get(error.reason, str(error))


def _group_problems(group_id: str) -> Iterator[Message]:
    """The group of all buyers is made when it is missing, so its id has to be possible."""
    if not group.exists(group_id):
        if not group.GROUP_ID.fullmatch(group_id):
            yield _(
                '"${group}" cannot be the id of a group: use letters from A to Z, digits and '
                "the signs _ . @ + -",
                mapping={"group": group_id},
            )
        elif group.cannot_make(group_id):
            yield _('"${group}" is the id of a member.', mapping={"group": group_id})
    elif group.is_automatic(group_id):
        yield _('Nobody can be put in the group "${group}".', mapping={"group": group_id})
    elif privilege.group(group_id):
        yield _(
            'The group "${group}" may administer the site, buyers cannot be put in it.',
            mapping={"group": group_id},
        )


def _template_problems(text: str, allowed: tuple[str, ...]) -> Iterator[Message]:
    """Placeholders that nothing would be filled into, each once."""
    seen = set()
    for match in Template.pattern.finditer(text):
        name = match["named"] or match["braced"]
        if match["escaped"] is not None or name in allowed:
            continue
        # A stray dollar sign is shown with what follows it, so that it can be found.
        shown = match[0] if name else text[match.start() :].split(maxsplit=1)[0][:20]
        if shown in seen:
            continue
        seen.add(shown)
        yield _(
            'There is no placeholder "${placeholder}"; write $$ for a dollar sign',
            mapping={"placeholder": shown},
        )


def _credentials_problems(values: Mapping[str, Any]) -> Iterator[Problem]:
    """A new member who gets a mail without credentials has no way in."""
    stored = site.settings()
    welcome_mail = values.get("welcome_mail", stored.welcome_mail)
    text = values.get("welcome_text", stored.welcome_text) or ""
    named = {match["named"] or match["braced"] for match in Template.pattern.finditer(text)}
    if welcome_mail != "none" and "credentials" not in named:
        yield (
            "welcome_text",
            _(
                "The text has to contain $credentials: without it a new member cannot log in. "
                "To mail nothing, choose so above."
            ),
        )
