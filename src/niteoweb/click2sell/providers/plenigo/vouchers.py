"""Vouchers: a code that a member redeems, for nothing or in plenigo's checkout.

Whoever tries codes learns nothing: all refusals are one, and tries are counted.
"""

from collections.abc import Mapping
from contextlib import suppress
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import Rejected
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.plenigo import checkout
from niteoweb.click2sell.providers.plenigo import client
from niteoweb.click2sell.providers.plenigo import limits
from niteoweb.click2sell.providers.plenigo import shop
from niteoweb.click2sell.providers.plenigo import tie
from niteoweb.click2sell.provisioning import pipeline
from typing import Any

import re


_CODE = re.compile(r"[0-9A-Za-z-]{4,20}", re.ASCII)


class CannotRedeem(Exception):
    """There is no such voucher, or not any more, or not for this member."""


class Unanswered(Unreachable):
    """plenigo has not said whether a voucher was redeemed."""


def offer_of(user_id: str, code: str) -> str:
    """Ask plenigo for the offer of a voucher.

    :param code: as the member has typed it.
    :raises CannotRedeem: by this code nothing can be bought.
    :raises niteoweb.click2sell.provisioning.TooMany: try again in some minutes.
    :raises niteoweb.click2sell.providers.plenigo.checkout.NotSetUp: an owner has to see to the
        settings.
    :raises niteoweb.click2sell.provider.Unreachable: try again later.
    """
    stored = checkout.ready(writes=False)
    tried = _try(user_id, code)
    with jsonapi.within(jsonapi.SALE):
        try:
            return shop.voucher_offer(client.connect(stored), tried)
        except Refused:
            raise CannotRedeem from None


def redeem(
    user_id: str, environ: Mapping[str, Any], code: str
) -> tuple[str, list[Notification]] | checkout.Checkout:
    """Redeem a voucher.

    :param environ: of the request: plenigo wants the buyer's address in the network.
    :param code: as the member has typed it.
    :returns: the number of the order and what was bought; the checkout of an offer that costs
        something or needs an address.
    :raises CannotRedeem: by this code nothing can be bought.
    :raises Unanswered: it may have been redeemed.

    It raises besides what :func:`~niteoweb.click2sell.providers.plenigo.checkout.begin` does.
    """
    stored, site = checkout.ready(), plone_site.get()
    tried = _try(user_id, code)
    items: list[Notification] = []
    order, answered = "", True
    with jsonapi.within(jsonapi.SALE):
        api = client.connect(stored)
        customer_id = tie.ensure(site, api, user_id)
        try:
            order = shop.redeem(api, customer_id, checkout.address(environ), tried)
        except Rejected as error:
            if error.code not in shop.NEEDS_CHECKOUT:
                raise CannotRedeem from None
        except Unreachable:
            answered = False
        # Should plenigo not tell what it is now, its callback and the sweep do.
        with suppress(Unreachable, Refused):
            if order:
                items = shop.ordered(api, order, customer_id, timestamps.now()) or []
            elif not answered:
                items = list(shop.bought(api, customer_id, timestamps.now()))
    pipeline.process_each(items)
    if not answered:
        raise Unanswered("no answer")
    return (order, items) if order else _prepare(user_id, environ, tried)


def begin(user_id: str, environ: Mapping[str, Any], code: str) -> checkout.Checkout:
    """Have plenigo prepare the purchase of a voucher's offer.

    :raises CannotRedeem: by this code nothing can be bought.

    It raises besides what :func:`~niteoweb.click2sell.providers.plenigo.checkout.begin` does.
    """
    return _prepare(user_id, environ, _try(user_id, code))


def _prepare(user_id: str, environ: Mapping[str, Any], code: str) -> checkout.Checkout:
    try:
        return checkout.begin(user_id, environ, {"voucher": code}, {})
    except Rejected:
        raise CannotRedeem from None


def _try(user_id: str, code: str) -> str:
    """Count a try.

    :returns: the code as plenigo writes it.
    :raises niteoweb.click2sell.provisioning.TooMany: there were many.
    :raises CannotRedeem: it is none.
    """
    limits.VOUCHERS.count(user_id)
    limits.VOUCHERS_OF_ALL.count()
    plain = "".join(code.split())
    if not _CODE.fullmatch(plain):
        raise CannotRedeem
    return plain
