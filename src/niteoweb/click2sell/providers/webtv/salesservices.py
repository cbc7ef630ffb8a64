"""Services of plone.restapi that sell in the store. One seller has them: who may sell sees all.

Each asks the store while its caller waits: two at a time, for ten seconds at most. What is
under way then is written down, and the background goes on with it.
"""

from decimal import Decimal
from itertools import islice
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.provider import is_address
from niteoweb.click2sell.provider import LONGEST_ID
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.webtv import carts
from niteoweb.click2sell.providers.webtv import client
from niteoweb.click2sell.providers.webtv import orders
from niteoweb.click2sell.providers.webtv import processor
from niteoweb.click2sell.providers.webtv import profiles
from niteoweb.click2sell.providers.webtv import questions
from niteoweb.click2sell.providers.webtv import sales
from niteoweb.click2sell.providers.webtv import selling
from niteoweb.click2sell.providers.webtv.services import SELL
from niteoweb.click2sell.providers.webtv.services import StoreOperation
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.storage import writer
from typing import Any
from zExceptions import BadRequest
from zExceptions import NotFound


MOST_ITEMS, PAGE = 20, 100

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
        """What is written down; the store is not asked."""
        if self.params:
            return self.shown(self.sale())
        state = self.request.form.get("state")
        found = (s for s in sales.newest(plone_site.get()) if not state or s["state"] == state)
        return {"items": [self.shown(sale) for sale in islice(found, PAGE)]}


class SalesPost(Selling):
    """Answers a POST: begins a sale, or does with one what the path says.

    Behind the id come ``place``, ``cancel``, ``pay`` or ``fail``.
    """

    def work(self) -> dict[str, Any]:
        """Dispatch."""
        actions = {"place": self._place, "cancel": self._cancel, "pay": self._pay}
        actions["fail"] = self._fail
        if not self.params:
            return self._begin()
        if len(self.params) != 2 or self.params[1] not in actions:
            raise NotFound
        return actions[self.params[1]]()

    def _begin(self) -> dict[str, Any]:
        options = self.options(
            reference=str, email=str, user=str, items=list, place=bool, empty_cart=bool,
            notify=bool, recurring=bool,
        )  # fmt: skip
        reference, items = _text(options, "reference"), _items(options.get("items"))
        settings, site = self.selling_settings(), plone_site.get()
        known = sales.found(site, "reference", reference)
        if known is not None and known.get("refused"):
            known = None
        email, user = options.get("email", "").strip(), options.get("user", "")
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
        with selling.Course(settings, known["id"]) as course:
            course.advance(options.get("place", True))
            return self.shown(course.sale, 201 if is_new else 200)

    def _user(self, settings: Any, email: str) -> str:
        if not is_address(email):
            raise BadRequest('"email" must be an e-mail address.')
        user = client.user_id(settings, email)
        if not user and settings.make_users:
            user = carts.create_user(settings, email)
        if not user:
            raise client.UserNotFound("USER_NOT_FOUND", "")
        return user

    def _place(self) -> dict[str, Any]:
        self.options()
        with selling.Course(self.selling_settings(), self.sale()["id"]) as course:
            course.advance()
            return self.shown(course.sale)

    def _cancel(self) -> dict[str, Any]:
        self.options()
        with selling.Course(self.settings(), self.sale()["id"]) as course:
            course.cancel()
            return self.shown(course.sale)

    def _pay(self) -> dict[str, Any]:
        options = self.options(
            transaction=str, amount=str, currency=str, method=str, agreement=str, email=str
        )
        settings, sale = self.selling_settings(), self.sale()
        if sale["origin"] == "processor":
            return self._charge(options, settings, sale)
        payment = self._payment(options, settings, sale)
        try:
            sale = selling.pay(settings, sale["id"], payment, options.get("agreement", ""))
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
        if options.get("amount") and options.get("currency") != settings.currency:
            raise sales.Conflict(422, "Currency", "The store's currency is another one.")
        amount = options.get("amount", "0")
        if not orders.AMOUNT.fullmatch(amount):
            raise BadRequest('"amount" must be an amount such as 10.00.')
        is_free = not Decimal(amount) and not options.get("transaction")
        transaction = "N/A" if is_free else _text(options, "transaction")
        payment = {
            "transaction": transaction,
            "amount": amount,
            "method": "external",
            "state": "noted",
            "by": sale["id"] if is_free else self.by,
        }
        more = options.get("email", "").strip(), options.get("agreement", "")
        sale = selling.charge(sale["id"], payment, *more)
        return {
            **self.shown(sale),
            "return_url": processor.come_back(settings, sale, is_paid=True),
        }

    def _fail(self) -> dict[str, Any]:
        """The charge failed: the buyer goes back with an error."""
        message = self.options(message=str).get("message", "")[:200] or "Payment failed"
        sale, now = self.sale(), timestamps.now()
        if sale["origin"] != "processor" or sale["state"] != sales.PLACED:
            raise sales.Conflict(409, "Paid", "This order does not wait for a charge.")
        changed = writer.run(
            lambda site: sales.change(site, sale["id"], now, {"message": message}, "failed")
        )
        return self.shown(changed)

    def _payment(
        self, options: dict[str, Any], settings: Any, sale: sales.Sale
    ) -> dict[str, str] | None:
        """The payment that is told; None for none, and for one that was told before."""
        if sale["state"] in (sales.BEGUN, sales.CARTED, sales.PLACING):
            raise sales.Conflict(409, "NotPlaced", "The order is not placed.")
        if sale["state"] in (sales.CANCELLED, sales.EXPIRED):
            raise sales.Conflict(409, "OrderGone", "The order is cancelled.")
        amount = options.get("amount")
        if amount is None:
            return None
        transaction = _text(options, "transaction")
        method = options.get("method", "external")
        if not orders.AMOUNT.fullmatch(amount) or not Decimal(amount):
            raise BadRequest('"amount" must be an amount such as 10.00.')
        if method not in orders.METHODS:
            raise BadRequest('"method" must be external or paypal.')
        if options.get("currency") != settings.currency:
            raise sales.Conflict(422, "Currency", "The store's currency is another one.")
        if any(one["transaction"] == transaction for one in sale["payments"]):
            return None
        if sale["state"] != sales.PLACED:
            raise sales.Conflict(409, "Paid", "All was paid already.")
        if Decimal(amount) > Decimal(sale["due"]):
            raise sales.Conflict(422, "TooMuch", "Less than that is due.")
        return {
            "transaction": transaction,
            "amount": amount,
            "method": method,
            "state": "noted",
            "by": self.by,
        }


