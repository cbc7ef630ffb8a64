"""A buyer's history: the ledger's entries, as the facts that entitlements are computed from."""

from collections import ChainMap
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers.buyers import Buyer
from niteoweb.click2sell.entitlement import BillingEvent
from niteoweb.click2sell.entitlement import compute
from niteoweb.click2sell.entitlement import Entitlement
from niteoweb.click2sell.entitlement import GRANTS_NOTHING
from niteoweb.click2sell.entitlement import mapping
from niteoweb.click2sell.entitlement import Outcome
from niteoweb.click2sell.entitlement import State
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.ledger import records
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.notification import PAYMENTS
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.settings import products
from typing import Any


@dataclass(frozen=True, kw_only=True)
class BuyerOutcome(Outcome):
    """The access that a buyer's history gives at a moment.

    :ivar now: the moment, in UTC.
    :ivar entries: the buyer's entries that count.
    :ivar lines: the mapping.
    :ivar late_terms: terms of the entries that were recorded before their product had a line.
    :ivar held: products whose access is over, but not ended while their provider is silent.
    """

    now: datetime
    entries: tuple[ledger.Entry, ...]
    lines: tuple[mapping.Line, ...]
    late_terms: Mapping[str, mapping.Terms]
    held: tuple[mapping.Product, ...] = ()

    @cached_property
    def live(self) -> tuple[mapping.Product, ...]:
        """The products with access, held ones among them."""
        return tuple(sorted({*self.products(self.now), *self.held}))

    def state_of(self, entitlement: Entitlement) -> State:
        """The state of an entitlement; a held entitlement waits for its renewal."""
        held = entitlement.product in self.held
        return State.GRACE if held else entitlement.state_at(self.now)

    def end_of(self, entitlement: Entitlement) -> datetime | None:
        """The end of access as people are told it: access that is over went on in its grace.

        :returns: None for no end, and for a product whose terms are not known.
        """
        state = self.state_of(entitlement)
        if state is State.UNMAPPED:
            return None
        return entitlement.access_until if state is State.LAPSED else entitlement.until

    def since(self, entitlement: Entitlement) -> datetime:
        """When access began, or begins; of access with a gap the part that is to come."""
        if self.state_of(entitlement) is not State.UPCOMING:
            return entitlement.since
        return min(start for start, _stop in entitlement.spans if start > self.now)

    @cached_property
    def endings(self) -> dict[mapping.Product, datetime]:
        """When present access ends that was paid for and does not renew by itself."""
        return {
            one.product: one.access_until
            for one in self.entitlements
            if one.state in (State.ACTIVE, State.CANCELLED)
            and not one.renewable
            and one.access_until is not None
            and one.access_until > self.now
            and one.gives_access(self.now)
        }

    def ran_out(self, product: mapping.Product) -> bool:
        """Whether access to a product is over because nobody paid on, or its provider says so.

        After a refund, a purchase that ended it, or an owner's act that is not so.
        """
        one = next((one for one in self.entitlements if one.product == product), None)
        state = self.state_of(one) if one is not None else None
        if state is not State.ENDED or not one.keys:
            return state is State.LAPSED
        causes = (entry for entry in self.entries if entry["key"] == one.keys[-1])
        return any(
            entry["kind"] == Kind.EXPIRY and entry["provider"] != OWNER for entry in causes
        )

    @cached_property
    def payments(self) -> list[ledger.Entry]:
        """The payments that took effect, in order."""
        return [
            entry
            for entry in in_order(self.entries)
            if is_payment(entry) and self.attention.get(entry["key"]) not in GRANTS_NOTHING
        ]

    @cached_property
    def latest_payments(self) -> dict[Any, ledger.Entry]:
        """The latest payment for each product, and of all; there is one."""
        latest = {product(payment): payment for payment in self.payments}
        return latest | dict.fromkeys((mapping.EVERY_BUYER,), self.payments[-1])

    @cached_property
    def due_groups(self) -> dict[str, tuple[mapping.Product, ...]]:
        """The groups that the buyer is to be in, each with the products that give it."""
        every_buyer = plone_site.settings().buyers_group if self.payments else ""
        return mapping.due_groups(self.lines, self.live, self.aliases, every_buyer)

    @cached_property
    def aliases(self) -> dict[mapping.Product, frozenset[str]]:
        """Other ids of each product, by which a line of the mapping may name it.

        Of a subscription that its provider states in full the last statement counts: an id that
        it does not name any more gives nothing. A payment need not name them all. A
        subscription without access does not count, but for one that waits for its renewal.
        """
        by_key = {entry["key"]: entry for entry in self.entries}
        current = dict(self.ever_aliases)
        for name in {product(entry) for entry in self.entries if entry["snapshot"]}:
            waiting = [one.chain for one in self.renewing(name) if name in self.held]
            chains = waiting or (self.giving(name, self.now) if name in current else [])
            states = [_naming(chain.events, name[1]) for chain in chains]
            if chains:
                current[name] = frozenset().union(
                    *(by_key[last[-1].key]["aliases"] for last in states if last)
                )
        return current

    @cached_property
    def ever_aliases(self) -> dict[mapping.Product, frozenset[str]]:
        """The ids that each product ever had beside its own."""
        known: dict[mapping.Product, frozenset[str]] = {}
        for entry in self.entries:
            if entry["aliases"]:
                of_product = known.get(product(entry), frozenset())
                known[product(entry)] = of_product.union(entry["aliases"])
        return known


