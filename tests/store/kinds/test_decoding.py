"""Sentences about values of wrong types; most were also heard from a real kube-apiserver (tests/kubernetes)."""

from __future__ import annotations

from typing import Any

import pytest

from store.kinds.decoding import misread
from store.kinds.registry import builtin

FIELD = "json: cannot unmarshal {} into Go struct field {} of type {}"


@pytest.mark.parametrize(
    ("group", "kind", "value", "said"),
    [
        ("", "Service", {"spec": {"ports": [{"port": 80, "targetPort": "http"}]}}, ""),
        ("", "Service", {"spec": "x"}, FIELD.format("string", "Service.spec", "v1.ServiceSpec")),
        ("", "Service", {"spec": {"ports": ["x"]}}, FIELD.format("string", "ServiceSpec.spec.ports", "v1.ServicePort")),
        ("", "Service", {"spec": {"type": 5}}, FIELD.format("number", "ServiceSpec.spec.type", "v1.ServiceType")),
        (
            "",
            "Service",
            {"spec": {"ports": [{"port": 8e10}]}},
            FIELD.format("number 80000000000.0", "ServicePort.spec.ports.port", "int32"),
        ),
        ("", "Secret", {"data": {"a": 5}}, FIELD.format("number", "Secret.data", "[]uint8")),
        ("", "Secret", {"data": {"a": "QUI=", "b": "A"}}, "illegal base64 data at input byte 0"),
        ("", "Secret", {"data": {"a": "QUJD*"}}, "illegal base64 data at input byte 4"),
        ("", "Secret", {"data": {"a": "=AAA"}}, "illegal base64 data at input byte 0"),
        ("", "Secret", {"data": {"a": "QQ="}}, "illegal base64 data at input byte 3"),
        ("", "Secret", {"data": {"a": "QUI=x"}}, "illegal base64 data at input byte 4"),
        ("", "ConfigMap", {"data": {"a": "b"}, "immutable": None}, ""),
        (
            "coordination.k8s.io",
            "Lease",
            {"spec": {"renewTime": "2026-13-01T00:00:00Z"}},
            'parsing time "2026-13-01T00:00:00Z": month out of range',
        ),
        (
            "coordination.k8s.io",
            "Lease",
            {"spec": {"renewTime": "2026-01-01 10:00"}},
            'parsing time "2026-01-01 10:00" as "2006-01-02T15:04:05.000000Z07:00": cannot parse " 10:00" as "T"',
        ),
        ("coordination.k8s.io", "Lease", {"spec": {"renewTime": "2026-01-01T10:00:00.123456Z"}}, ""),
    ],
)
def test_the_first_wrong_value_is_named(group: str, kind: str, value: dict[str, Any], said: str) -> None:
    found = builtin().by_name(group, kind)
    assert found is not None
    assert misread(kind, found.storage_version.schema, value) == said
