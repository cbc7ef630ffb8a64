"""``make bench``: measure, print the table, write it as JSON and as a plot."""

from argparse import ArgumentParser
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import shutil
import sys
import tempfile


# This file is run by its path, so its own package is not importable yet.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import histories  # noqa: E402
from bench import outcome  # noqa: E402
from bench import visits  # noqa: E402
from bench.measure import Benchmark  # noqa: E402
from bench.measure import Crowd  # noqa: E402
from bench.measure import Figures  # noqa: E402
from bench.server import BenchError  # noqa: E402
from bench.server import Site  # noqa: E402
from demo.mailbox import Mailbox  # noqa: E402


def main() -> int:
    parser = ArgumentParser(description="Measure what a purchase costs, and whether it grows.")
    add = parser.add_argument
    add("--members", default="100,1000,10000,100000", help="sizes, with commas between them")
    add("--entries", default="", help="sizes of ledgers whose pages are looked at, the same")
    add("--ledgers", type=Path, help="folder that keeps those ledgers for another time")
    add("--times", type=int, default=15, help="that each page is looked at")
    add("--purchases", type=int, default=200, help="of each size by one client")
    add("--crowd", type=int, default=2000, help="purchases by one client and by several")
    add("--clients", type=int, default=8, help="that buy at once")
    add("--mail", default="link", choices=("password", "link", "none"))
    add("--out", type=Path, default=Path("var/bench"), help="folder for the results")
    options = parser.parse_args()
    sizes, ledgers = _sizes(options.members), _sizes(options.entries)
    if not sizes and not ledgers:
        parser.error("nothing to measure")
    if (sizes and sizes[0] < 1) or options.purchases < 2:
        parser.error("at least one member and two purchases")
    if any(entries < 1000 or entries % histories.EACH for entries in ledgers):
        parser.error("at least 1,000 entries, and ten for each buyer")
    options.out.mkdir(parents=True, exist_ok=True)
    figures: list[Figures] = []
    crowd: Crowd | None = None
    looked_at: list[visits.Pages] = []
    try:
        with ExitStack() as stack:
            mailbox = stack.enter_context(Mailbox())
            if sizes:
                _step("making a site")
                site = Site(_folder(stack, options.out), mailbox.port)
                benchmark = Benchmark(site, options.mail)
            for size in sizes:
                _step(f"{size:,} members")
                benchmark.grow(size)
                figures.append(benchmark.alone(size, options.purchases))
            if sizes and options.crowd:
                _step(f"{options.clients} clients, {options.crowd:,} purchases")
                crowd = benchmark.crowd(sizes[-1], options.clients, options.crowd)
            if ledgers:
                kept = options.ledgers or _folder(stack, options.out)
                looked_at = _pages(stack, kept.resolve(), ledgers, mailbox.port, options.times)
    except BenchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    result = outcome.Outcome(figures, crowd, options.mail, looked_at)
    _say(f"\n{result.table()}")
    (options.out / "results.json").write_text(result.json(), encoding="utf-8")
    if figures:
        (options.out / "purchase.svg").write_bytes(result.plot())
    _say(f"\nResults are in {options.out}.")
    return 0


def _pages(
    stack: ExitStack, folder: Path, ledgers: list[int], mail_port: int, times: int
) -> list[visits.Pages]:
    """Look at the pages of sites with ledgers of several sizes, in turns."""
    sites = {}
    for entries in ledgers:
        _step(f"a ledger of {entries:,} entries")
        own = folder / str(entries)
        own.mkdir(parents=True, exist_ok=True)
        sites[entries] = Site(own, mail_port)
        sites[entries].fill_ledger(entries)
    for site in sites.values():
        stack.enter_context(site.served())
    _step("pages, and sweeps")
    return [*visits.measure(sites, times), visits.measure_sweeps(sites, lapsed=10, times=times)]


def _folder(stack: ExitStack, out: Path) -> Path:
    """A folder that is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="site-", dir=out.resolve()))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _sizes(text: str) -> list[int]:
    return sorted({int(size) for size in text.split(",") if size.strip()})


def _step(text: str) -> None:
    _say(f"{datetime.now():%H:%M:%S}  {text} ...")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
