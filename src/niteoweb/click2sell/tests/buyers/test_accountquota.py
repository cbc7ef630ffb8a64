"""The cap on new accounts: nobody who paid stays out, and who came first is served first."""

from niteoweb.click2sell.buyers import accountquota
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.interfaces import IClick2SellSettings
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.owner import importing
from niteoweb.click2sell.owner.importfile import ImportRow
from niteoweb.click2sell.privacy import erasure
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import plan
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.mail import AlertTestCase
from niteoweb.click2sell.tests.cases.pages import ChecklistTestCase
from unittest import mock
from zope.annotation.interfaces import IAnnotations

import transaction


HELD = (Outcome.ATTENTION, "too many accounts", "")
DONE = (Outcome.ACCEPTED, "", "")


class CapTestCase(AlertTestCase):
    def setUp(self):
        super().setUp()
        self.settings(new_accounts_an_hour=2)

    def come(self, *numbers, **changes):
        """Buyers, a second apart."""
        for number in numbers:
            self.later(seconds=1)
            self.buy(
                **{
                    "buyer_email": f"{number}@example.org",
                    "acquirer_transaction_id": f"T-{number}",
                    "c2s_transaction_id": f"R-{number}",
                    **changes,
                }
            )

    def members(self):
        """The numbers of the buyers with accounts."""
        transaction.begin()
        ids = self.portal.acl_users.source_users.getUserIds()
        return sorted(int(name[0]) for name in ids if name[0].isdigit())

    def waiting(self):
        """The numbers of the buyers who wait, in order."""
        transaction.begin()
        by_id = {
            buyer_id: int(address[0])
            for address, buyer_id in trees.tree(self.portal, "buyer_by_address").items()
        }
        return [by_id[buyer_id] for buyer_id in accountquota.called(self.portal)]

    def key(self, number):
        transaction.begin()
        for key in ledger.newest_first(self.portal):
            if ledger.get(self.portal, key)["buyer"] == f"{number}@example.org":
                return key
        raise KeyError(number)


