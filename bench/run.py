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

from bench import outcome  # noqa: E402
from bench.measure import Benchmark  # noqa: E402
from bench.measure import Crowd  # noqa: E402
from bench.server import BenchError  # noqa: E402
from bench.server import Site  # noqa: E402
from demo.mailbox import Mailbox  # noqa: E402


def main() -> int:
    parser = ArgumentParser(description="Measure what a purchase costs, and whether it grows.")
    add = parser.add_argument
    add("--members", default="100,1000,10000,100000", help="sizes, with commas between them")
    add("--purchases", type=int, default=200, help="of each size by one client")
    add("--crowd", type=int, default=2000, help="purchases by one client and by several")
    add("--clients", type=int, default=8, help="that buy at once")
    add("--mail", default="link", choices=("password", "link", "none"))
    add("--out", type=Path, default=Path("var/bench"), help="folder for the results")
    options = parser.parse_args()
    sizes = sorted({int(size) for size in options.members.split(",")})
    if sizes[0] < 1 or options.purchases < 2:
        parser.error("at least one member and two purchases")
    options.out.mkdir(parents=True, exist_ok=True)
    figures = []
    crowd: Crowd | None = None
    try:
        with ExitStack() as stack:
            folder = Path(tempfile.mkdtemp(prefix="site-", dir=options.out.resolve()))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            mailbox = stack.enter_context(Mailbox())
            _step("making a site")
            benchmark = Benchmark(Site(folder, mailbox.port), options.mail)
            for size in sizes:
                _step(f"{size:,} members")
                benchmark.grow(size)
                figures.append(benchmark.alone(size, options.purchases))
            if options.crowd:
                _step(f"{options.clients} clients, {options.crowd:,} purchases")
                crowd = benchmark.crowd(sizes[-1], options.clients, options.crowd)
    except BenchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    result = outcome.Outcome(figures, crowd, options.mail)
    _say(f"\n{result.table()}")
    (options.out / "results.json").write_text(result.json(), encoding="utf-8")
    (options.out / "purchase.svg").write_bytes(result.plot())
    _say(f"\nResults and plot are in {options.out}.")
    return 0


def _step(text: str) -> None:
    _say(f"{datetime.now():%H:%M:%S}  {text} ...")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
