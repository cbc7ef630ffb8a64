"""What a site with the add-on is compared with, on the same machine."""

from collections.abc import Mapping
from pathlib import Path
from tools import ROOT
from tools.bench.server import BenchError
from tools.bench.server import PloneServer
from tools.bench.server import Server


class PlainSite(PloneServer):
    """A Plone without the add-on, see plain.py.

    :ivar registered: addresses that Plone alone has registered.
    """

    name = "plain"
    making = ("tools.bench.plain", "create")
    more = '<include package="tools.bench" file="plain.zcml" />'
    without = "niteoweb.click2sell"

    def __init__(self, folder: Path, mail_port: int) -> None:
        super().__init__(folder, mail_port)
        self.registered: list[str] = []

    def fill(self, total: int) -> None:
        """Make members until there are so many."""
        self.members = total
        self._run("tools.bench.plain", "fill", str(self.folder), str(total), self._mail_port)

    def check(self) -> None:
        """Look for every purchase that was acknowledged, and every registration.

        :raises BenchError: one is missing, or there is something else.
        """
        total = self.members + len(self.sold) + len(self.registered)
        told = self._told(sold=self.sold, registered=self.registered, total=total)
        self._run("tools.bench.plain", "check", str(self.folder), told)


class Shop(Server):
    """Bare Django on SQLite, see the package bench.shop.

    :param environment: folder of its virtual environment.
    :raises BenchError: there is none.
    """

    name = "shop"
    kept = ("db.sqlite3",)
    database = "db.sqlite3"

    def __init__(self, folder: Path, environment: Path) -> None:
        super().__init__(folder)
        self._python = environment / "bin" / "python"
        if not self._python.exists():
            raise BenchError(f"There is no {self._python}; `make bench` makes it.")

    def fill(self, total: int) -> None:
        """Make members until there are so many."""
        self.members = total
        self._run("tools.bench.shop", "fill", str(self.folder), str(total))

    def check(self) -> None:
        """Look for every purchase that was acknowledged.

        :raises BenchError: one is missing, or there is something else.
        """
        told = self._told(sold=self.sold, total=self.members + len(self.sold))
        self._run("tools.bench.shop", "check", str(self.folder), told)

    def _serving(self) -> tuple[str, ...]:
        return ("tools.bench.shop", "serve", str(self.folder), str(self.port))

    def _interpreter(self) -> str:
        # Not what the link leads to, which knows nothing of the environment.
        return str(self._python.absolute())

    def _environment(self) -> Mapping[str, str]:
        return {"PYTHONPATH": str(ROOT)}
