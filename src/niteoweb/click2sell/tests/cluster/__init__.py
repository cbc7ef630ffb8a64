"""Two Zope processes on one database, behind a balancer: PostgreSQL and ZEO.

``CLICK2SELL_PURCHASES=500`` buys that often; fewer do for a look at each change. What the tests
start is the balancer and the database of ``make cluster``, which are a part of the checkout and
of the source distribution, not of an installed package.
"""

from pathlib import Path

import sys


ROOT = Path(__file__).resolve().parents[5]
IS_HERE = (ROOT / "cluster" / "run.py").is_file()

if IS_HERE and str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))
