"""One module a payment provider whose own API has to be asked: over the network, with limits.

Such a module has a function ``complete``, which is called outside of locks and transactions::

    is_wanted(notification, settings) -> bool
    complete(notification, settings, now) -> tuple[Notification, ...]

Where subscriptions can be listed, another one tells what no notification told::

    changes(settings, since, now) -> Iterator[Notification]

For the checklist of the set-up, one may try whether the API answers; it raises if it does not::

    probe(settings) -> None
"""


class Unreachable(Exception):
    """The provider cannot be asked at the moment; the same question can be asked again later.

    The message says why, without a secret, an address of a person or what was answered.
    """


class Refused(Exception):
    """The provider was asked, or cannot be, and a person has to decide.

    :ivar reason: why, in a few words, without a secret or what was answered.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotFound(Refused):
    """The provider does not know what it was asked for."""

    def __init__(self) -> None:
        super().__init__("not found")
