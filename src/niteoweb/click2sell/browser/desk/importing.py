"""Site Setup: import members from a file."""

from datetime import datetime
from datetime import tzinfo
from functools import cached_property
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk.fields import Field
from niteoweb.click2sell.browser.desk.ownerpage import CHANGED
from niteoweb.click2sell.browser.desk.ownerpage import OwnerPage
from niteoweb.click2sell.browser.words.formatting import Noted
from niteoweb.click2sell.browser.words.formatting import Table
from niteoweb.click2sell.interfaces import IPaymentProvider
from niteoweb.click2sell.member import group
from niteoweb.click2sell.owner import importfile
from niteoweb.click2sell.owner import importing
from niteoweb.click2sell.provider import registry
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zope.i18nmessageid import Message

import time


#: Rows of a file that the page takes; the command takes more.
MOST_ROWS = 1000
#: Bytes of a file that the page takes.
MOST_BYTES = 256 * 1024

#: Lines and mistakes that the page lists; the number of all is told.
SHOWN = 50

#: Seconds that one press of the button works; it goes on with the next.
AT_MOST = 20

#: Mails an hour, unless another number is entered.
MAILS_AN_HOUR = 120

WHAT = {
    importing.NEW: _("new member"),
    importing.EXISTING: _("existing account"),
    importing.KNOWN: _("existing buyer"),
    importing.ATTENTION: _("needs attention"),
    importing.DONE: _("imported before"),
}


