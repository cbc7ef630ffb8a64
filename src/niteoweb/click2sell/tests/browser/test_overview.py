"""The overview's acts: cures that do no harm, the steps of the set-up, and what they refuse."""

from lxml import html
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.browser.desk import cures
from niteoweb.click2sell.browser.settings.producttable import NEW
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import unreadable
from niteoweb.click2sell.providers.plenigo.provider import PROVIDER as PLENIGO
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import plan
from niteoweb.click2sell.settings import ownaddress
from niteoweb.click2sell.setup import memberspage
from niteoweb.click2sell.storage import NotPossible
from niteoweb.click2sell.storage import schedule
from niteoweb.click2sell.tests.cases.pages import OTHER
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from plone import api
from unittest import mock
from urllib.parse import urlencode
from zExceptions import Unauthorized

import os
import re
import transaction


KEY = "Wq7-93fh-kkRz-51Tb-0pLx"
ORDER_PAGE = "https://shop.example/gold"


class OverviewTestCase(PageTestCase):
    def setUp(self):
        super().setUp()
        self.url = f"{self.portal.absolute_url()}/@@click2sell-overview"

    def act(self, who=None, **values):
        """Post to the overview with its token, and follow it back.

        :returns: the text of the page.
        """
        return self.text(self.answer(who, **values))

    def answer(self, who=None, **values):
        """As above; returns the browser."""
        browser = self.opened(who=who) if who else self.opened()
        token = re.search(r'name="_authenticator"\s+value="(\w+)"', browser.contents)
        # A page without a button has no token; that of another page is as good.
        if token is None:
            browser.open(f"{self.portal.absolute_url()}/@@click2sell-check")
            token = re.search(r'name="_authenticator"\s+value="(\w+)"', browser.contents)
        browser.open(self.url, urlencode({"_authenticator": token[1], **values}))
        transaction.begin()
        return browser


class TestNumber(OverviewTestCase):
    """The tab of the overview has the number of what needs the reader, on every page."""

    PAGES = ("overview", "members", "notifications", "report", "settings", "check", "import")

    def numbers(self, **who):
        here = self.portal.absolute_url()
        for page in self.PAGES:
            self.url = f"{here}/@@click2sell-{page}"
            contents = self.opened(**who).contents
            tabs = re.search(r"<nav[^>]*Memberships.*?</nav>", contents, re.DOTALL)
            number = r'<span aria-hidden="true">(\d+)</span><span class="visually-hidden">'
            yield re.findall(rf"Overview <span[^>]*>{number}Needs you: (\d+)</span>", tabs[0])

    def test_is_that_of_the_overview(self):
        self.settings(site_address=self.portal.absolute_url())
        self.assertEqual(list(self.numbers()), [[]] * len(self.PAGES))
        self.buy()
        self.buy(buyer_email=OTHER)
        self.buy_again(transaction_type="Gift")
        self.assertEqual(ledger.waiting(self.portal), 2)
        self.assertEqual(list(self.numbers()), [[("2", "2")]] * len(self.PAGES))
        schedule.end(self.portal, schedule.Run(self.now, schedule.CLOCK, 1.0, {}, None))
        transaction.commit()
        self.later(hours=1)
        self.assertEqual(list(self.numbers()), [[("3", "3")]] * len(self.PAGES))

    def test_is_for_whom_it_needs(self):
        self.buy(transaction_type="Gift")
        self.PAGES = ("overview",)
        viewer = self.person("viewer", permissions=("View purchases",))
        self.assertEqual(list(self.numbers(who=viewer)), [[("1", "1")]])
        operator = self.person("operator", permissions=("Operate purchases",))
        self.assertEqual(list(self.numbers(who=operator)), [[]])


