"""The checklist of the set-up as a service of plone.restapi."""

from datetime import datetime
from datetime import timezone
from niteoweb.click2sell import checklist
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.providers import CLICK2SELL
from plone.restapi.services import Service
from typing import Any
from zope.i18n import translate


class ChecklistGet(Service):
    """Answers a GET to ``@click2sell-checklist``; the mail server is not asked."""

    def reply(self) -> dict[str, Any]:
        found = checklist.items(self.context, datetime.now(timezone.utc))
        return {
            "@id": f"{self.context.absolute_url()}/@click2sell-checklist",
            "callback": plone_site.callback_address(CLICK2SELL),
            "items": [self._item(item) for item in found],
        }

    def _item(self, item: checklist.Item) -> dict[str, Any]:
        return {
            "name": item.name,
            "state": str(item.state),
            "title": translate(item.title, context=self.request),
            "text": translate(item.text, context=self.request),
            "details": [translate(detail, context=self.request) for detail in item.details],
            "time": item.moment.isoformat() if item.moment else None,
        }
