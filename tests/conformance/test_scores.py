"""What counts as passed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.catalogue import GATEWAY_PROFILES, Test
from tests.conformance.scores import Ending, Outcome, asked, lower, numbers, reason, scores, skipped

TESTS = (
    Test("A", ("Gateway",), {"GATEWAY-HTTP": "core", "GATEWAY-TLS": "core"}),
    Test("B", ("Gateway",), {"GATEWAY-HTTP": "core"}),
    Test("C", ("Gateway", "X"), {"GATEWAY-HTTP": "extended"}),
    Test("HTTPRouteDisallowedKind", ("TLSRoute", "HTTPRoute"), {}),
    Test("MeshBasic", ("Mesh",), {"MESH-HTTP": "core"}),
)


def event(action: str, test: str = "", output: str = "") -> dict[str, Any]:
    return {"Action": action} | ({"Test": test} if test else {}) | ({"Output": output} if output else {})


def test_only_the_end_of_a_whole_test_counts() -> None:
    outcome = Outcome()
    events = [
        event("run", "TestConformance"),
        event("run", "TestConformance/A"),
        event("pause", "TestConformance/A"),
        event("pass", "TestConformance/A/part"),
        event("cont", "TestConformance/A"),
        event("output", "TestConformance/A/part", "    x.go:1: hello\n"),
        event("fail", "TestConformance/A"),
        event("pass", "TestConformance/B"),
        event("pass", "TestConformance"),
    ]
    assert [name for name in map(outcome.take, events) if name] == ["A", "B"]
    assert outcome.endings == {"A": "fail", "B": "pass"}
    assert outcome.output["A"] == ["    x.go:1: hello"]


def test_a_score_counts_what_did_not_run_as_not_passed() -> None:
    found = list(scores(TESTS, {"A": "pass", "C": "skip"}, ["GATEWAY-HTTP", "GATEWAY-TLS"]))
    assert [str(score) for score in found] == [
        "GATEWAY-HTTP core 1/2 extended 0/1",
        "GATEWAY-TLS core 1/1 extended 0/0",
    ]


@pytest.mark.parametrize(
    ("profiles", "names", "expected"),
    [
        (["GATEWAY-TLS"], [], ["A"]),
        (["GATEWAY-HTTP"], [], ["A", "B", "C"]),
        (["GATEWAY-HTTP"], ["MeshBasic"], ["MeshBasic"]),
        (
            ["GATEWAY-HTTP", "GATEWAY-GRPC", "GATEWAY-TLS", "GATEWAY-TCP", "GATEWAY-UDP"],
            [],
            ["A", "B", "C", "HTTPRouteDisallowedKind"],
        ),
    ],
)
def test_what_a_run_is_about(profiles: list[str], names: list[str], expected: list[str]) -> None:
    assert [test.name for test in asked(TESTS, profiles, names)] == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], ""),
        (["    a.go:1: first", "    a.go:2: last", "--- FAIL: T (0.1s)"], "a.go:2: last"),
        (
            [
                "        Error Trace:\t/go/x.go:12",
                "        Error:      \tReceived unexpected error:",
                "                    \tcontext deadline exceeded",
                "        Test:       \tTestConformance/A",
                "        Messages:   \tno address",
            ],
            "Received unexpected error: context deadline exceeded; no address",
        ),
    ],
)
def test_reasons(lines: list[str], expected: str) -> None:
    assert reason(lines) == expected


def test_skipped_tests_stand_under_their_reason() -> None:
    said = {name: [f"    conformance.go:56: Skipping {name}: suite does not support X"] for name in ("B", "C")}
    outcome = Outcome(endings={"A": "pass", "B": "skip", "C": "skip"}, output=said)
    assert skipped(TESTS, outcome) == {"suite does not support X": ["B", "C"]}


def test_numbers_are_those_of_what_ran() -> None:
    endings: dict[str, Ending] = {"A": "pass", "B": "pass", "C": "fail", "HTTPRouteDisallowedKind": "pass"}
    wanted = asked(TESTS, GATEWAY_PROFILES, [])
    found = scores(wanted, endings, ["GATEWAY-HTTP"])
    assert numbers(found, wanted, endings) == {
        "GATEWAY-HTTP": {"core": 2, "extended": 0},
        "no-profile": {"passed": 1},
    }
    narrowed = asked(TESTS, ["GATEWAY-TLS"], [])
    assert numbers(scores(narrowed, endings, ["GATEWAY-TLS"]), narrowed, endings) == {
        "GATEWAY-TLS": {"core": 1, "extended": 0}
    }


def test_a_number_below_what_was_reached_is_said() -> None:
    found = {"GATEWAY-HTTP": {"core": 36, "extended": 41}, "no-profile": {"passed": 1}}
    expected = {"GATEWAY-HTTP": {"core": 37, "extended": 40}, "no-profile": {"passed": 2}, "GATEWAY-TLS": {"core": 20}}
    assert lower(found, expected) == [
        ("GATEWAY-HTTP core", 36, 37),
        ("no-profile passed", 1, 2),
    ]
    assert lower(found, {}) == []
