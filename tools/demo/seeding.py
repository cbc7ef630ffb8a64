"""Put the made-up month into a site: each notification goes down the road that all others go.

Only the clock is another one. It is moved as the add-on's tests move it, from outside: nothing
in the add-on knows of another time than now.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from datetime import timedelta
from io import BytesIO
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.storage import steps
from tools.demo import settings
from tools.demo.month import Arrival
from tools.demo.month import arrivals
from typing import Any
from unittest import mock
from urllib.parse import urlencode

import random
import transaction


#: The last automatic check is so long before the end; what fails arrives after it.
LAST_CHECK = timedelta(minutes=1)


class Clock:
    """Says what time it is in the add-on's modules.

    :ivar now: the moment that it shows.
    """

    def __init__(self, now: datetime) -> None:
        self.now = now

    @contextmanager
    def running(self) -> Iterator["Clock"]:
        """Put it in the place of the real one; the one that nobody sets moves as far."""
        now, running = timestamps.now, timestamps.running

        def moved() -> float:
            return running() + (self.now - now()).total_seconds()

        with (
            mock.patch.object(timestamps, "now", lambda: self.now),
            mock.patch.object(timestamps, "running", moved),
        ):
            yield self


def accounts() -> None:
    """Make what was there before: groups, and accounts that no purchase may touch."""
    from plone import api

    for product in settings.PRODUCTS.values():
        if product.group not in ("", settings.MISSING_GROUP, settings.GROUP):
            api.group.create(groupname=product.group, title=product.name)
    api.user.create(username=settings.STUDIO_USER, email=settings.STUDIO)
    api.user.create(username=settings.EDITOR, email=settings.EDITOR)
    api.user.grant_roles(username=settings.EDITOR, roles=["Site Administrator"])


def mapping() -> list[str]:
    """The lines of products and groups."""
    return [
        "|".join(
            filter(
                None,
                (
                    *(product_id, product.group, product.terms, f"title={product.name}"),
                    f"order={settings.SHOP}/{product_id}",
                ),
            )
        )
        for product_id, product in settings.PRODUCTS.items()
        if product.group
    ]


def seed(site: Any, end: datetime) -> int:
    """Let a month go by.

    A script has no background threads: it sends the mails that are due after each delivery.

    :param site: with the accounts and the mapping of this module, and its public address.
    :param end: when the month is over.
    :returns: the number of deliveries.
    :raises AssertionError: the site answered one in another way than it has to.
    """
    from niteoweb.click2sell.mail import delivery
    from niteoweb.click2sell.storage import schedule
    from niteoweb.click2sell.worker import clock as checks

    found = arrivals(end)
    clock = Clock(found[0].moment)
    with clock.running():
        for arrival in found:
            # The check of each night comes before what arrives in the morning. Without one of
            # late the site would look as if it did not check by itself.
            night = arrival.moment.replace(hour=3, minute=0, second=0)
            for check in (night, end - LAST_CHECK):
                if clock.now < check <= arrival.moment:
                    clock.now = check
                    checks.run(schedule.CLOCK)
            clock.now = arrival.moment
            _deliver(site, arrival)
            delivery.send_due()
        clock.now = end
    _log_in(site, {arrival.form["buyer_email"] for arrival in found}, end)
    return len(found)


def _deliver(site: Any, arrival: Arrival) -> None:
    """Post a notification, without the network in between."""
    from niteoweb.click2sell.interfaces import IClick2SellLayer
    from niteoweb.click2sell.providers.click2sell.protocol import CONTENT_TYPE
    from plone import api
    from zope.interface import alsoProvides
    from ZPublisher.HTTPRequest import HTTPRequest
    from ZPublisher.HTTPResponse import HTTPResponse

    body = urlencode(arrival.form).encode("ascii")
    environment = {
        "REQUEST_METHOD": "POST",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "CONTENT_TYPE": CONTENT_TYPE,
        "CONTENT_LENGTH": str(len(body)),
    }
    request = HTTPRequest(BytesIO(body), environment, HTTPResponse())
    request.processInputs()
    alsoProvides(request, IClick2SellLayer)
    with mock.patch.object(steps, "reached", _fail if arrival.status == 500 else _pass):
        answer = api.content.get_view("click2sell", site, request)()
    status = request.response.getStatus()
    if status != arrival.status:
        raise AssertionError(f"{status} {answer} ({arrival.form})")


def _pass(name: str) -> None:
    """A place where nothing goes wrong."""


def _fail(name: str) -> None:
    """A directory of users that is out of reach, for example."""
    if name == "planned":
        raise TimeoutError


def _log_in(site: Any, addresses: set[str], end: datetime) -> None:
    """Most buyers have been here; and the owner has given one of them a group by hand."""
    from DateTime import DateTime
    from niteoweb.click2sell.buyers import buyers
    from niteoweb.click2sell.mail import outbox
    from plone import api
    from Products.PlonePAS.events import UserLoggedInEvent
    from zope.event import notify

    chance = random.Random(len(addresses))  # noqa: S311
    members = [buyers.of_address(site, address)["user_id"] for address in sorted(addresses)]
    for user_id in filter(None, members):
        # Who got no mail knows no password.
        mailed = all(mail["state"] == outbox.SENT for mail in outbox.of_user(site, user_id))
        if mailed and chance.random() < 0.7:
            moment = DateTime(end - timedelta(hours=chance.uniform(1, 60)))
            found = api.user.get(userid=user_id)
            found.setMemberProperties({"login_time": moment, "last_login_time": moment})
            notify(UserLoggedInEvent(found))
    by_hand = next(filter(None, members))
    api.group.add_user(groupname="yearly-members", username=by_hand)
    transaction.commit()
