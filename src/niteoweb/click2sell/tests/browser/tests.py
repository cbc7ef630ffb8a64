"""Makes the test runner find the tests of this folder, whose name it does not look for."""

from pathlib import Path

import unittest


def test_suite() -> unittest.TestSuite:
    folder = Path(__file__).parent
    return unittest.defaultTestLoader.loadTestsFromNames(
        [f"{__package__}.{path.stem}" for path in sorted(folder.glob("test_*.py"))]
    )
