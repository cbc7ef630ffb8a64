"""A full disk: what cannot be written is answered 503, and nothing is lost or half done."""

from contextlib import contextmanager
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.tests.cases import deliveries
from niteoweb.click2sell.tests.cases.services import MANAGER
from niteoweb.click2sell.tests.cases.services import ServiceTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from plone.testing.zope import Browser
from unittest import mock
from ZODB.Connection import Connection

import errno
import requests
import transaction


FULL = OSError(errno.ENOSPC, "No space left on device", "/var/Data.fs")


class TestDiskFull(ServiceTestCase):
    def setUp(self):
        super().setUp()
        self.settings(site_address=self.portal.absolute_url())
        self.buy()
        self.here = self.portal.absolute_url()

    @contextmanager
    def full(self):
        """The storage cannot write any more when it has to vote."""
        transaction.commit()
        full = mock.patch.object(Connection, "tpc_vote", side_effect=FULL)
        with full, self.assertLogs("niteoweb.click2sell"):
            yield
        transaction.begin()

    def assert_later(self, answer):
        self.assertEqual(answer.status_code, 503, answer.text)
        self.assertTrue(answer.headers["Retry-After"].isdigit())
        self.assertNotIn("Traceback", answer.text)
        self.assertNotIn("Data.fs", answer.text)

    def test_notification(self):
        url = f"{self.here}/@@click2sell"
        body = deliveries.body(acquirer_transaction_id="T-2", c2s_transaction_id="R-2")
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        with self.full():
            self.assert_later(requests.post(url, data=body, headers=headers, timeout=30))
        self.assertEqual(len(self.entries()), 1)
        answer = requests.post(url, data=body, headers=headers, timeout=30)
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(len(self.entries()), 2)

    def test_services(self):
        key, buyer = self.key(), self.buyer()["id"]
        grant = {"address": EMAIL, "product_id": "2", "reason": "r"}
        for path, options in (
            (f"@click2sell-notifications/{key}/replay", {}),
            ("@click2sell-members/grant", grant),
            (f"@click2sell-members/{buyer}/revoke", {"product_id": "1", "reason": "r"}),
            ("@click2sell-privacy", {"address": EMAIL, "reason": "r"}),
            ("@click2sell-sweep", {}),
        ):
            with self.subTest(path), self.full():
                self.url = f"{self.here}/{path}"
                self.assert_later(self.post(body=options))

    def test_pages(self):
        self.fail_to_buy(acquirer_transaction_id="T-2", c2s_transaction_id="R-2")
        browser = Browser(self.layer["app"])
        browser.raiseHttpErrors = False
        browser.addHeader("Authorization", f"Basic {':'.join(MANAGER)}")
        browser.open(f"{self.here}/@@click2sell-notifications/{self.key()}")
        browser.getControl("Try again now").click()
        with self.full():
            browser.getControl("Process it again").click()
        self.assertEqual(browser.headers["Status"][:3], "503")
        self.assertTrue(browser.headers["Retry-After"].isdigit())
        self.assertIn("Try again in a moment.", browser.contents)

    def test_files(self):
        for name in ("notifications.csv", "members.csv", "accounting.csv?month=2026-05"):
            with (
                self.subTest(name),
                mock.patch("niteoweb.click2sell.browser.desk.download.TemporaryFile") as made,
            ):
                made.return_value.write.side_effect = FULL
                answer = requests.get(
                    f"{self.here}/@@click2sell-{name}", auth=MANAGER, timeout=30
                )
                self.assert_later(answer)

    def test_errors(self):
        for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS):
            self.assertTrue(transactions.passes(OSError(number, "")))
        for number in (errno.ENOENT, errno.EACCES, None):
            self.assertFalse(transactions.passes(OSError(number, "")))
