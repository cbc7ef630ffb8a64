"""The page of the link in a mail: the buyer confirms which account a purchase is for."""

from importlib.metadata import version
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.privacy import erasure
from niteoweb.click2sell.provisioning import claiming
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.mail import MailTestCase
from niteoweb.click2sell.tests.cases.pages import NOBODY
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import PASSWORD
from niteoweb.click2sell.tests.cases.threads import CLAIMS
from plone import api
from unittest import mock

import logging
import os
import re


JOHN, MALLORY = ("john", PASSWORD), ("mallory", PASSWORD)
LINK = re.compile(r"http://nohost/plone/@@my-purchase-claim\?token=(\S+)")


class ClaimTestCase(MailTestCase, PageTestCase):
    """John has an account whose name is not his address, and buys with that address."""

    def setUp(self):
        super().setUp()
        self.url = "http://nohost/plone/@@my-purchase-claim"
        self.account("john", EMAIL)
        self.account("mallory", EMAIL)
        self.logged = self.enterContext(self.assertLogs(level=logging.DEBUG))
        self.buy(product_name="Course of Slovene")

    def text(self, shown=None):
        """The text of a mail, or of a page."""
        of_page = hasattr(shown, "contents")
        return PageTestCase.text(self, shown) if of_page else super().text(shown)

    def asked(self):
        """The mails that asked to confirm, as (address, token)."""
        return [
            (message["To"], found[1])
            for message in self.server.messages
            if (found := LINK.search(self.text(message)))
        ]

    @property
    def token(self):
        return self.asked()[-1][1]

    def answered(self, button, who=NOBODY, token="", **fields):
        browser = self.opened(token=token or self.token, who=who)
        for name, value in fields.items():
            browser.getControl(name=name).value = value
        browser.getControl(button).click()
        return browser

    def confirmed(self, who=JOHN, **more):
        return self.answered("Add the purchase to this account", who, **more)

    def made(self, **more):
        return self.answered("Create a new account", **more)


