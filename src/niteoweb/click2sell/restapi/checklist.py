"""The checklist of the set-up as a service of plone.restapi."""

from niteoweb.click2sell import timestamps
from niteoweb.click2sell.interfaces import IPaymentProvider
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.setup import Check
from niteoweb.click2sell.setup import checklist
from plone.restapi.services import Service
from typing import Any
from zope.i18n import translate


class ChecklistGet(Service):
    """Answers a GET to ``@click2sell-checklist``; neither mail server nor provider is asked."""

    def reply(self) -> dict[str, Any]:
        items = checklist.items(self.context, timestamps.now())
        return {
            "@id": f"{self.context.absolute_url()}/@click2sell-checklist",
            "providers": [self._provider(provider) for provider in registry.to_set_up()],
            "items": [self._item(item) for item in items],
        }

    def _provider(self, provider: IPaymentProvider) -> dict[str, Any]:
        return {
            "name": provider.name,
            "title": provider.title,
            "callback": effective.callback_address(provider),
        }

    def _item(self, item: Check) -> dict[str, Any]:
        return {
            "name": item.name,
            "provider": item.provider or None,
            "state": str(item.state),
            "title": translate(item.title, context=self.request),
            "text": translate(item.text, context=self.request),
            "details": [translate(detail, context=self.request) for detail in item.details],
            "time": item.moment.isoformat() if item.moment else None,
        }
