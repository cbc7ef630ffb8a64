"""The report as a service of plone.restapi: ``GET /@click2sell-report``.

It needs the permission to view purchases.
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.report import accounting
from niteoweb.click2sell.report import daily
from niteoweb.click2sell.report import memberships
from niteoweb.click2sell.report import overview
from plone.restapi.services import Service
from typing import Any
from zExceptions import BadRequest


NAME = "@click2sell-report"

#: Fields of a mail that stand in the answer as they are stored.
MAIL = ("kind", "to", "filed_at", "attempts", "error", "due_at")


class ReportGet(Service):
    """Answers a GET: figures of days or months, and the present state.

    ``days=30`` or ``days=90``, or ``months=12`` or ``months=24``.
    """

    def reply(self) -> dict[str, Any]:
        now, chosen = timestamps.now(), self._chosen()
        rows = overview.rows(self.context, chosen, now)
        return {
            "@id": f"{self.context.absolute_url()}/{NAME}?{chosen.unit}s={chosen.number}",
            "timezone": str(plone_site.timezone()),
            "figures": [{chosen.unit: row.period, **row.values} for row in rows],
            "totals": overview.totals(rows),
            "money": _money(overview.money(self.context, chosen, now)),
            "failed": ledger.count(self.context, outcome=Outcome.FAILED),
            "needs_attention": ledger.waiting(self.context),
            "members_with_access": overview.members_with_access(self.context),
            "products": [asdict(product) for product in overview.products(self.context)],
            "members_by_month": [
                asdict(month) for month in memberships.by_month(self.context, now)
            ],
            "never_logged_in": _newest(
                overview.never_logged_in(self.context),
                lambda account: {
                    "user_id": account.user_id,
                    "buyer": account.address,
                    "made_at": timestamps.iso(account.made_at),
                },
            ),
            "renewals_missing": _newest(
                overview.renewals_missing(self.context, now),
                lambda renewal: {
                    "user_id": renewal.user_id,
                    "buyer": renewal.address,
                    "provider": renewal.provider,
                    "product_id": renewal.product_id,
                    "expected_at": timestamps.iso(renewal.expected_at),
                    "access": renewal.access,
                },
            ),
            "mails_failed": _newest(
                overview.mails_failed(self.context),
                lambda mail: {name: mail[name] for name in MAIL},
            ),
            "providers": [
                _provider(provider, now) for provider in overview.providers(self.context, now)
            ],
        }

    def _chosen(self) -> overview.Range:
        """The range of time that was asked for.

        :raises BadRequest: there is no such range.
        """
        asked = {
            unit: self.request.form[f"{unit}s"]
            for unit in (overview.DAY, overview.MONTH)
            if f"{unit}s" in self.request.form
        }
        if not asked:
            return overview.Range(*overview.CHOICES[0])
        for unit, number in overview.CHOICES:
            if asked == {unit: str(number)}:
                return overview.Range(unit, number)
        possible = ", ".join(f"{unit}s={number}" for unit, number in overview.CHOICES)
        raise BadRequest(f"One of these is possible: {possible}.")


def _money(sums: daily.Breakdown) -> dict[str, Any]:
    return {
        name: [
            {what: key, "currency": currency, **_amounts(total)}
            for (key, currency), total in sorted(apart.items())
        ]
        for name, what, apart in (
            ("months", "month", sums.months),
            ("by_product", "product", sums.products),
        )
    } | {"capped": sums.capped}


def _amounts(total: accounting.Total) -> dict[str, str]:
    return {
        "income": str(total.sales),
        "refunds": str(total.refunds),
        "net": str(total.net),
    }


def _newest(newest: overview.Newest, item: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    return {
        "items": [item(record) for record in newest.items],
        "items_total": newest.total,
        "items_total_capped": newest.capped,
    }


def _provider(provider: overview.Provider, now: datetime) -> dict[str, Any]:
    return {
        "provider": provider.name,
        "last_notification_at": timestamps.iso(provider.last),
        "seconds_since": int((now - provider.last).total_seconds()),
        "usual_seconds": provider.usual and int(provider.usual.total_seconds()),
        "unusually_silent": provider.silent and not provider.heard_again,
    }
