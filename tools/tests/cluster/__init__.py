"""Two Zope processes on one database, behind a balancer: PostgreSQL and ZEO.

``CLICK2SELL_PURCHASES=500``, as ``make test-cluster`` has it, buys that often, and runs all
tests; without it a few purchases on PostgreSQL do, for a look at each change. The
balancer and the database are those of ``make cluster``.
"""

import os


#: Of the environment.
VARIABLE = "CLICK2SELL_PURCHASES"
FULL = VARIABLE in os.environ
PURCHASES = int(os.environ.get(VARIABLE, "60"))
