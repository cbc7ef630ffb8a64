"""The demo's Plone site: written to disk, created and served, in a process of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from datetime import timezone
from pathlib import Path
from typing import Any

import gc
import os
import signal
import sys
import threading


#: How often garbage is searched, as ``base.cfg`` has it.
COLLECTOR = (10000, 20, 100)
ZOPE_CONF = """\
%import zc.zlibstorage
%define HOME {folder}
instancehome $HOME/instance
clienthome $HOME/instance/var
debug-mode off
security-policy-implementation C
verbose-security off
default-zpublisher-encoding utf-8
<environment>
    CHAMELEON_CACHE $HOME/cache
</environment>
<zodb_db main>
    cache-size 30000
    <zlibstorage>
      <blobstorage>
        blob-dir $HOME/blobstorage
        <filestorage>
          path $HOME/filestorage/Data.fs
        </filestorage>
      </blobstorage>
    </zlibstorage>
    mount-point /
</zodb_db>
"""

WSGI_INI = """\
[server:main]
use = egg:waitress#main
listen = {listen}
threads = 4

[app:zope]
use = egg:Zope#main
zope_conf = {folder}/zope.conf

[pipeline:main]
pipeline =
    egg:Zope#httpexceptions
    zope

[loggers]
keys = root

[handlers]
keys = log

[formatters]
keys = generic

[logger_root]
level = INFO
handlers = log

[handler_log]
class = StreamHandler
args = (sys.stderr,)
level = NOTSET
formatter = generic

[formatter_generic]
format = %(asctime)s %(levelname)s [%(name)s] %(message)s
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
{without}
  <five:loadProducts />
  <five:loadProductsOverrides />

  <browser:page
      name="demo-purchase-fields"
      for="plone.base.interfaces.IPloneSiteRoot"
      class="tools.demo.purchase_fields.PurchaseFields"
      permission="cmf.ManagePortal"
      />
{more}
  <securityPolicy component="AccessControl.security.SecurityPolicy" />

</configure>
"""

CLOCK_ZCML = """\
  <browser:page
      name="demo-clock"
      for="plone.base.interfaces.IPloneSiteRoot"
      class="tools.demo.clock.SiteClock"
      permission="cmf.ManagePortal"
      />
