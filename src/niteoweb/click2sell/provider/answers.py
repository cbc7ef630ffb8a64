"""The answers of a provider's API, and the errors that stand for none and for no."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.provider import jsonbody


class Unreachable(Exception):
    """The provider cannot be asked at the moment; the question can be asked again later.

    The message says why, without a secret, an address of a person or a part of the answer.
    """


class NoAnswer(Unreachable):
    """The provider has not answered in time."""

    def __init__(self) -> None:
        super().__init__("no answer")


@contextmanager
def reading() -> Iterator[None]:
    """Read an answer; one with a field that is missing or malformed is no answer.

    :raises Unreachable: there is such a field.
    """
    try:
        yield
    except ParameterError:
        raise Unreachable("answer unreadable") from None


class TokenRefused(Unreachable):
    """The provider does not accept the token, or not for this question.

    :param subject: of the question, where it may be asked with another token.
    """

    def __init__(self, subject: str = "") -> None:
        super().__init__("token not accepted" + (f" for {subject}" if subject else ""))


class Refused(Exception):
    """The provider does not answer the question, or cannot be asked it: a person has to decide.

    :ivar reason: why, in a few words, without a secret or a part of the answer.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Rejected(Refused):
    """The provider says no, and by a code why.

    :ivar status: of HTTP.
    :ivar code: the provider's, 0 for none.
    """

    def __init__(self, status: int, code: int = 0) -> None:
        super().__init__(f"status {status}, code {code}" if code else f"status {status}")
        self.status, self.code = status, code


class NotFound(Rejected):
    """The provider does not know the subject of the question."""

    def __init__(self, code: int = 0) -> None:
        super().__init__(404, code)
        self.reason = "not found"


class SessionInvalid(Rejected):
    """The session of a customer at the provider is over, or none."""


@dataclass(frozen=True)
class Reply:
    """An answer that means yes.

    :ivar status: which yes, where the provider has several.
    """

    status: int
    body: jsonbody.JsonBody


@dataclass(frozen=True)
class Codes:
    """Codes of errors, and statuses, that mean something whatever the question was.

    :ivar away: the provider answers nobody at the moment.
    :ivar session: the session of a customer is not valid.
    :ivar lacking: statuses: the token is not accepted for this question.
    """

    away: frozenset[int] = frozenset()
    session: frozenset[int] = frozenset()
    lacking: frozenset[int] = frozenset({403})


#: Codes that mean nothing in particular.
NO_CODES = Codes()
