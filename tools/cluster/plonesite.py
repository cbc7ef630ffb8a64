"""Create the cluster's site: ``python -m tools.cluster.plonesite ZOPE_CONF``.

The secrets come by standard input. A program of its own, since nothing of Plone may be imported
before the database is open.
"""

from pathlib import Path

import json
import sys


SITE_ID = "Plone"
OWNER = "admin"
PRODUCT = "1"
GROUP = "paying-members"


def create(configuration: Path, password: str, secret_key: str) -> None:
    """Create the site, with the add-on installed and configured, unless it is there.

    :param password: of the owner.
    :param secret_key: that notifications are signed with.
    """
    from Zope2.Startup.run import configure_wsgi

    import Zope2

    configure_wsgi(str(configuration))
    app = Zope2.app()
    if SITE_ID not in app.objectIds():
        _create(app, password, secret_key)
    app._p_jar.close()
    for database in Zope2.opened:
        database.close()


def _create(app, password: str, secret_key: str) -> None:
    from AccessControl.SecurityManagement import newSecurityManager
    from niteoweb.click2sell.interfaces import IClick2SellSettings
    from plone import api
    from plone.distribution.api import site as sites
    from Testing.makerequest import makerequest
    from zope.component.hooks import setSite
    from zope.globalrequest import setRequest

    import transaction

    app = makerequest(app)
    setRequest(app.REQUEST)
    # The one of Zope's own start has a password that nobody knows.
    if OWNER in app.acl_users.getUserNames():
        app.acl_users.userFolderDelUsers([OWNER])
    app.acl_users.userFolderAddUser(OWNER, password, ["Manager"], [])
    # What is not committed is lost: the creation of a site begins a transaction of its own.
    transaction.commit()
    newSecurityManager(None, app.acl_users.getUser(OWNER).__of__(app.acl_users))
    portal = sites.create(
        app,
        "classic",
        {
            "site_id": SITE_ID,
            "title": "Click2Sell cluster",
            "description": "A site that sells memberships.",
            "default_language": "en",
            "portal_timezone": "UTC",
            "setup_content": True,
        },
    )
    setSite(portal)
    portal.portal_setup.runAllImportStepsFromProfile("profile-niteoweb.click2sell:default")
    api.group.create(groupname=GROUP, title="Paying members")
    for name, value in {
        "secretkey": secret_key,
        "mapping": [f"{PRODUCT}|{GROUP}"],
        "trusted_proxies": ["127.0.0.1"],
        # There is no mail server yet.
        "welcome_mail": "none",
    }.items():
        api.portal.set_registry_record(name, value, interface=IClick2SellSettings)
    transaction.commit()
    setSite(None)


if __name__ == "__main__":
    create(Path(sys.argv[1]), *json.load(sys.stdin))