class TestSiteSetup(OverviewTestCase):
    """Plone's Site Setup has the number, too, for those who may view purchases."""

    def notice(self, **who):
        self.url = f"{self.portal.absolute_url()}/@@overview-controlpanel"
        contents = self.opened(**who).contents
        notice = html.fromstring(contents).xpath("//*[@id='click2sell-needs']")
        return [" ".join(one.text_content().split()) for one in notice]

    def test_has_the_number_of_the_overview(self):
        self.assertEqual(self.notice(), [])
        self.buy(transaction_type="Gift")
        self.assertEqual(self.notice(), ["Memberships Needs you: 1"])
        browser = self.opened()
        browser.getLink("Needs you").click()
        self.assertIn("@@click2sell-overview", browser.url)
        self.assertIn("Needs you: 1", self.text(browser))

    def test_only_on_its_own_page_and_for_whom_it_needs(self):
        self.buy(transaction_type="Gift")
        with self.owner():
            self.portal.manage_permission("Plone Site Setup: Overview", ["Member"], acquire=1)
        transaction.commit()
        self.assertEqual(self.notice(who=self.person("member")), [])
        operator = self.person("operator", permissions=("Operate purchases",))
        self.assertEqual(self.notice(who=operator), [])
        viewer = self.person("viewer", permissions=("View purchases",))
        self.assertEqual(self.notice(who=viewer), ["Memberships Needs you: 1"])
        browser = self.browser()
        browser.open(f"{self.portal.absolute_url()}/@@mail-controlpanel")
        self.assertNotIn("click2sell-needs", browser.contents)


