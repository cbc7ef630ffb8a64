"""Make a database on disk with a site in it: ``python -m … FOLDER``.

A program of its own, since nothing of Plone's test fixtures may be imported where a real
database is opened: it would put one in memory in its place.
"""

from pathlib import Path
from tools import instance

import sys


#: Bought with release 0.4.5; their days are over.
OLD_MEMBER = "old@example.org"


def create(folder: Path) -> None:
    """Make the database, and its configuration beside it."""
    with instance.application(instance.configure(folder)) as app:
        import transaction

        app.manage_addFolder("folder")
        site = instance.create_site(
            app.folder, ("admin", "secret"), "Shop", site_id="shop", content=False
        )
        instance.install(site, mapping=["1|premium|30"], site_address="https://www.example.org")
        _fill(site)
        transaction.commit()


def _fill(site) -> None:
    from DateTime import DateTime
    from plone import api

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
