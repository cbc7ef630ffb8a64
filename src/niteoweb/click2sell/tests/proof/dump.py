"""Results of the pipeline as plain values, to compare between runs and processes."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import mapping
from niteoweb.click2sell.entitlement.outcome import compute
from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.notification import PAYMENTS
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.storage import indexes
from niteoweb.click2sell.storage import trees as store
from typing import Any


#: The purchase fields of a member, and what else identifies one.
FIELDS = (
    "fullname",
    "email",
    "product_id",
    "product_name",
    "affiliate",
    "last_purchase_id",
    "last_purchase_timestamp",
)
#: What a record holds that has to come out the same.
RECORD = ("made", "grants", "taken", "due", "live", "pending", "next_change")
#: What an entry holds beside its notification.
ENTRY = ("outcome", "reason", "subject", "days", "exclusive", "terms_known", "counts")

#: Sums that are added up anew whenever they change; until then a mark stands there, at random.
SUMS = "money_by_day"


def buyer(site: Any, address: str, names: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Everything that the pipeline made for one buyer.

    :param address: in lower case.
    :param names: what to call things that are called otherwise in another run; each text that
        is a key of it, or contains one, is replaced.
    """
    record = store.tree(site, "buyers").get(
        store.tree(site, "buyer_by_address").get(address, "")
    )
    if record is None:
        return {"account": None, "entries": {}, "mails": [], "entitlements": []}
    of_buyer = [ledger.get(site, key) for key in record["keys"]]
    user_id = record["user_id"]
    found = {
        "account": account(site, user_id) if user_id else None,
        "record": {name: record[name] for name in RECORD},
        "entries": {entry["key"]: [entry[name] for name in ENTRY] for entry in of_buyer},
        "mails": sorted(
            [mail["kind"], mail["to"], mail["state"], mail["attempts"]]
            for mail in store.tree(site, "mails").values()
            if mail["to"] == address
        ),
        "entitlements": [
            [e.product_id, str(e.state), e.until, e.access_until, e.renewable, e.spans, e.keys]
            for e in compute(
                history.facts([e for e in of_buyer if e["counts"]], {}), effective.policy()
            ).entitlements
        ],
    }
    return _renamed(found, names or {})


def account(site: Any, user_id: str) -> dict[str, Any] | None:
    """An account with its fields and the groups that it is in directly."""
    pas = site.acl_users
    user = pas.getUserById(user_id)
    if user is None:
        return None
    member = site.portal_membership.getMemberById(user_id)
    return {
        "id": user_id,
        "login": user.getUserName(),
        "groups": sorted(pas.source_groups.getGroupsForPrincipal(user)),
        **{name: str(member.getProperty(name)) for name in FIELDS},
    }


def everything(site: Any) -> dict[str, Any]:
    """Members with their password hashes, groups, and all that the add-on keeps.

    Left out is what counts how often something was tried: it may differ.
    """
    pas = site.acl_users
    trees = {name: plain(store.tree(site, name)) for name in store.TREES if name != SUMS}
    trees["entries"] = {
        place: {n: v for n, v in plain(entries.at(site, place)).items() if n != "attempts"}
        for place in trees["entries"]
    }
    for record in trees["buyers"].values():
        del record["revision"]
    return {
        **trees,
        "passwords": dict(pas.source_users._user_passwords),
        "logins": dict(pas.source_users._userid_to_login),
        "properties": {
            user_id: dict(values) for user_id, values in pas.mutable_properties._storage.items()
        },
        "members of groups": {
            group_id: sorted(members)
            for group_id, members in pas.source_groups._group_principal_map.items()
        },
        "roles": {k: tuple(v) for k, v in pas.portal_role_manager._principal_roles.items()},
    }


def unentitled(site: Any, now: datetime) -> list[str]:
    """Buyers whose groups are not what follows from their notifications alone.

    For sites where every mapped group exists and no owner changed anything by hand.
    """
    found = []
    lines = effective.mapping()
    for record in store.tree(site, "buyers").values():
        of_buyer = [ledger.get(site, key) for key in record["keys"]]
        facts = history.facts([entry for entry in of_buyer if entry["counts"]], {})
        paid = any(fact.kind in PAYMENTS for fact in facts)
        due = {plone_site.settings().buyers_group} if paid else set()
        for product in compute(facts, effective.policy()).products(now):
            due.update(mapping.groups(lines, product))
        user_id = record["user_id"]
        made = account(site, user_id) if user_id else None
        groups = set(made["groups"]) if made else set()
        if groups != due:
            found.append(f"{user_id or record['id']} is in {sorted(groups)}, not {sorted(due)}")
    return found


