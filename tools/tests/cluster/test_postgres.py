"""Two Zope processes on PostgreSQL, all of which die and come back."""

from tools.tests.cluster.case import ClusterTests
from tools.tests.cluster.layer import ClusterLayer
from tools.tests.cluster.layer import OnPostgres

import unittest


class TestPostgres(ClusterTests, unittest.TestCase):
    layer = ClusterLayer("Postgres", OnPostgres)
