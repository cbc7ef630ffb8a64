"""The cluster's site: ``python -m tools.cluster.site ZOPE_CONF ADDRESS`` creates it.

One that is there is told its address and its mail server. The owner's password, the secret key
and the port of the mail server come by standard input, as JSON.
"""

from pathlib import Path
from tools import instance
from tools import SITE_ID
from tools.demo.settings import GROUP
from tools.demo.settings import OWNER
from tools.demo.settings import PRODUCT

import json
import sys


def create(
    configuration: Path, address: str, password: str, secret_key: str, smtp_port: int
) -> None:
    """Create the site, with the add-on installed and configured, unless it is there.

    :param address: of the site, through the balancer; another one for another port.
    :param password: of the owner.
    :param secret_key: that notifications are signed with.
    :param smtp_port: of the mail server, on this machine; another one each time.
    """
    with instance.application(configuration) as app:
        from niteoweb.click2sell import site as plone_site
        from plone import api
        from zope.component.hooks import setSite

        import transaction

        if SITE_ID in app.objectIds():
            setSite(app[SITE_ID])
            plone_site.settings().site_address = address
            plone_site.settle()
            api.portal.set_registry_record("plone.smtp_port", smtp_port)
            transaction.commit()
            return
        site = instance.create_site(
            app,
            (OWNER, password),
            "Click2Sell cluster",
            smtp_host="127.0.0.1",
            smtp_port=smtp_port,
            email_from_name="Click2Sell cluster",
            email_from_address="cluster@example.com",
        )
        instance.install(
            site,
            secretkey=secret_key,
            mapping=[f"{PRODUCT}|{GROUP}"],
            trusted_proxies=["127.0.0.1"],
            site_address=address,
        )
        api.group.create(groupname=GROUP, title="Paying members")
        transaction.commit()


if __name__ == "__main__":
    create(Path(sys.argv[1]), sys.argv[2], *json.load(sys.stdin))
