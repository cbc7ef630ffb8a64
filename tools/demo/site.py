"""The demo's site, created by a command.

``python -m tools.demo.site FOLDER ADDRESS SMTP_PORT SWEEP_MINUTES [month]``

The folder is configured. The site is created by a process of its own, so that it is served as
any site is: from its database, by a process that knows nothing of its creation.
"""

from datetime import datetime
from datetime import timezone
from pathlib import Path
from tools import instance
from tools.demo import seeding
from tools.demo import settings

import sys


def create(
    folder: Path, address: str, smtp_port: int, sweep_minutes: int, month: bool = False
) -> None:
    """Create the site, with the add-on installed and configured.

    :param address: that it will be served at; without it no mail goes out.
    :param smtp_port: where the site's mail goes, on this machine.
    :param sweep_minutes: between two automatic checks, 0 for none.
    :param month: whether a month of notifications went by; the benchmarks begin with none.
    """
    with instance.application(folder / instance.CONFIGURATION) as app:
        from AccessControl.SecurityManagement import noSecurityManager
        from plone import api

        import transaction

        site = instance.create_site(
            app,
            (settings.OWNER, settings.OWNER_PASSWORD),
            settings.SITE_TITLE,
            smtp_port=smtp_port,
            **settings.MAIL,
        )
        instance.install(
            site,
            secretkey=settings.SECRET_KEY,
            mapping=seeding.mapping(),
            site_address=address,
            sweep_minutes=sweep_minutes,
        )
        api.group.create(groupname=settings.GROUP, title="Paying members")
        page = api.content.create(
            site,
            "Folder",
            settings.PAGE,
            title=settings.PAGE_TITLE,
            description="Only paying members can read this.",
        )
        # It stays private; nobody but its owner and this group may read it.
        api.group.grant_roles(groupname=settings.GROUP, roles=["Reader"], obj=page)
        if month:
            seeding.accounts()
        transaction.commit()
        if month:
            # As over HTTP, whoever notifies is nobody that the site knows.
            noSecurityManager()
            seeding.seed(site, datetime.now(timezone.utc))


if __name__ == "__main__":
    create(Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:5]), "month" in sys.argv[5:])
