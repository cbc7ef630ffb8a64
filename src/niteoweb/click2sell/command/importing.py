"""``click2sell-import``: import members from a file, however long it is."""

from argparse import ArgumentTypeError
from argparse import Namespace
from collections.abc import Sequence
from niteoweb.click2sell.command import console
from pathlib import Path
from typing import Any


#: Bytes of a file; a hundred thousand lines have ten million.
MOST_BYTES = 50_000_000

#: The author of the imported grants, in the record.
BY = "click2sell-import"

MOST_MAILS = 3600

#: Lines after which progress is told.
PROGRESS = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Import a file, or preview the import.

    :returns: 0, or 1 when the file has mistakes or lines are left.
    """
    parser = console.parser(
        "click2sell-import",
        "Give the people in a CSV file access to products. The first line names the columns: "
        "address, name, product, valid until, reference. Tells what it would do, unless "
        "--apply is given; call it again after an interruption, what is done is passed over.",
        applying="import the lines",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the CSV file, in UTF-8")
    parser.add_argument(
        "--mails-per-hour",
        metavar="NUMBER",
        type=rate,
        default=0,
        help="mail new members, so many in an hour, by the sweep (default: mail nobody)",
    )
    parser.add_argument(
        "--provider",
        metavar="NAME",
        default="click2sell",
        help="whose products they are (default: click2sell)",
    )
    options = parser.parse_args(arguments)
    return console.run(options, lambda site: _import(options))


def rate(text: str) -> int:
    """A number of mails in an hour, of an option."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= number <= MOST_MAILS:
        raise ArgumentTypeError(f"{text!r} is no number from 1 to {MOST_MAILS}")
    return number


def _import(options: Namespace) -> int:
    from niteoweb.click2sell.owner import importing
    from niteoweb.click2sell.provider import registry

    if registry.get(options.provider) is None:
        known = ", ".join(provider.name for provider in registry.registered())
        raise console.Problem(f"{options.provider!r} is no provider. There are: {known}.", 2)
    file, mails = _read(options.file), bool(options.mails_per_hour)
    preview = importing.preview(file, mails, options.provider)
    report = None
    if options.apply and not preview.mistakes:
        report = importing.run(
            preview.rows, BY, options.mails_per_hour, _progress, options.provider
        )
    if options.json:
        console.say_json(_as_json(preview, report))
    else:
        _tell(preview, report)
    unfinished = report is not None and (report.left or report.failed)
    return 1 if preview.mistakes or unfinished else 0


def _read(path: Path) -> Any:
    from niteoweb.click2sell import site as plone_site
    from niteoweb.click2sell.owner import importfile

    text = read_text(path)
    try:
        return importfile.read(text, plone_site.timezone())
    except importfile.FileError as error:
        raise console.Problem(_sentence(error), 2) from None


def read_text(path: Path) -> str:
    """The text of a file in UTF-8.

    :raises niteoweb.click2sell.command.console.Problem: it cannot be read.
    """
    from niteoweb.click2sell.owner import importfile

    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise console.Problem(f"{path} cannot be read: {error.strerror}.", 2) from None
    if len(raw) > MOST_BYTES:
        raise console.Problem(f"{path} is larger than {MOST_BYTES} bytes. Divide it.", 2)
    try:
        return importfile.decode(raw)
    except importfile.FileError as error:
        raise console.Problem(_sentence(error), 2) from None


def _sentence(mistake: Any) -> str:
    from niteoweb.click2sell.owner import importing
    from zope.i18n import translate

    return translate(importing.text(mistake))


def _as_json(preview: Any, report: Any) -> dict[str, Any]:
    answer = {
        "dry_run": report is None,
        "mistakes": [
            {"line": mistake.line, "text": _sentence(mistake)} for mistake in preview.mistakes
        ],
        "repeated": preview.repeated,
        "people": preview.counts(),
        "groups": preview.groups(),
        "lines": [
            {
                "line": line.row.line,
                "address": line.row.address,
                "product_id": line.row.product_id,
                "what": line.what,
                "groups": list(line.groups),
                "reason": line.why[0] or None,
            }
            for line in preview.lines
        ],
    }
    if report is not None:
        answer["imported"] = dict(report.counted)
        answer["mails"] = report.mails
        answer["left"] = report.left
        answer["failed"] = report.failed
    return answer


def _tell(preview: Any, report: Any) -> None:
    say = console.say
    console.say_some(
        [f"Line {mistake.line}: {_sentence(mistake)}" for mistake in preview.mistakes]
    )
    console.say_some([_line(line) for line in preview.lines])
    say(", ".join(f"{name}: {number}" for name, number in preview.counts().items()))
    for group, number in preview.groups().items():
        say(f"group {group}: {number} members")
    if report is None:
        more = "Put these lines right first." if preview.mistakes else "--apply does it."
        say(f"Nothing was done. {more}")
        return
    say(f"{sum(report.counted.values())} lines imported, {report.mails} mails filed.")
    if report.failed:
        say(f"Lines that failed, see the log: {', '.join(map(str, report.failed))}")
    if report.left:
        say(f"{report.left} lines are left: another process was at the data. Call it again.")


def _line(line: Any) -> str:
    from zope.i18n import translate

    groups = f", groups {', '.join(line.groups)}" if line.groups else ""
    why = f" ({translate(line.reason)})" if line.reason else ""
    product = f"product {line.row.product_id}"
    return f"Line {line.row.line}: {line.row.address}, {product}: {line.what}{why}{groups}"


def _progress(report: Any) -> bool:
    imported = sum(report.counted.values())
    if imported % PROGRESS == 0:
        console.complain(f"{imported} lines imported")
    return False
