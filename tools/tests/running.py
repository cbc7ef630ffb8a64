"""Tools as a developer runs them: once, in a process and a folder of their own."""

from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import TestCase

import os
import subprocess
import sys


MINUTES = 15


class ToolTestCase(TestCase):
    """A tool that makes a site in a folder.

    :cvar module: the tool's.
    """

    module: str

    def setUp(self):
        temporary = TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name, "site")

    def run_once(self, port: int, *options: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [
                *(sys.executable, "-m", self.module, "--once"),
                *("--port", str(port), "--folder", self.folder, *options),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            timeout=MINUTES * 60,
        )
