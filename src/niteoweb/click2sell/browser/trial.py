"""Site Setup: a test purchase that goes down the whole road and changes nothing."""

from dataclasses import dataclass
from datetime import datetime
from datetime import timezone
from email.message import EmailMessage
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import trial
from niteoweb.click2sell.browser import callback
from niteoweb.click2sell.browser import preview as previews
from niteoweb.click2sell.browser import shown
from niteoweb.click2sell.browser.ownerpage import OwnerPage
from niteoweb.click2sell.notification import DeliveryError
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import SecretKeyNotSet
from niteoweb.click2sell.provider import click2sell
from plone import api
from plone.protect.authenticator import check
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from ZODB.POSException import ConflictError
from zope.i18nmessageid import Message

import logging
import traceback


logger = logging.getLogger("niteoweb.click2sell")

#: What can be tried, in the words of the owner; see :data:`niteoweb.click2sell.notify.KINDS`.
KINDS = {
    "sale": _("a sale"),
    "subscription": _("the first payment of a subscription"),
    "renewal": _("the renewal of a subscription"),
    "cancellation": _("the cancellation of a subscription"),
    "refund": _("a refund"),
    "failed": _("a payment that failed"),
}


@dataclass(frozen=True)
class Letter:
    """A mail as it would go out."""

    sender: str
    to: str
    subject: str
    text: str


@dataclass(frozen=True)
class Result:
    """What came of a test purchase.

    :ivar status: of the answer that Click2Sell would get, with `answer` as its text.
    :ivar verified: the signature is right.
    :ivar sent: names and values of the parameters, without the checksum.
    :ivar terms: days of access and exclusivity, none when the product has no line.
    """

    status: int
    answer: str
    verified: bool
    sent: tuple[tuple[str, str], ...]
    kind: Message | str = ""
    product: str = ""
    product_known: bool = True
    buyer: str = ""
    terms: tuple[Message, ...] = ()
    preview: previews.Preview | None = None
    letter: Letter | None = None


class TryView(OwnerPage):
    """``@@click2sell-try``: asks for product, address and kind; POST tries them.

    It changes nothing, and still wants the token: what a test purchase shows is about members.
    """

    index = ViewPageTemplateFile("templates/trial.pt")
    rows = ViewPageTemplateFile("templates/changes.pt")
    #: None before the button was pressed, and when something unexpected happened.
    result: Result | None = None

    def __call__(self) -> str:
        if self.request.method == "POST":
            check(self.request)
            self._try()
        self.request.response.setHeader("Cache-Control", "no-store")
        return self.index()

    @property
    def products(self) -> list[str]:
        """The products that have a line in the mapping."""
        return list(
            dict.fromkeys(
                line.product_id
                for line in plone_site.mapping()
                if line.provider == click2sell.NAME
            )
        )

    @property
    def product(self) -> str:
        """What was entered; the first product before anything was."""
        if "product" in self.request.form:
            return self._text("product")
        return next(iter(self.products), "")

    @property
    def address(self) -> str:
        """What was entered."""
        return self._text("address")

    @property
    def kind(self) -> str:
        """What was chosen."""
        found = self._text("kind")
        return found if found in KINDS else next(iter(KINDS))

    @property
    def kinds(self) -> list[tuple[str, Message]]:
        """What can be chosen, with its text."""
        return list(KINDS.items())

    @property
    def url(self) -> str:
        """Address of this page."""
        return f"{self.context.absolute_url()}/@@click2sell-try"

    def _text(self, name: str) -> str:
        value = self.request.form.get(name)
        return value.strip() if isinstance(value, str) else ""

    def _try(self) -> None:
        now = datetime.now(timezone.utc)
        fields = trial.parameters(self.context, self.kind, self.product, self.address, now)
        sent = tuple((name, text) for name, text in fields.items() if name != "checksum")
        try:
            notification = trial.read(fields, now)
        except DeliveryError as error:
            status = callback.STATUS.get(type(error), 400)
            verified = not isinstance(error, SecretKeyNotSet)
            self.result = Result(status, str(error), verified, sent)
            return
        try:
            self.result = self._rehearsed(notification, sent, now)
        except ConflictError:
            raise
        except Exception as error:
            # The message of an error could hold an address.
            where = "".join(traceback.format_tb(error.__traceback__))
            name = type(error).__name__
            logger.error("A test purchase failed: %s\n%s", name, where)
            message = _(
                "What this would lead to cannot be worked out: ${error}. The error is in the "
                "site's log.",
                mapping={"error": name},
            )
            api.portal.show_message(message, self.request, "error")

    def _rehearsed(
        self, notification: Notification, sent: tuple[tuple[str, str], ...], now: datetime
    ) -> Result:
        with trial.rehearse(notification, now) as rehearsal:
            entry = rehearsal.entry
            return Result(
                200,
                callback.PARSED,
                True,
                sent,
                kind=shown.kind(entry["kind"]),
                product=shown.product(entry),
                product_known=entry["terms_known"],
                buyer=f"{notification.fullname} <{notification.email}>",
                terms=shown.terms(entry["days"], entry["exclusive"]),
                preview=previews.of(self.context, notification.key, rehearsal.found),
                letter=_letter(rehearsal.mail),
            )


def _letter(mail: EmailMessage | None) -> Letter | None:
    if mail is None:
        return None
    sender, to, subject = (str(mail[name] or "") for name in ("From", "To", "Subject"))
    return Letter(sender, to, subject, mail.get_content())
