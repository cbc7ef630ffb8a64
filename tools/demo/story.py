"""The common part of the demo's stories: a first purchase and its results."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from tools.demo import settings
from tools.demo.visitor import Visitor
from tools.mailbox import Mailbox
from tools.mailbox import rendered
from tools.mailbox import text_of
from urllib.parse import quote

import re
import time


#: A mail is sent in the background as soon as its purchase is committed, and machines are busy.
MAIL_SECONDS = 60


class Failed(Exception):
    """A step did not come out as it has to; the message says in what way."""


def expect(condition: object, otherwise: str) -> None:
    """Go on if something is as it has to be.

    :param otherwise: what is told if it is not.
    :raises Failed: it is not.
    """
    if not condition:
        raise Failed(otherwise)


def await_that(condition: Callable[[], object], otherwise: str, seconds: float = 60) -> None:
    """Wait until something is true that the site does in the background.

    :param otherwise: what is told if it does not come true.
    :raises Failed: it does not.
    """
    until = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < until, otherwise)
        time.sleep(0.1)


class Story:
    """Steps that do something, or look at what came of it, over HTTP.

    :param site: address of the site.
    :param mailbox: where the site's mail arrives.
    :ivar user_id: of the member who was made.
    :ivar login: of the member, as mailed.
    :ivar password: of the member, as mailed.
    """

    #: Whether a month of notifications has to be there.
    month = False
    #: Between two automatic checks of the site.
    sweep_minutes = 10
    #: Variables for the process that serves the site.
    environment: Mapping[str, str] = {}
    #: The page of Site Setup that the owner opens, and its name.
    settings_page = ("click2sell-settings", "Click2Sell")
    #: The buyer's, as the provider tells it.
    full_name = f"{settings.BUYER_NAME} {settings.BUYER_SURNAME}"

    def __init__(self, site: str, mailbox: Mailbox) -> None:
        self.site = site
        self.mailbox = mailbox
        self.owner = Visitor(site, (settings.OWNER, settings.OWNER_PASSWORD))
        self.user_id = ""
        self.login = ""
        self.password = ""

    def begin(self, stack: ExitStack) -> None:
        """Start what has to run beside the site.

        :param stack: ends it.
        """

    def steps(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Title and step, in order; a step returns what it saw or raises :class:`Failed`."""
        raise NotImplementedError

    def watch(self) -> Iterator[str]:
        """What happens while one looks on, after the steps, as it is told."""
        yield from ()

    def farewell(self) -> str:
        """The pages worth a look afterwards, line by line."""
        raise NotImplementedError

    def site_answers(self) -> str:
        """The site is there, by both names of this machine."""
        for site in (self.site, self.site.replace("localhost", "127.0.0.1")):
            status, _, text = Visitor(site).page("")
            expect(status == 200, f"{site} answered {status}")
            expect(settings.SITE_TITLE in text, f"{site} is another site")
        return self.site

    def add_on_is_installed(self) -> str:
        """Plone knows the add-on."""
        add_on = self.owner.json("/@addons/niteoweb.click2sell")
        expect(add_on and add_on["is_installed"], "Plone says that it is not")
        return f"niteoweb.click2sell {add_on['version']}"

    def owner_logs_in(self) -> str:
        """The owner gets to the settings."""
        owner = Visitor(self.site)
        owner.page(
            "/login",
            {
                "__ac_name": settings.OWNER,
                "__ac_password": settings.OWNER_PASSWORD,
                "buttons.login": "Log in",
            },
        )
        name, title = self.settings_page
        status, address, _ = owner.page(f"/@@{name}")
        expect(
            status == 200 and address.endswith(f"/@@{name}"),
            f"the settings page answered {status}",
        )
        return f"and opened the {title} page of Site Setup"

    def member_exists(self) -> str:
        """The buyer has an account."""
        accounts = self.accounts(settings.BUYER)
        expect(len(accounts) == 1, f"{len(accounts)} accounts have the buyer's address")
        member = accounts[0]
        self.user_id = member["id"]
        name = self.full_name
        found = member["fullname"] or ""
        expect(found == name, f"the name arrived as {found!r}")
        return f"{name or 'without a name'}, login name {member['username']}"

    def fields_are(self, expected: Mapping[str, str], moment: datetime) -> str:
        """The purchase fields are those of the latest payment.

        :param expected: values by name; the time is not among them.
        :param moment: of the payment.
        """
        fields = self.owner.json(f"/@@demo-purchase-fields?userid={quote(self.user_id)}")
        expect(fields, "there is no such member")
        for name, value in expected.items():
            expect(fields[name] == value, f"{name} is {fields[name]!r}, not {value!r}")
        found = datetime.fromisoformat(fields["last_purchase_timestamp"])
        expect(found == moment, f"last_purchase_timestamp is {found}")
        return "\n".join(f"{name} = {fields[name]}".rstrip() for name in settings.FIELDS)

    def groups_are_given(self) -> str:
        """The buyer is in the groups of the product and of all buyers."""
        expected = {settings.GROUP, settings.BUYERS_GROUP}
        member = self.owner.json(f"/@users/{quote(self.user_id)}")
        expect(self.user_id and member, "there is no such member")
        groups = {group["id"] for group in member["groups"]["items"]}
        expect(expected <= groups, f"the member is in {', '.join(sorted(groups))} only")
        for name in expected:
            group = self.owner.json(f"/@groups/{name}?b_size=1000")
            expect(
                group and self.user_id in group["members"]["items"],
                f"the group {name} does not list the member",
            )
        return ", ".join(sorted(expected))

    def mail_arrives(self) -> str:
        """The buyer is mailed what is needed to log in."""
        mails = self.mailbox.wait_for(settings.BUYER, MAIL_SECONDS)
        expect(len(mails) == 1, f"{len(mails)} mails came for the buyer")
        mail = mails[0]
        expect(settings.SENDER in mail["From"], f"it is from {mail['From']}")
        expect(settings.BUYER in mail["To"], f"it is to {mail['To']}")
        text = text_of(mail)
        expect(self.full_name in text, "the buyer's name is not in it")
        expect(self.site in text, "the site's address is not in it")
        login = re.search(r"login name:\s*(\S+)", text)
        password = re.search(r"password:\s*(\S+)", text)
        expect(login and password, "there are no login name and password in it")
        self.login, self.password = login[1], password[1]
        return rendered(mail)

    def member_logs_in(self) -> str:
        """The buyer logs in."""
        expect(self.password, "there is no password to log in with")
        wrong = Visitor(self.site).log_in(self.login, f"{self.password}x")
        expect(not wrong, "any password is accepted")
        right = Visitor(self.site).log_in(self.login, self.password)
        expect(right, "the login form refused the mailed password")
        return "with the mailed password; a wrong one was refused"

    def page_opens_for_members_only(self) -> str:
        """The buyer reads what was paid for."""
        expect(self.password, "there is nobody to open it")
        member = Visitor(self.site)
        member.log_in(self.login, self.password)
        for visitor, readable in ((member, True), (Visitor(self.site), False)):
            _, address, text = visitor.page(f"/{settings.PAGE}")
            opened = address.endswith(f"/{settings.PAGE}") and settings.PAGE_TITLE in text
            expect(opened == readable, "it did not open" if readable else "anybody can read it")
        return f"/{settings.PAGE} opened for the member, not for an anonymous visitor"

    def accounts(self, address: str) -> list[dict]:
        """All members with an e-mail address."""
        found = self.owner.json(f"/@users?search={quote(address)}")
        expect(found is not None, "the owner may not search for members")
        return [member for member in found["items"] if member["email"] == address]
