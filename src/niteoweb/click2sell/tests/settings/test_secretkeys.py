"""Two secret keys at once: a rotation without a lost purchase."""

from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.interfaces import IClick2SellLayer
from niteoweb.click2sell.providers.click2sell import protocol as click2sell
from niteoweb.click2sell.providers.click2sell.provider import PROVIDER as CLICK2SELL
from niteoweb.click2sell.provisioning import recording
from niteoweb.click2sell.settings import rules
from niteoweb.click2sell.settings import secretkeys
from niteoweb.click2sell.storage import moments
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.testing.layers import INTEGRATION
from niteoweb.click2sell.tests.cases import deliveries
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from plone import api
from threading import Thread
from unittest import mock
from zope.i18n import translate
from zope.interface import alsoProvides

import io
import transaction
import unittest


OLD = deliveries.SECRET_KEY
NEW = "another secret key of sufficient length"


class TestRules(unittest.TestCase):
    layer = INTEGRATION

    def keys(self, **values) -> tuple[str | None, str | None]:
        """The stored keys after settings were saved."""
        values = rules.normalize(values)
        self.assertEqual(rules.validate(values), [])
        rules.save(values)
        return plone_site.settings().secretkey, plone_site.settings().previous_secretkey

    def problems(self, **values) -> list[str]:
        return [name for name, message in rules.validate(rules.normalize(values))]

    def test_the_first_key_has_no_previous_one(self):
        self.assertEqual(self.keys(secretkey=OLD, secretkey_keep_old=True), (OLD, None))

    def test_rotation(self):
        self.keys(secretkey=OLD)
        self.assertEqual(self.keys(secretkey=NEW, secretkey_keep_old=True), (NEW, OLD))
        self.assertEqual(self.keys(secretkey_keep_old=True), (NEW, OLD))
        self.assertEqual(self.keys(secretkey=NEW, secretkey_keep_old=True), (NEW, OLD))
        self.assertEqual(self.keys(secretkey="third", secretkey_keep_old=True), ("third", NEW))
        self.assertEqual(self.keys(previous_secretkey_clear=True), ("third", None))

    def test_back_again(self):
        self.keys(secretkey=OLD)
        self.keys(secretkey=NEW, secretkey_keep_old=True)
        self.assertEqual(self.keys(secretkey=OLD, secretkey_keep_old=True), (OLD, NEW))
        self.assertEqual(self.keys(secretkey=NEW), (NEW, None))

    def test_a_key_that_may_be_known_is_not_kept(self):
        self.keys(secretkey=OLD)
        self.keys(secretkey=NEW, secretkey_keep_old=True)
        self.assertEqual(
            self.keys(secretkey="third", secretkey_keep_old=False), ("third", None)
        )

    def test_a_previous_key_can_be_entered(self):
        self.keys(secretkey=NEW)
        self.assertEqual(self.keys(previous_secretkey=f" {OLD}\n"), (NEW, OLD))
        self.assertEqual(
            self.keys(secretkey="third", secretkey_keep_old=True, previous_secretkey="x"),
            ("third", "x"),
        )

    def test_removing_the_key_removes_both(self):
        self.keys(secretkey=NEW, previous_secretkey=OLD)
        self.assertEqual(self.keys(secretkey_clear=True, secretkey_keep_old=True), (None, None))

    def test_contradictions(self):
        self.assertEqual(self.problems(previous_secretkey=OLD), ["previous_secretkey"])
        self.assertEqual(self.problems(secretkey=NEW, previous_secretkey=OLD), [])
        self.keys(secretkey=NEW, previous_secretkey=OLD)
        for values, name in (
            ({"previous_secretkey": NEW}, "previous_secretkey"),
            ({"secretkey": OLD, "previous_secretkey": OLD}, "previous_secretkey"),
            ({"secretkey_clear": True, "previous_secretkey": "x"}, "previous_secretkey"),
            (
                {"previous_secretkey": "x", "previous_secretkey_clear": True},
                "previous_secretkey_clear",
            ),
            (
                {
                    "secretkey": "third",
                    "secretkey_keep_old": True,
                    "previous_secretkey_clear": True,
                },
                "previous_secretkey_clear",
            ),
        ):
            with self.subTest(values):
                self.assertEqual(self.problems(**values), [name])
        self.assertEqual(
            self.problems(secretkey_keep_old=True, previous_secretkey_clear=True), []
        )


