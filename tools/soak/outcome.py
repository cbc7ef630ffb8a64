"""The findings of a soak, and the limits that they have to keep."""

from dataclasses import asdict
from dataclasses import dataclass
from statistics import median
from tools.bench.bars import Bar
from tools.bench.outcome import as_json
from tools.soak.traffic import Traffic
from tools.soak.watch import Look
from tools.soak.watch import slope


#: Open files and threads that may be more at the end: Zope keeps a few connections to the
#: database file, as many as it ever needed at once.
LEFT_OPEN = 8
MEGABYTE = 1e6


@dataclass(frozen=True)
class Window:
    """A stretch of time, in seconds of the monotonic clock."""

    begin: float
    end: float

    def part(self, first: float, last: float) -> "Window":
        """A part of it, from and to shares of it between 0 and 1."""
        length = self.end - self.begin
        return Window(self.begin + first * length, self.begin + last * length)

    def __contains__(self, at: float) -> bool:
        return self.begin <= at < self.end


class Outcome:
    """The findings of a soak.

    :param traffic: that has ended.
    :param window: in which it was measured, after the warm-up.
    :param looks: at the process, during all of it.
    :param rested: what the process held after the warm-up and at the end, without traffic.
    :param problems: what is lost, or contradicts something else.
    :param mails: mails that came more than once.
    """

    def __init__(
        self,
        traffic: Traffic,
        window: Window,
        looks: list[Look],
        rested: tuple[Look, Look],
        problems: list[str],
        mails: int,
    ) -> None:
        self.traffic = traffic
        self.problems = problems
        self._window = window
        self._looks = looks
        self._rested = rested
        self._mails = mails

    def bars(self) -> list[Bar]:
        """Limits for a run of any length."""
        before, after = self._rested
        return [
            Bar("answers other than the documented ones", sum(self.traffic.wrong.values()), 0),
            Bar("lost, too much, or contradictions", len(self.problems), 0),
            Bar("mails that came twice", self._mails, 0),
            Bar("more open files at rest", after.files - before.files, LEFT_OPEN),
            Bar("more threads at rest", after.threads - before.threads, 0),
        ]

    def long_bars(self) -> list[Bar]:
        """Limits for a long run; empty when the run was too short to judge them."""
        first, last = self._ends("purchase")
        floor = self._ends("floor")
        if not (first and all(floor) and self._memory(0, 0.1)):
            return []
        return [
            Bar(
                "memory, last tenth over first",
                self._memory(0.9, 1) / self._memory(0, 0.1),
                1.1,
            ),
            Bar(
                "median of a purchase, last tenth over first, each over its floor",
                (last / floor[1]) / (first / floor[0]),
                1.3,
            ),
        ]

    def table(self, bars: list[Bar]) -> str:
        """For the terminal."""
        lines = [f"{'requests':<12}{'number':>9}{'first':>11}{'last':>11}"]
        for kind, times in self.traffic.times.items():
            first, last = self._ends(kind)
            lines.append(f"{kind:<12}{len(times):>9,}{first:>8.1f} ms{last:>8.1f} ms")
        lines += [
            "",
            f"told to try again later: {self.traffic.busy}",
            *(f"wrong answer, {n} times: {text}" for text, n in self.traffic.wrong.items()),
            *self.problems[:20],
            f"memory: {self._memory(0, 0.1) / MEGABYTE:.0f} MB in the first tenth, "
            f"{self._memory(0.9, 1) / MEGABYTE:.0f} MB in the last; in the second half "
            f"{self._slope() / MEGABYTE:+.1f} MB an hour",
            *(
                f"at rest: {one.files} open files, {one.threads} threads, "
                f"{one.memory / MEGABYTE:.0f} MB"
                for one in self._rested
            ),
            "",
        ]
        return "\n".join([*lines, *map(str, bars)])

    def json(self, bars: list[Bar]) -> str:
        """For scripts."""
        return as_json(
            bars,
            seconds=self._window.end - self._window.begin,
            requests={kind: len(times) for kind, times in self.traffic.times.items()},
            medians={kind: self._ends(kind) for kind in self.traffic.times},
            busy=self.traffic.busy,
            wrong=self.traffic.wrong,
            problems=self.problems,
            slope=self._slope(),
            rested=[asdict(one) for one in self._rested],
            looks=[asdict(one) for one in self._looks],
        )

    def _ends(self, kind: str) -> tuple[float, float]:
        """Medians of the first and the last tenth, in milliseconds; 0 for none."""
        found = []
        for window in (self._window.part(0, 0.1), self._window.part(0.9, 1)):
            taken = [seconds for at, seconds in self.traffic.times[kind] if at in window]
            found.append(median(taken) * 1000 if taken else 0.0)
        return found[0], found[1]

    def _memory(self, first: float, last: float) -> float:
        window = self._window.part(first, last)
        return median([one.memory for one in self._looks if one.at in window] or [0])

    def _slope(self) -> float:
        half = self._window.part(0.5, 1)
        return slope([one for one in self._looks if one.at in half])
