"""``click2sell-adopt``: take over the members of release 0.4.5."""

from collections.abc import Sequence
from niteoweb.click2sell.command import console
from typing import Any


#: The titles of the lists of members, in order, by the reasons of legacymember.py.
WHY = {
    "lapses": "Adopted, but the days of access are over: the next sweep ends it",
    "other groups": "Adopted, but in groups of other products too, which stay until you decide",
    "outside": "Adopted, but in no group of the product: access counts as ended",
    "more groups": "Adopted; a later run gives further groups of the product",
    "no line": "Adopted, but the mapping has no line for the product: no access until then",
    "privileged": "Not adopted: can administer the site",
    "no address": "Not adopted: has no usable address",
    "no date": "Not adopted: has no usable date of purchase",
    "several accounts": "Not adopted: another account has this address too",
    "another buyer": "Not adopted: the address belongs to a buyer who is another member",
    "bought since": "Not adopted: bought since the upgrade; these groups are never taken away",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Adopt the members, or preview their adoption."""
    parser = console.parser(
        "click2sell-adopt",
        "For sites that ran release 0.4.5, once, after its upgrade: write down a purchase for "
        "each member from the purchase fields, so that access can end and renew from then on. "
        "Gives and takes no group and mails nobody. Tells what it would do, unless --apply is "
        "given; call it again after an interruption.",
        applying="write the purchases down",
    )
    options = parser.parse_args(arguments)
    return console.run(options, lambda site: _adopt(options.apply, options.json))


def _adopt(applying: bool, as_json: bool) -> int:
    from niteoweb.click2sell.setup import adoption

    report = adoption.adopt(applying, progress=_progress)
    if as_json:
        console.say_json(
            {
                "dry_run": not applying,
                "looked_at": report.looked_at,
                "adopted": report.adopted,
                "skipped": report.skipped,
                "listed": [finding.as_json() for finding in report.findings],
            }
        )
        return 0
    for why, title in WHY.items():
        _tell(title, [finding for finding in report.findings if finding.why == why])
    console.say(
        f"{report.adopted} members {'adopted' if applying else 'would be adopted'}, "
        f"{report.skipped} were before, {report.looked_at} looked at."
    )
    if not applying:
        console.say("Nothing was done. --apply does it.")
    return 0


def _tell(title: str, findings: Sequence[Any]) -> None:
    if not findings:
        return
    console.say(f"{title} ({len(findings)})")
    console.say_some([_line(finding) for finding in findings], indent="  ")


def _line(finding: Any) -> str:
    groups = f", groups {', '.join(finding.groups)}" if finding.groups else ""
    return f"{finding.user_id} <{finding.address}>: product {finding.product_id}{groups}"


def _progress(report: Any) -> None:
    console.complain(f"{report.looked_at} members looked at, {report.adopted} adopted")
