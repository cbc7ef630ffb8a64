"""An owner's actions for a buyer: the forms and the services."""

from lxml import html
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.mail import delivery
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.privacy import erasure
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.pages import MembersTestCase
from niteoweb.click2sell.tests.cases.pages import OTHER
from niteoweb.click2sell.tests.cases.services import MANAGER
from niteoweb.click2sell.tests.cases.services import MAY_NOT
from niteoweb.click2sell.tests.cases.services import ServiceTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from unittest import mock
from urllib.error import HTTPError
from urllib.parse import urlencode

import requests
import transaction


LOOK = "Show what this would change"
ONE = "click2sell 1"


class TestForms(MembersTestCase):
    def form(self, name, of=EMAIL, /, **values):
        """Open a form and fill it in."""
        path = f"/{self.buyer(of)['id']}/{name}" if of else f"/{name}"
        browser = self.opened(path)
        for field, value in values.items():
            control = browser.getControl(name=field)
            control.value = [value] if control.type == "select" else value
        return browser

    def looked(self, name, of=EMAIL, /, **values):
        browser = self.form(name, of, **values)
        browser.getControl(LOOK).click()
        return browser

    def confirmed(self, name, of=EMAIL, /, **values):
        browser = self.looked(name, of, **values)
        browser.getControl(name="confirm").click()
        return browser

    def mails_that_access_ended(self):
        transaction.begin()
        return [
            (mail["to"], mail["product"])
            for mail in trees.tree(self.portal, "mails").values()
            if mail["kind"] == outbox.ENDED
        ]

    def newest(self):
        transaction.begin()
        return ledger.get(self.portal, self.key())

    def test_grant_to_a_new_address(self):
        values = {
            "address": OTHER,
            "name": "Jane Doe",
            "product": ONE,
            "until": "2026-12-31",
            "reason": "a prize",
        }
        self.buy()
        self.later(minutes=1)
        browser = self.looked("grant", "", **values)
        text = self.text(browser)
        self.assertIn(f"A new account is created for {OTHER}.", text)
        self.assertIn("Test Product, until Dec 31, 2026", text)
        self.assertEqual(ledger.count(self.portal), 1)
        self.assertIsNone(self.member(OTHER))
        browser.getControl(name="confirm").click()
        self.assertEqual(browser.url, f"{self.url}/{self.buyer(OTHER)['id']}")
        self.assertIn("Access was given.", self.text(browser))
        self.assertIn("premium", self.groups(OTHER))
        entry = self.newest()
        self.assertEqual((entry["provider"], entry["kind"]), ("owner", "purchase"))
        self.assertEqual(dict(entry["payload"]), {"reason": "a prize", "by": "admin"})
        self.assertIn("a prize By admin", self.text(browser))

    def test_a_note(self):
        self.buy()
        before = self.groups(), ledger.count(self.portal)
        browser = self.looked("note", text="A gift for <b>Ann</b>")
        self.assertIn("It is saved in the history, and changes nothing", self.text(browser))
        browser.getControl(name="confirm").click()
        text = self.text(browser)
        self.assertIn("The note was saved.", text)
        self.assertIn("Note A gift for &lt;b&gt;Ann&lt;/b&gt; By admin", text)
        transaction.begin()
        self.assertEqual((self.groups(), ledger.count(self.portal)), before)
        for text in ("", " ", "x" * 501):
            browser = self.looked("note", text=text)
            self.assertIn("Write a note of at most 500 characters.", self.text(browser))
        erasure.erase(EMAIL, "asked", "admin")
        transaction.begin()
        (record,) = trees.tree(self.portal, "buyers").values()
        self.assertEqual([note["text"] for note in record["notes"]], [""])
        with self.assertRaises(action.Erased):
            action.carry_out(commands.Note(buyer_id=record["id"], text="x", by="admin"))

    def test_grant_to_a_buyer(self):
        self.buy()
        self.buy(
            buyer_email=OTHER, acquirer_transaction_id="T-9", product_id="2", product_name="Two"
        )
        # A product that this buyer never had has its name all the same.
        options = self.form("grant").getControl(name="product").displayOptions
        self.assertIn("Two (2)", options)
        self.later(seconds=1)
        self.confirmed("grant", product="click2sell 2", reason="a prize")
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])
        self.assertEqual(self.newest()["product_name"], "Two")

    def test_extend(self):
        self.settings(mapping=["1|premium|30"])
        self.buy()
        browser = self.confirmed("extend", product=ONE, days="10", reason="an outage")
        self.assertIn("Access was extended.", self.text(browser))
        self.assertIn("until Jun 12, 2026", self.text(browser))

    def test_a_confirmation_that_comes_twice(self):
        self.settings(mapping=["1|premium|30"])
        self.buy()
        reason = {"product": ONE, "reason": "an outage"}
        for name, values in {
            "extend": {"days": "10", **reason},
            "grant": {"days": "10", **reason},
            "note": {"text": "A gift"},
            "resend": {},
            "": {"address": EMAIL, "days": "10", **reason},
        }.items():
            with self.subTest(name):
                of = EMAIL if name else ""
                browser = self.looked(name or "grant", of, **values)
                form = browser.getForm(index=1)
                fields = form._form.submit_fields("confirm")
                answers = []
                for _time in range(2):
                    browser.open(form.action, urlencode(fields))
                    transaction.begin()
                    mails = len(trees.tree(self.portal, "mails"))
                    entries = ledger.count(self.portal)
                    answers.append((entries, mails, len(self.buyer()["notes"])))
                self.assertEqual(answers[0], answers[1])
                self.assertIn("Something has happened since.", self.text(browser))

    def test_revoke(self):
        self.buy()
        browser = self.looked("revoke", product=ONE, reason="asked for")
        self.assertIn("Removed from the groups premium", self.text(browser))
        self.assertIn("premium", self.groups())
        browser.getControl(name="confirm").click()
        self.assertNotIn("premium", self.groups())
        self.assertIn("No access: access to", self.text(browser))
        self.assertIn("Access to Test Product was ended by hand", self.text(browser))
        self.assertEqual(self.mails_that_access_ended(), [])

    def test_revoke_and_mail(self):
        self.buy()
        self.assertFalse(self.form("revoke").getControl(name="mail").controls[0].selected)
        browser = self.looked("revoke", product=ONE, reason="asked for", mail=["1"])
        self.assertIn("Mail the mail that access has ended", self.text(browser))
        self.assertEqual(self.mails_that_access_ended(), [])
        browser.getControl(name="confirm").click()
        ((address, product),) = self.mails_that_access_ended()
        self.assertEqual((address, product), (EMAIL, "Test Product"))

    def test_correct(self):
        self.buy()
        browser = self.opened(f"/{self.buyer()['id']}")
        browser.getLink("Correct the buyer").click()
        self.assertTrue(browser.url.endswith(f"/{self.key()}/decide"))

    def test_resend(self):
        self.buy()
        browser = self.looked("resend", way="password")
        self.assertIn(
            f"The welcome mail goes to {EMAIL}, with a new password.", self.text(browser)
        )
        with mock.patch.object(delivery.messages, "send") as send:
            browser.getControl(name="confirm").click()
            # No request waits for a mail server.
            self.assertEqual(send.call_count, 0)
            self.assertIn("The welcome mail is queued.", self.text(browser))
            self.settings(site_address="http://nohost/plone")
            delivery.send_due()
        self.assertEqual(send.call_count, 1)
        shown = self.text(self.opened(f"/{self.buyer()['id']}"))
        self.assertIn(f"Welcome mail for {EMAIL}: sent", shown)

    def test_resend_for_an_account_that_was_there_before(self):
        self.account()
        self.buy()
        browser = self.looked("resend", way="password")
        self.assertIn("it keeps its password", self.text(browser))

    def test_messages_beside_the_fields(self):
        self.settings(mapping=["1|premium|30"])
        self.buy()
        for name, address, values, expected in (
            ("grant", "", {"address": ""}, {"address": "Enter an e-mail address."}),
            ("grant", "", {"address": "x"}, {"address": "Plone does not accept"}),
            ("grant", "", {"product": ""}, {"product": "Choose a product."}),
            ("grant", "", {"until": "soon"}, {"until": "This has to be a date"}),
            ("grant", "", {"until": "2026-05-02"}, {"until": "This day is over."}),
            ("grant", "", {"reason": " "}, {"reason": "Say why"}),
            ("extend", EMAIL, {"days": "0"}, {"days": "a whole number from 1"}),
            ("extend", EMAIL, {"days": "1.5"}, {"days": "a whole number from 1"}),
            ("extend", EMAIL, {"days": "99999"}, {"days": "a whole number from 1"}),
            ("revoke", EMAIL, {"product": ""}, {"product": "Choose a product."}),
        ):
            with self.subTest(name, values=values):
                contents = self.looked(name, address, **values).contents
                for field, message in expected.items():
                    error = contents.partition(f'id="field-{field}-error"')[2][:300]
                    self.assertIn(message, error)
                self.assertNotIn('name="confirm"', contents)
        self.assertEqual(ledger.count(self.portal), 1)

    def test_no_product_to_choose(self):
        self.settings(mapping=[])
        self.assertIn("There is no product to choose.", self.form("grant", "").contents)
        self.settings(mapping=["1|premium"])
        self.assertNotIn("There is no product to choose.", self.form("grant", "").contents)

    def test_the_first_mistake_has_the_focus(self):
        self.settings(mapping=["1|premium|30"])
        self.buy()
        self.assertNotIn("autofocus", self.form("extend").contents)
        page = html.fromstring(self.looked("extend", days="0").contents)
        self.assertEqual(page.xpath("//*[@autofocus]/@name"), ["days"])
        self.assertEqual(page.xpath("//*[@aria-invalid]/@name"), ["days", "reason"])

    def test_what_is_not_possible(self):
        self.buy()
        browser = self.looked("extend", product=ONE, days="5", reason="x")
        self.assertIn("Access has no end that could be moved.", self.text(browser))

    def test_what_was_filled_in_can_be_changed(self):
        self.buy()
        browser = self.looked("revoke", product=ONE, reason="asked for")
        browser.getControl(name="change").click()
        self.assertEqual(browser.getControl(name="reason").value, "asked for")
        self.assertEqual(browser.getControl(name="product").value, [ONE])

    def test_only_what_was_shown_is_done(self):
        self.buy()
        browser = self.looked("revoke", product=ONE, reason="asked for")
        self.settings(mapping=["1|premium", "1|course"])
        self.provision()
        before = self.last_transaction()
        browser.getControl(name="confirm").click()
        self.assertIn("Something has happened since.", self.text(browser))
        self.assertEqual(self.last_transaction(), before)
        self.assertIn("premium", self.groups())

    def test_busy(self):
        self.buy()
        browser = self.looked("revoke", product=ONE, reason="asked for")
        with mock.patch.object(action, "carry_out", side_effect=transactions.Busy):
            browser.getControl(name="confirm").click()
        self.assertIn("Another process is changing the same data.", self.text(browser))

    def test_nothing_without_a_token(self):
        self.buy()
        path = f"{self.url}/{self.buyer()['id']}/revoke"
        self.opened()
        before = self.last_transaction()
        for token in ("", "&_authenticator=wrong"):
            browser = self.browser()
            browser.raiseHttpErrors = True
            with self.assertRaises(HTTPError) as caught:
                browser.post(path, f"confirm=1&product={ONE}&reason=x{token}")
            self.assertEqual(caught.exception.code, 403)
        self.assertEqual(self.last_transaction(), before)

    def test_who_may(self):
        self.buy()
        path = f"/{self.buyer()['id']}"
        viewer = self.person("viewer", permissions=("View purchases",))
        operator = self.person("operator", permissions=("View purchases", "Operate purchases"))
        self.assertNotIn(f"{path}/grant", self.opened(path, who=viewer).contents)
        self.assertIn(f"{path}/grant", self.opened(path, who=operator).contents)
        for name in ("grant", "extend", "revoke", "resend"):
            with self.subTest(name):
                self.assertNotIn(LOOK, self.opened(f"{path}/{name}", who=viewer).contents)
                self.assertIn(LOOK, self.opened(f"{path}/{name}", who=operator).contents)

    def test_no_such_page(self):
        self.buy()
        for path in ("/nobody/grant", f"/{self.buyer()['id']}/pay", "/grant/more", "/extend"):
            self.assertIn("404", self.opened(path).headers["Status"])

    def test_a_privileged_account(self):
        self.root_user(["Manager"])
        text = self.text(self.looked("grant", "", address=EMAIL, product=ONE, reason="x"))
        self.assertIn("Needs attention This is an administrator's account", text)


