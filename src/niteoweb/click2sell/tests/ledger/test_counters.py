"""The report's counters: counted once, in the commit of the event, and equally in a rebuild."""

from BTrees.Length import Length
from DateTime import DateTime
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.command import reindex
from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.report import overview
from niteoweb.click2sell.setup import adoption
from niteoweb.click2sell.storage import indexes
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import PASSWORD
from niteoweb.click2sell.tests.cases.sweeps import SweepTestCase
from niteoweb.click2sell.tests.proof import dump
from plone.app.testing import login
from plone.app.testing import logout
from unittest import mock

import transaction


OTHER = "jane@example.org"


class FiguresTestCase(SweepTestCase):
    def tearDown(self):
        self.assertNothingToCorrect()
        super().tearDown()

    def assertNothingToCorrect(self):
        transaction.begin()
        self.assertEqual(dump.misfiled(self.portal), [])

    def counted(self, days=30):
        """The counters without zeros: figure -> day -> number."""
        transaction.begin()
        found = {}
        for row in overview.rows(self.portal, overview.Range(overview.DAY, days), self.now):
            for name, number in row.values.items():
                if number:
                    found.setdefault(name, {})[row.period] = number
        return found

    def renew(self, number, **changes):
        return self.buy_again(
            number, transaction_type="Subscription", subscription_status="Recurring", **changes
        )

    def log_in(self, user_id=EMAIL):
        """Log in as Plone's login form does."""
        transaction.begin()
        login(self.portal, user_id)
        self.portal.portal_membership.loginUser(self.layer["request"])
        logout()
        transaction.commit()


