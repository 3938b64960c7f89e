"""Fields given twice."""

from __future__ import annotations

import pytest

from store.errors import StatusError
from store.http.duplicates import duplicate_fields, judge


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        (b'{"a": 1, "b": {"a": 2}}', []),
        (b'{"a": 1, "a": 2}', ["a"]),
        (b'{"a": {"b": 1, "b": 1}, "a": {"c": 1}}', ["a.b", "a"]),
        (b'{"spec": {"rules": [{}, {"name": "x", "name": "y"}]}}', ["spec.rules[1].name"]),
        (b'{"a": 1, "a": 2, "a": 3}', ["a", "a"]),
    ],
)
def test_paths(body: bytes, paths: list[str]) -> None:
    assert duplicate_fields(body) == paths


def test_they_warn_or_refuse() -> None:
    body = b'{"a": 1, "a": 2}'
    assert judge(body, {"a": 2}, "Thing", "v1", "Ignore") == ()
    assert judge(body, {"a": 2}, "Thing", "v1", "Warn") == ('duplicate field "a"',)
    with pytest.raises(StatusError, match='strict decoding error: duplicate field "a"') as refused:
        judge(body, {"a": 2}, "Thing", "v1", "Strict")
    assert refused.value.code == 400
