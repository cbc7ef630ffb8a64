"""Views of the tests' server, beside those of any site."""

from datetime import datetime
from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.storage import indexes
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.proof import dump
from plone import api
from plone.protect.interfaces import IDisableCSRFProtection
from Products.Five.browser import BrowserView
from typing import Any
from zope.interface import alsoProvides

import json


class State(BrowserView):
    """All that there is, as JSON."""

    def __call__(self) -> str:
        site = self.context
        found = {
            "buyers": {
                address: dump.buyer(site, address)
                for address in trees.tree(site, "buyer_by_address")
            },
            "logs": {
                record["user_id"]: [note[1:] for note in record.get("log", ())]
                for record in trees.tree(site, "buyers").values()
            },
            "members": sorted(site.acl_users.source_users.getUserIds()),
            "contradictions": dump.contradictions(site),
            "unentitled": dump.unentitled(site, datetime.now(timezone.utc)),
        }
        self.request.response.setHeader("Content-Type", "application/json")
        return json.dumps(found)


class Hurry(BrowserView):
    """Make it later: entries have waited for three minutes, mails are due again."""

    def __call__(self) -> str:
        site = self.context
        alsoProvides(self.request, IDisableCSRFProtection)
        for key in list(ledger.newest_first(site, outcome=Outcome.RECEIVED)):
            self._move_back(site, ledger.get(site, key))
        for _due_at, mail_id in list(trees.tree(site, "mails_due")):
            mail = outbox.get(site, mail_id)
            outbox._move(site, mail, mail["state"], timestamps.from_iso(mail["filed_at"]))
        return ""

    def _move_back(self, site: Any, entry: ledger.Entry) -> None:
        indexes.forget(site, "entries", entry.stored)
        before = ledger.place(entry)
        del trees.tree(site, "entries")[before]
        received_at = timestamps.from_iso(entry["received_at"]) - timedelta(minutes=3)
        entries.exchange(site, entry, place=0, received_at=timestamps.iso(received_at))
        entries.put(site, entry)
        transactions = trees.tree(site, "transactions")
        number = trees.number(entry["provider"], entry["transaction"])
        if transactions[number][0] == before:
            transactions[number] = (ledger.place(entry), *transactions[number][1:])


class MailPort(BrowserView):
    """Tell the site where its mail server listens."""

    def __call__(self) -> str:
        alsoProvides(self.request, IDisableCSRFProtection)
        api.portal.set_registry_record("plone.smtp_port", int(self.request.form["port"]))
        return ""
