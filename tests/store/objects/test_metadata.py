"""ObjectMeta: decoding, names, labels, owners, finalizers, in the words of Kubernetes."""

from __future__ import annotations

from typing import Any

import pytest

from store.objects import encoding, metadata, names

SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
SERVICE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)


@pytest.mark.parametrize(
    ("resource", "name", "errors"),
    [
        ("things.example.com", "a.b-c", []),
        ("things.example.com", "A", [SUBDOMAIN]),
        ("things.example.com", "a" * 254, ["must be no more than 253 bytes"]),
        ("services", "1a", [SERVICE]),
        ("clusterroles.rbac.authorization.k8s.io", "system:admin", []),
        ("clusterroles.rbac.authorization.k8s.io", "a/b", ["may not contain '/'"]),
        ("clusterroles.rbac.authorization.k8s.io", "..", ["may not be '..'"]),
    ],
)
def test_names(resource: str, name: str, errors: list[str]) -> None:
    assert names.name_errors(resource, name) == errors


def test_generated_names_keep_within_a_label() -> None:
    assert len(names.generated("x" * 80)) == 63
    assert names.prefix_errors("services", "web-") == []


@pytest.mark.parametrize(
    ("given", "field", "message"),
    [
        ({}, "metadata.name", "Required value: name or generateName is required"),
        ({"name": "A"}, "metadata.name", f'Invalid value: "A": {SUBDOMAIN}'),
        ({"name": "a", "labels": {"k": "-"}}, "metadata.labels", 'Invalid value: "-": a valid label must be an empty'),
        ({"name": "a", "labels": {"/k": "v"}}, "metadata.labels", 'Invalid value: "/k": prefix part must be non-empty'),
        ({"name": "a", "annotations": {"a b": ""}}, "metadata.annotations", 'Invalid value: "a b": name part must'),
        (
            {"name": "a", "annotations": {"k": "x" * 262_144}},
            "metadata.annotations",
            "Too long: may not be more than 262144 bytes",
        ),
        ({"name": "a", "finalizers": ["a b"]}, "metadata.finalizers", 'Invalid value: "a b": name part must'),
        (
            {"name": "a", "finalizers": ["orphan", "foregroundDeletion"]},
            "metadata.finalizers",
            'Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot',
        ),
        (
            {"name": "a", "ownerReferences": [{"apiVersion": "v1", "kind": "K", "name": "n", "uid": ""}]},
            "metadata.ownerReferences.uid",
            'Invalid value: "": must not be empty',
        ),
        ({"name": "a", "namespace": "n"}, "metadata.namespace", "Forbidden: not allowed on this type"),
    ],
)
def test_what_is_wrong_with_metadata(given: dict[str, Any], field: str, message: str) -> None:
    (cause,) = metadata.faults(given, "things.example.com", namespaced=False)
    assert cause.field == field
    assert cause.message.startswith(message)


def test_unknown_metadata_is_named_and_dropped() -> None:
    given = {"name": "a", "labels": None, "colour": "red", "ownerReferences": [{"uid": "1", "shade": "x"}]}
    known, unknown = metadata.decode(given)
    assert known == {"name": "a", "ownerReferences": [{"uid": "1"}]}
    assert unknown == ["metadata.colour", "metadata.ownerReferences[0].shade"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"labels": {"a": 1}},
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        ({"name": []}, "json: cannot unmarshal array into Go struct field ObjectMeta.metadata.name of type string"),
        (
            {"generation": "1"},
            "json: cannot unmarshal string into Go struct field ObjectMeta.metadata.generation of type int64",
        ),
        ("text", "json: cannot unmarshal string into Go struct field ObjectMeta.metadata of type v1.ObjectMeta"),
    ],
)
def test_metadata_of_wrong_types(given: Any, message: str) -> None:
    with pytest.raises(ValueError) as error:
        metadata.decode(given)
    assert str(error.value) == message


def test_no_finalizer_is_added_to_what_is_going() -> None:
    old = {"name": "a", "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["x.example/1"]}
    assert metadata.update_faults({**old, "finalizers": []}, old) == []
    (cause,) = metadata.update_faults({**old, "finalizers": ["x.example/1", "x.example/2"]}, old)
    assert cause.message.endswith('found new finalizers []string{"x.example/2"}')


TRICKY = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "a", "resourceVersion": "9", "labels": {"resourceVersion": "5"}, "annotations": {"a": '"}'}},
    "data": {"metadata": '"metadata":{"resourceVersion":"'},
}


def test_bytes_carry_the_revision_wherever_other_fields_look_like_it() -> None:
    stored = encoding.joined(encoding.encode(TRICKY), 5)
    assert encoding.with_revision(stored, 77) == encoding.joined(encoding.encode(TRICKY), 77)
    assert encoding.with_api_version(stored, "v2").startswith(b'{"apiVersion":"v2","kind":"ConfigMap","metadata":{"res')
    assert encoding.joined(encoding.encode({**TRICKY, "apiVersion": "v2"}), 5) == encoding.with_api_version(
        stored, "v2"
    )
