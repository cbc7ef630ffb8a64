"""The mails that a served site owes, as its owner sees them."""

from tools import client
from tools.program import ToolError

import time


#: Longer than the pauses after which an unreachable mail server is tried again.
PATIENCE = 120


def waiting(address: str | int, owner: tuple[str, str], host: str = "") -> int:
    """The number of mails that are due, being sent, or tried again later.

    :param address: where the site listens, see :class:`tools.client.Connection`.
    :param owner: login name and password.
    :param host: of the site's public address, where that is not where it listens.
    :raises ToolError: the site does not say.
    """
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    with client.Connection(address, owner, host=host) as connection:
        answer = connection.ask("POST", "@click2sell-sweep", b'{"dry_run": true}', headers)
    if answer.status != 200:
        raise ToolError(f"@click2sell-sweep: {answer.status} {answer.text[:300]!r}")
    report = answer.json()
    return report["mails"]["due"] + report["waiting"]["mails"]


def wait_until_empty(
    address: str | int, owner: tuple[str, str], host: str = "", seconds: float = PATIENCE
) -> None:
    """Wait until the site's background thread has sent every mail; nobody sweeps.

    :param seconds: for which to wait for the next one.
    :raises ToolError: some are left, and no more are sent.
    """
    before, deadline = -1, 0.0
    while number := waiting(address, owner, host):
        if number != before:
            before, deadline = number, time.monotonic() + seconds
        if time.monotonic() > deadline:
            raise ToolError(f"{number} mails were not sent within {seconds:.0f} seconds")
        time.sleep(0.1)
