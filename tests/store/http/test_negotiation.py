"""Accept, Content-Type and bodies."""

from __future__ import annotations

from typing import Any

import pytest

from store.errors import StatusError
from store.http.discovery import aggregated_version
from store.http.negotiation import YAML_LIMIT_BYTES, Form, choose_form, decode_body, decode_patch, parse_accept

TABLE = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)
DISCOVERY = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Form()),
        ("*/*", Form()),
        ("application/json, */*", Form()),
        ("application/yaml", Form("application/yaml")),
        ("text/html, application/yaml;q=0.5, application/json;q=0.4", Form("application/yaml")),
        ("application/vnd.kubernetes.protobuf,application/json", Form()),
        (TABLE, Form(view="Table")),
        ("application/json;as=Table;v=v1beta1;g=meta.k8s.io", Form(view="Table", version="v1beta1")),
        ("application/json;as=Table;v=v9;g=meta.k8s.io,application/json", Form()),
        ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", Form(view="PartialObjectMetadata")),
    ],
)
def test_the_form_is_the_first_that_can_be_given(accept: str, form: Form) -> None:
    assert choose_form(accept) == form


@pytest.mark.parametrize(
    "accept", ["text/html", "application/vnd.kubernetes.protobuf", "application/json;q=0", "x;q=y"]
)
def test_nothing_acceptable_is_406(accept: str) -> None:
    with pytest.raises(StatusError) as refused:
        choose_form(accept)
    assert (refused.value.code, refused.value.reason) == (406, "NotAcceptable")


def test_quality_sorts_and_order_decides_ties() -> None:
    assert [r.media for r in parse_accept("a/a;q=0.1, b/b, c/c, d/d;q=0.5")] == ["b/b", "c/c", "d/d", "a/a"]


@pytest.mark.parametrize(
    ("accept", "version"),
    [
        (DISCOVERY, "v2"),
        (DISCOVERY.partition(",")[2], "v2beta1"),
        ("application/json, */*", None),
        ("", None),
        ("application/json;g=apidiscovery.k8s.io;v=v7;as=APIGroupDiscoveryList,application/json", None),
    ],
)
def test_aggregated_discovery_is_given_to_who_prefers_it(accept: str, version: str | None) -> None:
    assert aggregated_version(accept) == version


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "application/json; charset=utf-8", "application/yaml"]
)
def test_a_body_is_an_object(content_type: str) -> None:
    assert decode_body(content_type, b'{"a": 1}', "Thing") == {"a": 1}


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        ("application/json", b"{", 400),
        ("application/json", b"[]", 400),
        ("application/json", b'{"a": NaN}', 400),
        ("application/yaml", b"a: 1\na: 2", 400),
        ("application/vnd.kubernetes.protobuf", b"{}", 400),
        ("application/x-www-form-urlencoded", b"{}", 415),
        ("multipart/form-data", b"{}", 415),
    ],
)
def test_bodies_that_cannot_be_read(content_type: str, body: bytes, code: int) -> None:
    with pytest.raises(StatusError) as refused:
        decode_body(content_type, body, "Thing")
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("content_type", "custom", "body", "patch"),
    [
        ("application/json-patch+json", True, b"[]", ("json", [])),
        ("application/merge-patch+json", True, b"{}", ("merge", {})),
        ("application/strategic-merge-patch+json", False, b"{}", ("strategic", {})),
        ("application/apply-patch+yaml", True, b"a: [1]", ("apply", {"a": [1]})),
        ("application/apply-patch+yaml", True, b'{"a": [1]}', ("apply", {"a": [1]})),
    ],
)
def test_patch_types(content_type: str, custom: bool, body: bytes, patch: Any) -> None:
    assert decode_patch(content_type, body, custom=custom) == patch


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        ("application/strategic-merge-patch+json", b"{}", 415),
        ("application/json", b"{}", 415),
        ("application/json-patch+json", b"{}", 400),
        ("application/merge-patch+json", b"[]", 400),
        ("application/merge-patch+json", b"{", 400),
    ],
)
def test_patches_that_cannot_be_taken(content_type: str, body: bytes, code: int) -> None:
    with pytest.raises(StatusError) as refused:
        decode_patch(content_type, body, custom=True)
    assert refused.value.code == code


def test_a_large_body_is_accepted_as_json_only() -> None:
    content = "x" * YAML_LIMIT_BYTES
    assert decode_body("application/yaml", f'{{"a": "{content}"}}'.encode(), "X") == {"a": content}
    with pytest.raises(StatusError) as caught:
        decode_body("application/yaml", f"a: {content}".encode(), "X")
    assert caught.value.code == 413
