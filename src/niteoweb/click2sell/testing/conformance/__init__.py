"""Test cases for developers of a provider: does its module keep the promises of the seam?

Derive from :class:`ProviderTestCase` in the tests of the package that has the provider, say
which provider, how it signs, and what it may send; the documentation has a whole example.
Nothing here needs Zope or Plone::

    from niteoweb.click2sell.testing import conformance

    class TestAcmePay(conformance.ProviderTestCase):
        provider = acmepay

        def samples(self):
            return [conformance.Sample("paid", b'{"event": "paid", ...}', (Kind.PURCHASE,))]

        def deliver(self, body, secret_key, moment):
            return Delivery(body, "application/json", {"acme-signature": ...})

Import the module, not the class: test runners also run test cases that were only imported.
"""

from niteoweb.click2sell.testing.conformance.case import PREVIOUS_KEY
from niteoweb.click2sell.testing.conformance.case import Sample
from niteoweb.click2sell.testing.conformance.case import SECRET_KEY
from niteoweb.click2sell.testing.conformance.discretion import DiscretionCase
from niteoweb.click2sell.testing.conformance.making import MakingCase
from niteoweb.click2sell.testing.conformance.meaning import MeaningCase
from niteoweb.click2sell.testing.conformance.proof import ProofCase
from niteoweb.click2sell.testing.conformance.robustness import RobustnessCase


__all__ = ["PREVIOUS_KEY", "SECRET_KEY", "ProviderTestCase", "Sample"]


class ProviderTestCase(ProofCase, MeaningCase, RobustnessCase, DiscretionCase, MakingCase):
    """All that a provider's module has to keep; without a :attr:`provider` it is skipped."""
