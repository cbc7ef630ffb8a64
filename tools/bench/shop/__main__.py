"""Fill, serve and check the shop: ``python -m tools.bench.shop COMMAND FOLDER ...``."""

from datetime import datetime
from datetime import timezone
from pathlib import Path
from tools.bench.useraccounts import address_of
from tools.demo import settings as demo
from tools.demo.plonesite import end_with_parent

import json
import os
import sys


#: Members in an insertion.
BATCH = 5000
GROUPS = (demo.BUYERS_GROUP, demo.GROUP)


class Missing(Exception):
    """The database does not hold what it has to hold; the message says what is wrong."""


def fill(total: int) -> None:
    """Make members until there are so many."""
    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import Group
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import transaction
    from tools.bench.shop.models import Membership

    call_command("migrate", run_syncdb=True, verbosity=0)
    groups = [Group.objects.get_or_create(name=name)[0] for name in GROUPS]
    belongs = User.groups.through
    now = datetime.now(timezone.utc)
    for start in range(User.objects.count(), total, BATCH):
        addresses = [address_of(number) for number in range(start, min(start + BATCH, total))]
        with transaction.atomic():
            users = User.objects.bulk_create(
                User(username=address, email=address, password=make_password(None))
                for address in addresses
            )
            belongs.objects.bulk_create(
                belongs(user=user, group=group) for user in users for group in groups
            )
            Membership.objects.bulk_create(
                Membership(
                    user=user,
                    product_id=demo.PRODUCT,
                    product_name=demo.PRODUCT_NAME,
                    last_purchase_id=user.username,
                    last_purchase_timestamp=now,
                )
                for user in users
            )


def check(sold: dict[str, str], total: int) -> None:
    """Whether every purchase that was acknowledged is there, and nothing else.

    :param sold: receipts by address.
    :param total: how many users there have to be.
    :raises Missing: something is missing or too much.
    """
    from django.contrib.auth.models import User

    if User.objects.count() != total:
        raise Missing(f"{total} users are due; there are {User.objects.count()}")
    for address, receipt in sold.items():
        user = User.objects.select_related("membership").get(username=address)
        if user.has_usable_password() or user.membership.last_purchase_id != receipt:
            raise Missing(f"{address}: a password, or another receipt")
        if {group.name for group in user.groups.all()} != set(GROUPS):
            raise Missing(f"{address}: not in the groups")


def serve(port: int) -> None:
    """Serve it with four threads, as the sites are."""
    from django.core.wsgi import get_wsgi_application

    import waitress

    waitress.serve(get_wsgi_application(), listen=f"127.0.0.1:{port}", threads=4)


def main(command: str, folder: str, argument: str) -> None:
    """``fill FOLDER TOTAL``, ``serve FOLDER PORT`` or ``check FOLDER FILE``."""
    end_with_parent()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tools.bench.shop.settings"
    os.environ["BENCH_SHOP_DATABASE"] = str(Path(folder) / "db.sqlite3")
    import django

    django.setup()
    if command == "check":
        check(**json.loads(Path(argument).read_text("utf-8")))
    else:
        {"fill": fill, "serve": serve}[command](int(argument))


if __name__ == "__main__":
    main(*sys.argv[1:])
