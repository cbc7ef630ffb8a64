"""A purchase of a member at plenigo: prepared, shown, and looked after when it was made.

Nothing that a browser says grants anything: it only makes the site ask plenigo, and the answer
takes the road of every notification. plenigo is asked outside of locks and transactions.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.plenigo import client
from niteoweb.click2sell.providers.plenigo import offers
from niteoweb.click2sell.providers.plenigo import protocol
from niteoweb.click2sell.providers.plenigo import sdk
from niteoweb.click2sell.providers.plenigo import shop
from niteoweb.click2sell.providers.plenigo import singles
from niteoweb.click2sell.providers.plenigo import tie
from niteoweb.click2sell.providers.plenigo.shortlived import ShortLived
from niteoweb.click2sell.providers.plenigo.singles import NotSold
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.provisioning import TooMany
from niteoweb.click2sell.settings import networks
from niteoweb.click2sell.settings import products
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.storage import writer
from typing import Any
from urllib.parse import urlsplit

import secrets


#: number(user id), since no erasure looks here, id of the purchase at plenigo, offer, page that
#: the member came from, time, and UID of the page that says what is sold
CHECKOUTS = ShortLived("plenigo_checkouts")
#: How long a checkout is kept, and shown.
KEPT = timedelta(days=1)
SHOWN = timedelta(minutes=30)
#: Checkouts that a member may begin in some minutes.
AT_MOST = 10
MINUTES = timedelta(minutes=10)
#: Characters of an address that plenigo leads a buyer back to.
LONGEST_URL = 220

BOUGHT, HAD_ALREADY, NOT_POSSIBLE = "bought", "had already", "not possible"


class NotSetUp(Exception):
    """There is no token or company id, or this is a copy of the site."""


class AddressTooLong(Exception):
    """plenigo cannot lead back to the page of a checkout: its address is too long."""


@dataclass(frozen=True)
class Checkout:
    """A purchase that a member has begun.

    :ivar purchase_id: plenigo's, "" before it is prepared and after the purchase.
    :ivar came_from: the page that the member wanted to read, "" for none.
    :ivar content: UID of the page that says what is sold, "" where the offer does.
    """

    id: str
    purchase_id: str
    offer: str
    came_from: str
    begun_at: datetime
    content: str


def settings() -> Any:
    """plenigo's settings.

    :raises NotSold: it is switched off: then nothing of it is there.
    """
    provider = registry.get(protocol.NAME)
    if not registry.is_enabled(provider):
        raise NotSold
    return registry.settings(provider)


def ready(writes: bool = True) -> Any:
    """plenigo's settings, complete enough to sell.

    :param writes: something at plenigo is to be changed.
    :raises NotSold: it is switched off.
    :raises NotSetUp: something is missing, or a copy of the site would write to plenigo.
    """
    stored = askable(writes)
    loaded = (stored.sdk_url or "").replace("{company_id}", "")
    if not (stored.company_id and jsonapi.allowed(loaded)):
        raise NotSetUp
    return stored


def askable(writes: bool = True) -> Any:
    """plenigo's settings, complete enough to ask its API; see :func:`ready`.

    :raises NotSold: it is switched off.
    :raises NotSetUp: there is no token, or a copy of the site would write to plenigo.
    """
    stored = settings()
    if not stored.api_token:
        raise NotSetUp
    host = urlsplit(stored.api_url or "").hostname or ""
    harmless = "stage" in host or host in ("127.0.0.1", "localhost", "::1")
    if writes and plone_site.is_copy() and not harmless:
        raise NotSetUp
    return stored


def sold(offer_id: str, bonus: str = "") -> offers.Offer:
    """An offer of the setting.

    :raises NotSold: it is not in it, or the bonus is none of the offer's.
    """
    try:
        offer = offers.parse(settings().offers or ())[offer_id]
    except (KeyError, offers.OfferError):
        raise NotSold from None
    if bonus and bonus not in offer.bonuses:
        raise NotSold
    return offer


def passed_on_by(stored: Any) -> tuple[str, ...]:
    """The names of the parameters that go along with a purchase, beside those of campaigns."""
    return tuple(filter(None, stored.source_parameters or ()))


def new_id() -> str:
    """An id for a checkout, which nobody guesses; all are of one length."""
    return secrets.token_urlsafe(12)


def page_url(id_: str) -> str:
    """The address of the page of a checkout, which plenigo leads the buyer back to.

    :raises AddressTooLong: plenigo takes none as long.
    """
    url = f"{plone_site.get().absolute_url()}/@@plenigo-checkout/{id_}"
    if len(url) > LONGEST_URL:
        raise AddressTooLong
    return url


def begin(
    user_id: str,
    environ: Mapping[str, Any],
    wanted: Mapping[str, Any],
    source: Mapping[str, Any],
) -> Checkout:
    """Have plenigo prepare a purchase.

    :param user_id: of the member who is logged in.
    :param environ: of the request: plenigo wants the buyer's address in the network.
    :param wanted: ``offer`` and perhaps ``bonus`` and ``content``, the UID of a page that says
        what is sold, or ``voucher``; ``came_from`` is an address of this site.
    :param source: parameters about a campaign.
    :raises NotSold: the site does not sell that.
    :raises NotSetUp: an owner has to see to the settings.
    :raises AddressTooLong: an owner has to give the site a shorter address.
    :raises niteoweb.click2sell.provisioning.TooMany: try again in some minutes.
    :raises niteoweb.click2sell.providers.plenigo.tie.NotForOwners: this account cannot buy.
    :raises niteoweb.click2sell.providers.plenigo.shop.AddressTaken: the address is another's.
    :raises niteoweb.click2sell.provider.Rejected: plenigo refuses, by a code.
    :raises niteoweb.click2sell.provider.Unreachable: try again later.
    """
    stored, voucher = ready(), wanted.get("voucher", "")
    bonus, came_from = wanted.get("bonus", ""), wanted.get("came_from", "")
    offer = None if voucher else sold(wanted.get("offer", ""), bonus)
    content, passed_on = wanted.get("content", ""), passed_on_by(stored)
    single = singles.of(content, offer) if offer else None
    row = (offer.id if offer else "", came_from, timestamps.iso(timestamps.now()), content)
    page_url(id_ := new_id())
    writer.run(lambda site: _file(site, user_id, id_, row))
    site = plone_site.get()
    with jsonapi.within(jsonapi.SALE):
        api = client.connect(stored)
        body = {
            "customerId": tie.ensure(site, api, user_id),
            "customerIpAddress": address(environ),
            "language": sdk.language(),
            **offers.purchase(offer, voucher, bonus, came_from, source, passed_on, single),
            **({"debugMode": True} if stored.debug_mode else {}),
        }
        purchase_id = shop.prepare(api, body)
    writer.run(lambda site: _set_purchase(site, id_, purchase_id))
    return get(user_id, id_)


def get(user_id: str, id_: str) -> Checkout:
    """A checkout of a member.

    :raises NotSold: there is none, or it is another member's.
    """
    whose, *values = CHECKOUTS.get(plone_site.get(), id_) or ("",)
    if whose != trees.number(user_id):
        raise NotSold
    purchase_id, offer, came_from, at, content = values
    return Checkout(id_, purchase_id, offer, came_from, timestamps.from_iso(at), content)


def is_shown(checkout: Checkout, now: datetime) -> bool:
    """Whether a checkout can be shown: it is not complete, and plenigo still knows it."""
    return bool(checkout.purchase_id) and now - checkout.begun_at < SHOWN


def done(user_id: str, id_: str, order: int) -> tuple[str, list[Notification]]:
    """Ask plenigo for the purchase of a member, and give access by it at once.

    :param id_: of the checkout, which is not shown again after the purchase.
    :param order: as the checkout told the browser: the number of the order, -1 where the member
        has it already, -2 where nothing can be bought.
    :returns: :data:`BOUGHT`, :data:`HAD_ALREADY` or :data:`NOT_POSSIBLE`, and what was read.
    :raises NotSold: the order or the checkout is not the member's.
    :raises NotSetUp: an owner has to see to the settings.
    :raises niteoweb.click2sell.provider.Unreachable: try again later.
    """
    begun = get(user_id, id_)
    if order == -2:
        return NOT_POSSIBLE, []
    stored, now = ready(writes=False), timestamps.now()
    customer_id = tie.customer_of(plone_site.get(), user_id)
    if not customer_id or (order < 1 and order != -1):
        raise NotSold
    with jsonapi.within(jsonapi.SALE):
        api = client.connect(stored)
        if order == -1:
            found: list[Notification] | None = list(shop.bought(api, customer_id, now))
        else:
            found = shop.ordered(api, str(order), customer_id, now)
    if found is None:
        raise NotSold
    pipeline.process_each(found)
    if begun.purchase_id:
        writer.run(lambda site: _set_purchase(site, id_, ""))
    return HAD_ALREADY if order == -1 else BOUGHT, found


def title(item: Notification) -> str:
    """The name of something that was bought, for people."""
    return products.title(protocol.NAME, item.product_id, item.product_name, item.aliases)


def presentation(
    api_settings: Any, offer_id: str, bonuses: Iterable[str] = ()
) -> tuple[shop.Presentation, dict[str, str]]:
    """The presentation of an offer, an empty one where plenigo is away, and titles of bonuses.

    A bonus whose title plenigo does not tell has its id for one.
    """
    found, language = shop.Presentation(), sdk.language()
    titles = {id_: id_ for id_ in bonuses}
    with suppress(Unreachable), jsonapi.within(jsonapi.REQUEST):
        api = client.connect(api_settings)
        found = shop.presentation(api, offer_id, language)
        for id_ in titles:
            titles[id_] = shop.bonus_title(api, id_, language) or id_
    return found, titles


def address(environ: Mapping[str, Any]) -> str:
    """The address in the network of who sends a request."""
    return networks.caller(environ) or environ.get("REMOTE_ADDR") or ""


def _file(site: Any, user_id: str, id_: str, row: tuple[str, str, str, str]) -> None:
    """Write down that a member begins a checkout.

    :param row: offer, page that the member came from, time, and UID of the page that is sold.
    :raises niteoweb.click2sell.provisioning.TooMany: the member has begun many.
    """
    until = timestamps.from_iso(row[2]) + KEPT
    recent = CHECKOUTS.good_after(site, until - MINUTES)
    mine = trees.number(user_id)
    if sum(whose == mine for whose, *_rest in recent) >= AT_MOST:
        raise TooMany
    CHECKOUTS.add(site, id_, until, mine, "", *row)


def _set_purchase(site: Any, id_: str, purchase_id: str) -> None:
    whose, _before, *rest = CHECKOUTS.get(site, id_)
    CHECKOUTS.change(site, id_, whose, purchase_id, *rest)
