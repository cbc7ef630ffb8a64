"""``make bench``: measure, print the table, write it as JSON."""

from argparse import ArgumentParser
from argparse import Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from http.client import HTTPException
from pathlib import Path
from tools.bench import crowd
from tools.bench import endurance
from tools.bench import histories
from tools.bench import mailing
from tools.bench import measure
from tools.bench import renewals
from tools.bench import visits
from tools.bench.outcome import Outcome
from tools.bench.provider import WrongAnswer
from tools.bench.sites import filled
from tools.bench.sites import PlainSite
from tools.bench.sites import Site
from tools.bench.sites import two_alike
from tools.mailbox import Mailbox
from tools.program import ToolError
from tools.terminal import say
from tools.terminal import step

import shutil
import sys
import tempfile


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmarks.

    :param argv: the arguments; None for those of the command line.
    :returns: 0 when all that was acknowledged was found, whatever it cost; 1 otherwise.
    """
    parser = ArgumentParser(description="Measure what a purchase costs, and whether it grows.")
    add = parser.add_argument
    add(
        "--members",
        default="0,100,1000,10000,100000",
        help="sizes, with commas between them",
    )
    add("--entries", default="", help="sizes of ledgers whose pages are looked at, the same")
    add("--memory", type=int, default=0, help="purchases after which memory is looked at")
    add("--sites", type=Path, help="folder that keeps what was filled with members")
    add("--ledgers", type=Path, help="folder that keeps those ledgers for another time")
    add("--times", type=int, default=15, help="that each page is looked at")
    add("--purchases", type=int, default=200, help="of each size by one client")
    add("--crowd", type=int, default=2000, help="purchases by one client and by several")
    add("--clients", type=int, default=8, help="that buy at once")
    add("--renewals", type=int, default=1000, help="of a buyer with a long history; 0 for none")
    add("--mail", default="link", choices=("password", "link", "none"))
    add("--out", type=Path, default=Path("var/bench"), help="folder for the results")
    options = parser.parse_args(argv)
    options.members, options.entries = _sizes(options.members), _sizes(options.entries)
    if not (options.members or options.entries or options.memory):
        parser.error("nothing to measure")
    if options.purchases < 2 or 0 < options.memory < endurance.LOOKS:
        parser.error("at least two purchases, and ten to look at the memory")
    if any(entries < 1000 or entries % histories.EACH for entries in options.entries):
        parser.error("at least 1,000 entries, and ten for each buyer")
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        result = run(options)
    except (ToolError, WrongAnswer, OSError, HTTPException) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    say(f"\n{result.table()}")
    (options.out / "results.json").write_text(result.json(), encoding="utf-8")
    say(f"\nResults are in {options.out}.")
    return 0


def run(options: Namespace) -> Outcome:
    """Measure what the options ask for.

    :raises ToolError: something is lost, or a server cannot be made or served.
    :raises WrongAnswer: a server did not answer as it has to.
    """
    result = Outcome(options.mail)
    with ExitStack() as stack:
        # Nobody reads them.
        port = stack.enter_context(Mailbox(keep=False)).port
        folder = Path(tempfile.mkdtemp(prefix="site-", dir=options.out.resolve()))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if options.members:
            _purchases(options, folder, port, result)
        if options.memory:
            step(f"a process that answers {options.memory:,} purchases")
            site = Site(folder / "memory", port, "password", endurance.CACHE_SIZE)
            site.fill(0)
            result.endurance = endurance.measure(site, options.memory, step)
            site.check()
        if options.entries:
            kept = (options.ledgers or folder).resolve()
            result.pages = _pages(stack, kept, options.entries, port, options.times)
    return result


def _purchases(options: Namespace, folder: Path, port: int, result: Outcome) -> None:
    """Measure purchases with few members and with many, and beside Plone's registration."""
    kept = options.sites and options.sites.resolve()
    sites: list[Site] = []
    plain: list[PlainSite] = []
    for size in options.members:
        step(f"{size:,} members: a site")
        sites.append(filled(Site, size, folder, kept, port, options.mail))
        step(f"{size:,} members: a Plone without the add-on")
        plain.append(filled(PlainSite, size, folder, kept, port))
    step(f"{options.purchases} purchases at each size, in turns")
    result.figures = measure.measure_sizes(sites, options.purchases)
    for site, beside in zip(sites, plain, strict=True):
        step(f"{options.purchases} purchases at each, {site.members:,} members")
        result.compared.append(measure.compare(site, beside, options.purchases))
    if options.crowd:
        step(f"{options.clients} clients, {options.crowd:,} purchases")
        result.crowd = crowd.measure(sites[-1], options.clients, options.crowd)
    step(f"{options.purchases} purchases at each of two sites, mail servers of several kinds")
    with Mailbox(keep=False) as fast, Mailbox(keep=False) as slow:
        alike = two_alike(folder / "mailing", fast.port, slow.port)
        result.mailing = mailing.measure(alike, (fast, slow), options.purchases)
    if options.renewals:
        step(f"a buyer with {options.renewals:,} renewals, and one with few")
        site = Site(folder / "renewals", port, options.mail)
        site.fill(0)
        result.renewals = renewals.measure(site, options.renewals, options.purchases)
    step("looking for what was acknowledged")
    for site in (*sites, *plain, *alike):
        site.check()


def _pages(
    stack: ExitStack, folder: Path, ledgers: list[int], mail_port: int, times: int
) -> list[visits.Pages]:
    """Look at the pages of sites with ledgers of several sizes, in turns."""
    sites = {}
    for entries in ledgers:
        step(f"a ledger of {entries:,} entries")
        sites[entries] = Site(folder / str(entries), mail_port)
        sites[entries].fill_ledger(entries)
    for site in sites.values():
        stack.enter_context(site.served())
    step("pages, and sweeps")
    return [*visits.measure(sites, times), visits.measure_sweeps(sites, lapsed=10, times=times)]


def _sizes(text: str) -> list[int]:
    return sorted({int(size) for size in text.split(",") if size.strip()})


if __name__ == "__main__":
    sys.exit(main())
