"""A full disk, a busy database: what cannot be written is answered 503, and nothing is lost.

Every act of people and programs over HTTP is here, but two that are reported line by line: an
import and a reconciliation say how much is left.
"""

from contextlib import contextmanager
from functools import partial
from niteoweb.click2sell.mail import messages
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from niteoweb.click2sell.tests.cases import deliveries
from niteoweb.click2sell.tests.cases.services import MANAGER
from niteoweb.click2sell.tests.cases.services import ServiceTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import PASSWORD
from plone.testing.zope import Browser
from unittest import mock
from ZODB.Connection import Connection
from ZODB.POSException import ConflictError

import errno
import re
import requests
import transaction


FULL = OSError(errno.ENOSPC, "No space left on device", "/var/Data.fs")


class TestDiskFull(ServiceTestCase):
    def setUp(self):
        super().setUp()
        self.settings(
            site_address=self.portal.absolute_url(), mapping=["1|premium|30", "2|course"]
        )
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

    @contextmanager
    def busy(self):
        """Another process is always faster: the conflict outlives every try."""
        transaction.commit()
        conflict = mock.patch.object(Connection, "tpc_vote", side_effect=ConflictError)
        with conflict, mock.patch.object(transactions, "PAUSES", ()):
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
        with self.busy():
            self.assert_later(requests.post(url, data=body, headers=headers, timeout=30))
        answer = requests.post(url, data=body, headers=headers, timeout=30)
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(len(self.entries()), 2)

    def try_both(self, title, act):
        """Have something done in both ways in which nothing can be written."""
        for unwritable in (self.full, self.busy):
            with self.subTest(title, unwritable=unwritable.__name__):
                act(unwritable)

    def test_services(self):
        self.later(minutes=1)
        self.buy_again(transaction_type="Gift")
        key, buyer = self.key(), self.buyer()["id"]
        product = {"product_id": "1", "reason": "r"}
        for path, options in (
            (f"@click2sell-notifications/{key}/replay", {}),
            (f"@click2sell-notifications/{key}/dismiss", {"note": "r"}),
            ("@click2sell-members/grant", {**product, "address": "jane@example.org"}),
            (f"@click2sell-members/{buyer}/grant", {**product, "product_id": "2"}),
            (f"@click2sell-members/{buyer}/extend", {**product, "days": 5}),
            (f"@click2sell-members/{buyer}/revoke", product),
            (f"@click2sell-members/{buyer}/resend", {"way": "link"}),
            ("@click2sell-privacy", {"address": EMAIL, "reason": "r"}),
            ("@click2sell-sweep", {}),
        ):
            self.try_both(path, partial(self.call, path, options))

    def call(self, path, options, unwritable):
        self.url = f"{self.here}/{path}"
        with unwritable():
            self.assert_later(self.post(body=options))

    def test_validation(self):
        cleeng = registry.settings(registry.get("cleeng"))
        cleeng.enabled, cleeng.api_token = True, "t"
        transaction.commit()
        with self.owner():
            roles = ["Manager"]
            self.portal.manage_permission("Click2Sell: Validate purchases", roles, False)
        options = {"email": EMAIL, "subscription_id": "1", "offer_id": "1"}
        path = "@cleeng-purchase-validation"
        self.try_both(path, partial(self.call, path, options))

    def test_control_panels(self):
        for provider in registry.registered():
            self.try_both(provider.title, partial(self.patch, provider))

    def patch(self, provider, unwritable):
        key = f"the key of {provider.name}, {unwritable.__name__}"
        patch = partial(
            *(requests.patch, f"{self.here}/@controlpanels/{provider.name}"),
            json={"secretkey": key},
            auth=MANAGER,
            headers={"Accept": "application/json"},
            timeout=30,
        )
        with unwritable():
            answer = patch()
        self.assert_later(answer)
        self.assertEqual(answer.json()["type"], "Busy")
        self.assertNotEqual(self.key_of(provider), key)
        self.assertEqual(patch().status_code, 204)
        self.assertEqual(self.key_of(provider), key)

    def key_of(self, provider):
        """A request of the test's own would remember what it has read."""
        return writer.run(lambda _site: registry.settings(provider).secretkey)

    def opened(self, path, who=MANAGER, **fields):
        """A page whose form is filled in."""
        browser = Browser(self.layer["app"])
        browser.raiseHttpErrors = False
        if who:
            browser.addHeader("Authorization", f"Basic {':'.join(who)}")
        browser.open(f"{self.here}/{path}")
        for name, value in fields.items():
            control = browser.getControl(name=name)
            control.value = [value] if control.type in ("select", "radio") else value
        return browser

    def looked(self, path, **fields):
        """The preview of an act."""
        browser = self.opened(path, **fields)
        browser.getControl("Show what").click()
        return browser

    def tried(self, key):
        browser = self.opened(f"@@click2sell-notifications/{key}")
        browser.getControl("Try again now").click()
        return browser

    def erased(self):
        browser = self.looked(f"@@click2sell-privacy?address={EMAIL}")
        browser.getControl(name="reason").value = "r"
        return browser

    def decided(self, key):
        browser = self.opened(f"@@click2sell-notifications/{key}/decide")
        form = next(
            form
            for form in (browser.getForm(index=index) for index in range(20))
            if "what" in form._form.fields and form._form["what"].value == "dismiss"
        )
        form.getControl(name="reason").value = "r"
        form.getControl("Dismiss").click()
        return browser

    def moved(self):
        """The checklist of a site that nobody has said of that it is the site."""
        self.layer["app"]._p_jar.root()["niteoweb.click2sell"].clear()
        transaction.commit()
        return self.opened("@@click2sell-overview")

    def test_pages(self):
        self.later(minutes=1)
        self.buy_again(transaction_type="Gift")
        gift = self.key()
        self.later(minutes=1)
        self.fail_to_buy(acquirer_transaction_id="T-3", c2s_transaction_id="R-3")
        failed, member = self.key(), f"@@click2sell-members/{self.buyer()['id']}"
        one = {"product": "click2sell 1", "reason": "r"}
        key = {"form.widgets.secretkey": "a key-of-nobody-else"}
        acts = [
            (provider.title, "Save", f"@@{provider.name}-settings", key)
            for provider in registry.registered()
        ]
        acts = [
            *((title, button, partial(self.opened, p, **f)) for title, button, p, f in acts),
            ("check", "Run it now", partial(self.opened, "@@click2sell-check")),
            ("replay", "Process it again", partial(self.tried, failed)),
            ("decide", "confirm", partial(self.decided, gift)),
            ("grant", "confirm", partial(self.looked, f"{member}/grant", **one)),
            ("extend", "confirm", partial(self.looked, f"{member}/extend", **one, days="5")),
            ("resend", "confirm", partial(self.looked, f"{member}/resend", way="link")),
            ("erase", "Erase for good", self.erased),
            ("moved", "This is the site now", self.moved),
        ]
        for title, button, opened in acts:
            self.try_both(title, partial(self.press, button, opened))

    def press(self, button, opened, unwritable):
        browser = opened()
        with unwritable():
            named = {"name": button} if button == "confirm" else {"label": button, "index": 0}
            browser.getControl(**named).click()
        self.assertEqual(browser.headers["Status"][:3], "503")
        self.assertTrue(browser.headers["Retry-After"].isdigit())
        self.assertIn("Try again in a moment.", browser.contents)
        self.assertNotIn("nobody-else", browser.contents)

    def test_claims(self):
        self.account("jane", "jane@example.org")
        self.later(minutes=1)
        with mock.patch.object(messages, "send") as send:
            self.buy(buyer_email="jane@example.org", acquirer_transaction_id="T-2")
        token = re.search(r"token=(\S+)", send.call_args.args[0].get_content())[1]
        for button, who in (
            ("Add the purchase to this account", ("jane", PASSWORD)),
            ("Create a new account", None),
            ("Mail a link to set a new password", None),
        ):
            opened = partial(self.opened, f"@@my-purchase-claim?token={token}", who)
            self.try_both(button, partial(self.press, button, opened))

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
