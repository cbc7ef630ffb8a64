"""Bringing orders of another system to plenigo: looked for first, then made, then confirmed.

There is no state of our own: whether an order is there already plenigo tells by the id that it
has in the other system. So what was interrupted is called again. Nothing personal is logged.
"""

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.provider import JsonApi
from niteoweb.click2sell.provider import JsonBody
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import Rejected
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.plenigo import checkout
from niteoweb.click2sell.providers.plenigo import client
from niteoweb.click2sell.providers.plenigo import orderfile
from niteoweb.click2sell.providers.plenigo import sdk
from niteoweb.click2sell.providers.plenigo.orderfile import Order
from typing import Any

import re
import time


#: Results of a line. An external order has got an end, or has it no longer.
NEW, DONE, SAME, ENDED, RESTARTED = "new", "done", "same", "ended", "restarted"
WAITING, REJECTED = "waiting", "rejected"
#: Those of lines that something has to be sent for.
_TO_SEND = (NEW, ENDED, RESTARTED)

#: Orders in one import.
MOST = 50
#: Seconds between two looks at what became of an import, and how many there are: ten minutes.
PAUSE, LOOKS = 5, 120
#: Codes of plenigo: imported already, and too many imports wait there.
IMPORTED_ALREADY, QUEUE_FULL = 97001, 97004

_CREATED = frozenset({201})
_CODE = re.compile(r"[0-9A-Za-z_.-]{1,60}", re.ASCII)


@dataclass
class Result:
    """The result of a line.

    :ivar what: one of the results above.
    :ivar why: plenigo's code of an error, "" for none.
    """

    order: Order
    what: str = WAITING
    why: str = ""


#: A line that something is sent for, its result when plenigo has it, and the order.
Sent = tuple[Result, str, dict[str, Any]]


@dataclass
class Report:
    """The result of a file.

    :ivar error: why it has not come to its end, "" if it has.
    """

    results: list[Result] = field(default_factory=list)
    error: str = ""


def run(orders: Sequence[Order], applied: bool, say: Callable[[str], None]) -> Report:
    """Bring orders to plenigo.

    :param applied: otherwise plenigo is only asked what is there.
    :param say: told of progress.
    :raises niteoweb.click2sell.providers.plenigo.checkout.NotSold: plenigo is switched off.
    :raises niteoweb.click2sell.providers.plenigo.checkout.NotSetUp: there is no token, or this
        is a copy of the site.
    """
    report = Report([Result(order) for order in orders])
    try:
        _Import(client.connect(checkout.askable(writes=applied)), say).run(report, applied)
    except (Unreachable, Refused) as error:
        report.error = f"plenigo cannot be asked: {error}"
    except ParameterError:
        report.error = "plenigo's answer makes no sense"
    return report


