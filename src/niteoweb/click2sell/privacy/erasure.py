"""Erasure of a buyer: personal data go, figures stay.

Erased in one commit:

* of each notification the payload, names, addresses, affiliate, the error text and what an
  owner noted; transaction, receipt and key are replaced by hashes (see :mod:`.pseudonyms`);
* of the buyer's record the addresses and customer ids, and all that was granted;
* addresses and names in the records that providers keep beside the ledger;
* the addresses on mails; what was not sent yet is given up;
* what the receivers of hooks have not taken yet, but for the end of access, which they are told
  with the hash of the user id in the place of a name;
* the tie to the account. On an account that stays the purchase fields are emptied and the
  groups that this add-on granted are revoked, as access ends with the buyer. Or the account is
  deleted through Plone, if the owner asks for that: then as if the owner had deleted it by
  hand, but for its local roles, which the sweep removes. A privileged account is left alone as
  it is, and never deleted;
* the password-reset requests of an account that is gone, and the address in the field
  "affiliate" of other members.

Kept: amount, currency, country, product, dates, kind and outcome of each notification, and the
user id, time and reason of the erasure. A notification that had failed, needed attention or was
not processed yet becomes "nothing to do": nobody could settle it any more.

Consequences:

* A notification that was erased changes nothing when it is delivered or replayed again.
* Its transaction stays the erased buyer's. Another address that names it is refused, until the
  owner decides that the transaction is this buyer's.
* A later notification for the buyer (of its address, or of one of its transactions) is written
  down as it comes and waits for the owner: it makes no account and grants nothing. The owner
  erases again, or takes the buyer in again. Then the whole history counts, as after a deleted
  account, and only a payment that arrived after the erasure makes an account.
* Nothing reverses an erasure; the erased data are nowhere but in older states of the database,
  until it is packed, and in backups.
"""

from datetime import datetime
from niteoweb.click2sell import _
from niteoweb.click2sell import hooks
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import mentions
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import group
from niteoweb.click2sell.member import localroles
from niteoweb.click2sell.member import plonepas
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.privacy import export
from niteoweb.click2sell.privacy import preview
from niteoweb.click2sell.privacy import redaction
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provisioning import events as announce
from niteoweb.click2sell.provisioning import NO_PURCHASE
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import NotPossible
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.storage import writer
from plone import api
from typing import Any

import logging
import secrets


logger = logging.getLogger("niteoweb.click2sell")

#: The fates of an account in an erasure.
DELETED = "deleted"
LEFT = "left"
NONE = "none"

ERASED = "erased"
TAKEN_IN = "taken in again"

#: Characters of a reason, at most.
LONGEST_REASON = 500


class Changed(NotPossible):
    """Something has happened since the preview."""

    def __init__(self) -> None:
        super().__init__(_("Something has happened since. Nothing was changed; look again."))


def erase(
    address: str,
    reason: str,
    by: str,
    delete_member: bool = False,
    fingerprint: str = "",
) -> dict[str, Any]:
    """Erase the buyer of an address.

    :param address: in any letter case.
    :param reason: for the record; must not name an address.
    :param by: user id of the owner.
    :param delete_member: also delete the buyer's account.
    :param fingerprint: of the preview; "" for none.
    :returns: the record of it, as it is kept.
    :raises NotPossible: there is nothing to erase, or not in this way.
    :raises Changed: the data have changed since the preview.
    :raises niteoweb.click2sell.storage.transactions.Busy: try again later; nothing was erased.
    """
    now = timestamps.now()

    def work(site: Any) -> tuple[dict[str, Any], list[object]]:
        holdings = export.find(site, address)
        planned = preview.of(holdings)
        if not planned.anything:
            raise NotPossible(_("Nothing is stored about this address."))
        if fingerprint and fingerprint != planned.fingerprint:
            raise Changed
        _check_reason(reason, (holdings.address, *planned.addresses))
        pseudonyms.begin(site)
        events: list[object] = []
        account = NONE
        for record in holdings.records:
            if record["user_id"]:
                account = DELETED if delete_member else LEFT
                events += _part(site, record, delete_member, now)
        for record in redaction.affiliated(site, holdings):
            accounts.set_fields(record["user_id"], {"affiliate": ""})
        for user_id in {*holdings.addresses, *holdings.user_ids}:
            _forget_what_plone_leaves(user_id)
        redaction.redact(site, holdings, now)
        ids = [record["id"] for record in holdings.records]
        hooks.outbox.erase(site, ids, holdings.addresses)
        for provider in registry.registered():
            if provider.privacy is not None:
                provider.privacy.erase(site, holdings.addresses)
        counts = {"entries": planned.entries, "mails": planned.mails}
        facts = {"at": timestamps.iso(now), "by": by, "account": account, **counts}
        return _keep(site, holdings, ERASED, reason, facts), events

    protocol, events = writer.run(work)
    logger.info(
        "A buyer was erased: %s entries, account %s.", protocol["entries"], protocol["account"]
    )
    announce.fire(events)
    return protocol


