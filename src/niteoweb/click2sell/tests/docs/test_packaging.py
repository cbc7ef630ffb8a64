"""The release is whole: a source distribution, and a wheel made from it."""

from configparser import ConfigParser
from email.message import Message
from email.parser import HeaderParser
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
import unittest


ROOT = Path(__file__).resolve().parents[5]
PACKAGE = "niteoweb/click2sell"
#: What running the code leaves in a checkout, and what the system leaves.
DROPPINGS = ("__pycache__", ".pyc", ".pyo", ".http", ".orig", ".rej", ".swp", "~", ".DS_Store")
#: What a release is made of; the rest of a checkout is big and does not matter.
FOLDERS = ("docs", "src", "tools")


class Release:
    """Test layer: what a release consists of. The test runner calls no ``setUpClass``.

    :cvar expected: names of the files of the package, without caches.
    :cvar wheel: names of the files in the wheel.
    :cvar info: the folder of its metadata.
    :cvar sdist: names of the files in the source distribution.
    """

    expected: set[str]
    wheel: set[str]
    info: str
    metadata: Message
    entry_points: ConfigParser
    sdist: set[str]

    @classmethod
    def setUp(cls):
        with TemporaryDirectory() as folder:
            checkout, target = Path(folder, "checkout"), Path(folder, "dist")
            copy_checkout(checkout)
            cls.expected = {
                path.relative_to(checkout / "src").as_posix()
                for path in (checkout / "src" / PACKAGE).rglob("*")
                if path.is_file() and path.suffix not in (".pyc", ".pyo")
            }
            build(checkout, target)
            (wheel,) = target.glob("*.whl")
            with ZipFile(wheel) as archive:
                cls.wheel = {info.filename for info in archive.infolist() if not info.is_dir()}
                (cls.info,) = {
                    name.partition("/")[0] for name in cls.wheel if ".dist-info/" in name
                }
                metadata = archive.read(f"{cls.info}/METADATA").decode("utf-8")
                cls.metadata = HeaderParser().parsestr(metadata)
                cls.entry_points = ConfigParser()
                cls.entry_points.read_string(
                    archive.read(f"{cls.info}/entry_points.txt").decode("utf-8")
                )
            (sdist,) = target.glob("*.tar.gz")
            with tarfile.open(sdist) as archive:
                cls.sdist = {
                    member.name.partition("/")[2]
                    for member in archive.getmembers()
                    if member.isfile()
                }

    @classmethod
    def tearDown(cls):
        pass


def copy_checkout(target: Path) -> None:
    """Copy what a build needs: in place it leaves folders behind, and reads those of others.

    Caches are copied too, since they must not get into the release.
    """
    target.mkdir()
    ignore = shutil.ignore_patterns("*.egg-info", "_build")
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, target)
        elif path.name in FOLDERS:
            shutil.copytree(path, target / path.name, ignore=ignore)


def build(checkout: Path, target: Path) -> None:
    """Make both distributions, with the tools that are installed."""
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", target, checkout],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        cwd=checkout.parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    if done.returncode:
        raise AssertionError(f"the build failed:\n{done.stdout}")


@unittest.skipUnless((ROOT / "setup.py").is_file(), "this is an installed package")
class TestRelease(unittest.TestCase):
    layer = Release if (ROOT / "setup.py").is_file() else None

    def setUp(self):
        self.wheel, self.sdist, self.info = Release.wheel, Release.sdist, Release.info
        self.metadata, self.entry_points = Release.metadata, Release.entry_points

    def test_every_file_of_the_package_is_in_it(self):
        expected = Release.expected
        for suffix in (".py", ".pt", ".zcml", ".xml", ".mo"):
            self.assertTrue(any(name.endswith(suffix) for name in expected), suffix)
        released = {name for name in self.wheel if not name.startswith(self.info)}
        self.assertEqual(expected - released, set(), "missing")
        self.assertEqual(released - expected, set(), "not of the package")

    def test_nothing_else_is_in_it(self):
        for name in self.wheel:
            self.assertFalse(any(part in name for part in DROPPINGS), name)
        self.assertEqual(
            {name.partition("/")[0] for name in self.wheel}, {"niteoweb", self.info}
        )

    def test_the_namespace_is_left_to_others(self):
        self.assertNotIn("niteoweb/__init__.py", self.wheel)

    def test_the_source_distribution_has_what_tests_and_documentation_need(self):
        for name in ("docs/index.rst", "docs/conf.py", "LICENSE.rst"):
            self.assertIn(name, self.sdist)
        for name in ("bench", "cluster", "demo", "soak"):
            self.assertIn(f"tools/{name}/run.py", self.sdist)
        recordings = {f"docs/http-examples/{p.name}" for p in ROOT.glob("docs/http-examples/*")}
        self.assertEqual(recordings - self.sdist, set())
        self.assertEqual({n for n in self.sdist if "__pycache__" in n or "_build" in n}, set())

    def test_zope_and_buildout_find_it(self):
        self.assertEqual(dict(self.entry_points["z3c.autoinclude.plugin"]), {"target": "plone"})

    def test_console_scripts_can_be_called(self):
        scripts = dict(self.entry_points["console_scripts"])
        self.assertIn("click2sell-notify", scripts)
        for name, target in scripts.items():
            with self.subTest(name):
                module, _, function = target.partition(":")
                self.assertIn(f"{module.replace('.', '/')}.py", self.wheel)
                self.assertTrue(callable(getattr(import_module(module), function)))

    def test_metadata(self):
        self.assertEqual(self.metadata["Name"], "niteoweb.click2sell")
        self.assertEqual(
            self.metadata["License-Expression"] or self.metadata["License"], "BSD-3-Clause"
        )
        self.assertEqual(self.metadata["Description-Content-Type"], "text/x-rst")
        self.assertIn("Framework :: Plone :: 6.2", self.metadata.get_all("Classifier"))
        self.assertIn(f"{self.info}/licenses/LICENSE.rst", self.wheel)
        text = self.metadata.get_payload() or self.metadata["Description"]
        for name in ("README.rst", "CHANGES.rst"):
            self.assertIn((ROOT / name).read_text("utf-8").strip().splitlines()[1], text)

    def test_nothing_is_required_for_tests_only(self):
        required = self.required()
        self.assertIn("plone-restapi", required)
        for name in ("plone-app-testing", "aiosmtpd", "sphinx", "slipcover"):
            self.assertNotIn(name, required)

    def test_all_that_is_imported_is_required(self):
        """Of a namespace, which several packages share, one has to be."""
        required, owners = self.required(), packages_distributions()
        for path in (ROOT / "src" / PACKAGE).rglob("*.py"):
            if path.relative_to(ROOT / "src" / PACKAGE).parts[0] in ("tests", "testing"):
                continue
            for name in imported(ast.parse(path.read_text("utf-8"))):
                if name not in sys.stdlib_module_names | {"niteoweb"}:
                    brought = {normal(owner) for owner in owners[name]}
                    self.assertTrue(brought & required, f"{name} in {path.name}")

    def required(self) -> set[str]:
        """The packages that an install brings."""
        lines = self.metadata.get_all("Requires-Dist")
        return {normal(line) for line in lines if "extra ==" not in line}


def normal(requirement: str) -> str:
    """The name of a package, in one form."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def imported(tree: ast.Module) -> set[str]:
    """The packages that a module imports, without what is below them."""
    names = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    return {name.partition(".")[0] for name in names}