class TestCap(CapTestCase):
    def test_no_cap_by_default(self):
        self.assertEqual(IClick2SellSettings["new_accounts_an_hour"].default, 0)
        for value in (0, None):
            self.settings(new_accounts_an_hour=value)
            self.come(*range(1, 5) if value == 0 else range(5, 9))
        self.assertEqual(self.members(), list(range(1, 9)))
        # It costs nothing.
        self.assertEqual(list(trees.tree(self.portal, "accounts_made")), [])

    def test_above_it_a_purchase_waits(self):
        with self.assertLogs("niteoweb.click2sell", "WARNING") as logged:
            self.come(1, 2, 3)
        self.assertNotIn("example.org", "".join(logged.output))
        self.assertEqual(self.entries(), [DONE, DONE, HELD])
        self.assertEqual((self.members(), self.waiting()), ([1, 2], [3]))
        self.assertIsNone(self.member("3@example.org"))
        # The transaction is its own all the same.
        self.come(4, acquirer_transaction_id="T-3")
        self.assertEqual(self.entries()[-1][0], Outcome.REFUSED)
        self.assertEqual(self.waiting(), [3])

    def test_members_go_on_buying(self):
        self.come(1, 2, 3)
        self.come(1, acquirer_transaction_id="T-8", c2s_transaction_id="R-8", product_id="2")
        self.assertEqual(self.groups("1@example.org"), ["click2sell", "course", "premium"])

    def test_an_account_that_exists_needs_none(self):
        self.account("3@example.org", "3@example.org")
        self.come(1, 2, 3)
        self.assertEqual(self.entries(), [DONE] * 3)

    def test_the_sweep_makes_them_in_order_of_arrival(self):
        self.come(1, 2, 3, 4, 5)
        self.assertEqual(self.sweep().accounts, 0)
        self.later(minutes=59)
        self.assertEqual(self.sweep().accounts, 0)
        self.later(minutes=1)
        report = self.sweep()
        self.assertEqual((report.accounts, report.waiting["accounts"]), (2, 1))
        self.assertEqual((self.members(), self.waiting()), ([1, 2, 3, 4], [5]))
        self.assertEqual(self.groups("3@example.org"), ["click2sell", "premium"])
        self.assertEqual(self.entries(), [DONE] * 4 + [HELD])
        self.later(hours=1)
        self.assertEqual(self.sweep().accounts, 1)
        self.assertEqual((self.members(), self.waiting()), ([1, 2, 3, 4, 5], []))
        self.later(hours=2)
        self.sweep()
        self.assertEqual(list(trees.tree(self.portal, "accounts_made")), [])

    def test_who_comes_later_is_not_faster(self):
        self.come(1, 2, 3)
        self.later(hours=1)
        # One place is free beside that of the one who waits.
        self.come(4, 5)
        self.assertEqual((self.members(), self.waiting()), ([1, 2, 4], [3, 5]))
        self.sweep()
        self.assertEqual((self.members(), self.waiting()), ([1, 2, 3, 4], [5]))

    def test_who_pays_again_while_waiting_keeps_the_place(self):
        self.come(1, 2, 3, 4)
        self.come(3, acquirer_transaction_id="T-9", c2s_transaction_id="R-9", product_id="2")
        self.assertEqual(self.waiting(), [3, 4])
        self.later(hours=1)
        self.sweep()
        self.assertEqual(self.groups("3@example.org"), ["click2sell", "course", "premium"])
        self.assertEqual(self.entries(), [DONE] * 5)

    def test_raising_it(self):
        self.come(1, 2, 3, 4)
        self.settings(new_accounts_an_hour=3)
        self.assertEqual(self.sweep().accounts, 1)
        self.settings(new_accounts_an_hour=0)
        self.assertEqual(self.sweep().accounts, 1)
        self.assertEqual(self.members(), [1, 2, 3, 4])

    def test_a_replay_makes_it_when_there_is_room(self):
        self.come(1, 2, 3, 4)
        pipeline.replay(self.key(3))
        self.assertEqual(self.members(), [1, 2])
        self.later(hours=1)
        pipeline.replay(self.key(4))
        self.assertEqual((self.members(), self.waiting()), ([1, 2, 4], [3]))

    def test_a_dry_run(self):
        self.come(1, 2, 3, 4, 5)
        self.later(hours=1)
        report = self.sweep(dry_run=True)
        self.assertEqual((report.accounts, report.waiting["accounts"]), (2, 3))
        self.assertEqual(self.members(), [1, 2])

    def test_one_that_fails_keeps_nobody_else_waiting(self):
        self.come(1, 2, 3, 4)
        self.settings(new_accounts_an_hour=1)
        self.later(hours=1)
        make, troubled = plan.make, self.buyer("3@example.org")["id"]

        def failing(site, buyer, *args, **options):
            if buyer["id"] == troubled:
                raise RuntimeError
            return make(site, buyer, *args, **options)

        with mock.patch.object(plan, "make", failing):
            report = self.sweep()
        self.assertEqual((report.troubled, report.accounts), (1, 1))
        self.assertEqual((self.members(), self.waiting()), ([1, 2, 4], [3]))

    def test_refunded_while_waiting(self):
        self.come(1, 2, 3)
        self.later(seconds=1)
        self.refund(
            buyer_email="3@example.org",
            acquirer_transaction_id="T-3",
            c2s_transaction_id="R-3",
            purchase_time="11:00:00",
        )
        self.later(hours=1)
        self.sweep()
        self.assertEqual(self.groups("3@example.org"), ["click2sell"])

    def test_the_welcome_mail_goes_out_then(self):
        self.settings(welcome_mail="link")
        self.come(1, 2, 3)
        self.later(hours=1)
        told = self.told()
        self.assertIn("3@example.org", [to for to, _subject, _text in told])

    def test_the_end_is_the_same_as_without(self):
        self.settings(new_accounts_an_hour=0)
        self.come(1, 2, 3, 4)
        keys = [self.key(number) for number in (1, 2, 3, 4)]
        before = self.state()
        self.forget_everybody()
        self.settings(new_accounts_an_hour=1)
        self.come(1, 2, 3, 4)
        for _hour in range(3):
            self.later(hours=1)
            self.sweep()
        self.assertEqual(self.state(), before)
        # Replaying everything changes nothing, however full it is.
        dump = self.dump()["groups"]
        for key in keys:
            pipeline.replay(key)
        self.assertEqual(self.state(), before)
        self.assertEqual(self.dump()["groups"], dump)

    def state(self):
        """The records of each buyer in the site and the ledger."""
        return {
            number: (
                self.fields(f"{number}@example.org"),
                self.groups(f"{number}@example.org"),
                ledger.get(self.portal, self.key(number))["outcome"],
                ledger.get(self.portal, self.key(number))["reason"],
                self.buyer(f"{number}@example.org")["live"],
            )
            for number in (1, 2, 3, 4)
        }

    def forget_everybody(self):
        """As if nobody had ever come."""
        with self.owner():
            for number in self.members():
                self.portal.acl_users.userFolderDelUsers([f"{number}@example.org"])
            del IAnnotations(self.portal)[trees.KEY]
            trees.install(self.portal)

    def test_the_counter_is_written_with_the_account(self):
        self.come(1)
        ((_time, buyer_id),) = trees.tree(self.portal, "accounts_made")
        self.assertEqual(buyer_id, self.buyer("1@example.org")["id"])

    def test_a_clock_that_was_wrong_once(self):
        self.later(days=2)
        self.come(1, 2)
        self.later(days=-2)
        self.come(3, 4)
        self.assertEqual(self.members(), [1, 2, 3, 4])


