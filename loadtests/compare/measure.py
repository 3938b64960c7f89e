"""Rounds and their statistics: pure arithmetic on what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Sample:
    """One proxy in one round. units: requests, messages, gigabytes or datagrams carried and checked.

    cpu_s: of user and kernel; user_s: of user alone.
    """

    units: float
    cpu_s: float
    wall_s: float
    user_s: float = 0.0

    @property
    def cpu_per_unit(self) -> float:
        """CPU seconds per unit."""
        return self.cpu_s / self.units

    @property
    def user_per_unit(self) -> float:
        """CPU seconds per unit, without the kernel's."""
        return self.user_s / self.units

    @property
    def throughput(self) -> float:
        """Units per second."""
        return self.units / self.wall_s


@dataclass(frozen=True, slots=True)
class Ratio:
    """Per-round ratios of one proxy to another: their median, and the lowest and highest."""

    median: float
    spread: tuple[float, float]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
    """Round by round, ours over theirs. Both sequences list the same rounds; raises ValueError otherwise."""
    values = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return Ratio(median(values), (min(values), max(values)))


def ratios(rounds: Sequence[Mapping[str, Sample]], subject: str) -> dict[str, dict[str, Ratio]]:
    """{peer: {"cpu", "user", "throughput"}} of `subject` against every other proxy in the rounds.

    "user", CPU without the kernel's, is left out where a proxy used none that the system's clock could tell.
    """
    mine = [r[subject] for r in rounds]
    found: dict[str, dict[str, Ratio]] = {}
    for peer in rounds[0]:
        if peer != subject:
            theirs = [r[peer] for r in rounds]
            found[peer] = {
                "cpu": ratio([s.cpu_per_unit for s in mine], [s.cpu_per_unit for s in theirs]),
                "throughput": ratio([s.throughput for s in mine], [s.throughput for s in theirs]),
            }
            if all(sample.user_s for sample in theirs):
                found[peer]["user"] = ratio([s.user_per_unit for s in mine], [s.user_per_unit for s in theirs])
    return found


def rotated(names: Sequence[str], turn: int) -> list[str]:
    """The order of round `turn`: each round begins with another proxy, so that none profits from its place."""
    start = turn % len(names)
    return [*names[start:], *names[:start]]