class _Import:
    def __init__(self, api: JsonApi, say: Callable[[str], None]) -> None:
        self.api, self.say = api, say
        #: Address or id in the other system -> plenigo's id.
        self.customers: dict[str, str] = {}

    def run(self, report: Report, applied: bool) -> None:
        """Bring the missing orders; a line that plenigo refuses does not stop the others."""
        began, sent, batch = timestamps.now(), list[Sent](), list[Sent]()
        for result in report.results:
            what, customer_id = self._look(result.order)
            if what not in _TO_SEND or not applied:
                result.what = what
                continue
            try:
                item = self._item(result.order, what, customer_id)
            except Rejected as error:
                result.what, result.why = REJECTED, str(error.code or error.status)
            else:
                batch.append((result, what, item))
            if len(batch) == MOST:
                self._send(batch)
                sent, batch = sent + batch, []
        if batch:
            self._send(batch)
        self._confirm([one for one in sent + batch if one[0].what != REJECTED], began)

    def _look(self, order: Order) -> tuple[str, str]:
        """The act that an order needs, and the customer who has it already."""
        listed = client.first(self.api, "subscriptions", externalSystemId=order.id)
        if not listed:
            return NEW, ""
        customer_id = listed[0].identifier("invoiceCustomerId")
        if not order.is_external:
            return DONE, customer_id
        end = listed[0].moment("endDate")
        wanted = order.values.get("end_date", "")
        if (timestamps.parse(wanted) if wanted else None) == end:
            return SAME, customer_id
        return (ENDED if wanted else RESTARTED), customer_id

    def _item(self, order: Order, what: str, customer_id: str) -> dict[str, Any]:
        ids: dict[str, int] = {}
        customer_id = customer_id or self._customer(order)
        if what == NEW and order.address:
            ids["deliveryAddressId"] = self._address(order, customer_id)
        if what == NEW and "iban" in order.values:
            ids["paymentMethodId"] = self._bank_account(order, customer_id)
        return order.item(customer_id, what == RESTARTED, **ids)

    def _customer(self, order: Order) -> str:
        """The customer of an order, made if need be: an owner says who it is."""
        values = order.values
        if "customer_id" in values:
            return values["customer_id"]
        by = "email" if "email" in values else "externalSystemId"
        value = order.fields(orderfile.CUSTOMER)
        if value[by] not in self.customers:
            listed = client.first(self.api, "customers", **{by: value[by]})
            if len(listed) > 1:
                raise Rejected(409)
            if not listed:
                value = {"language": sdk.language(), **value, "registrationSource": sdk.host()}
                pseudo = {"pseudoEmail": True} if by != "email" else {}
                listed = [self._create(("customers",), {**value, **pseudo})]
            self.customers[value[by]] = listed[0].required("customerId")
        return self.customers[value[by]]

    def _address(self, order: Order, customer_id: str) -> int:
        listed = client.read(self.api, "customers", customer_id, "addresses").parts("items")
        listed = [one for one in listed if one.text("type") == "DELIVERY"]
        for one in listed:
            if all(one.text(name) == text for name, text in order.address.items()):
                return int(one.required("addressId"))
        value = {"type": "DELIVERY", "customerId": customer_id, **order.address}
        value |= {"preferred": not listed, "businessAddress": "companyName" in value}
        return int(self._create(("addresses",), value).required("addressId"))

    def _bank_account(self, order: Order, customer_id: str) -> int:
        methods = client.read(self.api, "customers", customer_id, "paymentMethods")
        value = order.fields(orderfile.BANK_ACCOUNT)
        for one in methods.parts("bankAccounts"):
            if one.text("iban").replace(" ", "") == value["iban"]:
                return int(one.required("bankAccountId"))
        path = ("paymentMethods", "bankAccounts")
        made = self._create(path, {"customerId": customer_id, **value})
        return int(made.required("bankAccountId"))

    def _create(self, path: tuple[str, ...], value: dict[str, Any]) -> JsonBody:
        return self.api.ask("POST", *path, value=value, yes=_CREATED | {208}).body

    def _send(self, batch: Sequence[Sent]) -> None:
        """Send orders; where plenigo refuses several, one by one."""
        value = {"purchase": False, "suppressMail": True, "items": [one[2] for one in batch]}
        for _look in range(LOOKS):
            try:
                path = ("imports", "orders")
                self.api.ask("POST", *path, value=value, yes=_CREATED, repeat=True)
                self.say(f"{len(batch)} orders sent")
                return
            except Rejected as error:
                if error.code == QUEUE_FULL:
                    time.sleep(PAUSE)
                    continue
                if len(batch) > 1:
                    for one in batch:
                        self._send([one])
                elif error.code != IMPORTED_ALREADY:
                    batch[0][0].what = REJECTED
                    batch[0][0].why = str(error.code or error.status)
                return
        raise Unreachable("too many imports wait there")

    def _confirm(self, sent: Sequence[Sent], began: datetime) -> None:
        """Wait until plenigo has the orders, or says that it does not take them."""
        waiting = list(sent)
        for look in range(LOOKS if waiting else 0):
            if look:
                time.sleep(PAUSE)
            waiting = [one for one in waiting if not self._is_settled(one[0], one[1], began)]
            if not waiting:
                return

    def _is_settled(self, result: Result, what: str, began: datetime) -> bool:
        if self._look(result.order)[0] in (DONE, SAME):
            result.what = what
            return True
        query = {"externalSystemId": result.order.id, "sort": "DESC"}
        for entry in client.first(self.api, "imports", "orders", "logs", **query):
            at = entry.moment("createdDate")
            # One of an earlier try tells nothing of this one.
            is_old = at is not None and at < began - timedelta(minutes=1)
            if entry.boolean("success") is False and not is_old:
                why = entry.title("errorReason")
                result.what, result.why = REJECTED, why if _CODE.fullmatch(why) else ""
                return True
        return False
