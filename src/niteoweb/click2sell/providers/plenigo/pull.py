"""``click2sell-plenigo-pull``: who has something at plenigo already becomes a buyer."""

from argparse import ArgumentTypeError
from argparse import Namespace
from collections.abc import Sequence
from datetime import datetime
from datetime import timezone
from niteoweb.click2sell.command import console
from niteoweb.click2sell.command import importing
from typing import Any


#: Everything at plenigo has changed since then.
BEGINNING = datetime(2000, 1, 1, tzinfo=timezone.utc)


def main(arguments: Sequence[str] | None = None) -> int:
    """Take over, or preview it.

    :returns: 0, or 1 when plenigo could not be asked to the end, or something was left out.
    """
    parser = console.parser(
        "click2sell-plenigo-pull",
        "Take over those who have subscriptions, single products or in-app purchases at "
        "plenigo already. Tells what it would do, unless --apply is given; call it again "
        "after an interruption, what is known is passed over.",
        applying="make them buyers and members",
    )
    parser.add_argument(
        "--since",
        metavar="DATE",
        type=_day,
        default=BEGINNING,
        help="only what has changed since this day, such as 2027-01-31 (default: everything)",
    )
    parser.add_argument(
        "--mails-per-hour",
        metavar="NUMBER",
        type=importing.rate,
        default=0,
        help="mail new members, so many in an hour, by the sweep (default: mail nobody)",
    )
    options = parser.parse_args(arguments)
    return console.run(options, lambda site: _pull(options))


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=timezone.utc)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day such as 2027-01-31") from None


def _pull(options: Namespace) -> int:
    from niteoweb.click2sell.providers.plenigo import checkout
    from niteoweb.click2sell.providers.plenigo import takeover

    try:
        report = takeover.run(options.since, options.apply, options.mails_per_hour, _progress)
    except (checkout.NotSold, checkout.NotSetUp):
        raise console.Problem("plenigo is switched off, or has no token for its API.") from None
    if options.json:
        answer = {"dry_run": not options.apply, **vars(report), "counted": report.counted}
        console.say_json({**answer, "error": report.error or None})
    else:
        _tell(report, options.apply)
    return 1 if report.error or report.counted.get(takeover.LEFT_OUT) else 0


def _tell(report: Any, applied: bool) -> None:
    console.say_some([_line(line) for line in report.lines])
    counted = [f"{name}: {number}" for name, number in sorted(report.counted.items())]
    console.say(", ".join([*counted, f"passed over: {report.known}"]))
    if not applied:
        console.say("Nothing was done. --apply does it.")
    else:
        console.say(f"{report.mails} mails filed.")
    if report.error:
        console.complain(f"Not finished: {report.error}. Call it again.")


def _line(line: dict[str, Any]) -> str:
    groups = f", groups {', '.join(line['groups'])}" if line["groups"] else ""
    why = f" ({line['reason']})" if line["reason"] else ""
    who = f"{line['address']}, product {line['product_id']}: " if line["address"] else ""
    return f"{line['subject']}: {who}{line['what']}{why}{groups}"


def _progress(number: int) -> None:
    if number % importing.PROGRESS == 0:
        console.complain(f"{number} taken in")