class TestLink(ClaimTestCase):
    def test_the_paid_address_is_asked_and_nobody_else(self):
        self.assertEqual([address for address, _token in self.asked()], [EMAIL])
        self.assertIn("Course of Slovene", self.text(self.server.messages[0]))
        self.assertEqual(self.attention(), [["several accounts", ""]])

    def test_only_a_hash_is_stored_and_nothing_is_logged(self):
        self.opened(token=self.token, who=JOHN)
        self.assertNotIn(self.token, repr(self.dump()))
        self.assertNotIn(self.token, repr(self.logged.output))
        self.assertEqual(len(self.buyer()["claims"]), 1)

    def test_looking_ties_nothing(self):
        browser = self.opened(token=self.token, who=JOHN)
        self.assertIn("Course of Slovene", self.text(browser))
        self.assertEqual(self.user_id(), "")
        self.assertEqual(browser.headers["Referrer-Policy"], "no-referrer")
        self.assertIn("no-store", browser.headers["Cache-Control"])

    def test_who_is_logged_in_confirms(self):
        text = self.text(self.confirmed())
        self.assertIn("the purchase was added to your account", text)
        self.assertEqual(self.user_id(), "john")
        self.assertEqual(self.groups("john"), ["click2sell", "premium"])
        self.assertEqual(self.groups("mallory"), [])
        self.assertEqual(self.attention(), [])

    def test_it_can_be_used_once(self):
        token = self.token
        self.confirmed()
        for who in (MALLORY, NOBODY, JOHN):
            text = self.text(self.opened(token=token, who=who))
            self.assertIn("This link cannot be used", text)
            self.assertNotIn("Course of Slovene", text)

    def test_an_account_of_ones_own(self):
        text = self.text(self.made())
        self.assertIn("Your account was created", text)
        user_id = self.user_id()
        self.assertNotIn(user_id, ("john", "mallory", ""))
        self.assertEqual(self.groups(user_id), ["click2sell", "premium"])
        welcome = self.server.messages[-1]
        self.assertEqual(welcome["To"], EMAIL)
        login = self.portal.acl_users.getUserById(user_id).getUserName()
        self.assertEqual(self.authenticates(login, self.password(welcome)), user_id)
        self.buy_again(product_id="2")
        self.assertEqual(self.groups(user_id), ["click2sell", "course", "premium"])

    def test_an_account_of_ones_own_where_a_stranger_has_the_login_name(self):
        with self.owner():
            self.portal.acl_users.updateLoginName("mallory", EMAIL)
        self.made()
        user_id = self.user_id()
        self.assertEqual(self.groups(user_id), ["click2sell", "premium"])
        self.assertEqual(self.groups("mallory"), [])

    def test_a_new_password_for_the_account(self):
        browser = self.opened(token=self.token, who=NOBODY)
        browser.getControl("Mail a link to set a new password", index=0).click()
        self.assertIn("open the link to this page again", self.text(browser))
        mail = self.server.messages[-1]
        self.assertEqual(mail["To"], EMAIL)
        password = self.use_link(self.link(mail), "john")
        self.confirmed(("john", password))
        self.assertEqual(self.groups("john"), ["click2sell", "premium"])

    def test_login_comes_back(self):
        browser = self.opened(token=self.token, who=NOBODY)
        browser.getLink("Log in", index=1).click()
        browser.getControl(name="__ac_name").value = "john"
        browser.getControl(name="__ac_password").value = PASSWORD
        browser.getControl("Log in").click()
        if version("Products.CMFPlone").startswith("6.1."):
            # It goes back to no address with a query: the link in the mail is opened again.
            self.assertEqual(browser.url, self.portal.absolute_url())
            browser = self.opened(token=self.token, who=JOHN)
        browser.getControl("Add the purchase to this account").click()
        self.assertEqual(self.user_id(), "john")

    def test_expired(self):
        token = self.token
        self.later(days=14)
        text = self.text(self.opened(token=token, who=JOHN))
        self.assertIn("This link has expired", text)
        self.assertEqual(self.user_id(), "")

    def test_again_on_request(self):
        for _number in range(5):
            browser = self.opened(who=NOBODY)
            browser.getControl(name="address").value = EMAIL.upper()
            browser.getControl("Mail a new link").click()
            self.assertIn("If a purchase is waiting", self.text(browser))
        self.assertEqual(len(self.asked()), outbox.CLAIMS_A_DAY)
        self.later(days=1)
        self.answered("Mail a new link", token="x", address=EMAIL)
        self.assertEqual(len(self.asked()), outbox.CLAIMS_A_DAY + 1)
        self.confirmed()
        self.assertEqual(self.user_id(), "john")

    def test_an_address_that_nothing_waits_for(self):
        before = self.dump()["trees"]
        for address in ("nobody@example.org", "x@y", "é@example.org"):
            text = self.text(self.answered("Mail a new link", token="x", address=address))
            self.assertIn("If a purchase is waiting", text)
        self.assertEqual(self.dump()["trees"], before)
        self.assertEqual(len(self.asked()), 1)

    def test_the_time_of_the_answer_does_not_tell_either(self):
        with (
            mock.patch.object(claiming, "hand_over", CLAIMS),
            mock.patch.object(background, "leave") as leave,
            mock.patch.object(claiming, "ask_again") as ask_again,
        ):
            for address in ("nobody@example.org", EMAIL):
                self.answered("Mail a new link", token="x", address=address)
            self.assertEqual(leave.call_count, 2)
            ask_again.assert_not_called()
            leave.call_args.args[2]()
            ask_again.assert_called_once_with(EMAIL)

    def test_a_second_purchase_asks_again(self):
        self.buy_again(product_id="2", product_name="Choir")
        self.assertEqual(len(self.asked()), 2)
        self.assertIn("Choir", self.text(self.server.messages[-1]))
        self.provision()
        self.assertEqual(len(self.asked()), 2)
        self.confirmed()
        self.assertEqual(self.groups("john"), ["click2sell", "course", "premium"])


