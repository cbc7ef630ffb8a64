"""The payment providers of this site, found by their registration.

All rooms ask here for providers, their titles and their settings; none names a provider.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from datetime import datetime
from datetime import tzinfo
from functools import cache
from niteoweb.click2sell.interfaces import IPaymentProvider
from niteoweb.click2sell.notification import Answer
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import Event
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import VerifiedDelivery
from plone.registry.interfaces import IRegistry
from types import ModuleType
from typing import Any
from typing import NamedTuple
from zope.component import getUtilitiesFor
from zope.component import getUtility
from zope.component import queryUtility
from zope.i18nmessageid import Message
from zope.interface import implementer
from zope.interface import Interface
from zope.interface.interfaces import IInterface
from zope.schema import getFieldsInOrder
from zope.schema.interfaces import IPassword


#: Name of the provider whose settings hold those of the whole add-on, too.
MAIN = "click2sell"

#: Asks a provider: at a moment in UTC, with the most early ends that it may tell unconfirmed,
#: and whether an owner has confirmed more of them. It returns parts of the sweep's report.
Poll = Callable[[datetime, int, bool], Mapping[str, Any]]
#: Items of the checklist, by settings and whether the provider may be asked.
Checks = Callable[[Any, bool], Iterable[Any]]
#: Names and titles of pages, by settings and the provider's ids of a buyer.
Links = Callable[[Any, tuple[str, ...]], tuple[tuple[str, Message], ...]]


class OwnPage(NamedTuple):
    """A page of a provider's own for owners.

    :ivar title: of the link to it.
    :ivar path: below the site.
    """

    title: Message
    path: str


@implementer(IPaymentProvider)
class PaymentProvider:
    """A payment provider, made of a pure module and the interface of its settings.

    :param module: has ``NAME``, ``TITLE``, ``SIGNED``, ``EVENTS``, ``verify``, ``parse`` and
        ``answer``, and perhaps ``EVENT_TYPES``, ``MEMBER_PARAMETER``, ``EMAIL_PARAMETER``,
        ``CALLBACK``, ``REQUIRED_SETTINGS`` and ``manage``, see
        :class:`niteoweb.click2sell.interfaces.IPaymentProvider`.
    :param schema: the records of it are in plone.app.registry under its dotted name.
    :param client: asks the provider for what its notifications leave open, None when they are
        complete; see
        :class:`niteoweb.click2sell.interfaces.IPaymentProvider`.
    :param sample: makes up deliveries, None where there is none; see
        :mod:`niteoweb.click2sell.provider.sample`.
    :param poll: asks a provider that sends nothing, None for one that does.
    :param privacy: exports and erases what the provider's own trees hold, None for nothing.
    :param checks: items of the checklist that only the provider has, None for none.
    :param links: pages of the site for its buyers, None for none.
    :param reasons: texts for codes of the provider's own why an entry needs attention.
    :param page: the page of the provider's own that an entry is about, if it has such pages.
    :param pages: the pages of the provider's own for owners.
    :param held: addresses of members whose access it would end, if an owner confirms that.
    :param paywall: decides who may read a page, None for one that knows no pages; see
        :class:`niteoweb.click2sell.interfaces.IPaymentProvider`.
    """

    def __init__(
        self,
        module: ModuleType,
        schema: IInterface,
        client: ModuleType | None = None,
        sample: ModuleType | None = None,
        *,
        poll: Poll | None = None,
        privacy: ModuleType | None = None,
        links: Links | None = None,
        checks: Checks | None = None,
        reasons: Mapping[str, Message] | None = None,
        page: Callable[[Mapping[str, Any]], OwnPage | None] | None = None,
        pages: tuple[OwnPage, ...] = (),
        held: Callable[[Any], Iterable[str]] | None = None,
        paywall: ModuleType | None = None,
    ) -> None:
        self.name: str = module.NAME
        self.title: str = module.TITLE
        self.signed: frozenset[str] = module.SIGNED
        self.events: tuple[Event, ...] = module.EVENTS
        self.event_types: tuple[str, ...] = getattr(module, "EVENT_TYPES", ())
        self.member_parameter: str = getattr(module, "MEMBER_PARAMETER", "")
        self.email_parameter: str = getattr(module, "EMAIL_PARAMETER", "")
        self.callback: str = getattr(module, "CALLBACK", module.NAME)
        self.required: tuple[str, ...] = getattr(module, "REQUIRED_SETTINGS", ("secretkey",))
        self.manage: Callable[[Any, tuple[str, ...]], str | None] = getattr(
            module, "manage", lambda settings, customer_ids: None
        )
        self.schema = schema
        self.client = client
        self.sample = sample
        self.poll = poll
        self.privacy = privacy
        self.checks: Checks = checks or (lambda settings, connect: ())
        self.paywall = paywall
        self.links: Links = links or (lambda settings, customer_ids: ())
        self.reasons: Mapping[str, Message] = reasons or {}
        self.page = page or (lambda entry: None)
        self.pages = pages
        self.held: Callable[[Any], Iterable[str]] = held or (lambda site: ())
        self.verify: Callable[[Delivery, Any, datetime], VerifiedDelivery] = module.verify
        self.parse: Callable[[VerifiedDelivery, tzinfo], tuple[Notification, ...]] = (
            module.parse
        )
        self.answer: Callable[[int, str], Answer] = module.answer


def registered() -> tuple[IPaymentProvider, ...]:
    """All payment providers, by name; those that are switched off, too."""
    return tuple(provider for _name, provider in sorted(getUtilitiesFor(IPaymentProvider)))


def get(name: str) -> IPaymentProvider | None:
    """The provider of a name, None when there is none, or no longer."""
    return queryUtility(IPaymentProvider, name)


def of_callback(name: str) -> IPaymentProvider | None:
    """The provider that posts to a page, None when there is none, or no longer.

    :param name: of the page.
    """
    return next((one for one in registered() if one.callback == name), None)


def main() -> IPaymentProvider:
    """Click2Sell, whose settings are the add-on's own."""
    return getUtility(IPaymentProvider, MAIN)


