"""The contract of a payment provider; docs/addprovider.rst shows how to add one."""

from zope.interface import Attribute
from zope.interface import Interface


class IPaymentProvider(Interface):
    """A payment provider: a named utility.

    :class:`niteoweb.click2sell.provider.registry.PaymentProvider` makes one of a pure module
    and a settings schema. The ZCML directive ``click2sell:provider`` registers it together with
    the callback, the page with its settings and the control panel of plone.restapi, whose
    classes find the provider by name.
    """

    name = Attribute("Small letters and digits; the utility's name.")
    callback = Attribute("Name of the page that it posts to: `name`, where it has no other.")
    title = Attribute("What the provider calls itself.")
    schema = Attribute(
        "Interface of the settings in plone.app.registry, with secretkey, previous_secretkey "
        "and mapping; a provider whose schema has a field `enabled` can be switched off."
    )
    required = Attribute(
        "Names of the settings without which it cannot be switched on, a tuple; the secret key "
        "where the module says nothing else."
    )
    signed = Attribute(
        "Names of the fields of a Notification that the signature covers, a frozenset; "
        "niteoweb.click2sell.notification.EVERYTHING for all of them."
    )
    events = Attribute(
        "All that the provider tells: niteoweb.click2sell.notification.Event, a tuple."
    )
    event_types = Attribute(
        "Names of the events that the owner has to choose at the provider, a tuple; the page "
        "with the settings lists them. Empty where there is nothing to choose."
    )

    member_parameter = Attribute(
        "Parameter of an order link that the provider hands back with the purchase: it carries "
        'the token of a member, for Notification.member_token. "" for none.'
    )
    email_parameter = Attribute(
        "Parameter of an order link that fills in the address of a member who is logged in. "
        '"" for none.'
    )
    client = Attribute(
        "Module that asks the provider's API, outside of locks and transactions; None when "
        "notifications are complete. It has is_wanted(notification, settings) -> bool and "
        "complete(notification, settings, now) -> tuple[Notification, ...]. Optional are "
        "changes(settings, since, now) -> Iterator[Notification], for events without a "
        "notification, LISTS_EVENTS, True where these are events with the keys of their "
        "deliveries, and probe(settings), which raises where the API does not answer."
    )
    sample = Attribute(
        "What makes up deliveries to try a site with, as niteoweb.click2sell.provider.sample "
        "describes it; None when there is none."
    )
    poll = Attribute(
        "Asks a provider that sends nothing what has changed, in the background, with a limit "
        "of questions: poll(now, most_ends, confirmed), as provider.registry describes it. "
        "None for a provider that sends notifications."
    )
    privacy = Attribute(
        "Module for data that the provider keeps beside the ledger, None for none: "
        "export(site, addresses) -> list of plain records, erase(site, addresses)."
    )
    paywall = Attribute(
        "Module that decides who may read pages behind the paywall, None for a provider that "
        "knows no pages: guards(page) -> whether it has rules for the page, decide(page, "
        "user_id) -> niteoweb.click2sell.paywall.Decision, offers(page, content) -> list of "
        "niteoweb.click2sell.browser.membersonly.Offer."
    )
    links = Attribute(
        "Pages of the site for the provider's buyers, which ``@@my-purchases`` links to: "
        "links(settings, customer_ids) -> tuple of name and title. Nothing may be asked of the "
        "provider."
    )
    checks = Attribute(
        "Items of the checklist that only the provider has: checks(settings, connect) -> "
        "niteoweb.click2sell.setup.Check, any number. Only with connect may it be asked."
    )
    reasons = Attribute(
        "Texts for the provider's own codes why a notification needs attention, by the code."
    )
    page = Attribute(
        "Function of an entry: the page of the provider's own that it is about, a "
        "niteoweb.click2sell.provider.registry.OwnPage, None for none."
    )
    pages = Attribute("The provider's own pages for owners, a tuple of OwnPage.")
    held = Attribute(
        "Function of the site: the addresses of members whose access would have ended, were "
        "they not suspiciously many. They wait for an automatic check that an owner confirms."
    )

    def verify(delivery, settings, now):
        """Prove that a delivery comes from the provider.

        :param delivery: a niteoweb.click2sell.notification.Delivery: raw body and headers.
        :param settings: whatever has the fields of the schema as attributes.
        :param now: in UTC.
        :returns: a niteoweb.click2sell.notification.VerifiedDelivery, for :meth:`parse`.
        :raises niteoweb.click2sell.notification.DeliveryError: it is refused.
        """

    def parse(genuine, timezone_):
        """Read a genuine delivery.

        :param timezone_: the site's, for times that name none.
        :returns: one Notification or more, a tuple; more than one is recorded and takes effect
            in one commit.
        :raises niteoweb.click2sell.notification.ParameterError: it cannot be read.
        """

    def manage(settings, customer_ids):
        """The page of the provider where its customers change or cancel their purchases.

        It is shown to the buyer on ``@@my-purchases``; nothing may be asked of the provider.

        :param settings: whatever has the fields of the schema as attributes.
        :param customer_ids: the provider's ids of the buyer, a tuple, perhaps an empty one.
        :returns: an address with https or the name of a page of the site, None where there is
            none.
        """

    def answer(status, text):
        """The answer to the provider.

        :param status: of HTTP.
        :param text: for people; it names nothing that was sent.
        :returns: a niteoweb.click2sell.notification.Answer.
        """
