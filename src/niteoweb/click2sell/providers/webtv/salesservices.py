"""Services of plone.restapi that sell in the store. One seller has them: who may sell sees all.

Each asks the store while its caller waits, for ten seconds at most. What is under way then is
written down, and the background goes on with it.
"""

from collections.abc import Callable
from decimal import Decimal
from itertools import islice
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.provider import is_address
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.webtv import carts
from niteoweb.click2sell.providers.webtv import client
from niteoweb.click2sell.providers.webtv import processor
from niteoweb.click2sell.providers.webtv import saleoptions
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.providers.webtv import selling
from niteoweb.click2sell.providers.webtv import states
from niteoweb.click2sell.providers.webtv.course import Course
from niteoweb.click2sell.providers.webtv.services import NotSetUp
from niteoweb.click2sell.providers.webtv.services import SELL
from niteoweb.click2sell.providers.webtv.services import StoreOperation
from niteoweb.click2sell.storage import writer
from typing import Any
from zExceptions import BadRequest
from zExceptions import NotFound


PAGE = 100

NAME = "@webtv-sales"


class Selling(StoreOperation):
    """A service that sells."""

    def operate(self) -> Any:
        """Check who may, before anything else."""
        self.need(SELL)
        return super().operate()

    def shown(self, sale: sales.Sale, status: int = 200) -> dict[str, Any]:
        """A sale as services tell it."""
        self.request.response.setStatus(status)
        self.request.response.setHeader("Cache-Control", "private, no-store")
        names = ("id", "reference", "state", "user", "order", "number", "due", "paid")
        more = ("credit_used", "attention", "restricted", "payments", "agreement")
        return {
            "@id": f"{self.context.absolute_url()}/{NAME}/{sale['id']}",
            **{name: sale[name] for name in (*names, *more)},
            "items": [
                {
                    "product": product,
                    "quantity": number,
                    "type": sale["types"].get(product, ""),
                    "title": sale["titles"].get(product, ""),
                }
                for product, number in sale["items"]
            ],
            "recurring": sale["terms"],
            "log": [list(line) for line in sale["log"]],
        }

    def sale(self) -> sales.Sale:
        """The sale that the path names.

        :raises NotFound: there is none.
        """
        found = sales.get(plone_site.get(), self.params[0]) if self.params else None
        if found is None:
            raise NotFound
        return found

    def selling_settings(self) -> Any:
        """The settings, with the currency that nothing is sold without."""
        settings = self.settings()
        if not settings.currency:
            raise sales.Conflict(503, "NotSetUp", "The store's currency is not set.")
        return settings


class SalesGet(Selling):
    """Answers a GET: the newest sales, or the one that the path names."""

    asks = False

    def work(self) -> dict[str, Any]:
        """The written record; the store is not asked."""
        if self.params:
            return self.shown(self.sale())
        state = self.request.form.get("state")
        found = (s for s in sales.newest(plone_site.get()) if not state or s["state"] == state)
        return {"items": [self.shown(sale) for sale in islice(found, PAGE)]}


