"""The suite's own report against what really passed, and the published one against what is expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance import expectation
from tests.conformance.catalogue import GATEWAY_PROFILES
from tests.conformance.report import Report, read, untrue
from tests.conformance.scores import Ending

PUBLISHED = Path(__file__).parent / "report-v1.6.1.yaml"
REPORT = """
apiVersion: gateway.networking.k8s.io/v1
kind: ConformanceReport
profiles:
- name: GATEWAY-HTTP
  core: {result: success, statistics: {Failed: 0, Passed: 37, Skipped: 0}}
  extended: {result: partial, statistics: {Failed: 1, Passed: 56, Skipped: 0}}
- name: GATEWAY-TCP
  core: {result: success, statistics: {Failed: 0, Passed: 19, Skipped: 0}}
succeededProvisionalTests:
- A
- B
"""
FOUND = {"GATEWAY-HTTP": {"core": 37, "extended": 56}, "GATEWAY-TCP": {"core": 19, "extended": 0}}


def test_what_the_report_counts() -> None:
    assert read(REPORT) == Report(FOUND, ("A", "B"))
    assert untrue(read(REPORT), FOUND, {"A": "pass", "B": "pass"}) == []


def test_what_ended_otherwise_than_the_report_says() -> None:
    found = {"GATEWAY-HTTP": {"core": 36, "extended": 56}}
    endings: dict[str, Ending] = {"A": "pass", "B": "skip"}
    assert untrue(read(REPORT), found, endings) == [
        "GATEWAY-HTTP core: the report says 37 passed, 36 did",
        "GATEWAY-TCP core: the report says 19 passed, 0 did",
        "provisional: the report says that B passed, and they did not",
    ]


@pytest.mark.parametrize("text", ["", "a: [", "profiles: 3", "profiles: [1]", "kind: ConformanceReport"])
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a conformance report"):
        read(text)


def test_the_published_report_is_of_the_best_run() -> None:
    """What README shows, what a run must reach, and what the suite wrote are one."""
    published = read(PUBLISHED.read_text())
    expected = expectation.read(expectation.EXPECTED.read_text())
    assert published.passed == {profile: expected[profile] for profile in GATEWAY_PROFILES}
