"""The overview: an empty site is set up and sells, and what needs somebody is cured."""

from datetime import datetime
from niteoweb.click2sell import hooks
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.command import posting
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.provider import SampleRequest
from niteoweb.click2sell.providers.click2sell.sample import form_fields
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases import deliveries
from niteoweb.click2sell.tests.chromium import pages
from niteoweb.click2sell.tests.chromium import pictures
from niteoweb.click2sell.tests.chromium.case import BrowserTestCase
from niteoweb.click2sell.tests.chromium.case import PHONE
from niteoweb.click2sell.tests.chromium.case import WIDTHS
from plone import api
from urllib.parse import urlencode

import requests
import transaction


OVERVIEW = "@@click2sell-overview"
KEY = "Wq7-93fh-kkRz-51Tb-0pLx"
ORDER_PAGE = "https://www.click2sell.example/order/77"
BUYER, PASSWORD = "zoe.mueller@example.org", "Wd7-fk3h-qqRz"


class TestSetUp(BrowserTestCase):
    def start_anew(self):
        pages.forget_everything(self)
        settings = plone_site.settings()
        workflows = api.portal.get_tool("portal_workflow")
        workflows.setDefaultChain("simple_publication_workflow")
        settings.secretkey, settings.mapping, settings.site_address = None, [], ""
        transaction.commit()

    def sell(self):
        sale = SampleRequest(
            "sale",
            "77",
            BUYER,
            "demo-1",
            datetime(2026, 5, 31, 11, 59),
            receipt="C2S-1",
            product_name="Gold",
            price="49.00 EUR",
        )
        form = form_fields(KEY, sale)
        delivery = deliveries.delivery(urlencode(form).encode("ascii"))
        return posting.post(f"{self.url}/@@click2sell", delivery, timeout=60).text

    def test_an_empty_site_sells_after_five_steps(self):
        self.start_anew()
        page = self.window()
        self.open(page, OVERVIEW)
        step = {
            name: page.locator(f"[data-step='{name}']")
            for name in ("provider", "products", "trial", "mail", "pages")
        }
        done = {name: place.get_by_text("done", exact=True) for name, place in step.items()}
        # The address for the provider can be selected, and copied.
        address = step["provider"].get_by_role("textbox").first
        self.assertEqual(address.input_value(), f"{self.url}/@@click2sell")
        step["provider"].get_by_role("button", name="Copy").click()
        self.see(step["provider"].get_by_role("button", name="Copied"))
        page.get_by_label("Secret key of Click2Sell").fill(KEY)
        self.press(page, "Save the key")
        self.see(done["provider"])
        self.assertNotIn(KEY, page.content())
        page.get_by_label("Product id").fill("77")
        page.get_by_label("Name of the new group").fill("gold-members")
        page.get_by_label("Days of access").fill("30")
        page.get_by_label("Name for your buyers").fill("Gold membership")
        self.press(page, "Add")
        self.see(done["products"])
        self.press(page, f"Use {self.url} (the address you are at)")
        self.see(done["mail"])
        page.get_by_label("Title of a new folder").fill("Only for members")
        self.press(page, "Open it to members")
        self.see(step["pages"].get_by_role("link", name="Only for members"))
        page.get_by_label("Order page of Gold membership").fill(ORDER_PAGE)
        self.press(page, "Save")
        self.see(done["pages"])
        step["pages"].get_by_text("As a button, in HTML").click()
        order, button = (
            box.input_value() for box in step["pages"].get_by_role("textbox").all()
        )
        self.assertEqual(
            button,
            f'<a class="btn btn-primary" href="{order}">Buy Gold membership</a>',
        )
        self.assertEqual(order, f"{self.url}/@@click2sell-order?product=77")
        self.assert_usable(page)
        self.follow(page, step["trial"].get_by_role("link", name="Try a purchase"))
        page.get_by_label("E-mail address of the buyer").fill(BUYER)
        self.press(page, "Try it")
        self.see(page.get_by_text("gold-members").first)
        self.assertEqual(self.sell(), "POST successfully parsed.")
        self.stored()
        api.user.get(userid=BUYER).setSecurityProfile(password=PASSWORD)
        transaction.commit()
        self.open(page, OVERVIEW)
        # Complete, it is folded.
        self.see(page.get_by_text("5 of 5 done"))
        answer = requests.get(order, allow_redirects=False, timeout=30)
        self.assertEqual(answer.headers["Location"], ORDER_PAGE)
        folder = "only-for-members"
        self.open(self.window(who=(BUYER, PASSWORD)), folder)
        visitor = self.window(who=("", ""))
        visitor.goto(f"{self.url}/{folder}")
        self.assertIn("/login", visitor.url)


