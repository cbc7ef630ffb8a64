"""Entries that are not final: those whose process died, that failed, or wait for a provider."""

from collections.abc import Container
from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import retryqueue
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.worker.report import SweepReport
from typing import Any


#: An entry that is "received" for longer belongs to a process that died.
RECEIVED_AT_MOST = timedelta(minutes=2)


def take_up(report: SweepReport, now: datetime) -> None:
    """Take up all entries that are due and wait for no provider.

    :param report: gets their outcomes.
    :param now: in UTC.
    """
    for key in _due(plone_site.get(), now):
        _take_up(report, key)


def ask(report: SweepReport, skipped: Container[str] = ()) -> set[str]:
    """Ask the providers about the entries that wait for them.

    :param report: gets the outcomes.
    :param skipped: names of providers that are not asked now.
    :returns: the providers that could not be reached.
    """
    away = set()
    for provider in list(_to_ask(plone_site.get())):
        if provider in skipped:
            continue
        for key in retryqueue.waiting_for(plone_site.get(), provider):
            if _take_up(report, key) == Reason.UNREACHABLE:
                # The others would not be answered either. The next time begins with another.
                away.add(provider)
                break
    return away


def due(site: Any, now: datetime) -> Iterator[str]:
    """Keys of the entries that are taken up, if all providers can be reached.

    :param now: in UTC.
    """
    yield from _due(site, now)
    for provider in _to_ask(site):
        yield from retryqueue.waiting_for(site, provider)


def waiting(site: Any, now: datetime) -> int:
    """Number of failed entries that wait for their time, or for their provider.

    :param now: in UTC.
    """
    failed = ledger.count(site, outcome=Outcome.FAILED)
    return failed - retryqueue.due_count(site, now)


def _due(site: Any, now: datetime) -> list[str]:
    """Keys of failed entries whose time has come, and of those whose process died."""
    received = ledger.received_before(site, now - RECEIVED_AT_MOST, outcome=Outcome.RECEIVED)
    died = [key for key in received if not ledger.get(site, key)["waits_for"]]
    return [*died, *retryqueue.due(site, now)]


def _to_ask(site: Any) -> Iterator[str]:
    """The providers that entries wait for, but those that are switched off."""
    for name in retryqueue.awaited(site):
        provider = registry.get(name)
        if provider is None or registry.is_enabled(provider):
            yield name


def _take_up(report: SweepReport, key: str) -> str:
    """Take up an entry.

    :returns: the reason of its outcome, "" for none.
    """
    try:
        result = pipeline.resume(key)
    except transactions.Busy:
        report.busy += 1
    except pipeline.Failed:
        report.entries[key] = Outcome.FAILED
    except Exception as error:
        report.trouble(f"Entry {key}", error)
    else:
        report.entries[key] = result.outcome
        return result.reason
    return ""
