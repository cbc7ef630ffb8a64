from niteoweb.click2sell.interfaces import IClick2SellLayer
from niteoweb.click2sell.interfaces import IClick2SellSettings
from niteoweb.click2sell.interfaces import IPaymentProvider
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.notification import Answer
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.click2sell.provider import PROVIDER as CLICK2SELL
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.tests.cases import deliveries
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from plone.base.interfaces import IPloneSiteRoot
from plone.registry.interfaces import IRegistry
from types import SimpleNamespace
from unittest import mock
from zope import schema
from zope.component import getGlobalSiteManager
from zope.component import getUtility
from zope.component import queryMultiAdapter
from zope.component.hooks import site
from zope.configuration import xmlconfig
from zope.interface import alsoProvides
from zope.interface import Interface
from zope.interface.verify import verifyObject

import dataclasses
import io
import transaction


CALLBACK = """
<configure xmlns:browser="http://namespaces.zope.org/browser">
  <browser:page
      name="acme"
      for="plone.base.interfaces.IPloneSiteRoot"
      class="niteoweb.click2sell.browser.callback.Callback"
      permission="zope2.Public"
      layer="niteoweb.click2sell.interfaces.IClick2SellLayer"
      />
</configure>
"""


class IAcmeSettings(Interface):
    enabled = schema.Bool(default=False, required=False)
    secretkey = schema.Password(required=False)
    previous_secretkey = schema.Password(required=False)
    mapping = schema.List(value_type=schema.TextLine(), default=[], required=False)


def acme() -> registry.PaymentProvider:
    """A provider that speaks like Click2Sell and answers in its own way."""
    return registry.PaymentProvider(
        SimpleNamespace(
            NAME="acme",
            TITLE="Acme Payments",
            SIGNED=CLICK2SELL.signed,
            EVENTS=(),
            verify=CLICK2SELL.verify,
            parse=lambda form, zone: tuple(
                dataclasses.replace(found, provider="acme", key=f"{found.key[:-4]}acme")
                for found in CLICK2SELL.parse(form, zone)
            ),
            answer=lambda status, text: Answer(status, f'"{text}"', "application/json"),
        ),
        IAcmeSettings,
    )


class ProviderTestCase(SiteTestCase):
    def setUp(self):
        super().setUp()
        self.request = self.layer["request"].clone()
        alsoProvides(self.request, IClick2SellLayer)

    def register(self, **settings) -> None:
        provider, manager = acme(), getGlobalSiteManager()
        manager.registerUtility(provider, IPaymentProvider, "acme")
        self.addCleanup(manager.unregisterUtility, provider, IPaymentProvider, "acme")
        # As when Zope starts: ZCML registers in the current site.
        with site(None):
            xmlconfig.string(CALLBACK, context=self.layer["configurationContext"])
        page = ((IPloneSiteRoot, IClick2SellLayer), Interface, "acme")
        self.addCleanup(manager.unregisterAdapter, None, *page)
        getUtility(IRegistry).registerInterface(IAcmeSettings)
        for name, value in {"enabled": True, **settings}.items():
            setattr(registry.settings(provider), name, value)
        transaction.commit()

    def view(self, name: str = "acme"):
        return queryMultiAdapter((self.portal, self.request), name=name)

    def providers(self) -> list[str]:
        """Of the entries of the ledger."""
        transaction.begin()
        return [
            ledger.get(self.portal, key)["provider"] for key in ledger.newest_first(self.portal)
        ]

    def deliver(self, **changes):
        self.request.method = "POST"
        self.request.environ["CONTENT_TYPE"] = "application/x-www-form-urlencoded"
        self.request["BODYFILE"] = io.BytesIO(deliveries.body(**changes))
        text = self.view()()
        return self.request.response.getStatus(), text


