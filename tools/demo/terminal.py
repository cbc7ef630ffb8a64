"""What the commands that serve a site have in common at the terminal."""

import signal


class Ended(BaseException):
    """Ctrl-C or SIGTERM. Not an Exception, so that nothing takes it for a failure."""


def end_on_signals() -> None:
    """Raise :class:`Ended` at Ctrl-C and SIGTERM, from now on."""
    signal.signal(signal.SIGINT, _end)
    signal.signal(signal.SIGTERM, _end)


def say(text: str) -> None:
    """Print at once, even when the output goes into a file or a pipe."""
    print(text, flush=True)


def _end(signum, frame) -> None:
    # A second Ctrl-C must not interrupt the ending of the processes.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Ended
