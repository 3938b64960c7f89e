"""The table of rules is whole, and everything that it names is there."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.golden.case import CASES
from tests.golden.rules import RULES

ROOT = Path(__file__).parents[2]
COUNT = 42


def test_every_rule_has_a_row() -> None:
    assert sorted(RULES) == list(range(1, COUNT + 1))
    assert all(rule.cases or rule.tests for rule in RULES.values())


@pytest.mark.parametrize("number", sorted(RULES))
def test_what_shows_a_rule_is_there(number: int) -> None:
    rule = RULES[number]
    missing = [case for case in rule.cases if not (CASES / f"{case}.in.yaml").exists()]
    missing += [test for test in rule.tests if test.partition("::")[2] not in _tests(test.partition("::")[0])]
    assert not missing


@cache
def _tests(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
