"""The callback of release 0.4.5, rebuilt from its description, to compare ours with.

It has no ledger. Member, fields, groups and mail are made by the request that told of the
purchase, in one transaction, which the publisher commits. When two get in each other's way, the
publisher starts the later one anew, three times at most. Plone hands the mail over at the end
of the commit.
"""

from collections.abc import Mapping
from datetime import datetime
from plone import api
from Products.Five.browser import BrowserView
from tools.demo.settings import FIELDS
from typing import Any

import hashlib
import hmac


#: Where the settings are in the site's registry.
PREFIX = "bench.legacy"

_MAIL = """\
Hello {fullname},

Thank you for your purchase. You can log in now.

Address:   {url}/login
User name: {address}
Password:  {password}
"""


class Purchase(BrowserView):
    """``@@click2sell`` of the site without the add-on."""

    def __call__(self) -> str:
        form = self.request.form
        if not form:
            return self._refused("No POST request.")
        try:
            if not self._is_genuine(form):
                return self._refused("Checksum verification failed.")
            self._process(form)
        except KeyError as error:
            return self._refused(f"POST parameter missing: {error}")
        return "POST successfully parsed."

    def _refused(self, text: str) -> str:
        self.request.response.setStatus(400)
        return text

    def _is_genuine(self, form: Mapping[str, str]) -> bool:
        key = api.portal.get_registry_record(f"{PREFIX}.secretkey")
        text = f"{key}_{form['acquirer_transaction_id']}"
        # The provider's own choice.
        digest = hashlib.md5(text.encode("utf-8")).hexdigest()  # noqa: S324
        return hmac.compare_digest(digest.upper(), form["checksum"].upper())

    def _process(self, form: Mapping[str, str]) -> None:
        address = form["buyer_email"]
        member = api.user.get(username=address)
        if member is None:
            member = self._create(address, form)
        member.setMemberProperties(_fields(form))
        groups = api.portal.get_tool("portal_groups")
        for line in api.portal.get_registry_record(f"{PREFIX}.mapping"):
            product_id, group_id = line.split("|")
            if product_id == form["product_id"]:
                groups.addPrincipalToGroup(address, group_id)

    def _create(self, address: str, form: Mapping[str, str]) -> Any:
        password = api.portal.get_tool("portal_registration").generatePassword()
        fullname = f"{form['buyer_name']} {form['buyer_surname']}"
        member = api.user.create(
            email=address,
            username=address,
            password=password,
            properties={"fullname": fullname},
        )
        text = _MAIL.format(
            fullname=fullname,
            url=self.context.absolute_url(),
            address=address,
            password=password,
        )
        api.portal.send_email(recipient=address, subject="Your password", body=text)
        return member


def _fields(form: Mapping[str, str]) -> dict[str, Any]:
    date, time = form["purchase_date"], form["purchase_time"]
    values = (
        form["product_id"],
        form["product_name"],
        form.get("affiliate_username", ""),
        form["c2s_transaction_id"],
        datetime.fromisoformat(f"{date} {time}"),
    )
    return dict(zip(FIELDS, values, strict=True))
