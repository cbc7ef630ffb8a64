"""Programs that run in the background, and the configuration of a Zope."""

from pathlib import Path
from tempfile import TemporaryDirectory
from tools import instance
from tools import ROOT
from tools.program import Program
from tools.program import run
from tools.program import run_module
from tools.program import ToolError

import os
import platform
import signal
import subprocess
import sys
import time
import unittest


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
            "import sys; from pathlib import Path; from tools.program import Program\n"
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
            deadline = time.monotonic() + 30
            while "sleep" not in state.read_text():
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.01)
            starter.kill()
        while state.exists() and "Z (zombie)" not in state.read_text():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def test_what_it_said_last(self):
        program = Program(["sh", "-c", "echo first; echo last >&2"], self.log)
        while program.running:
            time.sleep(0.01)
        self.assertEqual(program.last_words(), "first\nlast")

    def test_ready(self):
        program = Program(["sleep", "600"], self.log)
        self.addCleanup(program.kill)
        answers = iter([OSError(), False, True])

        def ready():
            answer = next(answers)
            if isinstance(answer, OSError):
                raise answer
            return answer

        program.wait_until(ready, 10)
        self.assertEqual(list(answers), [])
        with self.assertRaisesRegex(ToolError, "^log did not answer within 0 seconds"):
            program.wait_until(lambda: False, 0.2)

    def test_it_ends_before_it_is_ready(self):
        program = Program(["sh", "-c", "echo I cannot; exit 3"], self.log)
        with self.assertRaisesRegex(ToolError, "^log ended:\nI cannot$"):
            program.wait_until(lambda: False, 60)
        self.assertEqual(program.status, 3)


class TestRun(unittest.TestCase):
    def test_what_it_is_told_and_says(self):
        self.assertEqual(run(["cat"], told="Hello"), "Hello")

    def test_a_module_of_the_checkout(self):
        with self.assertRaisesRegex(ToolError, "(?s)-m tools.bench.members failed:.*TypeError"):
            run_module("tools.bench.members")

    def test_it_takes_too_long(self):
        with self.assertRaisesRegex(ToolError, "sleep 600 took more than 0 seconds"):
            run(["sleep", "600"], timeout=0.1)


class TestConfiguration(unittest.TestCase):
    def test_a_database_stays(self):
        with TemporaryDirectory() as folder:
            instance.configure(Path(folder))
            database = Path(folder) / instance.DATABASE
            database.write_text("members")
            configuration = instance.configure(Path(folder), cache=2000, without="some.addon")
            self.assertEqual(database.read_text(), "members")
            self.assertIn("cache-size 2000", configuration.read_text())
            zcml = (Path(folder) / "etc" / "site.zcml").read_text()
            self.assertIn('<exclude package="some.addon" />', zcml)

    @unittest.skipIf(platform.libc_ver()[0] != "glibc", "Another C library.")
    def test_memory_is_treated_as_at_a_site(self):
        script = (
            "import ctypes, gc, threading\n"
            "from tools import instance\n"
            "instance.manage_memory()\n"
            "library, together = ctypes.CDLL(None), threading.Barrier(5)\n"
            "def work():\n"
            "    together.wait(); kept.append(bytearray(10_000)); together.wait()\n"
            "kept = []\n"
            "threads = [threading.Thread(target=work) for _ in range(5)]\n"
            "for one in threads: one.start()\n"
            "for one in threads: one.join()\n"
            "print(gc.get_threshold(), flush=True)\n"
            "library.malloc_info(0, ctypes.c_void_p.in_dll(library, 'stdout'))\n"
            "library.fflush(None)\n"
        )
        told = run([sys.executable, "-c", script], environment={"PYTHONPATH": str(ROOT)})
        self.assertIn("(10000, 20, 100)", told)
        self.assertEqual(told.count("<heap nr="), 1, "Each thread has memory of its own.")
