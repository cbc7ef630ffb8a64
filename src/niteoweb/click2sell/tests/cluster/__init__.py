"""Two Zope processes on one database, behind a balancer: PostgreSQL and ZEO.

``CLICK2SELL_PURCHASES=500``, as ``make test-cluster`` has it, buys that often, and runs all
tests; without it a few purchases on PostgreSQL do, for a look at each change. What the tests
start is the balancer and the database of ``make cluster``, which are a part of the checkout and
of the source distribution, not of an installed package.
"""

from pathlib import Path

import os
import sys


ROOT = Path(__file__).resolve().parents[5]
IS_HERE = (ROOT / "cluster" / "run.py").is_file()
#: Of the environment.
VARIABLE = "CLICK2SELL_PURCHASES"
FULL = VARIABLE in os.environ
PURCHASES = int(os.environ.get(VARIABLE, "60"))

if IS_HERE and str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))
