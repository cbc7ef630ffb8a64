"""Members of release 0.4.5 get a history; nothing about them changes by that."""

from DateTime import DateTime
from datetime import timedelta
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.interfaces import IAccessEvent
from niteoweb.click2sell.interfaces import IMemberEvent
from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import index
from niteoweb.click2sell.owner import reconcile
from niteoweb.click2sell.setup import adoption
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from niteoweb.click2sell.worker import sweep
from plone import api
from typing import Any
from unittest import mock
from zope.component import getGlobalSiteManager

import transaction


class AdoptionTestCase(SiteTestCase):
    def setUp(self):
        super().setUp()
        self.group("click2sell")
        self.group("elsewhere")
        self.events = []
        manager = getGlobalSiteManager()
        for kind in (IAccessEvent, IMemberEvent):
            manager.registerHandler(self.events.append, (kind,))
            self.addCleanup(manager.unregisterHandler, self.events.append, (kind,))

    def old(
        self,
        user_id: str = EMAIL,
        groups: tuple[str, ...] = ("click2sell", "premium"),
        days_ago: float = 10,
        **changes: Any,
    ) -> None:
        """A member as 0.4.5 made it: the user id is the address that paid."""
        values = {
            "email": user_id,
            "fullname": "John Smith",
            "product_id": "1",
            "product_name": "Test Product",
            "affiliate": "affiliate",
            "last_purchase_id": "R-old",
            "last_purchase_timestamp": DateTime(
                (self.now - timedelta(days=days_ago)).isoformat()
            ),
            **changes,
        }
        self.account(user_id, **values)
        with self.owner():
            for name in groups:
                api.group.add_user(groupname=name, username=user_id)

    def write(self, user_id: str, **values: Any) -> None:
        """Write fields past Plone, which would not take them."""
        fields = self.portal.acl_users.mutable_properties._storage[user_id]
        self.portal.acl_users.mutable_properties._storage[user_id] = {**fields, **values}
        index.update(self.portal, user_id)
        transaction.commit()

    def adopt(self, apply: bool = True) -> adoption.AdoptionReport:
        return adoption.adopt(apply, self.now)

    def sweep(self, **options: Any) -> sweep.SweepReport:
        return sweep.sweep(**options)

    def listed(self, report: adoption.AdoptionReport) -> list[tuple[str, str, tuple[str, ...]]]:
        return sorted((item.why, item.user_id, item.groups) for item in report.findings)


class TestAdoption(AdoptionTestCase):
    def test_the_purchase_is_written_down_as_the_fields_tell_it(self):
        self.settings(mapping=["1|premium|365", "2|course"])
        self.old()
        report = self.adopt()
        self.assertEqual((report.looked_at, report.adopted, report.skipped), (2, 1, 0))
        self.assertEqual(self.listed(report), [])
        self.assertEqual(self.entries(), [(Outcome.ACCEPTED, "", "")])
        (key,) = ledger.newest_first(self.portal)
        entry = ledger.get(self.portal, key)
        expected = {
            "provider": "migration",
            "kind": "purchase",
            "occurred_at": timestamps.iso(self.now - timedelta(days=10)),
            "buyer": EMAIL,
            "product_id": "1",
            "product_name": "Test Product",
            "affiliate": "affiliate",
            "receipt": "R-old",
            "transaction": f"migration:{EMAIL}",
            "days": 365,
            "terms_known": True,
            "counts": True,
            "valid_until": None,
        }
        self.assertEqual({name: entry[name] for name in expected}, expected)
        self.assertFalse(ownership.belongs_to_another(self.portal, entry))

    def test_the_groups_count_as_granted(self):
        self.old()
        self.adopt()
        buyer = self.buyer()
        self.assertEqual(set(buyer["grants"]), {"premium", "click2sell"})
        self.assertEqual(buyer["user_id"], EMAIL)
        self.assertFalse(buyer["made"])
        self.assertEqual(counters.number(self.portal, *counters.WITH_ACCESS), 1)

    def test_nothing_about_the_member_changes(self):
        self.settings(welcome_mail="password", notice_mail=True)
        self.old()
        self.old("lapsed@example.org", days_ago=800, product_id="2")
        kept = ("passwords", "logins", "properties", "groups", "roles")
        before = {name: self.dump()[name] for name in kept}
        self.adopt()
        self.assertEqual({name: self.dump()[name] for name in kept}, before)
        self.assertEqual(self.events, [])
        self.assertEqual(outbox.due(self.portal, self.now), [])

    def test_the_dry_run_tells_the_same_and_writes_nothing(self):
        self.old()
        self.old("jane@example.org", ("course", "premium"), product_id="2")
        before = self.dump()
        told = self.adopt(apply=False)
        self.assertEqual(self.dump(), before)
        self.assertEqual(self.adopt(), told)
        self.assertNotEqual(self.dump(), before)

    def test_it_can_be_called_again(self):
        self.old()
        self.adopt()
        self.old("jane@example.org")
        report = self.adopt()
        self.assertEqual((report.adopted, report.skipped), (1, 1))
        before = self.dump()
        report = self.adopt()
        self.assertEqual((report.adopted, report.skipped), (0, 2))
        self.assertEqual(self.dump(), before)

    def test_an_interruption_keeps_the_batches_before(self):
        for number in range(30):
            self.old(f"buyer{number:02}@example.org", ())

        def stop(report: adoption.AdoptionReport) -> None:
            if report.adopted == 20:
                raise KeyboardInterrupt

        with mock.patch.object(adoption, "BATCH", 10):
            with self.assertRaises(KeyboardInterrupt):
                adoption.adopt(True, self.now, stop)
            self.assertEqual(len(self.entries()), 20)
            report = self.adopt()
        self.assertEqual((report.adopted, report.skipped), (10, 20))
        self.assertEqual(len(set(trees.tree(self.portal, "buyers"))), 30)

    def test_members_without_a_purchase_are_left_alone(self):
        self.account()
        report = self.adopt()
        self.assertEqual((report.adopted, report.skipped, report.findings), (0, 0, []))
        self.assertIsNone(buyers.of_user(self.portal, EMAIL))