class TestSiteSetup(BrowserTestCase):
    def test_it_leads_to_what_needs_the_owner(self):
        for width, size in WIDTHS.items():
            with self.subTest(width):
                page = self.window(size)
                self.open(page, "@@overview-controlpanel")
                number = ledger.waiting(self.stored())
                self.assert_usable(page)
                pictures.take(page, "site-setup", width)
                self.follow(page, page.get_by_role("link", name=f"Needs you: {number}"))
                self.see(page.get_by_role("heading", name=f"Needs you: {number}"))


class TestLongNames(BrowserTestCase):
    def test_no_page_is_wider_for_a_name_or_an_address_without_a_gap(self):
        from tools.demo import settings

        sale = SampleRequest(
            *("sale", "1", f"{'l' * 60}@example.org", "long-1"),
            datetime(2026, 5, 31, 11, 59),
            receipt="C2S-1",
            first_name="X" * 100,
            last_name="Y" * 100,
            product_name="Gold",
            price="49.00 EUR",
        )
        form = form_fields(settings.SECRET_KEY, sale)
        delivery = deliveries.delivery(urlencode(form).encode("ascii"))
        posting.post(f"{self.url}/@@click2sell", delivery, timeout=60)
        for width, size in WIDTHS.items():
            page = self.window(size)
            for path in ("@@click2sell-members", "@@click2sell-notifications"):
                with self.subTest(path, width=width):
                    self.open(page, path)
                    self.see(page.get_by_text("X" * 100).first)
                    self.assert_usable(page)


