"""Site Setup: the pages of the members."""

from dataclasses import replace
from niteoweb.click2sell.browser.desk import member
from niteoweb.click2sell.browser.desk import members
from niteoweb.click2sell.browser.desk.ownerpage import ListPage
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.entitlement.period import State
from niteoweb.click2sell.explain import groups
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import search
from niteoweb.click2sell.mail import farewells
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.report import happenings
from niteoweb.click2sell.report import labels
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.entries import fill
from niteoweb.click2sell.tests.cases.pages import MembersTestCase
from niteoweb.click2sell.tests.cases.pages import NOBODY
from niteoweb.click2sell.tests.cases.pages import OTHER
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from niteoweb.click2sell.tests.cases.pages import SCRIPT
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.worker import sweep
from plone import api
from unittest import mock

import html
import re
import transaction


class TestList(MembersTestCase):
    def people(self, browser) -> list[str]:
        """The addresses in the list."""
        return [row[0].split()[-1] for row in self.rows(browser)]

    def test_a_row(self):
        self.settings(mapping=["1|premium|30", "2|course"])
        self.buy()
        self.buy_again(2, product_id="2", product_name="Course")
        self.assertEqual(
            self.rows(self.opened()),
            [
                [
                    f"John Smith {EMAIL}",
                    "Test Product active Jun 02, 2026 10:20 AM Course active unlimited "
                    "never logged in",
                    "Last payment May 03, 2026",
                ]
            ],
        )

    def test_true_is_what_the_site_gives(self):
        self.settings(mapping=["1|absent"])
        self.buy()
        self.assertEqual(
            self.rows(self.opened())[0][1],
            "Test Product paid, no access unlimited no group absent",
        )

    def test_parts_and_their_numbers(self):
        self.settings(mapping=["1|premium|30", "2|course", "3|absent"])
        self.buy()
        self.buy(buyer_email=OTHER, acquirer_transaction_id="T-2", product_id="2")
        self.buy(buyer_email="june@example.org", acquirer_transaction_id="T-3", product_id="3")
        self.later(days=25)
        sweep.sweep()
        self.assert_parts(
            {
                "All": [EMAIL, OTHER, "june@example.org"],
                "With access": [EMAIL, OTHER, "june@example.org"],
                "Ending within 7 days": [EMAIL],
                "Without access": [],
                "Never logged in": [EMAIL, OTHER, "june@example.org"],
                "Buyers who need you": ["june@example.org"],
            }
        )
        self.later(days=10)
        sweep.sweep()
        self.assert_parts(
            {
                "With access": [OTHER, "june@example.org"],
                "Ending within 7 days": [],
                "Without access": [EMAIL],
            }
        )

    def assert_parts(self, expected: dict[str, list[str]]) -> None:
        for part, title in members.CHIPS.items():
            if title in expected:
                with self.subTest(title):
                    browser = self.opened(part=part)
                    self.assertEqual(sorted(self.people(browser)), sorted(expected[title]))
                    chips = browser.contents.partition('id="parts"')[2].partition("</ul>")[0]
                    text = " ".join(re.sub(r"<[^>]*>", " ", chips).split())
                    self.assertIn(f"{title}: {len(expected[title])}", text)

    def test_who_needs_somebody_is_counted_as_on_the_overview(self):
        self.buy()
        # It is refused: the transaction is John's.
        self.buy(buyer_email=OTHER)
        self.assert_parts({"Buyers who need you": [OTHER]})
        refused = ledger.get(self.portal, next(ledger.waiting_keys(self.portal)))
        ledger.dismiss(self.portal, refused)
        transaction.commit()
        self.assertEqual(ledger.waiting(self.portal), 0)
        self.assert_parts({"Buyers who need you": []})

    def test_one_without_a_payment_leads_to_what_needs_somebody(self):
        self.buy(transaction_type="Gift")
        browser = self.opened(part="attention")
        self.assertEqual(self.rows(browser)[0][1], "no product unknown notification")
        browser.getLink("John Smith").click()
        self.assertIn("no payment of this buyer is known", self.text(browser))
        # Of two ways to one page one would be too many.
        self.assertEqual(browser.contents.count(">Give access by hand<"), 1)
        browser.getLink("Show the notification").click()
        self.assertTrue(browser.url.endswith(next(ledger.waiting_keys(self.portal))))

    def test_groups_have_their_titles(self):
        self.settings(mapping=["1|premium"])
        with self.owner():
            api.portal.get_tool("portal_groups").editGroup("premium", title="Premium & more")
            api.portal.get_tool("portal_groups").editGroup("course", title="The course")
        self.buy()
        browser = self.opened(f"/{self.buyer()['id']}")
        self.assertIn('Put in the group "Premium &amp; more"', self.text(browser))
        with self.owner():
            api.group.remove_user(groupname="premium", username=EMAIL)
        browser.reload()
        self.assertIn("out of the group Premium &amp; more on", self.text(browser))
        self.settings(mapping=["1|course"])
        browser.open(f"{self.portal.absolute_url()}/@@click2sell-reconcile")
        browser.getControl("Show what would change").click()
        self.assertIn("The course", self.text(browser))
        browser.open(f"{self.url}/grant?address={OTHER}&product=click2sell+1&reason=test")
        browser.getControl("Show what this would change").click()
        self.assertIn("The course", self.text(browser))

    def test_one_who_is_found_is_shown(self):
        self.buy()
        browser = self.opened(search="smith")
        self.assertTrue(browser.url.endswith(f"/{self.buyer()['id']}"), browser.url)

    def test_the_latest_payment_first(self):
        self.buy()
        self.later(days=1)
        self.buy(buyer_email=OTHER, acquirer_transaction_id="T-2", buyer_name="Jane")
        self.assertEqual(self.people(self.opened()), [OTHER, EMAIL])
        self.later(days=1)
        self.buy_again(3)
        self.assertEqual(self.people(self.opened()), [EMAIL, OTHER])

    def test_search(self):
        self.buy()
        self.buy(buyer_email=OTHER, acquirer_transaction_id="T-2", buyer_name="Jané")
        for text, expected in (
            ("jane", [OTHER]),
            ("smith", [EMAIL, OTHER]),
            ("JOHN@example.org", [EMAIL]),
            ("R-1 jane", [OTHER]),
            ("nobody", []),
        ):
            with self.subTest(text):
                browser = self.opened(search=text, all="1")
                self.assertEqual(sorted(self.people(browser)), sorted(expected))
                self.assertEqual(browser.getControl(name="search").value, text)
        self.assertIn("No buyer found.", self.text(self.opened(search="nobody")))

    def test_pages(self):
        with mock.patch.object(ListPage, "size", 2):
            for number in range(5):
                self.later(minutes=1)
                self.buy(
                    buyer_email=f"b{number}@example.org", acquirer_transaction_id=f"T-{number}"
                )
            found = []
            for start in (0, 2, 4):
                found += [one[:2] for one in self.people(self.opened(b_start=start))]
            self.assertEqual(found, ["b4", "b3", "b2", "b1", "b0"])
            self.assertEqual(self.rows(self.opened(b_start=-1)), self.rows(self.opened()))
            self.assertEqual(len(self.rows(self.opened(b_start="x"))), 2)
            self.assertEqual(len(self.rows(self.opened(b_start=99))), 1)
            browser = self.opened(search="smith")
            self.assertIn("search=smith", browser.contents.partition("pagination")[2])

    def test_very_many(self):
        self.buy()
        self.buy(buyer_email=OTHER, acquirer_transaction_id="T-2")
        with mock.patch("niteoweb.click2sell.ledger.ledger.CAPPED", 1):
            text = self.text(self.opened(search="smith"))
        self.assertIn("Showing the first", text)
        # So many that nobody was found by looking at some of them.
        found = mock.patch.object(search, "buyers", lambda site, text: search.Found((), True))
        with found:
            text = self.text(self.opened(search="smith"))
        self.assertIn("Too many matches to look at all.", text)
        self.assertNotIn("Nobody", text)

    def test_nothing_yet(self):
        self.assertIn("Nobody has bought yet", self.text(self.opened()))
        self.refund()
        self.assertIn("Nobody has paid yet", self.text(self.opened()))

    def test_who_may(self):
        self.buy()
        for who, allowed in (
            (self.person("viewer", permissions=("View purchases",)), True),
            (self.person("siteadmin", "Site Administrator"), True),
            (self.person("operator", permissions=("Operate purchases", "Configure")), False),
            (self.person("editor", "Editor"), False),
            (NOBODY, False),
        ):
            for path in ("", f"/{self.buyer()['id']}"):
                with self.subTest(who, path=path):
                    browser = self.opened(path, who=who)
                    self.assertIs(EMAIL in browser.contents, allowed)

    def test_members_as_a_file(self):
        self.buy()
        browser = self.opened()
        browser.getControl("Download as CSV").click()
        self.assertIn("text/csv", browser.headers["Content-Type"])
        self.assertIn(EMAIL, browser.contents)

    def test_the_way_to_the_import_for_who_may(self):
        viewer = self.person("viewer", permissions=("View purchases",))
        self.assertNotIn("@@click2sell-import", self.opened(who=viewer).contents)
        browser = self.opened()
        browser.getLink("Import members").click()
        self.assertIn("Show the preview", self.text(browser))

    def test_it_is_a_tab(self):
        browser = self.opened()
        tab = re.search(r'<a class="nav-link active"[^>]*>([^<]+)', browser.contents)
        self.assertEqual(tab.group(1), "Members")

    def test_a_page_costs_the_same_with_many_buyers(self):
        def loads():
            connection = self.portal._p_jar
            transaction.commit()
            connection.cacheMinimize()
            connection.getTransferCounts(clear=True)
            view = members.buyerlist.BuyerList(self.portal, now=self.now)
            rows = view.rows(0, 25) + view.rows(view.total - 25, 25)
            self.assertEqual(len(rows), 50)
            return connection.getTransferCounts(clear=True)[0]

        fill(self.portal, range(800))
        few = loads()
        fill(self.portal, range(800, 2400))
        # Eight for each of 50 buyers at most, if all are in other buckets, and the trees.
        self.assertLessEqual(loads(), min(few + 60, 50 * 8 + 40))


