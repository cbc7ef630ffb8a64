"""The tests, a folder for each room, and for the proofs, the documentation and a real browser.

Made-up examples of Hypothesis are the same in every run, and how fast a busy machine makes them
up says nothing.
"""

from hypothesis import HealthCheck
from hypothesis import Phase
from hypothesis import settings
from niteoweb.click2sell.tests.cases import EXAMPLES
from niteoweb.click2sell.tests.cases import tried


settings.register_profile(
    "shared machines",
    tried(100),
    deadline=None,
    derandomize=EXAMPLES <= 1,
    database=None,
    # Hypothesis shrinks for five minutes at most, and explains for as long as it takes.
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("shared machines")
