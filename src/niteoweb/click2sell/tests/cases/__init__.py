"""Cases and stand-ins that tests of several rooms share."""

import os


#: The share of made-up examples that are tried: 0.1 for a quick run, 10 for a long look.
EXAMPLES = float(os.environ.get("CLICK2SELL_EXAMPLES", "1"))
