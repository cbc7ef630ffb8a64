"""``click2sell-reindex``: make the indexes and the report's figures anew."""

from collections.abc import Sequence
from niteoweb.click2sell.command import console
from typing import Any


def main(arguments: Sequence[str] | None = None) -> int:
    """Rebuild the indexes and the counters."""
    options = console.parser(
        "click2sell-reindex",
        "Make the indexes anew: that of members' addresses and login names, after an import of "
        "members that went past Plone, for example, and those that buyers, notifications and "
        "mails are found by. Count the figures of the report anew: after a change of the "
        "site's time zone, for example.",
    ).parse_args(arguments)
    return console.run(options, lambda site: _reindex(options.json))


def _reindex(as_json: bool) -> int:
    # Each of these rooms defines indexes of its records.
    from niteoweb.click2sell import buyers  # noqa: F401
    from niteoweb.click2sell import ledger  # noqa: F401
    from niteoweb.click2sell import mail  # noqa: F401
    from niteoweb.click2sell.member import index
    from niteoweb.click2sell.storage import indexes
    from niteoweb.click2sell.storage import transactions

    transactions.run(note_logins)
    numbers = {
        "members": transactions.run(index.rebuild),
        **transactions.run(indexes.rebuild),
    }
    numbers["notifications"], corrected = numbers.pop("entries"), numbers.pop("corrected")
    numbers["hooks"] = numbers.pop("hook_events")
    if as_json:
        console.say_json({**numbers, "corrected": corrected})
    else:
        indexed = ", ".join(f"{number} {kind}" for kind, number in numbers.items())
        console.say(f"In the indexes: {indexed}. {corrected} of them were filed wrongly.")
    return 0


def note_logins(site: Any) -> None:
    """Note which members of ours logged in, where Plone knows and we do not."""
    from niteoweb.click2sell.buyers import buyers
    from niteoweb.click2sell.member import accounts
    from niteoweb.click2sell.storage import batched
    from niteoweb.click2sell.storage import trees

    for buyer in batched(site, trees.tree(site, "buyers").values(), changing=True):
        if buyer["made"] and accounts.exists(buyer["user_id"]):
            logged_in = not accounts.never_logged_in(buyer["user_id"])
            buyers.change(site, buyer, logged_in=logged_in)
