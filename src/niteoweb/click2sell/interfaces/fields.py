"""Fields of the settings: the shapes that they share; each of them may be left empty."""

from collections.abc import Callable
from niteoweb.click2sell import _
from typing import Any
from zope import schema
from zope.i18nmessageid import Message

import re


class NotPossible(schema.ValidationError):
    """A value that its field refuses.

    :param why: for the reader.
    """

    def __init__(self, why: Message) -> None:
        super().__init__(why)
        self.why = why

    def doc(self) -> Message:
        """The message of forms and services."""
        return self.why


def fits(pattern: str, why: Message) -> Callable[[Any], bool]:
    """A constraint: the text, or each line of a list, has a form; an empty one always fits.

    :param why: shown where it does not; ``${line}`` is what does not fit.
    """
    form = re.compile(pattern, re.ASCII)

    def constraint(value: Any) -> bool:
        for text in [value] if isinstance(value, str) else value:
            if text.strip() and not form.fullmatch(text.strip()):
                raise NotPossible(Message(why, mapping={"line": text}))
        return True

    return constraint


def line(title: Message, description: Message | str = "", **options: Any) -> schema.TextLine:
    """A field for a line of text."""
    empty = {"required": False, "default": "", "missing_value": ""}
    return schema.TextLine(title=title, description=description, **empty | options)


def lines(title: Message, description: Message, **options: Any) -> schema.List:
    """A field for lines of text."""
    return schema.List(
        title=title,
        description=description,
        value_type=schema.TextLine(),
        **{"required": False, "default": [], "missing_value": []} | options,
    )


def number(title: Message, description: Message, **options: Any) -> schema.Int:
    """A field for a whole number."""
    return schema.Int(title=title, description=description, required=False, **options)


def secret(title: Message, description: Message) -> schema.Password:
    """A field for a secret."""
    return schema.Password(title=title, description=description, required=False)


def switch(title: Message, description: Message, default: bool = False) -> schema.Bool:
    """A field that is on or off."""
    return schema.Bool(title=title, description=description, required=False, default=default)


def tolerance(default: int) -> schema.Int:
    """The field for the greatest age of a notification.

    :param default: seconds.
    """
    return number(
        title=_("Reject notifications older than (seconds)"),
        description=_(
            "What was signed longer ago, or is dated further ahead, is refused. 0 accepts any "
            "age: what was delivered before does nothing again in any case."
        ),
        default=default,
        missing_value=0,
        min=0,
    )
