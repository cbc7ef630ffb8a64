"""The package that the documentation shows is built, installed, and takes in a purchase."""

from importlib.metadata import Distribution
from niteoweb.click2sell.command.notify import KEY_VARIABLE
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.testing.fake.server import Clock
from niteoweb.click2sell.tests.cases.commands import RecordingServer
from niteoweb.click2sell.tests.cases.documentation import DOCS
from niteoweb.click2sell.tests.cases.documentation import pages
from niteoweb.click2sell.tests.cases.documentation import with_docs
from niteoweb.click2sell.tests.cases.layers import SHOP_FIXTURE
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from pathlib import Path
from plone import api
from plone.app.testing import applyProfile
from plone.app.testing import FunctionalTesting
from plone.app.testing import PloneSandboxLayer
from plone.registry.interfaces import IRegistry
from plone.testing.zope import WSGI_SERVER_FIXTURE
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock
from zipfile import ZipFile
from zope.component import getUtility

import os
import shutil
import subprocess
import sys
import tarfile
import transaction
import unittest


EXAMPLE = DOCS / "examples" / "acmepay"
JANE = "jane@example.org"
#: What other builds and runs may have left there.
DROPPINGS = shutil.ignore_patterns("*.egg-info", "build", "dist", "__pycache__")
RECORDS = "acmepay.interfaces.IAcmePaySettings."


class Installed(PloneSandboxLayer):
    """A site with the package, from a wheel that was built of its source distribution.

    :ivar folder: what it was installed into.
    :ivar sdist: names of the files in the source distribution.
    :ivar wheel: names of the files in the wheel.
    """

    defaultBases = (SHOP_FIXTURE,)

    def setUpZope(self, app, configurationContext):
        """Build the package with the tools that are installed, install and load it."""
        self._temporary = TemporaryDirectory()
        folder = Path(self._temporary.name)
        checkout, dist, self.folder = folder / "checkout", folder / "dist", folder / "lib"
        shutil.copytree(EXAMPLE, checkout, ignore=DROPPINGS)
        run(folder, "build", "--no-isolation", "--outdir", dist, checkout)
        (sdist,), (wheel,) = dist.glob("*.tar.gz"), dist.glob("*.whl")
        self.sdist, self.wheel = names_in(sdist), names_in(wheel)
        offline = ("--disable-pip-version-check", "--no-index", "--no-deps", "--no-cache-dir")
        run(folder, "pip", "install", *offline, "--target", self.folder, wheel)
        sys.path.insert(0, str(self.folder))
        import acmepay

        self.loadZCML(package=acmepay)

    def setUpPloneSite(self, portal):
        """Install it in the site."""
        applyProfile(portal, "acmepay:default")

    def tearDownZope(self, app):
        """Forget the package."""
        sys.path.remove(str(self.folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == "acmepay"]:
            del sys.modules[name]
        self._temporary.cleanup()


INSTALLED = Installed()
HTTP = FunctionalTesting(bases=(INSTALLED, WSGI_SERVER_FIXTURE), name="acmepay:HTTP")


def run(folder: Path, *command: Any) -> str:
    """Run a module of Python, or a line of code.

    :param folder: where; what lies there is found before what is installed.
    :returns: what it printed.
    """
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-c" if " " in command[0] else "-m", *map(str, command)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
    )
    if done.returncode:
        raise AssertionError(f"{command[0]} failed:\n{done.stdout}")
    return done.stdout


def names_in(path: Path) -> set[str]:
    """The files in a wheel or source distribution, without the folder around the latter."""
    if path.suffix == ".whl":
        with ZipFile(path) as archive:
            return set(archive.namelist())
    with tarfile.open(path) as archive:
        found = [member.name for member in archive.getmembers() if member.isfile()]
    return {name.partition("/")[2] for name in found}