class TestCures(OverviewTestCase):
    def test_a_group_for_all_who_wait_for_it(self):
        self.settings(mapping=["1|late"])
        self.buy()
        self.buy(buyer_email=OTHER, acquirer_transaction_id="T-2")
        self.assertEqual(ledger.waiting(self.portal), 2)
        browser = self.opened()
        self.assertIn("Needs you: 2", self.text(browser))
        browser.getControl("Create the group late", index=0).click()
        transaction.begin()
        self.assertIn("Notifications settled: 2", self.text(browser))
        self.assertEqual(ledger.waiting(self.portal), 0)
        for address in (EMAIL, OTHER):
            self.assertIn("late", self.groups(address))

    def test_a_group_that_nobody_waits_for_is_not_created(self):
        self.buy()
        self.act(group="somebody-elses-idea")
        self.assertIsNone(api.group.get("somebody-elses-idea"))

    def test_one_that_failed_and_all_of_them(self):
        first = self.fail_to_buy()
        self.fail_to_buy(buyer_email=OTHER, acquirer_transaction_id="T-2")
        self.assertIn("It could not be processed. It will be", self.text(self.opened()))
        self.assertIn("Processed again: 1, failed again: 0", self.act(replay=first))
        self.fail_to_buy(buyer_email="joe@example.org", acquirer_transaction_id="T-3")
        browser = self.opened()
        with mock.patch.object(plan, "make", side_effect=RuntimeError(EMAIL)):
            browser.getControl("Try all failed ones again now").click()
        self.assertIn("Processed again: 0, failed again: 2", self.text(browser))
        self.assertIn("Processed again: 2, failed again: 0", self.act(replay="all"))
        self.assertEqual(ledger.waiting(self.portal), 0)

    def cure(self, text, reason):
        """Follow the cure of a notification, fill its form in, and confirm what it shows.

        :returns: the browser, on the page that follows.
        """
        browser = self.opened()
        link = browser.getLink(text, index=0)
        self.assertEqual(link.text, text)
        link.click()
        forms = (browser.getForm(index=index) for index in range(20))
        form = next(filter(self.asks_why, forms))
        form.getControl(name="reason").value = reason
        form.submit()
        browser.getControl(name="confirm").click()
        transaction.begin()
        return browser

    def asks_why(self, form):
        """Whether a form is that of a command, or of a dismissal among other decisions."""
        fields = form._form.fields
        dismissal = "what" not in fields or fields["what"][0].value == "dismiss"
        return "reason" in fields and dismissal

    def test_one_that_changes_nothing_is_dismissed(self):
        self.buy(transaction_type="Gift")
        browser = self.cure("Dismiss", "a gift")
        self.assertEqual(browser.url, self.url)
        self.assertIn("John Smith: Notification dismissed", self.text(browser))
        self.assertEqual(ledger.waiting(self.portal), 0)

    def test_a_payment_that_gave_nothing(self):
        self.buy(purchase_date="2026-06-30")
        self.assertEqual(self.attention(), [["future", ""]])
        browser = self.cure("Give access to John Smith", "the clock was wrong")
        self.assertEqual(browser.url, self.url)
        self.assertIn("John Smith: Access was given.", self.text(browser))
        self.assertIn("premium", self.groups())
        self.assertEqual(ledger.waiting(self.portal), 0)

    def unreadable(self, **changes):
        payload = {
            "affiliate_email": "partner@example.org",
            "buyer_email": OTHER,
            "buyer_name": "Jane",
            "buyer_surname": "<Doe>",
            "product_id": "1",
            "transaction_type": "Sale",
            **changes,
        }
        key = "0" * 64
        unread = unreadable(key, "click2sell", "T-1", payload, "purchase_date", self.now)
        pipeline.process(unread)
        return key

    def test_a_payment_that_could_not_be_read(self):
        key = self.unreadable()
        text = self.text(self.opened())
        self.assertIn("Jane &lt;Doe&gt;", text)
        self.assertIn("its date or time is missing or cannot be read", text)
        self.assertNotIn("purchase_date", text)
        browser = self.opened()
        browser.open(f"{self.portal.absolute_url()}/@@click2sell-notifications/{key}")
        text = self.text(browser)
        self.assertIn("Could not be read purchase_date", text)
        self.assertIn(f"Name Jane &lt;Doe&gt; Address of the buyer {OTHER}", text)
        browser = self.cure("Give access to Jane <Doe>", "paid")
        self.assertEqual(browser.url, self.url)
        self.assertIn("Jane &lt;Doe&gt;: Access was given.", self.text(browser))
        self.assertIn("premium", self.groups(OTHER))
        self.assertEqual(ledger.waiting(self.portal), 0)

    def test_money_that_went_back_and_could_not_be_read_gives_no_access(self):
        self.unreadable(transaction_type="Refund")
        self.assertNotIn("Give access", self.text(self.opened()))
        self.cure("Dismiss", "settled at the provider")
        self.assertEqual(ledger.waiting(self.portal), 0)

    def test_a_refund_without_its_payment(self):
        self.settings(unmatched_refund_needs_attention=True)
        self.buy()
        self.later(days=1)
        self.refund(acquirer_transaction_id="T-9", c2s_transaction_id="R-9")
        self.assertIn("premium", self.groups())
        browser = self.cure("End the access of John Smith", "refunded")
        self.assertEqual(browser.url, self.url)
        self.assertIn(": Access was ended.", self.text(browser))
        self.assertNotIn("premium", self.groups())
        self.assertEqual(ledger.waiting(self.portal), 0)

    def test_no_cure_is_without_a_name(self):
        self.buy(transaction_type="Gift")
        entry = ledger.get(self.portal, self.key())
        for reason in Reason:
            with self.subTest(reason):
                ledger.set_outcome(self.portal, entry, Outcome.ATTENTION, reason, "some")
                self.assertIn("btn-primary", cures.of_entry(self.portal, entry).__html__())

    def stored_with(self, reason, outcome=Outcome.ATTENTION):
        """A sale that needs somebody for some reason."""
        self.buy(transaction_type="Gift")
        entry = ledger.get(self.portal, self.key())
        ledger.set_outcome(self.portal, entry, outcome, reason, "some")
        transaction.commit()

    def test_one_that_was_not_processed_yet(self):
        self.stored_with("", Outcome.RECEIVED)
        received = ledger.get(self.portal, self.key())
        with mock.patch.object(ledger, "waiting_keys", return_value=[received["key"]]):
            browser = self.opened()
        browser.getControl("Try again now").click()
        self.assertEqual(browser.getLink("Cancel").url, self.url)
        browser.getControl("Process it again").click()
        self.assertEqual(browser.url, self.url)
        self.assertIn("was processed again", self.text(browser))

    def test_a_setting(self):
        for button in ("Save", "Cancel"):
            with self.subTest(button):
                self.stored_with(Reason.TOO_MANY)
                browser = self.opened()
                browser.getLink("Raise the limit in the settings").click()
                browser.getControl("Maximum number of new accounts").value = "many"
                browser.getControl("Save").click()
                self.assertNotEqual(browser.url, self.url)
                browser.getControl("Maximum number of new accounts").value = "7"
                browser.getControl(button).click()
                self.assertEqual(browser.url, self.url)

    def test_a_buyer_who_is_erased(self):
        self.stored_with(Reason.CUSTOMER_DELETED)
        browser = self.opened()
        browser.getLink("Erase the buyer").click()
        browser.getControl("Show what would be erased").click()
        self.assertEqual(browser.getLink("Cancel").url, self.url)
        browser.getControl(name="reason").value = "the customer is gone"
        browser.getControl("Erase for good").click()
        transaction.begin()
        self.assertEqual(browser.url, self.url)
        self.assertIn("The buyer was erased.", self.text(browser))

    def test_a_form_that_is_left_leads_back(self):
        self.buy(purchase_date="2026-06-30")
        browser = self.opened()
        browser.getLink("Give access to John Smith").click()
        self.assertEqual(browser.getLink("Cancel").url, self.url)
        # No other page than the cures' own is gone back to.
        away = browser.url.replace("back=overview", "back=https%3A%2F%2Fevil.example")
        self.assertIn("evil", away)
        browser.open(away)
        self.assertNotIn("evil", browser.contents.partition("<main")[2])
        self.assertNotEqual(browser.getLink("Cancel").url, self.url)

    def test_a_press_that_names_nothing_to_do(self):
        self.buy()
        before = self.dump()
        for values in ({"replay": "0" * 64}, {"replay": "all"}, {"step": "other"}, {}):
            with self.subTest(values):
                self.act(**values)
                self.assertEqual(self.dump(), before)

    def test_who_may_only_view_cures_nothing(self):
        self.settings(mapping=["1|late"])
        self.buy()
        viewer = self.person("viewer", permissions=("View purchases",))
        browser = self.opened(who=viewer)
        browser.open(self.url, urlencode({"group": "late"}))
        transaction.begin()
        self.assertIsNone(api.group.get("late"))


