"""Sequences of writes, and what a kube-apiserver v1.36.3 answered to them: objects, field managers, conflicts.

Each step starts from the recorded object before it. recorded/*.json come from playing the steps against that server;
metadata that only says when and where (uid, resourceVersion, creationTimestamp, generation) was left out.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from store.patch import apply, json_patch, merge_patch, ownership, strategic_merge
from store.patch.errors import ApplyConflictError, PatchError
from store.schema.structural import Schema
from tests.store.patch.schemas import KINDS

NOW = "now"
RECORDED = Path(__file__).parent / "recorded"
STEPS = [
    pytest.param(case, position, id=f"{case['case']}-{position + 1}")
    for path in sorted(RECORDED.glob("*.json"))
    for case in json.loads(path.read_text())
    for position in range(len(case["steps"]))
]

# Where this store means to answer otherwise, and why.
DIFFERENT = {
    "json patch failures-11": "copying what is missing is refused, where Kubernetes writes null",
    "json patch failures-15": "an add without a value is refused",
    "json patch failures-16": "RFC 6901 knows no negative indexes",
}


@pytest.mark.parametrize(("case", "position"), STEPS)
def test_answer(case: dict[str, Any], position: int, request: pytest.FixtureRequest) -> None:
    step, live = case["steps"][position], _before(case, position)
    different = request.node.callspec.id in DIFFERENT
    untouched = copy.deepcopy((live, step["body"]))
    try:
        result = _write(step, live, *KINDS[case["kind"]])
    except ApplyConflictError as error:
        assert (step["code"], str(error)) == (409, step["message"])
        assert sorted(path for conflict in error.conflicts for path in conflict.paths) == sorted(step["fields"])
    except PatchError as error:
        assert (step["code"] < 400) is different
        assert error.code in (400, 413, 422)
    else:
        assert not different
        if not _refused_by_validation(step):
            assert step["code"] < 400, step["message"]
            expected = _after(case, position)
            assert _content(result, step) == _content(expected, step)
            assert _owners(result, live, step) == _owners(expected, live, step)
    assert (live, step["body"]) == untouched


def _write(step: dict[str, Any], live: dict[str, Any] | None, api_version: str, schema: Schema) -> dict[str, Any]:
    verb, body, subresource = step["verb"], step["body"], step.get("subresource", "")
    write: dict[str, Any] = {"manager": step["manager"], "api_version": api_version, "subresource": subresource}
    if verb == "apply":
        return apply.apply(live, body, schema, force=step.get("force", False), now=NOW, **write)
    new: dict[str, Any]
    match verb:
        case "json":
            new = json_patch.apply(live, body)
        case "merge":
            new = merge_patch.apply(live, body)
        case "strategic":
            assert live is not None
            new = strategic_merge.apply(live, body, schema)
        case _:
            new = copy.deepcopy(body)
    for unknown in ("none", "bogus"):  # admission would prune them
        new.get("spec", {}).pop(unknown, None)
    if live is not None:
        if subresource == "status":
            new = live | {"status": new["status"]} | {"metadata": copy.deepcopy(live["metadata"])}
        elif "status" in live:
            new["status"] = live["status"]
    ownership.record_update(live, new, schema, now=NOW, **write)
    return new


def _before(case: dict[str, Any], position: int) -> dict[str, Any] | None:
    """The object after the last step that the server accepted."""
    for earlier in reversed(range(position)):
        if case["steps"][earlier]["code"] < 400:
            return _after(case, earlier)
    return None


def _after(case: dict[str, Any], position: int) -> dict[str, Any]:
    answer = copy.deepcopy(case["steps"][position])
    obj: dict[str, Any] = {"apiVersion": KINDS[case["kind"]][0], "kind": case["kind"], **answer["object"]}
    if answer["owners"]:
        obj["metadata"]["managedFields"] = [owner | {"fieldsType": "FieldsV1"} for owner in answer["owners"]]
    return obj


def _content(obj: dict[str, Any], step: dict[str, Any]) -> dict[str, Any]:
    """What this room decides of an object: nothing that this endpoint cannot change, no defaults."""
    if step.get("subresource") == "status":
        return {"status": obj["status"]}
    metadata = {k: v for k, v in obj["metadata"].items() if v and k not in ("managedFields", "name", "namespace")}
    spec = dict(obj.get("spec", {}))
    spec["ports"] = [{"protocol": "TCP"} | port for port in spec.get("ports") or ()]
    return {"metadata": metadata, "spec": spec, "data": obj.get("data")}


def _owners(obj: dict[str, Any], before: dict[str, Any] | None, step: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The owners, each with whether its time is the one it had before, a new one, or none.

    Only steps that were played more than a second later tell the first two apart.
    """
    had = {owner.identity: owner.time for owner in ownership.owners(before)} if before else {}
    rows = []
    for owner in ownership.owners(obj):
        time = "none" if not owner.time else "had" if owner.time == had.get(owner.identity) else "new"
        if time == "had" and not step.get("later"):
            time = "new"
        rows.append((*owner.identity, tuple(owner.fields.paths()), time))
    return sorted(rows)


def _refused_by_validation(step: dict[str, Any]) -> bool:
    """Refused for values, which is the schema's admission and not this room's.

    Among them is null in place of a container that lost all its parts; here it becomes an empty container instead.
    """
    return step["code"] == 422 and " is invalid: " in step["message"]
