from __future__ import annotations

import copy
from typing import Any

import pytest

from store.patch import json_patch
from store.patch.errors import PatchError

Operation = dict[str, Any]


@pytest.mark.parametrize(
    ("document", "operations", "expected"),
    [
        ({"a": 1}, [], {"a": 1}),
        ({"a": 1}, [{"op": "add", "path": "/b", "value": [1]}], {"a": 1, "b": [1]}),
        ({"a": 1}, [{"op": "add", "path": "/a", "value": None}], {"a": None}),
        ({"a": [1, 3]}, [{"op": "add", "path": "/a/1", "value": 2}], {"a": [1, 2, 3]}),
        ({"a": [1]}, [{"op": "add", "path": "/a/1", "value": 2}], {"a": [1, 2]}),
        ({"a": [1]}, [{"op": "add", "path": "/a/-", "value": 2}], {"a": [1, 2]}),
        ({"a": [1, 2]}, [{"op": "remove", "path": "/a/0"}], {"a": [2]}),
        ({"a": {"": 1}}, [{"op": "replace", "path": "/a/", "value": 2}], {"a": {"": 2}}),
        ({"a": 1}, [{"op": "replace", "path": "/b", "value": 2}], {"a": 1, "b": 2}),
        ({"a": 1}, [{"op": "replace", "path": "", "value": {"b": 2}}], {"b": 2}),
        ({"~1": 1, "/": 2}, [{"op": "remove", "path": "/~01"}, {"op": "test", "path": "/~1", "value": 2}], {"/": 2}),
        ({"a": [1, 2, 3]}, [{"op": "move", "from": "/a/0", "path": "/a/2"}], {"a": [2, 3, 1]}),
        ({"a": {"b": 1}}, [{"op": "move", "from": "/a/b", "path": "/c"}], {"a": {}, "c": 1}),
        ({"a": {"b": 1}}, [{"op": "move", "from": "/a", "path": "/a"}], {"a": {"b": 1}}),
        ({"a": [1]}, [{"op": "copy", "from": "/a", "path": "/b"}, {"op": "add", "path": "/b/-", "value": 2}],
         {"a": [1], "b": [1, 2]}),
        ({"a": 1}, [{"op": "test", "path": "/a", "value": 1.0}], {"a": 1}),
        ({"a": 1}, [{"op": "test", "path": "/b", "value": None}], {"a": 1}),
        ({"a": {"x": 1, "y": [2]}}, [{"op": "test", "path": "/a", "value": {"y": [2], "x": 1}}],
         {"a": {"x": 1, "y": [2]}}),
    ],
)  # fmt: skip
def test_apply(document: Any, operations: list[Operation], expected: Any) -> None:
    before = copy.deepcopy((document, operations))
    assert json_patch.apply(document, operations) == expected
    assert (document, operations) == before


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/none"},
        {"op": "remove", "path": "/list/3"},
        {"op": "remove", "path": "/list/-1"},
        {"op": "remove", "path": "/list/01"},
        {"op": "remove", "path": "/list/-"},
        {"op": "remove", "path": ""},
        {"op": "remove", "path": "list"},
        {"op": "add", "path": "/list/4", "value": 1},
        {"op": "add", "path": "/list/x", "value": 1},
        {"op": "add", "path": "/list/٣", "value": 1},
        {"op": "add", "path": "/none/x", "value": 1},
        {"op": "add", "path": "/text/x", "value": 1},
        {"op": "add", "path": "/x"},
        {"op": "add", "value": 1},
        {"op": "replace", "path": "/list/9", "value": 1},
        {"op": "move", "path": "/text"},
        {"op": "move", "from": "/none", "path": "/text"},
        {"op": "move", "from": "/map", "path": "/map/inside"},
        {"op": "copy", "from": "/none", "path": "/text"},
        {"op": "test", "path": "/text", "value": "other"},
        {"op": "test", "path": "/yes", "value": 1},
        {"op": "test", "path": "/none", "value": 1},
        {"op": "frob", "path": "/text"},
        {"op": ["add"], "path": "/text", "value": 1},
        {"path": "/text", "value": 1},
    ],
)
def test_what_does_not_fit_is_refused_whole(operation: Operation) -> None:
    document = {"list": [1, 2, 3], "map": {}, "text": "x", "yes": True}
    with pytest.raises(PatchError) as caught:
        json_patch.apply(document, [{"op": "add", "path": "/new", "value": 1}, operation])
    assert caught.value.code == 422
    assert "new" not in document


@pytest.mark.parametrize(
    ("operations", "code"),
    [({}, 400), ("x", 400), ([1], 400), ([{"op": "test", "path": "/a", "value": 1}] * 10_001, 413)],
)
def test_malformed_and_too_large(operations: Any, code: int) -> None:
    with pytest.raises(PatchError) as caught:
        json_patch.apply({"a": 1}, operations)
    assert caught.value.code == code


def test_copies_are_bounded() -> None:
    doubling = [{"op": "copy", "from": "/a", "path": "/a/-"}] * 60
    with pytest.raises(PatchError) as caught:
        json_patch.apply({"a": ["x"]}, doubling)
    assert caught.value.code == 413
