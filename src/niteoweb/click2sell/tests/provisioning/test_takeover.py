"""Attacks by a reader of one checksum, or with accounts prepared beforehand."""

from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from niteoweb.click2sell.worker import sweep
from plone import api

import transaction


class TestLeftOverGroup(SiteTestCase):
    """Plone keeps what a deleted group had; the next one of that id has it too."""

    def assert_refused(self):
        self.buy()
        self.assertEqual(self.attention(), [["group privileged", "click2sell"]])
        self.assertFalse(privilege.member(EMAIL))
        self.assertIsNone(api.group.get("click2sell"))

    def test_that_was_in_administrators(self):
        with self.owner():
            api.group.create("click2sell")
            self.portal.portal_groups.addPrincipalToGroup("click2sell", "Administrators")
            api.group.delete("click2sell")
        self.assert_refused()

    def test_that_had_a_local_role(self):
        with self.owner():
            self.portal.manage_setLocalRoles("click2sell", ["Manager"])
        self.assert_refused()


class TestCapturedChecksum(SiteTestCase):
    def test_of_a_purchase_that_waits_for_its_group(self):
        self.settings(mapping=["1|missing"])
        self.buy()
        self.assertEqual(self.attention(), [["group missing", "missing"]])
        for address in ("thief@example.org", "thief2@example.org"):
            self.assertEqual(self.buy(buyer_email=address).outcome, Outcome.REFUSED)
            self.assertIsNone(self.member(address))
        with self.owner():
            api.group.create("missing")
        self.provision()
        self.assertEqual(self.groups(), ["click2sell", "missing"])


class TestSecondAddress(SiteTestCase):
    def test_goes_on_with_the_transactions_of_the_first(self):
        self.buy()
        with self.owner():
            api.user.get(EMAIL).setMemberProperties({"email": "new@example.org"})
        self.buy(
            buyer_email="new@example.org",
            acquirer_transaction_id="T-2",
            c2s_transaction_id="R-2",
        )
        # A member can edit the address, so an owner has to decide, or the buyer to confirm.
        self.choose(EMAIL, "new@example.org")
        result = self.buy(
            buyer_email="new@example.org",
            transaction_type="Subscription",
            subscription_status="Recurring",
        )
        self.assertEqual(result.outcome, Outcome.ACCEPTED)
        self.assertIsNone(self.member("new@example.org"))


class TestPrivilegedForAWhile(SiteTestCase):
    def test_a_refund_is_applied_afterwards(self):
        self.buy()
        self.assertIn("premium", self.groups())
        with self.owner():
            self.portal.portal_groups.addPrincipalToGroup("premium", "Administrators")
        self.refund()
        with self.owner():
            self.portal.portal_groups.removePrincipalFromGroup("premium", "Administrators")
        self.assertIn("premium", self.groups())
        transaction.begin()
        sweep.sweep()
        self.assertEqual(self.groups(), ["click2sell"])
