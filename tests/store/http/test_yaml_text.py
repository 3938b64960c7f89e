"""YAML bodies: JSON's types, no duplicates, no bombs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.http.yaml_text import YamlError, dump, load


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1", {"a": 1}),
        ("a: 010", {"a": "010"}),
        ("a: 22:22", {"a": "22:22"}),
        ("a: no", {"a": "no"}),
        ("a: on", {"a": "on"}),
        ("a: true", {"a": True}),
        ("a: 2020-01-01", {"a": "2020-01-01"}),
        ("a: 1e3", {"a": 1000.0}),
        ("a: 1.5", {"a": 1.5}),
        ("a: .inf", {"a": ".inf"}),
        ("a: 'true'", {"a": "true"}),
        ("a: ~", {"a": None}),
        ("a:", {"a": None}),
        ("1: x\ntrue: y", {"1": "x", "true": "y"}),
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
        ("", None),
    ],
)
def test_scalars_are_those_of_json(text: str, value: Any) -> None:
    assert load(text.encode()) == value


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: 1\na: 2", 'key "a" already set'),
        ("a: {b: 1, b: 2}", 'key "b" already set'),
        ("a: [", "line 2"),
        ("--- 1\n--- 2", "single document"),
        ("? [a]\n: b", "keys must be strings"),
        ("a: &x\n  <<: *x", "contains it"),
        ("a: &x [*x]", "contains it"),
        ("[" * 200 + "]" * 200, "line 1: nested more than 100 levels deep"),
        ("a:\n  " + "[" * 20_000, "line 2: nested more than 100 levels deep"),
        ("- " * 20_000, "line 1: nested more than 100 levels deep"),
        ("{" * 20_000, "line 1: keys must be strings"),
        (
            "\n".join(
                ["a0: &a0 [x,x,x,x,x,x,x,x,x]"] + [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
            ),
            "too many",
        ),
        ("a: !!python/object:os.system x", "constructor"),
    ],
)
def test_what_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(YamlError, match=complaint):
        load(text.encode())


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co"))),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc:-# ", max_size=4), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_what_is_written_reads_back(value: Any) -> None:
    assert load(dump(value)) == value