def settings(provider: IPaymentProvider) -> Any:
    """The provider's settings; a record that is not there yet reads as None."""
    return getUtility(IRegistry).forInterface(provider.schema, check=False)


def secrets() -> frozenset[str]:
    """The secret keys and tokens of all providers."""
    stored = getUtility(IRegistry)
    names = (name for provider in registered() for name in _secret_records(provider.schema))
    return frozenset(filter(None, map(stored.get, names)))


@cache
def _secret_records(schema: type[Interface]) -> tuple[str, ...]:
    """The names of the records of a schema that nobody may see: each notification asks."""
    secret = (name for name, field in getFieldsInOrder(schema) if IPassword.providedBy(field))
    return tuple(f"{schema.__identifier__}.{name}" for name in secret)


def install(provider: IPaymentProvider) -> None:
    """Create the records of a provider's settings; records that exist keep their values."""
    getUtility(IRegistry).registerInterface(provider.schema)


def uninstall(provider: IPaymentProvider) -> None:
    """Delete the records of a provider's settings."""
    records = getUtility(IRegistry).records
    for name in list(records):
        if name.startswith(f"{provider.schema.__identifier__}."):
            del records[name]


def is_enabled(provider: IPaymentProvider) -> bool:
    """Whether the provider is switched on; one without such a setting always is."""
    return "enabled" not in provider.schema or bool(settings(provider).enabled)


def enabled() -> tuple[IPaymentProvider, ...]:
    """The payment providers that are switched on, by name."""
    return tuple(provider for provider in registered() if is_enabled(provider))


def in_use() -> tuple[IPaymentProvider, ...]:
    """The providers that the owner uses or has begun to set up, by name.

    A provider without a switch is used once it has a secret key or a line of the mapping.
    """
    return tuple(
        provider
        for provider in enabled()
        if "enabled" in provider.schema
        or settings(provider).secretkey
        or settings(provider).mapping
    )


def to_set_up() -> tuple[IPaymentProvider, ...]:
    """The providers in use; while there are none, the providers without a switch."""
    return in_use() or tuple(one for one in registered() if "enabled" not in one.schema)


def title(name: str) -> str:
    """The title of a provider; its name where it is not registered."""
    provider = get(name)
    return name if provider is None else provider.title


def page(entry: Mapping[str, Any]) -> OwnPage | None:
    """The page of its provider's own that an entry is about, None for none."""
    provider = get(entry["provider"])
    return None if provider is None else provider.page(entry)


def reason(code: str) -> Message | None:
    """The text for a code that only a provider knows, None for another one."""
    return next((one.reasons[code] for one in registered() if code in one.reasons), None)