class TestCheck(OverviewTestCase):
    """The automatic check, when it has stopped, needs somebody."""

    def has_run(self, stopped=None):
        run = schedule.Run(self.now, schedule.CLOCK, 1.0, {}, stopped)
        schedule.end(self.portal, run)
        transaction.commit()

    def test_one_that_is_late(self):
        self.settings(site_address=self.portal.absolute_url())
        self.has_run()
        self.later(minutes=30)
        self.assertNotIn("Needs you", self.text(self.opened()))
        self.later(minutes=1)
        browser = self.opened()
        self.assertIn("Needs you: 1", self.text(browser))
        self.assertIn("Last run 31 min ago. It is late.", self.text(browser))
        browser.getLink("Run it now").click()
        browser.getControl("Run it now").click()
        transaction.begin()
        self.assertIn("The check has run.", self.text(browser))
        self.assertNotIn("Needs you", self.text(self.opened()))

    def test_one_that_stopped(self):
        self.settings(site_address=self.portal.absolute_url())
        self.buy(transaction_type="Gift")
        self.has_run({"members": 40, "limit": 20})
        browser = self.opened()
        self.assertIn("Needs you: 2", self.text(browser))
        self.assertIn("It stopped: 40 members would have lost", self.text(browser))
        browser.getLink("Look at it").click()
        self.assertIn("What is due now", self.text(browser))
        operator = self.person("operator", permissions=("Operate purchases",))
        text = self.text(self.opened(who=operator))
        self.assertIn("Needs you: 1", text)
        self.assertNotIn(EMAIL, text)
        viewer = self.person("viewer", permissions=("View purchases",))
        self.assertNotIn("Look at it", self.text(self.opened(who=viewer)))

    def test_on_a_copy_and_before_the_set_up_it_may_rest(self):
        self.has_run()
        self.later(days=1)
        self.assertNotIn("Needs you", self.text(self.opened()))
        self.settings(site_address=self.portal.absolute_url())
        self.assertIn("Needs you: 1", self.text(self.opened()))
        with mock.patch.dict(os.environ, CLICK2SELL_STAGING="1"):
            self.assertNotIn("Needs you", self.text(self.opened()))


class TestChecklist(OverviewTestCase):
    def test_each_check_that_needs_something_leads_where_it_is_put_right(self):
        self.settings(mapping=["1|missing"], site_address="")
        browser = self.opened()
        row = browser.contents.partition('data-item="groups"')[2].partition("data-item")[0]
        self.assertIn("@@click2sell-settings", row)
        row = browser.contents.partition('data-item="last_sweep"')[2].partition("data-item")[0]
        self.assertIn("@@click2sell-check", row)
        self.settings(mapping=["1|premium"])
        browser = self.opened()
        row = browser.contents.partition('data-item="groups"')[2].partition("data-item")[0]
        self.assertNotIn("@@click2sell-settings", row)


