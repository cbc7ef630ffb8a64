"""``make cluster``: what it refuses, and how its programs end."""

from pathlib import Path
from tempfile import TemporaryDirectory
from tools.cluster.postgres import Postgres
from tools.program import ToolError
from tools.terminal import locked

import os
import socket
import subprocess
import sys
import unittest


MINUTES = 10


class CommandCase(unittest.TestCase):
    """A cluster in a folder of its own."""

    def setUp(self):
        temporary = TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name, "cluster")
        self.folder.parent.chmod(0o755)

    def run_once(self, port: int) -> subprocess.CompletedProcess:
        return subprocess.run(
            [
                *(sys.executable, "-m", "tools.cluster.run", "--once"),
                *("--port", str(port), "--folder", self.folder),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            timeout=MINUTES * 60,
        )


class TestCommand(CommandCase):
    def test_a_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            done = self.run_once(port := taken.getsockname()[1])
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"Port {port} is in use. Choose another one: make cluster", done.stdout)
        self.assertFalse(self.folder.exists())

    def test_a_folder_of_somebody_else(self):
        self.folder.mkdir()
        (self.folder / "thesis.txt").touch()
        with self.assertRaisesRegex(ToolError, "not made by make cluster"):
            locked(self.folder, "cluster").__enter__()

    def test_two_at_once_in_a_folder(self):
        with (
            locked(self.folder, "cluster"),
            self.assertRaisesRegex(ToolError, "Another cluster"),
        ):
            locked(self.folder, "cluster").__enter__()

    def test_a_folder_that_the_server_cannot_get_to(self):
        if os.geteuid():
            self.skipTest("only root runs the server as another user")
        self.folder.parent.chmod(0o700)
        with self.assertRaisesRegex(ToolError, "closed to others. .* FOLDER="):
            Postgres(self.folder).start()