class TestDays(FiguresTestCase):
    def test_a_purchase(self):
        self.buy()
        day = {"2026-05-03": 1}
        self.assertEqual(self.counted(), {"new_buyers": day, "purchases": day})

    def test_delivered_again_and_replayed_it_counts_once(self):
        self.buy()
        before = self.dump()
        self.buy()
        pipeline.replay(self.notification().key)
        self.provision()
        for tree in ("figures", "products_with_access", "logins_awaited"):
            self.assertEqual(self.dump()["trees"][tree], before["trees"][tree])
        self.assertEqual(self.counted()["purchases"], {"2026-05-03": 1})

    def test_the_kinds(self):
        self.subscribe()
        self.later(days=29)
        self.renew(2, purchase_date="2026-06-01")
        self.later(days=1)
        self.refund(purchase_date="2026-06-02", c2s_transaction_id="R-1")
        self.buy_again(3, transaction_type="Chargeback", purchase_date="2026-06-02")
        found = self.counted(31)
        self.assertEqual(found["purchases"], {"2026-05-03": 1})
        self.assertEqual(found["new_buyers"], {"2026-05-03": 1})
        self.assertEqual(found["renewals"], {"2026-06-01": 1})
        self.assertEqual(found["refunds"], {"2026-06-02": 1})
        self.assertEqual(found["lapses"], {"2026-06-02": 1})

    def test_a_late_delivery_counts_for_its_own_day(self):
        self.later(days=5)
        self.buy()
        self.assertEqual(self.counted()["purchases"], {"2026-05-03": 1})

    def test_a_second_purchase_makes_no_second_buyer(self):
        self.buy()
        self.buy_again(product_id="2")
        self.assertEqual(self.counted()["new_buyers"], {"2026-05-03": 1})
        self.assertEqual(self.counted()["purchases"], {"2026-05-03": 2})

    def test_an_earlier_purchase_that_arrives_later_moves_the_new_buyer(self):
        self.buy()
        self.buy_again(product_id="2", purchase_date="2026-05-01")
        self.assertEqual(self.counted()["new_buyers"], {"2026-05-01": 1})

    def test_two_addresses_of_one_account_are_one_buyer(self):
        self.buy()
        with self.owner():
            member = self.portal.portal_membership.getMemberById(EMAIL)
            member.setMemberProperties({"email": OTHER})
        self.buy_again(product_id="2", buyer_email=OTHER, purchase_date="2026-05-04")
        self.assertEqual(self.counted()["new_buyers"], {"2026-05-03": 1})

    def test_refused_ones_do_not_count(self):
        self.buy()
        self.buy(buyer_email=OTHER, c2s_transaction_id="R-9")
        self.assertIn(Outcome.REFUSED, [outcome for outcome, *_ in self.entries()])
        self.assertEqual(self.counted()["purchases"], {"2026-05-03": 1})
        self.assertEqual(self.counted()["new_buyers"], {"2026-05-03": 1})

    def test_a_payment_without_effect_does_not_count(self):
        self.buy(purchase_date="2026-05-09")
        self.assertEqual(self.attention()[0][0], "future")
        self.later(days=10)
        self.assertEqual(self.counted(), {})

    def test_a_payment_that_somebody_has_to_look_at_counts(self):
        self.settings(mapping=["1|missing"])
        self.buy()
        self.assertEqual(self.attention()[0][0], "group missing")
        self.assertEqual(self.counted()["purchases"], {"2026-05-03": 1})

    def test_what_failed_counts_when_it_is_mended(self):
        with (
            mock.patch("niteoweb.click2sell.provisioning.plan.make", side_effect=RuntimeError),
            self.assertRaises(pipeline.Failed),
        ):
            pipeline.process(self.notification())
        self.assertEqual(self.counted(), {})
        self.buy()
        self.assertEqual(self.counted()["new_buyers"], {"2026-05-03": 1})

    def test_what_was_accepted_and_fails_at_a_replay_does_not_count(self):
        self.buy()
        with (
            mock.patch("niteoweb.click2sell.provisioning.plan.make", side_effect=RuntimeError),
            self.assertRaises(pipeline.Failed),
        ):
            pipeline.replay(self.notification().key)
        self.assertEqual(self.counted(), {})

    def test_what_an_owner_gives_is_no_payment(self):
        product = ("click2sell", "1")
        action.carry_out(commands.Grant(EMAIL, product, None, "a prize", "boss"))
        self.assertEqual(self.counted(), {})
        self.assertEqual(counters.with_access(self.portal), {product: 1})
        action.carry_out(commands.End(self.buyer()["id"], product, "over", "boss"))
        self.assertEqual(self.counted(), {"lapses": {"2026-05-03": 1}})
        self.assertEqual(counters.with_access(self.portal), {})

    def test_a_corrected_buyer(self):
        self.buy()
        key = self.notification().key
        self.buy_again(buyer_email=OTHER, product_id="2", purchase_date="2026-05-02")
        action.carry_out(decisions.Correct(key, "boss", OTHER, True, "mistyped"))
        self.assertNothingToCorrect()
        self.assertEqual(self.counted()["new_buyers"], {"2026-05-02": 1})
        self.assertEqual(overview.never_logged_in(self.portal).total, 1)

    def test_a_refused_one_that_is_decided_for(self):
        self.buy()
        refused = {"buyer_email": OTHER, "c2s_transaction_id": "R-9"}
        self.buy(**refused, purchase_date="2026-05-02")
        key = self.notification(**refused, purchase_date="2026-05-02").key
        action.carry_out(decisions.Decide(key, "boss", "it is hers"))
        self.assertNothingToCorrect()
        self.assertEqual(self.counted()["purchases"], {"2026-05-02": 1})
        self.assertEqual(self.counted()["new_buyers"], {"2026-05-02": 1})

    def test_days_are_those_of_the_site(self):
        self.registry(portal_timezone="America/Los_Angeles")
        self.buy(purchase_time="22:30:00")
        self.later(hours=12)
        self.assertEqual(self.counted()["purchases"], {"2026-05-03": 1})
        entry = ledger.get(self.portal, next(ledger.newest_first(self.portal)))
        self.assertEqual(timestamps.from_iso(entry["occurred_at"]).day, 4)

    def test_the_ends_of_the_calendar(self):
        for zone in ("Asia/Tokyo", "America/Los_Angeles"):
            self.registry(portal_timezone=zone)
            for moment in (datetime.min, datetime.max):
                day = counters.day(moment.replace(tzinfo=timezone.utc))
                self.assertEqual(day, moment.date().isoformat())

    def test_months_add_up(self):
        self.buy()
        self.buy_again(buyer_email=OTHER, purchase_date="2026-05-02")
        self.later(days=30)
        self.buy_again(3, purchase_date="2026-06-02")
        transaction.begin()
        rows = overview.rows(self.portal, overview.Range(overview.MONTH, 12), self.now)
        self.assertEqual([row.period for row in rows][-3:], ["2026-04", "2026-05", "2026-06"])
        self.assertEqual([row.values["purchases"] for row in rows][-3:], [0, 2, 1])
        self.assertEqual(overview.totals(rows)["new_buyers"], 2)

    def test_two_processes_that_count_the_same_do_not_conflict(self):
        self.buy()
        length = trees.tree(self.portal, "figures")["2026-05-03", "purchases"]
        self.assertIsInstance(length, Length)
        self.assertEqual(length._p_resolveConflict(5, 6, 7), 8)

    def test_adopted_members(self):
        with self.owner():
            self.portal.portal_registration.addMember(
                OTHER,
                PASSWORD,
                properties={"username": OTHER, "email": OTHER, "product_id": "2"},
            )
            member = self.portal.portal_membership.getMemberById(OTHER)
            bought_at = DateTime("2026/05/01 10:00:00 UTC")
            member.setMemberProperties({"last_purchase_timestamp": bought_at})
            self.portal.portal_groups.addPrincipalToGroup(OTHER, "course")
        adoption.adopt(True, self.now)
        day = {"2026-05-01": 1}
        self.assertEqual(self.counted(), {"new_buyers": day, "purchases": day})
        self.assertEqual(counters.with_access(self.portal), {("click2sell", "2"): 1})


