"""``make cluster``: PostgreSQL, two Zope processes and a balancer, until Ctrl-C."""

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import ExitStack
from pathlib import Path
from tools import ROOT
from tools.cluster.balancer import Balancer
from tools.cluster.instance import create_site
from tools.cluster.instance import Zope
from tools.cluster.instance import zopes
from tools.cluster.plonesite import GROUP
from tools.cluster.plonesite import OWNER
from tools.cluster.plonesite import PRODUCT
from tools.cluster.plonesite import SITE_ID
from tools.cluster.postgres import Postgres
from tools.cluster.program import ClusterError
from tools.cluster.program import find
from tools.cluster.sale import sell
from tools.demo.process import DemoError
from tools.demo.process import free_addresses
from tools.demo.terminal import end_on_signals
from tools.demo.terminal import Ended
from tools.demo.terminal import say

import fcntl
import json
import secrets
import sys
import time


MARKER = ".click2sell-cluster"
#: A process that ended sooner after its start is not started again.
SHORT_LIFE = 30


def main() -> int:
    parser = ArgumentParser(description="Run a site on PostgreSQL with two Zope processes.")
    parser.add_argument("--port", type=int, default=8080, help="of the balancer")
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "cluster")
    parser.add_argument("--once", action="store_true", help="sell once, report, and end")
    options = parser.parse_args()
    if not 0 < options.port < 65536:
        parser.error("--port: from 1 to 65535")
    end_on_signals()
    serving = False
    try:
        with ExitStack() as stack:
            find("haproxy")
            addresses = free_addresses(options.port, "cluster")
            folder = options.folder.resolve()
            stack.enter_context(locked(folder))
            kept = kept_secrets(folder)
            postgres = Postgres(folder / "postgres")
            stack.callback(postgres.stop)
            say(f"Starting PostgreSQL in {folder / 'postgres'} ...")
            postgres.start()
            say("Building the Zope processes, and the site unless it is there ...")
            processes = zopes(folder, postgres.dsn)
            create_site(folder, processes[0], kept["owner"], kept["key"])
            for process in processes:
                stack.callback(process.stop)
                process.start()
            balancer = Balancer(
                folder, addresses, SITE_ID, {one.name: one.address for one in processes}
            )
            stack.callback(balancer.stop)
            for process in processes:
                process.wait()
            balancer.wait()
            site = f"http://localhost:{options.port}/{SITE_ID}"
            _report(site, postgres, processes, kept)
            if options.once:
                buyer = sell(site, kept["key"])
                say(f"Sold product {PRODUCT} to {buyer} through the balancer.")
                for process in processes:
                    process.look_up(buyer, (OWNER, kept["owner"]))
                    say(f"  {process.name} has the member, in the group {GROUP}.")
                return 0
            serving = True
            _watch(postgres, processes, balancer)
    except (ClusterError, DemoError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except Ended:
        say("\nThe cluster has ended; its database stays.")
        if not serving:
            return 130
    return 0


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep a folder for this cluster alone.

    :raises ClusterError: it is somebody else's, or another cluster runs in it.
    """
    marker = folder / MARKER
    if folder.is_dir() and any(folder.iterdir()) and not marker.is_file():
        raise ClusterError(f"{folder} was not made by this command: move it away first.")
    folder.mkdir(parents=True, exist_ok=True)
    with marker.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ClusterError(f"Another cluster is running in {folder}.") from None
        yield


def kept_secrets(folder: Path) -> dict[str, str]:
    """The owner's password and the secret key: random, made once, readable by us alone."""
    path = folder / "secrets.json"
    if not path.is_file():
        path.touch(0o600)
        made = {"owner": secrets.token_urlsafe(15), "key": secrets.token_urlsafe(24)}
        path.write_text(json.dumps(made), encoding="ascii")
    return json.loads(path.read_text("ascii"))


def _report(site: str, postgres: Postgres, processes: list[Zope], kept: dict[str, str]) -> None:
    names = ", ".join(f"{one.name} at {one.address}" for one in processes)
    say(
        f"""
The site:    {site}
Log in at    {site}/login
  as owner:  {OWNER} / {kept["owner"]}
Behind it:   {names};
             PostgreSQL at 127.0.0.1:{postgres.port}

A sale of product {PRODUCT}, which gives the group {GROUP}:

  CLICK2SELL_SECRET_KEY={kept["key"]} bin/click2sell-notify \\
    --product {PRODUCT} --email zoe@example.org {site}

Each process may be ended (its id is in its log): it is started again. Ctrl-C ends the cluster.
"""
    )


def _watch(postgres: Postgres, processes: list[Zope], balancer: Balancer) -> None:
    """Serve, and start a Zope process again when it ended.

    :raises ClusterError: something else ended, or it ends again and again.
    """
    while True:
        for process in processes:
            if process.running:
                continue
            if process.age < SHORT_LIFE:
                raise ClusterError(f"{process.name} ended:\n{process.last_words()}")
            say(f"{process.name} ended; it is started again.")
            process.start()
        if not postgres.running or not balancer.running:
            raise ClusterError("PostgreSQL or the balancer ended; see their logs.")
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
