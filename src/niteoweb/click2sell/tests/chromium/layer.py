"""A headless Chromium, a real HTTP server, and the demo's month to look at."""

from niteoweb.click2sell.tests.cases.demosite import MONTH_FIXTURE
from pathlib import Path
from playwright.sync_api import sync_playwright
from plone.app.testing import FunctionalTesting
from plone.testing.zope import WSGI_SERVER_FIXTURE
from tools import ROOT

import os
import shutil
import signal
import time


CHROMIUM = "chromium"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
#: What a container needs, and nothing that asks for anything outside of this machine.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # The same picture whatever the machine.
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
    "--hide-scrollbars",
)
#: Seconds in which a browser that was told to end has to be gone.
ENDS_WITHIN = 10

#: A process: its id, and when it started, since ids are given again.
Process = tuple[int, str]


class BrowserLayer(FunctionalTesting):
    """A browser for all tests; each opens a window of its own that knows nothing of others.

    The resource ``browser`` is Playwright's, ``axe`` the text of axe-core.
    """

    defaultBases = (MONTH_FIXTURE, WSGI_SERVER_FIXTURE)

    def setUp(self) -> None:
        super().setUp()
        chromium = shutil.which(CHROMIUM)
        if chromium is None or not AXE.is_file():
            raise RuntimeError("Chromium or axe-core is missing: run 'make browser' first.")
        before = _descendants()
        self._playwright = sync_playwright().start()
        try:
            self["browser"] = self._playwright.chromium.launch(
                executable_path=chromium, args=ARGUMENTS
            )
        except BaseException:
            self._playwright.stop()
            raise
        self._processes = _descendants() - before
        self["axe"] = AXE.read_text(encoding="utf-8")

    def tearDown(self) -> None:
        processes = self._processes | _children_of(self._processes)
        self["browser"].close()
        self._playwright.stop()
        left = _left(processes, ENDS_WITHIN)
        for pid, _ in left:
            os.kill(pid, signal.SIGKILL)
        del self["browser"], self["axe"]
        super().tearDown()
        if left:
            raise RuntimeError(f"{len(left)} processes of the browser did not end.")


def _processes() -> dict[Process, int]:
    """All processes of this machine with the ids of their parents."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in parentheses, may have spaces in it.
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
        except OSError:
            continue  # It has ended meanwhile.
        state, parent, *_ = values = fields.split()
        if state != "Z":
            found[int(path.parent.name), values[19]] = int(parent)
    return found


def _descendants() -> set[Process]:
    """The processes that this one has started, and theirs."""
    return _children_of({(os.getpid(), "")})


def _children_of(processes: set[Process]) -> set[Process]:
    parents = _processes()
    found: set[Process] = set()
    new = {pid for pid, _ in processes}
    while new:
        children = {process for process, parent in parents.items() if parent in new} - found
        found |= children
        new = {pid for pid, _ in children}
    return found


def _left(processes: set[Process], seconds: float) -> set[Process]:
    """Processes that have not ended after so many seconds."""
    deadline = time.monotonic() + seconds
    while (left := processes & set(_processes())) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


BROWSER = BrowserLayer(name="niteoweb.click2sell:Browser")