class TestCures(BrowserTestCase):
    def outcome(self, key):
        return ledger.get(self.stored(), key)["outcome"]

    def test_a_group_is_created_for_all_who_wait_for_it(self):
        key = pages.key_of(self, Outcome.ATTENTION, "group missing")
        buyer = ledger.get(self.portal, key)["buyer"]
        page = self.window(PHONE)
        self.open(page, OVERVIEW)
        before = ledger.waiting(self.portal)
        self.see(page.get_by_role("heading", name=f"Needs you: {before}"))
        self.press(page, "Create the group archive-readers")
        self.see(page.get_by_text("Notifications settled: 1"))
        self.see(page.get_by_role("heading", name=f"Needs you: {before - 1}"))
        self.assertEqual(self.outcome(key), Outcome.ACCEPTED)
        self.assertIn("archive-readers", api.user.get(userid=buyer).getGroups())
        self.assert_usable(page)

    def test_a_failed_one_is_tried_again(self):
        key = pages.key_of(self, Outcome.FAILED)
        page = self.window()
        self.open(page, OVERVIEW)
        self.press(page, "Try again now")
        self.see(page.get_by_text("Processed again: 1, failed again: 0"))
        self.assertEqual(self.outcome(key), Outcome.ACCEPTED)

    def test_an_account_is_connected_after_a_preview(self):
        key = pages.key_of(self, Outcome.ATTENTION, "account not certain")
        page = self.window()
        self.open(page, OVERVIEW)
        self.press(page, "Connect the account studio")
        self.assertEqual(self.outcome(key), Outcome.ATTENTION)
        # The second click cures it.
        with page.expect_navigation():
            page.locator("#preview button[name='confirm']").click()
        self.assertEqual(self.outcome(key), Outcome.ACCEPTED)
        self.assertIn("paying-members", api.user.get(userid="studio").getGroups())

    def needs(self, page):
        """What the heading of the overview counts."""
        self.open(page, OVERVIEW)
        return int(page.locator("#needs h2").inner_text().rpartition(" ")[2])

    def test_access_is_given_for_payments_that_gave_none(self):
        for name in ("Yasmin Zajc", "Noah Ivanova"):
            with self.subTest(name):
                page = self.window(PHONE)
                before = self.needs(page)
                cure = page.get_by_role("link", name=f"Give access to {name}", exact=True)
                self.follow(page, cure)
                # The rest is filled in.
                page.get_by_label("Reason").fill("Paid, as the provider's page shows")
                self.press(page, pages.DECIDE)
                self.press(page, pages.GRANT)
                self.see(page.get_by_text("Access was given.").first)
                self.see(page.get_by_role("heading", name=f"Needs you: {before - 1}"))

    def test_what_an_owner_has_seen_is_dismissed(self):
        for name, cure in (
            ("Wilma Ivanova", "Dismiss"),
            ("Wanda Webber", "Dismiss"),
            ("Mal Content", "Decide whose payment it is"),
        ):
            with self.subTest(name):
                page = self.window()
                before = self.needs(page)
                row = page.locator("#needs li").filter(has_text=name)
                self.follow(page, row.get_by_role("link", name=cure))
                decision = page.locator("#content details").filter(
                    has=page.locator("input[name='what'][value='dismiss']")
                )
                if decision.get_attribute("open") is None:
                    decision.locator("summary").click()
                decision.get_by_label("Reason").fill("Asked at the provider")
                with page.expect_navigation():
                    decision.get_by_role("button", name="Dismiss").click()
                with page.expect_navigation():
                    page.locator("#preview button[name='confirm']").click()
                self.assertEqual(self.needs(page), before - 1)


class TestSecondClick(BrowserTestCase):
    """A double click on a button that would do something twice."""

    def click_twice(self, page, name):
        asked = []
        page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
        page.wait_for_load_state("networkidle")
        with page.expect_navigation():
            page.get_by_role("button", name=name, exact=True).evaluate(
                "button => { button.click(); button.click(); }"
            )
        self.assertEqual(len(asked), 1)

    def test_the_confirmation_of_an_act(self):
        buyer_id = next(iter(trees.tree(self.stored(), "buyers")))
        page = self.window()
        self.open(page, f"@@click2sell-members/{buyer_id}/note")
        page.get_by_label("Note").fill("Sent flowers")
        self.press(page, "Show what this would change")
        self.click_twice(page, "Add a note")
        self.see(page.get_by_text("The note was saved."))
        notes = [note["text"] for note in buyers.get(self.stored(), buyer_id)["notes"]]
        self.assertEqual(notes.count("Sent flowers"), 1)

    def test_a_receiver_of_events(self):
        before = len(hooks.receivers.every(self.stored()))
        page = self.window()
        self.open(page, "@@click2sell-hooks")
        page.get_by_label("Address of the receiver").fill("https://crm.example.org/in")
        self.click_twice(page, "Add the receiver")
        # The secret of the receiver that was added is shown, and that once.
        self.see(page.get_by_text("This is the secret of the new receiver."))
        self.assertEqual(len(hooks.receivers.every(self.stored())), before + 1)
        remove = page.get_by_role("button", name="Remove with all that waits")
        self.assertEqual(remove.count(), 0)
        page.get_by_text("Remove this receiver").last.click()
        remove.click()
        self.see(page.get_by_text("The receiver was removed."))
        self.assertEqual(len(hooks.receivers.every(self.stored())), before)
