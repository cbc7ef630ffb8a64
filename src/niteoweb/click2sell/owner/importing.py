"""The import of members from a file: previewed first, then row by row as a purchase.

Each row is a :class:`niteoweb.click2sell.owner.grants.Grant` and a commit of its own. A row
that was imported before is known by its reference, address, product and end and is passed
over, so importing the file again does the rest.
"""

from collections import Counter
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import reasons
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import grants
from niteoweb.click2sell.owner import importfile
from niteoweb.click2sell.owner.importfile import ImportRow
from niteoweb.click2sell.owner.importfile import Mistake
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provisioning import Plan
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.storage import log_failure
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.storage import writer
from zope.i18nmessageid import Message

import hashlib


#: The effects of a row.
NEW = "new"
EXISTING = "existing"
KNOWN = "known"
ATTENTION = "attention"
DONE = "done"

#: Mails an hour, at most.
MOST_MAILS = 3600

#: The texts of mistakes in a line, and of errors of the file.
TEXTS = {
    "cells": _("There are more cells than columns (${subject})."),
    "quotes": _("The quotation marks cannot be understood."),
    "address": _('"${subject}" is not a valid e-mail address.'),
    "refused": _('Plone does not accept the address "${subject}".'),
    "erased": _(
        'The buyer of the address "${subject}" was erased: take the buyer in again first, on '
        "the page Privacy."
    ),
    "product": _("The product is missing."),
    "unknown product": _('The product "${subject}" is not in the settings.'),
    "long": _("${subject}: longer than 255 characters, or not printable."),
    "date": _('"${subject}" is no date such as 2027-01-31.'),
    "reference": _("The same reference stands with other content in line ${subject}."),
    "encoding": _(
        "The file is no text in UTF-8. Save it in your spreadsheet as CSV UTF-8, not as a "
        "workbook."
    ),
    "empty": _("The file is empty."),
    "columns missing": _("The first line has to name the columns. Missing: ${subject}"),
    "column unknown": _(
        "The first line names columns that are not known: ${subject}. Known: address, name, "
        "product, valid until, reference."
    ),
    "column twice": _("The first line names a column twice: ${subject}"),
}


@dataclass(frozen=True)
class Line:
    """The effect of a row.

    :ivar what: :data:`NEW` member, :data:`EXISTING` account that gets a purchase for the first
        time, :data:`KNOWN` buyer, :data:`ATTENTION` of a person, or :data:`DONE` before.
    :ivar groups: that the member is put in.
    :ivar why: code and subject of the reason for attention.
    """

    row: ImportRow
    what: str
    groups: tuple[str, ...] = ()
    why: tuple[str, str] = ("", "")

    @property
    def reason(self) -> Message | str:
        """Why a person has to look."""
        return reasons.text(*self.why)


@dataclass(frozen=True)
class Preview:
    """The preview of an import.

    :ivar repeated: number of lines that repeat an earlier one.
    :ivar provider: name of the payment provider whose products they are.
    """

    lines: tuple[Line, ...]
    mistakes: tuple[Mistake, ...]
    repeated: int
    provider: str

    @property
    def rows(self) -> list[ImportRow]:
        """The rows that are not done yet."""
        return [line.row for line in self.lines if line.what != DONE]

    def counts(self) -> dict[str, int]:
        """People who are new, exist, are known or need attention, and done rows."""
        people = {line.row.address: line.what for line in reversed(self.lines)}
        counted = Counter(what for what in people.values() if what != DONE)
        counted[DONE] = sum(line.what == DONE for line in self.lines)
        return {name: counted[name] for name in (NEW, EXISTING, KNOWN, ATTENTION, DONE)}

    def groups(self) -> dict[str, int]:
        """Number of members that each group gets."""
        given = {(group, line.row.address) for line in self.lines for group in line.groups}
        return dict(sorted(Counter(group for group, _address in given).items()))

    @property
    def fingerprint(self) -> str:
        """A fingerprint of the preview: an import does nothing that was not shown."""
        content = repr((self.provider, self.lines, self.mistakes)).encode("utf-8")
        return hashlib.sha256(content).hexdigest()


@dataclass
class ImportReport:
    """The result of an import.

    :ivar counted: effect of a row -> number of rows.
    :ivar left: rows that are left, because it was stopped or another process was at the data.
    :ivar failed: lines that failed, see the log; another import tries them again.
    """

    counted: Counter[str] = field(default_factory=Counter)
    mails: int = 0
    left: int = 0
    failed: list[int] = field(default_factory=list)


