"""plenigo: a member with the address of a customer proves by a mail to be that customer."""

from niteoweb.click2sell import privacy
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.mail import delivery
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.providers.plenigo import proof
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.testing.layers import MailServer
from niteoweb.click2sell.tests.cases.buying import JANE
from niteoweb.click2sell.tests.cases.buying import OFFER
from niteoweb.click2sell.tests.cases.buying import PASSWORD
from niteoweb.click2sell.tests.cases.buying import ShopTestCase
from plone import api
from plone.app.testing import SITE_OWNER_NAME
from plone.app.testing import SITE_OWNER_PASSWORD
from plone.base.interfaces import ISecuritySchema
from plone.registry.interfaces import IRegistry
from zope.component import getUtility

import re
import requests
import transaction


VICTIM = "victim@lab.example.org"


class TestProof(ShopTestCase):
    def setUp(self):
        super().setUp()
        with self.owner():
            self.portal.acl_users.userFolderAddUser("zoe", PASSWORD, ["Member"], [])
            api.user.get(userid="zoe").setMemberProperties({"email": "zoe@lab.example.org"})
        transaction.commit()
        self.settings(site_address=self.portal.absolute_url())
        self.theirs = self.fake.add_customer(JANE)

    def ask(self, who="jane"):
        return self.post(who)

    def post(self, who="jane", key=""):
        page = self.page("@@plenigo-link", who=who)
        token = re.search('name="_authenticator"[^>]*value="([^"]+)"', page.text)[1]
        with requests.Session() as session:
            session.trust_env, session.auth = False, (who, PASSWORD)
            found = session.post(
                f"{self.site_url}/@@plenigo-link",
                data={"_authenticator": token, "key": key},
                timeout=30,
            )
        transaction.begin()
        return found

    def mails(self, to=JANE):
        transaction.begin()
        return [one for one in outbox.of_address(self.portal, to) if one["kind"] == "link"]

    def key(self, to=JANE):
        """The key in the mail, as it is written."""
        (mail,) = self.mails(to)
        message = delivery.writers["plenigo"](self.portal, mail, self.now)
        transaction.commit()
        self.assertEqual(message["To"], to)
        return re.search(r"@@plenigo-link\?key=([\w-]+)", message.get_content())[1]

    def test_from_the_checkout_to_a_purchase(self):
        number = self.fake.subscribe(self.theirs, OFFER)
        self.fake.callbacks.pending.clear()
        found = self.buy()
        self.assertEqual((found.status_code, found.json()["type"]), (409, "AddressTaken"))
        found = self.ask()
        self.assertIn("a mail is on its way", found.text)
        key = self.key()
        self.assertEqual(self.page(f"@@plenigo-link?key={key}", who="zoe").status_code, 404)
        self.assertEqual(self.post("zoe", key).status_code, 404)
        self.assertIsNone(buyers.of_user(self.portal, "jane"))
        page = self.page(f"@@plenigo-link?key={key}")
        self.assertIn("Connect it", page.text)
        self.assertIn("is connected", self.post(key=key).text)
        self.assertEqual(self.customer, self.theirs)
        # What the customer had is the member's at once.
        self.assertEqual(self.groups("jane"), ["click2sell", "premium"])
        self.assertEqual(self.buy().status_code, 201)
        self.assertEqual(self.fake.purchases[-1]["customerId"], self.theirs)
        self.assertEqual(self.post(key=key).status_code, 404)
        self.assertTrue(number)

    def test_the_page_says_the_same_to_everybody(self):
        without = re.sub("zoe|jane", "", self.ask("zoe").text)
        self.assertIn("a mail is on its way", without)
        self.assertEqual(self.mails(), [])
        self.fake.change_status(self.theirs, "BLOCKED")
        self.assertIn("a mail is on its way", self.ask().text)
        self.assertEqual(self.mails(), [])
        self.fake.change_status(self.theirs, "ACTIVATED")
        for _ in range(5):
            self.assertIn("a mail is on its way", self.ask().text)
        self.assertEqual(len(self.mails()), 3)

    def test_a_link_is_good_for_an_hour(self):
        self.ask()
        key = self.key()
        self.assertTrue(proof.is_good("jane", key))
        self.later(minutes=61)
        self.assertFalse(proof.is_good("jane", key))
        self.assertEqual(self.page(f"@@plenigo-link?key={key}").status_code, 404)
        self.assertEqual(self.post(key=key).status_code, 404)
        self.assertNotEqual(self.key(), key)

    def edit(self, who, address):
        api.user.get(userid=who).setMemberProperties({"email": address})
        transaction.commit()

    def test_an_address_that_the_member_has_edited(self):
        """Its owner would share the customer whom plenigo made for this member, one day."""
        self.edit("zoe", VICTIM)
        found = self.buy(who="zoe")
        self.assertEqual((found.status_code, found.json()["type"]), (409, "AddressTaken"))
        self.assertNotIn(VICTIM, [one["email"] for one in self.fake.customers.values()])
        self.assertIn("a mail is on its way", self.ask("zoe").text)
        key = self.key(VICTIM)
        self.assertEqual(self.post("jane", key).status_code, 404)
        # An address that is edited after the mail was not the one that was proved.
        self.edit("zoe", "other@lab.example.org")
        found = self.post("zoe", key)
        self.assertEqual(found.status_code, 409)
        self.assertIn(">Mail me a link</a>", found.text)
        self.edit("zoe", VICTIM)
        self.fake.emergency = True
        self.assertEqual(self.post("zoe", key).status_code, 503)
        self.fake.emergency = False
        self.assertIn("is connected", self.post("zoe", key).text)
        (zoe,) = buyers.of_user(self.portal, "zoe")["customer_ids"]
        self.assertEqual(self.fake.customers[zoe[1]]["email"], VICTIM)
        self.assertEqual(self.buy(who="zoe").status_code, 201)
        self.assertEqual(self.fake.purchases[-1]["customerId"], zoe[1])
        self.assertEqual(self.post("zoe", key).status_code, 404)

    def test_the_first_address_of_a_member_who_had_none(self):
        """Nobody but the member has said that it is the member's."""
        with self.owner():
            self.portal.acl_users.userFolderAddUser("nora", PASSWORD, ["Member"], [])
        transaction.commit()
        found = requests.patch(
            f"{self.site_url}/@users/nora",
            json={"email": VICTIM},
            auth=("nora", PASSWORD),
            headers={"Accept": "application/json"},
            timeout=30,
        )
        transaction.begin()
        self.assertEqual(found.status_code, 204, found.text)
        self.assertEqual(self.buy(who="nora").status_code, 409)
        self.assertNotIn(VICTIM, [one["email"] for one in self.fake.customers.values()])

    def test_mails_to_many_addresses(self):
        addresses = [f"{number}@lab.example.org" for number in range(5)]
        for address in addresses:
            self.edit("zoe", address)
            self.assertIn("a mail is on its way", self.ask("zoe").text)
        self.assertEqual([len(self.mails(one)) for one in addresses], [1, 1, 1, 0, 0])
        self.later(days=1, minutes=1)
        self.ask("zoe")
        self.assertEqual(len(self.mails(address)), 1)

    def test_an_address_that_a_visitor_has_chosen(self):
        with self.owner():
            record = getUtility(IRegistry).forInterface(ISecuritySchema, prefix="plone")
            record.enable_self_reg = record.enable_user_pwd_choice = True
            self.portal.acl_users.userFolderAddUser(VICTIM, PASSWORD, ["Member"], [])
        self.edit(VICTIM, VICTIM)
        self.assertEqual(self.buy(who=VICTIM).status_code, 409)

    def test_an_address_that_stays(self):
        """Whatever else a member changes, and at each login."""
        new = {"username": "mara", "email": "mara@lab.example.org", "password": PASSWORD}
        owner = (SITE_OWNER_NAME, SITE_OWNER_PASSWORD)
        headers = {"Accept": "application/json"}
        url = f"{self.site_url}/@users"
        requests.post(url, json=new, auth=owner, headers=headers, timeout=30)
        transaction.begin()
        for who in ("zoe", "mara"):
            for fullname in ("Zoe", "Zoe Zett"):
                api.user.get(userid=who).setMemberProperties({"fullname": fullname})
            transaction.commit()
            self.assertEqual(self.buy(who=who).status_code, 201)

    def test_it_is_exported_and_erased(self):
        self.ask()
        key = self.key()
        exported = privacy.export.export(self.portal, JANE, self.now)
        records = exported["kept_for_providers"]["plenigo"]
        self.assertEqual({name for one in records for name in one}, {"link_good_until"})
        proof.LINKS.erase(self.portal, ("zoe@lab.example.org",))
        self.assertTrue(proof.is_good("jane", key))
        proof.LINKS.erase(self.portal, (JANE,))
        self.assertFalse(proof.is_good("jane", key))
        self.assertEqual(len(trees.tree(self.portal, "plenigo_proofs_by_end")), 0)

    def test_only_by_a_form_and_only_members(self):
        self.assertEqual(self.page("@@plenigo-link", who="").status_code, 302)
        self.assertEqual(self.call("POST", "@@plenigo-link", {}).status_code, 403)
        self.assertEqual(self.post("boss").status_code, 403)
        self.fake.emergency = True
        self.assertEqual(self.ask().status_code, 503)
        self.set(enabled=False)
        self.assertEqual(self.page("@@plenigo-link").status_code, 404)
        self.assertEqual(self.mails(), [])

    def test_a_customer_who_is_another_member(self):
        """Not even by the customer's own address: what the other has bought stays there."""
        self.assertEqual(self.buy(who="zoe").status_code, 201)
        (zoe,) = buyers.of_user(self.portal, "zoe")["customer_ids"]
        self.fake.customers[self.theirs]["email"] = "other@lab.example.org"
        self.fake.customers[zoe[1]]["email"] = JANE
        self.ask()
        found = self.post(key=self.key())
        self.assertEqual(found.status_code, 409)
        self.assertIsNone(buyers.of_user(self.portal, "jane"))
        self.assertEqual(tuple(buyers.of_user(self.portal, "zoe")["customer_ids"]), (zoe,))

    def test_who_can_administer_the_site_by_then(self):
        self.ask()
        key = self.key()
        with self.owner():
            api.user.grant_roles(username="jane", roles=["Manager"])
        transaction.commit()
        self.assertEqual(self.post(key=key).status_code, 403)
        self.assertIsNone(buyers.of_user(self.portal, "jane"))

    def test_plenigo_is_away_when_it_is_used(self):
        self.ask()
        key = self.key()
        self.fake.emergency = True
        self.assertIn("is connected", self.post(key=key).text)
        self.assertEqual(self.customer, self.theirs)

    def test_the_mail_is_delivered(self):
        with MailServer() as server:
            self.registry(
                smtp_host="127.0.0.1",
                smtp_port=server.port,
                email_from_address="shop@example.org",
            )
            self.ask()
            (message,) = server.messages
        self.assertEqual(message["To"], JANE)
        text = message.get_content()
        key = re.search(r"@@plenigo-link\?key=([\w-]+)", text)[1]
        self.assertTrue(proof.is_good("jane", key))
        self.assertIn("the member jane of", text)
        (mail,) = self.mails()
        self.assertEqual(mail["state"], outbox.SENT)
        self.assertNotIn(key, str(dict(mail)))

    def test_the_checkout_leads_there(self):
        page = self.page(f"@@plenigo-checkout?offer={OFFER}")
        token = re.search('name="_authenticator"[^>]*value="([^"]+)"', page.text)[1]
        with requests.Session() as session:
            session.trust_env, session.auth = False, ("jane", PASSWORD)
            found = session.post(
                f"{self.site_url}/@@plenigo-checkout",
                data={"_authenticator": token, "offer": OFFER},
                timeout=30,
            )
        self.assertEqual(found.status_code, 409)
        self.assertIn("@@plenigo-link", found.text)
