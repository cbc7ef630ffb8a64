"""``make cluster``: what it refuses, and how its programs end."""

from pathlib import Path
from tempfile import TemporaryDirectory
from tools import ROOT
from tools.cluster import run as command
from tools.cluster.postgres import Postgres
from tools.cluster.program import ClusterError
from tools.cluster.program import Program

import os
import signal
import socket
import subprocess
import sys
import time
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
        with self.assertRaisesRegex(ClusterError, "not made by this command"):
            command.locked(self.folder).__enter__()

    def test_two_at_once_in_a_folder(self):
        with (
            command.locked(self.folder),
            self.assertRaisesRegex(ClusterError, "Another cluster"),
        ):
            command.locked(self.folder).__enter__()

    def test_a_folder_that_the_server_cannot_get_to(self):
        if os.geteuid():
            self.skipTest("only root runs the server as another user")
        self.folder.parent.chmod(0o700)
        with self.assertRaisesRegex(ClusterError, "closed to others. .* FOLDER="):
            Postgres(self.folder).start()


class TestProgram(unittest.TestCase):
    def setUp(self):
        temporary = TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.log = Path(temporary.name, "log")

    def test_it_ends_with_its_signal(self):
        program = Program(["sleep", "600"], self.log, end=signal.SIGINT)
        self.addCleanup(program.kill)
        self.assertTrue(program.running)
        program.end()
        self.assertFalse(program.running)

    def test_it_ends_with_who_started_it(self):
        script = (
            "import sys; from pathlib import Path; from tools.cluster.program import Program\n"
            "print(Program(['sleep', '600'], Path(sys.argv[1])).pid, flush=True)\n"
            "sys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", script, self.log],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        ) as starter:
            pid = int(starter.stdout.readline())
            state = Path(f"/proc/{pid}/status")
            self.assertTrue(state.exists())
            starter.kill()
        deadline = time.monotonic() + 30
        while state.exists() and "Z (zombie)" not in state.read_text():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def test_what_it_said_last(self):
        program = Program(["sh", "-c", "echo first; echo last >&2"], self.log)
        while program.running:
            time.sleep(0.01)
        self.assertEqual(program.last_words(), "first\nlast")
