"""The life of a subscription at plenigo."""

from collections.abc import Callable
from collections.abc import Iterator
from datetime import timedelta
from niteoweb.click2sell.providers.plenigo.fake import FakePlenigo
from niteoweb.click2sell.testing.fake.sender import Sender
from niteoweb.click2sell.testing.fake.server import Clock
from tools.demo import settings
from tools.demo.life import GOLD_GROUP
from tools.demo.life import Life
from tools.demo.life import SECRET
from tools.demo.life import SILVER_GROUP
from tools.demo.life import TOKEN
from tools.demo.plenigoreader import LOGIN
from tools.demo.plenigoreader import PASSWORD
from tools.demo.plenigoreader import READ
from tools.demo.plenigoreader import Reader
from tools.demo.plenigoreader import RIGHT
from tools.demo.story import expect
from typing import Any


ZOE = settings.BUYER
NEW_ADDRESS = "zoe.mueller@mail.example.org"
JONAS = "jonas.weber@example.org"
TERM = 30


class PlenigoLife(Life):
    """Zoë subscribes for 30 days at a time, and does all that a subscriber can do."""

    name, title = "plenigo", "plenigo"
    gold, silver = "O_GOLD", "O_SILVER"
    days = 100
    fake: FakePlenigo
    #: Of plenigo's: Zoë's id, and the id of the subscription that it is about.
    customer = ""
    subscription = 0

    def provider(self, clock: Clock) -> FakePlenigo:
        fake = FakePlenigo(SECRET, TOKEN, clock)
        fake.rights_of_offers = {self.gold: RIGHT}
        return fake

    @property
    def options(self) -> dict[str, Any]:
        sdk = f"{self.fake.url}/sdk/{{company_id}}/plenigo_sdk.min.js"
        return {"company_id": "DEMO", "sdk_url": sdk, "offers": [self.gold]}

    @property
    def sender(self) -> Sender:
        return self.fake.callbacks

    def wait(self, **by: float) -> None:
        # Renewals, and the ends of what was cancelled, come with the time.
        self.fake.let_pass(**by)
        self.show_time()

    def chapters(self) -> Iterator[tuple[str, Callable[[], str]]]:
        yield "Tampered with", self.tampered_with
        yield "Renewed", self.renewed
        yield "Delivered twice", self.delivered_twice
        yield "Payment failed", self.payment_failed
        yield "Cancelled", self.cancelled
        yield "Cancelled no more", self.cancellation_undone
        yield "New address", self.address_changed
        yield "In wrong order", self.delivered_late_and_reordered
        yield "plenigo is down", self.outage
        yield "plenigo is back", self.outage_is_over
        yield "Ended", self.ended
        yield "Another customer", self.second_subscription
        yield "Charged back", self.charged_back
        yield from Reader(self).chapters()
        yield "Never told", self.never_told

    def subscribed(self) -> str:
        names = settings.BUYER_NAME, settings.BUYER_SURNAME
        self.customer = self.fake.add_customer(ZOE, *names)
        # plenigo need not tell of customers: the site asks for those that it does not know.
        self.sender.pending.clear()
        self.subscription = self.fake.subscribe(self.customer, self.gold, TERM)
        told = self.deliver()
        # It is also asked what else has changed, at any time.
        asked = {request.path[0] for request in self.fake.requests}
        wanted = ("subscriptions", "customers")
        expect(asked >= {*wanted}, f"plenigo was asked for {asked}")
        return f"{told}\nplenigo was asked for {' and '.join(wanted)}\n{self.active()}"

    def tampered_with(self) -> str:
        self.until_day(2)
        self.fake.change(self.subscription, paymentMethod="PAYPAL")
        delivery = self.sender.pending.pop()
        told = self.refused(delivery, tamper=lambda body: body.replace(b"GOLD", b"FREE"))
        late = self.refused(delivery, signed_at=self.fake.clock.now - timedelta(days=3))
        return f"{told}\n{late} (signed three days ago)\n{self.active()}"

    def renewed(self) -> str:
        self.until_day(TERM)
        return f"{self.deliver()}\n{self.active()}"

    def delivered_twice(self) -> str:
        self.until_day(32)
        self.fake.change(self.subscription, paymentMethod="PAYPAL")
        before = self.entries()
        told = self.deliver(times=2)
        more = self.entries() - before
        expect(more == 1, f"it was written down {more} times")
        return f"{told}\nwritten down once\n{self.active()}"

    def payment_failed(self) -> str:
        self.until_day(40)
        self.fake.fail_payment(self.subscription)
        return f"{self.deliver()}\n{self.active()}"

    def cancelled(self) -> str:
        self.until_day(41)
        self.fake.cancel(self.subscription)
        told, end = self.deliver(), self.day(2 * TERM)
        return f"{told}\n{self.shown(ZOE, self.gold, 'cancelled', end, GOLD_GROUP)}"

    def cancellation_undone(self) -> str:
        self.until_day(43)
        self.fake.undo_cancellation(self.subscription)
        return f"{self.deliver()}\n{self.active()}"

    def address_changed(self) -> str:
        self.until_day(45)
        self.fake.change_address(self.customer, NEW_ADDRESS)
        told = self.deliver()
        # What comes from now on goes to the same member.
        self.until_day(2 * TERM)
        told += f"\n{self.deliver()}"
        addresses = sorted(self.buyer(NEW_ADDRESS)["addresses"])
        expect(addresses == [ZOE, NEW_ADDRESS], f"the addresses are {addresses}")
        expect(not self.accounts(NEW_ADDRESS), "another member was made")
        return f"{told}\n{self.active()}\n   known as {' and '.join(addresses)}"

    def delivered_late_and_reordered(self) -> str:
        self.until_day(64)
        self.fake.cancel(self.subscription)
        self.wait(hours=5)
        self.fake.undo_cancellation(self.subscription)
        self.wait(hours=20)
        return f"{self.deliver(order=reversed)}\n{self.active()}"

    def outage(self) -> str:
        self.until_day(70)
        self.fake.outage = True
        subscription = self.fake.subscriptions[self.subscription]
        items = [{**item, "title": self.silver} for item in subscription["items"]]
        self.fake.change(self.subscription, plenigoOfferId=self.silver, items=items)
        told = self.deliver()
        waiting = self.entries("failed")
        expect(waiting == 1, f"{waiting} notifications wait")
        return f"{told}\n1 notification waits for plenigo\n{self.active()}"

    def outage_is_over(self) -> str:
        self.fake.outage = False
        told = self.checked()
        expect(not self.entries("failed"), "it still waits")
        now = self.shown(ZOE, self.silver, "active", None, SILVER_GROUP)
        return f"{told}\n{now}"

    def ended(self) -> str:
        self.until_day(80)
        self.fake.cancel(self.subscription)
        told = self.deliver()
        self.until_day(3 * TERM)
        told += f"\n{self.deliver()}"
        return f"{told}\n{self.shown(ZOE, self.silver, 'ended', self.day(3 * TERM))}"

    def second_subscription(self) -> str:
        self.until_day(92)
        customer = self.fake.add_customer(JONAS, "Jonas", "Weber")
        self.subscription = self.fake.subscribe(customer, self.gold, TERM)
        return f"{self.deliver()}\n{self.shown(JONAS, self.gold, 'active', None, GOLD_GROUP)}"

    def charged_back(self) -> str:
        self.until_day(95)
        self.fake.revoke_payment(self.subscription)
        told = self.deliver()
        lost = self.shown(JONAS, self.gold, "refunded", self.day(95), said="charged back")
        return f"{told}\n{lost}"

    def never_told(self) -> str:
        self.until_day(self.days)
        self.fake.subscribe(self.customer, self.gold, TERM)
        (lost,) = self.sender.pending
        self.sender.pending.clear()
        told = f"{self.today}  {lost.name}: lost on its way\n{self.checked()}"
        return f"{told}\n{self.active()}"

    def farewell(self) -> str:
        return f"""\
{super().farewell()}
Paywall:     {self.site}{READ}
             Anybody meets the teaser; {LOGIN} / {PASSWORD} has bought it."""

    def active(self) -> str:
        """Zoë has what she pays for; plenigo names an end to what is cancelled alone."""
        return self.shown(ZOE, self.gold, "active", None, GOLD_GROUP)
