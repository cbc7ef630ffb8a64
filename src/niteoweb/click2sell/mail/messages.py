"""Mails to members, and how each is sent: by the site's MailHost."""

from collections.abc import Iterable
from collections.abc import Mapping
from email import message_from_bytes
from email.header import Header
from email.headerregistry import Address
from email.headerregistry import HeaderRegistry
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import formataddr
from email.utils import formatdate
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.interfaces import WELCOME_SUBJECT
from niteoweb.click2sell.interfaces import WELCOME_TEXT
from niteoweb.click2sell.mail import smtp
from niteoweb.click2sell.member import pages
from plone import api
from string import Template
from typing import Any
from zope.i18n import translate
from zope.i18nmessageid import Message

import re


class _HeaderTypes(HeaderRegistry):
    """The classes of headers, each made once: Python makes one for each header of each mail."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, type] = {}

    def __getitem__(self, name: str) -> type:
        if name not in self._made:
            self._made[name] = super().__getitem__(name)
        return self._made[name]


class _SevenBits(EmailPolicy):
    """Writes each header as it reads, in ASCII.

    Python's own way loses quotes and spaces of long names, and lets ids begin on a second line.
    """

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        """Keep a subject as it is: Python would decode words that look encoded."""
        if name == "Subject":
            return name, value
        return super().header_store_parse(name, value)

    def fold(self, name: str, value: Any) -> str:
        """A header as it is sent."""
        text = str(value)
        if name == "Subject":
            text = text if _is_plain(text) else _encoded(text, name)
        elif name == "From":
            (mailbox,) = value.addresses
            text = _mailbox(mailbox.display_name, mailbox.addr_spec)
        return f"{name}: {text}\n".replace("\n", self.linesep)

    def fold_binary(self, name: str, value: Any) -> bytes:
        """A header as it is sent, as bytes."""
        return self.fold(name, value).encode("ascii")


def _mailbox(name: str, address: str) -> str:
    if _is_plain(name):
        return formataddr((name, address))
    return f"{_encoded(name, 'From')}\n <{address}>" if name else address


def _is_plain(text: str) -> bool:
    """Whether a text can stand in a line of a header, and is read as it stands."""
    return len(text) <= 60 and bool(_PLAIN.fullmatch(text))


def _encoded(text: str, header: str) -> str:
    """Words that are encoded (RFC 2047), with line breaks between them."""
    # Python's words are longer by one sign than it is told.
    return Header(text, "utf-8", maxlinelen=74, header_name=header).encode()


_PLAIN = re.compile(r"(?!.*(=\?|  ))[!-~]([ -~]*[!-~])?")
#: Line breaks, and all else that would not stay in a line.
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

#: What mails are written with.
_POLICY = _SevenBits(header_factory=_HeaderTypes())
_SENT = _POLICY.clone(linesep="\r\n")


#: The page of the link in the mail that asks to confirm a purchase.
CLAIM_PAGE = "@@my-purchase-claim"


class NoSender(Exception):
    """The site has no address to send mail from."""


def values(
    name: str, login: str, product: str, login_url: str, groups: Iterable[str] = ()
) -> dict[str, str]:
    """The placeholders of a mail with their values, but for the credentials.

    :param login_url: in a mail that is sent, by :func:`niteoweb.click2sell.site.link`; the
        other addresses are built like it.
    :param groups: the groups that were bought, whose pages are listed.
    """
    site_url = login_url.removesuffix("/login")
    shared = [f"- {page.title}: {site_url}/{page.path}" for page in pages.shared_with(groups)]
    heading = translated(_("Your pages:"))
    return {
        "pages": "\n".join(["", heading, *shared, ""]) if shared else "",
        "purchases_url": f"{site_url}/@@my-purchases",
        "password_url": f"{site_url}/@@login-help",
        "contact": plone_site.sender()[1],
        "name": name,
        "login": login,
        "login_url": login_url,
        "product": product,
        "site": plone_site.title(),
    }


def welcome(
    to: str, message_id: str, values: Mapping[str, str], credentials: str
) -> EmailMessage:
    """The welcome mail to a new member, with the subject and text of the settings.

    :param values: see :func:`values`.
    :param credentials: the password or the one-time link, as a line of text.
    """
    settings = plone_site.settings()
    subject, text = settings.welcome_subject or "", settings.welcome_text or ""
    if subject == WELCOME_SUBJECT.default:
        subject = translated(WELCOME_SUBJECT)
    if text == WELCOME_TEXT.default:
        text = translated(WELCOME_TEXT)
    subject = Template(subject).safe_substitute(values)
    text = Template(text).safe_substitute({**values, "credentials": credentials})
    return message(to, message_id, subject, text)


def notice(to: str, message_id: str, values: Mapping[str, str]) -> EmailMessage:
    """The notice to an address that paid, when the purchase went to an existing account.

    It names the login name, which need not be the address, and has no credentials: the reader
    may not be the account's owner.
    """
    subject = _("Your purchase at ${site}", mapping={"site": values["site"]})
    text = _(
        "notice_text",
        default="""\
