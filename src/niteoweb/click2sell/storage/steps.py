"""The places where a process can die or fail, in order: tests make it do so at each."""

STEPS = (
    "before record",
    "recorded",
    "before plan",
    "planned",
    "member made",
    "properties written",
    "groups changed",
    "before commit",
    "provisioned",
    "before mail",
    "mail marked sending",
    "mail handed over",
    "mail marked sent",
    "finished",
)

#: Those that only a site with receivers of hooks reaches, in its thread for them.
OF_HOOKS = ("events taken", "events posted")


def reached(name: str) -> None:
    """A place of these is reached; does nothing, tests replace it."""
