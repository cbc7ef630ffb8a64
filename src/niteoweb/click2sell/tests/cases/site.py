"""Common parts of the tests of the pipeline: a buyer, an owner, a clock that stands still."""

from BTrees.Length import Length
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import rejections
from niteoweb.click2sell.mail import delivery as mail_delivery
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.providers.click2sell import protocol as click2sell
from niteoweb.click2sell.provisioning import claiming
from niteoweb.click2sell.provisioning import enrichment
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import log_failure
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees as store
from niteoweb.click2sell.tests.cases import clock
from niteoweb.click2sell.tests.cases import deliveries
from niteoweb.click2sell.tests.cases.layers import NOW
from niteoweb.click2sell.tests.cases.layers import SHOP
from niteoweb.click2sell.tests.proof.dump import SUMS
from plone import api
from plone.app.testing import logout
from typing import Any
from unittest import mock

import transaction
import unittest


EMAIL = "john@example.org"
PASSWORD = "a password of the member's own"
FIELDS = (
    "product_id",
    "product_name",
    "affiliate",
    "last_purchase_id",
    "last_purchase_timestamp",
)


class SiteTestCase(unittest.TestCase):
    """A site with the groups "premium" and "course" for the products 1 and 2.

    Deliveries are processed as they come over HTTP: by nobody who is logged in. What an owner
    does by hand goes through :meth:`owner`.
    """

    layer = SHOP

    def setUp(self):
        self.portal = self.layer["portal"]
        self.clock = self.enterContext(clock.frozen(NOW))
        self.jumped = timedelta()
        self.enterContext(mock.patch.object(timestamps, "running", self._running))
        # Memory of the process, which no database on top of another takes back.
        background.expect(background.MAIL)
        self.addCleanup(background.stop_expecting)
        self.enterContext(mock.patch.object(mail_delivery, "hand_over", send_now))
        self.enterContext(mock.patch.object(enrichment, "hand_over", ask_now))
        self.enterContext(mock.patch.object(claiming, "hand_over", claiming.ask_again))
        rejections._tallies.clear()
        mail_delivery._passwords.clear()
        logout()

    # What is set up

    def settings(self, **values: Any) -> None:
        """Change settings of the add-on."""
        for name, value in values.items():
            setattr(plone_site.settings(), name, value)
        transaction.commit()

    def registry(self, **values: Any) -> None:
        """Change settings of Plone."""
        for name, value in values.items():
            api.portal.set_registry_record(f"plone.{name}", value)
        transaction.commit()

    @contextmanager
    def owner(self) -> Iterator[None]:
        """Act as a member with the role Manager; committed at the end."""
        transaction.begin()
        with api.env.adopt_roles(["Manager"]):
            yield
        transaction.commit()

    def group(self, group_id: str, roles: tuple[str, ...] = (), inside: str = "") -> None:
        """Make a group.

        :param inside: another group, which it becomes a member of.
        """
        with self.owner():
            api.group.create(group_id, roles=list(roles))
            if inside:
                self.portal.portal_groups.addPrincipalToGroup(group_id, inside)

    def account(
        self, user_id: str = EMAIL, email: str = EMAIL, login: str = "", **properties: Any
    ) -> None:
        """Make a member as Plone's own registration does; the password is :data:`PASSWORD`."""
        with self.owner():
            self.portal.portal_registration.addMember(
                user_id,
                PASSWORD,
                properties={"username": user_id, "email": email, **properties},
            )
            if login:
                self.portal.acl_users.updateLoginName(user_id, login)

    def root_user(self, roles: list[str]) -> None:
        """Make an account with the buyer's address as its name in Zope's root user folder."""
        with self.owner():
            self.layer["app"].acl_users.userFolderAddUser(EMAIL, PASSWORD, roles, [])

    def later(self, **time: float) -> None:
        """Let time pass."""
        self.clock.tick(timedelta(**time))

    @property
    def now(self) -> datetime:
        """The moment that the clock shows."""
        return timestamps.now()

    @now.setter
    def now(self, moment: datetime) -> None:
        self.clock.move_to(moment)

    def jump(self, **time: float) -> None:
        """Put the clock forward, or back."""
        self.now += timedelta(**time)
        self.jumped += timedelta(**time)

    def _running(self) -> float:
        return (self.now - self.jumped - NOW).total_seconds()

    # What happens

    def notification(self, **changes: str | None) -> Notification:
        """A sale as the provider's module reads it, really signed."""
        delivery = Delivery(deliveries.body(**changes), click2sell.CONTENT_TYPE)
        form = click2sell.verify(delivery, deliveries.keys(deliveries.SECRET_KEY), self.now)
        (notification,) = click2sell.parse(form, plone_site.timezone())
        return notification

    def buy(self, **changes: str | None) -> pipeline.Result:
        """Process a sale."""
        with self.unexpected_errors_shown():
            return pipeline.process(self.notification(**changes))

    @contextmanager
    def unexpected_errors_shown(self) -> Iterator[None]:
        """Name the error that provisioning keeps to the log, when a test is surprised by it."""
        with mock.patch.object(pipeline, "_fail", wraps=pipeline._fail) as failed:
            try:
                yield
            except pipeline.Failed as error:
                error.add_note(repr(failed.call_args.args[1]))
                raise

    def refund(self, **changes: str | None) -> pipeline.Result:
        """Process the refund of a sale."""
        return self.buy(transaction_type="Refund", **changes)

    def buy_again(self, number: int = 2, **changes: str | None) -> pipeline.Result:
        """Process another sale to the same buyer, some minutes after the first."""
        return self.buy(
            **{
                "acquirer_transaction_id": f"T-{number}",
                "c2s_transaction_id": f"R-{number}",
                "purchase_time": f"10:{20 + number}:00",
                **changes,
            }
        )

    def buy_course_and_refund_it(self) -> None:
        """Process a second sale, of the product 2, and its refund a day later."""
        course = {"product_id": "2", "product_name": "Course"}
        self.buy_again(2, **course)
        self.later(days=1)
        sale = {"acquirer_transaction_id": "T-2", "c2s_transaction_id": "R-2"}
        self.refund(purchase_date="2026-05-04", **sale, **course)

    def provision(self, address: str = EMAIL, follow_mapping: bool = False) -> Any:
        """Make the site agree with what a buyer is entitled to now."""
        return pipeline.provision(self.buyer(address)["id"], follow_mapping)

    def choose(self, user_id: str, address: str = EMAIL, customer: Any = None) -> None:
        """Tie a buyer who waits to an account, as an owner does.

        :param customer: provider and id, for a buyer who is known by that.
        """
        buyer = self.buyer(address)
        if customer is not None:
            buyer = customers.buyer(self.portal, customer)
        buyers.change(self.portal, buyer, chosen=user_id)
        transaction.commit()
        pipeline.provision(buyer["id"])

    # What came of it

    def buyer(self, address: str = EMAIL) -> buyers.Buyer:
        """The record of a buyer."""
        transaction.begin()
        paid = address in store.tree(self.portal, "buyer_by_address")
        stated = () if paid else customers.stating(self.portal, address)
        return next(iter(stated), None) or buyers.of_address(self.portal, address)

    def user_id(self, address: str = EMAIL) -> str:
        """User id of the account that a buyer is tied to."""
        return self.buyer(address)["user_id"]

    def member(self, user_id: str = EMAIL) -> Any:
        """A member, None when there is none."""
        transaction.begin()
        return self.portal.portal_membership.getMemberById(user_id)

    def fields(self, user_id: str = EMAIL) -> dict[str, Any]:
        """The purchase fields of a member."""
        member = self.member(user_id)
        return {name: member.getProperty(name) for name in FIELDS}

    def groups(self, user_id: str = EMAIL) -> list[str]:
        """The groups that a member is in, without the one that everybody is in."""
        groups = self.portal.acl_users.source_groups.getGroupsForPrincipal(
            self.member(user_id) or _Principal(user_id)
        )
        return sorted(groups)

    def authenticates(self, login: str, password: str) -> str:
        """User id of whoever logs in so, "" when the user folder refuses."""
        pas = self.portal.acl_users
        user = pas.authenticate(pas.applyTransform(login), password, self.layer["request"])
        return user.getId() if user is not None else ""

    def entries(self) -> list[tuple[str, str, str]]:
        """Outcome, reason and subject of each entry of the ledger, the oldest first."""
        transaction.begin()
        found = [ledger.get(self.portal, key) for key in ledger.newest_first(self.portal)]
        return [(e["outcome"], e["reason"], e["subject"]) for e in reversed(found)]

    def attention(self) -> list[tuple[str, str]]:
        """Reason and subject of each entry that needs a person."""
        return [rest for outcome, *rest in self.entries() if outcome == Outcome.ATTENTION]

    def assert_replay_changes_nothing(self) -> None:
        """Nothing but how often each entry was tried."""
        before = self.dump()
        for key in list(ledger.newest_first(self.portal)):
            pipeline.replay(key)
        after = self.dump()
        for found in (before, after):
            for entry in found["trees"]["entries"].values():
                entry.pop("attempts")
        self.assertEqual(before, after)

    def dump(self) -> dict[str, Any]:
        """Everything that provisioning can change, without the buyers' revisions."""
        transaction.begin()
        portal = self.portal
        trees = {name: plain(store.tree(portal, name)) for name in store.TREES if name != SUMS}
        trees["entries"] = {
            place: plain(entries.at(portal, place)) for place in trees["entries"]
        }
        for record in trees["buyers"].values():
            del record["revision"]
        trees["remarks"] = {
            name: value
            for name, value in trees["remarks"].items()
            if not name.startswith("at ")
        }
        return {
            "trees": trees,
            "passwords": dict(portal.acl_users.source_users._user_passwords),
            "logins": dict(portal.acl_users.source_users._userid_to_login),
            "properties": {
                user_id: dict(values)
                for user_id, values in portal.acl_users.mutable_properties._storage.items()
            },
            "groups": {
                group_id: self.portal.portal_groups.getGroupMembers(group_id)
                for group_id in portal.portal_groups.listGroupIds()
            },
            "roles": plain(portal.acl_users.portal_role_manager._principal_roles),
        }