class TestSteps(OverviewTestCase):
    def setUp(self):
        super().setUp()
        self.settings(secretkey=None, mapping=[], site_address="")

    def stored(self):
        return plone_site.settings()

    def test_the_key(self):
        self.assertIn("Enter the secret key.", self.act(step="key", key=" "))
        text = self.act(step="key", key=f" {KEY} ")
        self.assertIn("The secret key was saved.", text)
        self.assertNotIn(KEY, text)
        self.assertEqual(self.stored().secretkey, KEY)

    def test_the_addresses_for_the_notifications(self):
        browser = self.opened()
        self.assertIn("notifications at Click2Sell", self.text(browser))
        self.assertIn(f"{self.portal.absolute_url()}/@@click2sell", browser.contents)
        stored = registry.settings(PLENIGO)
        stored.enabled, stored.secretkey = True, "a secret key of plenigo"
        transaction.commit()
        browser = self.opened()
        self.assertIn("notifications at plenigo", self.text(browser))
        self.assertIn(f"{self.portal.absolute_url()}/@@plenigo", browser.contents)
        self.assertNotIn("notifications at Click2Sell", self.text(browser))

    def test_a_product(self):
        self.assertIn("Enter the id of the product", self.act(step="product", product="7"))
        for product in ("#7", "7|8"):
            with self.subTest(product):
                text = self.act(step="product", product=product, group="gold")
                self.assertIn("These characters cannot be used", text)
        text = self.act(step="product", product="7", group="gold", days="never")
        self.assertNotIn("The product was added.", text)
        self.assertEqual((self.stored().mapping, api.group.get("gold")), ([], None))
        values = {"product": "7", "group": "gold", "days": "30", "title": "Gold"}
        self.assertIn("The product was added.", self.act(step="product", **values))
        self.assertEqual(self.stored().mapping, ["7|gold|30|title=Gold"])
        self.assertIsNotNone(api.group.get("gold"))
        browser = self.opened()
        self.assertIn("Gold: gold", self.text(browser))

    def test_a_group_is_chosen_or_created(self):
        browser = self.opened()
        self.assertIn("premium", browser.getControl(name="group").options)
        self.assertNotIn("Administrators", browser.getControl(name="group").options)
        browser.getControl(name="product").value = "7"
        browser.getControl("Add").click()
        self.assertIn("Enter the id of the product and the name", self.text(browser))
        browser.getControl(name="product").value = "7"
        browser.getControl(name="new_group").value = "gold"
        browser.getControl("Add").click()
        self.assertIn("The product was added.", self.text(browser))
        transaction.begin()
        self.assertEqual(self.stored().mapping, ["7|gold"])
        self.assertIsNotNone(api.group.get("gold"))
        self.settings(mapping=[])
        browser = self.opened()
        browser.getControl(name="product").value = "8"
        browser.getControl(name="group").value = ["premium"]
        browser.getControl(name="new_group").value = "not chosen"
        browser.getControl("Add").click()
        transaction.begin()
        self.assertEqual(self.stored().mapping, ["8|premium"])
        self.assertIsNone(api.group.get("not chosen"))

    def test_a_name_that_no_group_can_have(self):
        text = self.act(step="product", product="7", group="Administrators/..\\<b>")
        self.assertNotIn("The product was added.", text)
        self.assertEqual(self.stored().mapping, [])

    def test_a_field_that_is_wrong_is_named_and_no_line(self):
        fields = {"step": "product", "product": "7", "group": "premium"}
        for name, value, problem in (
            ("days", "thirty", "The days of access must be a whole number from 1 to 36500."),
            ("order", "x.org", "The order page must be an address that begins with https://"),
        ):
            text = self.act(**fields, **{name: value})
            self.assertIn(problem, text)
            self.assertNotIn("Line 1", text)
        self.assertEqual(self.stored().mapping, [])

    def test_what_was_typed_need_not_be_typed_again(self):
        typed = {"product": "77", "new_group": "gold!", "title": "<Gold>", "days": "5"}
        page = html.fromstring(self.answer(step="product", group=NEW, **typed).contents)
        for name, value in typed.items():
            (field,) = page.xpath(f"//li[@data-step='products']//input[@name='{name}']/@value")
            self.assertEqual(field, value)
        self.assertIn("use letters from A to Z, digits", page.text_content())
        self.assertEqual(self.stored().mapping, [])

    def test_the_address(self):
        # This is not the address of any site.
        self.assertNotIn("was saved", self.act(step="address"))
        self.assertEqual(self.stored().site_address, "")
        here = "https://www.example.org"
        with mock.patch.object(ownaddress, "requested", return_value=here):
            self.assertIn("The public address was saved.", self.act(step="address"))
        self.assertEqual(self.stored().site_address, here)

    def test_an_order_page(self):
        self.settings(mapping=["1|premium|30", "1|course|30", "2|course"])
        self.assertIn("Enter the address", self.act(step="order", link="order-0"))
        self.assertIn("Enter the address", self.act(step="order", link="x", order=ORDER_PAGE))
        text = self.act(step="order", link="order-0", order="javascript:alert(1)")
        self.assertNotIn("The order page was saved.", text)
        self.assertIn("The order page must be an address", text)
        text = self.act(step="order", link="order-0", order=ORDER_PAGE)
        self.assertIn("The order page was saved.", text)
        self.assertEqual(
            self.stored().mapping,
            [f"1|premium|30|order={ORDER_PAGE}", "1|course|30", "2|course"],
        )
        self.assertIn("@@click2sell-order?product=1", self.opened().contents)

    def test_a_button_to_paste_into_a_page(self):
        self.settings(
            mapping=[f"1|premium|title=Gold & <b>more|order={ORDER_PAGE}", "2|course"]
        )
        buttons = html.fromstring(self.opened().contents).xpath(
            "//input[starts-with(@id, 'button-')]/@value"
        )
        url = f"{self.portal.absolute_url()}/@@click2sell-order?product=1"
        text = "Buy Gold &amp; &lt;b&gt;more"
        expected = f'<a class="btn btn-primary" href="{url}">{text}</a>'
        self.assertEqual(buttons, [expected])
        # Plone's filter for the texts of pages leaves it as it is.
        transforms = api.portal.get_tool("portal_transforms")
        kept = transforms.convertTo("text/x-html-safe", expected, mimetype="text/html")
        self.assertEqual(str(kept).strip(), expected)

    def test_only_who_may_configure_sets_up(self):
        viewer = self.person("viewer", permissions=("View purchases", "Operate purchases"))
        browser = self.opened(who=viewer)
        browser.open(self.url, urlencode({"step": "key", "key": KEY}))
        self.act(who=viewer, step="key", key=KEY)
        self.assertIsNone(self.stored().secretkey)