class TestWhatIsRefused(ClaimTestCase):
    def post(self, who=JOHN, **fields):
        browser = self.browser(who)
        data = "&".join(f"{name}={value}" for name, value in fields.items())
        browser.post(self.url, data)
        return browser

    def test_a_post_of_another_site(self):
        for action in ("confirm", "own"):
            self.post(token=self.token, action=action)
            self.assertEqual(self.user_id(), "")
        self.post(action="again", address=EMAIL)
        self.assertEqual(len(self.asked()), 1)

    def test_somebody_elses_token(self):
        for token in ("", "x", self.token[:-1], self.buyer()["id"], self.token.upper()):
            text = self.text(self.opened(token=token, who=MALLORY))
            self.assertNotIn("Course of Slovene", text)

    def test_a_new_password_for_an_account_with_another_address(self):
        self.account("jane", "jane@example.org", login=EMAIL)
        browser = self.opened(token=self.token, who=NOBODY)
        browser.getControl(name="account", index=0).value = "jane"
        browser.getControl("Mail a link to set a new password", index=0).click()
        self.assertIn("cannot be used", self.text(browser))
        self.assertEqual(len(self.server.messages), 1)

    def test_odd_tokens(self):
        for query in ("token=%FF", "token=a&token=b", "token=" + "x" * 9999):
            browser = self.browser(JOHN)
            browser.open(f"{self.url}?{query}")
            self.assertNotIn("500", browser.headers["Status"])

    def test_an_account_that_can_administer_the_site(self):
        with self.owner():
            api.user.grant_roles(username="john", roles=["Manager"])
        text = self.text(self.confirmed())
        self.assertIn("can administer the site", text)
        self.assertEqual(self.user_id(), "")
        self.assertNotIn("John", self.text(self.opened(token=self.token, who=NOBODY)))

    def test_a_user_of_the_root(self):
        browser = self.opened(token=self.token)
        self.assertNotIn("Add the purchase", browser.contents)

    def test_on_a_copy_of_the_site(self):
        os.environ["CLICK2SELL_STAGING"] = "1"
        self.addCleanup(os.environ.pop, "CLICK2SELL_STAGING")
        text = self.text(self.opened(token=self.token, who=JOHN))
        self.assertIn("This is a copy of the site", text)

    def test_a_buyer_who_was_erased(self):
        token = self.token
        erasure.erase(EMAIL, "asked for by letter", "owner")
        self.assertIn("cannot be used", self.text(self.opened(token=token, who=JOHN)))
        self.opened(who=NOBODY).getControl("Mail a new link")
        self.answered("Mail a new link", token="x", address=EMAIL)
        self.assertEqual(len(self.asked()), 1)

    def test_after_an_owner_has_decided(self):
        token = self.token
        self.choose("john")
        self.assertIn("cannot be used", self.text(self.opened(token=token, who=MALLORY)))

    def test_the_accounts_went_away_meanwhile(self):
        with self.owner():
            self.portal.portal_membership.deleteMembers(["john", "mallory"])
        self.provision()
        self.assertEqual(self.groups(self.user_id()), ["click2sell", "premium"])
        self.assertIn("cannot be used", self.text(self.opened(token=self.token, who=NOBODY)))

    def test_the_checksum_does_not_serve_another_meanwhile(self):
        self.buy(buyer_email="thief@example.org")
        self.assertIsNone(self.member("thief@example.org"))
        self.confirmed()
        self.assertEqual(self.groups("john"), ["click2sell", "premium"])

    def test_nothing_of_the_token_is_exported(self):
        self.assertNotIn("claims", trees.tree(self.portal, "mentions"))
        mail = outbox.of_address(self.portal, EMAIL)[0]
        self.assertNotIn(self.token, repr(dict(mail)))
