"""Mails to members, and how each is sent: by the site's MailHost."""

from collections.abc import Mapping
from email import message_from_bytes
from email.headerregistry import Address
from email.headerregistry import HeaderRegistry
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.policy import SMTP as SMTP_POLICY
from email.utils import formatdate
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.mail import smtp
from plone import api
from string import Template
from zope.i18n import translate
from zope.i18nmessageid import Message


class _HeaderTypes(HeaderRegistry):
    """The classes of headers, each made once: Python makes one for each header of each mail."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, type] = {}

    def __getitem__(self, name: str) -> type:
        if name not in self._made:
            self._made[name] = super().__getitem__(name)
        return self._made[name]


#: What mails are written with.
_POLICY = EmailPolicy(header_factory=_HeaderTypes())


class NoSender(Exception):
    """The site has no address to send mail from."""


def values(name: str, login: str, product: str) -> dict[str, str]:
    """The placeholders of a mail with their values, but for the credentials."""
    return {
        "name": name,
        "login": login,
        "login_url": plone_site.link("login"),
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
    subject = Template(settings.welcome_subject or "").safe_substitute(values)
    text = Template(settings.welcome_text or "").safe_substitute(
        {**values, "credentials": credentials}
    )
    return message(to, message_id, subject, text)


def notice(to: str, message_id: str, values: Mapping[str, str]) -> EmailMessage:
    """The notice to an address that paid, when the purchase went to an existing account.

    It says nothing that helps to log in: the reader may not be the account's owner.
    """
    subject = _("Your purchase at ${site}", mapping={"site": values["site"]})
    text = _(
        "notice_text",
        default="""\
Hello,

thank you for your purchase of ${product}. It was added to the account that exists for this
e-mail address at ${site}. Log in as you always do:

${login_url}

If you have no account there, please answer this mail.
""",
        mapping=dict(values),
    )
    return message(to, message_id, translated(subject), translated(text))


def message(to: str, message_id: str, subject: str, text: str) -> EmailMessage:
    """A mail from the site, of plain text.

    :param subject: line breaks in it become spaces.
    """
    name, address = plone_site.sender()
    mail = EmailMessage(_POLICY)
    # A line break in a header would start another one; settings and titles may have some.
    mail["Subject"] = " ".join(subject.split())
    if address:
        mail["From"] = _mailbox(name, address)
    mail["To"] = to
    mail["Date"] = formatdate(localtime=True)
    mail["Message-ID"] = message_id
    # Tells vacation responders not to answer (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
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
    mailhost, content = plone_site.tool("MailHost"), message.as_bytes(policy=SMTP_POLICY)
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


def _mailbox(name: str, address: str) -> str:
    return str(Address(display_name=" ".join(name.split()), addr_spec=address))


def translated(text: Message | str) -> str:
    """A text in the language that the site's mails are in."""
    return translate(text, target_language=api.portal.get_default_language())
