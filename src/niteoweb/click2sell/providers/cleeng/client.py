"""Cleeng's API: have a purchase of a TV set's shop validated, and ask for the result.

The paths are documented in public, the bodies are not: their fields are assumptions, which the
documentation names.
"""

from niteoweb.click2sell.notification import CONFIRMED
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.notification import REFUSED
from niteoweb.click2sell.provider import JsonApi
from typing import Any


#: The header with the token that proves the site to Cleeng.
TOKEN = "X-Publisher-Token"  # noqa: S105

_VERDICTS = {"succeeded": CONFIRMED, "failed": REFUSED}


def validate(settings: Any, email: str, subscription_id: str, offer_id: str = "") -> str:
    """Have a purchase validated; the answer only says that it is queued.

    :param settings: with ``api_url`` and ``api_token``.
    :param subscription_id: Vizio's id of the subscription.
    :param offer_id: the bought offer, "" where it is not known.
    :returns: Cleeng's id of the validation, "" where there is none.
    :raises niteoweb.click2sell.provider.Unreachable: Cleeng cannot be asked at the moment.
    :raises niteoweb.click2sell.provider.Refused: Cleeng does not take the purchase.
    """
    value = {"customerEmail": email, "subscriptionId": subscription_id}
    if offer_id:
        value["offerId"] = offer_id
    answer = _api(settings).post(value, "vizio", "purchase-validation")
    try:
        return answer.identifier("correlationId")
    except ParameterError:
        return ""


def verdict(settings: Any, question: str) -> str:
    """The result of a validation.

    :param settings: with ``api_url`` and ``api_token``.
    :param question: Cleeng's id of the validation.
    :returns: :data:`~.notification.CONFIRMED`, :data:`~.notification.REFUSED`, or "" as long as
        it is not known.
    :raises niteoweb.click2sell.provider.Unreachable: Cleeng cannot be asked at the moment.
    :raises niteoweb.click2sell.provider.Refused: Cleeng does not know it, or does not answer.
    """
    answer = _api(settings).get("vizio", "purchase-status", correlationId=question)
    try:
        return _VERDICTS.get(answer.text("status").lower(), "")
    except ParameterError:
        return ""


def _api(settings: Any) -> JsonApi:
    return JsonApi(settings.api_url or "", {TOKEN: settings.api_token or ""})
