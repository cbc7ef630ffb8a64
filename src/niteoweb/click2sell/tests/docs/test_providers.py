"""The table of what providers tell is the one of the code.

``CLICK2SELL_RECORD=1 bin/test -m test_docs_providers`` writes it anew.
"""

from importlib import import_module
from importlib.util import find_spec
from niteoweb.click2sell import providers
from niteoweb.click2sell.providers.stripe import protocol as stripe
from niteoweb.click2sell.tests.cases.documentation import DOCS
from niteoweb.click2sell.tests.cases.documentation import pages
from niteoweb.click2sell.tests.cases.documentation import with_docs
from niteoweb.click2sell.tests.cases.recording import RECORD
from types import ModuleType
from typing import Any

import os
import pkgutil
import socket
import subprocess
import sys
import textwrap
import unittest


TABLE = DOCS / "provider-events.inc"

HEAD = """\
.. list-table::
   :header-rows: 1
   :widths: 16 40 14 30

   * - provider
     - event
     - kind
     - effect
"""


def protocols() -> list[ModuleType]:
    """The modules of payment providers, by name."""
    return [
        import_module(f"{providers.__name__}.{found.name}.protocol")
        for found in pkgutil.iter_modules(providers.__path__)
    ]


def table() -> str:
    rows = [
        f"   * - {module.TITLE}\n     - ``{event.name}``\n"
        f"     - {event.kind}\n     - {event.effect}\n"
        for module in protocols()
        for event in module.EVENTS
    ]
    return HEAD + "".join(rows)


@with_docs
class TestTable(unittest.TestCase):
    def test_table(self):
        if os.environ.get(RECORD) == "1":
            TABLE.write_text(table(), "utf-8")
        self.assertEqual(TABLE.read_text("utf-8"), table())

    def test_what_to_choose_at_stripe(self):
        listed = "\n".join(f"   {name}" for name in stripe.EVENT_TYPES)
        self.assertIn(f"\n\n{listed}\n\n", (DOCS / "providers.rst").read_text("utf-8"))

    def test_all_are_there(self):
        names = {module.NAME for module in protocols()}
        self.assertLessEqual({"plenigo", "cleeng"}, names)


@with_docs
class TestExample(unittest.TestCase):
    def test_the_fake_plenigo(self):
        text = pages()["providers.rst"]
        code = text.partition(".. code-block:: python\n")[2].partition("\n``plenigo.url``")[0]
        with socket.create_server(("127.0.0.1", 0)) as server:
            nowhere = f"http://127.0.0.1:{server.getsockname()[1]}/"
        site = "http://localhost:8080/Plone/@@plenigo"
        self.assertIn(site, code)
        names: dict[str, Any] = {}
        exec(textwrap.dedent(code).replace(site, nowhere), names)
        told = [delivery.name for delivery in names["plenigo"].callbacks.pending]
        self.assertEqual(
            told,
            [
                "CUSTOMER CREATION",
                "SUBSCRIPTION CREATION",
                "SUBSCRIPTION CHANGE",
                "SUBSCRIPTION CANCELLATION",
            ],
        )


class TestPurity(unittest.TestCase):
    def test_providers_and_fakes_import_nothing_of_zope(self):
        names = [
            f"{module.__package__}.{name}"
            for module in protocols()
            for name in ("protocol", "sample", "fake")
            if find_spec(f"{module.__package__}.{name}")
        ]
        self.assertGreater(len(names), 6)
        code = (
            f"import sys, {', '.join(names)}\n"
            "foreign = {'AccessControl', 'persistent', 'plone.api', 'ZODB', 'zope.interface'}\n"
            "sys.exit(str(foreign & set(sys.modules)) if foreign & set(sys.modules) else 0)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
        )
        self.assertEqual((done.returncode, done.stderr.strip()), (0, ""))
