"""Create the cluster's site unless it is there: ``python -m tools.cluster.site ZOPE_CONF``.

The owner's password and the secret key come by standard input, as JSON.
"""

from pathlib import Path
from tools import instance
from tools import SITE_ID
from tools.demo.settings import GROUP
from tools.demo.settings import OWNER
from tools.demo.settings import PRODUCT

import json
import sys


def create(configuration: Path, password: str, secret_key: str) -> None:
    """Create the site, with the add-on installed and configured, unless it is there.

    :param password: of the owner.
    :param secret_key: that notifications are signed with.
    """
    with instance.application(configuration) as app:
        if SITE_ID in app.objectIds():
            return
        from plone import api

        import transaction

        site = instance.create_site(app, (OWNER, password), "Click2Sell cluster")
        instance.install(
            site,
            secretkey=secret_key,
            mapping=[f"{PRODUCT}|{GROUP}"],
            trusted_proxies=["127.0.0.1"],
            # There is no mail server yet.
            welcome_mail="none",
        )
        api.group.create(groupname=GROUP, title="Paying members")
        transaction.commit()


if __name__ == "__main__":
    create(Path(sys.argv[1]), *json.load(sys.stdin))
