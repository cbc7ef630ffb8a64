"""Order links: the token that tells which member was logged in when buying."""

from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.settings import membertoken
from niteoweb.click2sell.tests.cases.mail import MailTestCase
from niteoweb.click2sell.tests.cases.pages import MANAGER
from niteoweb.click2sell.tests.cases.pages import NOBODY
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import PASSWORD
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from plone import api
from urllib.parse import parse_qs
from urllib.parse import urlsplit


ORDER = "https://order.example.com/form?product=1"
PAYPAL = "paypal@example.net"


class TestLink(PageTestCase):
    def setUp(self):
        super().setUp()
        self.account("john", EMAIL)
        self.settings(
            mapping=[f"1|a|order={ORDER}", "2|a|order=https://order.example.com/2", "3|a"]
        )

    def followed(self, who, product="1"):
        browser = self.browser(who)
        browser.followRedirects = False
        browser.open(f"{self.portal.absolute_url()}/@@click2sell-order?product={product}")
        return browser

    def test_a_member_takes_a_token_along(self):
        browser = self.followed(("john", PASSWORD))
        url = browser.headers["Location"]
        query = parse_qs(urlsplit(url).query)
        self.assertTrue(url.startswith(f"{ORDER}&cp_member="), url)
        (token,) = query["cp_member"]
        self.assertEqual(membertoken.member(self.portal, token, self.now), "john")
        self.assertEqual(browser.headers["Referrer-Policy"], "no-referrer")
        self.assertIn("no-store", browser.headers["Cache-Control"])

    def test_nobody_else_does(self):
        for who in (NOBODY, MANAGER):
            self.assertEqual(self.followed(who).headers["Location"], ORDER)

    def test_it_leads_nowhere_else(self):
        for product in ("3", "", "https://evil.example.com/", "1&product=1"):
            self.assertIn("404", self.followed(NOBODY, product).headers["Status"])
        self.assertIn("400", self.followed(NOBODY, "%FF").headers["Status"])


class TestToken(MailTestCase, SiteTestCase):
    def setUp(self):
        super().setUp()
        self.account("john", "john@example.com")

    def token(self, user_id="john"):
        return membertoken.issue(self.portal, user_id, self.now)

    def assert_not_johns(self, address=PAYPAL):
        self.assertEqual(self.groups("john"), [])
        self.assertNotEqual(self.user_id(address), "john")

    def test_the_purchase_is_the_members_whatever_address_paid(self):
        self.buy(buyer_email=PAYPAL, cp_member=self.token())
        self.assertEqual(self.user_id(PAYPAL), "john")
        self.assertEqual(self.groups("john"), ["click2sell", "premium"])
        self.assertEqual(self.arrived()["To"], PAYPAL)
        self.buy_again(product_id="2", buyer_email=PAYPAL)
        self.assertEqual(self.groups("john"), ["click2sell", "course", "premium"])

    def test_it_is_not_kept(self):
        token = self.token()
        self.buy(buyer_email=PAYPAL, cp_member=token)
        self.assertNotIn(token, repr(self.dump()))
        (key,) = ledger.newest_first(self.portal)
        self.assertEqual(ledger.get(self.portal, key)["member"], "john")

    def test_forged_and_foreign_ones(self):
        good = self.token()
        self.assertRegex(good, r"\A[A-Za-z0-9_-]{1,200}\Z")
        signature, until, name = good.split("-", 2)
        other = membertoken.issue(self.portal, "test_user_1_", self.now).split("-", 2)
        later = format(int(until, 16) + 3600, "x")
        for number, token in enumerate(
            (
                *(f"-{until}-{name}", f"{signature[:-1]}-{until}-{name}", name, "--", "é-é-é"),
                *(f"{signature}-{later}-{name}", f"{signature}-{until}-{other[2]}"),
                *(good.upper(), f"{good}x", "x" * 250, f"{signature}-{'f' * 200}-{name}"),
            )
        ):
            with self.subTest(token):
                self.assertEqual(membertoken.member(self.portal, token, self.now), "")
                address = f"{number}@example.net"
                self.buy(
                    buyer_email=address,
                    cp_member=token,
                    acquirer_transaction_id=f"T-{number}",
                    c2s_transaction_id=f"R-{number}",
                )
                self.assert_not_johns(address)

    def test_a_day_later(self):
        token = self.token()
        self.later(days=1)
        self.buy(buyer_email=PAYPAL, cp_member=token)
        self.assert_not_johns()

    def test_of_an_account_that_was_made_anew(self):
        token = self.token()
        with self.owner():
            self.portal.portal_membership.deleteMembers(["john"])
        self.account("john", "mallory@example.org")
        self.buy(buyer_email=PAYPAL, cp_member=token)
        self.assert_not_johns()

    def test_a_purchase_that_waits_while_the_account_is_made_anew(self):
        self.account("victim", EMAIL)
        self.buy(cp_member=self.token())
        with self.owner():
            self.portal.portal_membership.deleteMembers(["john", "victim"])
        self.account("john", "mallory@example.org")
        self.provision()
        self.assertEqual(self.groups(self.user_id()), ["click2sell", "premium"])
        self.assert_not_johns(EMAIL)

    def test_a_purchase_that_an_owner_has_corrected(self):
        self.buy(buyer_email=PAYPAL, cp_member=self.token())
        (key,) = ledger.newest_first(self.portal)
        action.carry_out(decisions.Correct(key, "owner", EMAIL, False, "not John's"))
        self.assertEqual(self.groups(self.user_id()), ["click2sell", "premium"])
        self.assert_not_johns(EMAIL)

    def test_at_another_address(self):
        token = self.token()
        self.settings(site_address="http://copy.example.org/plone")
        self.assertEqual(membertoken.member(self.portal, token, self.now), "")

    def test_an_account_with_the_paid_address_is_asked_first(self):
        """Somebody may have followed the order link of another."""
        self.account("victim", EMAIL)
        self.buy(cp_member=self.token())
        self.assertEqual(self.attention(), [["account not certain", ""]])
        self.assert_not_johns(EMAIL)

    def test_it_fetches_no_purchase_that_waits(self):
        self.account("victim", EMAIL)
        self.buy()
        with self.owner():
            self.portal.portal_membership.getMemberById("victim").setMemberProperties(
                {"email": "new@example.org"}
            )
        self.buy_again(product_id="2", cp_member=self.token())
        self.assert_not_johns(EMAIL)

    def test_a_buyer_who_has_an_account_keeps_it(self):
        self.buy()
        self.buy_again(product_id="2", cp_member=self.token())
        self.assertEqual(self.groups(), ["click2sell", "course", "premium"])
        self.assert_not_johns(EMAIL)

    def test_an_account_that_can_administer_the_site(self):
        token = self.token()
        with self.owner():
            api.user.grant_roles(username="john", roles=["Manager"])
        self.buy(buyer_email=PAYPAL, cp_member=token)
        self.assertEqual(self.attention(), [["privileged account", ""]])
        self.assert_not_johns()
