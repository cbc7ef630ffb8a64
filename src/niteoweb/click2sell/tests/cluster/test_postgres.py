"""Two Zope processes on PostgreSQL, all of which die and come back."""

from niteoweb.click2sell.tests.cluster.case import ClusterTests
from niteoweb.click2sell.tests.cluster.layer import ClusterLayer
from niteoweb.click2sell.tests.cluster.layer import OnPostgres

import unittest


class TestPostgres(ClusterTests, unittest.TestCase):
    layer = ClusterLayer("Postgres", OnPostgres)
