"""The life of a subscription at Stripe."""

from collections.abc import Callable
from collections.abc import Iterator
from datetime import timedelta
from niteoweb.click2sell.providers.stripe.fake import FakeStripe
from niteoweb.click2sell.providers.stripe.fakeaccount import StripeAccount
from niteoweb.click2sell.providers.stripe.fakebilling import TERM
from niteoweb.click2sell.providers.stripe.fakerecord import Values
from niteoweb.click2sell.testing.fake.sender import Sender
from niteoweb.click2sell.testing.fake.server import Clock
from tools.demo import settings
from tools.demo.life import GOLD_GROUP
from tools.demo.life import Life
from tools.demo.life import SECRET
from tools.demo.life import SILVER_GROUP
from tools.demo.life import TOKEN
from tools.demo.story import expect
from tools.demo.visitor import Visitor


ZOE = settings.BUYER
JONAS = "jonas.weber@example.org"


class StripeLife(Life):
    """Zoë buys by a Payment Link, and does all that a subscriber can do."""

    name, title = "stripe", "Stripe"
    gold, silver = "price_basic", "price_pro"
    days = 130
    fake: FakeStripe
    #: Zoë's subscription, later that of Jonas.
    subscription: Values

    def provider(self, clock: Clock) -> FakeStripe:
        fake = FakeStripe(SECRET, TOKEN, clock)
        fake.account.add_price(self.gold, name="Basic", cents=990)
        fake.account.add_price(self.silver, name="Pro", cents=1990)
        return fake

    @property
    def shop(self) -> StripeAccount:
        """What happens at Stripe."""
        return self.fake.account

    @property
    def sender(self) -> Sender:
        return self.fake.events

    def wait(self, **by: float) -> None:
        # Renewals, and the ends of what was cancelled, come with the time.
        self.shop.let_pass(**by)
        self.show_time()

    def chapters(self) -> Iterator[tuple[str, Callable[[], str]]]:
        yield "Tampered with", self.tampered_with
        yield "Renewed", self.renewed
        yield "Payment failed", self.payment_failed
        yield "Paid after all", self.recovered
        yield "Upgraded", self.upgraded
        yield "In wrong order", self.delivered_late_and_reordered
        yield "Customer Portal", self.portal
        yield "Refunded in part", self.refunded_in_part
        yield "Refunded in full", self.refunded_in_full
        yield "Disputed", self.disputed
        yield "Dispute won", self.dispute_won
        yield "Never told", self.never_told

    def subscribed(self) -> str:
        name = f"{settings.BUYER_NAME} {settings.BUYER_SURNAME}"
        session = self.shop.checkout(self.gold, email=ZOE, name=name)
        self.subscription = self.shop.objects[session["subscription"]]
        told = self.deliver()
        asked = {request.path[0] for request in self.fake.requests}
        expect({"subscriptions", "customers"} <= asked, f"Stripe was asked for {asked}")
        return f"{told}\n{self.active(TERM)}"

    def tampered_with(self) -> str:
        self.until_day(2)
        self.shop.change(self.subscription, cancel_at=None)
        delivery = self.sender.pending.pop()
        # Forged, it is none that Stripe would list: the site may ask at any time.
        self.shop.events.pop()
        told = self.refused(delivery, tamper=lambda body: body.replace(b"basic", b"pro"))
        late = self.refused(delivery, signed_at=self.fake.clock.now - timedelta(minutes=6))
        return f"{told}\n{late} (signed six minutes ago)\n{self.active(TERM)}"

    def renewed(self) -> str:
        self.until_day(TERM)
        return f"{self.deliver()}\n{self.active(2 * TERM)}"

    def payment_failed(self) -> str:
        self.shop.let_payments_fail(self.subscription["customer"])
        self.until_day(2 * TERM)
        self.wait(minutes=10)
        told, end = self.deliver(), self.day(2 * TERM)
        shown = self.shown(ZOE, self.gold, "grace", end, GOLD_GROUP, grace=True)
        return f"{told}\n{shown}"

    def recovered(self) -> str:
        self.until_day(2 * TERM + 2)
        self.shop.recover(self.subscription)
        return f"{self.deliver()}\n{self.active(3 * TERM)}"

    def upgraded(self) -> str:
        self.until_day(65)
        self.shop.change_price(self.subscription, self.silver)
        return f"{self.deliver()}\n{self.active(3 * TERM, self.silver)}"

    def delivered_late_and_reordered(self) -> str:
        self.until_day(70)
        self.shop.change(self.subscription, cancel_at_period_end=True)
        self.wait(hours=5)
        self.shop.change(self.subscription, cancel_at_period_end=False)
        told = self.deliver(order=reversed, times=2)
        return f"{told}\n{self.active(3 * TERM, self.silver)}"

    def portal(self) -> str:
        member = Visitor(self.site)
        member.log_in(self.login, self.password)
        status, _, html = member.page("/@@stripe-portal")
        expect(status == 200 and "Continue to Stripe" in html, f"it answered {status}")
        return f"/@@stripe-portal leads {ZOE} to Stripe"

    def refunded_in_part(self) -> str:
        self.until_day(72)
        self.shop.refund(self.shop.payment(self.subscription), 100)
        return f"{self.deliver()}\n{self.active(3 * TERM, self.silver)}"

    def refunded_in_full(self) -> str:
        self.until_day(75)
        self.shop.refund(self.shop.payment(self.subscription))
        self.shop.end(self.subscription)
        told = self.deliver()
        return f"{told}\n{self.shown(ZOE, self.silver, 'refunded', self.day(75))}"

    def disputed(self) -> str:
        self.until_day(100)
        session = self.shop.checkout(self.gold, email=JONAS, name="Jonas Weber")
        self.subscription = self.shop.objects[session["subscription"]]
        told = self.deliver()
        self.until_day(105)
        self.shop.dispute(self.shop.payment(self.subscription))
        told += f"\n{self.deliver()}"
        lost = self.shown(JONAS, self.gold, "refunded", self.day(105), said="disputed")
        return f"{told}\n{lost}"

    def dispute_won(self) -> str:
        self.until_day(110)
        dispute = next(
            one for one in self.shop.objects.values() if one.get("object") == "dispute"
        )
        self.shop.close_dispute(dispute)
        told, end = self.deliver(), self.day(100 + TERM)
        return f"{told}\n{self.shown(JONAS, self.gold, 'active', end, GOLD_GROUP, grace=True)}"

    def never_told(self) -> str:
        self.until_day(self.days)
        names = [delivery.name for delivery in self.sender.pending]
        lost = "\n".join(f"{self.today}  {name}: lost on its way" for name in names)
        self.sender.pending.clear()
        told, end = self.checked(), self.day(self.days + TERM)
        now = self.shown(JONAS, self.gold, "active", end, GOLD_GROUP, grace=True)
        return f"{lost}\n{told}\n{now}"

    def active(self, day: int, product: str = gold) -> str:
        """Zoë has what she pays for, until a day of the life."""
        group = GOLD_GROUP if product == self.gold else SILVER_GROUP
        return self.shown(ZOE, product, "active", self.day(day), group, grace=True)