def take_in(address: str, reason: str, by: str) -> dict[str, Any]:
    """Take an erased buyer in again after a new purchase, and process the waiting entries.

    :param address: under which the buyer bought again, in any letter case.
    :param reason: for the record; must not name an address.
    :param by: user id of the owner.
    :returns: the record of it, as it is kept.
    :raises NotPossible: nothing waits for this decision.
    :raises niteoweb.click2sell.storage.transactions.Busy: call it again; nothing is lost.
    :raises niteoweb.click2sell.provisioning.pipeline.Failed: an entry is kept as failed; the
        others are processed.
    """
    address = address.strip().lower()

    def work(site: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
        holdings = export.find(site, address)
        held = preview.of(holdings).held
        if not held:
            raise NotPossible(_("Nothing of an erased buyer waits under this address."))
        _check_reason(reason, (address,))
        for record in holdings.records:
            if pseudonyms.is_erased(record):
                redaction.take_in(site, record, [ledger.get(site, key) for key in held])
        at = timestamps.iso(timestamps.now())
        facts = {"at": at, "by": by, "account": NONE, "entries": len(held), "mails": 0}
        return _keep(site, holdings, TAKEN_IN, reason, facts), held

    protocol, held = writer.run(work)
    failed = None
    for key in held:
        try:
            pipeline.replay(key)
        except pipeline.Failed as error:
            failed = error
    if failed is not None:
        raise failed
    return protocol


def latest(site: Any, count: int) -> list[dict[str, Any]]:
    """The latest erasures and decisions to take a buyer in again, the latest first."""
    records, kept = [], trees.tree(site, "erasures")
    last = kept.maxKey() if kept else None
    while last is not None and len(records) < count:
        records.append(kept[last])
        earlier = kept.keys(max=last, excludemax=True)
        last = earlier[-1] if earlier else None
    return records


def _check_reason(reason: str, addresses: tuple[str, ...]) -> None:
    text = reason.strip().lower()
    if not text:
        raise NotPossible(_("Say why: it is kept with the record of this."))
    if len(text) > LONGEST_REASON:
        raise NotPossible(_("The reason is too long."))
    if mentions.addresses(text) or any(name and name in text for name in addresses):
        raise NotPossible(_("The reason is kept for ever: it must not name an address."))


def _part(site: Any, record: buyers.Buyer, delete: bool, now: datetime) -> list[object]:
    """End the tie between a buyer and an account.

    :returns: events that tell of the end of access.
    """
    user_id, live, grants = record["user_id"], record["live"], dict(record["grants"])
    exists = accounts.exists(user_id)
    privileged = privilege.member(user_id)
    outbox.drop_all(site, user_id, "the buyer was erased")
    if delete and privileged:
        raise NotPossible(
            _("The account can administer the site. Delete it in Plone, if you want to.")
        )
    if delete and exists:
        # The owner who may delete accounts in Site Setup need not have Zope's own permission.
        with api.env.adopt_roles(["Manager"]):
            membership = api.portal.get_tool("portal_membership")
            membership.deleteMembers((user_id,), delete_localroles=0)
        if accounts.exists(user_id):
            raise NotPossible(_("Plone could not delete the account."))
        localroles.leave(site, user_id)
    elif exists and not privileged:
        for group_id in grants:
            group.revoke(user_id, group_id)
        emptied = {"affiliate": ""} if record["made"] else {}
        accounts.set_fields(user_id, {**NO_PURCHASE, **emptied})
    if not (delete and exists):
        # The end of a tie to an account that is deleted is told by a subscriber.
        announce.tell_of_end(site, record, "", now)
    buyers.unlink_account(site, record)
    if delete:
        return []
    events = []
    for product in live:
        groups = tuple(name for name, products in grants.items() if product in products)
        events.append(announce.AccessRevokedEvent(user_id, *product, groups, now))
    return events


def _keep(
    site: Any, holdings: export.Holdings, what: str, reason: str, facts: dict[str, Any]
) -> dict[str, Any]:
    """Keep the record of an erasure, or of the decision to take a buyer in again."""
    ids = tuple(record["id"] for record in holdings.records)
    protocol = {"what": what, "reason": reason.strip(), "buyers": ids, **facts}
    trees.tree(site, "erasures")[f"{facts['at']} {secrets.token_hex(8)}"] = protocol
    return protocol


def _forget_what_plone_leaves(user_id: str) -> None:
    """Plone keeps roles and groups of who was deleted, under the user id: often the address."""
    if not user_id or accounts.exists(user_id):
        return
    for group_id in group.of(user_id):
        group.revoke(user_id, group_id)
    plonepas.forget(user_id)
