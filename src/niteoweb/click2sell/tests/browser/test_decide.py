"""Site Setup: the page where an owner decides about a notification, through a browser."""

from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from typing import ClassVar
from unittest import mock
from urllib.error import HTTPError
from zope.testbrowser.browser import Browser


WRONG = "jonh@example.org"


class DecidePageTestCase(PageTestCase):
    BUTTONS: ClassVar = {
        "attach": "Connect the account",
        "make_group": "Create the group missing",
        "decide": "Accept it",
        "correct": "Correct the buyer",
        "dismiss": "Dismiss",
    }

    def decide(self, key: str = "", who=None) -> Browser:
        """The page about an entry, the newest one by default."""
        args = () if who is None else (who,)
        return self.opened(f"/{key or self.key()}/decide", *args)

    def form(self, browser: Browser, what: str):
        """The form of one decision."""
        for index in range(20):
            form = browser.getForm(index=index)
            fields = form._form.fields
            if "what" in fields and fields["what"][0].value == what:
                return form
        raise AssertionError(what)

    def ask(self, form) -> None:
        """Press the form's last button."""
        form.getControl(self.BUTTONS[form._form.fields["what"][0].value]).click()

    def correct(self, browser: Browser, **fields) -> None:
        """Ask for the buyer to be :data:`EMAIL`."""
        form = self.form(browser, "correct")
        for name, value in {"address": EMAIL, "reason": "mistyped", **fields}.items():
            form.getControl(name=name).value = value
        self.ask(form)

    def token(self, browser: Browser) -> str:
        return browser.getControl(name="_authenticator", index=0).value

    def confirm(self, browser: Browser) -> Browser:
        browser.getControl(name="confirm").click()
        return browser