class TestAfterwards(AdoptionTestCase):
    def test_a_sweep_and_a_run_for_the_buyer_change_nothing(self):
        self.old()
        self.adopt()
        before = self.dump()
        self.sweep()
        self.provision()
        self.provision(follow_mapping=True)
        self.assertEqual(self.dump(), before)
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_access_ends_with_its_days(self):
        self.settings(mapping=["1|premium|30", "2|course"])
        self.old(days_ago=10)
        self.assertEqual(self.listed(self.adopt()), [])
        self.later(days=19)
        self.sweep()
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.later(days=1)
        self.assertEqual([item["user_id"] for item in self.sweep().lapsed], [EMAIL])
        self.assertEqual(self.groups(), ["click2sell"])

    def test_days_that_are_over_end_at_the_next_sweep_and_are_listed(self):
        self.settings(mapping=["1|premium|30", "2|course"])
        self.old(days_ago=31)
        self.assertEqual(self.listed(self.adopt()), [("lapses", EMAIL, ("premium",))])
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.sweep()
        self.assertEqual(self.groups(), ["click2sell"])
        self.assertEqual([event.groups for event in self.events], [("premium",)])

    def test_many_whose_days_are_over_do_not_lose_access_unasked(self):
        self.settings(mapping=["1|premium|30", "2|course"])
        for number in range(25):
            self.old(f"buyer{number:02}@example.org", days_ago=31)
        self.assertEqual(len(self.adopt().findings), 25)
        self.assertEqual(self.sweep().stopped, {"members": 25, "limit": 20})
        self.assertIsNone(self.sweep(confirmed=True).stopped)
        self.assertEqual(self.groups("buyer07@example.org"), ["click2sell"])

    def test_a_renewal_goes_to_the_member_and_access_goes_on(self):
        self.settings(mapping=["1|premium|30", "2|course"])
        self.old(days_ago=29)
        self.adopt()
        result = self.buy(
            transaction_type="Subscription",
            subscription_status="Recurring",
            purchase_date=f"{self.now:%Y-%m-%d}",
        )
        self.assertEqual(result.outcome, Outcome.ACCEPTED)
        self.later(days=20)
        self.sweep()
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assertEqual(self.fields()["last_purchase_id"], "R-1")
        self.later(days=14)
        self.sweep()
        self.assertEqual(self.groups(), ["click2sell"])

    def test_a_refund_undoes_what_was_bought_before(self):
        for number, receipt in enumerate(("R-old", "R-of-its-own")):
            with self.subTest(receipt=receipt):
                address = f"buyer{number}@example.org"
                self.old(address)
                self.adopt()
                self.buy(
                    buyer_email=address,
                    acquirer_transaction_id=f"refund-{number}",
                    c2s_transaction_id=receipt,
                    transaction_type="Refund",
                    purchase_date=f"{self.now:%Y-%m-%d}",
                )
                self.assertEqual(self.groups(address), ["click2sell"])

    def test_what_an_owner_takes_away_stays_away(self):
        self.old()
        self.adopt()
        with self.owner():
            api.group.remove_user(groupname="premium", username=EMAIL)
        self.provision()
        self.assertEqual(self.groups(), ["click2sell"])

    def test_a_member_who_was_taken_out_before_stays_out_until_a_payment(self):
        self.old(groups=("click2sell",))
        self.assertEqual(self.listed(self.adopt()), [("outside", EMAIL, ())])
        self.sweep()
        self.provision(follow_mapping=True)
        self.assertEqual(self.groups(), ["click2sell"])
        self.buy()
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_groups_of_other_products_are_listed_and_never_taken(self):
        self.settings(mapping=["1|premium|30", "2|course"])
        self.old(groups=("premium", "course", "elsewhere"), days_ago=31)
        self.assertEqual(
            self.listed(self.adopt()),
            [("lapses", EMAIL, ("premium",)), ("other groups", EMAIL, ("premium", "course"))],
        )
        self.sweep()
        self.assertEqual(self.groups(), ["click2sell", "course", "elsewhere"])

    def test_a_second_group_of_the_product_is_listed_and_given_later(self):
        self.settings(mapping=["1|premium", "1|course"])
        self.old()
        self.assertEqual(self.listed(self.adopt()), [("more groups", EMAIL, ("course",))])
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        (change,) = reconcile.part(self.portal).changes
        self.assertEqual((change.given, change.taken), (("course",), ()))

    def test_a_product_without_a_line_gives_nothing_until_it_has_one(self):
        self.old(product_id="9", groups=("click2sell",))
        self.assertEqual(self.listed(self.adopt()), [("no line", EMAIL, ())])
        self.provision()
        self.assertEqual(self.groups(), ["click2sell"])
        self.settings(mapping=["9|course"])
        self.provision()
        self.assertEqual(self.groups(), ["click2sell", "course"])


