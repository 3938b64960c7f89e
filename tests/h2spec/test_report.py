"""What counts as passed, and how a failure reads."""

from __future__ import annotations

import pytest

from tests.h2spec.report import CASES, Tally, read


def report(*cases: str) -> bytes:
    body = "".join(
        f'<testcase package="http2/6.1" classname="Sends {n}">{case}</testcase>' for n, case in enumerate(cases)
    )
    suite = f'<testsuite name="6.1. DATA" package="http2/6.1">{body}</testsuite>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>{suite}</testsuites>'.encode()


def test_a_run_is_whole_when_every_case_passed() -> None:
    tally = read(report(*[""] * CASES))
    assert tally == Tally(CASES, (), ())
    assert tally.whole
    assert str(tally) == "146/146 passed, 0 failed, 0 skipped"


@pytest.mark.parametrize(
    "cases",
    [
        [""] * (CASES - 1),
        [*[""] * (CASES - 1), "<skipped></skipped>"],
        [*[""] * CASES, "<error>x</error>"],
        [],
    ],
)
def test_fewer_cases_skipped_ones_and_failures_are_not_whole(cases: list[str]) -> None:
    assert not read(report(*cases)).whole


def test_what_did_not_pass_is_told() -> None:
    said = "<error>GOAWAY Frame\nConnection closed\nHEADERS Frame (<b> & more)</error>"
    tally = read(report("", said, "<failure>late</failure>", "<skipped></skipped>"))
    assert [str(case) for case in tally.failed] == [
        "http2/6.1 Sends 1: GOAWAY Frame Connection closed HEADERS Frame (<b> & more)",
        "http2/6.1 Sends 2: late",
    ]
    assert [str(case) for case in tally.skipped] == ["http2/6.1 Sends 3: skipped"]
    assert tally.passed == 1


@pytest.mark.parametrize("document", [b"", b"146 tests, 146 passed", b"<testsuites>", b"\xff"])
def test_what_is_no_report_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError, match="not a report"):
        read(document)