class KeysTestCase(SiteTestCase):
    def setUp(self):
        super().setUp()
        self.number = 0

    def save(self, **values) -> None:
        transaction.begin()
        rules.save(values)
        transaction.commit()

    def rotate(self) -> None:
        self.save(secretkey=NEW, secretkey_keep_old=True)

    def deliver(self, key: str, **changes: str) -> int:
        """A sale signed with a key, as the callback takes it.

        :returns: the status of the answer.
        """
        self.number += 1
        name = f"T-{self.number}"
        changes = {"acquirer_transaction_id": name, "c2s_transaction_id": name, **changes}
        body = deliveries.body(
            **{"checksum": click2sell.sign(key, changes["acquirer_transaction_id"]), **changes}
        )
        request = self.layer["request"].clone()
        request.method = "POST"
        request.environ["CONTENT_TYPE"] = click2sell.CONTENT_TYPE
        request["BODYFILE"] = io.BytesIO(body)
        alsoProvides(request, IClick2SellLayer)
        transaction.begin()
        with self.unexpected_errors_shown():
            api.content.get_view("click2sell", self.portal, request)()
        return request.response.getStatus()

    def used(self, key: str):
        transaction.begin()
        return secretkeys.last_used(self.portal, key)

    def previous(self) -> tuple[str, str]:
        """The level of the message about the previous key, and its beginning."""
        transaction.begin()
        notice = secretkeys.previous_notice(self.portal, CLICK2SELL)
        return notice.level, translate(notice.text)[:26]


class TestRotation(KeysTestCase):
    def test_deliveries_signed_with_either_key_are_taken_in(self):
        self.rotate()
        self.assertEqual([self.deliver(key) for key in (OLD, NEW, OLD)], [200, 200, 200])
        self.assertEqual(self.deliver("a third key of sufficient length"), 403)
        self.assertEqual([outcome for outcome, *rest in self.entries()], ["accepted"] * 3)

    def test_a_delivery_is_the_same_whatever_key_signs_it(self):
        self.rotate()
        for key in OLD, NEW:
            self.assertEqual(self.deliver(key, acquirer_transaction_id="T-1"), 200)
        self.deliver(NEW, acquirer_transaction_id="T-9", c2s_transaction_id="T-9")
        self.deliver(OLD, acquirer_transaction_id="T-9", c2s_transaction_id="T-9")
        self.assertEqual(len(self.entries()), 3)

    def test_a_removed_key_is_not_accepted(self):
        self.rotate()
        self.save(previous_secretkey_clear=True)
        self.assertEqual([self.deliver(OLD), self.deliver(NEW)], [403, 200])

    def test_without_a_key_the_previous_one_is_not_accepted(self):
        self.settings(secretkey=None, previous_secretkey=OLD)
        self.assertEqual(self.deliver(OLD), 503)

    def test_a_key_that_is_not_set_signs_nothing(self):
        self.assertEqual(self.deliver(""), 403)