class TestAccess(FiguresTestCase):
    def with_access(self):
        transaction.begin()
        return {product: n for (_, product), n in counters.with_access(self.portal).items()}

    def test_members_by_product(self):
        self.crowd(3)
        self.buy(product_id="2")
        self.buy_again(product_id="1")
        self.assertEqual(self.with_access(), {"1": 4, "2": 1})
        self.refund(product_id="2")
        self.assertEqual(self.with_access(), {"1": 4})

    def test_a_lapse(self):
        self.buy()
        self.later(days=31)
        self.sweep()
        self.sweep()
        self.assertEqual(self.with_access(), {})
        self.assertEqual(self.counted()["lapses"], {"2026-06-03": 1})

    def test_a_deleted_member(self):
        self.buy()
        with self.owner():
            self.portal.portal_membership.deleteMembers([EMAIL])
        self.assertEqual(self.with_access(), {})
        self.assertNotIn("lapses", self.counted())
        self.assertEqual(overview.never_logged_in(self.portal).total, 0)


class TestLogins(FiguresTestCase):
    def never(self):
        transaction.begin()
        found = overview.never_logged_in(self.portal)
        self.assertEqual(found.total, len(found.items))
        return [account.user_id for account in found.items]

    def test_the_newest_first(self):
        self.buy()
        self.later(hours=1)
        self.buy_again(buyer_email=OTHER)
        self.assertEqual(self.never(), [OTHER, EMAIL])

    def test_a_login(self):
        self.buy()
        self.buy_again(buyer_email=OTHER)
        self.log_in()
        self.assertEqual(self.never(), [OTHER])
        self.provision()
        with self.no_commit():
            self.assertEqual(self.never(), [OTHER])

    def test_a_later_login_writes_nothing_of_ours(self):
        self.buy()
        self.log_in()
        transaction.begin()
        serial = self.buyer()._p_serial
        self.log_in()
        transaction.begin()
        self.assertEqual(self.buyer()._p_serial, serial)

    def test_an_account_that_was_there_before(self):
        self.account()
        self.buy()
        self.assertEqual(self.never(), [])
        self.log_in()

    def test_somebody_who_never_bought_logs_in(self):
        self.account("visitor", "visitor@example.org")
        self.log_in("visitor")
        self.assertEqual(self.never(), [])

    def test_made_again_after_a_deletion(self):
        self.buy()
        self.log_in()
        with self.owner():
            self.portal.portal_membership.deleteMembers([EMAIL])
        self.later(hours=1)
        self.buy_again()
        self.assertEqual(self.never(), [EMAIL])

    def test_the_list_is_short_however_many_there_are(self):
        self.crowd(3)
        with mock.patch.object(overview, "LISTED", 2):
            transaction.begin()
            found = overview.never_logged_in(self.portal)
        self.assertEqual((found.total, len(found.items)), (3, 2))


