"""A Zope of this machine: its configuration, the site in it, the process that serves it.

``python -m tools.instance ZOPE_CONF HOST:PORT ...`` serves a site.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from configparser import RawConfigParser
from contextlib import contextmanager
from pathlib import Path
from tools import client
from tools import ROOT
from tools import SITE_ID
from tools.program import accepts
from tools.program import for_python
from tools.program import Program
from typing import Any

import logging
import os
import signal
import sys


#: The form of a line of the log.
LINE = "%(asctime)s %(levelname)s [%(name)s] %(message)s"
CREATE_SECONDS = 300
START_SECONDS = 180
#: Files in the folder of a site.
CONFIGURATION, DATABASE, LOG = "zope.conf", "var/Data.fs", "site.log"
#: That answer requests, as ``base.cfg`` has it, and the variable that says another number.
THREADS, _THREADS = 12, "TOOLS_THREADS"
#: Objects that each thread keeps of the database.
CACHE = 30000

FILE = """\
    <blobstorage>
      blob-dir $HOME/var/blobs
      <filestorage>
        path $HOME/var/Data.fs
      </filestorage>
    </blobstorage>
"""
ZEO = """\
    %import ZEO
    <clientstorage>
      server {address}
      storage 1
      wait-timeout 3
    </clientstorage>
"""
RELSTORAGE = """\
    %import relstorage
    <relstorage>
      keep-history false
      blob-dir $HOME/blobcache
      shared-blob-dir false
      <postgresql>
        dsn {dsn}
      </postgresql>
    </relstorage>
"""
_ZOPE_CONF = """\
%define HOME {folder}
instancehome $HOME
clienthome $HOME/var
debug-mode off
security-policy-implementation C
verbose-security off
default-zpublisher-encoding utf-8
<environment>
    CHAMELEON_CACHE $HOME/cache
</environment>
<zodb_db main>
    mount-point /
    cache-size {cache}
    pool-timeout 2m
{storage}
</zodb_db>
"""
_SITE_ZCML = """\
<configure
    xmlns="http://namespaces.zope.org/zope"
    xmlns:five="http://namespaces.zope.org/five"
    xmlns:meta="http://namespaces.zope.org/meta"
    >
  <include package="Products.Five" />
  <meta:redefinePermission from="zope2.Public" to="zope.Public" />
  <five:loadProducts file="meta.zcml" />
{without}
  <five:loadProducts />
  <five:loadProductsOverrides />
{views}
  <securityPolicy component="AccessControl.security.SecurityPolicy" />
</configure>
"""


def configure(
    folder: Path, *, storage: str = FILE, cache: int = CACHE, views: str = "", without: str = ""
) -> Path:
    """Write the files that Zope reads at its start.

    :param folder: of the site; a database in it stays.
    :param storage: of the database; ``$HOME`` in it stands for the folder.
    :param cache: objects that each thread keeps.
    :param views: package of a ``views.zcml`` with views for this site.
    :param without: package of an add-on that is not loaded.
    :returns: the ``zope.conf``.
    """
    for name in ("etc", "var", "cache"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    configuration = folder / CONFIGURATION
    texts = {
        configuration: _ZOPE_CONF.format(folder=folder, cache=cache, storage=storage),
        folder / "etc" / "site.zcml": _SITE_ZCML.format(
            views=f'  <include package="{views}" file="views.zcml" />' if views else "",
            without=f'  <exclude package="{without}" />' if without else "",
        ),
    }
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    return configuration


@contextmanager
def application(configuration: Path) -> Iterator[Any]:
    """Zope's root, with a request; what is not committed is lost at the end."""
    from Zope2.Startup.run import configure_wsgi

    import Zope2

    configure_wsgi(str(configuration))
    app = Zope2.app()
    # No import of Plone before this line: its test fixtures would have opened a database in
    # memory in the place of the one on disk.
    from AccessControl.SecurityManagement import noSecurityManager
    from Testing.makerequest import makerequest
    from zope.component.hooks import setSite
    from zope.globalrequest import setRequest

    import transaction

    app = makerequest(app)
    setRequest(app.REQUEST)
    try:
        yield app
    finally:
        transaction.abort()
        setSite(None)
        noSecurityManager()
        setRequest(None)
        app._p_jar.close()
        for database in Zope2.opened:
            database.close()


def public_address(port: int) -> str:
    """The public address of a site that listens on a port of this machine."""
    return f"http://127.0.0.1:{port}/{SITE_ID}"


