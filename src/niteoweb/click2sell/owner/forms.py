"""Forms of an owner's actions: one schema each, for the page and the service alike.

The page and the service accept equal values, since both read them with :func:`read`.
"""

from collections.abc import Mapping
from datetime import datetime
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.buyers import history
from niteoweb.click2sell.entitlement import Product
from niteoweb.click2sell.explain import products as productaccess
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.report import overview
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.settings import products as naming
from niteoweb.click2sell.storage import NotPossible
from typing import Any
from zope import schema
from zope.i18nmessageid import Message
from zope.interface import Interface
from zope.interface import Invalid
from zope.interface.interfaces import IInterface
from zope.schema.vocabulary import SimpleTerm
from zope.schema.vocabulary import SimpleVocabulary


#: Characters of an e-mail address (RFC 5321).
LONGEST_ADDRESS = 254

#: Days that access is extended by, at most.
MOST_DAYS = 3660

#: Days and a last day do not go together.
EITHER = _("Enter either a number of days or a last day.")

#: The problems of values, where their fields state none.
PROBLEMS = {
    "address": _("Enter an e-mail address."),
    "product": _("Choose a product."),
    "until": _("This has to be a date such as 2027-01-31."),
    "days": _(
        "This has to be a whole number from 1 to ${most}.", mapping={"most": str(MOST_DAYS)}
    ),
    "reason": _("Say why: the reason is shown in the history."),
    "key": _("There is no such notification."),
    "note": _("Say why: the reason is shown in the history."),
    "text": _("Write a note of at most 500 characters."),
    "way": _("Choose one."),
}


class Problems(NotPossible):
    """Fields have values that they cannot have.

    :ivar by_field: name of a field -> the problem, for the owner, translatable.
    """

    def __init__(self, by_field: Mapping[str, Message]) -> None:
        super().__init__(next(iter(by_field.values())))
        self.by_field = by_field


class ProductField(schema.Field):
    """A product: its provider and its id, in a form with a blank between them."""

    def fromUnicode(self, text: str) -> Product:
        provider, _space, product_id = text.partition(" ")
        self.validate((provider, product_id.strip()))
        return provider, product_id.strip()

    def _validate(self, value: Product) -> None:
        provider, product_id = value
        # A command of an owner speaks for a provider; the owner is none.
        if not product_id or provider == OWNER:
            raise Invalid


class LastDay(schema.Datetime):
    """The end of access in UTC, in a form the last day, which must not be over."""

    def fromUnicode(self, text: str) -> datetime | None:
        if not text:
            return None
        try:
            until = timestamps.end(text, plone_site.timezone())
        except ValueError:
            raise Invalid from None
        if until <= timestamps.now():
            raise NotPossible(_("This day is over."))
        return until


class Days(schema.Int):
    """A number of days, in a form written with digits alone."""

    def fromUnicode(self, text: str) -> int | None:
        if not text and not self.required:
            return None
        return super().fromUnicode(text if text.isascii() and text.isdigit() else "")


def address_of(text: str) -> str:
    """An address that an owner typed, in lower case.

    :raises NotPossible: Plone does not accept it.
    """
    address = text.strip().lower()
    if len(address) > LONGEST_ADDRESS or not accounts.is_address(address):
        raise NotPossible(_("Plone does not accept this e-mail address."))
    return address


def _reason() -> schema.Text:
    return schema.Text(
        title=_("Reason"),
        description=_("Shown in the buyer's history, with your name."),
        constraint=lambda text: bool(text.strip()),
    )


def _days(description: Message) -> Days:
    return Days(title=_("Days"), description=description, min=1, max=MOST_DAYS, required=False)