class TestRenewals(FiguresTestCase):
    def missing(self):
        transaction.begin()
        found = overview.renewals_missing(self.portal, self.now)
        return [(renewal.address, renewal.access) for renewal in found.items]

    def test_from_the_end_of_what_was_paid_for(self):
        self.subscribe()
        self.later(days=29)
        self.assertEqual(self.missing(), [])
        self.later(days=1)
        self.assertEqual(self.missing(), [(EMAIL, True)])
        self.later(days=3)
        self.sweep()
        self.assertEqual(self.missing(), [(EMAIL, False)])

    def test_for_thirty_days(self):
        self.subscribe()
        self.later(days=59)
        self.sweep(confirmed=True)
        self.assertEqual(self.missing(), [(EMAIL, False)])
        self.later(days=1)
        self.assertEqual(self.missing(), [])

    def test_a_renewal_that_comes(self):
        self.subscribe()
        self.later(days=31)
        self.assertEqual(self.missing(), [(EMAIL, True)])
        self.renew(2, purchase_date="2026-06-03")
        self.assertEqual(self.missing(), [])
        self.later(days=30)
        self.assertEqual(self.missing(), [(EMAIL, True)])

    def test_nobody_waits_for_what_was_cancelled_refunded_or_bought_once(self):
        self.buy()
        self.subscribe(
            buyer_email=OTHER, acquirer_transaction_id="T-2", c2s_transaction_id="R-2"
        )
        self.buy(
            buyer_email=OTHER,
            acquirer_transaction_id="T-2",
            c2s_transaction_id="R-2",
            transaction_type="Subscription",
            subscription_status="Cancel",
            purchase_time="11:00:00",
        )
        self.later(days=31)
        self.assertEqual(self.missing(), [])

    def test_a_deleted_member(self):
        self.subscribe()
        with self.owner():
            self.portal.portal_membership.deleteMembers([EMAIL])
        self.later(days=31)
        self.assertEqual(self.missing(), [])

    def test_counting_ends_somewhere(self):
        for number in range(3):
            self.subscribe(
                buyer_email=f"buyer{number}@example.org",
                acquirer_transaction_id=f"T-{number}",
                c2s_transaction_id=f"R-{number}",
            )
        self.later(days=31)
        transaction.begin()
        with mock.patch.object(overview, "CAPPED", 2):
            found = overview.renewals_missing(self.portal, self.now)
        self.assertEqual((found.total, found.capped), (2, True))


class TestMails(FiguresTestCase):
    def failed(self):
        transaction.begin()
        return [mail["error"] for mail in overview.mails_failed(self.portal).items]

    def setUp(self):
        super().setUp()
        self.settings(welcome_mail="link")
        transactions.run(
            lambda site: outbox.file(site, "welcome", EMAIL, EMAIL, "1", self.now, "localhost")
        )
        transaction.begin()
        (self.mail_id,) = trees.tree(self.portal, "mails")

    def step(self, what, *arguments):
        transactions.run(lambda site: what(site, outbox.get(site, self.mail_id), *arguments))
        self.assertNothingToCorrect()

    def test_until_it_is_sent(self):
        self.assertEqual(self.failed(), [])
        self.step(lambda _site, mail: outbox.sending(mail, self.now))
        self.assertEqual(self.failed(), [])
        self.step(outbox.failed, "refused", self.now)
        self.assertEqual(self.failed(), ["refused"])
        self.step(lambda _site, mail: outbox.sending(mail, self.now))
        self.assertEqual(self.failed(), ["refused"])
        self.step(outbox.sent)
        self.assertEqual(self.failed(), [])

    def test_until_it_is_given_up(self):
        self.step(lambda _site, mail: outbox.sending(mail, self.now))
        self.step(outbox.failed, "refused", self.now)
        self.step(outbox.dropped, "the member was deleted")
        self.assertEqual(self.failed(), [])


