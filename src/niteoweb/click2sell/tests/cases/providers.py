"""Sites that sell through a Cleeng or a plenigo that is not real."""

from datetime import timezone
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider.registry import PaymentProvider
from niteoweb.click2sell.providers.cleeng import fake as fakes
from niteoweb.click2sell.providers.cleeng.fake import FakeCleeng
from niteoweb.click2sell.providers.cleeng.provider import PROVIDER as CLEENG
from niteoweb.click2sell.providers.plenigo.fake import FakePlenigo
from niteoweb.click2sell.providers.plenigo.fake import TOKEN
from niteoweb.click2sell.providers.plenigo.provider import PROVIDER as PLENIGO
from niteoweb.click2sell.providers.stripe.fake import FakeStripe
from niteoweb.click2sell.providers.stripe.fake import TOKEN as STRIPE_TOKEN
from niteoweb.click2sell.providers.stripe.provider import PROVIDER as STRIPE
from niteoweb.click2sell.providers.webtv.fake import FakeWebTV
from niteoweb.click2sell.providers.webtv.fake import KEY_ID as WEBTV_KEY_ID
from niteoweb.click2sell.providers.webtv.provider import PROVIDER as WEBTV
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.testing.fake.server import Clock
from niteoweb.click2sell.tests.cases.layers import SHOP_HTTP
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from niteoweb.click2sell.worker.sweep import sweep
from unittest import mock

import stripe
import transaction


JANE = "jane@example.org"


JOE = "joe@example.org"


TV = "vizio-1"


GOLD, SILVER = "S100_US", "S200_US"


class ProviderTestCase(SiteTestCase):
    """A site that sells through a provider that is not real, over HTTP.

    :cvar provider: the registered one.
    """

    layer = SHOP_HTTP
    provider: PaymentProvider

    def setUp(self):
        super().setUp()
        address = f"http://{self.layer['host']}:{self.layer['port']}/plone"
        self.url = f"{address}/@@{self.provider.callback}"
        self.enterContext(mock.patch.dict("os.environ", {jsonapi.INSECURE_VARIABLE: "1"}))
        self.enterContext(mock.patch.object(jsonapi, "PAUSES", ()))

    def set(self, **values):
        for name, value in values.items():
            setattr(registry.settings(self.provider), name, value)
        transaction.commit()

    def sweep(self, confirmed=True):
        transaction.begin()
        report = sweep(confirmed=confirmed)
        transaction.begin()
        return report

    def reasons(self):
        return [(outcome, reason) for outcome, reason, _subject in self.entries() if reason]

    def has(self, *group_ids, who=JANE):
        self.assertEqual(self.groups(who), ["click2sell", *group_ids])


class CleengTestCase(ProviderTestCase):
    """A Cleeng that offers gold and silver, for the groups "premium" and "course"."""

    provider = CLEENG

    def setUp(self):
        super().setUp()
        self.fake = FakeCleeng(clock=Clock(self.now))
        self.set(
            enabled=True,
            secretkey=self.fake.webhooks.secret,
            mapping=[f"{GOLD}|premium", "S200|course"],
        )

    # What happens at Cleeng

    def bought(self, email=JANE, vizio_id=TV, offer=GOLD):
        """Somebody buys on a TV set, and the app has Cleeng validate it."""
        self.fake.buy(vizio_id, offer)
        self.validate(email, vizio_id)

    def validate(self, email=JANE, vizio_id=TV):
        number = f"validation-{len(self.fake.validations)}"
        offer = self.fake.bought.get(vizio_id, "")
        self.fake.validations[number] = fakes.Validation(
            number, email, vizio_id, offer, self.fake.clock.now
        )
        self.fake.run()

    def pass_time(self, **time):
        self.later(**time)
        self.fake.clock.move(**time)

    def vizio(self, name, **values):
        """Vizio tells something, and the site hears of it."""
        self.fake.vizio(f"SUBSCRIPTION.{name}", TV, **values)
        return self.deliver()

    def tell(self, topic, **values):
        """A webhook of one's own making; what it does not name is Jane's subscription."""
        values = {"subscriptionId": 9, "offerId": GOLD, "customerId": 77, **values}
        data = {name: value for name, value in values.items() if value is not None}
        return self.fake._tell(topic, data)

    def deliver(self, **how):
        found = self.fake.webhooks.deliver(self.url, **how)
        transaction.begin()
        return [one.status for one in found]

    def process(self, letter):
        """Process a webhook here, not in the server's thread."""
        transaction.begin()
        headers = self.fake._headers(self.fake.webhooks.secret, self.now, letter.body)
        delivery = Delivery(
            letter.body,
            "application/json",
            {name.lower(): value for name, value in headers.items()},
        )
        genuine = CLEENG.verify(delivery, registry.settings(CLEENG), self.now)
        pipeline.process(*CLEENG.parse(genuine, timezone.utc))


