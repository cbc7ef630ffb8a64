"""A test purchase shows what a true one would lead to, and leaves nothing behind."""

from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.browser.desk import trial as page
from niteoweb.click2sell.mail import delivery
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterInvalid
from niteoweb.click2sell.notification import SecretKeyNotSet
from niteoweb.click2sell.owner import trial
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.cleeng.provider import PROVIDER as CLEENG
from niteoweb.click2sell.providers.click2sell import sample
from niteoweb.click2sell.providers.click2sell.protocol import sign
from niteoweb.click2sell.providers.click2sell.provider import PROVIDER as CLICK2SELL
from niteoweb.click2sell.providers.plenigo.provider import PROVIDER as PLENIGO
from niteoweb.click2sell.provisioning import events
from niteoweb.click2sell.provisioning import plan
from niteoweb.click2sell.testing.layers import MailServer
from niteoweb.click2sell.tests.cases import deliveries
from niteoweb.click2sell.tests.cases.pages import MANAGER
from niteoweb.click2sell.tests.cases.pages import NOBODY
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from niteoweb.click2sell.tests.cases.pages import SCRIPT
from niteoweb.click2sell.tests.cases.site import EMAIL
from unittest import mock
from urllib.parse import parse_qsl
from urllib.parse import urlencode
from zope import event

import re
import transaction


class TrialTestCase(PageTestCase):
    """A site whose purchases are mailed, as a real one's are."""

    def setUp(self):
        super().setUp()
        server = MailServer()
        self.mails = server.__enter__().messages
        self.addCleanup(server.__exit__)
        self.registry(
            site_title="Example Shop",
            smtp_host="127.0.0.1",
            smtp_port=server.port,
            email_from_name="The Shop",
            email_from_address="shop@example.com",
        )
        self.settings(
            welcome_mail="password", notice_mail=True, mapping=["1|premium|30", "2|course"]
        )
        self.url = f"{self.portal.absolute_url()}/@@click2sell-try"

    def tried(self, product="1", address=EMAIL, kind="sale", who=MANAGER):
        """Press the button with these values."""
        browser = self.opened(who=who)
        browser.getControl(name="product").value = product
        browser.getControl(name="address").value = address
        browser.getControl(name="kind").value = [kind]
        browser.getControl("Try it").click()
        return browser

    def result(self, *args, **kwargs) -> str:
        """The visible text of the result."""
        return self.text(self.tried(*args, **kwargs)).partition("What would happen")[2]

    def opened_list(self) -> None:
        self.browser(MANAGER).open(f"{self.portal.absolute_url()}/@@click2sell-notifications")

    def changes_nothing(self, work) -> None:
        """The database is the same afterwards, nothing is mailed and nobody is told."""
        # The first page of a new site writes something of Plone's own.
        self.opened_list()
        database, told = self.portal._p_jar.db(), []
        before, newest = self.dump(), database.lastTransaction()
        with (
            mock.patch.object(events, "fire", told.append),
            mock.patch.object(delivery, "deliver") as delivered,
            mock.patch.object(event, "subscribers", [*event.subscribers, told.append]),
        ):
            work()
        told = [type(one).__name__ for one in told]
        for name in ("PrincipalCreated", "PrincipalAddedToGroup", "MemberCreateEvent", "list"):
            self.assertNotIn(name, told)
        delivered.assert_not_called()
        self.assertEqual(database.lastTransaction(), newest)
        self.assertEqual(self.dump(), before)
        self.assertEqual(self.mails, [])


class TestNothingIsLeft(TrialTestCase):
    def test_of_any_kind_for_anybody(self):
        self.buy()
        self.mails.clear()
        self.account("old", "old@example.org", login="old@example.org")
        for kind in sample.KINDS:
            for address in (EMAIL, "new@example.org", "old@example.org"):
                with self.subTest(kind, address=address):
                    self.changes_nothing(lambda: self.tried("1", address, kind))  # noqa: B023

    def test_on_a_site_that_never_had_a_purchase(self):
        self.changes_nothing(lambda: self.assertIn("accepted", self.result()))

    def test_when_it_fails(self):
        def fail():
            with mock.patch.object(plan, "make", side_effect=RuntimeError(EMAIL)):
                text = self.text(self.tried())
            self.assertIn("cannot be worked out: RuntimeError", text)

        with self.assertLogs("niteoweb.click2sell", "ERROR") as logs:
            self.changes_nothing(fail)
        self.assertNotIn(EMAIL, "".join(logs.output))
        self.assertIn("accepted", self.result())

    def test_a_true_purchase_afterwards_does_what_was_shown(self):
        self.assertIn("A new account is created", self.result())
        self.buy()
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assertEqual(len(self.entries()), 1)


