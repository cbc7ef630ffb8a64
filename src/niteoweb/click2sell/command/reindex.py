"""``click2sell-reindex``: make the index of members' addresses and login names anew."""

from collections.abc import Sequence
from niteoweb.click2sell import console

import sys


def main(arguments: Sequence[str] | None = None) -> int:
    """Rebuild the index, in one commit.

    :param arguments: of the command; None for those it was called with.
    """
    options = console.parser(
        "click2sell-reindex",
        "Make the index of members' addresses and login names anew: after an import of members "
        "that went past Plone, for example.",
    ).parse_args(arguments)
    return console.run(options, lambda site: _reindex(options.json))


def _reindex(as_json: bool) -> int:
    from niteoweb.click2sell import commit
    from niteoweb.click2sell import memberindex

    members = commit.run(memberindex.rebuild)
    if as_json:
        console.say_json({"members": members})
    else:
        console.say(f"{members} members are in the index.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