class TestMembersPage(OverviewTestCase):
    def setUp(self):
        super().setUp()
        self.settings(mapping=["1|premium"])
        workflows = api.portal.get_tool("portal_workflow")
        workflows.setDefaultChain("simple_publication_workflow")
        transaction.commit()

    def test_a_new_folder(self):
        self.assertIn("Choose a group.", self.act(step="folder", group="course", title="X"))
        self.assertIn("Enter a title", self.act(step="folder", group="premium"))
        text = self.act(step="folder", group="premium", title="Only for members")
        self.assertIn("Only for members is private, and members of premium can read it.", text)
        folder = self.portal["only-for-members"]
        self.assertEqual(api.content.get_state(folder), "private")
        self.assertIn("Reader", folder.get_local_roles_for_userid("premium"))

    def test_a_folder_with_a_page_that_stays_public(self):
        with self.owner():
            folder = api.content.create(self.portal, "Folder", "lounge", title="Lounge")
            page = api.content.create(folder, "Document", "open", title="Open")
            for one in (folder, page):
                api.content.transition(one, to_state="published")
        transaction.commit()
        text = self.act(step="folder", group="premium", folder="lounge")
        self.assertIn("Lounge is private now", text)
        self.assertIn("stay open to everybody: 1", text)
        self.assertIn(
            "There is no such folder.", self.act(step="folder", group="premium", folder="x")
        )

    def test_without_the_permission_nothing_is_left_behind(self):
        with (
            self.owner(),
            mock.patch.object(memberspage, "_share", side_effect=Unauthorized("Reader")),
            self.assertRaises(NotPossible),
        ):
            memberspage.prepare(self.portal, "", "Only for members", "premium")
        self.assertNotIn("only-for-members", self.portal)

    def test_without_a_private_state_nothing_is_left_behind(self):
        api.portal.get_tool("portal_workflow").setDefaultChain("one_state_workflow")
        transaction.commit()
        text = self.act(step="folder", group="premium", title="Only for members")
        self.assertIn("its workflow has no private state", text)
        self.assertNotIn("only-for-members", self.portal)

    def test_a_site_that_allows_no_folder(self):
        with (
            self.owner(),
            mock.patch.object(memberspage, "TYPES", ("Nothing",)),
            self.assertRaisesRegex(NotPossible, "may not create a folder"),
        ):
            memberspage.prepare(self.portal, "", "Only for members", "premium")


