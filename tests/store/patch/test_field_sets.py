from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.patch.elements import canonical, item_element, order, text
from store.patch.field_sets import FieldSet
from tests.store.patch.schemas import INTEGER, STRING, an_object

PORT = 'k:{"port":80,"protocol":"TCP"}'
Path = tuple[str, ...]

ELEMENTS = st.sampled_from(["f:a", "f:b", PORT, 'v:"x"', "v:1"])
PATHS = st.sets(st.lists(ELEMENTS, min_size=1, max_size=4).map(tuple), max_size=12)


@given(PATHS)
def test_a_set_is_its_paths(paths: set[Path]) -> None:
    fields = FieldSet.of(*paths)
    assert len(fields.paths()) == len(paths)
    assert all(fields.has(path) for path in paths)
    assert bool(fields) is bool(paths)
    assert FieldSet.from_json(fields.to_json()) == fields


@given(PATHS, PATHS)
def test_operations_are_those_of_sets(left: set[Path], right: set[Path]) -> None:
    here, there = FieldSet.of(*left), FieldSet.of(*right)
    assert here.union(there) == FieldSet.of(*left, *right)
    assert here.intersection(there) == FieldSet.of(*(left & right))
    assert here.difference(there) == FieldSet.of(*(left - right))
    below = {path for path in left if any(path[: len(top)] == top for top in right)}
    assert here.without(there) == FieldSet.of(*(left - below))
    assert (here, there) == (FieldSet.of(*left), FieldSet.of(*right))


def test_json_and_text() -> None:
    fields = FieldSet.of(
        ("f:spec", "f:ports", PORT),
        ("f:spec", "f:ports", PORT, "f:name"),
        ("f:spec", "f:hosts", 'v:"a"'),
        ("f:x", "i:3"),
    )
    assert fields.to_json() == {
        "f:spec": {"f:hosts": {'v:"a"': {}}, "f:ports": {PORT: {".": {}, "f:name": {}}}},
        "f:x": {"i:3": {}},
    }
    assert fields.paths() == [
        '.spec.hosts[="a"]',
        '.spec.ports[port=80,protocol="TCP"]',
        '.spec.ports[port=80,protocol="TCP"].name',
        ".x[3]",
    ]


@pytest.mark.parametrize(
    "wrong", [[], "x", {"spec": {}}, {"f:a": []}, {"i:x": {}}, {"k:[1]": {}}, {"v:{": {}}, {"q:1": {}}]
)
def test_what_is_no_fields_v1(wrong: object) -> None:
    with pytest.raises(ValueError):
        FieldSet.from_json(wrong)


def test_elements_have_one_spelling() -> None:
    assert canonical('k:{"protocol": "TCP", "port": 80.0}') == PORT
    assert canonical('v:"\\u00e4<"') == 'v:"ä\\u003c"'
    assert text('k:{"a":"x\\u003cy"}') == '[a="x<y"]'


def test_elements_of_items() -> None:
    schema = an_object(port=INTEGER, protocol=STRING)
    assert item_element({"port": 80, "protocol": "TCP", "name": "x"}, schema, ("port", "protocol")) == PORT
    assert item_element({"port": 80}, schema, ("port", "protocol")) == 'k:{"port":80}'
    assert item_element("x", None, ()) == 'v:"x"'
    assert item_element(True, None, ()) != item_element(1, None, ())
    for item, keys in (
        ({}, ("a",)),
        (None, ("a",)),
        ("x", ("a",)),
        ({"a": [1]}, ("a",)),
        ({}, ()),
        (None, ()),
        ([], ()),
    ):
        with pytest.raises(ValueError, match="associative list"):
            item_element(item, schema, keys)


def test_numbers_are_ordered_as_numbers() -> None:
    elements = ["v:10", "v:9", 'v:"1"', 'k:{"p":10}', 'k:{"p":9}', "f:b", "f:a", "i:10", "i:9", "v:true", "v:null"]
    expected = ["f:a", "f:b", 'k:{"p":9}', 'k:{"p":10}', "v:9", "v:10", 'v:"1"', "v:true", "v:null", "i:9", "i:10"]
    assert sorted(elements, key=order) == expected