class TestRoad(TrialTestCase):
    """The module, below the page."""

    def made(self, **changes) -> Delivery:
        wish = {"kind": "sale", "product_id": "1", "address": EMAIL, "now": self.now, **changes}
        (found,) = trial.deliveries(self.portal, CLICK2SELL, **wish)
        return found

    def fields(self, **changes) -> dict[str, str]:
        return dict(parse_qsl(self.made(**changes).body.decode("ascii"), True))

    def told(self, **changes) -> Notification:
        stored = registry.settings(CLICK2SELL)
        genuine = CLICK2SELL.verify(self.made(**changes), stored, self.now)
        (found,) = CLICK2SELL.parse(genuine, plone_site.timezone())
        return found

    def test_parameters_are_those_of_click2sell_really_signed(self):
        fields = self.fields()
        self.assertEqual(fields.keys() - set(deliveries.fields()), notify_only(fields))
        signature = sign(deliveries.SECRET_KEY, fields["acquirer_transaction_id"])
        self.assertEqual(fields["checksum"], signature)
        self.assertEqual(self.told().buyer, EMAIL)

    def test_no_two_are_of_one_transaction(self):
        found = {self.fields()["acquirer_transaction_id"] for number in range(20)}
        self.assertEqual(len(found), 20)

    def test_time_is_now_by_the_clock_of_the_site(self):
        self.registry(portal_timezone="Asia/Tokyo")
        self.assertEqual(self.told().occurred_at, self.now)

    def test_the_product_has_the_name_that_it_had_last(self):
        self.assertEqual(self.fields()["product_name"], trial.PRODUCT_NAME)
        self.buy()
        self.assertEqual(self.fields()["product_name"], "Test Product")
        self.assertEqual(self.fields(product_id="2")["product_name"], trial.PRODUCT_NAME)

    def test_is_refused_as_a_true_one_would_be(self):
        with self.assertRaises(ParameterInvalid):
            self.told(address="nobody")
        with self.assertRaises(ParameterInvalid):
            self.told(product_id="1\n2")
        self.settings(secretkey=None)
        with self.assertRaises(SecretKeyNotSet):
            self.told()

    def test_the_plan_is_that_of_a_true_purchase(self):
        notification = self.told()
        with trial.rehearse([notification], self.now) as rehearsal:
            plan, verdict = rehearsal.preview.plan, rehearsal.preview.verdict
        self.assertEqual(verdict.outcome, "accepted")
        self.assertEqual((plan.create, plan.grant), (True, ("premium", "click2sell")))
        self.assertEqual(
            plan.ends[("click2sell", "1")], notification.occurred_at + timedelta(days=30)
        )


def notify_only(fields) -> set[str]:
    """Parameters that a sale of the tests leaves to their defaults."""
    return {"transaction_type", "subscription_status", "payment_status"} & set(fields)


