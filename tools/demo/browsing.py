"""A Chromium on this machine for the demo, where there is one: it is needed for tests alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from tools.demo.visitor import basic
from typing import Any

import shutil


MILLISECONDS = 60000


@contextmanager
def window(login: str, password: str) -> Iterator[Any]:
    """A window of Playwright's with somebody logged in; None without it or Chromium."""
    chromium = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        yield None
        return
    with sync_playwright() as playwright:
        # A container has no sandbox to offer, and only this machine's site is opened.
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        try:
            context = browser.new_context(
                locale="en-US", extra_http_headers={"Authorization": basic(login, password)}
            )
            context.set_default_timeout(MILLISECONDS)
            yield context.new_page()
        finally:
            browser.close()