class TestDecide(DecidePageTestCase):
    def test_choose_the_member(self):
        self.account("john", login="johnny", fullname="John <b>Smith</b>")
        self.buy()
        browser = self.opened(f"/{self.key()}")
        browser.getLink("Other decisions").click()
        form = self.form(browser, "attach")
        self.assertIn("John &lt;b&gt;Smith", browser.contents)
        form.getControl(name="candidate").value = ["john"]
        form.getControl(name="reason").value = "he called"
        self.ask(form)
        text = self.text(browser)
        self.assertIn("The purchase is connected to the account john.", text)
        self.assertEqual(self.groups("john"), [])
        self.confirm(browser)
        self.assertIn("Info: Account connected", self.text(browser))
        self.assertIn("he called", self.text(browser))
        self.assertEqual(self.groups("john"), ["click2sell", "premium"])

    def test_who_can_administer_the_site_cannot_be_chosen(self):
        self.account("john", login="johnny")
        self.account("other", email="other@example.org")
        self.buy()
        with self.owner():
            self.portal.acl_users.portal_role_manager.assignRoleToPrincipal("Manager", "other")
        form = self.form(browser := self.decide(), "attach")
        form.getControl(name="search").value = "other@example"
        form.getControl(name="find").click()
        form = self.form(browser, "attach")
        self.assertIn("(can administer the site, so it cannot be chosen)", self.text(browser))
        # What was typed is still there.
        self.assertEqual(form.getControl(name="search").value, "other@example")
        self.assertRegex(browser.contents, r'disabled="disabled"[^>]*value="other"')
        body = f"what=attach&candidate=other&_authenticator={self.token(browser)}"
        browser.post(f"{self.url}/{self.key()}/decide", body)
        self.assertIn("This is an administrator's account", self.text(browser))
        self.assertNotIn('name="confirm"', browser.contents)

    def test_another_account_is_searched_for(self):
        self.account("john", login="johnny")
        self.account("other", email="other@example.org", fullname="Jane <b>Doe</b>")
        self.buy()
        browser = self.decide()
        form = self.form(browser, "attach")
        form.getControl(name="search").value = "nobody"
        form.getControl(name="find").click()
        self.assertIn("Your search found no account.", self.text(browser))
        form = self.form(browser, "attach")
        form.getControl(name="search").value = "doe"
        form.getControl(name="find").click()
        self.assertNotIn("Your search found no account.", self.text(browser))
        self.assertIn("Jane &lt;b&gt;Doe", browser.contents)
        form = self.form(browser, "attach")
        self.assertEqual(form.getControl(name="candidate").options, ["john", "other"])
        form.getControl(name="candidate").value = ["other"]
        form.getControl("Connect the account").click()
        self.confirm(browser)
        self.assertEqual(self.groups("other"), ["click2sell", "premium"])

    def test_make_the_group(self):
        self.settings(mapping=["1|missing"])
        self.buy()
        browser = self.decide()
        self.ask(self.form(browser, "make_group"))
        self.assertIn("Added to the groups missing", self.text(browser))
        self.confirm(browser)
        self.assertEqual(self.groups(), ["click2sell", "missing"])

    def test_take_a_refused_one_in(self):
        self.buy(buyer_email=WRONG)
        self.later(minutes=1)
        self.buy()
        browser = self.decide()
        form = self.form(browser, "decide")
        form.getControl(name="reason").value = "it is his"
        self.ask(form)
        text = self.text(browser)
        self.assertIn(f"{WRONG} Access ends", text)
        self.assertIn(f"{EMAIL} Access begins", text)
        self.assertIn("Removed from the groups premium, Click2Sell", text)
        self.assertIn(f"A new account is created for {EMAIL}.", text)
        self.confirm(browser)
        self.assertEqual((self.groups(WRONG), self.groups()), ([], ["click2sell", "premium"]))
        # The other one is refused now, as the owner has decided.
        self.assertEqual(ledger.waiting(self.portal), 0)

    def test_correct_the_buyer(self):
        self.buy(buyer_email=WRONG)
        browser = self.decide()
        self.correct(browser, scope=["everything"])
        self.confirm(browser)
        self.assertEqual((self.groups(WRONG), self.groups()), ([], ["click2sell", "premium"]))
        self.buy_again(buyer_email=WRONG, product_id="2")
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])

    def test_a_correction_is_undone(self):
        self.buy(buyer_email=WRONG)
        browser = self.decide()
        self.correct(browser)
        self.confirm(browser)
        buyer = buyers.of_user(self.portal, self.member().getId())
        browser.open(f"{self.portal.absolute_url()}/@@click2sell-members/{buyer['id']}")
        browser.getControl("Undo").click()
        self.confirm(browser)
        self.assertEqual((self.groups(WRONG), self.groups()), (["click2sell", "premium"], []))

    def test_dismiss(self):
        self.buy(transaction_type="Gift")
        browser = self.decide()
        form = self.form(browser, "dismiss")
        form.getControl(name="reason").value = "a gift"
        self.ask(form)
        self.assertIn(
            "It is saved in the history, and changes nothing else.", self.text(browser)
        )
        self.confirm(browser)
        self.assertEqual(self.entries(), [(Outcome.NOTHING, "unknown kind", "")])

    def test_a_preview_without_changes_says_so(self):
        unchanged = "It is saved in the history, and changes nothing else."
        self.account("john", email=EMAIL)
        self.buy()
        browser = self.decide()
        form = self.form(browser, "dismiss")
        form.getControl(name="reason").value = "a test of ours"
        self.ask(form)
        self.assertIn(f"What this would change {unchanged}", self.text(browser))

    def test_something_has_happened_since(self):
        self.settings(mapping=["1|missing"])
        self.buy()
        browser = self.decide()
        self.ask(self.form(browser, "make_group"))
        self.later(minutes=1)
        self.refund()
        self.confirm(browser)
        self.assertIn("Something has happened since", self.text(browser))
        self.assertEqual(self.groups(), ["click2sell"])

    def test_what_is_confirmed_is_what_was_asked_for(self):
        self.buy(buyer_email=WRONG)
        browser = self.decide()
        self.correct(browser)
        shown = next(
            browser.getForm(index=index)
            for index in range(5)
            if "fingerprint" in browser.getForm(index=index)._form.fields
        )
        shown.getControl(name="address").value = "thief@example.org"
        self.confirm(browser)
        self.assertIn("Something has happened since.", self.text(browser))
        self.assertIsNone(self.member("thief@example.org"))

    def test_it_fails(self):
        self.buy(buyer_email=WRONG)
        browser = self.decide()
        self.correct(browser)
        before = self.last_transaction()
        with (
            mock.patch.object(pipeline, "perform", side_effect=RuntimeError("told nobody")),
            self.assertLogs("niteoweb.click2sell", "ERROR") as logged,
        ):
            self.confirm(browser)
        self.assertIn("This cannot be done: RuntimeError.", self.text(browser))
        self.assertNotIn("told nobody", browser.contents + "".join(logged.output))
        self.assertEqual(self.last_transaction(), before)

    def test_nothing_without_a_token_or_the_permission(self):
        self.buy(buyer_email=WRONG)
        viewer = self.person("viewer", permissions=("View purchases",))
        path = f"{self.url}/{self.key()}/decide"
        body = f"what=correct&address={EMAIL}&reason=x&confirm=1"
        before = self.dump()
        browser = self.browser()
        browser.raiseHttpErrors = True
        with self.assertRaises(HTTPError) as caught:
            browser.post(path, body)
        self.assertEqual(caught.exception.code, 403)
        self.assertIn("Insufficient Privileges", self.decide(who=viewer).contents)
        self.assertNotIn("/decide", self.opened(f"/{self.key()}", viewer).contents)
        self.assertEqual(self.dump(), before)

    def test_nothing_to_decide(self):
        self.buy(transaction_type="Gift")
        browser = self.decide()
        form = self.form(browser, "dismiss")
        form.getControl(name="reason").value = "a gift"
        self.ask(form)
        self.confirm(browser)
        self.assertNotIn("Dismiss", self.decide().contents)

    def test_unknown_addresses(self):
        self.buy()
        for path in ("/nothing/decide", f"/{self.key()}/nothing", f"/{self.key()}/decide/x"):
            with self.subTest(path):
                self.assertTrue(self.opened(path).headers["Status"].startswith("404"))
