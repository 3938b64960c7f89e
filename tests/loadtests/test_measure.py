"""The arithmetic of the comparison, and its report."""

from __future__ import annotations

import json

import pytest

from loadtests.compare.measure import Sample, ratio, ratios, rotated
from loadtests.compare.report import Result, lines, payload
from loadtests.compare.variants import VARIANTS, Traffic
from loadtests.compare.work import carried


def test_a_ratio_is_taken_inside_each_round() -> None:
    """A machine that becomes three times slower in round 2 changes nothing."""
    assert ratio([10, 30, 12], [5, 15, 4]).median == 2
    assert ratio([10, 30, 12], [5, 15, 4]).spread == (2, 3)


def test_rounds_that_do_not_belong_together_are_refused() -> None:
    """Two lists of different length are no rounds."""
    with pytest.raises(ValueError, match="shorter"):
        ratio([1, 2], [1])


def test_cpu_is_per_unit_and_throughput_per_second() -> None:
    """Twice the CPU for the same work, at half the speed."""
    rounds = [{"ours": Sample(100, 2.0, 4.0), "peer": Sample(100, 1.0, 2.0)}] * 3
    found = ratios(rounds, "ours")["peer"]
    assert (found["cpu"].median, found["throughput"].median) == (2.0, 0.5)


def test_every_proxy_begins_a_round_in_turn() -> None:
    """Nobody always profits from a rested machine."""
    assert [rotated("abc", turn)[0] for turn in range(4)] == ["a", "b", "c", "a"]


def test_user_time_is_told_apart_where_the_clock_could_see_it() -> None:
    """The kernel's share says nothing about the proxy."""
    rounds = [{"ours": Sample(100, 2.0, 4.0, 1.0), "peer": Sample(50, 1.0, 2.0, 0.25), "idle": Sample(1, 1.0, 1.0)}]
    found = ratios(rounds, "ours")
    assert found["peer"]["user"].median == 2.0
    assert "user" not in found["idle"]


@pytest.mark.parametrize(
    ("traffic", "result", "units"),
    [
        ("get", {"requests": 7}, 7),
        ("unary", {"requests": 7, "messages": 7}, 7),
        ("stream", {"requests": 1, "messages": 500}, 500),
        ("bytes", {"bytes": 2_000_000_000}, 2),
        ("datagrams", {"replies": 5}, 10),
    ],
)
def test_units_are_requests_messages_gigabytes_and_datagrams(
    traffic: Traffic, result: dict[str, int], units: float
) -> None:
    """A reply is a datagram each way."""
    assert carried(traffic, result) == units


def test_names_of_variants_tell_them_apart() -> None:
    """They are keys of the JSON."""
    for variants in VARIANTS.values():
        assert len({variant.name for variant in variants}) == len(variants)


def test_the_report_says_what_was_measured_and_what_was_not() -> None:
    """The JSON has ratio[peer].cpu.median, also by variant; the table names who is absent, and what is unfair."""
    rounds = [{"gatehouse": Sample(10, 1, 1, 0.5), "nginx": Sample(10, 2, 1, 1.0)}]
    variant, subject = VARIANTS["http1"][0], "gatehouse"
    notes = ["nginx wrote 1 lines of log"]
    result = Result(
        "http1",
        variant,
        {"rounds": 1},
        {"nginx": "1"},
        {"envoy": "no"},
        rounds,
        subject,
        ratios(rounds, subject),
        notes,
    )
    decoded = json.loads(json.dumps(payload([result])))
    assert decoded["ratio"]["nginx"]["cpu"] == {"median": 0.5, "spread": [0.5, 0.5]}
    assert decoded["variants"][variant.name]["ratio"]["nginx"]["user"]["median"] == 0.5
    text = "\n".join(lines(result))
    assert "envoy: not measured, no" in text
    assert "0.50 (0.50-0.50)" in text
    assert "! nginx wrote 1 lines" in text
