"""The API of a WS.WebTV: one function for each question.

Names of functions, fields and errors are those of the vendor's documentation. The signature of
a question covers nothing but its time: so https matters, and each question is signed anew.
"""

from contextlib import suppress
from datetime import datetime
from functools import partial
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.provider import is_address
from niteoweb.click2sell.provider import JsonApi
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import JsonBody
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.webtv import protocol
from niteoweb.click2sell.providers.webtv import states
from typing import Any

import re
import secrets


#: Users on a page of their list.
PAGE = 100
#: All that is asked about users: a list would tell passwords and sessions, too.
FIELDS = "id,email,name,surname,status"
#: An address that nobody has.
NOBODY = "nobody@invalid.example"

#: Of an error; with another one nobody knows whether it is one.
_CODE = re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII)

#: Texts of the store that may be passed on: they name nothing of a person.
TEXTS = frozenset(
    {
        *("Invalid User ID", "Invalid credit action", "Invalid amount", "Invalid cart action"),
        *("Invalid or missing product ID", "Invalid product quantity"),
        *("Invalid Subscription ID", "E-Mail cannot be blank"),
    }
)


class NotAccepted(Unreachable):
    """The store does not accept our questions: an owner has to look at the settings."""

    def __init__(self) -> None:
        super().__init__("question not accepted")


class StoreError(Refused):
    """The store answers a question with an error.

    :ivar code: of the store.
    :ivar text: of the store, "" for one that is not known.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"error {code}")
        self.code, self.text = code, text


class UserNotFound(StoreError):
    """The store does not know the user."""

    def __init__(self) -> None:
        super().__init__("USER_NOT_FOUND", "")


def is_wanted(notification: Notification, settings: Any) -> bool:
    """Whether the store has to be asked about a notification: they are made of its answers."""
    return False


def complete(
    notification: Notification, settings: Any, now: datetime
) -> tuple[Notification, ...]:
    """A notification as it is."""
    return (notification,)


def probe(settings: Any) -> None:
    """Ask for as little as possible: the id of an address that nobody has.

    :raises Unreachable: the store cannot be asked.
    """
    user_id(settings, NOBODY)


def ask(settings: Any, go: str, do: str, iq: str = "", **values: str) -> JsonBody:
    """Ask the store once.

    :param go: the section of the API.
    :param do: the action.
    :param iq: the id of a user, or an address.
    :param values: of the form.
    :raises Unreachable: no answer, or the question was not accepted.
    :raises StoreError: the store answers with an error.
    """
    if not (settings.api_key_id and settings.api_token):
        raise NotAccepted
    salt, moment = secrets.token_hex(16), str(int(timestamps.now().timestamp()))
    parameters = {
        "go": go,
        "do": do,
        **({"iq": iq} if iq else {}),
        "key": settings.api_key_id,
        "timestamp": moment,
        "salt": salt,
        "signature": protocol.signature(settings.api_token, salt, moment),
    }
    answer = JsonApi(settings.api_url or "", {}).form(values, **parameters)
    with jsonapi.reading():
        code = answer.identifier("error")
        text = answer.title("error_long")
    if code and not _CODE.fullmatch(code) or not answer.items():
        # Nobody knows what that means: who has asked looks what became of it.
        raise Unreachable("answer unreadable")
    if not code:
        return answer
    if code in ("USER_NOT_FOUND", "NOT_FOUND") or text == "User not found":
        raise UserNotFound
    if code == "REQUEST_ERROR" and text not in TEXTS:
        raise NotAccepted
    raise StoreError(code, text if text in TEXTS else "")


def subscriptions(settings: Any, user: str) -> states.Listed:
    """The current subscriptions of a user.

    :raises ParameterError: the list is not well-formed.
    """
    answer = ask(settings, "store", "list_subscriptions", user)
    return states.readable(answer, "id", states.subscription, timestamps.now())


def content(settings: Any, user: str) -> states.Listed:
    """The access passes of a user, see :func:`subscriptions`."""
    answer = ask(settings, "store", "list_current_content", user)
    read = partial(states.access_pass, user=user)
    return states.readable(answer, "", read, timestamps.now())


def user_id(settings: Any, email: str) -> str:
    """The id of the user with an address, "" for none."""
    try:
        with jsonapi.reading():
            id_ = ask(settings, "users", "get_id_from_email", email).identifier("id")
    except UserNotFound:
        return ""
    # None is -1, 0 or null.
    return id_ if states.is_id(id_) else ""


def users(settings: Any, page: int) -> tuple[list[states.User], int]:
    """A page of the active users: those with a usable address, and how many stand there.

    :param page: from 1 on.
    """
    answer = ask(
        *(settings, "users", "list"),
        fields=FIELDS,
        paging="1",
        resultsPerPageFilter=str(PAGE),
        current_page=str(page),
        statusFilter="1",
    )
    with jsonapi.reading():
        # The name of the list is an assumption (A5).
        found = states.listed(answer, "list", "users", "data")
    usable = []
    for body in found:
        # One that cannot be read must not keep the others out for ever.
        with suppress(ParameterError):
            usable.append(_user(body))
    return [user for user in usable if user is not None], len(found)


def user(settings: Any, id_: str) -> states.User | None:
    """A user, None for one that is not active or has no usable address."""
    with jsonapi.reading():
        return _user(ask(settings, "users", "get", id_).part("data"))


def _user(body: JsonBody) -> states.User | None:
    """Of a user four fields, and nothing else."""
    id_, email = body.required("id"), body.title("email").strip()
    active = not body.has("status") or body.identifier("status") == "1"
    if not (active and states.is_id(id_) and is_address(email)):
        return None
    return states.User(id_, email, body.title("name"), body.title("surname"))
