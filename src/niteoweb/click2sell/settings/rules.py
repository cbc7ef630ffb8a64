"""Rules for the settings that may be saved: one set for every way of saving them.

The forms of Site Setup and the control panel services all go through :func:`normalize`,
:func:`validate` and :func:`save`, so that none accepts what another one refuses. Each payment
provider has settings of its own; those of Click2Sell are the add-on's, too.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from functools import partial
from niteoweb.click2sell import _
from niteoweb.click2sell import site
from niteoweb.click2sell.entitlement import MOST_DAYS
from niteoweb.click2sell.entitlement import parse
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.interfaces import IPaymentProvider
from niteoweb.click2sell.interfaces import ISecretKeyActions
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import group
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.settings import apitoken
from niteoweb.click2sell.settings import networks
from niteoweb.click2sell.settings import ownaddress
from niteoweb.click2sell.settings import secretkeys
from string import Template
from typing import Any
from zope.i18nmessageid import Message
from zope.interface.interfaces import IInterface
from zope.schema.interfaces import ConstraintNotSatisfied
from zope.schema.interfaces import ITextLine
from zope.schema.interfaces import ValidationError

import re


#: Placeholders in the subject of the welcome mail.
SUBJECT_PLACEHOLDERS = ("name", "login", "login_url", "product", "site")
#: Placeholders in the text of the welcome mail.
TEXT_PLACEHOLDERS = (
    *(*SUBJECT_PLACEHOLDERS, "credentials", "pages", "purchases_url", "password_url"),
    "contact",
)

#: Control characters and the two separators of Unicode: none of them belongs into one line.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ONE_LINE = _("A line break or another control character is not possible here.")

#: The questions of the form about each secret, in order. Secrets are fields that are never
#: shown, sent or logged; a blank one keeps the stored value.
QUESTIONS = {
    "secretkey": ("secretkey_keep_old", "secretkey_clear"),
    "previous_secretkey": ("previous_secretkey_clear",),
    **{name: (f"{name}_clear",) for name in apitoken.SENT},
}

#: Lists in which neither blank lines nor repetitions mean anything.
LISTS = (
    *("alert_addresses", "apps", "fulfil", "offers", "pay_urls", "source_parameters"),
    *networks.SETTINGS,
)

#: The form in which texts are kept.
_NORMAL = {
    **dict.fromkeys(QUESTIONS, lambda text: text.strip() or None),
    "buyers_group": str.strip,
    "site_address": lambda text: text.strip().rstrip("/"),
    "api_url": lambda text: text.strip().rstrip("/"),
    "welcome_text": lambda text: re.sub("\r\n?", "\n", text),
}

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
    for name, value in values.items():
        if name in ("buyers_group", "site_address", "api_url") and not value:
            normal[name] = ""
        elif name in ("mapping", *LISTS) and value is None:
            normal[name] = []
        elif name in LISTS:
            normal[name] = _tidy(value)
        elif name in _NORMAL and isinstance(value, str):
            normal[name] = _NORMAL[name](value)
    return normal


def secrets(provider: IPaymentProvider) -> list[str]:
    """The names of the secrets among the settings of a provider."""
    return [name for name in QUESTIONS if name in provider.schema]


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
    problems += _switch_problems(sound, provider)
    checks = {
        "mapping": _mapping_problems,
        "alert_addresses": _recipient_problems,
        **{name: partial(networks.problems, name) for name in networks.SETTINGS},
        "buyers_group": group_problems,
        "site_address": ownaddress.problems,
        "welcome_subject": partial(_template_problems, SUBJECT_PLACEHOLDERS),
        "welcome_text": partial(_template_problems, TEXT_PLACEHOLDERS),
    }
    for name, check in checks.items():
        if sound.get(name):
            problems += [(name, message) for message in check(sound[name])]
    if sound.keys() & {"welcome_mail", "welcome_text"} and "welcome_text" not in wrong:
        problems += _credentials_problems(sound)
    return problems


def missing(provider: IPaymentProvider, values: Mapping[str, Any] | None = None) -> list[str]:
    """Names of the settings without which a provider cannot be used, and that are not set.

    :param values: as for :func:`validate`, to be saved.
    """
    values, stored = values or {}, registry.settings(provider)
    secrets_ = secretkeys.changes(values, provider) | apitoken.changes(values, provider)
    after = {**values, **secrets_}
    return [one for one in provider.required if not after.get(one, getattr(stored, one))]


def save(values: Mapping[str, Any], provider: IPaymentProvider | None = None) -> None:
    """Store settings of a provider that :func:`validate` found nothing wrong with.

    It is a job for the writer. :func:`secretkeys.changes` and :func:`apitoken.changes` decide
    about the secrets.
    """
    provider = provider or registry.main()
    stored = registry.settings(provider)
    changes = {name: value for name, value in values.items() if name in provider.schema}
    changes.update(secretkeys.changes(values, provider))
    changes.update(apitoken.changes(values, provider))
    # A change of the address clears the token, so that a new one has to come after it.
    for name, value in sorted(changes.items(), key=lambda item: item[0] in apitoken.SENT):
        if getattr(stored, name) != value:
            setattr(stored, name, value)
    secretkeys.tidy(site.get())
    site.note_address()


def _tidy(lines: Any) -> Any:
    """Lines without spaces around them, blank ones and repetitions.

    :returns: `lines` as they are when they are no list of text.
    """
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        return lines
    return [line for line in dict.fromkeys(line.strip() for line in lines) if line]


def _wrong_values(values: Mapping[str, Any], settings: IInterface) -> Iterator[Problem]:
    """Values that the fields themselves refuse: missing, of a wrong type, more than a line."""
    for name, value in values.items():
        field = (ISecretKeyActions if name in ISecretKeyActions else settings)[name]
        is_line = ITextLine.providedBy(field)
        try:
            field.validate(value)
        except ValidationError as error:
            broken = is_line and isinstance(error, ConstraintNotSatisfied)
            yield name, _ONE_LINE if broken else error.doc()
        else:
            if is_line and value and _CONTROL.search(value):
                yield name, _ONE_LINE


def _switch_problems(
    values: Mapping[str, Any], provider: IPaymentProvider
) -> Iterator[Problem]:
    """A provider cannot be switched on without its key, or the settings in place of one."""
    if not values.get("enabled") or registry.settings(provider).enabled:
        return
    for name in missing(provider, values):
        names = {"setting": provider.schema[name].title}
        text = _(
            'Set "${setting}" first: without it the provider cannot be used.', mapping=names
        )
        yield "enabled", text


def _recipient_problems(addresses: list[str]) -> Iterator[Message]:
    for address in addresses:
        if not accounts.is_address(address):
            yield _('"${address}" is not a valid e-mail address.', mapping={"address": address})


#: The problems of a line of the mapping: by the reason of its error, or that of its group.
_LINES = {
    "form": _("Line ${line}: expected PRODUCT_ID|GROUP_ID"),
    "days": _("Line ${line}: the days of access must be a whole number from 1 to ${most}"),
    "option": _(
        'Line ${line}: only DAYS, "exclusive", title= and order= can follow the group, in this '
        "order"
    ),
    "order": _(
        "Line ${line}: the order page must be an address that begins with https:// or http://"
    ),
    "title": _("Line ${line}: an earlier line gives this product another title"),
    "page": _("Line ${line}: an earlier line gives this product another order page"),
    "terms": _(
        "Line ${line}: an earlier line gives this product other days of access or another "
        "exclusivity"
    ),
    "product": _("Line ${line}: the product id is missing"),
    "group": _("Line ${line}: the group is missing"),
    "twice": _("Line ${line}: this product and group stand in an earlier line"),
    Reason.GROUP_MISSING: _('Line ${line}: there is no group "${group}"'),
    Reason.GROUP_NOT_GRANTED: _('Line ${line}: nobody can be put in the group "${group}"'),
    Reason.GROUP_PRIVILEGED: _(
        'Line ${line}: the group "${group}" can administer the site, buyers cannot be put in it'
    ),
}


#: The same of the fields of the set-up.
_FIELDS = {
    "days": _("The days of access must be a whole number from 1 to ${most}."),
    "order": _("The order page must be an address that begins with https:// or http://."),
}


def _mapping_problems(lines: list[str]) -> list[Message]:
    read, errors = parse(lines)
    problems = [(error.line, error.reason, "") for error in errors]
    for line in read:
        if reason := group.problem(line.group_id):
            problems.append((line.number, reason, line.group_id))
    return [
        _(_LINES[reason], mapping={"line": number, "group": group_id, "most": MOST_DAYS})
        for number, reason, group_id in sorted(problems)
    ]


def line_problems(line: str) -> Iterator[Message]:
    """The problems of a line that was made of fields, which has no number yet."""
    for error in parse([line])[1]:
        if error.reason in _FIELDS:
            yield _(_FIELDS[error.reason], mapping={"most": MOST_DAYS})


def group_problems(group_id: str) -> Iterator[Message]:
    """The reasons for which a group cannot be given, or be made where it is missing."""
    names, reason = {"group": group_id}, group.problem(group_id)
    if reason == Reason.GROUP_NOT_GRANTED:
        yield _('Nobody can be put in the group "${group}".', mapping=names)
    elif reason == Reason.GROUP_PRIVILEGED:
        yield _(
            'The group "${group}" can administer the site, buyers cannot be put in it.',
            mapping=names,
        )
    elif reason and not group.GROUP_ID.fullmatch(group_id):
        yield _(
            '"${group}" cannot be the id of a group: use letters from A to Z, digits, spaces '
            "and the characters _ . @ + -",
            mapping=names,
        )
    elif reason and group.cannot_make(group_id) == Reason.GROUP_PRIVILEGED:
        yield _('A group with the name "${group}" cannot be created.', mapping=names)
    elif reason and group.cannot_make(group_id):
        yield _('"${group}" is the id of a member.', mapping=names)


def _template_problems(allowed: tuple[str, ...], text: str) -> Iterator[Message]:
    """Placeholders that nothing would be filled into, each once."""
    unknown = {}
    for match in Template.pattern.finditer(text):
        name = match["named"] or match["braced"]
        if match["escaped"] is None and name not in allowed:
            # A stray dollar sign is shown with what follows it, so that it can be found.
            shown = match[0] if name else text[match.start() :].split(maxsplit=1)[0][:20]
            unknown[shown] = _(
                'There is no placeholder "${placeholder}"; write $$ for a dollar sign',
                mapping={"placeholder": shown},
            )
    yield from unknown.values()


def _credentials_problems(values: Mapping[str, Any]) -> Iterator[Problem]:
    """A new member who gets a mail without credentials has no way in."""
    stored = site.settings()
    welcome_mail = values.get("welcome_mail", stored.welcome_mail)
    text = Template(values.get("welcome_text", stored.welcome_text) or "")
    if welcome_mail != "none" and "credentials" not in text.get_identifiers():
        yield (
            "welcome_text",
            _(
                "The text has to contain $credentials: without it a new member cannot log in. "
                "To mail nothing, choose so above."
            ),
        )
