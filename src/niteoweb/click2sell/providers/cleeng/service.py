"""Have a purchase validated that an app has made, as services of plone.restapi.

``POST /@cleeng-purchase-validation`` and ``GET /@cleeng-purchase-status/{id}`` need the
permission to validate purchases. They are for the middleware of an app on a TV set.
"""

from niteoweb.click2sell.provider import is_address
from niteoweb.click2sell.provider import LONGEST_ID
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.cleeng import validationservice
from niteoweb.click2sell.provisioning import TooMany
from niteoweb.click2sell.restapi import Operation
from niteoweb.click2sell.restapi import PathParameters
from plone import api
from typing import Any
from zExceptions import BadRequest
from zExceptions import NotFound


NAME = "@cleeng-purchase-status"

QUEUED = "queued"

#: Seconds after which to try again when there were too many, or Cleeng is away.
RETRY_AFTER = 60


class ValidationPost(Operation):
    """Answers a POST: a purchase is queued for validation.

    ``email``: the buyer's address. ``subscription_id``: Vizio's id of the subscription.
    ``offer_id``: Cleeng's id of the bought offer; optional.
    """

    def operate(self) -> dict[str, Any]:
        """The validation, with the id by which its result can be asked for.

        :raises BadRequest: an option is missing or not possible.
        """
        options = self.options(email=str, subscription_id=str, offer_id=str)
        email = options.get("email", "").strip()
        if not is_address(email):
            raise BadRequest('"email" must be an e-mail address.')
        subscription_id = _id(options, "subscription_id")
        offer_id = _id(options, "offer_id") if options.get("offer_id") else ""
        try:
            validation = validationservice.submit(email, subscription_id, offer_id, _user_id())
        except validationservice.NotSetUp:
            return self.problem(503, "NotSetUp", "Cleeng is switched off or has no token.")
        except TooMany:
            text = "Too many validations in a minute."
            return self.later("TooMany", text, 429, RETRY_AFTER)
        except Unreachable:
            text = "Cleeng cannot be reached, try again."
            return self.later("Unreachable", text, seconds=RETRY_AFTER)
        except Refused:
            return self.problem(422, "Refused", "Cleeng does not take this purchase.")
        self.request.response.setStatus(202)
        return {**_told(self.context, validation), "status": QUEUED}


class StatusGet(PathParameters, Operation):
    """Answers a GET with an id: the result of a validation, for the user who asked for it."""

    def operate(self) -> dict[str, Any]:
        """The validation; Cleeng is asked where its result is not known.

        :raises NotFound: there is none, or it is somebody else's.
        """
        if len(self.params) != 1:
            raise NotFound
        validation = validationservice.status(self.params[0], _user_id())
        if validation is None:
            raise NotFound
        return _told(self.context, validation)


def _told(context: Any, validation: dict[str, Any]) -> dict[str, Any]:
    return {"@id": f"{context.absolute_url()}/{NAME}/{validation['id']}", **validation}


def _id(options: dict[str, Any], name: str) -> str:
    value = options.get(name, "").strip()
    if not value or len(value) > LONGEST_ID or not value.isprintable():
        raise BadRequest(f'"{name}" must be an id of up to {LONGEST_ID} characters.')
    return value


def _user_id() -> str:
    return api.user.get_current().getId()