def send_now(mail_id: str) -> None:
    """Send a mail in the thread that hands it over: tests have no background threads."""
    try:
        mail_delivery.deliver(mail_id)
    except transactions.Busy:
        pass
    except Exception as error:
        log_failure(f"Mail {mail_id}", error)


def ask_now(keys: Iterable[str]) -> None:
    """Ask providers in the thread that hands it over."""
    for key in keys:
        with suppress(transactions.Busy, pipeline.Failed):
            pipeline.resume(key)


class _Principal:
    def __init__(self, user_id: str) -> None:
        self._id = user_id

    def getId(self) -> str:
        return self._id


def plain(value: Any) -> Any:
    if isinstance(value, Length):
        return value()
    if hasattr(value, "items"):
        return {key: plain(item) for key, item in value.items()}
    return list(value) if hasattr(value, "has_key") else value


class ByHandTestCase(SiteTestCase):
    def put(self, group_id, user_id=EMAIL):
        with self.owner():
            api.group.add_user(groupname=group_id, username=user_id)

    def take(self, group_id, user_id=EMAIL):
        with self.owner():
            api.group.remove_user(groupname=group_id, username=user_id)

    def delete_member(self, user_id=EMAIL):
        self.later(minutes=1)
        with self.owner():
            self.portal.portal_membership.deleteMembers([user_id])
        self.later(minutes=1)

    def replay_all(self):
        self.provision()
        for key in self.buyer()["keys"]:
            pipeline.replay(key)
