"""The sale that the demo sends by Click2Sell's way, and what it leads to."""

from collections.abc import Callable
from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from tools.demo import settings
from tools.demo.story import await_that
from tools.demo.story import expect
from tools.demo.story import Story
from tools.mailbox import Mailbox
from urllib.parse import quote
from urllib.parse import urlencode

import secrets
import subprocess
import tempfile


class Sale(Story):
    """A sale and its consequences."""

    month = True
    sweep_minutes = 1

    def __init__(self, site: str, mailbox: Mailbox) -> None:
        super().__init__(site, mailbox)
        self.transaction = f"demo-{secrets.token_hex(6)}"
        self.receipt = f"C2S-{secrets.token_hex(4)}"
        self.moment = datetime.now(timezone.utc).replace(microsecond=0)

    def steps(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Title and step, in order; a step returns what it saw or raises :class:`Failed`."""
        yield "Site created", self.site_answers
        yield "Add-on installed", self.add_on_is_installed
        yield "Owner logged in", self.owner_logs_in
        yield "Forgery refused", self.forgery_is_refused
        yield "Sale notified", self.sale_is_notified
        yield "Member made", self.member_exists
        yield "Purchase fields", self.purchase_fields_are_set
        yield "Groups", self.groups_are_given
        yield "Mail received", self.mail_arrives
        yield "Member logged in", self.member_logs_in
        yield "Paid page", self.page_opens_for_members_only
        yield "Made-up month", self.month_went_by

    def forgery_is_refused(self) -> str:
        status, printed = self._notify(settings.STRANGER, "not the secret key")
        expect(status == 1 and "403 Forbidden" in printed, printed)
        expect(not self.accounts(settings.STRANGER), "but it made a member")
        return "wrong key: 403, nobody became a member"

    def sale_is_notified(self) -> str:
        status, printed = self._notify(settings.BUYER, settings.SECRET_KEY)
        expect(status == 0 and "POST successfully parsed." in printed, printed)
        return f"{' '.join(printed.splitlines()[1:])} (transaction {self.transaction})"

    def purchase_fields_are_set(self) -> str:
        expected = {
            "product_id": settings.PRODUCT,
            "product_name": settings.PRODUCT_NAME,
            "affiliate": settings.AFFILIATE,
            "last_purchase_id": self.receipt,
        }
        return self.fields_are(expected, self.moment)

    def month_went_by(self) -> str:
        numbers = []
        for query in ("", "&outcome=needs+attention"):
            found = self.owner.json(f"/@click2sell-notifications?b_size=1{query}")
            numbers.append(found["items_total"] if found else 0)
        expect(all(numbers), "there is nothing in the list, or nothing needs attention")
        return f"{numbers[0]} notifications in the list, {numbers[1]} of them need attention"

    def watch(self) -> Iterator[str]:
        ends_at = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(minutes=1)
        product = settings.PRODUCTS[settings.ONE_DAY]
        status, printed = self._notify(
            settings.VISITOR,
            settings.SECRET_KEY,
            **_form_time(ends_at - timedelta(days=1)),
            name="Leo",
            surname="Novak",
            product=settings.ONE_DAY,
            **{"product-name": product.name},
            price=product.price,
            transaction=f"{self.transaction}-pass",
            receipt=f"{self.receipt}-P",
        )
        expect(status == 0, printed)
        (buyer,) = self.owner.json(f"/@click2sell-members?search={quote(settings.VISITOR)}")[
            "items"
        ]
        yield (
            f"Leo Novak has a {product.name.lower()} that ends at {ends_at:%H:%M:%S} UTC, in a "
            f"minute. The site's automatic check ends it:\n"
            f"  {self.site}/@@click2sell-members/{buyer['id']}"
        )

        def is_over() -> bool:
            member = self.owner.json(f"/@users/{quote(settings.VISITOR)}")
            return all(group["id"] != product.group for group in member["groups"]["items"])

        await_that(is_over, "the day pass has not ended", seconds=5 * 60)
        yield "Leo Novak's day pass has ended."

    def farewell(self) -> str:
        return f"""\

Three things to try, as the owner:
  1. See what needs you, and create the group that is missing:
     {self.site}/@@click2sell-overview
  2. Find Paula Studio, who has paid and cannot get in:
     {self.site}/@@click2sell-members?search=paula
  3. See what a purchase would do, without one:
     {self.site}/@@click2sell-try

Another sale, signed with the demo's key "{settings.SECRET_KEY}" (too short for a real site):

  {self.curl_line()}"""

    def curl_line(self) -> str:
        """A shell command that notifies of another sale."""
        from niteoweb.click2sell.provider import SampleRequest
        from niteoweb.click2sell.providers.click2sell.sample import form_fields

        request = SampleRequest(
            "sale",
            settings.PRODUCT,
            "john.smith@example.org",
            f"demo-{secrets.token_hex(6)}",
            self.moment,
            receipt=f"C2S-{secrets.token_hex(4)}",
            product_name=settings.PRODUCT_NAME,
            first_name="John",
            last_name="Smith",
        )
        form = form_fields(settings.SECRET_KEY, request)
        sent = {name: value for name, value in form.items() if value}
        return f"curl -d '{urlencode(sent, safe='@:/')}' {self.site}/@@click2sell"

    def _now(self) -> dict[str, str]:
        return _form_time(self.moment)

    def _notify(self, buyer: str, key: str, **differing: str) -> tuple[int, str]:
        """Run the command that owners use, and return its status and all that it printed."""
        options = {
            **self._now(),
            "email": buyer,
            "name": settings.BUYER_NAME,
            "surname": settings.BUYER_SURNAME,
            "product": settings.PRODUCT,
            "product-name": settings.PRODUCT_NAME,
            "price": "9.90 EUR",
            "affiliate": settings.AFFILIATE,
            "transaction": self.transaction,
            "receipt": self.receipt,
            **differing,
        }
        # Readable for this user only, as the command's documentation advises.
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as key_file:
            key_file.write(f"{key}\n")
            key_file.flush()
            arguments = [f"--{name}={value}" for name, value in options.items()]
            done = subprocess.run(  # noqa: S603
                [settings.NOTIFY, self.site, "--secret-key-file", key_file.name, *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                timeout=120,
            )
        return done.returncode, done.stdout.strip()


def _form_time(moment: datetime) -> dict[str, str]:
    # The site's time zone is UTC, whatever that of this machine is.
    return {"date": f"{moment:%Y-%m-%d}", "time": f"{moment:%H:%M:%S}"}