class TestRegistration(ProviderTestCase):
    def test_click2sell_is_one_of_them(self):
        self.assertIn(CLICK2SELL, registry.registered())
        self.assertIs(registry.get("click2sell"), CLICK2SELL)
        self.assertTrue(registry.is_enabled(CLICK2SELL))
        self.assertIs(CLICK2SELL.schema, IClick2SellSettings)
        self.assertTrue(verifyObject(IPaymentProvider, CLICK2SELL))

    def test_its_callback_finds_it_by_name(self):
        self.assertIsNone(self.view())
        self.register(secretkey=deliveries.SECRET_KEY)
        self.assertEqual(self.deliver(), (200, '"POST successfully parsed."'))
        self.assertEqual(self.request.response.getHeader("Content-Type"), "application/json")
        transaction.begin()
        self.assertEqual(self.providers(), ["acme"])

    def test_unregistered_it_is_not_there(self):
        self.register(secretkey=deliveries.SECRET_KEY)
        getGlobalSiteManager().unregisterUtility(provided=IPaymentProvider, name="acme")
        self.assertEqual(self.deliver(), (404, "Not found."))

    def test_installed_and_uninstalled(self):
        provider, records = acme(), getUtility(IRegistry).records
        with self.owner():
            registry.install(provider)
            registry.settings(provider).mapping = ["1|premium"]
            registry.install(provider)
        self.assertEqual(registry.settings(provider).mapping, ["1|premium"])
        with self.owner():
            registry.uninstall(provider)
        self.assertEqual([name for name in records if "IAcmeSettings" in name], [])

    def test_switched_off_it_is_not_there(self):
        self.register(enabled=False, secretkey=deliveries.SECRET_KEY)
        self.assertEqual(self.deliver(), (404, '"Not found."'))
        self.assertEqual(self.providers(), [])

    def test_without_a_key_nothing_is_accepted(self):
        self.register()
        self.assertEqual(self.deliver(), (503, '"Secret key is not set."'))

    def test_what_it_is_called(self):
        self.assertEqual(registry.title("acme"), "acme")
        self.register()
        self.assertEqual(registry.title("acme"), "Acme Payments")


class TestSeveral(ProviderTestCase):
    """Several notifications that came in one delivery."""

    def process(self, *found: Notification):
        with self.unexpected_errors_shown():
            return pipeline.process(*found)

    def pair(self) -> tuple[Notification, Notification]:
        other = {"acquirer_transaction_id": "T-2", "c2s_transaction_id": "R-2"}
        return self.notification(), self.notification(buyer_email="jane@example.org", **other)

    def test_both_take_effect(self):
        self.assertEqual(self.process(*self.pair()).outcome, "accepted")
        self.assertEqual([outcome for outcome, *rest in self.entries()], ["accepted"] * 2)
        self.assertEqual({self.member(), self.member("jane@example.org")} & {None}, set())

    def test_all_or_nothing(self):
        real, calls = pipeline.apply, []

        def second_fails(*args):
            calls.append(args)
            if len(calls) == 2:
                raise RuntimeError
            return real(*args)

        with (
            mock.patch.object(pipeline, "apply", second_fails),
            self.assertLogs("niteoweb.click2sell", "ERROR"),
            self.assertRaises(pipeline.Failed),
        ):
            pipeline.process(*self.pair())
        transaction.begin()
        self.assertEqual([outcome for outcome, *rest in self.entries()], ["failed"] * 2)
        self.assertIsNone(self.member())
        self.assertEqual(self.process(*self.pair()).outcome, "accepted")

    def test_a_new_one_beside_a_finished_one(self):
        first, second = self.pair()
        self.process(first)
        self.process(first, second)
        self.assertEqual([outcome for outcome, *rest in self.entries()], ["accepted"] * 2)

    def test_the_provider_is_told_of_the_refused_one(self):
        first, second = self.pair()
        self.process(first)
        stolen = self.notification(buyer_email="thief@example.org")
        self.assertEqual(self.process(second, stolen).outcome, "refused")
