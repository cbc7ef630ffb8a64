"""``make cluster``: one command from nothing to a site that sells."""

from tools.program import free_port
from tools.tests.cluster.test_command import CommandCase

import re
import socket


class TestMake(CommandCase):
    def test_it_sells_and_keeps_what_it_sold(self):
        passwords = set()
        for _ in range(2):
            done = self.run_once(port := free_port())
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn(f"http://localhost:{port}/Plone", done.stdout)
            for name in ("zope1", "zope2"):
                self.assertIn(
                    f"{name} has the member, in the group paying-members", done.stdout
                )
            self.assertIn("One welcome mail came.", done.stdout)
            passwords.add(re.search(r"as owner: +admin / (\S+)", done.stdout)[1])
            with self.assertRaises(OSError):
                socket.create_connection(("127.0.0.1", port), 1)
        self.assertEqual(len(passwords), 1)
        for name in ("secrets.json", "postgres/passfile", "postgres/password"):
            self.assertEqual((self.folder / name).stat().st_mode & 0o077, 0, name)
