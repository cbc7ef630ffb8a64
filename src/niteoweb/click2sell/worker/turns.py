"""The turns of the threads for mail and for questions: the due work of the current site."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from niteoweb.click2sell import hooks
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.mail import delivery
from niteoweb.click2sell.mail import messages
from niteoweb.click2sell.mail import Sent
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.worker import catchup
from niteoweb.click2sell.worker import unfinished
from niteoweb.click2sell.worker.report import SweepReport
from smtplib import SMTPAuthenticationError

import time


#: Seconds after which a mail server that could not be reached is tried again.
AWAY = 30
#: The same after it refused the site's login: some lock an account that tries too often.
REFUSED = 15 * 60
#: Seconds after which a provider that could not be reached is asked again.
UNREACHABLE = 60
#: The pause between questions for missed notifications, where the clock has none.
CATCH_UP = timedelta(minutes=10)


class Mailer:
    """Sends the due mails; a mail server that was away is tried without a mail first.

    :param may_go_on: asked before each mail.
    """

    def __init__(self, may_go_on: Callable[[], bool]) -> None:
        self._may_go_on = may_go_on
        self._away_until: dict[tuple[str, ...], float] = {}

    def turn(self) -> float | None:
        """Send the due mails of the current site."""
        path = plone_site.get().getPhysicalPath()
        for ask in background.take(background.MAIL, path):
            with suppress(transactions.Busy):
                ask()
        if path in self._away_until:
            left = self._away_until[path] - time.monotonic()
            pause = left if left > 0 else _mail_server_away()
            if pause > 0:
                self._away_until[path] = time.monotonic() + pause
                return pause
            del self._away_until[path]
        if delivery.send_due(self._may_go_on)[Sent.AWAY]:
            self._away_until[path] = time.monotonic() + AWAY
            return AWAY
        return None


class Asker:
    """Asks providers about the entries that wait for them, and for missed notifications."""

    def __init__(self) -> None:
        self._away_until: dict[tuple[tuple[str, ...], str], float] = {}

    def turn(self) -> None:
        """Ask the providers of the current site."""
        path = plone_site.get().getPhysicalPath()
        report = SweepReport(timestamps.now(), dry_run=False, copy=False)
        away = {
            provider
            for (of, provider), until in self._away_until.items()
            if of == path and until > time.monotonic()
        }
        with suppress(Unreachable, Refused):
            # After one without an answer the others wait until requests leave them again.
            for ask in background.take(background.QUESTIONS, path):
                ask()
        for name in unfinished.ask(report, away):
            self._away_until[path, name] = time.monotonic() + UNREACHABLE
        catchup.run(report, timestamps.now(), effective.sweep_pause() or CATCH_UP)


def post_events(may_go_on: Callable[[], bool]) -> float | None:
    """Post the due events of the current site to their receivers.

    :param may_go_on: asked before each event.
    """
    with suppress(transactions.Busy):
        return 0 if hooks.delivery.send_due(may_go_on) else None
    return None


def _mail_server_away() -> float:
    """Try the mail server.

    :returns: seconds until it is tried again, 0 when it would take a mail.
    """
    try:
        messages.probe()
    except NotImplementedError:
        return 0  # it sends by other means: a mail has to be tried
    except SMTPAuthenticationError:
        return REFUSED
    except Exception:
        return AWAY
    return 0
