"""The demo's story: each step does something, or looks at what came of it, over HTTP."""

from collections.abc import Callable
from collections.abc import Iterator
from datetime import datetime
from datetime import timezone
from demo import settings
from demo.mailbox import Mailbox
from demo.mailbox import rendered
from demo.mailbox import text_of
from demo.visitor import Visitor
from urllib.parse import quote
from urllib.parse import urlencode

import re
import secrets
import subprocess
import tempfile


#: A mail is sent while the notification is answered; more than this would be a fault.
MAIL_SECONDS = 15


class Failed(Exception):
    """A step did not come out as it has to; the message says in what way."""


class Story:
    """A sale and its consequences.

    :param site: address of the site.
    :param mailbox: where the site's mail arrives.
    """

    def __init__(self, site: str, mailbox: Mailbox) -> None:
        self.site = site
        self.mailbox = mailbox
        self.owner = Visitor(site, (settings.OWNER, settings.OWNER_PASSWORD))
        self.transaction = f"demo-{secrets.token_hex(6)}"
        self.receipt = f"C2S-{secrets.token_hex(4)}"
        self.moment = datetime.now(timezone.utc).replace(microsecond=0)
        self.user_id = ""
        self.login = ""
        self.password = ""

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

    def site_answers(self) -> str:
        for site in (self.site, self.site.replace("localhost", "127.0.0.1")):
            status, _, text = Visitor(site).page("")
            _expect(status == 200, f"{site} answered {status}")
            _expect(settings.SITE_TITLE in text, f"{site} is another site")
        return self.site

    def add_on_is_installed(self) -> str:
        add_on = self.owner.json("/@addons/niteoweb.click2sell")
        _expect(add_on and add_on["is_installed"], "Plone says that it is not")
        return f"niteoweb.click2sell {add_on['version']}"

    def owner_logs_in(self) -> str:
        owner = Visitor(self.site)
        owner.page(
            "/login",
            {
                "__ac_name": settings.OWNER,
                "__ac_password": settings.OWNER_PASSWORD,
                "buttons.login": "Log in",
            },
        )
        status, address, _ = owner.page("/@@click2sell-settings")
        _expect(
            status == 200 and address.endswith("/@@click2sell-settings"),
            f"the settings page answered {status}",
        )
        return "and opened the Click2Sell page of Site Setup"

    def forgery_is_refused(self) -> str:
        status, printed = self._notify(settings.STRANGER, "not the secret key")
        _expect(status == 1 and "403 Forbidden" in printed, printed)
        _expect(not self._accounts(settings.STRANGER), "but it made a member")
        return "wrong key: 403, nobody became a member"

    def sale_is_notified(self) -> str:
        status, printed = self._notify(settings.BUYER, settings.SECRET_KEY)
        _expect(status == 0 and "POST successfully parsed." in printed, printed)
        return f"{' '.join(printed.splitlines()[1:])} (transaction {self.transaction})"

    def member_exists(self) -> str:
        accounts = self._accounts(settings.BUYER)
        _expect(len(accounts) == 1, f"{len(accounts)} accounts have the buyer's address")
        member = accounts[0]
        self.user_id = member["id"]
        name = f"{settings.BUYER_NAME} {settings.BUYER_SURNAME}"
        _expect(member["fullname"] == name, f"the name arrived as {member['fullname']!r}")
        return f"{name}, login name {member['username']}"

    def purchase_fields_are_set(self) -> str:
        fields = self.owner.json(f"/@@demo-purchase-fields?userid={quote(self.user_id)}")
        _expect(fields, "there is no such member")
        expected = {
            "product_id": settings.PRODUCT,
            "product_name": settings.PRODUCT_NAME,
            "affiliate": settings.AFFILIATE,
            "last_purchase_id": self.receipt,
        }
        for name, value in expected.items():
            _expect(fields[name] == value, f"{name} is {fields[name]!r}, not {value!r}")
        moment = datetime.fromisoformat(fields["last_purchase_timestamp"])
        _expect(moment == self.moment, f"last_purchase_timestamp is {moment}")
        return "\n".join(f"{name} = {fields[name]}" for name in settings.FIELDS)

    def groups_are_given(self) -> str:
        expected = {settings.GROUP, settings.BUYERS_GROUP}
        member = self.owner.json(f"/@users/{quote(self.user_id)}")
        _expect(self.user_id and member, "there is no such member")
        groups = {group["id"] for group in member["groups"]["items"]}
        _expect(expected <= groups, f"the member is in {', '.join(sorted(groups))} only")
        for name in expected:
            group = self.owner.json(f"/@groups/{name}?b_size=1000")
            _expect(
                group and self.user_id in group["members"]["items"],
                f"the group {name} does not list the member",
            )
        return ", ".join(sorted(expected))

    def mail_arrives(self) -> str:
        mails = self.mailbox.wait_for(settings.BUYER, MAIL_SECONDS)
        _expect(len(mails) == 1, f"{len(mails)} mails came for the buyer")
        mail = mails[0]
        _expect(settings.SENDER in mail["From"], f"it is from {mail['From']}")
        _expect(settings.BUYER in mail["To"], f"it is to {mail['To']}")
        text = text_of(mail)
        name = f"{settings.BUYER_NAME} {settings.BUYER_SURNAME}"
        _expect(name in text, "the buyer's name is not in it")
        _expect(self.site in text, "the site's address is not in it")
        login = re.search(r"login name:\s*(\S+)", text)
        password = re.search(r"password:\s*(\S+)", text)
        _expect(login and password, "there are no login name and password in it")
        self.login, self.password = login[1], password[1]
        return rendered(mail)

    def member_logs_in(self) -> str:
        _expect(self.password, "there is no password to log in with")
        wrong = Visitor(self.site).log_in(self.login, f"{self.password}x")
        _expect(not wrong, "any password is accepted")
        right = Visitor(self.site).log_in(self.login, self.password)
        _expect(right, "the login form refused the mailed password")
        return "with the mailed password; a wrong one was refused"

    def page_opens_for_members_only(self) -> str:
        _expect(self.password, "there is nobody to open it")
        member = Visitor(self.site)
        member.log_in(self.login, self.password)
        for visitor, readable in ((member, True), (Visitor(self.site), False)):
            _, address, text = visitor.page(f"/{settings.PAGE}")
            opened = address.endswith(f"/{settings.PAGE}") and settings.PAGE_TITLE in text
            _expect(
                opened == readable, "it did not open" if readable else "anybody can read it"
            )
        return f"/{settings.PAGE} opened for the member, not for an anonymous visitor"

    def month_went_by(self) -> str:
        numbers = []
        for query in ("", "&outcome=needs+attention"):
            found = self.owner.json(f"/@click2sell-notifications?b_size=1{query}")
            numbers.append(found["items_total"] if found else 0)
        _expect(all(numbers), "there is nothing in the list, or nothing needs attention")
        return f"{numbers[0]} notifications in the list, {numbers[1]} of them need attention"

    def curl_line(self) -> str:
        """A shell command that notifies of another sale."""
        from niteoweb.click2sell.notify import form_fields

        form = form_fields(
            settings.SECRET_KEY,
            f"demo-{secrets.token_hex(6)}",
            receipt=f"C2S-{secrets.token_hex(4)}",
            product=settings.PRODUCT,
            product_name=settings.PRODUCT_NAME,
            email="john.smith@example.org",
            name="John",
            surname="Smith",
            **self._now(),
        )
        sent = {name: value for name, value in form.items() if value}
        return f"curl -d '{urlencode(sent, safe='@:/')}' {self.site}/@@click2sell"

    def _now(self) -> dict[str, str]:
        # The site's time zone is UTC, whatever that of this machine is.
        return {"date": f"{self.moment:%Y-%m-%d}", "time": f"{self.moment:%H:%M:%S}"}

    def _notify(self, buyer: str, key: str) -> tuple[int, str]:
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

    def _accounts(self, address: str) -> list[dict]:
        """All members with an e-mail address."""
        found = self.owner.json(f"/@users?search={quote(address)}")
        _expect(found is not None, "the owner may not search for members")
        return [member for member in found["items"] if member["email"] == address]


def _expect(condition: object, otherwise: str) -> None:
    if not condition:
        raise Failed(otherwise)
