"""`python -m tests.conformance`: build the suite, run it against an appliance, print the scores.

Exit code 0: no score is below expected.toml (with --run-test: every test passed) and the appliance logged no error.
1: otherwise. 3: this machine cannot run it, and CI is not asking (where CHECK_NOTHING_MISSING is set that is 1, too).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.conformance import catalogue, expectation, isolation, report
from tests.conformance.appliance import LOG, ApplianceError, grave
from tests.conformance.binaries import CACHE_VARIABLE, build
from tests.conformance.catalogue import GATEWAY_PROFILES, Test
from tests.conformance.run import Order, judge
from tests.conformance.scores import Ending, Numbers, Outcome, asked, lower, numbers, reason, scores, skipped
from tests.conftest import STRICT_VARIABLE
from tests.golang import UnbuiltError

_REPORT = Path("conformance-report.yaml")
_LAST_LINES = 30
CANNOT = 3


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description="Run the conformance suite.")
    parser.add_argument("--profile", action="append", choices=GATEWAY_PROFILES, help="only these profiles")
    parser.add_argument("--run-test", action="append", metavar="NAME", default=[], help="only these tests")
    parser.add_argument("--report", type=Path, metavar="FILE", help=f"for the suite's own; else {_REPORT}")
    parser.add_argument("--logs", type=Path, metavar="DIR", help="where to leave logs and events of every program")
    parser.add_argument(
        "--crowd", action="store_true", help="with 50 Gateways and 500 routes that are none of its business"
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Outside the namespaces: build. Inside: run and judge."""
    given = options(arguments)
    folder = isolation.inside()
    if folder is None:
        if obstacle := isolation.obstacle():
            print(f"the conformance suite cannot run here: {obstacle}", file=sys.stderr)
            return 1 if os.environ.get(STRICT_VARIABLE) else CANNOT
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        with _cache() as cache, tempfile.TemporaryDirectory(prefix="conformance-") as scratch:
            try:
                build(cache)
            except UnbuiltError as error:
                print(f"the conformance suite cannot be built: {error}", file=sys.stderr)
                return 1 if os.environ.get(STRICT_VARIABLE) else CANNOT
            os.environ[CACHE_VARIABLE] = str(cache)
            return isolation.enter("tests.conformance", arguments, Path(scratch))
    logging.basicConfig(level=logging.WARNING)
    try:
        return _run(given, folder)
    finally:
        _keep(folder, given)


@contextmanager
def _cache() -> Iterator[Path]:
    """Where programs are built: a folder that stays, if one is named."""
    if named := os.environ.get(CACHE_VARIABLE):
        yield Path(named)
        return
    with tempfile.TemporaryDirectory(prefix="conformance-build-") as folder:
        yield Path(folder)


def _run(given: argparse.Namespace, folder: Path) -> int:
    binaries = build(Path(os.environ[CACHE_VARIABLE]))
    tests = catalogue.read(binaries.catalogue)
    profiles = tuple(given.profile or GATEWAY_PROFILES)
    wanted = asked(tests, profiles, given.run_test)
    if unknown := set(given.run_test) - {test.name for test in wanted}:
        print(f"no such test: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 1
    everything = not given.run_test and not given.profile
    names = [] if everything else [test.name for test in wanted]
    begun_s = time.monotonic()

    def ended(name: str, ending: Ending) -> None:
        print(f"{time.monotonic() - begun_s:7.1f} s  {ending:4}  {name}", flush=True)

    try:
        outcome = asyncio.run(judge(Order(binaries, profiles, names, folder, crowd=given.crowd), ended))
    except ApplianceError as error:
        print(error, *_last_lines(folder / LOG), sep="\n  ")
        return 1
    print(f"\n{len(outcome.endings)} tests ended in {time.monotonic() - begun_s:.0f} s")
    _tell(outcome, wanted)
    if not outcome.endings:
        return 1
    complaints = grave(folder / LOG)
    for line in complaints:
        print(f"the appliance logged: {line}")
    if given.run_test:
        passed = all(outcome.endings.get(test.name) == "pass" for test in wanted)
    else:
        passed = _score(outcome, wanted, profiles, folder / "report.yaml")
    return 0 if passed and not complaints else 1


def _last_lines(log: Path) -> list[str]:
    return log.read_text(errors="replace").splitlines()[-_LAST_LINES:]


def _tell(outcome: Outcome, wanted: Sequence[Test]) -> None:
    """Print what did not pass, and why."""
    if not outcome.endings:
        print("no test ran; the last that was said:", *outcome.setup[-_LAST_LINES:], sep="\n  ")
        return
    for test in wanted:
        if (ending := outcome.endings.get(test.name)) in ("fail", None):
            why = reason(outcome.output.get(test.name, ())) if ending else "it never ended"
            print(f"failed   {test.name}: {why}")
    for why, names in skipped(wanted, outcome).items():
        print(f"skipped  {len(names)}, {why}: {', '.join(names)}")


def _score(outcome: Outcome, wanted: Sequence[Test], profiles: Sequence[str], suites_own: Path) -> bool:
    """Print the scores, and where they are not what they should be; whether none is below expected.toml."""
    for test in wanted:
        if test.outside:
            print(f"of no profile: {test.name} {outcome.endings.get(test.name, 'never ended')}")
    scored = list(scores(wanted, outcome.endings, profiles))
    print(*scored, sep="\n")
    found = numbers(scored, wanted, outcome.endings)
    for line in _untrue(suites_own, found, outcome):
        print(f"the suite's own report is not to be published: {line}")
    expected = expectation.read(expectation.EXPECTED.read_text())
    for what, old, new in lower(expected, found):
        print(f"expected.toml should rise: {what} from {old} to {new}")
    wrong = lower(found, expected)
    for what, new, old in wrong:
        print(f"below expected.toml: {what} is {new}, was {old}")
    return not wrong


def _untrue(suites_own: Path, found: Numbers, outcome: Outcome) -> list[str]:
    try:
        return report.untrue(report.read(suites_own.read_text()), found, outcome.endings)
    except (OSError, ValueError) as error:
        return [str(error)]


def _keep(folder: Path, given: argparse.Namespace) -> None:
    """Copy what is worth keeping out of the folder of the run."""
    suites_own, narrowed = folder / "report.yaml", bool(given.run_test)
    if suites_own.exists() and (given.report is not None or not narrowed):
        shutil.copyfile(suites_own, given.report or _REPORT)
    if given.logs is not None:
        given.logs.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("*.*"):
            if path.is_file():
                shutil.copyfile(path, given.logs / path.name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