"""


def write_configuration(
    folder: Path, addresses: list[str], more: str = "", without: str = ""
) -> None:
    """Write what Zope reads at its start.

    :param folder: the demo's folder.
    :param addresses: where to listen, as ``host:port``.
    :param more: registrations of the demo's own views, :data:`CLOCK_ZCML` for example.
    :param without: name of an add-on that is not loaded.
    """
    for name in ("instance/etc", "instance/var", "filestorage", "blobstorage", "cache"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    files = {
        "zope.conf": ZOPE_CONF.format(folder=folder),
        # The configuration reader takes a % for the start of a placeholder.
        "wsgi.ini": WSGI_INI.replace("{folder}", str(folder).replace("%", "%%")).replace(
            "{listen}", " ".join(addresses)
        ),
        "instance/etc/site.zcml": SITE_ZCML.format(
            more=more, without=f'<exclude package="{without}" />' if without else ""
        ),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


@contextmanager
def new_site(folder: Path, smtp_port: int) -> Iterator[Any]:
    """Make a classic Plone site, without the add-on; what is done with it is done as its owner.

    The database is closed at the end. What was not committed by then is lost.

    :param smtp_port: where the site's mail goes, on this machine.
    """
    from Zope2.Startup.run import configure_wsgi

    import Zope2

    configure_wsgi(str(folder / "zope.conf"))
    app = Zope2.app()
    # Nothing of Plone before this line: an import of its test fixtures, for example, would
    # have put a database in memory in the place of the one on disk.
    from AccessControl.SecurityManagement import newSecurityManager
    from plone import api
    from plone.distribution.api import site as sites
    from Testing.makerequest import makerequest
    from tools.demo import settings
    from zope.component.hooks import setSite
    from zope.globalrequest import setRequest

    import transaction

    app = makerequest(app)
    setRequest(app.REQUEST)
    app.acl_users.userFolderAddUser(settings.OWNER, settings.OWNER_PASSWORD, ["Manager"], [])
    # What is not committed is lost: the creation of a site begins a transaction of its own.
    transaction.commit()
    owner = app.acl_users.getUser(settings.OWNER)
    newSecurityManager(None, owner.__of__(app.acl_users))
    portal = sites.create(
        app,
        "classic",
        {
            "site_id": settings.SITE_ID,
            "title": settings.SITE_TITLE,
            "description": "A site that sells memberships.",
            "default_language": "en",
            "portal_timezone": "UTC",
            "setup_content": True,
        },
    )
    setSite(portal)
    for name, value in {
        "plone.smtp_host": "127.0.0.1",
        "plone.smtp_port": smtp_port,
        "plone.email_from_name": settings.SENDER_NAME,
        "plone.email_from_address": settings.SENDER,
    }.items():
        api.portal.set_registry_record(name, value)
    yield portal
    setSite(None)
    app._p_jar.close()
    for database in Zope2.opened:
        database.close()


def create(folder: Path, smtp_port: int, month: bool = True) -> None:
    """Create the site, with the add-on installed and configured.

    :param smtp_port: where the site's mail goes, on this machine.
    :param month: with a month of notifications; the benchmarks begin with none.
    """
    with new_site(folder, smtp_port) as portal:
        from AccessControl.SecurityManagement import noSecurityManager
        from niteoweb.click2sell.interfaces import IClick2SellSettings
        from plone import api
        from tools.demo import seeding
        from tools.demo import settings

        import transaction

        portal.portal_setup.runAllImportStepsFromProfile("profile-niteoweb.click2sell:default")
        api.group.create(groupname=settings.GROUP, title="Paying members")
        page = api.content.create(
            portal,
            "Folder",
            settings.PAGE,
            title=settings.PAGE_TITLE,
            description="Only paying members can read this.",
        )
        # It stays private; nobody but its owner and this group may read it.
        api.group.grant_roles(groupname=settings.GROUP, roles=["Reader"], obj=page)
        for name, value in {
            "secretkey": settings.SECRET_KEY,
            "mapping": seeding.mapping(),
        }.items():
            api.portal.set_registry_record(name, value, interface=IClick2SellSettings)
        if month:
            seeding.accounts()
        transaction.commit()
        # As over HTTP, whoever notifies is nobody that the site knows.
        noSecurityManager()
        if month:
            seeding.seed(portal, datetime.now(timezone.utc))


def serve(folder: Path) -> None:
    """Serve the site until the process is told to end."""
    from Zope2.Startup import serve

    gc.set_threshold(*COLLECTOR)
    serve.main(["demo", str(folder / "wsgi.ini")], quiet=True)


def main(command: str, folder: Path, *arguments: str) -> None:
    """``create FOLDER SMTP_PORT``, ``create-empty FOLDER SMTP_PORT`` or ``serve FOLDER``.

    Each is a process of its own, so that the site is served as any site is: from its
    database, by a process that knows nothing of how it was made. The process that started
    this one holds its standard input open: when it is gone, however it went, this one ends
    too and the port is free again.
    """
    end_with_parent()
    if command in ("create", "create-empty"):
        create(folder, int(arguments[0]), month=command == "create")
    else:
        serve(folder)


def end_with_parent() -> None:
    """End this process when the one that started it, and holds its standard input, is gone."""
    # Ctrl-C reaches both processes; the other one decides, and ends this one with SIGTERM.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    threading.Thread(target=_wait_for_the_end, daemon=True).start()


def _wait_for_the_end() -> None:
    # Not sys.stdin: its lock, held by a waiting thread, breaks the interpreter's own end.
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
