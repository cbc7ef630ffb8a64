"""The export of the data about an address, its page and its services."""

from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.mail import messages
from niteoweb.click2sell.member import index
from niteoweb.click2sell.privacy import erasure
from niteoweb.click2sell.privacy import export
from niteoweb.click2sell.provider import unreadable
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.report import notifications
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.pages import MANAGER
from niteoweb.click2sell.tests.cases.pages import NOBODY
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from niteoweb.click2sell.tests.cases.pages import SCRIPT
from niteoweb.click2sell.tests.cases.services import ANONYMOUS
from niteoweb.click2sell.tests.cases.services import MAY
from niteoweb.click2sell.tests.cases.services import MEMBER
from niteoweb.click2sell.tests.cases.services import ServiceTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from unittest import mock

import json
import re
import transaction


OTHER = "jane@example.org"
LOOK = "Show what would be erased"
ERASE = "Erase for good"


class TestExport(SiteTestCase):
    def export(self, address=EMAIL):
        transaction.begin()
        told = export.export(self.portal, address, self.now)
        self.assertEqual(json.loads(json.dumps(told)), told)
        return told

    def test_all_of_a_buyer(self):
        self.settings(welcome_mail="link")
        self.registry(email_from_address="site@example.net")
        with mock.patch.object(messages, "send"):
            self.buy(buyer_country="AT")
        self.later(minutes=1)
        self.refund(c2s_transaction_id="R-4")
        told = self.export(f" {EMAIL.upper()} ")
        self.assertEqual(told["address"], EMAIL)
        first, second = told["notifications"]
        self.assertEqual({*first, "filed"}, {*ledger.get(self.portal, first["key"])})
        self.assertEqual((first["kind"], second["kind"]), ("purchase", "refund"))
        self.assertEqual(first["payload"]["buyer_name"], "John")
        self.assertNotIn("checksum", first["payload"])
        [buyer] = told["buyers"]
        self.assertEqual(buyer["addresses"], [EMAIL])
        self.assertIs(buyer["account_made_for_the_purchase"], True)
        self.assertEqual(
            buyer["groups_granted"], [{"group": "click2sell", "because_of": [["", "*"]]}]
        )
        self.assertNotIn("password_print", json.dumps(told))
        [account] = told["accounts"]
        self.assertEqual(account["user_id"], EMAIL)
        self.assertEqual(account["properties"]["last_purchase_id"], "R-1")
        self.assertEqual(account["properties"]["fullname"], "John Smith")
        [mail] = told["mails"]
        self.assertEqual((mail["kind"], mail["to"]), ("welcome", EMAIL))
        self.assertEqual(
            told["transactions"],
            [
                {
                    "provider": "click2sell",
                    "transaction": "T-1",
                    "buyer": EMAIL,
                    "product_id": "1",
                    "notifications": 2,
                    "notifications_only_counted": 0,
                    "notifications_of_others": 0,
                }
            ],
        )

    def test_what_was_refused_tells_nothing_of_the_other(self):
        self.buy(buyer_email=OTHER)
        self.later(minutes=1)
        self.buy(c2s_transaction_id="R-9")
        told = self.export()
        self.assertEqual([n["outcome"] for n in told["notifications"]], [Outcome.REFUSED])
        self.assertEqual(
            (told["transactions"][0]["buyer"], told["transactions"][0]["product_id"]),
            (None, None),
        )
        self.assertNotIn("jane", json.dumps(told))

    def test_what_could_not_be_read(self):
        payload = {"buyer_email": EMAIL.upper()}
        pipeline.process(unreadable("k" * 64, "click2sell", "T-1", payload, "price", self.now))
        told = self.export()
        self.assertEqual([n["payload"] for n in told["notifications"]], [payload])
        self.assertEqual(told["buyers"], [])

    def test_the_address_that_a_member_has_now(self):
        self.buy()
        with self.owner():
            self.member().setMemberProperties({"email": OTHER})
        told = self.export(OTHER)
        self.assertEqual([buyer["addresses"] for buyer in told["buyers"]], [[EMAIL]])
        self.assertTrue(told["accounts"][0]["has_address_as_email"])
        self.assertFalse(told["accounts"][0]["has_address_as_name"])

    def test_an_account_of_which_nothing_is_ours(self):
        self.account()
        [account] = self.export()["accounts"]
        self.assertEqual((account["user_id"], account["properties"]), (EMAIL, {}))

    def test_what_is_left_of_who_was_erased(self):
        self.buy()
        erasure.erase(EMAIL, "asked", "owner", delete_member=True)
        told = self.export()
        self.assertEqual([n["product_id"] for n in told["notifications"]], ["1"])
        without = {**told, "address": ""}
        self.assertNotRegex(json.dumps(without).lower(), "john|smith|r-1|t-1")

    def test_nothing(self):
        told = self.export()
        self.assertEqual((told["buyers"], told["notifications"]), ([], []))
        self.export("")

    def test_it_reads_no_more_than_the_buyers(self):
        """However many others there are."""
        for number in range(5):
            self.buy(
                buyer_email=f"b{number}@example.org",
                acquirer_transaction_id=f"T-{number}",
                c2s_transaction_id=f"R-{number}",
            )
        self.buy(acquirer_transaction_id="T-9", c2s_transaction_id="R-9")
        transaction.begin()
        with (
            mock.patch.object(ledger, "get", wraps=ledger.get) as read,
            mock.patch.object(trees, "tree", wraps=trees.tree) as tree,
            mock.patch.object(index, "rebuild", side_effect=AssertionError),
        ):
            export.export(self.portal, EMAIL, self.now)
        self.assertEqual(read.call_count, 1)
        self.assertNotIn("facets", [call.args[1] for call in tree.call_args_list])


