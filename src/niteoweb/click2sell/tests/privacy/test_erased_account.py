"""What an account that is erased leaves in Plone, and what finishes the erasure."""

from niteoweb.click2sell.member import group
from niteoweb.click2sell.member import localroles
from niteoweb.click2sell.storage import steps
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.erasure import ErasureTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from plone import api
from Products.CMFCore.MembershipTool import MembershipTool
from unittest import mock

import transaction


OTHER = "jane@example.org"


class Killed(BaseException):
    """Nothing catches it, as nothing catches a kill."""


class TestLocalRoles(ErasureTestCase):
    def setUp(self):
        super().setUp()
        self.buy()
        with self.owner():
            folder = api.content.create(self.portal, "Folder", "shared")
            page = api.content.create(folder, "Document", "page")
            api.content.create(folder, "Document", "other")
            for content in (folder, page):
                content.manage_setLocalRoles(EMAIL, ["Editor"])
                content.manage_setLocalRoles("owner", ["Reader"])
                content.reindexObjectSecurity()

    def left(self):
        transaction.begin()
        contents = self.portal.shared, self.portal.shared.page
        return sum(bool(one.get_local_roles_for_userid(EMAIL)) for one in contents)

    def test_nobody_waits_while_the_site_is_walked_through(self):
        with mock.patch.object(MembershipTool, "deleteLocalRoles", side_effect=AssertionError):
            self.erase(finished=False, delete_member=True)
        self.assertIsNone(self.member())
        self.assertEqual(self.left(), 2)
        self.sweep()
        self.assertEqual(self.left(), 0)
        kept = self.portal.shared.page.get_local_roles_for_userid("owner")
        self.assertEqual(kept, ("Reader",))
        self.assertNotIn(EMAIL, repr(self.dump()))

    def test_killed_in_between(self):
        self.erase(finished=False, delete_member=True)

        def step(name):
            if name == "local roles removed":
                raise Killed

        with mock.patch.object(steps, "reached", step), self.assertRaises(Killed):
            localroles.clear()
        self.assertEqual(self.left(), 1)
        self.assertEqual(list(trees.tree(self.portal, "local_roles_left")), [EMAIL])
        self.sweep()
        self.assertEqual(self.left(), 0)
        self.assertEqual(list(trees.tree(self.portal, "local_roles_left")), [])

    def test_a_new_account_inherits_none_meanwhile(self):
        self.erase(finished=False, delete_member=True)
        self.later(minutes=1)
        self.assertTrue(group.left_behind(EMAIL))
        self.sweep()
        self.assertFalse(group.left_behind(EMAIL))


class TestOthers(ErasureTestCase):
    def test_an_old_link_to_reset_the_password(self):
        self.buy()
        reset = self.portal.portal_password_reset
        with self.owner():
            link = reset.requestReset(EMAIL)["randomstring"]
            self.portal.portal_registration.addMember(
                OTHER, "secret secret", properties={"username": OTHER, "email": OTHER}
            )
            kept = reset.requestReset(OTHER)["randomstring"]
        self.erase(delete_member=True)
        self.assertNotIn(link, reset._requests)
        self.assertIn(kept, reset._requests)

    def test_the_address_as_an_affiliate(self):
        self.buy()
        for buyer, affiliate in ((OTHER, EMAIL), ("joe@example.org", "somebody")):
            self.buy(
                buyer_email=buyer,
                acquirer_transaction_id=f"T-{buyer}",
                c2s_transaction_id=f"R-{buyer}",
                affiliate_username=affiliate,
            )
        self.assertEqual(self.fields(OTHER)["affiliate"], EMAIL)
        self.erase()
        self.assertEqual(self.fields(OTHER)["affiliate"], "")
        self.assertEqual(self.fields(OTHER)["product_id"], "1")
        self.assertEqual(self.fields("joe@example.org")["affiliate"], "somebody")
