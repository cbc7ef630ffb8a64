"""A Zope process: ``create FOLDER`` makes the site, ``ZOPE_CONF ADDRESS`` serves it.

It dies where the environment says, and its clock is put forward by as many hours as a file in
its folder says.
"""

from datetime import timedelta
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.storage import steps
from niteoweb.click2sell.tests.proof import server
from niteoweb.click2sell.tests.proof.server import KILL
from niteoweb.click2sell.tests.proof.server import OWNER
from pathlib import Path
from tools import instance
from typing import Any

import os
import signal
import sys
import threading
import time


def create(folder: Path) -> None:
    """Create the site, with the add-on installed and configured."""
    with instance.application(folder / instance.CONFIGURATION) as app:
        from niteoweb.click2sell.tests.cases.deliveries import SECRET_KEY
        from plone import api

        import transaction

        site = instance.create_site(
            app,
            OWNER,
            "Proof",
            content=False,
            smtp_host="127.0.0.1",
            email_from_name="Proof",
            email_from_address="site@example.org",
        )
        mapping = ["1|premium", "2|course|30", "7|day|1"]
        instance.install(
            site,
            secretkey=SECRET_KEY,
            mapping=mapping,
            site_address=server.ADDRESS,
            # The proofs call the sweep themselves, where there is one.
            sweep_minutes=0,
        )
        for group_id in ("premium", "course", "day"):
            api.group.create(group_id)
        transaction.commit()


def watched(app: Any) -> Any:
    """Tell of events and retries, die where the environment says; 503 without a database."""
    from niteoweb.click2sell import wsgi

    _watch()
    return wsgi.filtered(app)


def _watch() -> None:
    """Tell of events and retries, and die where the environment says."""
    from niteoweb.click2sell.interfaces import IAccessRevokedEvent
    from niteoweb.click2sell.interfaces import IMemberCreateEvent
    from niteoweb.click2sell.storage import transactions
    from zope.component import provideHandler
    from ZPublisher.HTTPRequest import HTTPRequest

    sleep, delay = time.sleep, HTTPRequest.delay_retry

    class Time:
        def sleep(self, seconds: float) -> None:
            _tell(f"pause {threading.get_ident()} {seconds:.3f}")
            sleep(seconds)

    def delay_retry(request) -> None:
        _tell("publisher retry")
        delay(request)

    provideHandler(lambda event: _tell(f"created {event.user_id}"), [IMemberCreateEvent])
    provideHandler(lambda event: _tell(f"revoked {event.user_id}"), [IAccessRevokedEvent])
    transactions.time = Time()
    HTTPRequest.delay_retry = delay_retry
    name, _, times = os.environ.get(KILL, "").partition(":")
    left = [int(times or 1)]

    def step(passed: str) -> None:
        if passed in steps.OF_HOOKS:
            _tell(passed)
        if passed == name:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)

    steps.reached = step


def _tell(text: str) -> None:
    # One write, so that the lines of two threads do not mix.
    os.write(2, f"PROOF {text}\n".encode())


def _set_clock(hours: Path) -> None:
    """Have the add-on read a clock that can be put forward and back while it runs."""
    now = timestamps.now
    timestamps.now = lambda: now() + timedelta(hours=int(hours.read_text("ascii")))


if __name__ == "__main__":
    if sys.argv[1] == "create":
        create(Path(sys.argv[2]))
    else:
        clock = Path(sys.argv[1]).with_name(server.CLOCK)
        if clock.exists():
            _set_clock(clock)
        instance.serve(*sys.argv[1:], wrap=watched)
