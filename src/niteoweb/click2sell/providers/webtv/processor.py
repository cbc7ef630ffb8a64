"""``@@webtv`` and ``@@webtv-return``: this site as the store's external payment processor.

The store, or the buyer's browser, asks by GET; the signature in the query proves it. Nothing is
charged here: the page that a line of the settings names does that, and says so by
``POST /@webtv-sales/{id}/pay``.
"""

from decimal import Decimal
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import rejections
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.notification import SecretKeyNotSet
from niteoweb.click2sell.notification import WrongSignature
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.webtv import course
from niteoweb.click2sell.providers.webtv import profiles
from niteoweb.click2sell.providers.webtv import protocol
from niteoweb.click2sell.providers.webtv import questions
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.providers.webtv import standing
from niteoweb.click2sell.providers.webtv import sync
from niteoweb.click2sell.providers.webtv import texts
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.settings import networks
from niteoweb.click2sell.settings import secretkeys
from niteoweb.click2sell.storage import log_failure
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from Products.Five.browser import BrowserView
from typing import Any
from zope.i18n import translate

import json


#: The page that a buyer waits at, while the charge is not told yet.
WAIT = _("Your payment is being confirmed. This page looks again every five seconds.")
SECONDS = 5
#: Looks after which it says that the buyer may go: two minutes.
LOOKS = 24
LATER = _(
    "Your payment is not confirmed yet. Come back to this page later to see whether it is."
)


class Processor(BrowserView):
    """Answers the requests of the store."""

    def __call__(self) -> str:
        try:
            return self._handle()
        except transactions.Busy:
            return self._say(503, "Try again later.")
        except Exception as error:
            if transactions.passes(error):
                return self._say(503, "Try again later.")
            log_failure("A request to the payment processor failed", error)
            return self._say(500, "Failed.")

    def _handle(self) -> str:
        provider = registry.get(protocol.NAME)
        settings = registry.settings(provider)
        if not registry.is_enabled(provider):
            return self._say(404, "Not found.")
        if self.request.method != "GET":
            self.request.response.setHeader("Allow", "GET")
            return self._say(405, "No GET request.")
        query = self.request.environ.get("QUERY_STRING") or ""
        try:
            question = questions.read(query, settings, timestamps.now())
        except SecretKeyNotSet as error:
            return self._say(503, str(error))
        except WrongSignature as error:
            counter = rejections.of(provider.name)
            rejections.note(plone_site.get(), len(query), timestamps.now(), counter)
            return self._say(403, str(error))
        except ParameterError as error:
            return self._say(400, f"Parameter missing or invalid: '{error.parameter}'")
        if question.action == questions.PAY:
            return self._pay(settings, question)
        if not networks.allowed(self.request.environ):
            return self._say(403, "Refused: network.")
        id_ = question.values["profile_id"]
        told = (
            profiles.cancel(id_) if question.action == questions.CANCEL else profiles.tell(id_)
        )
        return self._say(200, json.dumps(told), "application/json")

    def _pay(self, settings: Any, question: questions.Question) -> str:
        mark, currency = secretkeys.mark(question.key), question.values["currency_code"]
        if currency != settings.currency:
            return self._refuse(settings, question, mark)
        sale = writer.run(lambda site: profiles.take_in(site, question, mark, timestamps.now()))
        if not sales.waits_for_charge(sale):
            paid = sum(Decimal(payment["amount"]) for payment in sale["payments"])
            same = paid == Decimal(question.values["amount"])
            if not same:
                course.attend(sale, texts.CHARGE_DIFFERS)
            return self._back(settings, sale, is_paid=same)
        values = {name: sale[name] for name in ("id", "order")}
        values |= {"amount": sale["due"], "currency": currency}
        values["back"] = f"{plone_site.address()}/@@webtv-return?id={sale['id']}"
        if any(item.error for item in question.items):
            course.attend(sale, texts.NO_WAY)
        url = questions.pay_url(settings.pay_urls or (), question.items, values)
        if not url:
            course.attend(sale, texts.NO_WAY)
            return self._back(settings, sale, is_paid=False)
        return self._go(url)

    def _refuse(self, settings: Any, question: questions.Question, mark: str) -> str:
        """The store has another currency than the settings: nothing is begun."""
        gateway, order = (question.values[name] for name in ("id_gateway", "id_order"))
        about, payload = f"{gateway} {order}", dict(question.values)
        now = timestamps.now()
        pipeline.process(sync.attention(texts.ORDER, about, texts.NO_WAY, now, payload))
        sale = {"gateway": gateway, "order": order, "mark": mark, "message": "", "terms": ()}
        return self._go(come_back(settings, sale, is_paid=False))

    def _back(self, settings: Any, sale: sales.Sale, is_paid: bool = True) -> str:
        """Send the buyer back; a payment that was refunded before that pays nothing."""
        site, now = plone_site.get(), timestamps.now()
        charged = sale["state"] == sales.CHARGED
        if charged and standing.is_undone(site, sale["bound"], now):
            course.attend(sale, texts.REFUNDED)
            is_paid = False
        if is_paid and sale["paid_by"] and not sale["returned"]:
            writer.run(lambda site: sales.change(site, sale["id"], now, {"returned": True}))
        return self._go(come_back(settings, sale, is_paid))

    def _go(self, url: str) -> str:
        self._say(302, "")
        self.request.response.setHeader("Location", url)
        return ""

    def _say(self, status: int, text: str, content_type: str = "text/plain") -> str:
        response = self.request.response
        response.setStatus(status, lock=True)
        response.setHeader("Content-Type", f"{content_type}; charset=utf-8")
        response.setHeader("Cache-Control", "no-store")
        response.setHeader("X-Content-Type-Options", "nosniff")
        response.setHeader("Referrer-Policy", "no-referrer")
        if status == 503:
            response.setHeader("Retry-After", "60")
        return text


