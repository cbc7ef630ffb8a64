"""The signed hook as a registered payment provider."""

from niteoweb.click2sell.browser import Callback
from niteoweb.click2sell.interfaces import IHookSettings
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.hook import protocol
from niteoweb.click2sell.providers.hook import sample
from typing import Any
from zope.interface import implementer
from zope.publisher.interfaces import IPublishTraverse

import json


PROVIDER = registry.PaymentProvider(protocol, IHookSettings, sample=sample)
SCHEMA_NAME = "schema"


@implementer(IPublishTraverse)
class HookCallback(Callback):
    """The page that hooks are posted to; below it, ``schema`` is the form of a hook."""

    _asks_for_schema = False

    def publishTraverse(self, request: Any, name: str) -> "HookCallback":
        """Go on to the schema, which is there as long as hooks are taken in."""
        if name != SCHEMA_NAME or self._asks_for_schema or not registry.is_enabled(PROVIDER):
            raise KeyError(name)
        self._asks_for_schema = True
        return self

    def __call__(self) -> str:
        if not self._asks_for_schema:
            return super().__call__()
        response = self.request.response
        if self.request.method not in ("GET", "HEAD"):
            response.setHeader("Allow", "GET, HEAD")
            response.setStatus(405, lock=True)
            return ""
        response.setHeader("Content-Type", "application/schema+json")
        response.setHeader("X-Content-Type-Options", "nosniff")
        return json.dumps(protocol.SCHEMA, indent=2)