class TestPage(PageTestCase):
    def setUp(self):
        super().setUp()
        self.url = f"{self.portal.absolute_url()}/@@click2sell-privacy"

    def look(self, address=EMAIL, who=MANAGER):
        browser = self.opened(who=who, address=address)
        browser.getControl(LOOK).click()
        return browser

    def test_nobody_yet(self):
        browser = self.opened()
        self.assertIn("Nobody was erased yet", self.text(browser))
        self.assertIn("Privacy", self.text(browser))
        browser = self.opened(address=EMAIL)
        self.assertIn("Nothing is stored about this address", self.text(browser))
        self.assertNotIn(LOOK, browser.contents)

    def test_download(self):
        self.buy()
        browser = self.opened(address=EMAIL)
        browser.getLink("Download all of it as JSON").click()
        self.assertEqual(browser.headers["Cache-Control"], "no-store")
        self.assertIn("attachment", browser.headers["Content-Disposition"])
        self.assertIn("application/json", browser.headers["Content-Type"])
        self.assertEqual(json.loads(browser.contents)["buyers"][0]["addresses"], [EMAIL])

    def test_erase(self):
        self.buy()
        browser = self.look()
        text = self.text(browser)
        self.assertIn("Notifications that are redacted: 1", text)
        self.assertIn("click2sell, premium", text)
        last = self.last_transaction()
        browser.getControl("Reason").value = ""
        browser.getControl(ERASE).click()
        self.assertIn("Say why", self.text(browser))
        self.assertEqual(self.last_transaction(), last)
        browser.getControl("Reason").value = "By letter"
        browser.getControl(ERASE).click()
        self.assertEqual(browser.url, self.url)
        self.assertIn("The buyer was erased.", self.text(browser))
        self.assertIn("By letter", self.text(browser))
        self.assertEqual(self.groups(), [])
        self.assertIsNotNone(self.member())
        self.assertNotIn(EMAIL, browser.contents)
        browser = self.opened(address=EMAIL)
        self.assertNotIn(LOOK, browser.contents)

    def test_erase_with_the_account(self):
        self.buy()
        browser = self.look()
        browser.getControl("Also delete the account").selected = True
        browser.getControl("Reason").value = "By letter"
        browser.getControl(ERASE).click()
        self.assertIsNone(self.member())

    def test_only_what_was_shown(self):
        self.buy()
        browser = self.look()
        browser.getControl("Reason").value = "By letter"
        self.later(minutes=1)
        self.buy_again()
        browser.getControl(ERASE).click()
        self.assertIn("Something has happened since", self.text(browser))
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_not_without_the_dry_run(self):
        self.buy()
        browser = self.opened(address=EMAIL)
        token = re.search(r'name="_authenticator" value="([^"]+)"', browser.contents)[1]
        browser.post(self.url, f"address={EMAIL}&reason=x&erase=1&_authenticator={token}")
        self.assertIn("Something has happened since", self.text(browser))
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_not_without_a_token(self):
        self.buy()
        last = self.last_transaction()
        for form in ("erase=1&reason=x", "take-in=1&reason=x", "show=1"):
            browser = self.browser()
            browser.post(self.url, f"address={EMAIL}&{form}")
            self.assertIn("403", browser.headers["Status"])
        self.assertEqual(self.last_transaction(), last)

    def test_take_in_again(self):
        self.buy()
        self.later(days=1)
        erasure.erase(EMAIL, "By letter", "owner", delete_member=True)
        self.later(days=365)
        self.buy_again()
        browser = self.opened(address=EMAIL)
        self.assertIn("Notifications that wait for your decision: 1", self.text(browser))
        browser.getControl("Reason").value = "A customer again"
        browser.getControl("Take the buyer in again").click()
        self.assertIn("taken in again", self.text(browser))
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_who_may(self):
        self.buy()
        viewer = self.person("viewer", permissions=("View purchases",))
        browser = self.opened(who=viewer, address=EMAIL)
        self.assertIn("Download all of it", self.text(browser))
        self.assertNotIn(LOOK, browser.contents)
        operator = self.person("operator", permissions=("View purchases", "Operate purchases"))
        browser = self.look(who=operator)
        self.assertNotIn("Also delete the account", self.text(browser))
        member = self.person("member")
        for who in (member, NOBODY):
            browser = self.opened(who=who, address=EMAIL)
            self.assertNotIn("Download all of it", self.text(browser))

    def test_a_viewer_cannot_erase(self):
        self.buy()
        viewer = self.person("viewer", permissions=("View purchases",))
        token = self._token(viewer)
        browser = self.browser(viewer)
        browser.post(self.url, f"address={EMAIL}&show=1&_authenticator={token}")
        self.assertNotIn(ERASE, browser.contents)
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_an_operator_cannot_delete_accounts(self):
        self.buy()
        operator = self.person("operator", permissions=("View purchases", "Operate purchases"))
        browser = self.look(who=operator)
        form = dict(
            re.findall(
                r'name="(_authenticator|fingerprint)"\s+.*?value="([^"]+)"',
                browser.contents,
                re.S,
            )
        )
        browser.post(
            self.url,
            f"address={EMAIL}&reason=x&erase=1&delete-member=1"
            f"&fingerprint={form['fingerprint']}&_authenticator={form['_authenticator']}",
        )
        self.assertIsNotNone(self.member())
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_busy(self):
        self.buy()
        browser = self.look()
        browser.getControl("Reason").value = "By letter"
        with mock.patch.object(erasure, "erase", side_effect=transactions.Busy):
            browser.getControl(ERASE).click()
        self.assertIn("Another process is changing the same data", self.text(browser))

    def test_what_comes_from_outside_is_escaped(self):
        browser = self.opened(address=SCRIPT)
        self.assertNotIn(SCRIPT, browser.contents)
        self.buy()
        erasure.erase(EMAIL, SCRIPT, "owner")
        self.assertNotIn(SCRIPT, self.opened().contents)

    def test_the_notification_leads_here(self):
        self.buy()
        browser = self.opened()
        browser.open(f"{self.portal.absolute_url()}/@@click2sell-notifications/{self.key()}")
        browser.getLink("All that is stored about this address").click()
        self.assertIn("Download all of it", self.text(browser))
        erasure.erase(EMAIL, "By letter", "owner")
        browser.open(f"{self.portal.absolute_url()}/@@click2sell-notifications/{self.key()}")
        self.assertNotIn(EMAIL, browser.contents)

    def test_a_held_notification_says_why(self):
        self.buy()
        erasure.erase(EMAIL, "By letter", "owner")
        self.later(minutes=1)
        self.buy_again()
        browser = self.opened()
        url = f"{self.portal.absolute_url()}/@@click2sell-notifications/{self.key()}"
        browser.open(url)
        self.assertIn("Its buyer was erased.", self.text(browser))
        browser.getControl("Process it again").click()
        self.assertIn("It would change nothing.", self.text(browser))
        found = notifications.Listing(
            self.portal, notifications.Filters(outcome=Outcome.ATTENTION)
        )
        self.assertEqual(found.total, 1)

    def _token(self, who):
        browser = self.browser(who)
        browser.open(f"{self.portal.absolute_url()}/@@authenticator/token")
        return browser.contents.strip()


