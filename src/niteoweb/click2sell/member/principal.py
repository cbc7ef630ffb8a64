"""Members and groups as the plugins of the user folder give them, whatever they give.

A directory may give lists, bytes, numbers or nothing where Plone itself has a text. A text
counts, and each text in a list; anything else counts as nothing.
"""

from collections.abc import Callable
from DateTime import DateTime
from niteoweb.click2sell.storage import log_failure
from typing import Any
from ZODB.POSException import ConflictError


def asked(call: Callable[..., Any], *arguments: Any) -> Any:
    """The answer of the user folder or of a plugin, None where a plugin fails."""
    try:
        return call(*arguments)
    except ConflictError:
        raise
    except Exception as error:
        log_failure("A plugin of the user folder", error)
        return None


def texts(value: Any) -> tuple[str, ...]:
    """The texts of a value: itself, or those in it."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple | set | frozenset):
        return ()
    return tuple(text for text in value if isinstance(text, str))


def text(principal: Any, name: str) -> str:
    """A property as one text, "" for none: of several texts the first that is not blank."""
    return next(filter(str.strip, texts(value(principal, name))), "")


def value(principal: Any, name: str) -> Any:
    """A property: a text, a number, a date, the texts of a list, or None.

    :param principal: None for one that is not there any more.
    """
    if principal is None:
        return None
    given = asked(principal.getProperty, name, None)
    if isinstance(given, str | int | float | DateTime):
        return given
    return texts(given) or None
