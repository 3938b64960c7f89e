"""The YAML report that the suite itself writes. Pure: its text comes in, numbers and differences go out.

The suite writes it before its parallel tests have run and counts those as passed: what it says is true only where the
scores of `go test` say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from tests.conformance.scores import Ending, Numbers


@dataclass(frozen=True, slots=True)
class Report:
    """passed: what it counts, by profile and level. provisional: tests that it names as passed."""

    passed: Numbers
    provisional: tuple[str, ...]


def read(text: str) -> Report:
    """Raises ValueError for YAML that is no report."""
    try:
        document = yaml.safe_load(text)
        counts = {
            profile["name"]: {
                level: profile.get(level, {}).get("statistics", {}).get("Passed", 0) for level in ("core", "extended")
            }
            for profile in document["profiles"]
        }
        return Report(counts, tuple(document.get("succeededProvisionalTests") or ()))
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a conformance report: {error!r}") from None


def untrue(report: Report, found: Numbers, endings: Mapping[str, Ending]) -> list[str]:
    """Where the report says something else than the tests' own ends, as sentences."""
    wrong = [
        f"{profile} {level}: the report says {count} passed, {found.get(profile, {}).get(level, 0)} did"
        for profile, levels in report.passed.items()
        for level, count in levels.items()
        if count != found.get(profile, {}).get(level, 0)
    ]
    if others := [name for name in report.provisional if endings.get(name) != "pass"]:
        wrong.append(f"provisional: the report says that {', '.join(others)} passed, and they did not")
    return wrong
