"""Make a database on disk with a site in it: ``python -m … FOLDER``.

A program of its own, since nothing of Plone's test fixtures may be imported where a real
database is opened: it would put one in memory in its place.
"""

from niteoweb.click2sell.command import console
from pathlib import Path

import sys


ZOPE_CONF = """\
instancehome {folder}/instance
clienthome {folder}
<zodb_db main>
    <filestorage>
      path {folder}/Data.fs
    </filestorage>
    mount-point /
</zodb_db>
"""
ANSWERS = {
    "site_id": "shop",
    "title": "Shop",
    "description": "",
    "default_language": "en",
    "portal_timezone": "UTC",
    "setup_content": False,
}
#: Bought with release 0.4.5; their days are over.
OLD_MEMBER = "old@example.org"


def create(folder: Path) -> None:
    """Make the database, and its configuration beside it."""
    (folder / "instance").mkdir()
    configuration = folder / "zope.conf"
    configuration.write_text(ZOPE_CONF.format(folder=folder), encoding="utf-8")
    app = console._with_request(console._application(configuration))
    from AccessControl.SecurityManagement import newSecurityManager
    from plone.distribution.api import site as sites
    from zope.component.hooks import setSite
    from zope.globalrequest import setRequest

    import transaction
    import Zope2

    setRequest(app.REQUEST)
    app.acl_users.userFolderAddUser("admin", "secret", ["Manager"], [])
    app.manage_addFolder("folder")
    # What is not committed is lost: the creation of a site begins a transaction of its own.
    transaction.commit()
    newSecurityManager(None, app.acl_users.getUser("admin").__of__(app.acl_users))
    site = sites.create(app.folder, "classic", ANSWERS)
    setSite(site)
    site.portal_setup.runAllImportStepsFromProfile(f"profile-{console.PROFILE}")
    _fill(site)
    transaction.commit()
    app._p_jar.close()
    for database in Zope2.opened:
        database.close()


def _fill(site) -> None:
    from DateTime import DateTime
    from niteoweb.click2sell import site as plone_site
    from plone import api

    settings = plone_site.settings()
    settings.mapping = ["1|premium|30"]
    settings.site_address = "https://www.example.org"
    api.group.create("premium")
    site.portal_registration.addMember(
        OLD_MEMBER,
        "a password of the member's own",
        properties={
            "username": OLD_MEMBER,
            "email": OLD_MEMBER,
            "product_id": "1",
            "last_purchase_timestamp": DateTime("2012/01/01 10:00:00 UTC"),
        },
    )
    api.group.add_user(groupname="premium", username=OLD_MEMBER)


if __name__ == "__main__":
    create(Path(sys.argv[1]))
