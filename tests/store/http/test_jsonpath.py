"""Printer columns' paths."""

from __future__ import annotations

from typing import Any

import pytest

from store.http.jsonpath import JsonPathError, compile_path

GATEWAY: dict[str, Any] = {
    "metadata": {"name": "g", "annotations": {"a.b/c": "noted"}},
    "spec": {"listeners": [{"name": "web", "port": 80}, {"name": "tls", "port": 443}], "empty": []},
    "status": {"conditions": [{"type": "Accepted", "status": "True"}, {"type": "Programmed", "status": "False"}]},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (".metadata.name", "g"),
        ("{.metadata.name}", "g"),
        ("$.metadata.name", "g"),
        (".metadata", GATEWAY["metadata"]),
        (".metadata.annotations.a\\.b/c", "noted"),
        (".metadata.annotations['a.b/c']", "noted"),
        (".spec.listeners[1].name", "tls"),
        (".spec.listeners[-1].port", 443),
        (".spec.listeners[7].port", None),
        (".spec.listeners[*].port", 80),
        (".spec.listeners.*.port", 80),
        (".spec.empty[*].port", None),
        ('.status.conditions[?(@.type=="Programmed")].status', "False"),
        (".status.conditions[?(@.type == 'Accepted')].status", "True"),
        ('.status.conditions[?(@.type=="Missing")].status', None),
        (".nothing.at.all", None),
        (".metadata.name.deeper", None),
        ("", GATEWAY),
    ],
)
def test_first_match(path: str, value: Any) -> None:
    assert compile_path(path)(GATEWAY) == value


@pytest.mark.parametrize("path", ["metadata", ".a[", ".a[1:2]", "..name"])
def test_what_is_not_simple_is_refused(path: str) -> None:
    with pytest.raises(JsonPathError):
        compile_path(path)