class ImportView(OwnerPage):
    """``@@click2sell-import``: a file is looked at first, then imported.

    The file's text travels in the form, with a fingerprint of the preview: nothing is imported
    that was not shown.
    """

    template = ViewPageTemplateFile("../templates/import.pt")
    tab = "click2sell-members"
    title = _("Import members")
    lead = _(
        "From a file of your own: each line gives somebody access to a product, as if you had "
        "given it by hand."
    )
    copy_warning = _(
        "This is a copy of the site: an import changes this copy only, and its mails wait."
    )
    #: The file's text, "" before one was given.
    content = ""
    error: Message | None = None
    preview: importing.Preview | None = None

    def post(self) -> str:
        """Preview the import of the file, or import it."""
        self.check_post()
        applying = "apply" in self.request.form
        self.content = self._sent_again() if applying else self._uploaded()
        if self.content and self._look() and applying:
            self._apply()
        return ""

    @property
    def mailed(self) -> bool:
        """Whether new members are to be mailed."""
        return self.request.form.get("mails") == "yes"

    @property
    def mails_an_hour(self) -> str:
        """Number of mails an hour, as entered."""
        asked = "mails_an_hour" in self.request.form
        return self.text("mails_an_hour") if asked else str(MAILS_AN_HOUR)

    @cached_property
    def providers(self) -> tuple[IPaymentProvider, ...]:
        """The providers whose products can be given."""
        return registry.to_set_up()

    @cached_property
    def provider(self) -> str:
        """Name of the provider that was chosen: Click2Sell at first, if it is there."""
        names = [provider.name for provider in self.providers]
        chosen = self.request.form.get("provider", registry.MAIN)
        return chosen if chosen in names else names[0]

    @property
    def counts(self) -> list[tuple[Message, int]]:
        """The effects of the rows, in words and numbers."""
        counts = self.preview.counts()
        return [(WHAT[name], number) for name, number in counts.items() if number]

    @property
    def groups(self) -> list[tuple[str, int]]:
        """The groups that members are put in, each with their number."""
        return [(group.title(id_), number) for id_, number in self.preview.groups().items()]

    @property
    def table(self) -> Table:
        """The first lines of the file, and the effect of each."""
        zone = plone_site.timezone()
        return Table(
            _("Preview"),
            (
                *(_("Line"), _("Address"), _("Product"), _("Valid until")),
                *(_("Result"), _("Groups given")),
            ),
            [
                (
                    line.row.line,
                    line.row.address,
                    line.row.product_id,
                    _day(line.row.until, zone),
                    Noted(WHAT[line.what], line.reason) if line.reason else WHAT[line.what],
                    group.titles(line.groups),
                )
                for line in self.preview.lines[:SHOWN]
            ],
            ("", "text-break", "text-break", "text-nowrap", "", "text-break"),
            captioned=False,
            total=len(self.preview.lines),
        )

    @property
    def fields(self) -> list[Field]:
        """The choices beside the file."""
        mails = (("no", _("none")), ("yes", _("as in the settings, sent gradually")))
        limits = {"inputmode": "numeric", "min": "1", "max": str(importing.MOST_MAILS)}
        fields = [
            Field(
                "mails",
                _("Welcome mail to new members"),
                "yes" if self.mailed else "no",
                "select",
                mails,
            ),
            Field(
                "mails_an_hour",
                _("Mails in an hour, at most"),
                self.mails_an_hour,
                "number",
                more=limits,
            ),
        ]
        if len(self.providers) > 1:
            providers = [(provider.name, provider.title) for provider in self.providers]
            label = _("Whose products they are")
            fields.insert(0, Field("provider", label, self.provider, "select", providers))
        return fields

    @property
    def confirmed(self) -> dict[str, str]:
        """The values that come along with the button that imports."""
        return {
            "text": self.content,
            "fingerprint": self.preview.fingerprint,
            **{field.name: field.value for field in self.fields},
        }

    @property
    def mistakes(self) -> list[tuple[int, Message]]:
        """The mistakes that the page lists: line and text."""
        return [
            (mistake.line, importing.text(mistake)) for mistake in self.preview.mistakes[:SHOWN]
        ]

    @property
    def ready(self) -> bool:
        """Whether there is something to import and nothing to put right first."""
        return bool(self.preview.rows) and not self.preview.mistakes

    def _uploaded(self) -> str:
        """The text of the file that was chosen."""
        upload = self.request.form.get("file")
        raw = upload.read(MOST_BYTES + 1) if hasattr(upload, "read") else b""
        if not raw:
            self.error = _("Choose a file first.")
        elif len(raw) > MOST_BYTES:
            self.error = self._too_large()
        else:
            return self._decoded(raw)
        return ""

    def _sent_again(self) -> str:
        """The text of the file that was shown."""
        text = self.request.form.get("text")
        return self._decoded(text.encode("utf-8")) if isinstance(text, str) else ""

    def _decoded(self, raw: bytes) -> str:
        try:
            return importfile.decode(raw)
        except importfile.FileError as error:
            self.error = importing.text(error)
            return ""

    def _look(self) -> bool:
        """Preview the import.

        :returns: whether it can be read.
        """
        if self.mailed and self._rate() is None:
            self.error = _(
                "Enter how many mails may be sent in an hour: 1 to ${most}.",
                mapping={"most": str(importing.MOST_MAILS)},
            )
            return False
        try:
            file = importfile.read(self.content, plone_site.timezone())
        except importfile.FileError as error:
            self.error = importing.text(error)
            return False
        if len(file.rows) + len(file.mistakes) > MOST_ROWS:
            self.error = self._too_large()
            return False
        self.preview = importing.preview(file, self.mailed, self.provider)
        return True

    def _rate(self) -> int | None:
        """Mails an hour, None when it is not possible."""
        text = self.mails_an_hour
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
        return number if 1 <= number <= importing.MOST_MAILS else None

    def _apply(self) -> None:
        """Import the rows of the preview, for as long as a press of the button lasts."""
        if self.request.form.get("fingerprint") != self.preview.fingerprint:
            self.say(CHANGED, "warning")
            return
        if not self.ready:
            return
        enough = time.monotonic() + AT_MOST
        report = importing.run(
            self.preview.rows,
            self.by,
            self._rate() if self.mailed else 0,
            lambda so_far: time.monotonic() > enough,
            self.provider,
        )
        imported = sum(report.counted.values())
        self.say(_("Lines imported: ${number}", mapping={"number": str(imported)}))
        if report.mails:
            self.say(
                _(
                    "Mails that the automatic check will send: ${number}",
                    mapping={"number": str(report.mails)},
                )
            )
        if report.failed:
            message = _(
                "Lines that failed: ${lines}. The error is in the site's log; import the file "
                "again to try again.",
                mapping={"lines": ", ".join(map(str, report.failed))},
            )
            self.say(message, "error")
        self._look()
        if report.left:
            message = _(
                "Lines left: ${number}. Import again to go on.",
                mapping={"number": str(report.left)},
            )
            self.say(message, "warning")

    def _too_large(self) -> Message:
        return _(
            "The page takes files of up to ${rows} lines and ${size} KB. For larger ones there "
            "is the command click2sell-import.",
            mapping={"rows": str(MOST_ROWS), "size": str(MOST_BYTES // 1024)},
        )


def _day(moment: datetime | None, zone: tzinfo) -> str:
    return f"{timestamps.in_zone(moment, zone):%Y-%m-%d}" if moment else ""
