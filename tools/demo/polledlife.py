"""The life of a subscription in the store of a WS.WebTV, which is asked and tells nothing."""

from collections.abc import Callable
from collections.abc import Iterator
from niteoweb.click2sell.providers.webtv.fake import FakeWebTV
from niteoweb.click2sell.providers.webtv.fake import KEY_ID
from niteoweb.click2sell.testing.fake.server import Clock
from tools.demo import settings
from tools.demo.life import GOLD_GROUP
from tools.demo.life import Life
from tools.demo.life import TOKEN
from tools.demo.story import await_that
from tools.demo.story import expect
from typing import Any


ZOE, TERM, SOLD = settings.BUYER, 30, "13"


class WebTVLife(Life):
    """Zoë subscribes for 30 days at a time; then the site sells her something."""

    name, title = "webtv", "WS.WebTV"
    gold, silver = "12", SOLD
    days = 70
    fake: FakeWebTV
    #: Ids of the store's: Zoë's, and that of her subscription.
    user = subscription = ""

    def provider(self, clock: Clock) -> FakeWebTV:
        return FakeWebTV(clock, TOKEN)

    @property
    def options(self) -> dict[str, Any]:
        return {"api_key_id": KEY_ID, "currency": "EUR", "check_hours": 1}

    def chapters(self) -> Iterator[tuple[str, Callable[[], str]]]:
        yield "Renewed", self.renewed
        yield "The store is down", self.outage
        yield "Cancelled", self.cancelled
        yield "Ended", self.ended
        yield "Sold", self.sold

    def subscribed(self) -> str:
        store = self.fake.store
        store.add_product(SOLD, "10.00", "SUBSCRIPTION")
        self.user = store.add_user(ZOE, settings.BUYER_NAME)
        store.users[self.user]["surname"] = settings.BUYER_SURNAME
        self.subscription = store.subscribe(self.user, self.gold, TERM)
        told, self.bought_at = self.asked(1), self.fake.clock.now
        return f"{told}\n{self.active(TERM)}"

    def renewed(self) -> str:
        self.until_day(TERM - 1)
        self.fake.store.subscriptions[self.subscription]["end"] = self.day(2 * TERM)
        return f"{self.asked(2)}\n{self.active(2 * TERM)}"

    def outage(self) -> str:
        self.until_day(40)
        self.fake.outage = True
        told = self.checked()
        self.fake.outage = False
        return f"{told}\n{self.active(2 * TERM)}"

    def cancelled(self) -> str:
        self.until_day(50)
        self.fake.store.subscriptions[self.subscription]["rp_status"] = "Cancelled"
        told, end = self.asked(3), self.day(2 * TERM)
        return f"{told}\n{self.shown(ZOE, self.gold, 'cancelled', end, GOLD_GROUP)}"

    def ended(self) -> str:
        self.until_day(2 * TERM + 1)
        return f"{self.asked(4)}\n{self.shown(ZOE, self.gold, 'ended', self.day(2 * TERM))}"

    def sold(self) -> str:
        self.until_day(self.days)
        items = [{"product": SOLD}]
        values = {"reference": "demo", "email": ZOE, "items": items}
        status, sale = self.owner.send("POST", "/@webtv-sales", values)
        expect(status == 201 and sale["state"] == "placed", f"it answered {status}: {sale}")
        values = {"transaction": "T-demo", "amount": sale["due"], "currency": "EUR"}
        status, sale = self.owner.send("POST", f"/@webtv-sales/{sale['id']}/pay", values)
        expect(status == 200 and sale["state"] == "done", f"it answered {status}: {sale}")
        payments = len(self.fake.store.payments)
        expect(payments == 1, f"the store was told of {payments} payments")
        return f"{self.today}  order {sale['number']}: placed, paid and processed"

    def asked(self, entries: int) -> str:
        """Wait until the site has asked, and written down what it was told."""
        # For new users it asks once an hour.
        self.wait(hours=1)
        told = self.checked()
        await_that(lambda: self.entries() >= entries, "the store's answer is not there")
        await_that(lambda: not self.entries("received"), "the site is not done with it")
        expect(self.entries() == entries, f"{self.entries()} notifications are there")
        return told

    def active(self, day: int) -> str:
        """Zoë has what she pays for, until a day of the life."""
        return self.shown(ZOE, self.gold, "active", self.day(day), GOLD_GROUP, grace=True)