class IGrant(Interface):
    """Give access by hand."""

    address = schema.TextLine(
        title=_("Address of the buyer"),
        constraint=lambda text: bool(text.strip() and address_of(text)),
    )
    name = schema.Text(
        title=_("Name of the buyer"),
        description=_("For a new account."),
        required=False,
        default="",
    )
    product = ProductField(title=_("Product"))
    days = _days(
        _("Counted from now. Leave it empty for the day below, or for the product's own days.")
    )
    until = LastDay(
        title=_("Or until"),
        description=_("The last day of access."),
        required=False,
    )
    reason = _reason()
    mail = schema.Bool(
        title=_("Mail the buyer"),
        description=_("The welcome mail or the notice, as after a purchase."),
        default=True,
    )


class IExtend(Interface):
    """Extend access."""

    product = ProductField(title=_("Product"))
    days = _days(_("Counted from the end of access, or from now if that is over."))
    until = LastDay(
        title=_("Or until"),
        description=_("The last day of access."),
        required=False,
    )
    reason = _reason()


class IEnd(Interface):
    """End access."""

    product = ProductField(title=_("Product"))
    reason = _reason()
    mail = schema.Bool(
        title=_("Mail the member"),
        description=_("The mail says that access has ended and how to buy it again."),
        default=False,
    )


class IUndo(Interface):
    """Undo an act by hand."""

    key = schema.TextLine()
    reason = schema.Text(required=False, default="")


class INote(Interface):
    """Write a note about a buyer."""

    text = schema.Text(
        title=_("Note"),
        description=_("Shown in the buyer's history, with your name. Buyers do not see it."),
        max_length=500,
        constraint=lambda text: bool(text.strip()),
    )


class IResend(Interface):
    """Mail the welcome mail again."""

    way = schema.Choice(
        title=_("What the mail contains"),
        vocabulary=SimpleVocabulary(
            [
                SimpleTerm("link", title=_("a link to set a password")),
                SimpleTerm("password", title=_("a new password")),
            ]
        ),
        default="link",
    )


class IAttach(Interface):
    """Connect a buyer with an account."""

    user_id = schema.Text(required=False, default="")
    reason = schema.Text(required=False, default="")


class IMakeGroup(Interface):
    """Create the group that an entry waits for."""


class IDecide(Interface):
    """Accept a refused entry."""

    reason = _reason()


class ICorrect(Interface):
    """Correct the buyer of a purchase."""

    address = schema.TextLine(constraint=lambda text: bool(address_of(text)))
    everything = schema.Bool(default=False)
    reason = _reason()


class IDismiss(Interface):
    """Dismiss an entry."""

    note = _reason()


def read(form: IInterface, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a form.

    :param values: by the names of its fields: texts as a person types them, or plain values. A
        value that is missing is the default of its field.
    :raises Problems: fields have values that they cannot have.
    """
    read_, problems = {}, {}
    for name, field in schema.getFieldsInOrder(form):
        value = values.get(name, field.default)
        try:
            if isinstance(value, str):
                read_[name] = field.fromUnicode(value.strip())
            else:
                field.validate(value)
                read_[name] = value
        except NotPossible as problem:
            problems[name] = problem.message
        except Invalid:
            problems[name] = PROBLEMS[name]
    if problems:
        raise Problems(problems)
    return read_


def products(
    site: Any, buyer: buyers.Buyer | None, form: IInterface, now: datetime
) -> SimpleVocabulary:
    """The products that a command can be about.

    :param buyer: None for a person who is no buyer yet.
    :param form: of the command.
    :param now: in UTC.
    """
    outcome = history.outcome(site, buyer, now) if buyer is not None else None
    names = {
        access.product: access.name
        for access in (productaccess.of(outcome) if outcome is not None else ())
        if form is not IEnd or access.access
    }
    if form is IGrant:
        for line in effective.mapping():
            product = line.provider, line.product_id
            if product not in names:
                names[product] = naming.title(*product, overview.product_name(site, product))
    titles = {
        product: f"{name} ({product[1]})" if name != product[1] else name
        for product, name in sorted(names.items())
    }
    return SimpleVocabulary(
        [SimpleTerm(one, product_value(one), title) for one, title in titles.items()]
    )


def product_value(product: Product) -> str:
    """A product as it stands in a form."""
    return f"{product[0]} {product[1]}"
