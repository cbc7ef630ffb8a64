"""Real Zope processes: their files, their start, their end, and how they are called.

What such a process does is in :mod:`.zopeprocess`.
"""

from collections.abc import Mapping
from pathlib import Path
from urllib.request import build_opener
from urllib.request import ProxyHandler
from urllib.request import Request

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time


ZOPE_PROCESS = f"{__package__}.zopeprocess"
#: In the environment: the name of a step and how often it is passed before the process dies.
KILL = "CLICK2SELL_PROOF_KILL"
SITE_ID = "Plone"
OWNER = ("admin", "a password for this test only")
START_SECONDS = 120

ZOPE_CONF = """\
instancehome {folder}/instance
clienthome {folder}/instance/var
debug-mode off
security-policy-implementation C
default-zpublisher-encoding utf-8
<zodb_db main>
    mount-point /
    cache-size 20000
{storage}
</zodb_db>
"""

FILE = """\
    <filestorage>
      path {folder}/Data.fs
    </filestorage>
"""

ZEO = """\
    %import ZEO
    <clientstorage>
      server {address}
      storage 1
      wait-timeout 3
    </clientstorage>
"""

SITE_ZCML = """\
<configure
    xmlns="http://namespaces.zope.org/zope"
    xmlns:browser="http://namespaces.zope.org/browser"
    xmlns:five="http://namespaces.zope.org/five"
    xmlns:meta="http://namespaces.zope.org/meta"
    >
  <include package="Products.Five" />
  <meta:redefinePermission
      from="zope2.Public"
      to="zope.Public"
      />
  <five:loadProducts file="meta.zcml" />
  <five:loadProducts />
  <five:loadProductsOverrides />
  <browser:page
      name="proof-state"
      for="plone.base.interfaces.IPloneSiteRoot"
      class="niteoweb.click2sell.tests.proof.views.State"
      permission="cmf.ManagePortal"
      />
  <browser:page
      name="proof-hurry"
      for="plone.base.interfaces.IPloneSiteRoot"
      class="niteoweb.click2sell.tests.proof.views.Hurry"
      permission="cmf.ManagePortal"
      />
  <browser:page
      name="proof-mail-port"
      for="plone.base.interfaces.IPloneSiteRoot"
      class="niteoweb.click2sell.tests.proof.views.MailPort"
      permission="cmf.ManagePortal"
      />
  <securityPolicy component="AccessControl.security.SecurityPolicy" />
</configure>
"""


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


RELSTORAGE = """\
    %import relstorage
    <relstorage>
      keep-history false
      blob-dir {folder}/blobcache
      shared-blob-dir false
      <postgresql>
        dsn {dsn}
      </postgresql>
    </relstorage>
"""


def configure(folder: Path, storage: str = FILE) -> None:
    """Write what Zope reads at its start.

    :param storage: where the database is; ``{folder}`` in it stands for the folder.
    """
    for name in ("instance/etc", "instance/var"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    storage = storage.replace("{folder}", str(folder))
    files = {
        "zope.conf": ZOPE_CONF.format(folder=folder, storage=storage),
        "instance/etc/site.zcml": SITE_ZCML,
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def run(*arguments: str | Path, environment: Mapping[str, str] | None = None, log: Path):
    """Start a Python process, with the path of this one."""
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={
                **os.environ,
                **(environment or {}),
                "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            },
        )


def end(process: subprocess.Popen) -> None:
    """End a process, by its own id."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()
    if process.stdin:
        process.stdin.close()


class Server:
    """A site that is served, and its callers.

    :param kill: where the process dies, as ``step:times``.
    :param port: where it listens, 0 for any free port.
    """

    def __init__(self, folder: Path, kill: str = "", port: int = 0) -> None:
        self.folder = folder
        self.log = folder / "server.log"
        self.port = port or free_port()
        self.site = f"http://127.0.0.1:{self.port}/{SITE_ID}"
        self.process = run(
            "-m",
            ZOPE_PROCESS,
            "serve",
            folder,
            f"127.0.0.1:{self.port}",
            environment={KILL: kill},
            log=self.log,
        )

    def wait(self) -> "Server":
        """Wait until the site answers.

        :raises AssertionError: it does not, or the process ended.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1):
                    return self
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"no server:\n{self.log.read_text('utf-8', 'replace')[-5000:]}")

    def kill(self) -> None:
        """End the process as a power failure does."""
        self.process.send_signal(signal.SIGKILL)
        end(self.process)

    def stop(self) -> None:
        end(self.process)

    def ask(self, path: str, body: bytes | None = None, accept: str = "*/*") -> bytes:
        """Ask the site as its owner."""
        credentials = base64.b64encode(":".join(OWNER).encode()).decode()
        headers = {"Authorization": f"Basic {credentials}", "Accept": accept}
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = Request(f"{self.site}/{path}", body, headers)  # noqa: S310
        with build_opener(ProxyHandler({})).open(request, timeout=120) as answer:
            return answer.read()

    def state(self) -> dict:
        """All that there is."""
        return json.loads(self.ask("@@proof-state"))

    def sweep(self) -> dict:
        """Sweep, as cron does."""
        return json.loads(self.ask("@click2sell-sweep", b"{}", "application/json"))

    def told(self, what: str) -> list[str]:
        """Lines of the log that the server wrote for these tests."""
        lines = self.log.read_text("utf-8", "replace").splitlines()
        return [line for line in lines if line.startswith(f"PROOF {what}")]
