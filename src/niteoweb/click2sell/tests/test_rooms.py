"""The rooms of the tests."""

from pathlib import Path

import ast
import unittest


TESTS = Path(__file__).parent


class TestModules(unittest.TestCase):
    def test_no_test_is_imported_from_a_test_module(self):
        for path in set(TESTS.rglob("*.py")) - set(TESTS.glob("cluster/*.py")):
            tree = ast.parse(path.read_text("utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom):
                    modules = [f"{node.module}.{alias.name}" for alias in node.names]
                    with self.subTest(path.relative_to(TESTS), line=node.lineno):
                        self.assertNotRegex(" ".join(modules), r"\.tests\.(\w+\.)*test_")
