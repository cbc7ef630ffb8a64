"""The report of a sweep."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.provisioning import Plan
from niteoweb.click2sell.storage import log_failure
from niteoweb.click2sell.storage import transactions
from typing import Any


@dataclass
class SweepReport:
    """The report of a sweep, or of its preview.

    :ivar as_of: the moment that it looked at, in UTC.
    :ivar copy: this is a copy of the site; nothing was applied.
    :ivar lapsed: a member each: ``user_id``, ``email``, ``products``, ``groups``.
    :ivar off: the time by which the machine's clock is not where it was expected.
    :ivar stopped: why no access was ended: ``members``, ``limit``, and ``hours_off`` if it is
        because of the clock; None when access was ended.
    :ivar silent: silent providers, with the time of their last notification. Subscriptions of
        these were not ended although a renewal was missing.
    :ivar entries: keys of the entries that were taken up, with their outcome.
    :ivar missed: notifications that had not arrived, and were asked for.
    :ivar granted: members who were given a group that had been missing, or that a wrong clock
        took.
    :ivar accounts: accounts that were made for buyers who had waited because of the cap.
    :ivar reminded: ends of access that members were told of beforehand.
    :ivar mails: mails that were sent, and that could not be.
    :ivar waiting: failed ``entries`` and ``mails`` whose next attempt is not due yet, and
        ``accounts`` that have to wait because of the cap.
    :ivar redacted: entries whose payload was removed.
    :ivar busy: entries, members and mails that another process was at; the next sweep does
        them.
    :ivar troubled: members and mails where something unexpected happened; the log says what.
    :ivar polled: parts of the report that providers add which are polled.
    """

    as_of: datetime
    dry_run: bool
    copy: bool
    off: timedelta = timedelta()
    lapsed: list[dict[str, Any]] = field(default_factory=list)
    stopped: dict[str, int] | None = None
    silent: dict[str, datetime] = field(default_factory=dict)
    entries: dict[str, str] = field(default_factory=dict)
    missed: int = 0
    granted: int = 0
    accounts: int = 0
    reminded: int = 0
    mails: dict[str, int] = field(default_factory=lambda: {"sent": 0, "failed": 0, "due": 0})
    waiting: dict[str, int] = field(
        default_factory=lambda: {"entries": 0, "mails": 0, "accounts": 0}
    )
    redacted: int = 0
    busy: int = 0
    troubled: int = 0
    polled: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The report as plain values."""
        return {
            "as_of": self.as_of.isoformat(),
            "dry_run": self.dry_run,
            "copy_of_the_site": self.copy,
            "lapsed": self.lapsed,
            "stopped": self.stopped,
            "silent_providers": {n: t.isoformat() for n, t in sorted(self.silent.items())},
            "entries": self.entries,
            "missed": self.missed,
            "groups_given_late": self.granted,
            "accounts_made_late": self.accounts,
            "reminded": self.reminded,
            "mails": self.mails,
            "waiting": self.waiting,
            "payloads_removed": self.redacted,
            "busy": self.busy,
            "troubled": self.troubled,
            **self.polled,
        }

    def numbers(self) -> dict[str, int]:
        """The numbers of :meth:`as_json`, without persons and addresses."""
        counted = {n: v for n, v in self.as_json().items() if type(v) is int}
        lapsed = 0 if self.stopped else len(self.lapsed)
        return {"lapsed": lapsed, "entries": len(self.entries), **counted}

    @contextmanager
    def attempt(self, what: str) -> Iterator[None]:
        """Attempt a step of the sweep: one that fails is counted, and keeps no other one back.

        :param what: names the step, or the record that it is about, in the log.
        """
        try:
            yield
        except transactions.Busy:
            self.busy += 1
        except Exception as error:
            self.trouble(what, error)

    def trouble(self, what: str, error: Exception) -> None:
        """Note that something went wrong; the next sweep tries again."""
        log_failure(what, error)
        self.troubled += 1

    def add(self, plan: Plan) -> None:
        """Add a member, if access to anything ends by the plan."""
        if plan.lost:
            self.lapsed.append(
                {
                    "user_id": plan.user_id,
                    "email": accounts.text(plan.user_id, "email"),
                    "products": [
                        {"provider": provider, "product_id": product_id}
                        for provider, product_id in plan.lost
                    ],
                    "groups": list(plan.revoked),
                }
            )
