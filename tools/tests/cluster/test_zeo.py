"""Two Zope processes on a ZEO server, all of which die and come back."""

from tools.tests.cluster.case import ClusterTests
from tools.tests.cluster.layer import ClusterLayer
from tools.tests.cluster.layer import OnZeo

import unittest


class TestZeo(ClusterTests, unittest.TestCase):
    layer = ClusterLayer("Zeo", OnZeo)
    PUBLISHER_RETRIES = True
