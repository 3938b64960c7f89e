"""What a real kube-apiserver v1.36.3 answered to good and bad objects, word for word.

"differs" says in a recorded case why ours is another answer on purpose.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from store.kinds.registry import builtin
from store.schema.compile import Admission, compile_schema

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "recorded_answers.json").read_text())
REGISTRY = builtin()


def admit(case: dict[str, Any]) -> tuple[dict[str, Any], Admission]:
    kind = REGISTRY.find(case["group"], case["plural"])
    assert kind is not None
    compiled = compile_schema(next(v.schema for v in kind.versions if v.name == case["version"]))
    obj = copy.deepcopy(case["object"])
    admission = compiled.admit(obj)
    if "update" in case:
        old, obj = obj, copy.deepcopy(obj) | copy.deepcopy(case["update"])
        admission = compiled.admit(obj, old)
    return obj, admission


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_answer(case: dict[str, Any]) -> None:
    obj, admission = admit(case)
    causes = sorted([cause.reason, cause.message, cause.field] for cause in admission.causes)
    shown = {key: value for key, value in obj.items() if key not in ("metadata", "status")}
    same = causes == sorted(case.get("causes", [])) and shown == case.get("accepted", shown)
    assert same != ("differs" in case), causes
