"""Query parameters and DeleteOptions as options of the verbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from store.errors import StatusError
from store.http import parameters
from store.verbs import DeleteOptions, ListOptions, Selection, WatchOptions, WriteOptions

AGENT = "kubectl/v1.32.4 (linux/amd64)"


def _write(query: Mapping[str, str]) -> WriteOptions:
    return parameters.write_options(query, AGENT, "CreateOptions")


def _delete(query: Mapping[str, str], body: Mapping[str, Any] | None = None) -> DeleteOptions:
    return parameters.delete_options(query, body or {}, AGENT)


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ({}, WriteOptions(manager="kubectl")),
        ({"fieldManager": "me"}, WriteOptions(manager="me")),
        (
            {"fieldValidation": "Strict", "dryRun": "All"},
            WriteOptions(manager="kubectl", validation="Strict", dry_run=True),
        ),
        ({"force": "true"}, WriteOptions(manager="kubectl", force=True)),
        ({"force": "false"}, WriteOptions(manager="kubectl")),
    ],
)
def test_write_options(query: dict[str, str], options: WriteOptions) -> None:
    assert _write(query) == options


def test_a_client_without_a_name_is_unknown() -> None:
    assert parameters.write_options({}, "", "CreateOptions").manager == "unknown"


@pytest.mark.parametrize(
    ("query", "body", "options"),
    [
        ({}, {}, DeleteOptions(manager="kubectl")),
        ({"propagationPolicy": "Orphan"}, {}, DeleteOptions("Orphan", manager="kubectl")),
        ({}, {"propagationPolicy": "Foreground"}, DeleteOptions("Foreground", manager="kubectl")),
        ({}, {"orphanDependents": True}, DeleteOptions("Orphan", manager="kubectl")),
        ({"orphanDependents": "false"}, {}, DeleteOptions("Background", manager="kubectl")),
        ({}, {"gracePeriodSeconds": 0}, DeleteOptions(grace_period_s=0, manager="kubectl", force=True)),
        ({"gracePeriodSeconds": "5"}, {}, DeleteOptions(grace_period_s=5, manager="kubectl")),
        (
            {},
            {"preconditions": {"uid": "u", "resourceVersion": "7"}, "dryRun": ["All"]},
            DeleteOptions(uid="u", resource_version="7", dry_run=True, manager="kubectl"),
        ),
    ],
)
def test_delete_options(query: dict[str, str], body: dict[str, Any], options: DeleteOptions) -> None:
    assert _delete(query, body) == options


def test_list_and_watch_options() -> None:
    query = {"labelSelector": "a=b", "fieldSelector": "metadata.name=n", "limit": "5", "continue": "c"}
    query |= {
        "resourceVersion": "7",
        "resourceVersionMatch": "Exact",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": "9",
    }
    selection = Selection("a=b", "metadata.name=n")
    assert parameters.list_options(query) == ListOptions(selection, 5, "c", "7", "Exact")
    assert parameters.watch_options(query) == WatchOptions(selection, "7", "Exact", True, False, 9.0)
    assert parameters.watch_options({}, "one").selection == Selection("", "metadata.name=one")


@pytest.mark.parametrize(
    ("make", "query", "code", "field"),
    [
        (_write, {"dryRun": "Some"}, 422, "dryRun"),
        (_write, {"fieldValidation": "Lax"}, 422, "fieldValidation"),
        (_write, {"fieldManager": "x" * 200}, 422, "fieldManager"),
        (_write, {"fieldManager": "a\x07b"}, 422, "fieldManager"),
        (_write, {"fieldManager": "manifest:a.yaml"}, 422, "fieldManager"),
        (_delete, {"propagationPolicy": "Sideways"}, 422, "propagationPolicy"),
        (_delete, {"propagationPolicy": "Orphan", "orphanDependents": "true"}, 422, "propagationPolicy"),
        (_delete, {"gracePeriodSeconds": "soon"}, 400, None),
        (parameters.list_options, {"limit": "many"}, 400, None),
        (parameters.watch_options, {"timeoutSeconds": "1s"}, 400, None),
        (parameters.require_manager, {}, 422, "fieldManager"),
    ],
)
def test_refusals(
    make: Callable[[Mapping[str, str]], object], query: dict[str, str], code: int, field: str | None
) -> None:
    with pytest.raises(StatusError) as refused:
        make(query)
    assert refused.value.code == code
    assert [cause.field for cause in refused.value.causes] == ([field] if field else [])