def contradictions(site: Any) -> list[str]:
    """Contradictions between the ledger, the buyers, the outbox and their indexes."""
    found: list[str] = []
    by_place = {place: entries.at(site, place) for place in store.tree(site, "entries")}
    by_key = {entry["key"]: entry for entry in by_place.values()}
    counted: Counter[tuple[tuple[str, str], ...]] = Counter()
    for place, entry in by_place.items():
        if place != ledger.place(entry) or ledger.get(site, entry["key"]) != entry:
            found.append(f"entry {entry['key']} is not found where it is")
        for wanted in ((), *(((name, entry[name]),) for name in ledger.FACETS)):
            counted[wanted] += 1
            if place not in ledger.filed(site, **dict(wanted)):
                found.append(f"entry {entry['key']} is not filed under {wanted}")
    if len(store.tree(site, "entry_places")) != len(by_key):
        found.append("keys without an entry")
    for values in store.tree(site, "facets"):
        for wanted in ((), *((value,) for value in zip(ledger.FACETS, values, strict=True))):
            filed = len(list(ledger.filed(site, **dict(wanted))))
            if not filed == counted[wanted] == ledger.count(site, **dict(wanted)):
                found.append(f"{wanted}: {filed} filed, {counted[wanted]} entries")
    records = store.tree(site, "buyers")
    owned = Counter(key for record in records.values() for key in record["keys"])
    found += [
        f"entry {key} has {owned[key]} buyers"
        for key, entry in by_key.items()
        if owned[key] != bool(entry["buyer_id"])
    ]
    _compare(found, "due", store.tree(site, "buyers_due"), records, "next_change")
    _compare(found, "pending", store.tree(site, "buyers_pending"), records, "pending")
    with_access = sum(bool(record["live"]) for record in records.values())
    if with_access != counters.number(site, *counters.WITH_ACCESS):
        found.append(f"{with_access} buyers have access")
    for record in records.values():
        user_id = record["user_id"]
        if user_id and buyers.of_user(site, user_id) is not record:
            found.append(f"buyer {record['id']} is tied to {user_id}, not the other way round")
        made = account(site, user_id) if user_id else {"groups": ()}
        found += [
            f"{user_id} is not in {group_id}"
            for group_id in record["grants"]
            if group_id not in record["pending"] and group_id not in made["groups"]
        ]
    found += misfiled(site)
    mails = store.tree(site, "mails")
    _compare(found, "mails", store.tree(site, "mails_due"), mails, "due_at")
    tried = Counter(mail["user_id"] for mail in mails.values() if mail["kind"] == "welcome")
    found += [
        f"{user_id} has {count} welcome mails" for user_id, count in tried.items() if count > 1
    ]
    return found


def misfiled(site: Any) -> list[str]:
    """Indexes and counters that are not those of all records."""
    rebuilt = {name: store.TREES[name]() for name in indexes.names()}
    for name, kind in indexes._KINDS.items():
        for record in store.tree(site, name).values():
            for index in kind.indexes:
                for row in index.rows(site, kind.view(record)):
                    index.write(rebuilt[index.name], row, 1, kind.id(record))
    return [
        f"{name}: {before} {after}"
        for name, tree in rebuilt.items()
        if name != SUMS
        if (before := _rows(store.tree(site, name))) != (after := _rows(tree))
    ]


def _rows(tree: Any) -> Any:
    """The rows of an index without empty sets and counters at zero."""
    found = plain(tree)
    return {k: v for k, v in found.items() if v} if isinstance(found, dict) else found


def _compare(found: list[str], what: str, index: Any, records: Any, name: str) -> None:
    expected = {
        (value, record["id"])
        for record in records.values()
        for value in (record[name] if isinstance(record[name], tuple) else (record[name],))
        if value
    }
    found += [f"{what}: {place}" for place in sorted(expected.symmetric_difference(index))]


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Plain values with other names in them."""
    if isinstance(value, str):
        for name, other in names.items():
            value = value.replace(name, other)
        return value
    if isinstance(value, Mapping):
        return {_renamed(key, names): _renamed(item, names) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_renamed(item, names) for item in value]
    return value if isinstance(value, (int, type(None))) else str(value)


def plain(value: Any) -> Any:
    if hasattr(value, "items"):
        return {key: plain(item) for key, item in value.items()}
    if callable(value):
        return value()
    return list(value) if hasattr(value, "has_key") else value
