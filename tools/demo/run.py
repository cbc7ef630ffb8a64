"""``make demo``: the add-on's main job from nothing, then a site to click on until Ctrl-C."""

from argparse import ArgumentParser
from contextlib import ExitStack
from email.message import EmailMessage
from pathlib import Path
from tools import instance
from tools import SITE_ID
from tools.demo import settings
from tools.demo.cleenglife import CleengLife
from tools.demo.plenigolife import PlenigoLife
from tools.demo.polledlife import WebTVLife
from tools.demo.sale import Sale
from tools.demo.story import Failed
from tools.demo.story import Story
from tools.demo.stripelife import StripeLife
from tools.instance import CREATE_SECONDS
from tools.mailbox import Mailbox
from tools.mailbox import rendered
from tools.program import run_module
from tools.program import ToolError
from tools.terminal import end_on_signals
from tools.terminal import Ended
from tools.terminal import free_addresses
from tools.terminal import locked
from tools.terminal import say

import shutil
import sys
import textwrap
import time


CLICK2SELL = "click2sell"
#: What is shown of each provider.
STORIES: dict[str, type[Story]] = {
    CLICK2SELL: Sale,
    "webtv": WebTVLife,
    "plenigo": PlenigoLife,
    "cleeng": CleengLife,
    "stripe": StripeLife,
}


def main() -> int:
    parser = ArgumentParser(description="Show the add-on's main job, then serve the site.")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--once", action="store_true", help="end after the report")
    parser.add_argument("--provider", default=CLICK2SELL, help=", ".join(STORIES))
    parser.add_argument("--folder", type=Path, default=settings.FOLDER, help="for the site")
    options = parser.parse_args()
    if not 0 < options.port < 65536:
        parser.error("--port: from 1 to 65535")
    if options.provider not in STORIES:
        known = ", ".join(STORIES)
        parser.error(f"no provider {options.provider!r} can be shown, choose one of {known}")
    end_on_signals()
    serving = False
    failed = 0
    try:
        with ExitStack() as stack:
            addresses = free_addresses(options.port, "demo")
            folder = options.folder.absolute()
            empty(folder, except_for=stack.enter_context(locked(folder, "demo")))
            mailbox = stack.enter_context(Mailbox(unknown=settings.UNREACHABLE))
            site = f"http://localhost:{options.port}/{SITE_ID}"
            say(f"3/3 Creating a Plone site in {folder} ...")
            story = STORIES[options.provider](site, mailbox)
            story.begin(stack)
            instance.configure(folder, views=__package__)
            month = ["month"] if story.month else []
            arguments = (folder, site, mailbox.port, story.sweep_minutes, *month)
            run_module("tools.demo.site", *arguments, timeout=CREATE_SECONDS)
            server = instance.start(folder, *addresses, environment=story.environment)
            stack.callback(server.end)
            server.wait()
            failed = report(story, server.log)
            if not options.once:
                serving = True
                mailbox.listen(_show)
                say(where_to_look(story))
                for told in story.watch():
                    say(f"{told}\n")
                while server.running:
                    time.sleep(0.5)
                raise server.error("ended")
    except ToolError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except Ended:
        say("\nThe demo has ended.")
        if not serving:
            return 130
    return 1 if failed else 0


def empty(folder: Path, except_for: Path) -> None:
    """Remove everything from the demo's folder but its marker."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path != except_for:
            path.unlink()


def report(story: Story, log: Path) -> int:
    """Go through the story and print what came of each step.

    :param log: of the site; named when a step failed.
    :returns: the number of steps that failed.
    """
    failed = 0
    say("")
    for title, step in story.steps():
        try:
            outcome, mark = step(), "ok  "
        except Failed as error:
            outcome, mark = str(error), "FAIL"
        except Exception as error:  # A step that breaks must not hide the ones after it.
            outcome, mark = f"{type(error).__name__}: {error}", "FAIL"
        failed += mark == "FAIL"
        line, _, more = outcome.partition("\n")
        if more:
            line, more = "", textwrap.indent(outcome, "       ", lambda line: True)
        say(f"  {mark} {title:<17} {line}".rstrip())
        if more:
            say(more)
    say(f"\n{failed} of the steps failed." if failed else "\nEvery step came out as it should.")
    if failed:
        say(f"The site's log: {log}")
    return failed


def where_to_look(story: Story) -> str:
    """A guide to the site while it is served."""
    member = f"{story.login} / {story.password}" if story.password else "(none was made)"
    return f"""
The site:    {story.site}
Log in at    {story.site}/login
  as owner:  {settings.OWNER} / {settings.OWNER_PASSWORD}
  as member: {member}
{story.farewell()}

Mails that the site sends are shown here. Ctrl-C ends the demo.
"""


def _show(mail: EmailMessage) -> None:
    say(f"A mail arrived:\n\n{rendered(mail)}\n")


if __name__ == "__main__":
    sys.exit(main())
