"""The tools of a checkout: demo, bench, soak and cluster, each a target of make."""

from pathlib import Path


#: The checkout.
ROOT = Path(__file__).resolve().parent.parent
#: Id of the Plone site that every tool makes.
SITE_ID = "Plone"