class TestAddresses(AdoptionTestCase):
    def test_the_user_id_is_the_address_that_paid(self):
        self.old("John@Example.org", email="somebody.else@example.org")
        self.adopt()
        self.assertEqual(self.buyer("john@example.org")["user_id"], "John@Example.org")
        self.assertNotIn(
            "somebody.else@example.org", trees.tree(self.portal, "buyer_by_address")
        )
        self.buy(product_id="2")
        self.assertEqual(self.groups("John@Example.org"), ["click2sell", "course", "premium"])

    def test_else_it_is_the_e_mail_address(self):
        self.old("john", email="John@Example.org")
        self.adopt()
        self.assertEqual(self.buyer()["user_id"], "john")

    def test_a_purchase_that_waited_for_a_decision_gets_its_account(self):
        self.old(email="changed@example.org")
        self.assertEqual(self.buy(product_id="2").outcome, Outcome.ATTENTION)
        self.adopt()
        self.provision()
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])
        self.assertEqual([outcome for outcome, *_ in self.entries()], [Outcome.ACCEPTED] * 2)


class TestNotAdopted(AdoptionTestCase):
    def check(self, *expected: tuple[str, str, tuple[str, ...]]) -> None:
        before = self.dump()
        report = self.adopt()
        self.assertEqual(self.listed(report), sorted(expected))
        self.assertEqual(report.adopted, 0)
        self.assertEqual(self.dump(), before)

    def test_privileged_accounts(self):
        self.old()
        with self.owner():
            api.user.grant_roles(username=EMAIL, roles=["Site Administrator"])
        self.check(("privileged", EMAIL, ()))

    def test_members_without_an_address(self):
        for user_id, email in (("john", ""), ("jane", "jane at home")):
            self.old(user_id, email=f"{user_id}@example.org")
            self.write(user_id, email=email)
        self.check(("no address", "jane", ()), ("no address", "john", ()))

    def test_members_without_a_date(self):
        self.old(last_purchase_timestamp=DateTime("2000/01/01"))
        self.old("jane@example.org", days_ago=-2)
        self.check(("no date", "jane@example.org", ()), ("no date", EMAIL, ()))

    def test_a_field_that_holds_no_date(self):
        self.old()
        self.write(EMAIL, last_purchase_timestamp="yesterday")
        self.check(("no date", EMAIL, ()))

    def test_two_members_with_one_address(self):
        self.old()
        self.old("other", email="JOHN@example.org")
        self.check(("several accounts", EMAIL, ()), ("several accounts", "other", ()))

    def test_an_address_that_somebody_put_into_the_e_mail_field(self):
        self.old()
        self.account("thief", EMAIL)
        self.check(("several accounts", EMAIL, ()))

    def test_the_address_of_another_buyer(self):
        self.buy()
        self.old("john", groups=(), email=EMAIL)
        # The buyer keeps the account when its address and login name change.
        with self.owner():
            member = self.portal.portal_membership.getMemberById(EMAIL)
            member.setMemberProperties({"email": "new@example.org", "product_id": ""})
            self.portal.acl_users.updateLoginName(EMAIL, "new@example.org")
        # The user id still is the address; only without that does it come to the record.
        with mock.patch.object(adoption.legacymember.index, "find", return_value=()):
            self.check(("another buyer", "john", ()))

    def test_who_bought_since_the_upgrade(self):
        self.old()
        self.buy(product_id="2")
        self.check(("bought since", EMAIL, ("premium",)))
