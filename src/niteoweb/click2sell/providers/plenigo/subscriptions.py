"""A member's subscriptions: how they stand at plenigo, cancelling them, and undoing that.

Who pays for a subscription may cancel it, and nobody else: the receiver of a gift may not.
What plenigo says after an act takes the road of every notification.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.notification import ParameterError
from niteoweb.click2sell.provider import JsonApi
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import JsonBody
from niteoweb.click2sell.provider import NotFound
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import Rejected
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.plenigo import checkout
from niteoweb.click2sell.providers.plenigo import client
from niteoweb.click2sell.providers.plenigo import sdk
from niteoweb.click2sell.providers.plenigo import states
from niteoweb.click2sell.providers.plenigo import tie
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.settings import products
from typing import Any


#: plenigo's codes: another system manages it; it is cancelled, or is not cancelled, already.
MANAGED_ELSEWHERE = 40009
ALREADY = frozenset({40012, 40013})
#: What is not plenigo's to cancel.
_OTHERS = ("EXTERNAL", "WBZ")
#: Characters of a date, and of a reason's id, that go back to plenigo.
_LONGEST = 50


class NotTheirs(Exception):
    """The member pays for no such subscription."""


class NotPossible(Exception):
    """The subscription cannot be cancelled here, or that cannot be undone.

    :ivar code: plenigo's, 0 for none.
    """

    def __init__(self, code: int = 0) -> None:
        super().__init__(f"code {code}")
        self.code = code


class NotOffered(Exception):
    """The date or the reason is none that plenigo offers."""


@dataclass(frozen=True)
class Subscription:
    """A subscription that a member pays for.

    :ivar cancelled: when it was cancelled, None for never.
    :ivar elsewhere: another system manages it.
    """

    id: str
    title: str
    status: str
    start: datetime | None
    end: datetime | None
    cancelled: datetime | None
    elsewhere: bool
    may_cancel: bool
    may_undo: bool


@dataclass(frozen=True)
class Choices:
    """The choices of a member who cancels a subscription.

    :ivar dates: as plenigo writes them, the earliest first.
    :ivar reasons: texts by their ids.
    """

    dates: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)


def of_member(user_id: str) -> list[Subscription]:
    """The subscriptions that a member pays for.

    :raises niteoweb.click2sell.providers.plenigo.tie.NoCustomer: plenigo does not know the
        member.
    :raises niteoweb.click2sell.providers.plenigo.checkout.NotSetUp: an owner has to see to the
        settings.
    :raises niteoweb.click2sell.provider.Unreachable: try again later.
    """
    stored, site = checkout.ready(writes=False), plone_site.get()
    tie.known(site, user_id)
    mine = tie.customers_of(site, user_id)
    with jsonapi.within(jsonapi.SALE):
        return list(_listed(client.connect(stored), mine, stored))


def one(user_id: str, id_: str) -> tuple[Subscription, Choices]:
    """A subscription of a member, with the choices where it can be cancelled.

    :raises NotTheirs: the member pays for no such subscription.

    It raises besides what :func:`of_member` does.
    """
    stored = checkout.ready(writes=False)
    with jsonapi.within(jsonapi.SALE):
        api = client.connect(stored)
        _body, subscription = _read(api, user_id, id_, stored)
        if not subscription.may_cancel:
            return subscription, Choices()
        return subscription, Choices(_dates(api, id_), _reasons(api))


def cancel(user_id: str, id_: str, date: str = "", reason: str = "") -> Subscription:
    """Cancel a subscription; plenigo mails the customer about it.

    :param date: one of the dates as plenigo has written it, "" for the next regular one.
    :param reason: id of one, "" for none.
    :returns: as it stands then.
    :raises NotOffered: date or reason is none that plenigo offers now.
    :raises NotPossible: it cannot be cancelled here.

    It raises besides what :func:`one` does.
    """

    def act(api: JsonApi) -> JsonBody:
        if date and date not in _dates(api, id_):
            raise NotOffered
        if reason and reason not in _reasons(api):
            raise NotOffered
        query = {"sendMail": "true"}
        if reason:
            query["cancellationReasonUniqueId"] = reason
        value = {"cancellationDate": date} if date else None
        path = ("subscriptions", id_, "cancel", "at" if date else "regular")
        return api.ask("PUT", *path, value=value, query=query).body

    return _change(user_id, id_, True, act)


def undo(user_id: str, id_: str) -> Subscription:
    """Undo that a subscription was cancelled.

    :returns: as it stands then.
    :raises NotPossible: that cannot be undone here.

    It raises besides what :func:`one` does.
    """

    def act(api: JsonApi) -> JsonBody:
        path = ("subscriptions", id_, "cancel", "undo")
        return api.ask("PUT", *path, query={"sendMail": "true"}).body

    return _change(user_id, id_, False, act)


def _change(
    user_id: str, id_: str, cancelled: bool, act: Callable[[JsonApi], JsonBody]
) -> Subscription:
    """Let plenigo change a subscription, unless it is as wanted already.

    :param cancelled: whether it is to be cancelled.
    """
    stored, now = checkout.ready(), timestamps.now()
    with jsonapi.within(jsonapi.SALE):
        api = client.connect(stored)
        body, found = _read(api, user_id, id_, stored)
        if (found.cancelled is not None) != cancelled:
            if not (found.may_cancel if cancelled else found.may_undo):
                raise NotPossible(MANAGED_ELSEWHERE if found.elsewhere else 0)
            try:
                body = act(api)
            except Rejected as error:
                if error.code not in ALREADY:
                    raise NotPossible(error.code) from None
                body, _found = _read(api, user_id, id_, stored)
            except Unreachable:
                # Perhaps it was done, and the answer got lost.
                body, found = _read(api, user_id, id_, stored)
                if (found.cancelled is not None) != cancelled:
                    raise
    with jsonapi.reading():
        notification = states.of_listed(body, now)
        found = _subscription(body, stored)
    pipeline.process_each([notification])
    return found


def _listed(api: JsonApi, mine: tuple[str, ...], stored: Any) -> Iterator[Subscription]:
    for customer_id in mine:
        path = ("customers", customer_id, "subscriptions")
        for body in client.pages(api, path, "subscriptionId"):
            try:
                if body.identifier("invoiceCustomerId") == customer_id:
                    yield _subscription(body, stored)
            except ParameterError:
                # One that cannot be read keeps no other one away.
                continue


def _read(api: JsonApi, user_id: str, id_: str, stored: Any) -> tuple[JsonBody, Subscription]:
    """A subscription that the member pays for.

    :raises NotTheirs: there is none.
    """
    mine = tie.customers_of(plone_site.get(), user_id)
    if not mine or not (id_.isascii() and id_.isdecimal()):
        raise NotTheirs
    try:
        body = client.read(api, "subscriptions", id_)
    except NotFound:
        raise NotTheirs from None
    with jsonapi.reading():
        if body.identifier("invoiceCustomerId") not in mine:
            raise NotTheirs
        return body, _subscription(body, stored)


def _subscription(body: JsonBody, stored: Any) -> Subscription:
    end, cancelled = body.moment("endDate"), body.moment("cancellationDate")
    status = body.title("status") or states.ACTIVE
    elsewhere = bool(body.boolean("managedExternal")) or body.title("managedBy") in _OTHERS
    # A site that was set up before there was this setting has none.
    may = stored.members_may_cancel is not False and status == states.ACTIVE and not elsewhere
    bought = states.bought(body)
    return Subscription(
        id=body.required("subscriptionId"),
        title=products.title(
            states.NAME, bought["product_id"], bought["product_name"], bought["aliases"]
        ),
        status=status,
        start=body.moment("startDate"),
        end=end,
        cancelled=cancelled,
        elsewhere=elsewhere,
        may_cancel=may
        and cancelled is None
        and not body.boolean("customerCancellationBlocked"),
        may_undo=may and cancelled is not None and bool(end and end > timestamps.now()),
    )


def _dates(api: JsonApi, id_: str) -> tuple[str, ...]:
    """The dates on which a subscription can be cancelled, () where plenigo names none."""
    try:
        dates = client.read(api, "subscriptions", id_, "cancel", "dates").value("items")
    except Refused:
        return ()
    return tuple(
        one
        for one in (dates if isinstance(dates, list) else ())
        if isinstance(one, str) and one.isprintable() and len(one) <= _LONGEST
    )


def _reasons(api: JsonApi) -> dict[str, str]:
    """The reasons that can be given, by their ids, in the reader's language if there is one.

    Nobody is kept from cancelling by a token that may not read them.
    """
    try:
        listed = client.read(api, "settings", "customerCancellationReasons").parts("items")
        active = [one for one in listed if one.boolean("active")]
        active.sort(key=lambda one: one.integer("priority") or 0)
        return {one.required("uniqueId"): _text(one) for one in active}
    except (ParameterError, Refused, Unreachable):
        return {}


def _text(reason: JsonBody) -> str:
    texts, language = reason.parts("translations"), sdk.language()
    texts.sort(
        key=lambda one: (one.text("language").lower() != language, not one.boolean("preferred"))
    )
    return texts[0].title("text") if texts else reason.required("uniqueId")
