"""The whole check of a clone: format, lint, types, import contracts, tests. `python -m tests.check`

One line a step, the output of steps that fail, the skipped tests with their reasons, a summary. Exit code 1 when
anything failed; where CHECK_NOTHING_MISSING is set, also when a test was skipped because it needs a program.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import STRICT_VARIABLE

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("appliance", "certs", "proxy", "store", "tests", "loadtests")
STEP_LIMIT_S = 1500  # a step that hangs ends; how long one may take is README's promise, not this number


@dataclass(frozen=True, slots=True)
class Step:
    """One program to run; it passes when its exit code is 0."""

    name: str
    command: Sequence[str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step went. output: what it printed."""

    passed: bool
    seconds: float
    output: str


def steps(report: Path) -> list[Step]:
    """Cheapest first. report: where the tests leave their results as JUnit XML."""
    python = [sys.executable, "-m"]
    packages = [argument for package in PACKAGES for argument in ("-p", package)]
    return [
        Step("format", [*python, "ruff", "format", "--check", "."]),
        Step("lint", [*python, "ruff", "check", "."]),
        Step("imports", [sys.executable, "-c", "from importlinter.cli import lint_imports_command as m; m()"]),
        Step("types", [*python, "mypy", *packages]),
        Step("tests", [*python, "pytest", "-q", "-n", "2", "--dist", "loadfile", f"--junitxml={report}"]),
    ]


def run(step: Step) -> Outcome:
    """Run one step in the root of the clone."""
    begin = time.monotonic()
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    try:
        done = subprocess.run(
            step.command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=STEP_LIMIT_S,
        )
        passed, output = done.returncode == 0, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as error:
        partial = (error.stdout or b"").decode(errors="replace")
        passed, output = False, f"{partial}\nstopped after {STEP_LIMIT_S} s\n"
    return Outcome(passed, time.monotonic() - begin, output)


def skipped(report: Path) -> Counter[str]:
    """Why tests were skipped, and how many for each reason."""
    if not report.exists():
        return Counter()
    found = ElementTree.parse(report).iter("skipped")
    return Counter(element.get("message", "no reason given") for element in found)


def main() -> int:
    """Run every step, whatever the ones before said."""
    failed = []
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "tests.xml"
        planned = steps(report)
        for step in planned:
            outcome = run(step)
            print(f"{'ok  ' if outcome.passed else 'FAIL'}  {step.name:<8} {outcome.seconds:6.1f} s", end="")
            lines = outcome.output.strip().splitlines()
            print(f"  {lines[-1].strip(' =')}" if lines else "", flush=True)
            if not outcome.passed:
                failed.append(step.name)
                print("    " + "\n    ".join(lines), flush=True)
        reasons = skipped(report)
        for reason, times in reasons.most_common():
            print(f"skip  {times} test{'s' if times > 1 else ''}: {reason}")
        if os.environ.get(STRICT_VARIABLE) and any("needs " in reason for reason in reasons):
            failed.append("programs that tests need")
    spent = f"{time.monotonic() - begin:.0f} s"
    print(f"{', '.join(failed)} failed, {spent}" if failed else f"all {len(planned)} steps passed, {spent}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
