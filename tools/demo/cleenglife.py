"""The life of a subscription that is bought on a TV set and told by Cleeng."""

from collections.abc import Callable
from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell.providers.cleeng.fake import FakeCleeng
from niteoweb.click2sell.providers.cleeng.fake import HEADER
from niteoweb.click2sell.providers.cleeng.protocol import HEX
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
from typing import Any


ZOE = settings.BUYER
JONAS = "jonas.weber@example.org"
#: Vizio's ids of subscriptions.
FIRST, SECOND, THIRD, NEVER_BOUGHT = "vizio-1", "vizio-2", "vizio-3", "vizio-4"
TERM = 30
#: How long access lasts that Cleeng has not confirmed.
MEANTIME = timedelta(minutes=15)


class CleengLife(Life):
    """Zoë and Jonas watch TV: what Vizio notifies of, a transfer, and validations."""

    name, title = "cleeng", "Cleeng"
    gold, silver = "S100_US", "S200_US"
    # Cleeng tells no names.
    full_name = ""
    days = 130
    fake: FakeCleeng

    def provider(self, clock: Clock) -> FakeCleeng:
        return FakeCleeng(SECRET, TOKEN, clock)

    @property
    def sender(self) -> Sender:
        return self.fake.webhooks

    @property
    def options(self) -> dict[str, Any]:
        return {"signature_header": HEADER, "signature_encoding": HEX}

    def chapters(self) -> Iterator[tuple[str, Callable[[], str]]]:
        yield "Tampered with", self.tampered_with
        yield "Paid, told twice", self.paid
        yield "Payment failed", self.payment_failed
        yield "Paid late", self.paid_late
        yield "Cancelled", self.cancelled
        yield "Reactivated", self.reactivated
        yield "Downgrade pending", self.downgrade_pending
        yield "Updated", self.updated
        yield "Refunded", self.refunded
        yield "Subscribed again", self.subscribed_again
        yield "Transferred", self.transferred
        yield "Expired", self.expired
        yield "Validation queued", self.validation_queued
        yield "Validated", self.validated
        yield "Not validated", self.not_validated
        yield "Cleeng is down", self.not_confirmed

    def subscribed(self) -> str:
        self.fake.subscribe(ZOE, FIRST, self.gold, TERM)
        return f"{self.deliver()}\n{self.active(TERM)}"

    def tampered_with(self) -> str:
        self.until_day(1)
        delivery = self.fake.vizio("SUBSCRIPTION.PAYMENT.SUCCESSFUL", FIRST, days=0)
        self.sender.pending.remove(delivery)
        told = self.refused(delivery, tamper=lambda body: body.replace(b"S100", b"S200"))
        return f"{told}\n{self.active(TERM)}"

    def paid(self) -> str:
        before = self.entries()
        told = self.vizio(29, "PAYMENT.SUCCESSFUL", times=2)
        more = self.entries() - before
        expect(more == 1, f"it was written down {more} times")
        return f"{told}\nwritten down once\n{self.active(2 * TERM)}"

    def payment_failed(self) -> str:
        told = self.vizio(2 * TERM + 0.1, "PAYMENT.FAILED")
        end = self.day(2 * TERM)
        now = self.shown(ZOE, self.gold, "grace", end, GOLD_GROUP, grace=True)
        return f"{told}\n{self.checked()}\n{now}"

    def paid_late(self) -> str:
        return f"{self.vizio(62, 'PAYMENT.SUCCESSFUL')}\n{self.active(62 + TERM)}"

    def cancelled(self) -> str:
        told, end = self.vizio(65, "CANCELED"), self.day(62 + TERM)
        return f"{told}\n{self.shown(ZOE, self.gold, 'cancelled', end, GOLD_GROUP)}"

    def reactivated(self) -> str:
        return f"{self.vizio(66, 'REACTIVATED')}\n{self.active(62 + TERM)}"

    def downgrade_pending(self) -> str:
        return f"{self.vizio(70, 'DOWNGRADE.PENDING')}\n{self.active(62 + TERM)}"

    def updated(self) -> str:
        told = self.vizio(91, "UPDATED", offer=self.silver)
        told += f"\n{self.shown(ZOE, self.gold, 'ended', None, SILVER_GROUP)}"
        told += f"\n{self.vizio(92, 'PAYMENT.SUCCESSFUL')}"
        end = self.day(92 + TERM)
        now = self.shown(ZOE, self.silver, "active", end, SILVER_GROUP, grace=True)
        return f"{told}\n{now}"

    def refunded(self) -> str:
        told = self.vizio(95, "PAYMENT.REFUND")
        return f"{told}\n{self.shown(ZOE, self.silver, 'refunded', self.day(95))}"

    def subscribed_again(self) -> str:
        self.until_day(97)
        self.fake.subscribe(ZOE, SECOND, self.gold, TERM)
        return f"{self.deliver()}\n{self.active(97 + TERM)}"

    def transferred(self) -> str:
        self.until_day(100)
        id_, queued = self.validate(JONAS, SECOND)
        expect(not self.accounts(JONAS), "a purchase that nobody has confirmed made a member")
        self.wait(seconds=11)
        self.fake.run()
        told = f"{queued}\n{self.deliver(order=reversed)}\n{self.poll(id_, 'succeeded')}"
        before = self.shown(ZOE, self.gold, "ended", self.day(100) + timedelta(seconds=11))
        end = self.day(97 + TERM)
        return f"{told}\n{before}\n{self.gold_of(JONAS, 'active', end, grace=True)}"

    def expired(self) -> str:
        told = self.vizio(97 + TERM, "EXPIRED", SECOND)
        return f"{told}\n{self.shown(JONAS, self.gold, 'ended', self.day(97 + TERM))}"

    def validation_queued(self) -> str:
        self.until_day(self.days)
        status, _ = Visitor(self.site).send("POST", "/@cleeng-purchase-validation", {})
        expect(status == 401, f"anybody may have a purchase validated: {status}")
        self.fake.buy(THIRD, self.gold)
        end = self.fake.clock.now + MEANTIME
        self.validation, queued = self.validate(ZOE, THIRD)
        self.wait(seconds=5)
        told = f"{queued}\n{self.poll(self.validation, 'pending', end)}"
        return f"{told}\n{self.gold_of(ZOE, 'provisional', end)}"

    def validated(self) -> str:
        self.wait(seconds=5)
        self.fake.run()
        end = self.fake.clock.now + timedelta(days=TERM)
        told = f"{self.deliver()}\n{self.poll(self.validation, 'succeeded')}"
        return f"{told}\n{self.gold_of(ZOE, 'active', end, grace=True)}"

    def not_validated(self) -> str:
        self.wait(minutes=1)
        end = self.fake.clock.now + MEANTIME
        id_, queued = self.validate(JONAS, NEVER_BOUGHT)
        told = f"{queued}\n{self.gold_of(JONAS, 'provisional', end)}"
        self.wait(seconds=11)
        told += f"\n{self.poll(id_, 'failed')}\n{self.deliver()}"
        return f"{told}\n{self.shown(JONAS, self.gold, 'ended')}"

    def not_confirmed(self) -> str:
        """Jonas has no access in the meantime any more: the purchase before was invented."""
        self.wait(minutes=1)
        id_, queued = self.validate(JONAS, f"{NEVER_BOUGHT}-either")
        self.fake.outage = True
        self.wait(seconds=11)
        told = f"{queued}\n{self.poll(id_, 'pending')}"
        self.wait(minutes=15)
        told += f"\n{self.checked()}\n{self.shown(JONAS, self.gold, 'ended')}"
        self.fake.outage = False
        return told

    # What is done, and what is seen

    def vizio(self, day: float, name: str, vizio_id: str = FIRST, **how: Any) -> str:
        """Vizio notifies Cleeng on a day, and Cleeng tells the site."""
        times = how.pop("times", 1)
        self.until_day(day)
        self.fake.vizio(f"SUBSCRIPTION.{name}", vizio_id, **how)
        return self.deliver(times=times)

    def validate(self, email: str, vizio_id: str) -> tuple[str, str]:
        """An app's middleware, with the role Manager, has a purchase validated.

        :returns: the id to ask with, and what was sent and answered.
        """
        asked = {"email": email, "subscription_id": vizio_id, "offer_id": self.gold}
        status, told = self.owner.send("POST", "/@cleeng-purchase-validation", asked)
        expect(status == 202 and told["status"] == "queued", f"it answered {status}: {told}")
        sent = f"@cleeng-purchase-validation {vizio_id} of {email}"
        return told["id"], f"{self.today}  {sent}: {status} queued"

    def poll(self, id_: str, status: str, until: datetime | None = None) -> str:
        """The app asks what a validation came to, which has to be this."""
        told = self.owner.json(f"/@cleeng-purchase-status/{id_}")
        expect(told and told["status"] == status, f"the validation is {told}, not {status}")
        end = told["access_until"] and datetime.fromisoformat(told["access_until"])
        expect(end == until, f"access in the meantime is until {end}")
        return f"{self.today}  @cleeng-purchase-status/{id_}: {status}"

    def active(self, day: int) -> str:
        """Zoë has what she pays for, until a day of the life."""
        return self.gold_of(ZOE, "active", self.day(day), grace=True)

    def gold_of(self, who: str, state: str, end: datetime, grace: bool = False) -> str:
        """Somebody has gold, until some time."""
        return self.shown(who, self.gold, state, end, GOLD_GROUP, grace=grace)
