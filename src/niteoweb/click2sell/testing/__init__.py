"""Test support for integrators: layers with a site, fake providers, and the conformance kit."""

from niteoweb.click2sell.testing import conformance
from niteoweb.click2sell.testing.fake.sender import PendingDelivery
from niteoweb.click2sell.testing.fake.sender import Sender
from niteoweb.click2sell.testing.fake.server import Clock
from niteoweb.click2sell.testing.fake.server import FakeServer
from niteoweb.click2sell.testing.fake.server import Request
from niteoweb.click2sell.testing.fake.server import Response
from typing import Any


_LAYERS = ["FIXTURE", "FUNCTIONAL", "HTTP", "INTEGRATION", "MailServer"]

__all__ = [
    *_LAYERS,
    *["Clock", "FakeServer", "PendingDelivery", "Request", "Response", "Sender", "conformance"],
]


def __getattr__(name: str) -> Any:
    """The layers, imported at first use: they bring Zope's ``Testing`` along.

    In a process that serves a true database, ``Testing`` would exchange it for one in memory.
    """
    if name not in _LAYERS:
        raise AttributeError(name)
    from niteoweb.click2sell.testing import layers

    return getattr(layers, name)
