"""``make cluster``: PostgreSQL, two Zope processes and a balancer, until Ctrl-C."""

from argparse import ArgumentParser
from contextlib import ExitStack
from niteoweb.click2sell.command import notify
from niteoweb.click2sell.providers.click2sell.protocol import CONTENT_TYPE
from pathlib import Path
from tools import client
from tools import ROOT
from tools import SITE_ID
from tools.cluster.balancer import Balancer
from tools.cluster.postgres import Postgres
from tools.cluster.zopes import Zope
from tools.cluster.zopes import zopes
from tools.demo.settings import GROUP
from tools.demo.settings import OWNER
from tools.demo.settings import PRODUCT
from tools.instance import CREATE_SECONDS
from tools.mailbox import Mailbox
from tools.mailbox import rendered
from tools.program import find
from tools.program import run_module
from tools.program import ToolError
from tools.sale import new_sale
from tools.terminal import end_on_signals
from tools.terminal import Ended
from tools.terminal import free_addresses
from tools.terminal import locked
from tools.terminal import say

import json
import secrets
import sys
import time


#: Seconds that a welcome mail may take.
MAIL_SECONDS = 60

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
            stack.enter_context(locked(folder, "cluster"))
            kept = kept_secrets(folder)
            postgres = Postgres(folder / "postgres")
            stack.callback(postgres.stop)
            say(f"Starting PostgreSQL in {folder / 'postgres'} ...")
            postgres.start()
            say("Building the Zope processes, and the site unless it is there ...")
            processes = zopes(folder, postgres.dsn)
            site = f"http://localhost:{options.port}/{SITE_ID}"
            mailbox = stack.enter_context(Mailbox())
            run_module(
                "tools.cluster.site",
                processes[0].configuration,
                site,
                told=json.dumps([kept["owner"], kept["key"], mailbox.port]),
                timeout=CREATE_SECONDS,
            )
            for zope in processes:
                zope.start()
                stack.callback(lambda zope=zope: zope.process.end())
            balancer = Balancer(folder, addresses, {one.name: one.address for one in processes})
            stack.callback(balancer.stop)
            for zope in processes:
                zope.process.wait()
            balancer.wait()
            _report(site, postgres, processes, kept)
            if options.once:
                buyer = sell(addresses[0], kept["key"], f"localhost:{options.port}")
                say(f"Sold product {PRODUCT} to {buyer} through the balancer.")
                for zope in processes:
                    zope.look_up(buyer, (OWNER, kept["owner"]))
                    say(f"  {zope.name} has the member, in the group {GROUP}.")
                mails = mailbox.wait_for(buyer, MAIL_SECONDS)
                if len(mails) != 1:
                    raise ToolError(f"{len(mails)} welcome mails came")
                say("  One welcome mail came.")
                return 0
            mailbox.listen(lambda mail: say(f"\n{rendered(mail)}"))
            serving = True
            _watch(postgres, processes, balancer)
    except (ToolError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except Ended:
        say("\nThe cluster has ended; its database stays.")
        if not serving:
            return 130
    return 0


def kept_secrets(folder: Path) -> dict[str, str]:
    """The owner's password and the secret key: random, made once, readable by us alone."""
    path = folder / "secrets.json"
    if not path.is_file():
        path.touch(0o600)
        made = {"owner": secrets.token_urlsafe(15), "key": secrets.token_urlsafe(24)}
        path.write_text(json.dumps(made), encoding="ascii")
    return json.loads(path.read_text("ascii"))


def sell(address: str, key: str, host: str) -> str:
    """Post a sale through the balancer.

    :param address: of the balancer.
    :param key: the site's secret key.
    :param host: of the site's public address: a process that it is asked by mails.
    :returns: the buyer's address.
    :raises ToolError: it is not accepted.
    """
    sale = new_sale(key)
    with client.Connection(address, host=host) as balancer:
        answer = balancer.ask("POST", notify.VIEW, sale.body, {"Content-Type": CONTENT_TYPE})
    if answer.status != 200:
        raise ToolError(f"The sale was not accepted: {answer.status} {answer.text}")
    return sale.address


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

    :raises ToolError: something else ended, or it ends again and again.
    """
    while True:
        for zope in processes:
            if zope.process.running:
                continue
            if zope.age < SHORT_LIFE:
                raise zope.process.error("ended")
            say(f"{zope.name} ended; it is started again.")
            zope.start()
        if not postgres.running or not balancer.running:
            raise ToolError("PostgreSQL or the balancer ended; see their logs.")
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
