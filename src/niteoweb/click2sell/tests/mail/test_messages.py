"""The mails, as a real SMTP server receives them."""

from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.tests.cases.mail import MailTestCase
from niteoweb.click2sell.tests.cases.mail import SENDER
from niteoweb.click2sell.tests.cases.pages import share_folder
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import PASSWORD
from plone.testing.zope import Browser
from unittest import mock

import re


class TestWelcome(MailTestCase):
    def test_password(self):
        self.buy(buyer_email="John@Example.org")
        message = self.arrived()
        self.assertEqual(message["From"], f"The Shop <{SENDER}>")
        self.assertEqual(message["To"], EMAIL)
        self.assertEqual(message["X-Envelope-To"], EMAIL)
        self.assertEqual(message["Subject"], "Welcome to Example Shop")
        self.assertEqual(message["Auto-Submitted"], "auto-generated")
        (mail,) = self.mails()
        self.assertEqual(message["Message-ID"], mail["message_id"])
        self.assertRegex(mail["message_id"], r"\A<[0-9a-f]{21}@example\.com>\Z")
        self.assertIsNotNone(message["Date"].datetime)
        self.assertEqual(message.get_content_type(), "text/plain")
        text = self.text()
        self.assertIn("Hello John Smith,", text)
        self.assertIn(
            "your purchase of Test Product. You are now a member of Example Shop", text
        )
        self.assertIn(f"Your login name: {EMAIL}\n", text)
        self.assertIn("Log in here: http://nohost/plone/login\n", text)
        self.assertNotIn("$", text)
        self.assertTrue(self.log_in(EMAIL, self.password()))
        self.assertEqual(mail["state"], outbox.SENT)

    def test_wrong_password_does_not_log_in(self):
        self.buy()
        self.assertFalse(self.log_in(EMAIL, "something else"))

    def test_link(self):
        self.settings(welcome_mail="link")
        self.buy()
        self.assertNotIn("Your password", self.text())
        self.assertFalse(self.log_in(EMAIL, "chosen by the member"))
        password = self.use_link(self.link(), EMAIL)
        self.assertTrue(self.log_in(EMAIL, password))
        self.use_link_again()

    def use_link_again(self):
        browser = Browser(self.layer["app"])
        browser.open(self.link())
        self.assertNotIn('name="password2"', browser.contents)

    def test_link_on_a_site_with_addresses_as_login_names(self):
        self.registry(use_email_as_login=True)
        self.settings(welcome_mail="link")
        self.buy()
        self.assertEqual(self.user_id(), "john-smith")
        self.assertIn(f"Your login name: {EMAIL}\n", self.text())
        password = self.use_link(self.link(), EMAIL)
        self.assertTrue(self.log_in(EMAIL, password))

    def test_link_for_a_generated_user_id(self):
        self.settings(welcome_mail="link")
        self.buy(buyer_email="o'brien@example.org")
        password = self.use_link(self.link(), "o'brien@example.org")
        self.assertTrue(self.log_in("o'brien@example.org", password))

    def test_where_to_go_and_whom_to_ask(self):
        share_folder(self.portal, "premium", "lounge", "Lounge")
        self.buy()
        text = self.text()
        self.assertIn("Forgot your password? http://nohost/plone/@@login-help\n", text)
        self.assertIn("Your purchases: http://nohost/plone/@@my-purchases\n", text)
        self.assertIn("Your pages:\n- Lounge: http://nohost/plone/lounge\n", text)
        self.assertIn(f"Questions? Write to {SENDER}.", text)

    def test_the_language_of_the_site_unless_the_owner_wrote_the_text(self):
        self.registry(default_language="de", available_languages=["de"])
        self.buy()
        self.assertEqual(self.arrived()["Subject"], "Willkommen bei Example Shop")
        self.assertIn("vielen Dank für Ihren Kauf von Test Product.", self.text())
        self.settings(welcome_text="My own: $credentials")
        self.buy(buyer_email="jane@example.org", acquirer_transaction_id="T-2")
        self.assertIn("My own: Ihr Passwort", self.text(self.server.messages[-1]))

    def test_none(self):
        self.settings(welcome_mail="none")
        self.buy()
        self.assertEqual((self.server.messages, self.mails()), ([], []))

    def test_only_one(self):
        self.buy()
        self.buy()
        self.buy_again(product_id="2")
        self.refund()
        self.provision()
        self.arrived()

    def test_letters_that_are_not_ascii(self):
        self.registry(site_title="Bücher & Čaji — 本", email_from_name="Žiga Müller, Läden")
        self.buy(
            buyer_name="Žofija", buyer_surname="Nuñez", product_name="Kurs für Anfänger №1"
        )
        message = self.arrived()
        self.assertEqual(message["Subject"], "Welcome to Bücher & Čaji — 本")
        self.assertEqual(message["From"].addresses[0].display_name, "Žiga Müller, Läden")
        self.assertEqual(message["From"].addresses[0].addr_spec, SENDER)
        text = self.text()
        self.assertIn("Hello Žofija Nuñez,", text)
        self.assertIn("Kurs für Anfänger №1", text)
        self.assertIn("a member of Bücher & Čaji — 本", text)

    def test_placeholders_in_values_stay_text(self):
        self.settings(welcome_subject="$$5 for $name of $product")
        self.buy(
            buyer_name="$login", buyer_surname="${credentials}", product_name="$$ ${site} $name"
        )
        self.assertEqual(
            self.arrived()["Subject"], "$5 for $login ${credentials} of $$ ${site} $name"
        )
        text = self.text()
        self.assertIn("Hello $login ${credentials},", text)
        self.assertIn("your purchase of $$ ${site} $name.", text)
        self.assertEqual(len(re.findall("Your password", text)), 1)

    def test_line_break_makes_no_header(self):
        evil = "Shop\r\nBcc: eve@example.org\r\n\r\nText"
        for name in ("title", "sender"):
            value = evil if name == "title" else (evil, SENDER)
            with self.subTest(name), mock.patch.object(plone_site, name, return_value=value):
                self.buy(buyer_email=f"{name}@example.org", acquirer_transaction_id=f"T-{name}")
            message = self.server.messages[-1]
            self.assertIsNone(message["Bcc"])
            self.assertEqual(message["X-Envelope-To"], f"{name}@example.org")
            self.assertIn("Your password", message.get_content())
        self.assertEqual(
            self.server.messages[0]["Subject"],
            "Welcome to Shop Bcc: eve@example.org Text",
        )

    def test_sender_without_a_name(self):
        self.registry(email_from_name="")
        self.buy()
        self.assertEqual(self.arrived()["From"], f"Example Shop <{SENDER}>")

    def test_buyer_without_a_name(self):
        self.buy(buyer_name=None, buyer_surname=None)
        self.assertIn(f"Hello {EMAIL},", self.text())

    def test_long_lines_and_leading_dots(self):
        line = "word " * 400
        self.settings(welcome_text=f".\n{line}\n$credentials\n.")
        self.buy()
        self.assertEqual(self.text().split("\n")[1].split(), line.split())
        self.assertTrue(self.text().startswith(".\n"))
        self.assertTrue(self.log_in(EMAIL, self.password()))

    def test_nothing_private_in_the_log(self):
        with self.assertLogs(level="DEBUG") as logs:
            self.buy()
            self.settings(welcome_mail="link")
            self.buy(buyer_email="jane@example.org", acquirer_transaction_id="T-2")
        key = self.link(self.server.messages[1]).partition("?")[0].rpartition("/")[2]
        # What aiosmtpd itself logs is not ours.
        for line in (line for line in logs.output if ":mail.log:" not in line):
            for private in (EMAIL, "jane@", self.password(self.server.messages[0]), key):
                self.assertNotIn(private, line)