class SalesPost(Selling):
    """Answers a POST: begins a sale, or carries out the act of the path on one.

    Behind the id come ``items``, ``place``, ``cancel``, ``pay`` or ``fail``.
    """

    def work(self) -> dict[str, Any]:
        """Dispatch."""
        actions = {"place": self._place, "cancel": self._cancel, "pay": self._pay}
        actions |= {"fail": self._fail, "items": self._exchange}
        if not self.params:
            return self._begin()
        if len(self.params) != 2 or self.params[1] not in actions:
            raise NotFound
        return actions[self.params[1]]()

    def _begin(self) -> dict[str, Any]:
        options = self.options(
            reference=str, email=str, user=str, items=list, place=bool, empty_cart=bool,
            notify=bool, recurring=bool, buyer_ip=str, buyer_useragent=str,
        )  # fmt: skip
        reference = saleoptions.text(options, "reference")
        items = saleoptions.items(options.get("items"))
        settings, site = self.selling_settings(), plone_site.get()
        known = sales.found(site, "reference", reference)
        if known is not None and known["refused"]:
            known = None
        email, user = options.get("email", "").strip(), options.get("user", "")
        if user and not states.is_id(user):
            raise BadRequest('"user" must be an id of the store, as a text of digits.')
        asked = {
            "items": items,
            "notify": options.get("notify", True),
            "recurring": options.get("recurring", True),
        }
        if known is not None:
            same = all(known[name] == value for name, value in asked.items())
            whose = known["email"] == email if email else known["user"] == user
            if not (same and whose):
                raise sales.Conflict(409, "ReferenceUsed", "This reference is another sale's.")
        elif email or user:
            user = user or self._user(settings, email)
            values = {**asked, "reference": reference, "email": email, "user": user}
            values |= {"by": self.by, "empty_cart": options.get("empty_cart", False)}
            now = timestamps.now()
            known = writer.run(lambda site: sales.begin(site, now, **values))
        else:
            raise BadRequest('"email" or "user" is missing.')
        is_new = known["state"] == sales.BEGUN
        buyer = (options.get(name, "")[:500] for name in ("buyer_ip", "buyer_useragent"))
        with Course(settings, known["id"], *buyer) as course:
            selling.advance(course, options.get("place", True))
            return self.shown(course.sale, 201 if is_new else 200)

    def _user(self, settings: Any, email: str) -> str:
        if not is_address(email):
            raise BadRequest('"email" must be an e-mail address.')
        user = client.user_id(settings, email)
        if not user and settings.make_users:
            user = carts.create_user(settings, email)
        if not user:
            raise client.UserNotFound
        return user

    def _place(self) -> dict[str, Any]:
        self.options()
        return self._go_on(self.selling_settings(), selling.advance)

    def _exchange(self) -> dict[str, Any]:
        items = saleoptions.items(self.options(items=list).get("items"))
        return self._go_on(self.selling_settings(), selling.exchange, items)

    def _cancel(self) -> dict[str, Any]:
        self.options()
        return self._go_on(self.settings(), selling.cancel)

    def _go_on(self, settings: Any, step: Callable[..., None], *values: Any) -> dict[str, Any]:
        with Course(settings, self.sale()["id"]) as course:
            step(course, *values)
            return self.shown(course.sale)

    def _pay(self) -> dict[str, Any]:
        options = self.options(
            transaction=str, amount=str, currency=str, method=str, agreement=str, email=str,
            profiles=list,
        )  # fmt: skip
        settings, sale = self.selling_settings(), self.sale()
        if sale["origin"] == "processor":
            return self._charge(options, settings, sale)
        payment = saleoptions.payment(options, settings, sale, self.by)
        changes = {"terms": saleoptions.terms(options, sale)}
        if options.get("agreement"):
            changes["agreement"] = options["agreement"]
        try:
            sale = selling.pay(settings, sale["id"], payment, changes)
        except Unreachable:
            sale = sales.get(plone_site.get(), sale["id"])
            if sale["state"] in (sales.PAYING, sales.PROCESSING, sales.PROCESSED):
                return self.shown(sale, 202)
            raise
        if sale["state"] == sales.PLACED and not payment and Decimal(sale["due"]):
            raise sales.Conflict(409, "AmountDue", "Something is due.")
        return self.shown(sale)

    def _charge(
        self, options: dict[str, Any], settings: Any, sale: sales.Sale
    ) -> dict[str, Any]:
        """An order of the WebTV's own was charged: where its buyer goes back to."""
        if not settings.secretkey:
            raise NotSetUp  # nobody could sign the way back
        if options.get("amount") and options.get("currency") != settings.currency:
            raise sales.Conflict(422, "Currency", "The store's currency is another one.")
        amount = saleoptions.amount(options, free=True)
        is_free = not Decimal(amount) and not options.get("transaction")
        transaction = "N/A" if is_free else saleoptions.text(options, "transaction")
        payment = sales.payment(transaction, amount, sale["id"] if is_free else self.by)
        more = options.get("email", "").strip(), options.get("agreement", "")
        sale = selling.charge(sale["id"], payment, *more)
        return {
            **self.shown(sale),
            "return_url": processor.come_back(settings, sale, is_paid=True),
        }

    def _fail(self) -> dict[str, Any]:
        """The charge failed: the buyer goes back with an error."""
        message = self.options(message=str).get("message", "")[:200] or "Payment failed"
        id_, now = self.sale()["id"], timestamps.now()

        def note(site: Any) -> sales.Sale:
            if not sales.waits_for_charge(sales.get(site, id_)):
                raise sales.Conflict(409, "Paid", "This order does not wait for a charge.")
            return sales.change(site, id_, now, {"message": message}, "failed")

        return self.shown(writer.run(note))