class TestSelected(PageTestCase):
    """One act for several buyers."""

    def setUp(self):
        super().setUp()
        self.settings(site_address=self.portal.absolute_url(), mapping=["1|premium|30"])
        self.buy()
        self.buy(buyer_email=OTHER, acquirer_transaction_id="T-2")
        self.url = f"{self.portal.absolute_url()}/@@click2sell-members"

    def selected(self, act):
        browser = self.opened()
        browser.getLink("Select all on this page").click()
        browser.getControl(act).click()
        return browser

    def test_extend_after_a_preview(self):
        browser = self.selected("Extend access")
        self.assertIn("For these buyers:", self.text(browser))
        entries = len(self.entries())
        browser.getControl("Show what this would change").click()
        self.assertNotIn("What this would change", self.text(browser))
        browser.getControl(name="days").value = "5"
        browser.getControl(name="reason").value = "The server was down"
        browser.getControl("Show what this would change").click()
        self.assertIn("What this would change", self.text(browser))
        self.assertEqual(len(self.entries()), entries)
        browser.getControl(name="confirm").click()
        self.assertIn("Done for buyers: 2", self.text(browser))
        self.assertEqual(len(self.entries()), entries + 2)

    def test_a_single_buyer(self):
        browser = self.opened()
        browser.getControl(name="buyer").controls[0].selected = True
        browser.getControl("Extend access").click()
        browser.getControl(name="days").value = "5"
        browser.getControl(name="reason").value = "The server was down"
        browser.getControl("Show what this would change").click()
        self.assertIn("What this would change", self.text(browser))
        browser.getControl(name="confirm").click()
        self.assertIn("Done for buyers: 1", self.text(browser))

    def test_mail_again(self):
        browser = self.selected("Mail the welcome mail again")
        browser.getControl("Show what this would change").click()
        self.assertIn("The welcome mail is sent.", self.text(browser))
        browser.getControl(name="confirm").click()
        self.assertIn("Done for buyers: 2", self.text(browser))

    def test_back_from_the_preview_and_nobody_selected(self):
        browser = self.selected("Mail the welcome mail again")
        browser.getControl("Show what this would change").click()
        browser.getControl(name="change").click()
        self.assertIn("For these buyers:", self.text(browser))
        browser = self.opened()
        browser.getControl("Extend access").click()
        self.assertIn("Select at least one buyer.", self.text(browser))

    def test_back_to_the_part_of_the_list(self):
        part = f"{self.url}?part=active"
        for buyers in (0, 1):
            with self.subTest(buyers=buyers):
                browser = self.opened("?part=active")
                browser.getControl(name="buyer").controls[0].selected = bool(buyers)
                browser.getControl("Mail the welcome mail again").click()
                if buyers:
                    self.assertEqual(browser.getLink("Cancel").url, part)
                    browser.getControl("Show what this would change").click()
                    self.assertEqual(browser.getLink("Cancel").url, part)
                    browser.getControl(name="confirm").click()
                self.assertEqual(browser.url, part)

    def test_acts_that_are_none_and_people_who_may_not(self):
        browser = self.opened("/selected")
        self.assertEqual(browser.url, self.url)
        browser.open(f"{self.url}/selected", urlencode({"act": "revoke"}))
        self.assertIn("404", browser.headers["status"])
        viewer = self.person("viewer", permissions=("View purchases",))
        browser = self.opened(who=viewer)
        self.assertNotIn('name="buyer"', browser.contents)
        browser.open(f"{self.url}/selected", urlencode({"act": "extend"}))
        self.assertNotIn("For these buyers:", self.text(browser))
