"""A Zope process: ``create FOLDER`` makes the site, ``serve FOLDER ADDRESS`` serves it.

It ends with the process that started it, or where the environment says.
"""

from niteoweb.click2sell.storage import steps
from niteoweb.click2sell.tests.proof.server import KILL
from niteoweb.click2sell.tests.proof.server import OWNER
from niteoweb.click2sell.tests.proof.server import SITE_ID
from pathlib import Path

import os
import signal
import sys
import threading
import time


def create(folder: Path) -> None:
    """Create the site, with the add-on installed and configured."""
    from Zope2.Startup.run import configure_wsgi

    import Zope2

    configure_wsgi(str(folder / "zope.conf"))
    app = Zope2.app()
    # Nothing of Plone before this line: an import of its test fixtures, for example, would
    # have put a database in memory in the place of the one on disk.
    from AccessControl.SecurityManagement import newSecurityManager
    from niteoweb.click2sell.interfaces import IClick2SellSettings
    from niteoweb.click2sell.tests.cases.deliveries import SECRET_KEY
    from plone import api
    from plone.distribution.api import site as sites
    from Testing.makerequest import makerequest
    from zope.component.hooks import setSite
    from zope.globalrequest import setRequest

    import transaction

    app = makerequest(app)
    setRequest(app.REQUEST)
    app.acl_users.userFolderAddUser(*OWNER, ["Manager"], [])
    transaction.commit()
    newSecurityManager(None, app.acl_users.getUser(OWNER[0]).__of__(app.acl_users))
    portal = sites.create(
        app,
        "classic",
        {
            "site_id": SITE_ID,
            "title": "Proof",
            "description": "",
            "default_language": "en",
            "portal_timezone": "UTC",
            "setup_content": False,
        },
    )
    setSite(portal)
    portal.portal_setup.runAllImportStepsFromProfile("profile-niteoweb.click2sell:default")
    for name, value in {
        "plone.smtp_host": "127.0.0.1",
        "plone.email_from_name": "Proof",
        "plone.email_from_address": "site@example.org",
    }.items():
        api.portal.set_registry_record(name, value)
    for group_id in ("premium", "course", "day"):
        api.group.create(group_id)
    for name, value in {
        "secretkey": SECRET_KEY,
        "mapping": ["1|premium", "2|course|30", "7|day|1"],
    }.items():
        api.portal.set_registry_record(name, value, interface=IClick2SellSettings)
    transaction.commit()
    app._p_jar.close()
    for database in Zope2.opened:
        database.close()


def serve(folder: Path, address: str) -> None:
    """Serve the site until the process is told to end."""
    from niteoweb.click2sell import wsgi
    from waitress import serve as serve_wsgi
    from Zope2.Startup.run import make_wsgi_app
    from ZPublisher.httpexceptions import HTTPExceptionHandler

    app = make_wsgi_app({}, str(folder / "zope.conf"))
    _watch()
    serve_wsgi(wsgi.filtered(HTTPExceptionHandler(app)), listen=address, threads=4)


def _watch() -> None:
    """Tell of events and retries, and die where the environment says."""
    from niteoweb.click2sell.interfaces import IAccessRevokedEvent
    from niteoweb.click2sell.interfaces import IMemberCreateEvent
    from niteoweb.click2sell.storage import transactions
    from zope.component import provideHandler
    from ZPublisher.HTTPRequest import HTTPRequest

    sleep, delay = time.sleep, HTTPRequest.delay_retry

    class Time:
        def sleep(self, seconds: float) -> None:
            _tell(f"pause {threading.get_ident()} {seconds:.3f}")
            sleep(seconds)

    def delay_retry(request) -> None:
        _tell("publisher retry")
        delay(request)

    provideHandler(lambda event: _tell(f"created {event.user_id}"), [IMemberCreateEvent])
    provideHandler(lambda event: _tell(f"revoked {event.user_id}"), [IAccessRevokedEvent])
    transactions.time = Time()
    HTTPRequest.delay_retry = delay_retry
    name, _, times = os.environ.get(KILL, "").partition(":")
    left = [int(times or 1)]

    def step(passed: str) -> None:
        if passed == name:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)

    steps.reached = step


def _tell(text: str) -> None:
    # One write, so that the lines of two threads do not mix.
    os.write(2, f"PROOF {text}\n".encode())


def _end_with_parent() -> None:
    # Not sys.stdin: its lock, held by a waiting thread, breaks the interpreter's own end.
    while os.read(0, 1):
        pass
    os._exit(0)


def main(command: str, folder: str, *arguments: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    {"create": create, "serve": serve}[command](Path(folder), *arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
