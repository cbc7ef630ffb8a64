"""Cases and stand-ins that tests of several rooms share."""

from hypothesis import settings

import os


#: The share of made-up examples that are tried: 0.1 for a quick run, 10 for a long look.
EXAMPLES = float(os.environ.get("CLICK2SELL_EXAMPLES", "1"))


def tried(examples: int) -> settings:
    """The number of made-up examples that a test tries."""
    return settings(max_examples=max(1, round(examples * EXAMPLES)))