class TestNotice(MailTestCase):
    """To whoever paid, when the purchase went to an account that was there before."""

    def test_no_credentials(self):
        self.account(EMAIL, "John@Example.org", login="old-name", fullname="Old J.")
        self.buy()
        message = self.arrived()
        self.assertEqual(message["To"], EMAIL)
        self.assertEqual(message["X-Envelope-To"], EMAIL)
        self.assertEqual(message["Subject"], "Your purchase at Example Shop")
        self.assertEqual(message["Auto-Submitted"], "auto-generated")
        text = self.text()
        self.assertIn("your purchase of Test Product", text)
        self.assertIn("http://nohost/plone/login", text)
        # The member logs in with it, whatever the address is.
        self.assertIn("Your login name: old-name\n", text)
        for private in ("John@", "Old J.", PASSWORD, "passwordreset", "Your password"):
            self.assertNotIn(private, text)

    def test_the_pages_that_are_open(self):
        share_folder(self.portal, "premium", "lounge", "Lounge")
        self.account()
        self.buy()
        self.assertIn("Your pages:\n- Lounge: http://nohost/plone/lounge\n", self.text())
        self.assertIn("Questions, or not your account? Write to shop@example.com", self.text())

    def test_only_one(self):
        self.account()
        self.buy()
        self.buy_again(product_id="2")
        self.provision()
        self.arrived()

    def test_switched_off(self):
        self.settings(notice_mail=False)
        self.account()
        self.buy()
        self.assertEqual((self.server.messages, self.mails()), ([], []))

    def test_also_when_new_members_are_mailed_nothing(self):
        self.settings(welcome_mail="none")
        self.account()
        self.buy()
        self.assertEqual(self.arrived()["Subject"], "Your purchase at Example Shop")

    def test_for_another_address_of_an_account_that_a_purchase_made(self):
        self.buy()
        with self.owner():
            self.portal.portal_membership.getMemberById(EMAIL).setMemberProperties(
                {"email": "new@example.org"}
            )
        self.buy_again(buyer_email="new@example.org")
        self.choose(EMAIL, "new@example.org")
        welcome, _claim, notice = self.server.messages
        self.assertEqual(welcome["Subject"], "Welcome to Example Shop")
        self.assertEqual(notice["Subject"], "Your purchase at Example Shop")
        self.assertEqual(notice["X-Envelope-To"], "new@example.org")

    def test_text_of_a_product_stays_text(self):
        self.account()
        self.buy(product_name="${login_url} & $site")
        self.assertIn("your purchase of ${login_url} & $site.", self.text())

    def test_purchase_succeeds(self):
        self.account()
        self.assertEqual(self.buy(), pipeline.Result("accepted"))
        self.assertEqual([mail["kind"] for mail in self.mails()], [outbox.NOTICE])