class TestOtherProviders(TrialTestCase):
    """Trials for each provider that has sample deliveries."""

    def setUp(self):
        super().setUp()
        for provider in (CLEENG, PLENIGO):
            stored = registry.settings(provider)
            stored.enabled = True
            stored.secretkey = deliveries.SECRET_KEY
            stored.mapping = ["gold|premium"]
        transaction.commit()

    def tried(self, product="gold", address=EMAIL, kind="subscription", who=MANAGER):
        self.url = f"{self.portal.absolute_url()}/@@click2sell-try?provider={self.name}"
        return super().tried(product, address, kind, who)

    def test_nothing_is_left_of_any_kind(self):
        self.buy()
        self.mails.clear()
        for provider in (CLEENG, PLENIGO):
            self.name = provider.name
            tried = [*provider.sample.KINDS.keys() - {"subscription"}, "subscription"]
            for kind in tried:
                # Somebody new at last: whoever is there has more to lose.
                address = "new@example.org" if kind == tried[-1] else EMAIL
                with self.subTest(provider.name, kind=kind):
                    self.changes_nothing(
                        lambda: self.tried("gold", address, kind)  # noqa: B023
                    )

    def test_a_new_member(self):
        for self.name, title in (("plenigo", "plenigo"), ("cleeng", "Cleeng")):
            with self.subTest(self.name):
                text = self.result()
                for expected in (
                    "Signature verified",
                    f"Answer to {title} 200 POST successfully parsed.",
                    "john@example.org&gt;",
                    "A new account is created for john@example.org.",
                    "Added to the groups premium, click2sell",
                    "Outcome accepted",
                ):
                    self.assertIn(expected, text)

    def test_plenigo_is_not_asked_for_what_it_does_not_know(self):
        stored = registry.settings(PLENIGO)
        stored.api_token = "a token"
        transaction.commit()
        self.name = "plenigo"
        with mock.patch.object(PLENIGO.client, "complete") as asked:
            text = self.text(self.tried())
        asked.assert_not_called()
        self.assertIn("A true notification makes the site ask plenigo", text)
        # What it would say of a customer, it has just been made to say.
        self.assertIn("fullname : Test Buyer", text)
        self.assertIn("Outcome accepted", text)

    def test_neither_key_nor_signature_is_shown(self):
        for self.name in ("plenigo", "cleeng"):
            maker = registry.get(self.name).sample
            with mock.patch.object(maker, "sign", side_effect=maker.sign) as signed:
                contents = self.tried().contents
            for call in signed.call_args_list:
                for proof in maker.signatures(maker.sign(*call.args)):
                    self.assertNotIn(proof, contents)
            self.assertNotIn(deliveries.SECRET_KEY, contents)

    def test_a_signature_that_is_read_elsewhere_is_told(self):
        registry.settings(CLEENG).signature_header = ""
        transaction.commit()
        self.name = "cleeng"
        text = self.result()
        self.assertIn("not verified", text)
        self.assertIn("403 Checksum verification failed.", text)
        self.assertNotIn("No secret key is set", text)

    def test_what_is_wrong_is_told_in_the_words_of_the_callback(self):
        self.name = "plenigo"
        text = self.result(address="nobody").replace("&#39;", "'")
        self.assertIn("400 POST parameter invalid: 'entity.email'", text)

    def test_one_is_chosen_by_a_link(self):
        browser = self.browser(MANAGER)
        browser.open(f"{self.portal.absolute_url()}/@@click2sell-try")
        # The first that is set up, by name.
        self.assertEqual(browser.getControl(name="provider").value, "cleeng")
        browser.getLink(url="click2sell-try?provider=plenigo").click()
        self.assertEqual(browser.getControl(name="provider").value, "plenigo")
        self.assertEqual(browser.getControl(name="kind").options, list(PLENIGO.sample.KINDS))
        self.assertEqual(browser.getControl(name="product").value, "gold")

    def test_one_that_is_switched_off_cannot_be_chosen(self):
        registry.settings(PLENIGO).enabled = False
        transaction.commit()
        browser = self.browser(MANAGER)
        browser.open(f"{self.portal.absolute_url()}/@@click2sell-try?provider=plenigo")
        self.assertNotEqual(browser.getControl(name="provider").value, "plenigo")

    def test_one_without_anything_made_up_says_so(self):
        with mock.patch.object(PLENIGO, "sample", None):
            browser = self.browser(MANAGER)
            url = f"{self.portal.absolute_url()}/@@click2sell-try"
            browser.open(f"{url}?provider=plenigo")
            self.assertIn("plenigo has no made-up notifications", self.text(browser))
            self.assertNotIn("Try it", browser.contents)
            browser.open(f"{url}?provider=cleeng")
            token = browser.getControl(name="_authenticator").value
            body = {"provider": "plenigo", "product": "gold", "address": EMAIL}
            browser.post(url, urlencode({**body, "_authenticator": token}))
            self.assertNotIn("What would happen", browser.contents)


