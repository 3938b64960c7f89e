"""Closures for oneOf, anyOf, allOf and not, which look at values and never change them (as schema_props.go does)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from store.schema import causes
from store.schema.findings import Findings
from store.schema.paths import Path, render
from store.schema.scalars import Check
from store.schema.structural import Schema


def junctors(schema: Schema, compiled: Callable[[Schema], Check]) -> Check | None:
    """All of a node's junctors as one closure, None where it has none."""
    checks: list[Check] = []
    if schema.any_of:
        checks.append(_any_of([compiled(branch) for branch in schema.any_of]))
    if schema.one_of:
        checks.append(_one_of([compiled(branch) for branch in schema.one_of]))
    if schema.all_of:
        checks.append(_all_of([compiled(branch) for branch in schema.all_of]))
    if schema.negated is not None:
        checks.append(_negated(compiled(schema.negated)))
    if not checks:
        return None

    def check(value: Any, path: Path, findings: Findings) -> None:
        for inner in checks:
            inner(value, path, findings)

    return check


def _try(check: Check, value: Any, path: Path) -> Findings:
    findings = Findings()
    check(value, path, findings)
    return findings


def _say(path: Path, must: str, findings: Findings) -> None:
    findings.add(causes.about_the_whole(f'"{render(path)}" must {must}'), path)


def _any_of(branches: Sequence[Check]) -> Check:
    def check(value: Any, path: Path, findings: Findings) -> None:
        first: Findings | None = None
        for branch in branches:
            tried = _try(branch, value, path)
            if not tried.found:
                return
            first = first or tried
        _say(path, "validate at least one schema (anyOf)", findings)
        if first is not None:
            findings.found.extend(first.found)

    return check


def _one_of(branches: Sequence[Check]) -> Check:
    def check(value: Any, path: Path, findings: Findings) -> None:
        tries = [_try(branch, value, path) for branch in branches]
        valid = sum(not tried.found for tried in tries)
        if valid == 1:
            return
        found = f"Found {valid} valid alternatives" if valid else "Found none valid"
        _say(path, f"validate one and only one schema (oneOf). {found}", findings)
        if not valid:
            findings.found.extend(tries[0].found)

    return check


def _all_of(branches: Sequence[Check]) -> Check:
    def check(value: Any, path: Path, findings: Findings) -> None:
        tries = [_try(branch, value, path) for branch in branches]
        for tried in tries:
            findings.found.extend(tried.found)
        if failed := sum(bool(tried.found) for tried in tries):
            none = ". None validated" if failed == len(tries) else ""
            _say(path, f"validate all the schemas (allOf){none}", findings)

    return check


def _negated(inner: Check) -> Check:
    def check(value: Any, path: Path, findings: Findings) -> None:
        if not _try(inner, value, path).found:
            _say(path, "not validate the schema (not)", findings)

    return check