def text(problem: Mistake | importfile.FileError) -> Message:
    """The text of a mistake in a line, or of an error of the file."""
    return Message(TEXTS[problem.code], mapping={"subject": problem.subject})


def preview(file: importfile.File, mails: bool, provider: str = registry.MAIN) -> Preview:
    """Preview an import; nothing is changed.

    The transaction of this thread begins anew.

    :param mails: whether new members are to be mailed.
    :param provider: name of the payment provider whose products they are.
    """
    known = {line.product_id for line in effective.mapping() if line.provider == provider}
    mail_at = timestamps.now() if mails else None
    lines, mistakes = [], list(file.mistakes)
    for row in file.rows:
        if row.product_id not in known:
            mistakes.append(Mistake(row.line, "unknown product", row.product_id))
            continue
        try:
            lines.append(_act(row, provider, "", mail_at, action.preview)[0])
        except action.Erased:
            mistakes.append(Mistake(row.line, "erased", row.address))
        except action.NotPossible:
            mistakes.append(Mistake(row.line, "refused", row.address))
    mistakes.sort(key=lambda mistake: mistake.line)
    return Preview(tuple(lines), tuple(mistakes), file.repeated, provider)


def run(
    rows: Sequence[ImportRow],
    by: str,
    mails_an_hour: int = 0,
    stop: Callable[[ImportReport], bool] = lambda report: False,
    provider: str = registry.MAIN,
) -> ImportReport:
    """Import rows, each in a commit of its own.

    :param by: user id of the owner.
    :param mails_an_hour: how many new members may be mailed in an hour, by the sweep; 0 mails
        nobody.
    :param stop: called after each row; whether that is enough.
    :param provider: name of the payment provider whose products they are.
    """
    report = ImportReport(left=len(rows))
    times = mail_times(mails_an_hour)
    mail_at = next(times)
    for row in rows:
        try:
            line, mailed = _act(row, provider, by, mail_at, action.carry_out)
        except transactions.Busy:
            break
        except Exception as error:
            # The other rows go on.
            log_failure(f"Line {row.line}", error)
            report.failed.append(row.line)
        else:
            report.counted[line.what] += 1
            if mailed:
                report.mails += 1
                mail_at = next(times)
        report.left -= 1
        if stop(report):
            break
    if report.mails:
        note_mails(mail_at)
    return report


def _act(
    row: ImportRow,
    provider: str,
    by: str,
    mail_at: datetime | None,
    act: Callable[[grants.Grant], tuple[Plan, ...]],
) -> tuple[Line, bool]:
    """The effect of a row whose grant is previewed or carried out, and whether it mails."""
    grant = grants.Grant(
        row.address,
        (provider, row.product_id),
        row.until,
        "import",
        by,
        name=row.name,
        reference=row.reference,
        mail=mail_at is not None,
        mail_after=mail_at,
    )
    if ledger.get(plone_site.get(), grant.key) is not None:
        return Line(row, DONE), False
    (plan,) = act(grant)
    verdict = plan.verdicts[grant.key]
    what, why = (NEW if plan.create else EXISTING if plan.attach else KNOWN), ("", "")
    if verdict.outcome == Outcome.ATTENTION:
        what, why = ATTENTION, (verdict.reason, verdict.subject)
    return Line(row, what, plan.grant, why), bool(plan.mail)


def mail_times(mails_an_hour: int) -> Iterator[datetime | None]:
    """The times of the mails, one after the other; None for no mail.

    The first one follows the last mail of the import before this one.

    :param mails_an_hour: 0 mails nobody.
    """
    if not mails_an_hour:
        while True:
            yield None
    gap = timedelta(hours=1) / mails_an_hour
    now = timestamps.now()
    last = trees.tree(plone_site.get(), "remarks").get("import_mails_until", 0)
    at = max(now, timestamps.from_microseconds(last))
    while True:
        yield at
        at += gap


def note_mails(mail_at: datetime) -> None:
    """Note the time at which the mails of the next import may begin."""
    mailed_until = timestamps.microseconds(mail_at)
    writer.run(lambda site: trees.tree(site, "remarks").update(import_mails_until=mailed_until))