class TestPage(TrialTestCase):
    def test_products_of_the_mapping_are_offered(self):
        browser = self.opened()
        products = re.findall(r'<option value="(\w+)"', browser.contents)
        self.assertEqual(products[:2], ["1", "2"])
        self.assertEqual(browser.getControl(name="product").value, "1")
        self.assertNotIn("What would happen", browser.contents)

    def test_new_member(self):
        text = self.result()
        for expected in (
            "Signature verified",
            "Answer to Click2Sell 200 POST successfully parsed.",
            "Buyer Test Buyer &lt;john@example.org&gt;",
            "Product Test product",
            "Days of access for each payment: 30",
            "A new account is created for john@example.org.",
            "product_id : 1",
            "Added to the groups premium, click2sell",
            "Mail the welcome mail",
            "Outcome accepted",
        ):
            self.assertIn(expected, text)

    def test_the_mail_is_the_one_that_goes_out(self):
        text = self.result()
        shown = text.partition("The mail ")[2]
        self.settings(site_address=plone_site.get().absolute_url())
        self.buy(product_name="Test product", buyer_name="Test", buyer_surname="Buyer")
        (mail,) = self.mails
        sent = " ".join(mail.get_content().split())
        sent = re.sub("Your password: [-A-Za-z0-9]+", "Your password: (a new password)", sent)
        self.assertIn(sent, shown)
        self.assertIn(f"Subject {mail['Subject']}", shown)
        self.assertIn("From The Shop &lt;shop@example.com&gt;", shown)

    def test_a_link_is_made_for_nobody(self):
        self.settings(welcome_mail="link")
        self.assertIn("Set your password here: (a one-time link)", self.result())
        self.assertEqual(dict(self.portal.portal_password_reset._requests), {})

    def test_a_site_without_a_sender_names_whom_to_ask(self):
        self.registry(email_from_address="")
        self.assertIn("Questions? Write to (the site's address).", self.result())

    def test_no_mail(self):
        self.settings(welcome_mail="none")
        text = self.result()
        self.assertNotIn("welcome mail", text.partition("What would change")[2])
        self.assertNotIn("The mail", text)

    def test_account_that_was_there_before(self):
        self.account(EMAIL, EMAIL)
        text = self.result()
        self.assertIn(f"The purchase is connected to the account {EMAIL}.", text)
        self.assertIn("the notice that a purchase was connected", text)
        self.assertIn("Subject Your purchase at Example Shop", text)

    def test_buyer_who_bought_before(self):
        self.buy()
        text = self.result()
        self.assertNotIn("Account", text.partition("What would change")[2])
        self.assertNotIn("Added to the groups", text)

    def test_address_that_needs_a_person(self):
        self.account("john", EMAIL)
        text = self.result()
        self.assertIn("Outcome needs attention", text)
        self.assertIn("Waits for the buyer to confirm", text)

    def test_group_that_is_missing(self):
        self.settings(mapping=["1|gone"])
        text = self.result()
        self.assertIn("Outcome needs attention", text)
        self.assertIn('The group "gone" does not exist.', text.replace("&quot;", '"'))

    def test_product_without_a_line(self):
        text = self.result("99")
        self.assertIn("This product has no line under Products and groups", text)
        self.assertIn("Added to the groups click2sell", text)

    def test_refund_of_what_the_member_has(self):
        self.buy()
        self.later(hours=1)
        text = self.result(kind="refund")
        self.assertIn("Removed from the groups premium", text)
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_what_is_wrong_is_told_in_the_words_of_the_callback(self):
        text = self.result(address="nobody")
        self.assertIn("Signature verified", text)
        self.assertIn("400 POST parameter invalid: 'buyer_email'", text.replace("&#39;", "'"))
        self.settings(secretkey=None)
        text = self.result()
        self.assertIn("not verified", text)
        self.assertIn("503 Secret key is not set.", text)

    def test_what_was_typed_is_no_markup(self):
        for values in ({"product": SCRIPT}, {"address": SCRIPT}):
            with self.subTest(values):
                self.assertNotIn(SCRIPT, self.tried(**values).contents)

    def test_no_checksum_and_no_key_is_shown(self):
        browser = self.tried()
        transaction_id = re.search(
            r"acquirer_transaction_id</code>\s*</dt>\s*<dd[^>]*>\s*<div>(\w+)", browser.contents
        )[1]
        self.assertNotIn(sign(deliveries.SECRET_KEY, transaction_id), browser.contents.upper())
        self.assertNotIn(deliveries.SECRET_KEY, browser.contents)

    def test_every_kind_has_a_word(self):
        for provider in filter(lambda one: one.sample, registry.registered()):
            self.assertLessEqual(provider.sample.KINDS.keys(), page.KINDS.keys())

    def test_it_needs_the_permission_to_configure(self):
        viewer = self.person("viewer", permissions=("View purchases", "Operate purchases"))
        owner = self.person("owner", permissions=("Configure",))
        for who, allowed in ((viewer, False), (NOBODY, False), (owner, True)):
            with self.subTest(who[0]):
                browser = self.opened(who=who)
                self.assertEqual('name="product"' in browser.contents, allowed)
        self.assertIn("accepted", self.result(who=owner))

    def test_nothing_is_tried_without_a_token(self):
        browser = self.browser()
        with mock.patch.object(trial, "deliveries") as tried:
            browser.post(self.url, urlencode({"product": "1", "address": EMAIL}))
        self.assertIn("403", browser.headers["status"])
        tried.assert_not_called()

    def test_values_come_twice_or_are_strange(self):
        browser = self.opened()
        token = browser.getControl(name="_authenticator").value
        for body in (
            {"product": ["1", "2"], "address": EMAIL},
            {"product": "1", "address": "\ud800".encode("utf-8", "surrogatepass")},
            {"product": "1", "address": EMAIL, "kind": "theft"},
        ):
            with self.subTest(body):
                transaction.begin()
                browser.post(self.url, urlencode({**body, "_authenticator": token}, doseq=True))
                self.assertIn(browser.headers["status"][:3], ("200", "400"))
