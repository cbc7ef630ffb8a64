"""Claiming: a buyer confirms by a link which account a purchase is for.

The link was mailed to the paid address. An account is tied only if its owner is logged in when
confirming: who reads the mail has paid, who has the password owns the account.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import claims
from niteoweb.click2sell.buyers import customers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import WAITS_FOR_BUYER
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import pseudonyms
from niteoweb.click2sell.mail import delivery
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import index
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import plan as plans
from niteoweb.click2sell.provisioning.apply import Applied
from niteoweb.click2sell.storage import background
from niteoweb.click2sell.storage import NotPossible
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.storage import writer
from typing import Any


NOT_VALID = _("This link cannot be used: it is not complete, or was used before.")
EXPIRED = _("This link has expired. Ask for a new one.")
PRIVILEGED = _("This account can administer the site; no purchase can be added to it.")


@dataclass(frozen=True)
class Claim:
    """A purchase that waits for its buyer to confirm it.

    :ivar address: that was paid under.
    :ivar product: name or id of the product.
    :ivar accounts: user ids of the accounts that have the address as their e-mail address, with
        their login names.
    """

    address: str
    product: str
    accounts: Mapping[str, str]


def look(site: Any, token: str, now: datetime) -> Claim:
    """The purchase that a link is about.

    :param now: in UTC.
    :raises NotPossible: the link cannot be used, or not any more.
    """
    _buyer, plan = _waiting(site, token, now)
    named = {
        match.user_id: accounts.login_name(match.user_id)
        for match in index.find(site, plan.address)
        if match.by_email and not privilege.member(match.user_id)
    }
    return Claim(plan.address, plan.product, named)


def confirm(token: str, user_id: str) -> Applied:
    """Tie the buyer to an account, or have an account of the buyer's own made.

    :param user_id: of the account whose owner is logged in and confirms; "" for a new account.
    :raises NotPossible: the link cannot be used, or the account cannot.
    :raises niteoweb.click2sell.storage.transactions.Busy: try again later; nothing was changed.
    """

    def work(site: Any) -> tuple[Applied, Notification]:
        now = timestamps.now()
        buyer, waiting = _waiting(site, token, now)
        if user_id and not accounts.exists(user_id):
            raise NotPossible(NOT_VALID)
        if user_id and privilege.member(user_id):
            raise NotPossible(PRIVILEGED)
        claims.use(site, buyer)
        buyers.change(site, buyer, chosen=user_id, own_account=not user_id)
        entry = ledger.get(site, waiting.payment)
        plan = plans.make(site, buyer, now, entry)
        return pipeline.perform(site, plan, entry), history.notification(entry)

    applied, notification = writer.run(work)
    pipeline.follow_up(applied, notification)
    return applied


def reset(token: str, user_id: str) -> None:
    """Mail a link to set the password of an account to the paid address, its e-mail address.

    :raises NotPossible: the link cannot be used, or the account has another address.
    :raises niteoweb.click2sell.storage.transactions.Busy: try again later.
    """

    def work(site: Any) -> str:
        now = timestamps.now()
        claim = look(site, token, now)
        if user_id not in claim.accounts:
            raise NotPossible(NOT_VALID)
        if not outbox.may_ask(site, outbox.WELCOME, claim.address, now):
            return ""
        to, product, domain = claim.address, claim.product, plone_site.mail_domain()
        by_link = {"credentials": "link"}
        return outbox.file(site, outbox.WELCOME, user_id, to, product, now, domain, **by_link)[
            "id"
        ]

    mail_id = writer.run(work)
    if mail_id:
        delivery.hand_over(mail_id)


def hand_over(address: str) -> None:
    """Leave :func:`ask_again` to this process's thread for mail, or do it without one.

    So the time that an answer takes does not tell either whether a purchase waits.
    """
    if background.is_done_here(background.MAIL) and plone_site.public_address():
        path = plone_site.get().getPhysicalPath()
        background.leave(background.MAIL, path, partial(ask_again, address))
    else:
        ask_again(address)


def ask_again(address: str) -> None:
    """Mail another link to the address that was paid under, if a purchase waits there.

    :param address: in any letter case.
    :raises niteoweb.click2sell.storage.transactions.Busy: try again later.
    """

    def work(site: Any) -> list[str]:
        now = timestamps.now()
        mails = [
            outbox.file_claim(site, buyer["id"], plan.address, plan.product, now)
            for buyer, plan in _waiting_under(site, address, now)
        ]
        return [mail["id"] for mail in mails if mail is not None]

    address, site, now = address.strip().lower(), plone_site.get(), timestamps.now()
    if outbox.may_ask(site, outbox.CLAIM, address, now) and any(
        _waiting_under(site, address, now)
    ):
        for mail_id in writer.run(work):
            delivery.hand_over(mail_id)


def _waiting(site: Any, token: str, now: datetime) -> tuple[buyers.Buyer, plans.Plan]:
    buyer = claims.find(site, token)
    plan = _plan(site, buyer, now)
    until = claims.until(buyer, token, plan.address) if plan is not None else ""
    if not until:
        raise NotPossible(NOT_VALID)
    if until <= timestamps.iso(now):
        raise NotPossible(EXPIRED)
    return buyer, plan


def _plan(site: Any, buyer: buyers.Buyer | None, now: datetime) -> plans.Plan | None:
    """The plan for a buyer whose purchase waits; None for all others."""
    if buyer is None or buyer["user_id"] or pseudonyms.is_erased(buyer):
        return None
    plan = plans.make(site, buyer, now)
    return plan if plan.problem in WAITS_FOR_BUYER else None


def _waiting_under(
    site: Any, address: str, now: datetime
) -> Iterator[tuple[buyers.Buyer, plans.Plan]]:
    """The buyers whose purchases wait under an address, with their plans."""
    buyer_id = trees.tree(site, "buyer_by_address").get(address, "")
    for buyer in (buyers.get(site, buyer_id), *customers.stating(site, address)):
        plan = _plan(site, buyer, now)
        if plan is not None and plan.address == address:
            yield buyer, plan
