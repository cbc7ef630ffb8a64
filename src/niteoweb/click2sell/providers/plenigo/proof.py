"""The proof that an address is a member's, and a customer of plenigo with it: a link in a mail.

plenigo may have a customer with a member's address already, and an address that a member can
edit proves nothing. So a link goes to that address, for this member alone.
"""

from datetime import datetime
from datetime import timedelta
from email.message import EmailMessage
from hashlib import sha256
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.mail import delivery
from niteoweb.click2sell.mail import messages
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import index
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provider import is_address
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.plenigo import checkout
from niteoweb.click2sell.providers.plenigo import client
from niteoweb.click2sell.providers.plenigo import shop
from niteoweb.click2sell.providers.plenigo import states
from niteoweb.click2sell.providers.plenigo import tie
from niteoweb.click2sell.providers.plenigo.shortlived import ShortLived
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.storage import writer
from typing import Any

import secrets


#: By SHA-256 of a key: user id, customer id, "" for one that is to be made, and lower-cased
#: address.
LINKS = ShortLived("plenigo_proofs")
PAGE = "@@plenigo-link"
#: How long a link is good.
KEPT = timedelta(hours=1)


class NoLink(Exception):
    """There is no such link for this member, or not any more."""


def ask(user_id: str) -> None:
    """Have a link mailed to the member's address, if it has to be proved.

    So it is if one customer of plenigo has it, or the member has edited it. Nobody is told
    which. An address gets three such mails a day at most, and a member has as many sent.

    :raises niteoweb.click2sell.providers.plenigo.tie.NotForOwners: this account cannot buy.
    :raises niteoweb.click2sell.providers.plenigo.checkout.NotSetUp: an owner has to see to the
        settings.
    :raises niteoweb.click2sell.provider.Unreachable: try again later.
    """
    stored, address = checkout.ready(), accounts.text(user_id, "email").strip()
    if privilege.member(user_id) or not is_address(address):
        raise tie.NotForOwners
    with jsonapi.within(jsonapi.SALE):
        customer_id = shop.customer_at(client.connect(stored), address)
    site = plone_site.get()
    is_needed = customer_id or not index.has_kept_address(site, user_id)
    if is_needed and not tie.customer_of(site, user_id):
        now = timestamps.now()
        mail_id = writer.run(lambda site: _file(site, user_id, customer_id, address, now))
        if mail_id:
            delivery.hand_over(mail_id)


def is_good(user_id: str, key: str) -> bool:
    """Whether a member may use a link."""
    found = LINKS.get(plone_site.get(), _hash(key))
    return found is not None and found[0] == user_id


def use(user_id: str, key: str) -> None:
    """Tie the customer of a link to the member, and take in the customer's purchases.

    Where there is none, the member becomes one.

    :raises NoLink: the member may not use it.
    :raises niteoweb.click2sell.providers.plenigo.shop.AddressTaken: the customer is another
        buyer of this site.
    :raises niteoweb.click2sell.providers.plenigo.tie.NotForOwners: this account cannot buy.
    """
    stored = checkout.ready()
    if privilege.member(user_id):
        raise tie.NotForOwners
    _make_customer(stored, user_id, key)
    customer_id = writer.run(lambda site: _use(site, user_id, key))
    found: list[Notification] = []
    try:
        with jsonapi.within(jsonapi.SALE):
            found = list(shop.bought(client.connect(stored), customer_id, timestamps.now()))
    except (Unreachable, Refused):
        # Its next callback brings it, or the checkout that finds it bought already.
        return
    pipeline.process_each(found)


def _make_customer(stored: Any, user_id: str, key: str) -> None:
    """Make the customer of a link that proves no more than an address."""
    site = plone_site.get()
    _user, customer_id, address = LINKS.get(site, _hash(key)) or ("", "", "")
    if is_good(user_id, key) and not customer_id:
        with jsonapi.within(jsonapi.SALE):
            api = client.connect(stored)
            tie.ensure(site, api, user_id, proved=address)


def _use(site: Any, user_id: str, key: str) -> str:
    if not is_good(user_id, key):
        raise NoLink
    _user, customer_id, address = LINKS.get(site, _hash(key))
    LINKS.remove(site, _hash(key))
    if customer_id:
        tie.tie(site, customer_id, address, user_id)
    return customer_id or tie.known(site, user_id)


def _file(site: Any, user_id: str, customer_id: str, to: str, now: datetime) -> str:
    """File the mail.

    :returns: its id, "" where the address or the member had as many as they get in a day.
    """
    since = timestamps.iso(now - timedelta(days=1))
    kinds = [one["kind"] for one in outbox.of_user(site, user_id) if one["filed_at"] > since]
    if kinds.count(outbox.LINK) >= outbox.CLAIMS_A_DAY:
        return ""
    if not outbox.may_ask(site, outbox.LINK, to, now):
        return ""
    mail = outbox.file(site, outbox.LINK, user_id, to, "", now, plone_site.mail_domain())
    mail["provider"], mail["customer_id"] = states.NAME, customer_id
    return mail["id"]


def write(site: Any, mail: outbox.Mail, now: datetime) -> EmailMessage:
    """The mail with a link; each time it is written the link is a new one."""
    key = secrets.token_urlsafe(32)
    whose = mail["user_id"], mail["customer_id"], mail["to"].lower()
    LINKS.add(site, _hash(key), now + KEPT, *whose)
    values = {
        "site": plone_site.title(),
        "login": accounts.login_name(mail["user_id"]),
        "link": plone_site.link(f"{PAGE}?key={key}"),
    }
    subject = _("Your purchases at ${site}", mapping=values)
    text = _(
        "plenigo_link_text",
        default="""\
Hello,

the member ${login} of ${site} wants to buy something and has your e-mail address. If this is
you, log in as that member and open this link:

${link}

Everything that was bought at plenigo with this address then belongs to the member. The link
works once, within an hour. If you are not that member, you can ignore this mail.
""",
        mapping=values,
    )
    return messages.message(
        mail["to"], mail["message_id"], messages.translated(subject), messages.translated(text)
    )


delivery.writers[states.NAME] = write


def _hash(key: str) -> str:
    return sha256(key.encode("utf-8", "replace")).hexdigest()
