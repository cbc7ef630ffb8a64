"""Django's settings: what is not here is as Django ships it.

So SQLite keeps a rollback journal and waits for the disk at each commit, and each request opens
the database. There is no middleware: no session, no cookie, nothing but the view.
"""

from tools.demo import settings as demo

import os


ALLOWED_HOSTS = ["127.0.0.1"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["BENCH_SHOP_DATABASE"],
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "tools.bench.shop"]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "tools.bench.shop.views"
# Signs nothing here; Django does not start without one.
SECRET_KEY = "not a secret"  # noqa: S105
USE_TZ = True

#: Where Click2Sell posts to: as on a Plone site, for a client that is the same.
CLICK2SELL_PATH = f"{demo.SITE_ID}/@@click2sell"
#: What Click2Sell signs with.
CLICK2SELL_KEY = demo.SECRET_KEY
#: Names of the groups of each product's buyers.
CLICK2SELL_GROUPS = {demo.PRODUCT: (demo.BUYERS_GROUP, demo.GROUP)}