class Return(Processor):
    """Sends a buyer back to the WebTV, once the charge is known.

    Of the parameters only ``id`` counts; ``look`` is the number of looks before this one.
    """

    def _handle(self) -> str:
        provider = registry.get(protocol.NAME)
        settings = registry.settings(provider)
        id_ = self.request.form.get("id")
        sale = sales.get(plone_site.get(), id_) if isinstance(id_, str) else None
        if not registry.is_enabled(provider) or sale is None or sale["origin"] != "processor":
            return self._say(404, "Not found.")
        if not settings.secretkey:
            return self._say(503, str(SecretKeyNotSet()))
        if sales.waits_for_charge(sale) and not sale["message"]:
            return self._say(200, translate(self._wait(sale), context=self.request))
        return self._back(settings, sale)

    def _wait(self, sale: sales.Sale) -> Any:
        """The text for a buyer whose charge is not known yet; asks for another look, or not."""
        look = self.request.form.get("look", "0")
        number = int(look) if look in map(str, range(LOOKS)) else LOOKS
        if number == LOOKS:
            return LATER
        again = f"{plone_site.address()}/@@webtv-return?id={sale['id']}&look={number + 1}"
        self.request.response.setHeader("Refresh", f"{SECONDS}; url={again}")
        return WAIT


def come_back(settings: Any, sale: sales.Sale, is_paid: bool) -> str:
    """The address at the WebTV that tells it the result of the payment."""
    keys = [key for key in (settings.secretkey, settings.previous_secretkey) if key]
    key = next((key for key in keys if secretkeys.mark(key) == sale["mark"]), keys[0])
    return questions.return_url(
        (settings.api_url or "").removesuffix("api.php"),
        settings.return_script or "",
        key,
        sale["gateway"],
        sale["order"],
        sale["paid_by"] if is_paid else "",
        sale["message"],
        sale["terms"],
    )
