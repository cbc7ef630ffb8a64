"""A WSGI filter: "try again later" while the database is away.

Zope opens the database before it looks for what to publish. Where that fails, no view can
answer, and the web server in front of Zope gets a plain error.
"""

from collections.abc import Callable
from collections.abc import Iterable
from niteoweb.click2sell.storage import transactions
from typing import Any

import logging


logger = logging.getLogger("niteoweb.click2sell")

Application = Callable[[dict[str, Any], Callable], Iterable[bytes]]


def filter_factory(global_config: dict[str, str], **local_config: str) -> Callable:
    """The factory of ``egg:niteoweb.click2sell#away`` in the pipeline of ``wsgi.ini``."""
    return filtered


def filtered(application: Application) -> Application:
    """Wrap an application, so that it answers 503 while its database is away."""

    def answer(environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
        try:
            return application(environ, start_response)
        except Exception as error:
            if not transactions.passes(error):
                raise
            logger.warning("The database cannot be used: %s", type(error).__name__)
            headers = [
                ("Content-Type", "text/plain; charset=utf-8"),
                ("Cache-Control", "no-store"),
                ("Retry-After", str(transactions.RETRY_AFTER)),
            ]
            start_response("503 Service Unavailable", headers)
            return [b"Try again later."]

    return answer
