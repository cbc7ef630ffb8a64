"""Site Setup: the stored data of an address, to download and to erase."""

from dataclasses import replace
from functools import cached_property
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk.fields import Field
from niteoweb.click2sell.browser.desk.ownerpage import OwnerPage
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.privacy import erasure
from niteoweb.click2sell.privacy import export
from niteoweb.click2sell.privacy import preview
from niteoweb.click2sell.provisioning import pipeline
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zExceptions import Unauthorized
from zope.i18nmessageid import Message

import json


#: Erasures that the page lists, the latest ones.
LATEST = 20

WHAT = {
    erasure.ERASED: _("erased"),
    erasure.TAKEN_IN: _("taken in again"),
}
ACCOUNTS = {
    erasure.DELETED: _("deleted"),
    erasure.LEFT: _("left"),
    erasure.NONE: _("no account"),
}


class PrivacyView(OwnerPage):
    """``@@click2sell-privacy``: GET shows and exports; POST works out an erasure, or erases.

    The button carries a fingerprint of the preview, so that nothing else is erased.
    """

    template = ViewPageTemplateFile("../templates/privacy.pt")
    page = "click2sell-privacy"
    title = _("Privacy")
    lead = _("All that this add-on stores about an e-mail address: to download, and to erase.")
    #: None before the preview.
    planned: preview.Preview | None = None
    #: The reason why the action is not possible, shown beside its field.
    problem: Message | str = ""

    def __call__(self) -> str:
        page = super().__call__
        asked = self.address and "download" in self.request.form
        return self._download() if asked and self.request.method != "POST" else page()

    def post(self) -> str:
        """Carry out the action of the button."""
        self.check_post()
        return self.cancel_url if self.address and self._try() else ""

    @property
    def cancel_url(self) -> str:
        """Address of the page that the owner came from, else of the page without an address."""
        return self.way_back() or self.url

    def _download(self) -> str:
        response = self.request.response
        response.setHeader("Content-Type", "application/json; charset=utf-8")
        response.setHeader("Content-Disposition", 'attachment; filename="stored.json"')
        response.setHeader("X-Content-Type-Options", "nosniff")
        stored = export.export(self.context, self.address, timestamps.now())
        return json.dumps(stored, indent=2, ensure_ascii=False)

    def _try(self) -> bool:
        """Carry out the action of the button.

        :returns: whether it was done.
        """
        form = self.request.form
        try:
            if "take-in" in form:
                erasure.take_in(self.address, self.reason, self.by)
                self.say(_("The buyer was taken in again, and what waited was processed."))
                return True
            self.planned = self.present
            if "erase" not in form:
                return False
            if self.deleting and not self.may_delete:
                raise Unauthorized(privilege.MANAGE_MEMBERS)
            erasure.erase(
                self.address,
                self.reason,
                self.by,
                self.deleting,
                self.text("fingerprint") or "-",
            )
        except erasure.Changed as problem:
            self.say(problem.message, "warning")
        except erasure.NotPossible as problem:
            self.problem = problem.message
        except pipeline.Failed:
            self.say(_("A notification failed; the automatic check tries it again."), "error")
        else:
            self.say(_("The buyer was erased."))
            return True
        return False

    @property
    def address(self) -> str:
        """The address whose data is shown."""
        return self.text("address")

    @property
    def reason(self) -> str:
        """The reason for the erasure."""
        return self.text("reason")

    @property
    def reason_field(self) -> Field:
        """The field for the reason why the buyer is taken in again."""
        more = {"maxlength": "500", "required": "required"}
        return Field("reason", _("Reason"), self.reason, more=more)

    @property
    def fields(self) -> list[Field]:
        """The fields beside the preview of an erasure."""
        note = _("Kept with the record of the erasure. Do not name the person.")
        fields = [replace(self.reason_field, help=note, error=self.problem or None)]
        if self.planned.accounts and self.may_delete:
            texts = [
                _(
                    "Otherwise the account stays in Plone, with its name, e-mail address and "
                    "password. What its owner wrote on the site stays either way."
                )
            ]
            if any(not account.made for account in self.planned.accounts):
                texts.append(_("This account was not created for a purchase."))
            fields.insert(
                0,
                Field(
                    "delete-member",
                    _("Also delete the account"),
                    "1" if self.deleting else "",
                    "checkbox",
                    help=" ".join(map(formatting.translated, texts)),
                ),
            )
        return fields

    @property
    def deleting(self) -> bool:
        """Whether the account is deleted too."""
        return "delete-member" in self.request.form

    @property
    def may_delete(self) -> bool:
        """Whether this reader may delete accounts."""
        return self.may(privilege.MANAGE_MEMBERS)

    @cached_property
    def holdings(self) -> export.Holdings:
        """The stored data of the address."""
        return export.find(self.context, self.address)

    @cached_property
    def present(self) -> preview.Preview:
        """The preview of an erasure."""
        return preview.of(self.holdings)

    @property
    def stored(self) -> formatting.Facts:
        """The facts about the stored data: a label, and the lines beside it."""
        accounts = [account.user_id for account in self.present.accounts]
        return formatting.facts(
            (_("Addresses of this buyer"), [", ".join(self.present.addresses) or _("erased")]),
            (_("Notifications"), [str(len(self.holdings.entries))]),
            (_("Mails"), [str(len(self.holdings.mails))]),
            (_("Account"), [", ".join(accounts) or _("no account")]),
        )

    @property
    def latest(self) -> formatting.Table:
        """The latest erasures."""
        titles = (_("When"), _("What"), _("By"), _("Notifications"), _("Account"), _("Reason"))
        rows = [
            (
                formatting.moment(record["at"]),
                WHAT[record["what"]],
                record["by"],
                record["entries"],
                ACCOUNTS[record["account"]],
                record["reason"],
            )
            for record in erasure.latest(self.context, LATEST)
        ]
        styles = ("", "", "text-break", "", "", "text-break")
        name = _("Erasures")
        return formatting.Table(name, titles, rows, styles, "align-middle", captioned=False)