def _text(options: dict[str, Any], name: str) -> str:
    value = options.get(name, "").strip()
    if not value or len(value) > LONGEST_ID or not value.isprintable():
        raise BadRequest(f'"{name}" must be a text of up to {LONGEST_ID} signs.')
    return value


def _items(items: Any) -> list[tuple[str, int]]:
    if not isinstance(items, list) or not 1 <= len(items) <= MOST_ITEMS:
        raise BadRequest(f'"items" must be a list of 1 to {MOST_ITEMS} products.')
    read = {}
    for item in items:
        if not isinstance(item, dict) or set(item) - {"product", "quantity"}:
            raise BadRequest('An item is {"product": "12", "quantity": 1}.')
        product, quantity = item.get("product"), item.get("quantity", 1)
        if not isinstance(product, str) or not (product.isascii() and product.isdigit()):
            raise BadRequest('"product" must be an id of the store, as a text of digits.')
        if type(quantity) is not int or not 1 <= quantity <= 9999 or product in read:
            raise BadRequest('"quantity" must be a whole number; each product stands once.')
        read[product] = quantity
    return list(read.items())


class ProfilesGet(Selling):
    """Answers a GET: a profile, or those whose end is asked for, for the page that charges."""

    asks = False

    def work(self) -> dict[str, Any]:
        """What is written down."""
        site = plone_site.get()
        if self.params:
            found = profiles.get(site, self.params[0])
            if found is None:
                raise NotFound
            return dict(found)
        stored = trees.tree(site, "webtv_profiles").values()
        asked = (one for one in stored if one["cancel_asked"] and one["status"] != "Cancelled")
        return {"items": [dict(one) for one in islice(asked, PAGE)]}


class ProfilesPost(Selling):
    """Answers a POST with a profile's id: the page that charges says how it stands."""

    asks = False

    def work(self) -> dict[str, Any]:
        """Note it; the same again changes nothing."""
        options = self.options(
            status=str, last_payment_date=int, next_payment_date=int, charge=str
        )
        if len(self.params) != 1 or profiles.get(plone_site.get(), self.params[0]) is None:
            raise NotFound
        if options.get("status") not in questions.STATUSES:
            raise BadRequest(
                f'"status" must be one of {", ".join(sorted(questions.STATUSES))}.'
            )
        names = {"last_payment_date": "last", "next_payment_date": "next"}
        changes = {names.get(name, name): value for name, value in options.items()}
        return dict(profiles.change(self.params[0], **changes))
