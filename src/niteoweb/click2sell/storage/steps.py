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


def reached(name: str) -> None:
    """A place of :data:`STEPS` is reached; does nothing, tests replace it."""
