"""The results for the terminal."""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from tools.bench.crowd import Crowd
from tools.bench.endurance import Endurance
from tools.bench.measure import Compared
from tools.bench.measure import Figures
from tools.bench.visits import Pages


def of_sizes(figures: Sequence[Figures]) -> Iterator[str]:
    """Sites of several sizes."""
    heads = ("members", "purchase", "duplicate", "forged", "floor", "bytes", "memory")
    yield _row(heads)
    for found in figures:
        yield _row(
            (
                f"{found.members:,}",
                *map(_ms, (found.purchase, found.duplicate, found.forged, found.floor)),
                f"{found.bytes_purchase:,.0f}",
                _mb(found.memory),
            )
        )


def of_compared(compared: Sequence[Compared]) -> Iterator[str]:
    """The site beside other software; bytes are those of a purchase."""
    yield "A purchase beside Plone's registration alone, bare Django, and release 0.4.5:"
    names = ("add-on", "alone", "Django", "0.4.5")
    yield _row(("members", *names, *(f"bytes {name}" for name in names), "over alone"))
    for found in compared:
        times = (found.site, found.registration, found.django, found.legacy)
        grown = (
            found.bytes_site,
            found.bytes_registration,
            found.bytes_django,
            found.bytes_legacy,
        )
        yield _row(
            (
                f"{found.members:,}",
                *("-" if value is None else _ms(value) for value in times),
                *("-" if value is None else f"{value:,.0f}" for value in grown),
                f"{found.site / found.registration:.2f}",
            )
        )


def of_crowd(crowd: Crowd) -> Iterator[str]:
    """One client, and several at once."""
    for number, seconds in crowd.seconds.items():
        yield (
            f"{number:>3} clients: {crowd.purchases:,} purchases in {seconds:.1f} s, "
            f"p50 {crowd.p50[number]:.1f} ms, p99 {crowd.p99[number]:.1f} ms"
        )


def of_endurance(found: Endurance) -> Iterator[str]:
    """What a process holds."""
    yield _row(("purchases", "memory", "loaded", "placeholders", "objects"))
    for look in found.looks:
        numbers = (look.loaded, look.placeholders, look.objects)
        cells = (f"{number:,}" for number in numbers)
        yield _row((f"{look.purchases:,}", _mb(look.memory), *cells))
    yield (
        f"It grew by {_mb(found.grown)}, {_mb(found.index_grown)} of it the database's index, "
        f"{_mb(found.placeholders_grown)} placeholders."
    )


def of_pages(pages: Sequence[Pages]) -> Iterator[str]:
    """Pages of small and large ledgers."""
    yield f"{'':<56}" + "".join(f"{entries:>14,}" for entries in pages[0].times)
    for page in pages:
        times = "".join(f"{took:>11.1f} ms" for took in page.times.values())
        rows = "" if page.comparable else f"  rows: {list(page.rows.values())}"
        yield f"{page.name:<56}{times}{rows}"


def _row(cells: Iterable[str]) -> str:
    return "".join(f"{cell:>13}" for cell in cells)


def _ms(value: float) -> str:
    return f"{value:.1f} ms"


def _mb(value: float) -> str:
    return f"{value / 1e6:.0f} MB"