class PlenigoTestCase(ProviderTestCase):
    provider = PLENIGO

    def setUp(self):
        super().setUp()
        self.fake = FakePlenigo(clock=Clock(self.now))
        self.enterContext(self.fake)
        self.set(
            enabled=True,
            secretkey=self.fake.callbacks.secret,
            api_url=self.fake.url,
            api_token=TOKEN,
            mapping=["gold|premium", "right-2|course"],
        )
        self.jane = self.fake.add_customer(JANE, "Jane", "Doe")

    def deliver(self, **how):
        found = self.fake.callbacks.deliver(self.url, **how)
        transaction.begin()
        return [one.status for one in found]

    def keys(self):
        transaction.begin()
        return list(ledger.newest_first(self.portal))


class WebTVTestCase(ProviderTestCase):
    """A WebTV whose store sells the products 12 and 13, and a clip."""

    provider = WEBTV

    def setUp(self):
        super().setUp()
        self.fake = self.enterContext(FakeWebTV(clock=Clock(self.now)))
        self.store = self.fake.store
        self.set(
            enabled=True,
            api_url=self.fake.url,
            api_key_id=WEBTV_KEY_ID,
            currency="EUR",
            mapping=["12|premium", "13|course"],
        )
        self.set(api_token=self.fake.secret)
        self.jane = self.store.add_user(JANE, "Jane")

    def pass_time(self, **time):
        self.later(**time)
        self.fake.clock.move(**time)

    def sweep(self, confirmed=False):
        return super().sweep(confirmed)

    def kinds(self):
        transaction.begin()
        found = [ledger.get(self.portal, key) for key in ledger.newest_first(self.portal)]
        return [entry["kind"] for entry in reversed(found)]


def signed_by_library(secret, time, body):
    """The header of a body, made by Stripe's own library."""
    text = body.decode("utf-8")
    return stripe.WebhookSignature.generate_signature_header(text, secret, time)


class StripeTestCase(ProviderTestCase):
    """A Stripe that sells gold and silver, for the groups "premium" and "course"."""

    layer = SHOP_HTTP
    with_key = True

    provider = STRIPE

    def setUp(self):
        super().setUp()
        self.fake = FakeStripe(clock=Clock(self.now), sign=signed_by_library)
        self.enterContext(self.fake)
        self.set(
            enabled=True,
            secretkey=self.fake.events.secret,
            api_url=self.fake.url,
            api_token=STRIPE_TOKEN if self.with_key else None,
            mapping=["gold|premium", "prod_silver|course", "book|course|30"],
        )
        self.shop = self.fake.account
        self.shop.add_price("gold", name="Gold", cents=990)
        self.shop.add_price("silver", name="Silver", cents=490)
        self.shop.add_price("book", name="Book", cents=1500, recurring=False)

    def deliver(self, **how):
        found = self.fake.events.deliver(self.url, **how)
        transaction.begin()
        return {one.status for one in found}

    def pass_time(self, **time):
        """Let time pass at Stripe and here; the events of it are not delivered yet."""
        self.shop.let_pass(**time)
        self.later(**time)
