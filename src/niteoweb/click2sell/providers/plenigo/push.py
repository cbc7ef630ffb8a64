"""``click2sell-plenigo-push``: brings the orders of another system to plenigo."""

from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from niteoweb.click2sell.command import console
from niteoweb.click2sell.command import importing
from niteoweb.click2sell.providers.plenigo import orderfile
from pathlib import Path
from typing import Any


def main(arguments: Sequence[str] | None = None) -> int:
    """Bring the orders of a file to plenigo, or preview that.

    :returns: 0, or 1 when the file has mistakes, or a line was rejected or has to wait.
    """
    parser = console.parser(
        "click2sell-plenigo-push",
        "Bring the orders in a CSV file to plenigo, with their customers, addresses and bank "
        "accounts. The first line names the columns. Tells what it would do, unless --apply is "
        "given; call it again after an interruption, what is there is passed over.",
        applying="send the orders",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the CSV file, in UTF-8")
    options = parser.parse_args(arguments)
    return console.run(options, lambda site: _push(options))


def _push(options: Namespace) -> int:
    from niteoweb.click2sell.providers.plenigo import bringing
    from niteoweb.click2sell.providers.plenigo import checkout

    try:
        orders, mistakes = orderfile.read(importing.read_text(options.file))
    except orderfile.FileError as error:
        raise console.Problem(str(error), 2) from None
    applied = options.apply and not mistakes
    try:
        report = bringing.run(orders, applied, console.complain)
    except (checkout.NotSold, checkout.NotSetUp):
        raise console.Problem(
            "plenigo is switched off, has no token for its API, or this is a copy of the site."
        ) from None
    lines = [
        {"line": one.order.line, "id": one.order.id, "what": one.what, "why": one.why or None}
        for one in report.results
    ]
    wrong = [{"line": one.line, "column": one.column, "why": one.why} for one in mistakes]
    counted = Counter(one["what"] for one in lines)
    if options.json:
        answer = {"dry_run": not applied, "counted": counted, "error": report.error or None}
        console.say_json({**answer, "mistakes": wrong, "lines": lines})
    else:
        _tell(lines, wrong, counted, applied)
    if report.error:
        console.complain(f"Not finished: {report.error}. Call it again.")
    is_open = counted[bringing.REJECTED] or counted[bringing.WAITING]
    return 1 if mistakes or report.error or is_open else 0


def _tell(
    lines: list[dict[str, Any]],
    wrong: list[dict[str, Any]],
    counted: Counter[str],
    applied: bool,
) -> None:
    console.say_some([f"Line {one['line']}: {one['column']} {one['why']}" for one in wrong])
    console.say_some([_line(one) for one in lines])
    console.say(", ".join(f"{name}: {number}" for name, number in sorted(counted.items())))
    if not applied:
        more = "Put these lines right first." if wrong else "--apply does it."
        console.say(f"Nothing was done. {more}")


def _line(line: dict[str, Any]) -> str:
    why = f" ({line['why']})" if line["why"] else ""
    return f"Line {line['line']}: {line['id']}: {line['what']}{why}"