class TestRebuild(FiguresTestCase):
    """A wrong count is put right, and a right one stays."""

    def setUp(self):
        super().setUp()
        self.subscribe()
        self.buy_again(product_id="2", buyer_email=OTHER)
        self.log_in(OTHER)
        self.later(days=40)
        self.sweep(confirmed=True)
        self.before = self.dump()["trees"]

    def rebuild(self):
        corrected = transactions.run(indexes.rebuild)["corrected"]
        after = self.dump()["trees"]
        for name in self.before:
            # A counter that came back to zero need not come back.
            found, expected = (
                {k: v for k, v in trees_[name].items() if v or name not in indexes.names()}
                if isinstance(trees_[name], dict)
                else trees_[name]
                for trees_ in (after, self.before)
            )
            self.assertEqual(found, expected, name)
        return corrected

    def test_nothing_to_do(self):
        self.assertEqual(self.rebuild(), 0)

    def test_everything_is_lost(self):
        with self.owner():
            for name in indexes.names():
                trees.tree(self.portal, name).clear()
            for kind in ("entries", "buyers"):
                for record in trees.tree(self.portal, kind).values():
                    del record["filed"]
        self.assertEqual(self.rebuild(), len(self.before["entries"]) + 2)

    def test_a_surplus(self):
        with self.owner():
            figures = trees.tree(self.portal, "figures")
            counters.by_day_and_month(figures, ("2026-05-03", "refunds"), 3, "")
            trees.tree(self.portal, "logins_awaited").insert((-1, "x"))
            trees.tree(self.portal, "mails_failed").insert((-1, "x"))
        self.assertEqual(self.rebuild(), 0)

    def test_another_time_zone(self):
        self.registry(portal_timezone="Pacific/Kiritimati")
        self.assertEqual(self.counted(60)["purchases"], {"2026-05-03": 2})
        transactions.run(indexes.rebuild)
        self.assertEqual(self.counted(60)["purchases"], {"2026-05-04": 2})
        self.assertEqual(self.counted(60)["new_buyers"], {"2026-05-04": 2})

    def test_a_login_that_was_not_noticed(self):
        with self.owner():
            member = self.portal.portal_membership.getMemberById(EMAIL)
            member.setMemberProperties({"login_time": "2026/05/05 10:00:00 UTC"})
        transactions.run(reindex.note_logins)
        self.assertEqual(overview.never_logged_in(self.portal).items, ())

    def test_in_many_batches(self):
        with mock.patch.object(transactions, "BATCH", 1):
            self.test_another_time_zone()


class TestCost(FiguresTestCase):
    def test_nothing_is_loaded_that_grows_with_the_ledger(self):
        """The objects that the report loads: as many for 80 buyers as for 40."""
        loaded = []
        for part in "ab":
            for number in range(40):
                self.buy(
                    buyer_email=f"{part}{number}@example.org",
                    acquirer_transaction_id=f"T-{part}{number}",
                    c2s_transaction_id=f"R-{part}{number}",
                )
            with (
                mock.patch.object(overview, "LISTED", 5),
                mock.patch.object(silence, "ARRIVALS", 5),
            ):
                loaded.append(self.loaded())
        self.assertLess(loaded[1] - loaded[0], 5)

    def loaded(self):
        connection = self.portal._p_jar
        transaction.begin()
        connection.cacheMinimize()
        before = connection.getTransferCounts()[0]
        now, site = self.now, self.portal
        overview.rows(site, overview.Range(overview.DAY, 90), now)
        overview.products(site)
        overview.never_logged_in(site)
        overview.renewals_missing(site, now + timedelta(days=1))
        overview.mails_failed(site)
        overview.providers(site, now)
        return connection.getTransferCounts()[0] - before


class TestNames(SweepTestCase):
    def test_a_title_for_each(self):
        from niteoweb.click2sell.browser.desk import plots

        self.assertEqual(tuple(plots.TITLES), counters.NAMES)
        self.assertLessEqual(set(counters.OF_KIND), set(Kind))
