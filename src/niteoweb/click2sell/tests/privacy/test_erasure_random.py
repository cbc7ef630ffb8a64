"""After an erasure the address stands nowhere any more, no matter what owners did before.

Made-up histories of a few buyers who share transactions, with all that an owner can do. Then
one of them is erased, and the bytes of all stored objects are searched.
"""

from collections.abc import Iterator
from datetime import timedelta
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.mail import messages
from niteoweb.click2sell.member import index
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.owner import importing
from niteoweb.click2sell.owner.importfile import ImportRow
from niteoweb.click2sell.privacy import erasure
from niteoweb.click2sell.privacy import export
from niteoweb.click2sell.privacy import preview
from niteoweb.click2sell.provider import unreadable
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases import EXAMPLES
from niteoweb.click2sell.tests.cases.erasure import ErasureTestCase
from niteoweb.click2sell.tests.proof import dump
from plone import api
from typing import Any
from unittest import mock
from ZODB.serialize import referencesf
from zope.annotation.interfaces import IAnnotations

import random
import transaction


HISTORIES = round(25 * EXAMPLES)
#: What happens in each of them, at most.
STEPS = 25
PRODUCTS = (("click2sell", "1"), ("click2sell", "2"))


class TestNothingIsLeft(ErasureTestCase):
    def setUp(self):
        super().setUp()
        self.settings(welcome_mail="link", notice_mail=True)
        self.registry(email_from_address="site@example.net")

    def test_made_up_histories(self):
        done: dict[str, int] = {}
        for seed in range(HISTORIES):
            history = _History(self, seed)
            for name in history.run():
                done[name] = done.get(name, 0) + 1
            address = history.any.choice(history.addresses)
            transaction.begin()
            if preview.of(export.find(self.portal, address)).anything:
                with self.subTest(seed=seed, address=address):
                    self.erased_everywhere(address, bool(seed % 2))
        # Each of them was possible now and then, or the test would prove nothing.
        self.assertEqual(set(done), set(_History.ACTS), done)

    def erased_everywhere(self, address: str, delete: bool) -> None:
        """Erase, and look for the address in every byte."""
        self.assertNotEqual(self.bytes_with(address, members=True), [])
        self.erase(address, delete_member=delete)
        # An account that no buyer was tied to is not ours to delete.
        members = delete and not index.find(self.portal, address)
        self.assertEqual(self.bytes_with(address, members), [])
        told = export.export(self.portal, address, self.now)
        self.assertNotIn(address, repr({**told, "address": "", "accounts": ()}))
        self.assertEqual(self.found(address).moved, ())

    def bytes_with(self, address: str, members: bool = False) -> list[str]:
        """The places of a text in the pickles of the add-on's records.

        :param members: look at the user folder and the index of Plone's members, too.
        """
        transaction.begin()
        annotation = IAnnotations(self.portal)[trees.KEY]
        roots = {
            name: annotation[name]
            for name in annotation
            if members or not name.startswith("member_")
        }
        if members:
            roots["acl_users"] = self.portal.acl_users
            roots["portal_memberdata"] = self.portal.portal_memberdata
        return [
            f"{name}: {pickle[max(0, place - 80) : place + 60]!r}"
            for name, root in roots.items()
            for pickle in _pickles(root)
            if (place := pickle.lower().find(address.encode("ascii"))) >= 0
        ]

    def test_the_search_finds_what_is_there(self):
        self.buy()
        found = {line.partition(":")[0] for line in self.bytes_with("john@example.org", True)}
        self.assertLessEqual({"entries", "buyers", "buyer_by_address", "acl_users"}, found)

    def test_the_indexes_are_those_that_are_made_anew(self):
        """Filing step by step comes to the same as filing everything at once."""
        for seed in range(5):
            list(_History(self, seed).run())
        transaction.begin()
        self.assertGreater(len(trees.tree(self.portal, "mentions")), 0)
        self.assertEqual(dump.misfiled(self.portal), [])


def _pickles(root: Any) -> Iterator[bytes]:
    """The stored bytes of an object, and of all that it leads to but for the site itself."""
    storage = root._p_jar.db().storage
    outside = {api.portal.get()._p_oid, api.portal.get().aq_parent._p_oid}
    seen, waiting = set(outside), [root._p_oid]
    while waiting:
        oid = waiting.pop()
        if oid in seen:
            continue
        seen.add(oid)
        pickle, _serial = storage.load(oid)
        yield pickle
        waiting += referencesf(pickle)


