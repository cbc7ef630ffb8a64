"""A replay changes nothing after what owners do, and a transaction is one buyer's."""

from collections.abc import Sequence
from datetime import timedelta
from hypothesis import given
from hypothesis import strategies as st
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.owner.action import Action
from niteoweb.click2sell.owner.action import NotPossible
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases import tried
from niteoweb.click2sell.tests.proof import dump
from niteoweb.click2sell.tests.proof.case import ProofCase
from niteoweb.click2sell.tests.proof.histories import address
from niteoweb.click2sell.tests.proof.histories import histories
from niteoweb.click2sell.tests.proof.histories import key
from niteoweb.click2sell.tests.proof.histories import notification
from random import Random

import dataclasses
import transaction


#: What an owner can do; "deliver" stands for the next delivery.
DEEDS = (
    *["deliver"] * 4,
    *["steal"] * 3,
    "grant",
    "end",
    "extend",
    "correct",
    *["correct everything"] * 2,
    "decide",
    "dismiss",
    "sweep",
)


class TestOwner(ProofCase):
    """Three buyers, deliveries that name the wrong one, and an owner who does something."""

    def do(self, deed: str, run: str, random: Random) -> None:
        """Do what an owner asks for, where it is possible."""
        try:
            wanted = self.wanted(deed, run, random)
            if wanted is not None:
                action.carry_out(wanted)
        except NotPossible:
            transaction.abort()

    def wanted(self, deed: str, run: str, random: Random) -> Action | None:
        """The action of a deed, None when there is nothing that it could be about."""
        site, buyer = self.portal, random.choice((0, 1, 2))
        product = ("click2sell", random.choice(("1", "2", "4")))
        until = random.choice((None, self.now + timedelta(days=9)))
        if deed == "grant":
            return commands.Grant(address(run, buyer), product, until, "why", "owner")
        transaction.begin()
        known = trees.tree(site, "buyer_by_address").get(address(run, buyer), "")
        if deed == "end":
            return commands.End(known, product, "why", "owner")
        if deed == "extend":
            return commands.Extend(known, product, 5, "why", "owner")
        keys = [
            found
            for found in ledger.newest_first(site)
            if run in ledger.get(site, found)["buyer"]
        ]
        if not keys:
            return None
        about = random.choice(keys)
        if deed.startswith("correct"):
            right, everything = address(run, buyer), deed != "correct"
            return decisions.Correct(about, "owner", right, everything, "why")
        return decisions.DECISIONS[deed](about, "owner", "why")

    def settle(self) -> list[str]:
        """Every entry that is there, after a sweep."""
        self.sweep()
        transaction.begin()
        return list(ledger.newest_first(self.portal))

    def carry_on(self, history: Sequence, deeds: Sequence[str], random: Random) -> str:
        """Deliver a history, with deeds in between."""
        run, number = self.new_run(), 0
        for deed in (*deeds, *["deliver"] * len(history)):
            self.now += timedelta(minutes=random.choice((0, 7)))
            if deed == "sweep":
                self.sweep()
            elif deed not in ("deliver", "steal"):
                self.do(deed, run, random)
            elif number < len(history):
                told = notification(history[number], run, number)
                if deed == "steal":
                    other = address(run, random.choice((0, 1, 2)))
                    told = dataclasses.replace(told, buyer=other, email=other)
                pipeline.process(told)
                number += 1
        return run

    @tried(40)
    @given(
        histories,
        st.lists(st.sampled_from(DEEDS), min_size=6, max_size=14),
        st.randoms(use_true_random=False),
    )
    def test_histories(self, history, deeds, random):
        run = self.carry_on(history, deeds, random)
        keys = [
            found
            for found in self.settle()
            if run in ledger.get(self.portal, found)["transaction"]
            or run in ledger.get(self.portal, found)["buyer"]
        ]
        self.assertOneHolder(run, len(history))
        self.assertEqual(_serious(dump.contradictions(self.portal)), [])
        before = dump.everything(self.portal)
        random.shuffle(keys)
        for found in keys:
            pipeline.replay(found)
        transaction.begin()
        self.assertEqual(dump.everything(self.portal), before)

    def assertOneHolder(self, run: str, deliveries: int) -> None:
        """A transaction gives to one buyer."""
        holders: dict[str, set[str]] = {}
        for number in range(deliveries):
            entry = ledger.get(self.portal, key(run, number))
            if entry["counts"] and entry["outcome"] == Outcome.ACCEPTED:
                holders.setdefault(entry["transaction"], set()).add(entry["buyer_id"])
        self.assertEqual([name for name, found in holders.items() if len(found) > 1], [])


def _serious(found: list[str]) -> list[str]:
    """Without mails: a new run empties the outbox."""
    return [text for text in found if not text.startswith("mails")]
