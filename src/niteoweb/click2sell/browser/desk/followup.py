"""The lists of the report to follow up: mails, logins and renewals that did not come."""

from dataclasses import dataclass
from niteoweb.click2sell import _
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.mail import failures
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.report import happenings
from niteoweb.click2sell.report import overview
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zope.i18nmessageid import Message


MAILS = {**happenings.MAILS, **dict.fromkeys(outbox.TO_OWNER, _("Mail to the owner"))}


@dataclass(frozen=True)
class Newest(formatting.Part):
    """The newest part of a list, to be unfolded.

    :ivar summary: the line that unfolds the table, None for an empty list.
    """

    summary: Message | None
    table: formatting.Table
    template = ViewPageTemplateFile("../templates/newest.pt")


class FollowUp:
    """The lists, as a part of the report's page."""

    @property
    def mails(self) -> Newest:
        """The mails that could not be sent so far."""
        newest = overview.mails_failed(self.context)
        table = formatting.Table(
            _("The newest mails that could not be sent. Each is tried again."),
            (_("Due since"), _("Mail"), _("To"), _("Attempts"), _("Last error")),
            [
                (
                    formatting.moment(mail["filed_at"]),
                    MAILS.get(mail["kind"], mail["kind"]),
                    mail["to"],
                    mail["attempts"],
                    failures.text(mail["error"]),
                )
                for mail in newest.items
            ],
            ("text-nowrap", "text-nowrap", "text-nowrap", "", "text-nowrap"),
        )
        text = _("Mails that could not be sent so far: ${number}")
        return Newest(_counted(text, newest), table)

    @property
    def logins(self) -> Newest:
        """The members who paid and never logged in."""
        newest = overview.never_logged_in(self.context)
        table = formatting.Table(
            _("The newest accounts, created for a purchase and never used."),
            (_("Member"), _("Account created")),
            [
                (self._member(account), formatting.moment(account.made_at))
                for account in newest.items
            ],
            ("text-break",),
        )
        return Newest(_counted(_("Paid and never logged in: ${number}"), newest), table)

    @property
    def renewals(self) -> Newest:
        """The renewals that did not come."""
        newest = overview.renewals_missing(self.context, self.now)
        table = formatting.Table(
            _("The latest missing renewals."),
            (_("Member"), _("Product"), _("Expected by"), _("Access")),
            [
                (
                    self._member(renewal),
                    formatting.product_title(
                        self.context, (renewal.provider, renewal.product_id)
                    ),
                    formatting.moment(renewal.expected_at),
                    _("goes on") if renewal.access else _("has ended"),
                )
                for renewal in newest.items
            ],
            ("text-break", "text-break"),
        )
        text = _("Missing renewals of the last 30 days: ${number}")
        return Newest(_counted(text, newest), table)

    def _member(self, listed: overview.Account | overview.Renewal) -> formatting.Link:
        url = self.url_of(f"click2sell-members/{listed.buyer_id}")
        return formatting.Link(listed.address, url)


def _counted(text: Message, newest: overview.Newest) -> Message | None:
    """A text with the number of items behind a list, None for an empty list."""
    if not newest.total:
        return None
    number = formatting.number(newest.total)
    if newest.capped:
        number = formatting.translated(_("more than ${number}", mapping={"number": number}))
    return Message(text, mapping={"number": number})
