"""``make cluster``: what it refuses, and how its programs end."""

from tools.cluster.postgres import Postgres
from tools.program import ToolError
from tools.terminal import locked
from tools.tests.running import ToolTestCase

import os
import socket


class CommandCase(ToolTestCase):
    """A cluster in a folder of its own, which the database's user can get to."""

    module = "tools.cluster.run"

    def setUp(self):
        super().setUp()
        self.folder.parent.chmod(0o755)


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
