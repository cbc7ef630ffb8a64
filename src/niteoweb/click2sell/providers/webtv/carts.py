"""The part of the store's API that sells: a function for each question, see :mod:`.client`."""

from decimal import Decimal
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.providers.webtv import orders
from niteoweb.click2sell.providers.webtv import states
from niteoweb.click2sell.providers.webtv.client import ask
from niteoweb.click2sell.providers.webtv.client import user_id
from typing import Any

import secrets


#: Of a payment, in the store's books.
DESCRIPTION = "niteoweb.click2sell"


def order(settings: Any, user: str) -> orders.Order:
    """The current order of a user, else the cart."""
    with jsonapi.reading():
        return orders.order(ask(settings, "store", "get_cart", user))


def change_cart(
    settings: Any, user: str, action: str, product: str = "", number: int = 1
) -> None:
    """Add to the cart, remove from it, or empty it.

    :param number: of credits or donations; of others the store knows only one.
    """
    values = {"cartAction": action}
    if product:
        values["productID"] = product
    if number != 1:
        values["productQty"] = str(number)
    ask(settings, "store", "modify_cart", user, **values)


def place(settings: Any, user: str, notify: bool, ip: str = "", agent: str = "") -> None:
    """Make the cart an order."""
    values = {"notify_buyer": "1"} if notify else {}
    values |= {"buyer_ip": ip} if ip else {}
    values |= {"buyer_useragent": agent} if agent else {}
    ask(settings, "store", "place_order", user, **values)


def cancel(settings: Any, user: str) -> None:
    """Cancel the current order (A1)."""
    ask(settings, "store", "cancel_order", user)


def add_payment(
    settings: Any, user: str, amount: Decimal, transaction: str, method: str
) -> None:
    """Add a payment to the current order."""
    values = {
        "method": orders.METHODS[method],
        "amount": orders.money(amount),
        "transaction": transaction,
        "description": DESCRIPTION,
    }
    form = orders.payment(settings.payment_fields, values)
    ask(settings, "store", "add_payment", user, **form)


def process(settings: Any, user: str) -> None:
    """Process the current order, once nothing is due (A1, A3)."""
    ask(settings, "store", "process_order", user)


def terms(settings: Any, user: str, product: str) -> orders.Terms:
    """The terms of the recurring payments of a product."""
    do = "get_subscription_pre_rp_info"
    with jsonapi.reading():
        return orders.terms(ask(settings, "store", do, user, productID=product))


def set_recurring(
    settings: Any, user: str, subscription: str, profile: str, method: str, first: str
) -> None:
    """Set the recurring payments of a subscription; the same again does no harm (A13)."""
    ask(
        *(settings, "store", "set_subscription_rp", user),
        subscriptionID=subscription,
        profileID=profile,
        paymentMethodID=orders.METHODS[method],
        date_first_payment=first,
        rp_status="Active",
    )


def restrictions(settings: Any, user: str) -> dict[str, list[str]]:
    """The content that a user may not see."""
    return orders.restrictions(ask(settings, "users", "get_cvr", user))


def credit(settings: Any, user: str) -> Decimal:
    """The credit of a user."""
    with jsonapi.reading():
        body = ask(settings, "store", "get_credit", user).part("data")
        return orders.number(body, "buyer_credit") or Decimal(0)


def change_credit(
    settings: Any, user: str, action: str, amount: Decimal, description: str
) -> None:
    """Add to the credit of a user, or subtract."""
    values = {"creditAction": action, "amount": orders.money(amount)}
    if description:
        values["description"] = description
    ask(settings, "store", "add_subtract_credit", user, **values)


def products(settings: Any, user: str, kind: str, id_: str) -> dict[str, Any]:
    """Products of a content, or of a kind, as the store tells them."""
    values = {"type": kind, "cpID": id_ or "-1"}
    return dict(ask(settings, "store", "get_product", user, **values).items())


def create_user(settings: Any, email: str) -> str:
    """Create a user with a password that nobody knows (A6)."""
    answer = ask(
        *(settings, "users", "create"),
        login=email[:40],
        password=secrets.token_urlsafe(18),
        email=email,
        alias=email.partition("@")[0][:60],
        notify_webmaster="0",
    )
    with jsonapi.reading():
        id_ = answer.identifier("id")
    return id_ if states.is_id(id_) else user_id(settings, email)
