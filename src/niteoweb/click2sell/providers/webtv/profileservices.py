"""Services of plone.restapi for recurring payments: for the page that charges them."""

from itertools import islice
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.providers.webtv import profiles
from niteoweb.click2sell.providers.webtv import questions
from niteoweb.click2sell.providers.webtv.salesservices import PAGE
from niteoweb.click2sell.providers.webtv.salesservices import Selling
from niteoweb.click2sell.storage import trees
from typing import Any
from zExceptions import BadRequest
from zExceptions import NotFound


class ProfilesGet(Selling):
    """Answers a GET: a profile, or those whose end is asked for, for the page that charges."""

    asks = False

    def work(self) -> dict[str, Any]:
        """The written record."""
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
        """Note a profile; a second time changes nothing."""
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