def outcome(
    site: Any,
    buyer: Buyer,
    now: datetime,
    current: ledger.Entry | None = None,
    despite_silence: bool = False,
) -> BuyerOutcome:
    """Work out the access that a buyer's history gives.

    :param now: in UTC.
    :param current: an entry that is being processed; it counts too.
    :param despite_silence: access that is over is not held while a provider is silent.
    """
    counted = entries(site, buyer, current)
    late = late_terms(counted)
    computed = compute(facts(counted, late), effective.policy())
    return outcome_of(site, buyer, now, counted, late, computed, despite_silence)


def outcome_of(
    site: Any,
    buyer: Buyer,
    now: datetime,
    counted: tuple[ledger.Entry, ...],
    late: Mapping[str, mapping.Terms],
    computed: Outcome,
    despite_silence: bool,
) -> BuyerOutcome:
    """The access that was computed, at a moment; see :func:`outcome`."""
    held = () if despite_silence else silence.held(site, buyer["live"], computed, now)
    return BuyerOutcome(
        **vars(computed),
        now=now,
        entries=counted,
        lines=effective.mapping(),
        late_terms=late,
        held=held,
    )


def entries(
    site: Any, buyer: Buyer, current: ledger.Entry | None = None
) -> tuple[ledger.Entry, ...]:
    """The buyer's entries that count.

    :param current: an entry that is being processed; it counts too.
    """
    return counting(buyers.entries(site, buyer), current)


def counting(
    entries: Iterable[ledger.Entry], current: ledger.Entry | None
) -> tuple[ledger.Entry, ...]:
    """The entries of a buyer that count; see :func:`entries`."""
    key = current["key"] if current is not None else None
    return tuple(entry for entry in entries if entry["counts"] or entry["key"] == key)


def late_terms(counted: Iterable[ledger.Entry]) -> dict[str, mapping.Terms]:
    """The terms of entries that were recorded before their product had a line, by key."""
    without = [entry for entry in counted if not entry["terms_known"]]
    lines = effective.mapping() if without else ()
    return {
        entry["key"]: of_product
        for entry in without
        if (of_product := terms(entry, lines)) is not None
    }


def _naming(events: Iterable[tuple[BillingEvent, bool]], product_id: str) -> list[BillingEvent]:
    """The events of a chain whose last one names all ids of its product."""
    own = (event for event, elsewhere in events if not elsewhere)
    states = [event for event in own if event.states and event.plausible]
    full = [
        event
        for event in states
        if event.kind is not Kind.RENEWAL and event.product_id == product_id
    ]
    return full or states


def is_payment(entry: ledger.Entry) -> bool:
    """Whether money arrived with this entry, or a provider states that it has.

    A subscription that is stated to give access has been paid for, seen or not.
    """
    return entry["kind"] in PAYMENTS or fact(entry).states


def in_order(entries: Iterable[ledger.Entry]) -> list[ledger.Entry]:
    """Entries in the order of the provider's clock, then kind, then key."""
    return sorted(entries, key=lambda entry: fact(entry).order)


def terms(entry: ledger.Entry, lines: Sequence[mapping.Line]) -> mapping.Terms | None:
    """The terms of an entry by a mapping, None when its product has no line."""
    return mapping.terms(lines, product(entry), entry["aliases"])


def facts(
    entries: Iterable[ledger.Entry], later: Mapping[str, mapping.Terms]
) -> tuple[BillingEvent, ...]:
    """The billing events of entries, for :func:`niteoweb.click2sell.entitlement.compute`.

    :param later: terms of entries that were recorded before their product had a line, by key.
    """
    entries = tuple(entries)
    if any(entry["erased_at"] for entry in entries):
        # Of entries that were erased and others the ids of purchases have to agree.
        site = plone_site.get()
        entries = tuple(ChainMap(pseudonyms.fields(site, entry), entry) for entry in entries)
    return tuple(fact(entry, later.get(entry["key"])) for entry in entries)


def fact(entry: Mapping[str, Any], later: mapping.Terms | None = None) -> BillingEvent:
    """The billing event of an entry; see :func:`facts`."""
    if later is None and isinstance(entry, ledger.Entry):
        return entry.derived(_fact)
    return _fact(entry, later)


def _fact(entry: Mapping[str, Any], later: mapping.Terms | None = None) -> BillingEvent:
    told_at = entry["told_at"] or entry["received_at"]
    return records.read(
        BillingEvent,
        entry,
        provider=product(entry)[0],
        received_at=timestamps.from_iso(told_at),
        by_owner=entry["provider"] == OWNER,
        for_all=entry["customer_deleted"],
        **(vars(later) | {"terms_known": True} if later else {}),
    )


def product(entry: ledger.Entry) -> tuple[str, str]:
    """Provider and product of an entry, as entitlements name them."""
    return entry["on_behalf_of"] or entry["provider"], entry["product_id"]


def product_title(entry: ledger.Entry) -> str:
    """The name of an entry's product for people: the owner's title, if there is one."""
    return products.title(*product(entry), entry["product_name"], entry["aliases"])


def fullname(entry: Mapping[str, Any]) -> str:
    """The buyer's name as the entry has it, "" for none."""
    return f"{entry['first_name']} {entry['last_name']}".strip()


def notification(entry: ledger.Entry) -> Notification:
    """The notification that an entry was made from."""
    return records.read(Notification, entry)


def title(site: Any, buyer: Buyer | None, name: mapping.Product) -> str:
    """The name of a buyer's product: the owner's title, else the name that was sent last.

    :param name: provider and id of the product.
    """
    entries = buyers.entries(site, buyer) if buyer is not None else []
    of_product = [entry for entry in entries if product(entry) == name]
    names = [(entry["occurred_at"], entry["product_name"]) for entry in of_product]
    latest = max((one for one in names if one[1]), default=("", ""))[1]
    aliases = frozenset(alias for entry in of_product for alias in entry["aliases"])
    return products.title(*name, latest, aliases)