class _History:
    """A random history of a few buyers, by a seed."""

    #: Names of what can happen; what stands here twice comes twice as often.
    ACTS = (
        *("sale", "sale", "sale", "refund", "other", "broken", "replay", "grant", "imported"),
        *("correct", "correct", "correct", "decide", "decide", "dismiss", "attach"),
        *("extend", "end", "resend", "registered", "account_deleted", "new_address"),
        *("taken_in", "payloads_gone", "sweep_"),
    )

    def __init__(self, case: TestNothingIsLeft, seed: int) -> None:
        self.case, self.seed = case, seed
        self.any = random.Random(seed)
        people = ("john", "jane", "jim", "jill")
        self.addresses = [f"{name}@r{seed}.example.org" for name in people]

    def run(self) -> Iterator[str]:
        """Let things happen; yields what was possible."""
        with (
            mock.patch.object(messages, "send", side_effect=[None, OSError] * 500),
            mock.patch.object(pipeline.logger, "warning"),
        ):
            for _step in range(self.any.randint(5, STEPS)):
                self.case.later(minutes=1)
                name = self.any.choice(self.ACTS)
                transaction.begin()
                try:
                    if getattr(self, name)() is not False:
                        yield name
                except (action.NotPossible, erasure.NotPossible):
                    transaction.abort()

    # What is chosen

    def address(self) -> str:
        return self.any.choice(self.addresses)

    def reason(self) -> str:
        return self.any.choice(("called", f"<{self.address().upper()}> wrote, (not me)."))

    def entry(self, *outcomes: str) -> ledger.Entry | None:
        """An entry of this history that was not erased."""
        keys = {key for name in self.addresses for key in self.case.buyer(name)["keys"]}
        found = [ledger.get(self.case.portal, key) for key in keys]
        found.sort(key=lambda entry: (entry["received_at"], entry["key"]))
        found = [
            entry
            for entry in found
            if not entry.get("erased_at") and (not outcomes or entry["outcome"] in outcomes)
        ]
        return self.any.choice(found) if found else None

    def member(self) -> str:
        """User id of an account, "" for none."""
        found = [*self.addresses, *map(self.nickname, self.addresses)]
        found = [name for name in found if self.case.member(name) is not None]
        return self.any.choice(found) if found else ""

    # What happens

    def sale(self, **changes: str) -> None:
        number = f"{self.seed}-{self.any.randrange(3)}"
        self.case.buy(
            **{
                "buyer_email": self.address().title(),
                "product_id": self.any.choice("12"),
                "acquirer_transaction_id": f"T-{number}",
                "c2s_transaction_id": f"R-{self.any.randrange(10**9)}",
                **changes,
            }
        )

    def refund(self) -> None:
        self.sale(transaction_type="Refund")

    def other(self) -> None:
        self.sale(transaction_type="Other")

    def broken(self) -> None:
        key = f"{self.any.getrandbits(256):064x}"
        payload = {"buyer_email": self.address().upper(), "price": self.reason()}
        pipeline.process(
            unreadable(key, "click2sell", f"B-{key[:4]}", payload, "price", self.case.now)
        )

    def replay(self) -> Any:
        entry = self.entry()
        return entry is not None and pipeline.replay(entry["key"])

    def grant(self) -> None:
        product, reason = self.any.choice(PRODUCTS), self.reason()
        until = self.any.choice((None, self.case.now + timedelta(days=10)))
        self.carry_out(commands.Grant(self.address(), product, until, reason, "owner"))

    def imported(self) -> Any:
        reference = f"A-{self.seed}-{self.any.randrange(5)}"
        row = ImportRow(1, self.address(), "Jo Lee", self.any.choice("12"), None, reference)
        report = importing.run([row], "owner", self.any.choice((0, 100)))
        return not report.failed

    def correct(self) -> Any:
        entry, everything = self.entry(), self.any.random() < 0.5
        return entry is not None and self.carry_out(
            decisions.Correct(entry["key"], "owner", self.address(), everything, self.reason())
        )

    def decide(self) -> Any:
        entry = self.entry(Outcome.REFUSED)
        return entry is not None and self.carry_out(
            decisions.Decide(entry["key"], "owner", self.reason())
        )

    def dismiss(self) -> Any:
        entry = self.entry(Outcome.REFUSED, Outcome.ATTENTION)
        return entry is not None and self.carry_out(
            decisions.Dismiss(entry["key"], "owner", self.reason())
        )

    def attach(self) -> Any:
        entry, user_id = self.entry(), self.member()
        with mock.patch.object(decisions, "possible", return_value=(decisions.ATTACH,)):
            return bool(entry and user_id) and self.carry_out(
                decisions.Attach(entry["key"], "owner", user_id, self.reason())
            )

    def extend(self) -> None:
        buyer_id, product = self.case.buyer(self.address())["id"], self.any.choice(PRODUCTS)
        self.carry_out(commands.Extend(buyer_id, product, 5, self.reason(), "owner"))

    def end(self) -> None:
        buyer_id, product = self.case.buyer(self.address())["id"], self.any.choice(PRODUCTS)
        self.carry_out(commands.End(buyer_id, product, self.reason(), "owner"))

    def resend(self) -> None:
        commands.Resend(self.case.buyer(self.address())["id"], "link", "owner").carry_out()

    def registered(self) -> Any:
        """Somebody makes an account, whose name is not the address."""
        address = self.address()
        if self.case.member(self.nickname(address)) is not None:
            return False
        self.case.account(self.nickname(address), address)
        return True

    def nickname(self, address: str) -> str:
        return f"{address[:4]}-of-{self.seed}"

    def account_deleted(self) -> Any:
        user_id = self.member()
        if not user_id:
            return False
        with self.case.owner():
            api.user.delete(username=user_id)
        return True

    def new_address(self) -> Any:
        """A member has another e-mail address from now on."""
        user_id = self.member()
        if not user_id:
            return False
        with self.case.owner():
            self.case.member(user_id).setMemberProperties({"email": self.address()})
        return True

    def taken_in(self) -> None:
        """Somebody is erased, buys again and is taken in again."""
        address = self.address()
        erasure.erase(address, "a letter", "owner", delete_member=True)
        self.case.later(minutes=1)
        self.sale(buyer_email=address, acquirer_transaction_id=f"T-{self.any.random()}")
        erasure.take_in(address, "a customer again", "owner")

    def payloads_gone(self) -> Any:
        """The payloads become too old."""
        self.case.settings(retention_days=1)
        self.case.later(days=self.any.choice((1, 3)))
        self.case.sweep()
        self.case.settings(retention_days=0)

    def sweep_(self) -> None:
        self.case.sweep()

    def carry_out(self, wanted: action.Action) -> bool:
        action.carry_out(wanted)
        return True
