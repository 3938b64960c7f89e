"""The result as a table for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from loadtests.compare.measure import Ratio, Sample
from loadtests.compare.variants import Mode, Variant

KINDS = ("cpu", "user", "throughput")


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that was measured of one variant.

    subject: whose ratios to the others are told. notes: what makes a comparison unfair.
    """

    mode: Mode
    variant: Variant
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    absent: Mapping[str, str]
    rounds: Sequence[Mapping[str, Sample]]
    subject: str
    ratio: Mapping[str, Mapping[str, Ratio]]
    notes: Sequence[str] = ()


def payload(results: Sequence[Result]) -> dict[str, Any]:
    """The first variant's members, then all variants by name under "variants".

    ratio[peer].cpu.median and .spread ([lowest, highest]), likewise user and throughput; below 1 is less than the
    peer's.
    """
    return asdict(results[0]) | {"variants": {result.variant.name: asdict(result) for result in results}}


def lines(result: Result) -> list[str]:
    """The table: per proxy the median of its rounds, and the subject's median ratio to it with lowest and highest."""
    each = result.variant.unit
    gigabytes = each == "GB"
    scale, unit = (1e3, "ms") if gigabytes else (1e6, "us")
    out = [f"{result.mode}, {result.variant.name}: " + ", ".join(f"{k}={v}" for k, v in result.settings.items())]
    out += [f"  {name}: {text}" for name, text in result.versions.items()]
    out += [f"  {name}: not measured, {why}" for name, why in result.absent.items()]
    cpu_head, user_head = f"CPU {unit}/{each}", f"user {unit}/{each}"
    out.append(
        f"{'':14}{cpu_head:>17}{user_head:>17}{each + 's/s':>13}   {result.subject} : peer, CPU    user CPU"
        "              throughput"
    )
    for name in result.rounds[0]:
        cpu = median(r[name].cpu_per_unit for r in result.rounds) * scale
        user = median(r[name].user_per_unit for r in result.rounds) * scale
        rate = median(r[name].throughput for r in result.rounds)
        row = f"{name:14}{cpu:17.2f}{user:17.2f}{rate:13.{2 if gigabytes else 0}f}"
        if ratios := result.ratio.get(name):
            row += "   " + "   ".join(_ratio(ratios.get(kind)) for kind in KINDS)
        out.append(row)
    return out + [f"  ! {note}" for note in result.notes]


def _ratio(value: Ratio | None) -> str:
    if value is None:
        return f"{'-':>20}"
    low, high = value.spread
    return f"{value.median:6.2f} {f'({low:.2f}-{high:.2f})':13}"
