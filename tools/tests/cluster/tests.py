"""Makes the test runner find the tests of this folder, whose name it does not look for."""

from pathlib import Path
from tools.tests.cluster import FULL

import unittest


#: Left to ``make test-cluster``: they take minutes.
LONG = {"test_make", "test_zeo"}


def test_suite() -> unittest.TestSuite:
    folder = Path(__file__).parent
    names = {path.stem for path in folder.glob("test_*.py")}
    return unittest.defaultTestLoader.loadTestsFromNames(
        [f"{__package__}.{name}" for name in sorted(names if FULL else names - LONG)]
    )
