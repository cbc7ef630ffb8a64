"""The callback: method, size and content type of a request, and the answer. Nothing else."""

from datetime import datetime
from datetime import timezone
from niteoweb.click2sell import caller
from niteoweb.click2sell import commit
from niteoweb.click2sell import forgery
from niteoweb.click2sell import ledger
from niteoweb.click2sell import provisioning
from niteoweb.click2sell import secretkeys
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.notification import DeliveryError
from niteoweb.click2sell.notification import idempotency_key
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.notification import SecretKeyNotSet
from niteoweb.click2sell.notification import WrongContentType
from niteoweb.click2sell.notification import WrongSignature
from niteoweb.click2sell.provider import click2sell
from Products.Five.browser import BrowserView

import hashlib
import logging
import traceback


logger = logging.getLogger("niteoweb.click2sell")

#: Bytes. Click2Sell's notifications have about one kilobyte.
LARGEST_BODY = 64 * 1024

#: Seconds after which a provider may try again.
RETRY_AFTER = 60

PARSED = "POST successfully parsed."
NO_POST = "No POST request."
TOO_LARGE = "POST too large."
WRONG_NETWORK = "POST refused: network."
REFUSED = "POST refused: the transaction belongs to another buyer or product."
REFUSED_MANY = "POST refused: there are too many notifications of this transaction."
BUSY = "Try again later."
FAILED = "POST handling failed."

STATUS = {WrongContentType: 415, SecretKeyNotSet: 503, WrongSignature: 403}


class Callback(BrowserView):
    """``@@click2sell``: what Click2Sell posts its notifications to.

    Anonymous: the signature tells who it is. The parameters are read from the body alone, since
    Zope mixes those of the query string into the form.
    """

    def __call__(self) -> str:
        try:
            status, text = self._handle()
        except Exception as error:
            if commit.passes(error):
                # Outside of our own transactions, while the settings are read.
                status, text = 503, BUSY
            else:
                # The message of an error could hold what was sent.
                logger.error(
                    "Callback failed: %s\n%s",
                    type(error).__name__,
                    "".join(traceback.format_tb(error.__traceback__)),
                )
                status, text = 500, FAILED
        response = self.request.response
        response.setStatus(status, lock=True)
        response.setHeader("Content-Type", "text/plain; charset=utf-8")
        response.setHeader("Cache-Control", "no-store")
        response.setHeader("X-Content-Type-Options", "nosniff")
        if status == 503:
            response.setHeader("Retry-After", str(RETRY_AFTER))
        if status == 405:
            response.setHeader("Allow", "POST")
        return text

    def _handle(self) -> tuple[int, str]:
        if self.request.method != "POST":
            return 405, NO_POST
        if not caller.allowed(self.request.environ):
            forgery.note(plone_site.get(), 0, datetime.now(timezone.utc), forgery.NETWORK)
            return 403, WRONG_NETWORK
        body = self._body()
        if len(body) > LARGEST_BODY:
            return 413, TOO_LARGE
        delivery = Delivery(body, self.request.environ.get("CONTENT_TYPE") or "")
        try:
            form = click2sell.verify(delivery, *secretkeys.accepted())
        except DeliveryError as error:
            if isinstance(error, WrongSignature):
                forgery.note(plone_site.get(), len(body), datetime.now(timezone.utc))
            return STATUS.get(type(error), 400), str(error)
        try:
            notification = click2sell.parse(form, plone_site.timezone())
        except ParameterError as error:
            return self._broken(form, body, error)
        signed_by = self._signed_by(form)
        return self._answer(lambda: provisioning.process(notification, signed_by))

    def _broken(
        self, form: click2sell.Form, body: bytes, error: ParameterError
    ) -> tuple[int, str]:
        """Keep a genuine delivery that cannot be read; a person has to see it."""
        status, text = self._answer(
            lambda: provisioning.process_broken(
                idempotency_key(click2sell.NAME, hashlib.sha256(body).hexdigest()),
                click2sell.NAME,
                form.signed("acquirer_transaction_id").decode("ascii"),
                form.payload(),
                error.parameter,
                self._signed_by(form),
            )
        )
        return (400, str(error)) if status == 200 else (status, text)

    def _signed_by(self, form: click2sell.Form) -> str:
        """What stands for the key that a delivery was signed with."""
        present, previous = secretkeys.accepted()
        return secretkeys.mark(previous if form.by_previous_key else present)

    def _answer(self, work) -> tuple[int, str]:
        try:
            result = work()
        except commit.Busy:
            return 503, BUSY
        except provisioning.Failed:
            return 500, FAILED
        refusals = {ledger.REFUSED: (409, REFUSED), ledger.NOT_KEPT: (409, REFUSED_MANY)}
        return refusals.get(result.outcome, (200, PARSED))

    def _body(self) -> bytes:
        """The body, or a little more of it than is allowed."""
        body = self.request.get("BODYFILE")
        if body is None:
            return b""
        body.seek(0)
        return body.read(LARGEST_BODY + 1)
