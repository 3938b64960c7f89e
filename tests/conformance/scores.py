"""From what `go tool test2json` says to scores. Pure: events and the catalogue come in, scores and lines go out.

The suite's own report counts a parallel test as passed before it ran; here only a test's own end counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.conformance.catalogue import GATEWAY_PROFILES, Test

Ending = Literal["pass", "fail", "skip"]
Numbers = Mapping[str, Mapping[str, int]]
"""Profile, or NO_PROFILE -> "core", "extended" or "passed" -> how many tests passed."""

ROOT = "TestConformance"
_NOISE = re.compile(r"^\s*(=== |--- |PASS$|FAIL$)")
_REASON_LIMIT = 400
NO_PROFILE = "no-profile"


@dataclass(slots=True)
class Outcome:
    """endings: of the suite's tests, by name. output: lines of each, those of its subtests included."""

    endings: dict[str, Ending] = field(default_factory=dict)
    output: dict[str, list[str]] = field(default_factory=dict)
    setup: list[str] = field(default_factory=list)

    def take(self, event: Mapping[str, Any]) -> str:
        """One event. Returns the name of a test that ended with it, or ""."""
        root, _, rest = str(event.get("Test", "")).partition("/")
        name, _, sub = rest.partition("/")
        action = event["Action"]
        if action == "output":
            lines = self.output.setdefault(name, []) if root == ROOT and name else self.setup
            lines.append(event["Output"].rstrip("\n"))
        elif action in ("pass", "fail", "skip") and root == ROOT and name and not sub:
            self.endings[name] = action
            return name
        return ""


@dataclass(frozen=True, slots=True)
class Score:
    """Of one profile: tests that passed, and all there are."""

    profile: str
    core: tuple[int, int]
    extended: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.profile} core {self.core[0]}/{self.core[1]} extended {self.extended[0]}/{self.extended[1]}"


def scores(tests: Sequence[Test], endings: Mapping[str, Ending], profiles: Iterable[str]) -> Iterator[Score]:
    """One for each profile. A test that was skipped, or never ended, has not passed."""
    for profile in profiles:
        passed = {
            level: [endings.get(t.name) == "pass" for t in tests if t.levels.get(profile) == level]
            for level in ("core", "extended")
        }
        core, extended = ((sum(ends), len(ends)) for ends in passed.values())
        yield Score(profile, core, extended)


def asked(tests: Sequence[Test], profiles: Sequence[str], names: Sequence[str]) -> list[Test]:
    """The tests a run is about: those named, else those of the profiles, and of none when all profiles are meant."""
    if names:
        return [test for test in tests if test.name in names]
    everything = set(profiles) == set(GATEWAY_PROFILES)
    return [test for test in tests if (everything and test.outside) or any(name in test.levels for name in profiles)]


def reason(lines: Sequence[str]) -> str:
    """Why a test failed, in one line: testify's sentences, else the last thing it said."""
    found = []
    for index, line in enumerate(lines):
        if match := re.match(r"\s*(Error|Messages):\s*(.*)", line):
            more = [text.strip() for text in lines[index + 1 : index + 3] if text.strip() and ":" not in text[:24]]
            found.append(" ".join([match[2], *more]))
    if not found:
        found = [line.strip() for line in lines if line.strip() and not _NOISE.match(line)][-1:]
    return "; ".join(dict.fromkeys(found))[:_REASON_LIMIT]


def skipped(tests: Iterable[Test], outcome: Outcome) -> dict[str, list[str]]:
    """Tests that did not run, by the reason that the suite gave."""
    found: dict[str, list[str]] = {}
    for test in tests:
        if outcome.endings.get(test.name) == "skip":
            why = reason(outcome.output.get(test.name, ())).rpartition(f"Skipping {test.name}: ")[2]
            found.setdefault(why, []).append(test.name)
    return found


def numbers(found: Iterable[Score], tests: Iterable[Test], endings: Mapping[str, Ending]) -> Numbers:
    """How many passed, in the form of expected.toml. tests: those of the run."""
    counts = {score.profile: {"core": score.core[0], "extended": score.extended[0]} for score in found}
    if outside := [endings.get(test.name) == "pass" for test in tests if test.outside]:
        counts[NO_PROFILE] = {"passed": sum(outside)}
    return counts


def lower(some: Numbers, other: Numbers) -> list[tuple[str, int, int]]:
    """Where `some` has less than `other`: what, and both numbers. Sections that `some` lacks are left out."""
    return [
        (f"{section} {level}", count, other[section][level])
        for section, levels in some.items()
        for level, count in levels.items()
        if count < other.get(section, {}).get(level, 0)
    ]
