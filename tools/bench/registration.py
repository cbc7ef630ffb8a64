"""Plone's own registration, and nothing else: what no add-on can save."""

from Products.Five.browser import BrowserView
from tools.bench.provider import PARSED


#: The groups of the site without the add-on whose members are kept as the add-on keeps them.
GROUPS = ("large-one", "large-two")
PASSWORD = "As-good-as-any-1"  # noqa: S105


class Registration(BrowserView):
    """``@@bench-registration``: register the buyer of a notification, with two groups.

    No checksum, no purchase fields, no mail; the publisher commits.
    """

    def __call__(self) -> str:
        address = self.request.form["buyer_email"]
        site = self.context
        site.portal_registration.addMember(
            address, PASSWORD, ("Member",), properties={"username": address, "email": address}
        )
        for name in GROUPS:
            site.portal_groups.addPrincipalToGroup(address, name)
        return PARSED
