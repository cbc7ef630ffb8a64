"""``make demo``: the add-on's main job from nothing, then a site to click on until Ctrl-C."""

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import ExitStack
from email.message import EmailMessage
from pathlib import Path

import errno
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time


# This file is run by its path, so its own package is not importable yet.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from demo import settings  # noqa: E402
from demo.mailbox import Mailbox  # noqa: E402
from demo.mailbox import rendered  # noqa: E402
from demo.plonesite import write_configuration  # noqa: E402
from demo.steps import Failed  # noqa: E402
from demo.steps import Story  # noqa: E402
from demo.visitor import Visitor  # noqa: E402


#: Says that the folder is the demo's, and is locked while a demo runs in it.
MARKER = ".click2sell-demo"
CREATE_SECONDS = 300
SERVE_SECONDS = 180


class DemoError(Exception):
    """The demo cannot go on; the message is for the person at the terminal."""


class Ended(BaseException):
    """Ctrl-C or SIGTERM. Not an Exception, so that no step takes it for a failure."""


def main() -> int:
    parser = ArgumentParser(description="Show the add-on's main job, then serve the site.")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--once", action="store_true", help="end after the report")
    options = parser.parse_args()
    if not 0 < options.port < 65536:
        parser.error("--port: from 1 to 65535")
    signal.signal(signal.SIGINT, _end)
    signal.signal(signal.SIGTERM, _end)
    serving = False
    failed = 0
    try:
        with ExitStack() as stack:
            addresses = free_addresses(options.port)
            stack.enter_context(prepared(settings.FOLDER))
            mailbox = stack.enter_context(Mailbox(unknown=settings.UNREACHABLE))
            site = f"http://localhost:{options.port}/{settings.SITE_ID}"
            _say(f"Creating a Plone site in {settings.FOLDER} ...")
            server = start_site(stack, addresses, mailbox, site)
            story = Story(site, mailbox)
            failed = report(story)
            if not options.once:
                serving = True
                mailbox.listen(_show)
                wait(server, story)
    except DemoError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except Ended:
        _say("\nThe demo has ended.")
        if not serving:
            return 130
    return 1 if failed else 0


def free_addresses(port: int, target: str = "demo") -> list[str]:
    """Where to listen, so that localhost is reached by either of its addresses.

    :param target: of make, which is told with another port.
    :raises DemoError: something else listens there.
    """
    free = []
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        except OSError as error:
            if family == socket.AF_INET6 and error.errno != errno.EADDRINUSE:
                continue  # A machine without IPv6.
            reason = (
                "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error}"
            )
            raise DemoError(
                f"Port {port} {reason}. Choose another one: make {target} PORT=8081"
            ) from None
        free.append(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    return free


@contextmanager
def prepared(folder: Path) -> Iterator[None]:
    """Empty the demo's folder, and keep it for this demo alone.

    :raises DemoError: it is somebody else's, or another demo runs in it.
    """
    marker = folder / MARKER
    if folder.is_symlink() or (folder.exists() and not marker.is_file()):
        raise DemoError(f"{folder} was not made by the demo: move it away first.")
    folder.mkdir(parents=True, exist_ok=True)
    with marker.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(f"Another demo is running in {folder}.") from None
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path != marker:
                path.unlink()
        yield


def start_site(
    stack: ExitStack, addresses: list[str], mailbox: Mailbox, site: str
) -> subprocess.Popen:
    """Create the site and serve it.

    :param stack: ends the processes.
    :returns: the process that serves.
    :raises DemoError: the site cannot be created, or does not answer in time.
    """
    write_configuration(settings.FOLDER, addresses)
    log = stack.enter_context((settings.FOLDER / "site.log").open("wb"))
    with ExitStack() as creation:
        process = _start(creation, log, "create", str(mailbox.port))
        try:
            if process.wait(CREATE_SECONDS):
                raise DemoError(f"The site could not be created:\n{_end_of_log()}")
        except subprocess.TimeoutExpired:
            raise DemoError(
                f"The site was not created within {CREATE_SECONDS} seconds."
            ) from None
    server = _start(stack, log, "serve")
    visitor = Visitor(site)
    deadline = time.monotonic() + SERVE_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise DemoError(f"The server ended:\n{_end_of_log()}")
        try:
            visitor.page("")
        except OSError:
            time.sleep(0.2)
        else:
            return server
    raise DemoError(f"{site} did not answer within {SERVE_SECONDS} seconds.")


def report(story: Story) -> int:
    """Go through the story and print what came of each step.

    :returns: the number of steps that failed.
    """
    failed = 0
    _say("")
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
        _say(f"  {mark} {title:<17} {line}".rstrip())
        if more:
            _say(more)
    _say(
        f"\n{failed} of the steps failed." if failed else "\nEvery step came out as it should."
    )
    if failed:
        _say(f"The site's log: {settings.FOLDER / 'site.log'}")
    return failed


def wait(server: subprocess.Popen, story: Story) -> None:
    """Tell what there is to do, and serve until the demo is ended.

    :raises DemoError: the server ended by itself.
    """
    member = f"{story.login} / {story.password}" if story.password else "(none was made)"
    _say(
        f"""
The site:    {story.site}
Log in at    {story.site}/login
  as owner:  {settings.OWNER} / {settings.OWNER_PASSWORD}
  as member: {member}
Settings:    {story.site}/@@click2sell-settings
A month of made-up notifications, a few of which need attention:
             {story.site}/@@click2sell-notifications

Another sale, signed with the demo's secret key "{settings.SECRET_KEY}":

  {story.curl_line()}

Mails that the site sends are shown here. Ctrl-C ends the demo.
"""
    )
    while server.poll() is None:
        time.sleep(0.5)
    raise DemoError(f"The server ended:\n{_end_of_log()}")


def _start(stack: ExitStack, log, *arguments: str) -> subprocess.Popen:
    command, *rest = arguments
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "demo.plonesite", command, str(settings.FOLDER), *rest],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "zope_i18n_compile_mo_files": "true",
        },
        cwd=settings.ROOT,
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
    )
    stack.callback(_stop, process)
    return process


def _stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdin.close()


def _end_of_log() -> str:
    lines = (settings.FOLDER / "site.log").read_text("utf-8", "replace").splitlines()
    return "\n".join(lines[-25:])


def _end(signum, frame) -> None:
    # A second Ctrl-C must not interrupt the ending of the server.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Ended


def _show(mail: EmailMessage) -> None:
    _say(f"A mail arrived:\n\n{rendered(mail)}\n")


def _say(text: str) -> None:
    # At once, even when the output goes into a file or a pipe.
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
