"""The callback: method, size and content type of a request, and the answer. Nothing else.

The ZCML directive ``click2sell:provider`` registers it as a page with the name of the provider,
such as ``@@click2sell``.
"""

from collections.abc import Sequence
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import rejections
from niteoweb.click2sell.notification import Answer
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import DeliveryError
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.notification import SecretKeyNotSet
from niteoweb.click2sell.notification import WrongContentType
from niteoweb.click2sell.notification import WrongMode
from niteoweb.click2sell.notification import WrongSignature
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import unreadable
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.settings import networks
from niteoweb.click2sell.settings import secretkeys
from niteoweb.click2sell.storage import log_failure
from niteoweb.click2sell.storage import transactions
from Products.Five.browser import BrowserView

import hashlib


#: Bytes. Notifications of Click2Sell have about one kilobyte, those of others a few.
LARGEST_BODY = 64 * 1024

#: Seconds after which a provider may try again.
RETRY_AFTER = 60

PARSED = "POST successfully parsed."
NOT_FOUND = "Not found."
NO_POST = "No POST request."
TOO_LARGE = "POST too large."
WRONG_NETWORK = "POST refused: network."
REFUSED = "POST refused: the transaction belongs to another buyer or product."
REFUSED_MANY = "POST refused: there are too many notifications of this transaction."
BUSY = "Try again later."
FAILED = "POST handling failed."

STATUS = {WrongContentType: 415, SecretKeyNotSet: 503, WrongSignature: 403}
_COUNTED = {WrongSignature: rejections.FORGED, WrongMode: rejections.MODE}


class Callback(BrowserView):
    """The page that a payment provider posts its notifications to.

    Anonymous: the signature tells who it is. The parameters are read from the body alone, since
    Zope mixes those of the query string into the form. The page's name says whose it is.
    """

    def __call__(self) -> str:
        try:
            status, text = self._handle()
        except Exception as error:
            if transactions.passes(error):
                # Outside of our own transactions, while the settings are read.
                status, text = 503, BUSY
            else:
                log_failure("Callback failed", error)
                status, text = 500, FAILED
        return self._say(status, text)

    def _handle(self) -> tuple[int, str]:
        provider = registry.of_callback(self.__name__)
        if provider is None or not registry.is_enabled(provider):
            return 404, NOT_FOUND
        if self.request.method != "POST":
            return 405, NO_POST
        if not networks.allowed(self.request.environ):
            rejections.note(plone_site.get(), 0, timestamps.now(), rejections.NETWORK)
            return 403, WRONG_NETWORK
        body = self._body()
        if len(body) > LARGEST_BODY:
            return 413, TOO_LARGE
        stored, now = registry.settings(provider), timestamps.now()
        try:
            genuine = provider.verify(self._delivery(body), stored, now)
        except DeliveryError as error:
            if why := _COUNTED.get(type(error)):
                counter = rejections.of(provider.name, why)
                rejections.note(plone_site.get(), len(body), now, counter)
            return STATUS.get(type(error), 400), str(error)
        signed_by = secretkeys.mark_of(stored, genuine.by_previous_key)
        broken = None
        try:
            notifications = provider.parse(genuine, plone_site.timezone())
        except ParameterError as error:
            broken = error
            key = idempotency_key(provider.name, hashlib.sha256(body).hexdigest())
            payload, parameter = genuine.payload(), error.parameter
            notifications = (
                unreadable(key, provider.name, genuine.transaction, payload, parameter, now),
            )
        status, text = self._answer(notifications, signed_by)
        return (400, str(broken)) if broken and status == 200 else (status, text)

    def _answer(self, notifications: Sequence[Notification], signed_by: str) -> tuple[int, str]:
        try:
            result = pipeline.process(*notifications, signed_by=signed_by)
        except transactions.Busy:
            return 503, BUSY
        except pipeline.Failed:
            return 500, FAILED
        refusals = {Outcome.REFUSED: (409, REFUSED), Outcome.NOT_KEPT: (409, REFUSED_MANY)}
        return refusals.get(result.outcome, (200, PARSED))

    def _say(self, status: int, text: str) -> str:
        provider = registry.of_callback(self.__name__)
        answer = Answer(status, text) if provider is None else provider.answer(status, text)
        response = self.request.response
        response.setStatus(answer.status, lock=True)
        response.setHeader("Content-Type", answer.content_type)
        response.setHeader("X-Content-Type-Options", "nosniff")
        if status == 503:
            response.setHeader("Retry-After", str(RETRY_AFTER))
        if status == 405:
            response.setHeader("Allow", "POST")
        return answer.text

    def _delivery(self, body: bytes) -> Delivery:
        environ = self.request.environ
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        return Delivery(body, environ.get("CONTENT_TYPE") or "", headers)

    def _body(self) -> bytes:
        """The body, or a little more of it than is allowed."""
        body = self.request.get("BODYFILE")
        if body is None:
            return b""
        body.seek(0)
        return body.read(LARGEST_BODY + 1)
