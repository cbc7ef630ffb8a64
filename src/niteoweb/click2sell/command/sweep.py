"""``click2sell-sweep``: everything that is due without a delivery. For cron, or a timer."""

from argparse import ArgumentTypeError
from argparse import Namespace
from collections.abc import Sequence
from datetime import timezone
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.command import console
from typing import Any


def main(arguments: Sequence[str] | None = None) -> int:
    """Sweep once.

    :param arguments: of the command; None for those it was called with.
    :returns: 0, or 1 when the sweep stopped because too many members would lose access, or
        something unexpected happened.
    """
    parser = console.parser(
        "click2sell-sweep",
        "End lapsed access, send due mails and take up what failed, once. For cron.",
    )
    parser.add_argument("--dry-run", action="store_true", help="only tell what is due")
    parser.add_argument(
        "--as-of",
        metavar="DATE",
        type=_readable,
        help="with --dry-run: tell what is due by the end of that day, such as 2027-01-31",
    )
    parser.add_argument(
        "--confirmed",
        action="store_true",
        help="end access however many members lose it, although a provider is silent, and "
        "although the clock has jumped",
    )
    options = parser.parse_args(arguments)
    if options.as_of and not options.dry_run:
        parser.error("--as-of needs --dry-run")
    return console.run(options, lambda site: _sweep(options))


def _readable(text: str) -> str:
    """A date that can be read; its moment depends on the site's time zone."""
    try:
        timestamps.end(text, timezone.utc)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day such as 2027-01-31") from None
    return text


def _sweep(options: Namespace) -> int:
    from niteoweb.click2sell import site as plone_site
    from niteoweb.click2sell.storage import schedule
    from niteoweb.click2sell.worker import clock
    from niteoweb.click2sell.worker import sweep

    if not plone_site.public_address() and not options.dry_run:
        console.complain(
            "The settings name no public address of the site: no mail is sent, since its links "
            "would not work."
        )
    as_of = timestamps.end(options.as_of, plone_site.timezone()) if options.as_of else None
    if options.dry_run:
        report = sweep.sweep(True, as_of, options.confirmed)
    else:
        report = clock.run(schedule.COMMAND, options.confirmed)
    if options.json:
        console.say_json(report.as_json())
    else:
        _tell(report.as_json())
    return 1 if report.stopped or report.troubled else 0


def _tell(report: dict[str, Any]) -> None:
    say = console.say
    if report["copy_of_the_site"]:
        say("This is a copy of the site: nothing was done, what follows is due.")
    elif report["dry_run"]:
        say(f"As of {report['as_of']}; nothing was done, what follows is due.")
    for provider, last in report["silent_providers"].items():
        say(
            f"{provider} has been silent since {last}: none of its subscriptions is ended "
            "because a renewal is missing. --confirmed ends them."
        )
    for member in report["lapsed"]:
        products = ", ".join(product["product_id"] for product in member["products"])
        groups = ", ".join(member["groups"]) or "none"
        say(f"{member['user_id']} <{member['email']}>: products {products}; groups {groups}")
    say(f"Members whose access is over: {len(report['lapsed'])}")
    if report["stopped"] and "hours_off" in report["stopped"]:
        say(
            f"Stopped: the clock is off by {report['stopped']['hours_off']} hours from the "
            "time that was expected after the last sweep; it was changed, or the site was "
            "down, or restored from a backup. Nobody lost access. If the clock is right, "
            "call this with --confirmed."
        )
    elif report["stopped"]:
        say(
            f"Stopped: {report['stopped']['members']} members would lose access at once, the "
            f"limit is {report['stopped']['limit']}. Nobody lost it. If that is right, call "
            "this with --confirmed."
        )
    for key, outcome in report["entries"].items():
        say(f"Notification {key}: {outcome}")
    mails = report["mails"]
    say(f"Mails: {mails['sent']} sent, {mails['failed']} not sent, {mails['due']} due.")
    wait = report["waiting"]
    if wait["entries"] or wait["mails"]:
        say(
            f"{wait['entries']} failed notifications and {wait['mails']} mails wait for their "
            "next attempt."
        )
    if wait["accounts"]:
        say(f"{wait['accounts']} buyers wait for an account: too many were made in an hour.")
    for name, what in (
        ("groups_given_late", "members got a group that had been missing"),
        ("reminded", "members were reminded that access ends"),
        ("accounts_made_late", "buyers got an account that they had waited for"),
        ("payloads_removed", "notifications lost their old payload"),
        ("busy", "members or mails wait for the next sweep"),
        (
            "troubled",
            "members or mails are in trouble, see the log; the next sweep tries again",
        ),
    ):
        if report[name]:
            say(f"{report[name]} {what}.")
