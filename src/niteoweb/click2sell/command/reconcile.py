"""``click2sell-reconcile``: make everybody's groups agree with today's mapping."""

from collections.abc import Sequence
from dataclasses import asdict
from niteoweb.click2sell.command import console
from typing import Any


#: Members between two lines of progress.
PROGRESS = 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """Reconcile everybody, or preview the changes.

    :returns: 0, or 1 when members were left or are in trouble, or on a copy of the site.
    """
    parser = console.parser(
        "click2sell-reconcile",
        "After a change of products and groups: give members the groups that the mapping gives "
        "now, and take away those it does not give any more. Tells what would change, unless "
        "--apply is given. Only groups that this add-on gave are taken.",
        applying="change the groups",
    )
    options = parser.parse_args(arguments)
    return console.run(options, lambda site: _reconcile(site, options.apply, options.json))


def _reconcile(site: Any, applying: bool, as_json: bool) -> int:
    from niteoweb.click2sell.owner import reconcile

    part = reconcile.part(site)
    changes, troubled = part.changes, part.troubled
    if not as_json:
        for change in changes:
            console.say(_line(change))
    report = reconcile.ReconcileReport()
    if applying:
        try:
            report = reconcile.apply(changes, lambda so_far: _progress(so_far, len(changes)))
        except reconcile.CopyOfSite:
            raise console.Problem("This is a copy of the site: nothing was changed.") from None
    if as_json:
        console.say_json(
            {
                "dry_run": not applying,
                "changes": [asdict(change) for change in changes],
                "changed": report.changed,
                "left": report.left,
                "troubled": troubled,
            }
        )
    elif applying:
        console.say(f"{report.changed} members changed, {report.left} left.")
    elif changes:
        console.say(f"{len(changes)} members would change. --apply does it.")
    elif not troubled:
        console.say("Nothing to change.")
    if troubled and not as_json:
        console.say(f"{troubled} members could not be looked at, see the log.")
    return 1 if report.left or troubled else 0


def _progress(report: Any, number: int) -> bool:
    if report.looked_at % PROGRESS == 0:
        console.complain(f"{report.looked_at} of {number}")
    return False


def _line(change: Any) -> str:
    groups = [f"+ {name}" for name in change.given] + [f"- {name}" for name in change.taken]
    return f"{change.user_id or 'new member'} <{change.address}>: {', '.join(groups)}"
