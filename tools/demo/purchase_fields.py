"""A page of the demo site only: the five purchase fields of a member, for the site's owner.

plone.restapi's ``@users`` shows the fields of Plone's own user form, and these are not in it.
"""

from DateTime import DateTime
from plone import api
from Products.Five.browser import BrowserView
from tools.demo.settings import FIELDS

import json


class PurchaseFields(BrowserView):
    """``@@demo-purchase-fields?userid=...``, as JSON."""

    def __call__(self) -> str:
        member = api.user.get(userid=self.request.form.get("userid", ""))
        self.request.response.setHeader("Content-Type", "application/json")
        if member is None:
            self.request.response.setStatus(404)
            return json.dumps(None)
        return json.dumps({name: _text(member.getProperty(name)) for name in FIELDS})


def _text(value) -> str:
    return value.ISO8601() if isinstance(value, DateTime) else str(value)