class TestOwner(CapTestCase):
    def grant(self, number):
        act = commands.Grant(
            f"{number}@example.org", ("click2sell", "1"), None, "gift", "owner"
        )
        return action.carry_out(act)

    def test_grants_and_imports_do_not_count(self):
        for number in (1, 2, 3):
            self.later(seconds=1)
            self.grant(number)
        rows = [ImportRow(n, f"{n}@example.org", "", "1", None, f"ref {n}") for n in (4, 5, 6)]
        importing.run(rows, "owner")
        self.assertEqual(self.members(), [1, 2, 3, 4, 5, 6])
        self.come(7, 8, 9)
        self.assertEqual((self.members()[-2:], self.waiting()), ([7, 8], [9]))
        # By hand it needs no waiting.
        self.grant(9)
        self.assertEqual((self.members()[-1], self.waiting()), (9, []))

    def test_dismissed(self):
        self.come(1, 2, 3, 4)
        action.carry_out(decisions.Dismiss(self.key(3), "owner", "not ours"))
        self.assertEqual((self.members(), self.waiting()), ([1, 2], [4]))
        self.settings(new_accounts_an_hour=0)
        self.sweep()
        pipeline.replay(self.key(3))
        self.assertEqual(self.members(), [1, 2, 4])
        # A later payment is another matter.
        self.come(3, acquirer_transaction_id="T-9", c2s_transaction_id="R-9")
        self.assertEqual(self.members(), [1, 2, 3, 4])

    def test_one_of_two_dismissed(self):
        self.come(1, 2, 3)
        self.come(3, acquirer_transaction_id="T-9", c2s_transaction_id="R-9")
        action.carry_out(decisions.Dismiss(self.key(3), "owner", "not ours"))
        self.assertEqual((self.members(), self.waiting()), ([1, 2], [3]))

    def test_erased(self):
        self.come(1, 2, 3)
        erasure.erase("3@example.org", "asked for it", "owner")
        self.assertEqual(list(trees.tree(self.portal, "accounts_awaited")), [])
        self.later(hours=1)
        self.sweep()
        self.assertEqual(self.members(), [1, 2])

    def test_two_buyers_turn_out_to_be_one(self):
        self.come(1, 2, 3)
        buyers.change(self.portal, self.buyer("3@example.org"), chosen="1@example.org")
        transaction.commit()
        self.later(hours=1)
        self.assertEqual(self.sweep().accounts, 0)
        self.assertEqual(list(trees.tree(self.portal, "accounts_awaited")), [])
        self.assertEqual(self.user_id("3@example.org"), "1@example.org")

    def test_a_chosen_member_needs_no_account(self):
        self.account("mine", "mine@example.net")
        self.come(1, 2, 3)
        with mock.patch.object(decisions, "possible", return_value=(decisions.ATTACH,)):
            action.carry_out(decisions.Attach(self.key(3), "owner", "mine", "known"))
        self.assertEqual((self.waiting(), self.groups("mine")), ([], ["click2sell", "premium"]))


