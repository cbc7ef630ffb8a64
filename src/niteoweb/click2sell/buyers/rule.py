"""The rule that assigns a payment: to which buyer, and to which account.

*Which buyer.* An address that a buyer has paid under, or a customer's id of the same provider.
An address that a provider only states for a customer ties nothing.

*Which account.* The tie comes first; it ends with the account, so that an account made anew
under the same user id is none. Without a tie an account is taken at once

* that an owner has chosen, or the buyer by the claim link in a mail to the paid address,
* of the member who was logged in when buying, as a token of ours tells that the purchase brings
  back, unless another account has the paid address,
* whose user id and e-mail address are the paid address since it was made, on a site where no
  visitor can, or could then, register with a password of the visitor's own.

Any other account with that address may be a stranger's: members can edit their e-mail address
and login name. So the purchase waits until the buyer confirms it.
"""

from collections.abc import Sequence
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.buyers.buyers import Buyer
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import index
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.notification import VALIDATION
from typing import Any
from typing import NamedTuple


class Account(NamedTuple):
    """The account of a buyer, or why none can be used.

    :ivar user_id: "" when there is none, and one may be made.
    :ivar problem: code of the reason why no account can be used, see reasons.py.
    :ivar tied: the buyer is tied to the account; otherwise it has to be tied.
    """

    user_id: str = ""
    problem: str = ""
    tied: bool = False


def buyer_of(site: Any, entry: ledger.Entry, named: str) -> Buyer | None:
    """The buyer whose history an entry belongs to.

    :param entry: of the ledger, not in a history yet.
    :param named: the address that the notification itself names, in lower case. Where an owner
        has corrected it, or its transaction, the entry's address decides, and no customer's id.
    :returns: None while only the customer's id is known, and nobody is tied to it.
    """
    provider, address = entry["on_behalf_of"] or entry["provider"], entry["buyer"]
    corrected = ownership.corrected(site, (provider, entry["transaction"]), named)
    if entry["customer_id"] and not corrected:
        return customers.record(site, (provider, entry["customer_id"]), address)
    app_buyer = (
        named_by_app(site, provider, address) if entry["provider"] == VALIDATION else None
    )
    return app_buyer or (buyers.of_address(site, address) if address else None)


def named_by_app(site: Any, provider: str, address: str) -> Buyer | None:
    """The buyer whom an app names by the address that it has of its provider's customer.

    :param address: in lower case.
    :returns: None for one who is not known.
    """
    record = buyers.find(site, address)
    if record is not None and record["user_id"]:
        return record
    customers_ = [
        one
        for one in customers.stating(site, address)
        if one["user_id"] and one["customer_ids"][0][0] == provider
    ]
    return customers_[0] if len(customers_) == 1 else record


def account_of(site: Any, buyer: Buyer, asking: Sequence[ledger.Entry]) -> Account:
    """The account that a buyer's purchases belong to.

    :param asking: the payments that ask for an account, in order; none for a buyer who needs
        none.
    """
    user_id = buyer["user_id"]
    if user_id:
        if not accounts.exists(user_id):
            return Account(problem=Reason.ACCOUNT_MISSING, tied=True)
        return Account(user_id, _barred(user_id), tied=True)
    if not asking:
        return Account()
    if buyer["chosen"] and accounts.exists(buyer["chosen"]):
        return Account(buyer["chosen"], _barred(buyer["chosen"]))
    address = asking[-1]["buyer"]
    if not buyer.get("own_account"):
        matches = index.find(site, address)
        # All of them: a token must not fetch what somebody else paid under the address.
        members = _members(site, buyer, asking)
        member = members.pop() if len(members) == 1 else ""
        if accounts.exists(member) and {match.user_id for match in matches} <= {member}:
            return Account(member, _barred(member))
        if matches:
            return _of_matches(matches, is_stated=bool(asking[-1]["customer_id"]))
    if not accounts.is_address(address):
        return Account(problem=Reason.ADDRESS_NOT_ACCEPTED)
    return Account(problem=Reason.PRIVILEGED_ACCOUNT if privilege.root_account(address) else "")


def _members(site: Any, buyer: Buyer, asking: Sequence[ledger.Entry]) -> set[str]:
    """The members who were logged in when payments were made, "" for one that tells of nobody.

    Of a provider's customer any notification may tell it, and tells it for all.
    """
    member_of = {
        (entry["provider"], entry["customer_id"]): entry["member"]
        for entry in buyers.entries(site, buyer)
        if entry["member"] and entry["customer_id"]
    }
    customers_ = [(entry["provider"], entry["customer_id"]) for entry in asking]
    return {
        entry["member"] or member_of.get(customer, "")
        for entry, customer in zip(asking, customers_, strict=True)
    }


def _of_matches(matches: Sequence[index.Match], is_stated: bool) -> Account:
    """The account among those that have the paid address.

    :param is_stated: the address is what a provider states for its customer.
    """
    certain = [match.user_id for match in matches if match.since_made]
    if len(certain) == 1 and _barred(certain[0]):
        return Account(problem=Reason.PRIVILEGED_ACCOUNT)
    if len(certain) == 1 and not is_stated and not index.visitors_choose_passwords():
        return Account(certain[0])
    several = len(matches) > 1
    return Account(problem=Reason.SEVERAL_ACCOUNTS if several else Reason.ACCOUNT_NOT_CERTAIN)


def _barred(user_id: str) -> str:
    return Reason.PRIVILEGED_ACCOUNT if privilege.member(user_id) else ""
