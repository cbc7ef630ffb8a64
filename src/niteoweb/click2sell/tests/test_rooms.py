"""Rooms meet at their faces; import-linter holds the levels, see ``setup.cfg``."""

from collections.abc import Iterator
from configparser import ConfigParser
from fnmatch import fnmatch
from functools import cache
from niteoweb import click2sell
from pathlib import Path

import ast
import unittest


PACKAGE = Path(click2sell.__file__).parent
ROOMS = {path.parent.name for path in PACKAGE.glob("*/__init__.py")} - {"providers", "tests"}


def imports() -> Iterator[tuple[str, str, str, str]]:
    """Each import of one room by another one.

    :returns: file and line, the room, the module in it, and the name that is imported.
    """
    for path in PACKAGE.rglob("*.py"):
        here = path.relative_to(PACKAGE).with_suffix("").parts[0]
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ImportFrom) or here == "tests":
                continue
            parts = (node.module or "").removeprefix(f"{click2sell.__name__}.").split(".")
            if parts[0] in ROOMS - {here} and node.module.startswith(click2sell.__name__):
                for name in node.names:
                    place = f"{path.relative_to(PACKAGE)}:{node.lineno}"
                    yield place, parts[0], ".".join(parts[1:]), name.name


@cache
def handed_on(room: str) -> set[str]:
    """The names in ``__all__`` of a room's face."""
    (listed,) = (
        node.value
        for node in ast.parse((PACKAGE / room / "__init__.py").read_text("utf-8")).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    return {node.value for node in ast.walk(listed) if isinstance(node, ast.Constant)}


class TestFaces(unittest.TestCase):
    def test_a_room_imports_faces_of_others_only(self):
        found = list(imports())
        self.assertGreater(len(found), 100)
        self.assertEqual([place for place, _room, module, _name in found if module], [])

    def test_a_face_lists_the_names_that_it_hands_on(self):
        wanted = [
            f"{place}: {room}.{name}"
            for place, room, module, name in imports()
            if name not in handed_on(room)
        ]
        self.assertEqual(wanted, [])

    def test_a_face_is_short(self):
        for room in sorted(ROOMS):
            lines = (PACKAGE / room / "__init__.py").read_text("utf-8").splitlines()
            self.assertLessEqual(len(lines), 40, room)


class TestModules(unittest.TestCase):
    def test_a_module_that_is_called_pure_is_named_in_the_contract(self):
        setup = ConfigParser()
        setup.read(PACKAGE.parents[2] / "setup.cfg")
        named = setup["importlinter:contract:pure"]["source_modules"].split()
        for path in PACKAGE.rglob("*.py"):
            text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
            name = ".".join(path.relative_to(PACKAGE.parents[1]).with_suffix("").parts)
            if "Pure: imports nothing of Zope" in text:
                with self.subTest(name):
                    self.assertTrue(any(fnmatch(name, f"{one}*") for one in named))

    def test_no_test_module_is_imported(self):
        for path in (PACKAGE / "tests").rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ImportFrom):
                    names = " ".join(f"{node.module}.{name.name}" for name in node.names)
                    with self.subTest(path.name, line=node.lineno):
                        self.assertNotRegex(names, r"\.tests\.(\w+\.)*test_")
