"""``make soak``: mixed traffic for some minutes, then the checks."""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from email.message import EmailMessage
from pathlib import Path
from tools.bench.sites import Site
from tools.mailbox import Mailbox
from tools.program import run_module
from tools.program import ToolError
from tools.soak.outcome import Outcome
from tools.soak.outcome import Window
from tools.soak.traffic import Traffic
from tools.soak.watch import look
from tools.soak.watch import Watch
from tools.terminal import say
from tools.terminal import step

import json
import shutil
import sys
import tempfile
import time


#: Objects that each thread keeps: so few that its cache is full after the warm-up, and what
#: grows then is no cache.
CACHE_SIZE = 2000
#: Of the time, for caches to fill and modules to be imported.
WARM_UP = 0.15
#: Seconds without traffic after which nothing of it may be left: waitress looks for closed
#: connections every 30 seconds.
REST_SECONDS = 35.0


def main() -> int:
    parser = ArgumentParser(description="Mixed traffic: nothing may leak, slow down, get lost.")
    add = parser.add_argument
    add("--minutes", type=float, default=30.0)
    add("--clients", type=int, default=4)
    add("--out", type=Path, default=Path("var/soak"), help="folder for the results")
    options = parser.parse_args()
    if options.minutes <= 0 or options.clients < 1:
        parser.error("more than no minutes, and at least one client")
    options.out.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="site-", dir=options.out.resolve()))
    try:
        found = soak(folder, options.minutes * 60, options.clients, step)
    except ToolError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    bars = [*found.bars(), *found.long_bars()]
    say(f"\n{found.table(bars)}")
    (options.out / "results.json").write_text(found.json(bars), encoding="utf-8")
    say(f"\nThe results are in {options.out}.")
    return 0 if all(bar.met for bar in bars) else 1


def soak(
    folder: Path,
    seconds: float,
    clients: int,
    tell: Callable[[str], None],
    rest: float = REST_SECONDS,
) -> Outcome:
    """Make a site, serve it, send it traffic, and look what came of it.

    :param folder: an empty one.
    :param tell: called with what is being done.
    :param rest: seconds without traffic before each look at what is left of it.
    :raises ToolError: the site cannot be made or served.
    """
    with ExitStack() as stack:
        mailbox = stack.enter_context(Mailbox())
        mails: Counter[str] = Counter()

        def count(mail: EmailMessage) -> None:
            mails[mail["X-Envelope-To"]] += 1

        mailbox.listen(count)
        tell("making a site")
        site = Site(folder, mailbox.port, cache=CACHE_SIZE)
        with site.served() as pid, Watch(pid) as watch:
            traffic = Traffic(site.port, clients)
            tell("warming up")
            traffic.go()
            time.sleep(WARM_UP * seconds)
            traffic.rest()
            site.settle()
            time.sleep(rest)
            before = look(pid)
            tell(f"{(1 - WARM_UP) * seconds / 60:.1f} minutes of traffic")
            begin = time.monotonic()
            traffic.go()
            time.sleep((1 - WARM_UP) * seconds)
            window = Window(begin, time.monotonic())
            traffic.end()
            site.settle()
            time.sleep(rest)
            after = look(pid)
        tell("looking for what was acknowledged")
        problems = _problems(folder, traffic)
        # Every buyer is a new member, who is mailed once.
        problems += [f"{name}: no mail" for name in traffic.acknowledged if name not in mails]
        twice = sum(number > 1 for number in mails.values())
        return Outcome(traffic, window, watch.looks, (before, after), problems, twice)


def _problems(folder: Path, traffic: Traffic) -> list[str]:
    told = json.dumps({"acknowledged": traffic.acknowledged, "never": traffic.never})
    # Whatever else is printed comes before.
    return json.loads(run_module("tools.soak.check", folder, told=told).splitlines()[-1])


if __name__ == "__main__":
    sys.exit(main())
