"""Bodies in protobuf. The vectors: objects, and how the Go types of Kubernetes v1.36 (k8s.io/api) encode them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.http import protobuf
from store.http.protobuf import ProtobufError, decode, is_protobuf

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "protobuf_vectors.json").read_text())
BODIES = [bytes.fromhex(vector["hex"]) for vector in VECTORS]


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def _bytes(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _body(kind: str, content: bytes, api_version: str = "v1", rest: bytes = b"") -> bytes:
    types = _bytes(1, api_version.encode()) + _bytes(2, kind.encode())
    return protobuf.MAGIC + _bytes(1, types) + _bytes(2, content) + rest


@pytest.mark.parametrize("vector", VECTORS, ids=[f"{n}-{v['object']['kind']}" for n, v in enumerate(VECTORS)])
def test_objects_of_go_clients(vector: dict[str, Any]) -> None:
    body = bytes.fromhex(vector["hex"])
    assert is_protobuf(body)
    assert json.dumps(decode(body), sort_keys=True) == json.dumps(vector["object"], sort_keys=True)


def test_fields_that_the_table_lacks_are_skipped() -> None:
    content = (
        _bytes(1, _bytes(1, b"x") + _bytes(999, b"later"))
        + _varint(77 << 3)
        + b"\x05"
        + _varint(78 << 3 | 1)
        + b"8" * 8
    )
    assert decode(_body("Namespace", content)) == {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}}


def test_delete_options_come_in_any_version() -> None:
    assert decode(_body("DeleteOptions", b"\x08\x00", "coordination.k8s.io/v1"))["gracePeriodSeconds"] == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        protobuf.MAGIC,
        protobuf.MAGIC + b"\xff",
        _body("Gateway", b""),
        _body("Event", b"", "nobody.example/v1"),
        _body("ObjectMeta", b""),
        _body("Namespace", b"", rest=_bytes(3, b"gzip")),
        _body("Namespace", b"{}", rest=_bytes(4, b"application/json")),
        protobuf.MAGIC + b"\x08\x01",
        _body("Namespace", b"\x08\x01"),  # metadata as a number
        _body("Namespace", _bytes(1, _bytes(7, b"x"))),  # generation as bytes
        _body("Namespace", _bytes(1, _bytes(1, b"\xff"))),  # a name that is no UTF-8
        _body("Namespace", _bytes(1, b"\x38" + b"\xff" * 9 + b"\x7f")),  # 70 bits
        _body("Namespace", _bytes(1, b"\x38" + b"\xff" * 10 + b"\x01")),
        _body("Namespace", b"\x0b\x0c"),  # a group
        _body("Namespace", b"\x02\x00"),  # field number 0
        _body("Namespace", _bytes(1, _bytes(8, b"\x08" + b"\xff" * 8 + b"\x7f"))),  # the year 292,277,026,596
        _body("Namespace", _bytes(1, _bytes(17, _bytes(7, _bytes(1, b"{"))))),  # FieldsV1 that is no JSON
        _body("ConfigMap", _bytes(2, b"\x08\x01")),  # an entry whose key is a number
    ],
)
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(ProtobufError):
        decode(body)


def test_depth_is_bounded() -> None:
    schema = b""
    for _ in range(200):
        schema = _bytes(28, schema)  # not
    versions = _bytes(7, _bytes(4, _bytes(1, schema)))
    with pytest.raises(ProtobufError, match="deeply"):
        decode(_body("CustomResourceDefinition", _bytes(2, versions), "apiextensions.k8s.io/v1"))


@given(st.sampled_from(BODIES), st.data())
def test_a_cut_body_never_passes_for_another_kind_of_error(body: bytes, data: st.DataObject) -> None:
    _decodes_or_refuses(body[: data.draw(st.integers(0, len(body) - 1))])


@given(st.sampled_from(BODIES), st.data())
def test_a_damaged_body_is_decoded_or_refused(body: bytes, data: st.DataObject) -> None:
    damaged = bytearray(body)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(4, len(body) - 1))] = data.draw(st.integers(0, 255))
    _decodes_or_refuses(bytes(damaged))


@given(st.sampled_from(["Namespace", "Service", "Secret", "Event"]), st.binary(max_size=200))
def test_noise_is_decoded_or_refused(kind: str, noise: bytes) -> None:
    _decodes_or_refuses(_body(kind, noise))


def _decodes_or_refuses(body: bytes) -> None:
    try:
        json.dumps(decode(body))
    except ProtobufError:
        return