class TestService(ServiceTestCase):
    def setUp(self):
        super().setUp()
        self.url = f"{self.portal.absolute_url()}/@click2sell-privacy"

    def test_export(self):
        self.buy()
        for auth in MAY:
            answer = self.get(auth=auth, address=EMAIL)
            self.assertEqual(answer.status_code, 200, answer.text)
            self.assertEqual(answer.headers["Cache-Control"], "no-store")
            self.assertEqual(answer.json()["notifications"][0]["buyer"], EMAIL)
        for auth in (MEMBER, ANONYMOUS):
            answer = self.get(auth=auth, address=EMAIL)
            self.assertEqual(answer.status_code, 401)
            self.assertNotIn(EMAIL, answer.text)
        for params in ({}, {"address": " "}):
            self.assertEqual(self.get(**params).status_code, 400)

    def test_dry_run_and_erasure(self):
        self.buy()
        before = self.dump()
        told = self.post(body={"address": EMAIL, "dry_run": True})
        self.assertEqual(told.status_code, 200, told.text)
        self.assertEqual(told.json()["addresses"], [EMAIL])
        self.assertEqual(told.json()["accounts"][0]["groups"], ["click2sell", "premium"])
        self.assertEqual(self.dump(), before)
        options = {"address": EMAIL, "reason": "By letter", "delete_member": True}
        wrong = self.post(body={**options, "fingerprint": "0" * 64})
        self.assertEqual(wrong.status_code, 409)
        self.assertEqual(self.dump(), before)
        options["fingerprint"] = told.json()["fingerprint"]
        done = self.post(body=options)
        self.assertEqual(done.status_code, 200, done.text)
        self.assertEqual((done.json()["by"], done.json()["account"]), ("admin", "deleted"))
        self.assertIsNone(self.member())
        self.assertEqual(self.post(body=options).status_code, 400)

    def test_take_in(self):
        self.buy()
        erasure.erase(EMAIL, "By letter", "owner", delete_member=True)
        self.later(days=365)
        self.buy_again()
        options = {"address": EMAIL, "reason": "A customer again", "take_in": True}
        self.assertEqual(self.post(body=options).status_code, 200)
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_wrong_options(self):
        self.buy()
        before = self.dump()
        for options in (
            {},
            {"address": EMAIL},
            {"address": EMAIL, "reason": f"by {EMAIL}"},
            {"address": OTHER, "reason": "x"},
            {"address": EMAIL, "reason": "x", "take_in": True},
            {"address": EMAIL, "reason": "x", "dryrun": True},
        ):
            with self.subTest(options):
                self.assertEqual(self.post(body=options).status_code, 400)
        self.assertEqual(self.dump(), before)

    def test_who_may_not(self):
        self.buy()
        before = self.dump()
        options = {"address": EMAIL, "reason": "x"}
        for auth in (MEMBER, ANONYMOUS):
            self.assertEqual(self.post(body=options, auth=auth).status_code, 401)
        headers = {"Origin": "https://elsewhere.example"}
        self.assertEqual(self.post(body=options, headers=headers).status_code, 403)
        self.assertEqual(self.dump(), before)

    def test_busy(self):
        self.buy()
        with mock.patch.object(erasure, "erase", side_effect=transactions.Busy):
            answer = self.post(body={"address": EMAIL, "reason": "x"})
        self.assertEqual(answer.status_code, 503)
        self.assertIn("Retry-After", answer.headers)