@with_docs
class TestPackage(unittest.TestCase):
    layer = INSTALLED if EXAMPLE.is_dir() else None

    def test_all_of_it_is_released(self):
        source = {
            path.relative_to(EXAMPLE).as_posix()
            for path in EXAMPLE.rglob("*")
            if path.suffix in (".py", ".zcml", ".xml", ".toml")
        }
        self.assertGreater(len(source), 10)
        sdist, wheel = self.layer.sdist, self.layer.wheel
        self.assertEqual(source - sdist, set())
        package = {name.removeprefix("src/") for name in source if name.startswith("src/")}
        self.assertEqual(package - wheel, set())

    def test_plone_finds_it(self):
        (found,) = Distribution.discover(name="acmepay", path=[str(self.layer.folder)])
        points = {(point.group, point.value) for point in found.entry_points}
        plugin = ("z3c.autoinclude.plugin", "plone")
        self.assertEqual(points, {plugin, ("niteoweb.click2sell.samples", "acmepay.sample")})
        self.assertEqual(found.requires, ["niteoweb.click2sell"])

    def test_the_command_finds_it(self):
        server = RecordingServer()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        with mock.patch.dict("os.environ", {KEY_VARIABLE: "a key of Acme Pay"}):
            told = run(
                *(self.layer.folder, "niteoweb.click2sell.command.notify", server.url),
                *("--provider", "acmepay", "--product", "gold", "--email", JANE),
            )
        self.assertIn("/@@acmepay: sale, product gold, buyer jane@example.org", told)
        ((path, delivery),) = server.received
        self.assertEqual(path, "/@@acmepay")
        self.assertIn("acme-signature", delivery.headers)

    def test_its_own_tests_pass(self):
        told = run(self.layer.folder, "unittest", "acmepay.tests.test_provider")
        self.assertRegex(told, r"Ran [3-9]\d tests")
        # Cases for a part that is signed, and for a signature in the body, cannot run.
        self.assertRegex(told, r"OK \(skipped=\d+\)\s*\Z")

    def test_its_tests_need_no_plone(self):
        code = "import acmepay.tests.test_provider, sys; print(*sys.modules)"
        loaded = {name.partition(".")[0] for name in run(self.layer.folder, code).split()}
        self.assertIn("acmepay", loaded)
        self.assertEqual(loaded & {"plone", "Products", "Zope2", "ZODB", "transaction"}, set())

    def test_all_of_it_is_shown(self):
        page = pages()["addprovider.rst"]
        for path in EXAMPLE.rglob("*"):
            if path.suffix in (".py", ".zcml", ".xml", ".toml") and path.name != "__init__.py":
                name = path.relative_to(DOCS).as_posix()
                with self.subTest(name):
                    self.assertTrue("uninstall" in name or f":: {name}\n" in page)


@with_docs
class TestOverHTTP(SiteTestCase):
    layer = HTTP if EXAMPLE.is_dir() else SiteTestCase.layer

    def setUp(self):
        super().setUp()
        from acmepay.fake import FakeAcmePay

        self.fake = FakeAcmePay(clock=Clock(self.now))
        self.url = f"http://{self.layer['host']}:{self.layer['port']}/plone/@@acmepay"
        self.set(enabled=True, secretkey=self.fake.webhooks.secret)
        self.set(mapping=["gold|premium"])

    def set(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(registry.settings(registry.get("acmepay")), name, value)
        transaction.commit()

    def deliver(self, **how: Any) -> list[int]:
        found = self.fake.webhooks.deliver(self.url, **how)
        transaction.begin()
        return [one.status for one in found]

    def test_a_purchase_and_its_end(self):
        until = "2026-06-03T12:00:00Z"
        self.fake.tell("order.paid", "A-1", JANE, "gold", until=until, subscription="S-1")
        self.assertEqual(self.deliver(times=2), [200, 200])
        self.assertEqual(self.groups(JANE), ["click2sell", "premium"])
        self.assertEqual(self.member(JANE).getProperty("product_id"), "gold")
        self.fake.clock.move(hours=1)
        self.fake.tell("order.refunded", "A-1", JANE, "gold")
        self.assertEqual(self.deliver(), [200])
        self.assertEqual(self.groups(JANE), ["click2sell"])
        self.assertEqual([outcome for outcome, *rest in self.entries()], ["accepted"] * 2)

    def test_a_line_of_the_mapping_may_name_the_series(self):
        self.set(mapping=["print|course"])
        self.fake.tell("order.paid", "A-1", JANE, "silver")
        self.deliver()
        self.assertEqual(self.groups(JANE), ["click2sell", "course"])

    def test_what_is_tampered_with_is_refused(self):
        delivery = self.fake.tell("order.paid", "A-1", JANE, "gold")
        found = self.fake.webhooks.post(
            self.url, delivery, tamper=lambda body: body.replace(b"jane", b"jack")
        )
        self.assertEqual(found.status, 403)
        self.assertIsNone(self.member("jack@example.org"))

    def test_switched_off_it_is_not_there(self):
        self.set(enabled=False)
        self.fake.tell("order.paid", "A-1", JANE, "gold")
        self.assertEqual(self.deliver(), [404])
        self.assertEqual(list(ledger.newest_first(self.portal)), [])

    def test_its_settings_are_a_page_that_the_others_lead_to(self):
        with api.env.adopt_roles(["Manager"]):
            form = api.content.get_view("acmepay-settings", self.portal, self.layer["request"])
            page = form()
            settings = api.content.get_view(
                "click2sell-settings", self.portal, self.layer["request"]
            )()
        self.assertIn("/@@acmepay", page)
        self.assertNotIn(self.fake.webhooks.secret, page)
        url = f"{self.portal.absolute_url()}/@@acmepay-settings"
        self.assertIn(url, settings)

    def test_uninstalled_it_leaves_nothing(self):
        records = getUtility(IRegistry).records
        self.assertTrue([name for name in records if name.startswith(RECORDS)])
        with self.owner():
            applyProfile(self.portal, "acmepay:uninstall")
        self.assertEqual([name for name in records if name.startswith(RECORDS)], [])