class TestTold(CapTestCase):
    def subjects(self, **options):
        found = super().subjects(**options)
        return [subject.partition(": ")[2] for subject in found]

    def test_once_for_each_occasion(self):
        self.come(1, 2, 3, 4, 5)
        self.assertEqual(self.subjects(), ["new accounts have to wait (3)"])
        self.assertEqual(self.subjects(), [])
        # However seldom the sweep runs.
        self.later(hours=3)
        self.assertEqual(self.subjects(), [])
        self.assertEqual(self.waiting(), [5])
        self.later(hours=1)
        self.assertEqual(self.subjects(), [])
        self.assertEqual(self.waiting(), [])
        # Nobody waits, but somebody did a moment ago.
        self.assertEqual(self.subjects(), [])
        self.come(6, 7)
        self.assertEqual(self.waiting(), [7])
        self.assertEqual(self.subjects(), [])
        self.later(hours=1)
        self.subjects()
        self.later(hours=1)
        self.subjects()
        self.come(8, 9, 0)
        self.assertEqual(self.subjects(), ["new accounts have to wait (1)"])

    def test_what_it_says(self):
        self.come(1, 2, 3)
        ((_to, _subject, text),) = self.told()
        self.assertIn("waiting for their accounts: 1\n", text)
        self.assertIn("in an hour: 2\n", text)
        self.assertIn("/plone/@@click2sell-overview#needs\n", text)
        self.assertNotIn("example.org", text.replace("shop@example.org", ""))

    def test_the_daily_mail_does_not_tell_it_again(self):
        self.come(1, 2, 3)
        self.sweep()
        self.assertEqual(list(trees.tree(self.portal, "untold")), [])
        # Nor does it hide another reason.
        with mock.patch.object(plan, "make", self.uncertain):
            self.later(hours=1)
            self.sweep()
        self.assertEqual(self.entries()[-1][:2], (Outcome.ATTENTION, "account not certain"))
        self.assertEqual(self.subjects(), ["notifications wait for you (1)"])

    make = staticmethod(plan.make)

    def uncertain(self, site, buyer, *args, **options):
        """Another account turns up meanwhile."""
        if not self.portal.acl_users.getUserById("other"):
            self.portal.portal_registration.addMember(
                "other",
                "a password",
                properties={"username": "other", "email": "3@example.org"},
            )
        return self.make(site, buyer, *args, **options)


class TestChecklist(ChecklistTestCase):
    def test_somebody_waits(self):
        self.settings(new_accounts_an_hour=1)
        self.buy()
        self.assertNotIn("new_accounts", self.items())
        self.buy(buyer_email="other@example.org", acquirer_transaction_id="T-2")
        item = self.items()["new_accounts"]
        self.assertEqual((item.state, item.text.mapping["limit"]), ("warning", 1))