Hello,

thank you for your purchase of ${product}. It was added to your account at ${site}.

Your login name: ${login}
Log in here: ${login_url}
Forgot your password? ${password_url}
Your purchases: ${purchases_url}
${pages}
Questions, or not your account? Write to ${contact}.
""",
        mapping=dict(values),
    )
    return message(to, message_id, translated(subject), translated(text))


def claim(to: str, message_id: str, product: str, link: str) -> EmailMessage:
    """The mail that asks an address that paid to confirm whose account the purchase is for.

    :param link: with its token; in a mail that is sent, by
        :func:`niteoweb.click2sell.site.link`.
    """
    values = {
        "product": product,
        "site": plone_site.title(),
        "link": link,
    }
    subject = _("Confirm your purchase at ${site}", mapping=values)
    text = _(
        "claim_text",
        default="""\
Hello,

thank you for your purchase of ${product}. There is already an account at ${site} with your
e-mail address. Before we add the purchase to it, please confirm that this account is yours, or
create a new one:

${link}

The link works once, within 14 days. If you did not buy anything, you can ignore this mail.
""",
        mapping=values,
    )
    return message(to, message_id, translated(subject), translated(text))


def message(to: str, message_id: str, subject: str, text: str) -> EmailMessage:
    """A mail from the site, of plain text.

    :param subject: line breaks in it become spaces.
    """
    name, address = plone_site.sender()
    mail = EmailMessage(_POLICY)
    mail["Subject"] = _line(subject)
    if address:
        mail["From"] = Address(_line(name), addr_spec=address)
    mail["To"] = to
    mail["Date"] = formatdate(localtime=True)
    mail["Message-ID"] = message_id
    # Tells vacation responders not to answer (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_text(text), cte="quoted-printable")
    return mail


def password_line(password: str) -> str:
    """A password, as the placeholder ``$credentials``."""
    return translated(_("Your password: ${password}", mapping={"password": password}))


def link_line(link: str) -> str:
    """A one-time link, as the placeholder ``$credentials``."""
    return translated(_("Set your password here: ${link}", mapping={"link": link}))


def send(message: EmailMessage) -> None:
    """Hand a mail to the mail server, now; for background threads and scripts only.

    :raises NoSender: the site has no address to send from.
    :raises OSError: see :func:`niteoweb.click2sell.mail.smtp.send`.
    """
    if not message["From"]:
        raise NoSender
    mailhost, content = plone_site.tool("MailHost"), message.as_bytes(policy=_SENT)
    if smtp.is_smtp(mailhost):
        smtp.send(mailhost, plone_site.sender()[1], [message["To"]], content)
    else:
        # MailHost knows the older kind of message, whose headers are encoded already.
        mailhost.send(message_from_bytes(content), immediate=True)


def probe() -> None:
    """Talk to the mail server as :func:`send` does, TLS and login included, but send nothing.

    :raises NoSender: the site has no address to send from.
    :raises NotImplementedError: the site's MailHost is of another make, which may send by other
        means.
    :raises OSError: as for :func:`send`.
    """
    if not plone_site.sender()[1]:
        raise NoSender
    mailhost = plone_site.tool("MailHost")
    if not smtp.is_smtp(mailhost):
        raise NotImplementedError
    smtp.probe(mailhost)


def error_text(error: Exception) -> str:
    """An error in words that hold no address, as its own text could."""
    if isinstance(error, NoSender):
        return "the site has no address to send mail from"
    code = getattr(error, "smtp_code", "")
    return f"{type(error).__name__} {code}".strip()


def _line(text: str) -> str:
    """A text without line breaks: one in a header would start another header."""
    return _BREAKS.sub(" ", _text(text)).strip()


def _text(text: str) -> str:
    """A text without halves of surrogates, which nothing can be sent in."""
    return text.encode("utf-8", "replace").decode("utf-8")


def translated(text: Message | str) -> str:
    """A text in the language that the site's mails are in."""
    return translate(text, target_language=api.portal.get_default_language())
