"""The shape of all commands: their arguments, the site that they open, their output.

A command opens the database itself, so it is for sites on ZEO or RelStorage, and for others
while they are stopped. It ends with 0 when all is well, 1 when something could not be done, and
2 when it was called wrongly. Plone is only imported where it is needed: ``--help`` and a wrong
argument are answered at once.
"""

from argparse import ArgumentParser
from argparse import Namespace
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from niteoweb.click2sell.command.posting import printable
from pathlib import Path
from typing import Any

import json
import logging
import os
import sys


#: Where buildout puts the configuration of a Zope instance.
CONFIGURATION = Path("parts", "instance", "etc", "zope.conf")
CONFIGURATION_VARIABLE = "ZOPE_CONF"

#: Lines of a list that are printed.
SHOWN = 50


class Problem(Exception):
    """A command cannot do its work: a sentence for the person at the terminal.

    :ivar status: the exit status of the command.
    """

    def __init__(self, sentence: str, status: int = 1) -> None:
        super().__init__(sentence)
        self.status = status


def parser(name: str, description: str, applying: str = "") -> ArgumentParser:
    """A parser with the arguments that all commands have.

    :param name: of the command.
    :param applying: what ``--apply`` does, for a command that is a preview without it; "" for
        another command.
    """
    made = ArgumentParser(
        prog=name,
        allow_abbrev=False,
        description=description,
        epilog="Ends with 0 when all is well, with 1 when something could not be done, with 2 "
        "when it was called wrongly. It opens the database itself: it is for sites on ZEO or "
        "RelStorage, and for others while they are stopped.",
    )
    made.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        default=Path(os.environ.get(CONFIGURATION_VARIABLE) or CONFIGURATION),
        help=f"zope.conf of the site's instance (default: ${CONFIGURATION_VARIABLE}, else "
        f"{CONFIGURATION} below this folder)",
    )
    made.add_argument(
        "--site",
        metavar="PATH",
        help="id or path of the Plone site (default: the only one with the add-on)",
    )
    made.add_argument("--json", action="store_true", help="print the result as JSON")
    if applying:
        which = made.add_mutually_exclusive_group()
        which.add_argument("--dry-run", action="store_true", help="only tell (the default)")
        which.add_argument("--apply", action="store_true", help=applying)
    return made


def run(options: Namespace, work: Callable[[Any], int]) -> int:
    """Open the site and do a command's work.

    :param options: parsed by :func:`parser`.
    :param work: called with the site; returns the exit status.
    :returns: the exit status.
    """
    _log_to_the_terminal()
    try:
        with opened(options.config, options.site) as site:
            from niteoweb.click2sell.storage import transactions

            try:
                return work(site)
            except transactions.Busy:
                raise Problem(
                    "The database is read-only, or another process was at the same records all "
                    "the time, or it cannot be reached. Try again later."
                ) from None
    except Problem as problem:
        complain(str(problem))
        return problem.status


@contextmanager
def opened(configuration: Path, path: str | None) -> Iterator[Any]:
    """Open a site as a script that may do everything; nothing is committed at the end.

    :param configuration: of the Zope instance.
    :param path: of the site in the database; None for the only one with the add-on.
    :raises Problem: it cannot be opened, or it is not clear which one is meant.
    """
    app = _application(configuration)
    from niteoweb.click2sell.storage import session
    from zope.component.hooks import setSite

    import transaction
    import Zope2

    try:
        with session.opened(app._p_jar, ("",), session.Surroundings()) as root:
            site = _site(root, path)
            setSite(site)
            yield site
    finally:
        transaction.abort()
        app._p_jar.close()
        for database in Zope2.opened:
            database.close()


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{printable(text)}\n")


def say_some(lines: Sequence[str], indent: str = "") -> None:
    """Print the first lines of a list; JSON has them all."""
    for line in lines[:SHOWN]:
        say(f"{indent}{line}")
    if len(lines) > SHOWN:
        say(f"{indent}and {len(lines) - SHOWN} more; --json lists all")


def say_json(value: Any) -> None:
    """Print a result as JSON."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def complain(text: str) -> None:
    """Print a line of errors or progress."""
    sys.stderr.write(f"{printable(text)}\n")
    sys.stderr.flush()


def _application(configuration: Path) -> Any:
    """Zope's root, as the configuration says."""
    if not configuration.is_file():
        raise Problem(
            f"There is no {configuration}. Name the zope.conf of your instance with --config.",
            2,
        )
    from zc.lockfile import LockError
    from ZConfig import ConfigurationError
    from ZODB.POSException import StorageError
    from Zope2.Startup.run import configure_wsgi

    # Its own message about the lock would repeat the sentence below.
    logging.getLogger("zc.lockfile").setLevel(logging.CRITICAL)
    try:
        configure_wsgi(str(configuration.resolve()))
        # No import of Plone's test fixtures before this: it would put a database in memory in
        # the place of the one of the configuration.
        import Zope2

        return Zope2.app()
    except ConfigurationError as error:
        raise Problem(f"{configuration} cannot be read: {error}") from None
    except LockError:
        raise Problem(
            "The database is open in a running instance. This command is for sites on ZEO or "
            "RelStorage, and for a site that is stopped; a running one is swept by a POST to "
            "its address with /@click2sell-sweep."
        ) from None
    except StorageError as error:
        raise Problem(f"The database cannot be opened: {type(error).__name__}.") from None


def _site(app: Any, path: str | None) -> Any:
    from niteoweb.click2sell.storage import session
    from plone.base.interfaces import IPloneSiteRoot

    if path is not None:
        site = app.unrestrictedTraverse(path.strip("/").split("/"), None)
        if not IPloneSiteRoot.providedBy(site):
            raise Problem(f"There is no Plone site {path!r}.", 2)
        if not session.has_addon(site):
            raise Problem(_NOT_INSTALLED.format(f"{path!r}"), 2)
        return site
    sites = list(session.sites(app))
    if not sites:
        raise Problem(_NOT_INSTALLED.format("any Plone site here"), 2)
    if len(sites) > 1:
        paths = ", ".join("/".join(site.getPhysicalPath()) for site in sites)
        raise Problem(f"Several sites have the add-on: name one with --site ({paths}).", 2)
    return sites[0]


_NOT_INSTALLED = (
    "The add-on is not installed in {}, or its upgrade is waiting in Site Setup, Add-ons."
)


class _Once(logging.Filter):
    """A mistake in the mapping is told once, not for each member."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[tuple[str, str]] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        line = (record.name, record.getMessage())
        new = line not in self._seen
        self._seen.add(line)
        return new


def _log_to_the_terminal() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s [%(name)s] %(message)s"))
    handler.addFilter(_Once())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
