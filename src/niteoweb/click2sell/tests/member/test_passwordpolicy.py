"""Password policies of sites, which refuse some passwords or all of them."""

from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.tests.cases import deliveries
from niteoweb.click2sell.tests.cases.callback import PARSED
from niteoweb.click2sell.tests.cases.layers import SHOP_HTTP
from niteoweb.click2sell.tests.cases.mail import MailTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from Products.PluggableAuthService.interfaces.plugins import IValidationPlugin
from Products.PluggableAuthService.plugins.BasePlugin import BasePlugin
from typing import ClassVar
from zope.interface import implementer

import math
import re
import requests
import transaction


def broken(password):
    raise RuntimeError(password)


#: Whether a policy accepts a password.
ACCEPTING = {
    "at least 8": lambda text: len(text) >= 8,
    "at least 30": lambda text: len(text) >= 30,
    "at least 50": lambda text: len(text) >= 50,
    "at most 20": lambda text: len(text) <= 20,
    "at most 12": lambda text: len(text) <= 12,
    "at most 8": lambda text: len(text) <= 8,
    "exactly 10": lambda text: len(text) == 10,
    "digits alone": str.isdigit,
    "no digits": lambda text: not re.search(r"\d", text),
    "lower case": lambda text: text == text.lower(),
    "letters and digits": str.isalnum,
    "a mark, at most 12": lambda text: bool(re.search(r"[!#?]", text)) and len(text) <= 12,
    "each kind, at most 16": lambda text: (
        len(text) <= 16
        and all(re.search(kind, text) for kind in (r"[a-z]", r"[A-Z]", r"\d", r"[!.?#_]"))
    ),
}

REFUSING = {"all": lambda text: False, "a million": lambda text: len(text) > 10**6, "": broken}


@implementer(IValidationPlugin)
class Policy(BasePlugin):
    """A password policy."""

    accepts: ClassVar = staticmethod(len)

    def validateUserInfo(self, user, set_id, set_info):
        if "password" not in set_info or self.accepts(set_info["password"]):
            return []
        return [{"id": "password", "error": "<b>Not</b> good enough."}]


class TestPolicies(MailTestCase):
    layer = SHOP_HTTP

    def setUp(self):
        super().setUp()
        self.url = f"http://{self.layer['host']}:{self.layer['port']}/plone"
        self.settings(site_address=self.url)
        pas = self.portal.acl_users
        pas._setObject("policy", Policy("policy"))
        pas.plugins.activatePlugin(IValidationPlugin, "policy")
        for name, _plugin in pas.plugins.listPlugins(IValidationPlugin):
            if name != "policy":
                pas.plugins.deactivatePlugin(IValidationPlugin, name)
        transaction.commit()

    def sell(self, accepts, number):
        """A sale over HTTP to somebody new; the mail about it."""
        Policy.accepts = staticmethod(accepts)
        del self.server.messages[:]
        answer = requests.post(
            f"{self.url}/@@click2sell",
            data=deliveries.about(f"b{number}", "1", self.now),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            timeout=30,
        )
        self.assertEqual((answer.status_code, answer.text), (200, PARSED))
        transaction.begin()
        self.assertEqual(self.entries()[-1][:2], (Outcome.ACCEPTED, ""))
        self.assertIn("premium", self.groups(f"b{number}@example.org"))
        return self.arrived()

    def test_other_kinds_of_passwords(self):
        for number, (name, accepts) in enumerate(ACCEPTING.items()):
            with self.subTest(name):
                password = self.password(self.sell(accepts, number))
                self.assertTrue(accepts(password), len(password))
                user_id = f"b{number}@example.org"
                self.assertEqual(self.authenticates(user_id, password), user_id)

    def test_a_link_where_each_password_is_refused(self):
        for number, (name, accepts) in enumerate(REFUSING.items()):
            with self.subTest(name):
                user_id = f"b{number}@example.org"
                text = self.text(self.sell(accepts, number))
                link = re.search(rf"{self.url}/passwordreset/\S+", text)[0]
                self.assertNotIn("Your password:", text)
                self.assertEqual(self.authenticates(user_id, ""), "")
                # The policy learns better.
                Policy.accepts = staticmethod(len)
                password = self.use_link(link, user_id)
                self.assertEqual(self.authenticates(user_id, password), user_id)

    def test_a_password_that_was_sent_is_not_replaced_by_none(self):
        password = self.password(self.sell(len, 1))
        Policy.accepts = staticmethod(lambda text: False)
        self.assertEqual(accounts.set_password("b1@example.org"), "")
        self.assertEqual(self.authenticates("b1@example.org", password), "b1@example.org")

    def test_the_log_names_no_address(self):
        with self.assertLogs("niteoweb.click2sell", "WARNING") as logs:
            self.sell(lambda text: False, 1)
        self.assertIn("password policy", logs.output[0])
        self.assertNotIn(EMAIL, str(logs.output))


class TestStrength(MailTestCase):
    def test_no_password_is_easily_guessed(self):
        for alphabet, lengths in accounts.SHAPES:
            for length in lengths:
                self.assertGreater(length * math.log2(len(set(alphabet))), 46, alphabet)
