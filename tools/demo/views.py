"""Pages of the demo's site alone: its clock, and the purchase fields of a member."""

from contextlib import ExitStack
from DateTime import DateTime
from datetime import datetime
from plone import api
from Products.Five.browser import BrowserView
from tools.demo.seeding import Clock
from tools.demo.settings import FIELDS

import json


_moved = ExitStack()
_clock = Clock(datetime.min)


class SiteClock(BrowserView):
    """``POST @@demo-clock`` with ``now``, in ISO 8601; empty for the real time.

    The stories of providers move the clock from outside while they are told.
    """

    def __call__(self) -> str:
        if self.request.method != "POST":
            self.request.response.setStatus(405)
            return ""
        text = self.request.form.get("now", "")
        _moved.close()
        if text:
            _clock.now = datetime.fromisoformat(text)
            _moved.enter_context(_clock.running())
        return text or "the real time"


class PurchaseFields(BrowserView):
    """``@@demo-purchase-fields?userid=...``: the five purchase fields, as JSON.

    plone.restapi's ``@users`` shows the fields of Plone's own user form, and these are not in
    it.
    """

    def __call__(self) -> str:
        member = api.user.get(userid=self.request.form.get("userid", ""))
        self.request.response.setHeader("Content-Type", "application/json")
        if member is None:
            self.request.response.setStatus(404)
            return json.dumps(None)
        return json.dumps({name: _text(member.getProperty(name)) for name in FIELDS})


def _text(value) -> str:
    return value.ISO8601() if isinstance(value, DateTime) else str(value)
