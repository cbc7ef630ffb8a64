"""Mails about access that ends: a reminder before the end, and a mail after it."""

from datetime import datetime
from email.message import EmailMessage
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import Product
from niteoweb.click2sell.mail import messages
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.settings import orderlinks
from typing import Any


KINDS = frozenset({outbox.REMINDER, outbox.ENDED})


def file(
    site: Any,
    buyer: buyers.Buyer,
    kind: str,
    product: Product,
    end: datetime | None,
    now: datetime,
) -> outbox.Mail | None:
    """Put a mail to a member into the outbox, in the commit that makes it due.

    :param kind: one of :data:`KINDS`.
    :param end: of access to the product.
    :returns: None, and there is no mail, on a copy of the site and without an address.
    """
    to = accounts.text(buyer["user_id"], "email")
    if plone_site.is_copy() or not accounts.is_address(to):
        return None
    name = history.title(site, buyer, product)
    domain = plone_site.mail_domain()
    mail = outbox.file(site, kind, buyer["user_id"], to, name, now, domain)
    until = timestamps.iso(end) if end is not None else ""
    mail["about"] = {"provider": product[0], "product_id": product[1], "until": until}
    return mail


def is_true(site: Any, mail: outbox.Mail, now: datetime) -> bool:
    """Whether a mail still tells the truth: meanwhile somebody may have paid."""
    buyer = buyers.of_user(site, mail["user_id"])
    if buyer is None:
        return False
    outcome = history.outcome(site, buyer, now)
    product = mail["about"]["provider"], mail["about"]["product_id"]
    if mail["kind"] == outbox.ENDED:
        return product not in outcome.live
    end = outcome.endings.get(product)
    return end is not None and timestamps.iso(end) == mail["about"]["until"]


def message(mail: outbox.Mail, name: str) -> EmailMessage:
    """A mail as it is sent.

    :param name: of the member.
    """
    about = mail["about"]
    until = timestamps.from_iso(about["until"]) if about["until"] else timestamps.now()
    url = orderlinks.absolute(about["provider"], about["product_id"])
    way = _("Renew it here: ${url}", mapping={"url": url})
    values = {
        "name": name,
        "product": mail["product"],
        "site": plone_site.title(),
        "day": plone_site.mailed_time(until, long=False),
        "renew": f"{messages.translated(way)}\n" if url else "",
        "purchases_url": plone_site.link("@@my-purchases"),
        "contact": plone_site.sender()[1],
    }
    if mail["kind"] == outbox.REMINDER:
        subject = _("Your access to ${product} ends on ${day}", mapping=values)
        text = _(
            "reminder_text",
            default="""\
Hello ${name},

your access to ${product} at ${site} ends on ${day}. It does not renew by itself.

${renew}Your purchases: ${purchases_url}

Questions? Write to ${contact}.
""",
            mapping=values,
        )
    else:
        subject = _("Your access to ${product} has ended", mapping=values)
        text = _(
            "ended_text",
            default="""\
Hello ${name},

your access to ${product} at ${site} ended on ${day}.

${renew}Your purchases: ${purchases_url}

Questions? Write to ${contact}.
""",
            mapping=values,
        )
    translated = messages.translated(subject), messages.translated(text)
    return messages.message(mail["to"], mail["message_id"], *translated)
