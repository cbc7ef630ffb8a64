"""Pages of the demo's site alone: its clock, and the purchase fields of a member."""

from contextlib import ExitStack
from DateTime import DateTime
from datetime import datetime
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import schedule
from niteoweb.click2sell.worker import catchup
from niteoweb.click2sell.worker import turns
from plone import api
from Products.Five.browser import BrowserView
from tools.demo.seeding import Clock
from tools.demo.settings import FIELDS
from unittest import mock

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
        if not text:
            _moved.close()
            _clock.now = datetime.min
            return "the real time"
        # Moved on, it never shows the real time in between: threads look at it all the while.
        moved, _clock.now = _clock.now != datetime.min, datetime.fromisoformat(text)
        if not moved:
            _moved.enter_context(_clock.running())
            # A provider is back after days of the story, and moments of the process.
            _moved.enter_context(mock.patch.object(turns, "UNREACHABLE", 0))
            # And one that is away is so for hours of it: nobody need look on meanwhile.
            _moved.enter_context(mock.patch.object(jsonapi, "PAUSES", (0, 0)))
        return text


class AutomaticCheck(BrowserView):
    """``@@demo-check``: when the site's clock last checked, and its providers were last asked.

    POST wakes the threads that do so: they do not wait by the clock of the story.
    """

    def __call__(self) -> str:
        if self.request.method == "POST":
            for work in (background.CLOCK, background.QUESTIONS):
                background.wake(work)
        run, now = schedule.last_run(self.context), timestamps.now()
        moments = {
            provider.name: catchup.since(self.context, provider, now).isoformat()
            for provider in registry.enabled()
            if hasattr(provider.client, "changes")
        }
        if run is not None and run.seconds is not None:
            moments["clock"] = run.begun_at.isoformat()
        self.request.response.setHeader("Content-Type", "application/json")
        return json.dumps(moments)


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
