"""``click2sell-reindex``: make the indexes and the report's figures anew."""

from collections.abc import Sequence
from niteoweb.click2sell.command import console


def main(arguments: Sequence[str] | None = None) -> int:
    """Rebuild the indexes, and correct the figures, in a commit each.

    :param arguments: of the command; None for those it was called with.
    """
    options = console.parser(
        "click2sell-reindex",
        "Make the indexes anew: that of members' addresses and login names, after an import of "
        "members that went past Plone, for example, and those that buyers, notifications and "
        "mails are found by. Count the figures of the report anew: after a change of the "
        "site's time zone, for example.",
    ).parse_args(arguments)
    return console.run(options, lambda site: _reindex(options.json))


def _reindex(as_json: bool) -> int:
    from niteoweb.click2sell.ledger import mentions
    from niteoweb.click2sell.ledger import ownership
    from niteoweb.click2sell.ledger import search
    from niteoweb.click2sell.mail import outbox
    from niteoweb.click2sell.member import index
    from niteoweb.click2sell.report import recount
    from niteoweb.click2sell.storage import transactions

    numbers = {
        "members": transactions.run(index.rebuild),
        "buyers": transactions.run(search.rebuild),
        "mails": transactions.run(outbox.rebuild),
        "mentions": transactions.run(mentions.rebuild),
        "corrections": transactions.run(ownership.rebuild),
    }
    corrected = transactions.run(recount.rebuild)
    if as_json:
        console.say_json({**numbers, "corrected": corrected})
    else:
        text = ", ".join(f"{number} {what}" for what, number in numbers.items())
        console.say(f"In the index: {text}.")
        console.say(f"{corrected} things that the report counts were corrected.")
    return 0
