"""One pass: pruning, defaults, causes, ratcheting."""

from __future__ import annotations

from typing import Any

import pytest

from store.schema.compile import compile_schema
from store.schema.structural import Rule, Schema

STRING = Schema(type="string")
ITEM = Schema(
    type="object",
    properties={"name": STRING, "port": Schema(type="integer", maximum=9, default=1)},
    required=("name",),
)
SCHEMA = Schema(
    type="object",
    properties={
        "spec": Schema(
            type="object",
            properties={
                "host": Schema(type="string", pattern="^[a-z]+$"),
                "kept": Schema(type="string", nullable=True),
                "free": Schema(type="object", preserve_unknown=True, properties={"n": Schema(type="integer")}),
                "labels": Schema(type="object", additional=Schema(type="string", max_length=3)),
                "items": Schema(type="array", items=ITEM, list_type="map", list_map_keys=("name",)),
                "fixed": Schema(
                    type="string", rules=(Rule("is fixed", lambda new, old: bool(new == old), on_update_only=True),)
                ),
                "mode": Schema(type="object", default={"type": "a"}, properties={"type": STRING, "n": STRING}),
            },
            rules=(Rule("host needs items", lambda spec, _: "host" not in spec or "items" in spec),),
        )
    },
)


def spec(value: dict[str, Any], old: dict[str, Any] | None = None) -> tuple[dict[str, Any], list[str], list[str]]:
    obj = {"metadata": {"anything": 1}, "spec": value}
    admission = compile_schema(SCHEMA).admit(obj, None if old is None else {"spec": old})
    assert obj["metadata"] == {"anything": 1}
    return obj["spec"], admission.unknown, [f"{cause.field}: {cause.message}" for cause in admission.causes]


def test_unknown_fields_go_and_are_named() -> None:
    value, unknown, _ = spec({"x": 1, "items": [{"name": "a", "y": 1}], "free": {"z": 1}})
    assert value == {"items": [{"name": "a", "port": 1}], "free": {"z": 1}, "mode": {"type": "a"}}
    assert sorted(unknown) == ["spec.items[0].y", "spec.x"]


def test_null_is_absence_unless_it_may_stand() -> None:
    value, unknown, causes = spec({"host": None, "kept": None, "mode": None, "labels": {"a": None}})
    assert value == {"kept": None, "mode": {"type": "a"}, "labels": {}}
    assert (unknown, causes) == ([], [])


def test_defaults_are_fresh_each_time() -> None:
    first, _, _ = spec({})
    first["mode"]["n"] = "changed"
    assert spec({})[0]["mode"] == {"type": "a"}
    stored: dict[str, Any] = {"spec": {"items": [{"name": "a"}], "unknown": 1}}
    compile_schema(SCHEMA).default(stored)
    assert stored == {"spec": {"items": [{"name": "a", "port": 1}], "unknown": 1, "mode": {"type": "a"}}}


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        ({"labels": {"a": "long"}}, "spec.labels.a: Too long: may not be more than 3 bytes"),
        ({"items": [{}]}, "spec.items[0].name: Required value"),
        (
            {"items": [{"name": "a", "port": 10}]},
            "spec.items[0].port: Invalid value: 10: spec.items[0].port in body should be less than or equal to 9",
        ),
        ({"items": [{"name": "a"}, {"name": "a"}]}, 'spec.items[1]: Duplicate value: {"name":"a"}'),
        ({"host": "a"}, "spec: Invalid value: host needs items"),
    ],
)
def test_causes(value: dict[str, Any], cause: str) -> None:
    assert cause in spec(value)[2]


def test_rules_wait_for_the_shape() -> None:
    *_, causes = spec({"host": 1})
    assert len(causes) == 2 and "some validation rules were not checked" in causes[1]


def test_what_did_not_change_may_stay() -> None:
    wrong = {"host": "A", "items": [{"name": "a", "port": 10}]}
    assert spec(wrong | {"labels": {"b": "c"}}, wrong)[2] == []
    assert spec({"host": "B", "items": wrong["items"]}, wrong)[2] == [
        "spec.host: Invalid value: \"B\": spec.host in body should match '^[a-z]+$'"
    ]


def test_transition_rules_need_an_old_value() -> None:
    assert spec({"fixed": "a"})[2] == spec({"fixed": "a"}, {})[2] == []
    assert spec({"fixed": "b"}, {"fixed": "a"})[2] == ['spec.fixed: Invalid value: "b": is fixed']


@pytest.mark.parametrize(
    ("value", "good"), [(80.0, True), (-(2.0**31), True), (2.0**31, False), (1e300, False), (-1e300, False)]
)
def test_a_whole_number_may_have_a_point_and_costs_no_more_for_it(value: float, good: bool) -> None:
    """Whoever looked for 1e300 among all whole numbers would be looking still."""
    schema = Schema(type="object", properties={"port": Schema(type="integer", format="int32")})
    admission = compile_schema(schema).admit({"port": value}, None)
    assert (not admission.causes) is good