class TestServices(ServiceTestCase):
    def post_to(self, path, options, who=MANAGER):
        return requests.post(
            f"{self.portal.absolute_url()}/@click2sell-members{path}",
            json=options,
            auth=who,
            headers={"Accept": "application/json"},
            timeout=60,
        )

    def of_john(self, name, **options):
        return self.post_to(f"/{self.buyer()['id']}/{name}", options)

    def test_grant_to_an_address(self):
        options = {
            "address": OTHER,
            "product_id": "1",
            "until": "2026-12-31",
            "reason": "a prize",
        }
        answer = self.post_to("/grant", {**options, "dry_run": True}).json()
        (changes,) = answer["buyers"]
        self.assertTrue(changes["member"]["create"])
        self.assertEqual(changes["live"][0]["until"][:10], "2026-12-31")
        self.assertEqual(ledger.count(self.portal), 0)
        answer = self.post_to("/grant", options).json()
        self.assertEqual(answer["buyers"][0]["address"], OTHER)
        self.assertIn("premium", self.groups(OTHER))

    def test_extend_revoke_and_resend(self):
        self.settings(mapping=["1|premium|30"])
        self.buy()
        self.assertTrue(self.of_john("resend", dry_run=True).json()["dry_run"])
        with mock.patch.object(delivery.messages, "send"):
            self.assertEqual(self.of_john("resend", way="password").json()["state"], "due")
        answer = self.of_john("extend", product_id="1", days=10, reason="an outage")
        self.assertEqual(answer.json()["buyers"][0]["live"][0]["until"][:10], "2026-06-12")
        told = {"product_id": "1", "reason": "asked for", "dry_run": True}
        answer = self.of_john("revoke", **told, mail=True)
        self.assertEqual(answer.json()["buyers"][0]["mail"], "access ended")
        answer = self.of_john("revoke", **told)
        self.assertEqual(answer.json()["buyers"][0]["mail"], "none")
        self.assertEqual(answer.json()["buyers"][0]["groups"]["revoked"], ["premium"])
        self.assertIn("premium", self.groups())
        self.later(minutes=1)
        answer = self.of_john("revoke", product_id="1", reason="asked for")
        self.assertEqual(answer.json()["buyers"][0]["live"], [])
        self.assertNotIn("premium", self.groups())
        for dry_run in (True, False):
            answer = self.of_john("resend", dry_run=dry_run)
            self.assertEqual(answer.status_code, 400)
            self.assertIn("The buyer has no access.", answer.text)

    def test_a_note(self):
        self.buy()
        self.assertTrue(self.of_john("note", text="x", dry_run=True).json()["dry_run"])
        self.assertEqual(self.of_john("note", text="She called.").status_code, 200)
        transaction.begin()
        self.assertEqual([note["text"] for note in self.buyer()["notes"]], ["She called."])
        self.assertIn("text: Write a note", self.of_john("note").json()["message"])

    def test_impossible_options(self):
        self.buy()
        for name, options, expected in (
            ("grant", {"product_id": "1"}, "reason: Say why"),
            ("grant", {"reason": "x"}, "product_id: Choose a product."),
            ("grant", {"address": OTHER}, 'no option "'),
            ("extend", {"product_id": "1", "reason": "x"}, "days: Enter either"),
            ("extend", {"days": "5"}, '"days" must be a whole number'),
            ("extend", {"days": True}, '"days" must be a whole number'),
            ("extend", {"product_id": "1", "days": 5, "reason": "x"}, "no end that could be"),
            ("resend", {"way": "pigeon"}, "way: Choose one."),
            ("revoke", {"product_id": "1", "reason": "x", "dryrun": True}, 'no option "'),
        ):
            with self.subTest(name, options=options):
                answer = self.of_john(name, **options)
                self.assertEqual(answer.status_code, 400)
                self.assertIn(expected, answer.json()["message"])
        self.assertEqual(ledger.count(self.portal), 1)

    def test_no_such_service(self):
        self.buy()
        for path in ("", "/nobody/grant", f"/{self.buyer()['id']}/pay", "/extend"):
            self.assertEqual(self.post_to(path, {}).status_code, 404)

    def test_who_may(self):
        self.buy()
        for path in ("/grant", f"/{self.buyer()['id']}/revoke"):
            for who in MAY_NOT:
                self.assertEqual(self.post_to(path, {}, who).status_code, 401)
