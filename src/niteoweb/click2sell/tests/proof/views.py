"""Views of the tests' server, beside those of any site."""

from datetime import timedelta
from niteoweb.click2sell import hooks
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.storage import indexes
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.storage import writer
from niteoweb.click2sell.tests.cases.receiver import SECRET
from niteoweb.click2sell.tests.proof import dump
from plone.protect.interfaces import IDisableCSRFProtection
from plone.registry.interfaces import IRegistry
from Products.Five.browser import BrowserView
from typing import Any
from zope.component import getUtility
from zope.interface import alsoProvides

import json
import time


#: That another process may take to send its mails.
SECONDS = 100


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
            "unentitled": dump.unentitled(site, timestamps.now()),
        }
        self.request.response.setHeader("Content-Type", "application/json")
        return json.dumps(found)


class Hurry(BrowserView):
    """Make it later: entries have waited for three minutes, mails are due again.

    With ``dead=1`` the processes that were sending mails or hooks have died three minutes ago,
    too.
    """

    def __call__(self) -> str:
        # By the writer, so that nothing of it conflicts with what this process sends. Another
        # process goes on until it has sent all that it can.
        until = time.monotonic() + SECONDS
        while True:
            try:
                writer.run(self._hurry)
                return ""
            except transactions.Busy:
                if time.monotonic() > until:
                    raise
                time.sleep(1)

    def _hurry(self, site: Any) -> None:
        for key in list(ledger.newest_first(site, outcome=Outcome.RECEIVED)):
            self._move_back(site, ledger.get(site, key))
        for _due_at, mail_id in list(trees.tree(site, "mails_due")):
            mail = outbox.get(site, mail_id)
            outbox._move(site, mail, mail["state"], timestamps.from_iso(mail["filed_at"]))
            if mail["state"] == outbox.SENDING and "dead" in self.request.form:
                mail["tried_at"] = _earlier(mail["tried_at"])

        if "dead" in self.request.form:
            for receiver in hooks.receivers.every(site):
                if receiver["lease"]:
                    receiver["leased_at"] = _earlier(receiver["leased_at"])

    def _move_back(self, site: Any, entry: ledger.Entry) -> None:
        indexes.forget(site, "entries", entry.stored)
        before = ledger.place(entry)
        del trees.tree(site, "entries")[before]
        received_at = _earlier(entry["received_at"])
        entries.exchange(site, entry, place=0, received_at=received_at)
        entries.put(site, entry)
        owners = trees.tree(site, "transactions")
        number = trees.number(entry["provider"], entry["transaction"])
        if owners[number][0] == before:
            owners[number] = (ledger.place(entry), *owners[number][1:])


class Receiver(BrowserView):
    """Add a receiver of all outgoing hooks at the ``address``; tell how much waits for all."""

    def __call__(self) -> str:
        alsoProvides(self.request, IDisableCSRFProtection)
        if url := self.request.form.get("address"):
            wanted, secret = hooks.events.CHOICES, SECRET
            now = timestamps.now()
            writer.run(lambda site: hooks.receivers.add(site, url, secret, wanted, now)["id"])
        every = hooks.receivers.every(self.context)
        return str(sum(hooks.outbox.waiting(self.context, one["id"]) for one in every))


class MailServer(BrowserView):
    """Tell the site the ``port`` of its mail server, and the ``login`` for it."""

    def __call__(self) -> str:
        alsoProvides(self.request, IDisableCSRFProtection)
        form = self.request.form
        login = form.get("login")
        registry = getUtility(IRegistry)
        registry["plone.smtp_port"] = int(form["port"])
        # Nothing is another value than an empty name, which would be tried.
        registry["plone.smtp_userid"] = login
        registry["plone.smtp_pass"] = login and "secret"
        return ""


def _earlier(text: str) -> str:
    """A stored moment, three minutes earlier."""
    return timestamps.iso(timestamps.from_iso(text) - timedelta(minutes=3))
