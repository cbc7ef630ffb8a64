"""Makes the test runner find the tests of this folder, whose name it does not look for."""

from niteoweb.click2sell.tests.cluster import FULL
from niteoweb.click2sell.tests.cluster import IS_HERE
from pathlib import Path

import unittest


#: Left to ``make test-cluster``: they take minutes.
LONG = {"test_make", "test_zeo"}


def test_suite() -> unittest.TestSuite:
    folder = Path(__file__).parent
    if not IS_HERE:
        return unittest.TestSuite()
    names = {path.stem for path in folder.glob("test_*.py")}
    return unittest.defaultTestLoader.loadTestsFromNames(
        [f"{__package__}.{name}" for name in sorted(names if FULL else names - LONG)]
    )
