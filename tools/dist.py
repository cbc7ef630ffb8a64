"""``make dist``, the last step: a site on the installed release takes in a sale.

``python -m tools.dist`` with the Python of an environment into which the wheel was installed.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from tools import client
from tools import instance
from tools import sale
from tools.program import free_port
from tools.program import ToolError

import logging
import niteoweb.click2sell.interfaces
import sys
import transaction


KEY = "a key for this one site"


def main() -> None:
    """Make a site, serve it, and send it a sale.

    :raises ToolError: the add-on is not the installed one, or the sale was not taken in.
    """
    module = Path(niteoweb.click2sell.interfaces.__file__)
    if not module.is_relative_to(sys.prefix):
        raise ToolError(f"{module} is not in {sys.prefix}: the wheel was not installed there.")
    # The warnings of a site's creation are Plone's.
    logging.disable(logging.WARNING)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        port = free_port()
        address = f"127.0.0.1:{port}"
        with instance.application(instance.configure(folder)) as app:
            site = instance.create_site(app, ("admin", "admin"), "A site", content=False)
            instance.install(
                site,
                secretkey=KEY,
                mapping=["1|members"],
                site_address=instance.public_address(port),
            )
            transaction.commit()
        server = instance.start(folder, address)
        try:
            server.wait()
            body = sale.encoded(sale.form("buyer@example.com", key=KEY, product="1"))
            content_type = {"Content-Type": "application/x-www-form-urlencoded"}
            with client.Connection(address) as connection:
                answer = connection.ask("POST", "@@click2sell", body, content_type)
        finally:
            server.end()
    if answer.status != 200:
        raise ToolError(f"The sale was answered {answer.status}: {answer.text}")
    print(f"A site on the installed release took in a sale: {answer.text.strip()}")


if __name__ == "__main__":
    main()