class TestMember(MembersTestCase):
    def member_page(self, address=EMAIL, **query):
        return self.opened(f"/{self.buyer(address)['id']}", **query)

    def answer(self, address=EMAIL):
        """The answer to a buyer who asks."""
        _before, _id, rest = self.member_page(address).contents.partition('id="answer-text"')
        return html.unescape(rest.partition("</textarea>")[0])

    def test_what_is_explained(self):
        self.settings(mapping=["# premium", "1|premium|30"])
        self.buy(c2s_transaction_id="R-123")
        self.group("vip")
        with self.owner():
            api.group.add_user(groupname="vip", username=EMAIL)
        with self.owner():
            self.member().setMemberProperties({"login_time": "2026/05/04 10:00:00"})
        browser = self.member_page()
        text = self.text(browser)
        self.assertIn("The buyer has access, and everything is fine.", text)
        self.assertIn("Because of purchase R-123 on May 03, 2026: Test Product", text)
        self.assertIn(
            "Because of purchase R-123 on May 03, 2026: the group of all buyers", text
        )
        self.assertIn("vip added by hand Added by hand.", text)
        self.assertIn("Test Product active since May 03, 2026", text)
        self.assertIn("created for the first purchase", text)
        self.assertIn('Put in the group "premium"', text)
        self.assertIn(f"/@@click2sell-notifications/{self.key()}", browser.contents)
        self.assertIn("@@user-information?userid=john%40example.org", browser.contents)
        self.assertEqual(browser.headers["Cache-Control"], "no-store")

    def test_three_clicks(self):
        self.settings(mapping=["1|absent"])
        self.buy(c2s_transaction_id="R-123")
        browser = self.opened()
        browser.getControl(name="search").value = "r-123"
        browser.getForm(action=self.url, index=0).submit()
        self.assertIn('The group "absent" does not exist', self.text(browser))

    def test_the_way_to_what_is_stored(self):
        self.buy()
        browser = self.member_page()
        browser.getLink("Download or erase").click()
        self.assertEqual(browser.getControl("E-mail address").value, EMAIL)
        self.assertIn("Download all of it", self.text(browser))

    def test_why_not_with_the_notification_that_it_comes_from(self):
        self.account("john", login="john")
        self.buy()
        browser = self.member_page()
        self.assertIn("Paid on May 03, 2026", self.text(browser))
        self.assertIn("the payment needs your attention.", self.text(browser))
        browser.getLink("Show the notification").click()
        self.assertIn(self.key(), browser.url)

    def test_a_missing_group_leads_to_the_notification_that_waits_for_it(self):
        self.settings(mapping=["1|absent"])
        self.buy()
        browser = self.member_page()
        self.assertIn('The group "absent" does not exist', self.text(browser))
        browser.getLink("Show the notification").click()
        self.assertIn(self.key(), browser.url)

    def test_the_answer_to_the_buyer(self):
        """A payment that was charged back was not refunded."""
        self.buy()
        self.assertIn('use "Get help" there', self.answer())
        browser = self.browser(("", ""))
        browser.open(f"{self.portal.absolute_url()}/login")
        self.assertIn(">Get help</a>", browser.contents)
        self.refund()
        self.assertIn("was refunded on May 03, 2026, so your access ended", self.answer())
        other = {"buyer_email": OTHER, "acquirer_transaction_id": "T-2"}
        self.buy(**other)
        refund = self.notification(transaction_type="Refund", **other)
        pipeline.process(replace(refund, kind=Kind.CHARGEBACK))
        answer = self.answer(OTHER)
        self.assertIn("was charged back on May 03, 2026, so your access ended", answer)
        self.assertNotIn("refunded", answer)

    def test_a_line_that_is_gone(self):
        self.buy()
        self.settings(mapping=[])
        self.assertIn("which does not give this group any more", self.text(self.member_page()))

    def test_what_came_from_outside_is_escaped(self):
        self.buy(
            buyer_name=SCRIPT,
            product_name=SCRIPT,
            c2s_transaction_id=SCRIPT,
        )
        for browser in (self.member_page(), self.opened(), self.opened(search=SCRIPT, all="1")):
            self.assertNotIn(SCRIPT, browser.contents)
            self.assertIn("&lt;script&gt;", browser.contents)

    def test_a_deleted_account(self):
        self.buy()
        with self.owner():
            self.portal.portal_membership.deleteMembers([EMAIL])
        text = self.text(self.member_page())
        self.assertIn("No access: the account was deleted on", text)
        self.assertIn(f"The account {EMAIL} was deleted", text)

    def test_a_long_history(self):
        self.buy()
        with mock.patch.object(member, "RECENT", 2):
            browser = self.member_page()
            self.assertNotIn("The account", self.text(browser))
            browser.getLink("older ones").click()
            self.assertIn("The account", self.text(browser))

    def test_nobody(self):
        self.buy()
        for path in ("/nobody", f"/{self.buyer()['id']}/more"):
            self.assertIn("404", self.opened(path).headers["Status"])

    def test_nothing_is_written(self):
        self.buy()
        self.member_page()
        before = self.last_transaction()
        self.member_page()
        self.opened(search="john")
        self.assertEqual(self.last_transaction(), before)

    def test_everything_has_a_word(self):
        self.assertEqual(set(labels.STATES), set(State))
        self.assertIn(groups.WAITING, member.GROUPS)
        self.assertEqual(
            set(happenings.MAILS),
            {outbox.WELCOME, outbox.NOTICE, outbox.CLAIM, outbox.LINK, *farewells.KINDS},
        )
        for event in (buyers.MADE, buyers.ATTACHED, buyers.DELETED, buyers.GIVEN, buyers.ENDED):
            self.assertIn(event, happenings.EVENTS)


class TestNotificationsSearch(PageTestCase):
    def test_search(self):
        self.buy()
        self.later(days=1)
        self.buy(buyer_email=OTHER, buyer_name="Jane", acquirer_transaction_id="T-77")
        for text, expected in (
            ("t-77", [OTHER]),
            ("smith", [OTHER, EMAIL]),
            ("john", [EMAIL]),
            ("nobody", []),
        ):
            with self.subTest(text):
                self.assertEqual(self.buyers(self.opened(search=text)), expected)
        self.assertEqual(self.buyers(self.opened(search="smith", outcome="failed")), [])
        self.assertEqual(len(trees.tree(self.portal, "buyers")), 2)
