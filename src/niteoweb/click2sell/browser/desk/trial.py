"""Site Setup: a test purchase that is processed to the end and changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from functools import cached_property
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser import callback
from niteoweb.click2sell.browser.desk.fields import Field
from niteoweb.click2sell.browser.desk.fields import VERBATIM
from niteoweb.click2sell.browser.desk.ownerpage import OwnerPage
from niteoweb.click2sell.browser.words import changes
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.interfaces import IPaymentProvider
from niteoweb.click2sell.notification import DeliveryError
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import SecretKeyNotSet
from niteoweb.click2sell.owner import trial
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.settings import apitoken
from niteoweb.click2sell.settings import effective
from plone.protect.authenticator import check
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zope.i18nmessageid import Message


#: The kinds of samples in words for owners; see :mod:`niteoweb.click2sell.provider.sample`.
KINDS = {
    "sale": _("a sale"),
    "subscription": _("the first payment of a subscription"),
    "renewal": _("the renewal of a subscription"),
    "change": _("a change of a subscription"),
    "cancellation": _("the cancellation of a subscription"),
    "reactivation": _("a cancellation that is taken back"),
    "end": _("the end of a subscription"),
    "refund": _("a refund"),
    "chargeback": _("a payment that the bank takes back"),
    "failed": _("a payment that failed"),
}


@dataclass(frozen=True)
class Result:
    """The result of a test purchase.

    :ivar facts: the verification and the notification, for people.
    :ivar sent: names and values in each delivery, without what proves it.
    """

    facts: formatting.Facts
    sent: Sequence[formatting.Facts]
    preview: changes.Preview | None = None
    mail: EmailMessage | None = None


class TryView(OwnerPage):
    """``@@click2sell-try``: asks for product, address and kind; POST tries them.

    It changes nothing, and still wants the token: a test purchase shows data of members.
    """

    template = ViewPageTemplateFile("../templates/trial.pt")
    title = _("Try a purchase")
    providers_label = _("Payment provider")
    lead = _(
        "Simulate a purchase: a notification is signed with your secret key and processed. "
        "Nothing is saved or sent."
    )
    page = "click2sell-try"
    #: None before the button was pressed, and after an unexpected error.
    result: Result | None = None

    def post(self) -> str:
        """Try the purchase."""
        check(self.request)
        self._try()
        return ""

    @cached_property
    def provider(self) -> IPaymentProvider:
        """The chosen provider; at first a provider that is set up and can be tried."""
        named = [one for one in self.providers if one.name == self.text("provider")]
        set_up = [one for one in registry.to_set_up() if one in self.providers]
        can_be_tried = [one for one in (*set_up, *self.providers) if one.sample is not None]
        return (*named, *can_be_tried, *self.providers)[0]

    @cached_property
    def providers(self) -> tuple[IPaymentProvider, ...]:
        """The providers that can be chosen: all that are switched on."""
        return registry.enabled()

    @property
    def choices(self) -> list[formatting.Link]:
        """The links to the providers, none where there is nothing to choose."""
        if len(self.providers) < 2:
            return []
        return [
            formatting.Link(
                provider.title,
                self.url_of(self.page, provider=provider.name),
                "true" if provider is self.provider else None,
            )
            for provider in self.providers
        ]

    @property
    def can_be_tried(self) -> bool:
        """Whether there is something to choose from."""
        return self.provider.sample is not None

    @property
    def is_asked(self) -> bool:
        """Whether true notifications of the provider make the site ask it."""
        return apitoken.is_set(self.provider) and self.provider.client is not None

    @property
    def products(self) -> list[str]:
        """The products that have a line in the provider's mapping."""
        return list(dict.fromkeys(line.product_id for line in effective.lines(self.provider)))

    @property
    def product(self) -> str:
        """The product in the form, at first the first one of the mapping."""
        if "product" in self.request.form:
            return self.text("product")
        return next(iter(self.products), "")

    @property
    def fields(self) -> list[Field]:
        """The fields of the form."""
        return [
            Field(
                "product",
                _("Product"),
                self.product,
                help=_("One of your products, or any other id."),
                more={"autocomplete": "off", "list": "try-products", "required": "required"},
            ),
            Field(
                "address",
                _("E-mail address of the buyer"),
                self.text("address"),
                help=_("A member's address, or a new one."),
                more={**VERBATIM, "inputmode": "email", "required": "required"},
            ),
            Field("kind", _("What happens"), self.kind, "select", self.kinds),
        ]

    @property
    def mail_facts(self) -> formatting.Facts:
        """The facts about the mail: a label, and the line beside it."""
        mail = self.result.mail
        no_sender = _(
            "The site has no address to send mail from: enter one in Site Setup under Mail."
        )
        return formatting.facts(
            (_("mail_from", default="From"), [mail["From"] or no_sender]),
            (_("To"), [mail["To"]]),
            (_("Subject"), [mail["Subject"]]),
        )

    @property
    def kind(self) -> str:
        """The kind in the form, at first the first one of the provider."""
        chosen, kinds = self.text("kind"), self.provider.sample.KINDS
        return chosen if chosen in kinds else next(iter(kinds))

    @property
    def kinds(self) -> list[tuple[str, Message | str]]:
        """The kinds of the provider, each with its text."""
        kinds = self.provider.sample.KINDS
        return [(name, KINDS.get(name) or formatting.kind(kinds[name])) for name in kinds]

    def _try(self) -> None:
        if not self.can_be_tried:
            return
        now = timestamps.now()
        wanted = self.kind, self.product, self.text("address")
        deliveries = trial.deliveries(self.context, self.provider, *wanted, now)
        parsed: list[Notification] = []
        sent: list[formatting.Facts] = []
        stored, verified = registry.settings(self.provider), False
        try:
            for delivery in deliveries:
                verified = False
                genuine = self.provider.verify(delivery, stored, now)
                verified = True
                pairs = genuine.payload().items()
                sent.append(formatting.Facts((formatting.Code(name), [v]) for name, v in pairs))
                parsed += self.provider.parse(genuine, plone_site.timezone())
        except DeliveryError as error:
            answer = f"{callback.STATUS.get(type(error), 400)} {error}"
            facts = self._verification(answer, verified, isinstance(error, SecretKeyNotSet))
            self.result = Result(facts, sent)
            return
        try:
            self.result = self._rehearsed(parsed, sent, now)
        except Exception as error:
            message = _(
                "What this would lead to cannot be worked out: ${error}. The error is in the "
                "site's log."
            )
            self.fail("A test purchase failed", error, message)

    def _verification(
        self, answer: str, verified: bool, key_missing: bool = False
    ) -> formatting.Facts:
        signature = [
            formatting.Badge(_("verified"), "text-bg-success")
            if verified
            else formatting.Badge(_("not verified"), "text-bg-danger")
        ]
        if key_missing:
            signature.append(
                _("No secret key is set, so nothing can be verified. Set one in the settings.")
            )
        provider = {"provider": self.provider.title}
        return formatting.facts(
            (_("Signature"), signature),
            (_("Answer to ${provider}", mapping=provider), [formatting.Code(answer)]),
        )

    def _rehearsed(
        self,
        notifications: Sequence[Notification],
        sent: Sequence[formatting.Facts],
        now: datetime,
    ) -> Result:
        names = [
            notification.fullname for notification in notifications if notification.fullname
        ]
        with trial.rehearse(notifications, now) as rehearsal:
            entry = rehearsal.entry
            product, terms = [formatting.product(entry)], ()
            if entry["terms_known"]:
                terms = formatting.terms(entry["days"], entry["exclusive"])
            else:
                product.append(
                    _(
                        "This product has no line under Products and groups: it gives no group "
                        "of its own."
                    )
                )
            facts = formatting.facts(
                (_("Kind"), [formatting.kind(entry["kind"])]),
                (_("Buyer"), [f"{' '.join(names[-1:])} <{entry['email']}>".strip()]),
                (_("Product"), product),
                (_("Terms"), terms),
            )
            key = notifications[-1].key
            return Result(
                self._verification(f"200 {callback.PARSED}", True) + facts,
                sent,
                changes.of_replay(self.context, key, rehearsal.preview),
                rehearsal.mail,
            )