class TestLastUse(KeysTestCase):
    def test_is_remembered_for_each_key(self):
        self.assertIsNone(self.used(OLD))
        first = self.now
        self.deliver(OLD)
        self.rotate()
        self.later(hours=2)
        self.deliver(NEW)
        self.assertEqual((self.used(OLD), self.used(NEW)), (first, self.now))

    def test_a_broken_delivery_counts_and_a_forged_one_does_not(self):
        self.deliver("a third key of sufficient length")
        self.assertIsNone(self.used(OLD))
        self.assertEqual(self.deliver(OLD, purchase_date="x"), 400)
        self.assertEqual(self.used(OLD), self.now)

    def test_costs_no_commit_of_its_own(self):
        self.rotate()
        self.deliver(OLD)
        with mock.patch.object(moments, "note"):
            commits = self.commits_of(lambda: self.deliver(OLD))
        self.later(hours=2)
        self.assertEqual(self.commits_of(lambda: self.deliver(OLD)), commits)
        self.assertEqual(self.used(OLD), self.now)

    def commits_of(self, work) -> int:
        with mock.patch.object(
            transactions.transaction, "commit", wraps=transaction.commit
        ) as committed:
            work()
        return committed.call_count

    def test_is_written_once_an_hour(self):
        first = self.now
        self.deliver(OLD)
        self.later(minutes=59)
        serial = self.serial()
        self.deliver(OLD)
        self.assertEqual((self.used(OLD), self.serial()), (first, serial))
        self.later(minutes=1)
        self.deliver(OLD)
        self.assertEqual(self.used(OLD), self.now)

    def serial(self) -> bytes:
        transaction.begin()
        remarks = trees.tree(self.portal, "remarks")
        remarks._p_activate()
        return remarks._p_serial

    def test_two_processes_that_write_it_at_once(self):
        """The one that comes second conflicts, begins anew and loses no purchase."""
        self.rotate()
        real, seen = recording.write_down, []

        def meanwhile(*args):
            # Called after the key's use was noted and before the commit.
            if not seen:
                seen.append(True)
                thread = Thread(target=self.write_remark)
                thread.start()
                thread.join()
            return real(*args)

        with (
            mock.patch.object(recording, "write_down", meanwhile),
            mock.patch.object(transactions.time, "sleep") as begun_anew,
        ):
            self.assertEqual(self.deliver(NEW), 200)
        self.assertEqual(begun_anew.call_count, 1)
        self.assertEqual(self.used(NEW), self.now)
        self.assertEqual([outcome for outcome, *rest in self.entries()], ["accepted"])

    def write_remark(self) -> None:
        connection = self.portal._p_jar.db().open(transaction.TransactionManager())
        try:
            portal = connection.root()["Application"]["plone"]
            moments.note(portal, "key 00000000 used", self.now)
            connection.transaction_manager.commit()
        finally:
            connection.close()

    def test_nothing_that_is_kept_tells_a_key(self):
        self.deliver(OLD)
        self.rotate()
        self.deliver(NEW)
        kept = repr(dict(trees.tree(self.portal, "remarks")))
        for key in OLD, NEW:
            self.assertNotIn(key, kept)
            self.assertIn(secretkeys.mark(key), kept)
            self.assertEqual(len(secretkeys.mark(key)), 8)

    def test_what_is_known_of_other_keys_is_forgotten(self):
        self.deliver(OLD)
        self.rotate()
        self.save(secretkey="third", secretkey_keep_old=False)
        self.assertIsNone(self.used(OLD))
        self.assertNotIn("key", repr(dict(trees.tree(self.portal, "remarks"))))


class TestNotice(KeysTestCase):
    USED = ("warning", "The previous key is still ")
    WAITS = ("info", "The previous key is accept")
    CAN_GO = ("success", "The previous key can go: n")

    def test_none_without_a_previous_key(self):
        self.assertIsNone(secretkeys.previous_notice(self.portal, CLICK2SELL))

    def test_of_a_rotation_from_its_beginning_to_its_end(self):
        self.deliver(OLD)
        self.later(days=1)
        self.rotate()
        self.assertEqual(self.previous(), self.WAITS)
        self.later(hours=1)
        self.deliver(OLD)
        self.assertEqual(self.previous(), self.USED)
        self.later(hours=1)
        self.deliver(NEW)
        self.assertEqual(self.previous(), self.USED)
        self.later(days=6, hours=22)
        self.assertEqual(self.previous(), self.USED)
        self.later(hours=1)
        self.assertEqual(self.previous(), self.CAN_GO)
        self.deliver(OLD)
        self.assertEqual(self.previous(), self.USED)

    def test_the_new_key_has_to_be_used_before_the_previous_one_can_go(self):
        self.rotate()
        self.deliver(OLD)
        self.later(days=30)
        self.assertEqual(self.previous(), self.WAITS)
        self.deliver(NEW)
        self.assertEqual(self.previous(), self.CAN_GO)

    def test_a_key_that_was_never_used_stays_seven_days(self):
        self.rotate()
        self.later(hours=1)
        self.deliver(NEW)
        self.later(days=6, hours=22)
        self.assertEqual(self.previous(), self.WAITS)
        self.later(hours=1)
        self.assertEqual(self.previous(), self.CAN_GO)

    def test_saving_again_begins_nothing_anew(self):
        self.rotate()
        self.later(days=6)
        self.save(notice_mail=True)
        self.later(days=1)
        self.deliver(NEW)
        self.assertEqual(self.previous(), self.CAN_GO)

    def test_a_key_that_was_set_elsewhere(self):
        """In the configuration registry, which knows nothing of us."""
        self.settings(previous_secretkey=OLD, secretkey=NEW)
        self.later(days=30)
        self.deliver(NEW)
        self.assertEqual(self.previous(), self.WAITS)