def create_site(
    folder: Any,
    owner: tuple[str, str],
    title: str,
    *,
    site_id: str = SITE_ID,
    content: bool = True,
    **records: object,
) -> Any:
    """Create a classic Plone site, without the add-on; from now on its owner acts.

    :param folder: of the database, Zope's root for example.
    :param owner: name and password of a user with the role Manager.
    :param content: whether the site has Plone's front page and folders.
    :param records: Plone's own records of the registry, without the prefix.
    """
    from AccessControl.SecurityManagement import newSecurityManager
    from plone import api
    from plone.distribution.api import site as sites
    from zope.component.hooks import setSite

    import transaction

    users = folder.getPhysicalRoot().acl_users
    # Buildout makes a user of this name at Zope's first start.
    if owner[0] in users.getUserNames():
        users.userFolderDelUsers([owner[0]])
    users.userFolderAddUser(*owner, ["Manager"], [])
    # What is not committed is lost: the creation of a site begins a transaction of its own.
    transaction.commit()
    newSecurityManager(None, users.getUser(owner[0]).__of__(users))
    answers = {
        "site_id": site_id,
        "title": title,
        "description": "",
        "default_language": "en",
        "portal_timezone": "UTC",
        "setup_content": content,
    }
    site = sites.create(folder, "classic", answers)
    setSite(site)
    for name, value in records.items():
        api.portal.set_registry_record(f"plone.{name}", value)
    return site


def install(site: Any, **settings: object) -> None:
    """Install the add-on.

    :param settings: values of its settings, by name.
    """
    from niteoweb.click2sell.interfaces import IClick2SellSettings
    from plone import api

    site.portal_setup.runAllImportStepsFromProfile("profile-niteoweb.click2sell:default")
    for name, value in settings.items():
        api.portal.set_registry_record(name, value, interface=IClick2SellSettings)


class Instance(Program):
    """A process that serves a site.

    :param arguments: the command line.
    :param log: its output is appended there.
    :param address: where it listens, as ``host:port``.
    :param options: for :class:`tools.program.Program`.
    """

    def __init__(
        self, arguments: Sequence[str | Path], log: Path, address: str, **options: Any
    ) -> None:
        super().__init__(arguments, log, **options)
        self._address = address

    def wait(self) -> "Instance":
        """Wait until it answers.

        :raises ToolError: it does not, or it ended.
        """
        self.wait_until(lambda: client.ask(self._address, "@@click2sell"), START_SECONDS)
        return self


def start(
    folder: Path,
    *addresses: str,
    module: str = "tools.instance",
    threads: int = THREADS,
    environment: Mapping[str, str] | None = None,
) -> Instance:
    """Serve the site of a folder that is configured.

    :param addresses: where it listens, each as ``host:port``.
    :param module: that calls :func:`serve` with its arguments.
    :param threads: that answer requests.
    :param environment: variables for the process.
    """
    arguments = [sys.executable, "-m", module, folder / CONFIGURATION, *addresses]
    environment = {**for_python(), _THREADS: str(threads), **(environment or {})}
    # SIGTERM is the add-on's: it ends the process at once, without closing the database.
    return Instance(
        arguments, folder / LOG, addresses[0], environment=environment, end=signal.SIGINT
    )


def start_zeo(folder: Path, port: int) -> Program:
    """Serve the database of a folder by ZEO, to instances with the storage :data:`ZEO`."""
    (folder / DATABASE).parent.mkdir(parents=True, exist_ok=True)
    arguments = ["-m", "ZEO.runzeo", "-a", f"127.0.0.1:{port}", "-f", folder / DATABASE]
    zeo = Program([sys.executable, *arguments], folder / "zeo.log", environment=for_python())
    zeo.wait_until(lambda: accepts(port), START_SECONDS)
    return zeo


def manage_memory() -> None:
    """Have Python and the C library treat memory as at a site: by the lines in ``base.cfg``."""
    parser = RawConfigParser(strict=False)
    parser.read(ROOT / "base.cfg", encoding="utf-8")
    exec(parser["instance"]["initialization"].strip(), {})  # noqa: S102


def serve(
    configuration: str, *addresses: str, wrap: Callable[[Any], Any] = lambda app: app
) -> None:
    """Serve a site until SIGINT, which ends it in good order.

    :param wrap: called with the application, when it is loaded; returns what is served.
    """
    from waitress import serve
    from Zope2.Startup.run import make_wsgi_app
    from ZPublisher.httpexceptions import HTTPExceptionHandler

    import Zope2

    # A process in the background of a shell may have been told to ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    logging.basicConfig(level=logging.INFO, format=LINE)
    manage_memory()
    app = make_wsgi_app({}, configuration)
    try:
        threads = int(os.environ.get(_THREADS, THREADS))
        serve(wrap(HTTPExceptionHandler(app)), listen=" ".join(addresses), threads=threads)
    finally:
        from niteoweb.click2sell.worker import threads as background

        background.end()
        for database in Zope2.opened:
            database.close()


if __name__ == "__main__":
    serve(*sys.argv[1:])
