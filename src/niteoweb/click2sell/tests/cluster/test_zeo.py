"""Two Zope processes on a ZEO server, all of which die and come back."""

from niteoweb.click2sell.tests.cluster.case import ClusterTests
from niteoweb.click2sell.tests.cluster.layer import ClusterLayer
from niteoweb.click2sell.tests.cluster.layer import OnZeo

import unittest


class TestZeo(ClusterTests, unittest.TestCase):
    layer = ClusterLayer("Zeo", OnZeo)
    PUBLISHER_RETRIES = True
