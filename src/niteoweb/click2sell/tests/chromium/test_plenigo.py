"""A reader buys from the teaser in a browser, with a plenigo that is not real."""

from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.plenigo import accessrights
from niteoweb.click2sell.providers.plenigo.fake import FakePlenigo
from niteoweb.click2sell.providers.plenigo.fake import TOKEN
from niteoweb.click2sell.providers.plenigo.provider import PROVIDER as PLENIGO
from niteoweb.click2sell.testing import Clock
from niteoweb.click2sell.tests.cases import demosite
from niteoweb.click2sell.tests.cases.pages import enable_behaviors
from niteoweb.click2sell.tests.chromium.case import BrowserTestCase
from plone import api
from plone.app.textfield import RichTextValue
from unittest import mock
from zope.component import getGlobalSiteManager
from ZPublisher.interfaces import IPubAfterTraversal

import transaction


READER = ("reader", "Wd7-fk3h-qqRz")
OFFER = "O_OFFER0000000000001"
SECRET = "The summit is behind the next ridge."
#: What the browser's console says of a script that is kept out.
VIOLATION = "Content Security Policy"


class TestCheckout(BrowserTestCase):
    def setUp(self):
        super().setUp()
        self.fake = self.enterContext(FakePlenigo(clock=Clock(demosite.END)))
        self.fake.rights_of_offers = {OFFER: "digital"}
        self.enterContext(mock.patch.dict("os.environ", {jsonapi.INSECURE_VARIABLE: "1"}))
        self.addCleanup(accessrights._answers.clear)
        settings = registry.settings(PLENIGO)
        settings.enabled = True
        settings.api_url = self.fake.url
        settings.api_token = TOKEN
        settings.company_id = "COMP"
        settings.sdk_url = f"{self.fake.url}/sdk/{{company_id}}/plenigo_sdk.min.js"
        settings.offers = [OFFER]
        settings.mapping = [f"{OFFER}|archive-members|title=The digital edition"]
        with api.env.adopt_roles(["Manager"]):
            self.portal.acl_users.userFolderAddUser(*READER, ["Member"], [])
            api.user.get(userid="reader").setMemberProperties({"email": "r@lab.example.org"})
            enable_behaviors(self.portal, "Document", "niteoweb.click2sell.plenigo")
            api.content.create(
                self.portal,
                "Document",
                "ridge",
                title="Behind the ridge",
                text=RichTextValue(f"<p>{SECRET}</p>", "text/html"),
                access_rights=["digital"],
                plenigo_offers=[OFFER],
            )
        transaction.commit()

    def checkout(self):
        """From the teaser to plenigo's checkout in a page of the site."""
        page = self.window(who=READER)
        self.open(page, "ridge")
        self.assertNotIn(SECRET, page.content())
        self.assert_usable(page)
        self.follow(page, page.get_by_role("link", name="Buy", exact=True))
        self.press(page, "Continue to the checkout")
        return page

    def test_buying_opens_the_page(self):
        page = self.checkout()
        self.see(page.get_by_role("button", name="Pay", exact=True))
        self.assertTrue(all(one.startswith(self.fake.url) for one in self.elsewhere))
        self.elsewhere.clear()
        self.assert_usable(page)
        self.press(page, "Pay")
        self.see(page.get_by_role("heading", name="Thank you"))
        self.elsewhere.clear()
        self.assert_usable(page)
        self.follow(page, page.get_by_role("link", name="Continue reading"))
        self.see(page.get_by_text(SECRET))

    def test_the_self_service(self):
        """The page fetches a token, and opens the part of plenigo's that it names."""
        page = self.checkout()
        self.open(page, "@@plenigo-account?page=ORDER&subscription=7")
        self.see(page.get_by_text('orders transfer-1 7 {"SSO":{"personalDetails":"VIEW",'))
        self.elsewhere.clear()
        self.assert_usable(page)
        self.open(page, "@@plenigo-account")
        self.see(page.get_by_text("all transfer-2"))
        self.fake.emergency = True
        page.reload()
        self.see(page.get_by_text("Your account at plenigo did not load."))
        self.see(page.get_by_text("plenigo cannot be reached at the moment."))
        self.elsewhere.clear()
        self.assert_usable(page)

    def test_logging_in(self):
        """plenigo's own login, on the way to the checkout."""
        self.checkout()
        self.fake.at_the_keyboard = next(reversed(self.fake.customers))
        registry.settings(PLENIGO).login = "plenigo"
        transaction.commit()
        page = self.window(who=("", ""))
        self.open(page, f"@@plenigo-checkout?offer={OFFER}")
        self.see(page.get_by_role("button", name="Enter: login"))
        page.get_by_role("button", name="Break", exact=True).click()
        self.see(page.get_by_text("plenigo's login did not load."))
        page.get_by_role("button", name="Forgot your password?").click()
        self.see(page.get_by_role("button", name="Enter: forgotPassword"))
        page.get_by_role("button", name="Register at plenigo").click()
        self.see(page.get_by_role("button", name="Enter: register at localhost"))
        self.elsewhere.clear()
        self.assert_usable(page)
        self.press(page, "Enter: register at localhost")
        self.see(page.get_by_role("button", name="Continue to the checkout"))
        self.assertNotIn("ession=", page.url)
        # Names and addresses are plenigo's to change.
        self.open(page, "@@plenigo-account?page=ORDER&subscription=7")
        self.see(page.get_by_text("orders transfer-1 7", exact=True))

    def test_policy_for_scripts(self):
        """Checkout and login work where a policy allows the scripts of both sites alone."""
        policies, found = ["script-src 'self'"], []

        def send(event):
            event.request.response.setHeader("Content-Security-Policy", policies[-1])

        page, components = self.checkout(), getGlobalSiteManager()
        components.registerHandler(send, (IPubAfterTraversal,))
        self.addCleanup(components.unregisterHandler, send, (IPubAfterTraversal,))
        with page.expect_console_message(lambda said: VIOLATION in said.text) as kept_out:
            page.reload()
        self.assertIn(self.fake.url, kept_out.value.text)
        origin = "/".join(self.fake.url.split("/")[:3])
        policies.append(f"script-src 'self' {origin}")
        page.on("console", lambda said: found.append(said.text))
        page.reload()
        self.press(page, "Pay")
        self.see(page.get_by_role("heading", name="Thank you"))
        registry.settings(PLENIGO).login = "plenigo"
        transaction.commit()
        visitor = self.window(who=("", ""))
        visitor.on("console", lambda said: found.append(said.text))
        visitor.goto(f"{self.url}/@@plenigo-login")
        self.see(visitor.get_by_role("button", name="Enter: login"))
        self.assertEqual([text for text in found if VIOLATION in text], [])

    def test_a_purchase_that_fails_and_one_that_breaks(self):
        page = self.checkout()
        self.press(page, "Decline")
        self.see(page.get_by_text("Nothing was bought."))
        self.elsewhere.clear()
        self.assert_usable(page)
        page = self.checkout_again(page)
        page.get_by_role("button", name="Break", exact=True).click()
        self.see(page.get_by_text("The checkout did not load."))
        self.elsewhere.clear()
        self.assert_usable(page)
        self.open(page, "ridge")
        self.assertNotIn(SECRET, page.content())

    def checkout_again(self, page):
        self.follow(page, page.get_by_role("link", name="Start again"))
        self.press(page, "Continue to the checkout")
        return page

    def test_a_script_that_is_not_there(self):
        registry.settings(PLENIGO).sdk_url = "http://127.0.0.1:1/{company_id}.js"
        transaction.commit()
        page = self.checkout()
        self.see(page.get_by_text("The checkout did not load."))
