"""The clock of the demo's site, moved from outside while a subscription's life is shown.

A page of the demo's site only, and only where a provider's life is shown. Afterwards the clock
is the real one again.
"""

from contextlib import ExitStack
from datetime import datetime
from Products.Five.browser import BrowserView
from tools.demo.seeding import Clock


_moved = ExitStack()
_clock = Clock(datetime.min)


class SiteClock(BrowserView):
    """``POST @@demo-clock`` with ``now``, in ISO 8601; empty for the real time."""

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
