"""Request bodies in Kubernetes' protobuf: `kubectl create` and typed Go clients send built-in kinds so.

Bytes come in, the object as its JSON form would be goes out; the tables of fields are `store.http.protobuf_messages`.
Answers are never written in protobuf. Wire format: protobuf.dev, "Encoding"; envelope: apimachinery, runtime.Unknown.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any

import orjson

from store.http.protobuf_messages import Field, Message, message_of

MAGIC = b"k8s\x00"
DEPTH_LIMIT = 64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_Value = int | bytes


class ProtobufError(ValueError):
    """A body that is no message, or one of a kind that nobody can send here."""


def is_protobuf(body: bytes) -> bool:
    """Whether a body starts like one, whatever its Content-Type says."""
    return body.startswith(MAGIC)


def decode(body: bytes) -> dict[str, Any]:
    """The object in an enveloped message, with apiVersion and kind. Raises ProtobufError, a ValueError."""
    if not is_protobuf(body):
        raise ProtobufError("the body does not start with the mark of Kubernetes' protobuf")
    api_version, kind, content = _envelope(memoryview(body)[len(MAGIC) :])
    try:
        message = message_of(api_version, kind)
    except KeyError:
        raise ProtobufError(f'no kind "{kind}" of version "{api_version}" is known in protobuf; send JSON') from None
    return {"apiVersion": api_version, "kind": kind, **_object(content, message, DEPTH_LIMIT)}


def _envelope(data: memoryview) -> tuple[str, str, memoryview]:
    """apiVersion, kind and content of a runtime.Unknown."""
    types: dict[str, Any] = {}
    content = memoryview(b"")
    for number, wire, value in _fields(data):
        if wire != _BYTES or not isinstance(value, bytes):
            raise ProtobufError("the envelope is no runtime.Unknown")
        if number == 1:
            types = _object(memoryview(value), message_of("", "TypeMeta"), 1)
        elif number == 2:
            content = memoryview(value)
        elif value and not (number == 4 and value == b"application/vnd.kubernetes.protobuf"):
            raise ProtobufError("the content of the envelope is no plain protobuf")
    return types.get("apiVersion", ""), types.get("kind", ""), content


def _object(data: memoryview, message: Message, depth_left: int) -> dict[str, Any]:
    """A message as a JSON object. Fields that the table lacks are skipped, as protobuf asks."""
    if not depth_left:
        raise ProtobufError("the message is nested too deeply")
    result: dict[str, Any] = {}
    for number, wire, value in _fields(data):
        field = message.get(number)
        if field is not None:
            _take(result, field, wire, value, depth_left)
    for field in message.values():
        # Go writes what is no pointer even when it is zero; its JSON leaves such values out.
        if not field.optional and field.name in result and result[field.name] in _ZEROES:
            del result[field.name]
    return result


_ZEROES: tuple[Any, ...] = ("", 0, False, None, {})


def _take(result: dict[str, Any], field: Field, wire: int, value: _Value, depth_left: int) -> None:
    if field.shape == "list":
        if wire == _BYTES and field.type in ("int", "bool"):
            raise ProtobufError(f"{field.name}: packed lists are not used by Kubernetes")
        result.setdefault(field.name, []).append(_value(field, wire, value, depth_left))
    elif field.shape == "map":
        key, item = _entry(field, wire, value, depth_left)
        result.setdefault(field.name, {})[key] = item
    else:
        current = _value(field, wire, value, depth_left)
        if current is not None or not field.optional:
            result[field.name] = current


def _entry(field: Field, wire: int, value: _Value, depth_left: int) -> tuple[str, Any]:
    """A map's entry: a message with the key as field 1 and the value as field 2."""
    key, item = "", _value(field, _BYTES, b"", depth_left) if field.type not in ("int", "bool") else 0
    for number, inner_wire, inner in _fields(memoryview(_as_bytes(field, wire, value))):
        if number == 1:
            key = _text(field, _as_bytes(field, inner_wire, inner))
        elif number == 2:
            item = _value(field, inner_wire, inner, depth_left)
    return key, item


def _value(field: Field, wire: int, value: _Value, depth_left: int) -> Any:
    match field.type:
        case "string":
            return _text(field, _as_bytes(field, wire, value))
        case "int" | "bool":
            if wire != _VARINT or not isinstance(value, int):
                raise ProtobufError(f"{field.name}: expected a number, got wire type {wire}")
            return bool(value) if field.type == "bool" else value - (1 << 64 if value >> 63 else 0)
        case "double":
            if wire != _FIXED64 or not isinstance(value, bytes):
                raise ProtobufError(f"{field.name}: expected a double, got wire type {wire}")
            number: float = struct.unpack("<d", value)[0]
            if not isfinite(number):
                raise ProtobufError(f"{field.name}: {number} is no JSON number")
            return int(number) if number.is_integer() and abs(number) < 1 << 53 else number
        case "bytes":
            return base64.b64encode(_as_bytes(field, wire, value)).decode()
        case "json":
            return _json(field, _as_bytes(field, wire, value))
        case "time" | "microtime":
            return _time(
                field, _object(memoryview(_as_bytes(field, wire, value)), message_of("", "Time"), depth_left - 1)
            )
        case name:
            inner = _object(memoryview(_as_bytes(field, wire, value)), message_of("", name), depth_left - 1)
            return _reshaped(name, inner)


def _reshaped(name: str, inner: dict[str, Any]) -> Any:
    """Messages that stand for something else in JSON."""
    match name:
        case "IntOrString":
            return inner.get("strVal", "") if inner.get("type") == 1 else inner.get("intVal", 0)
        case "Quantity":
            return inner.get("string", "")
        case "FieldsV1" | "JSON":
            return inner.get("raw")
        case "JSONSchemaPropsOrBool":
            return inner.get("schema", inner.get("allows", False))
        case "JSONSchemaPropsOrArray":
            return inner.get("schema", inner.get("schemas", []))
        case _:
            return inner


def _time(field: Field, inner: dict[str, Any]) -> str | None:
    """RFC 3339 in UTC. A message without fields is Go's zero time, which is null in JSON."""
    if not inner:
        return None
    try:
        moment = _EPOCH + timedelta(seconds=inner.get("seconds", 0), microseconds=inner.get("nanos", 0) // 1000)
    except OverflowError:
        raise ProtobufError(f"{field.name}: the time is beyond the calendar") from None
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{moment.microsecond:06}Z" if field.type == "microtime" else f"{text}Z"


def _json(field: Field, value: bytes) -> Any:
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        raise ProtobufError(f"{field.name}: the field holds no JSON") from None


def _text(field: Field, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise ProtobufError(f"{field.name}: the field holds no UTF-8") from None


def _as_bytes(field: Field, wire: int, value: _Value) -> bytes:
    if wire != _BYTES or not isinstance(value, bytes):
        raise ProtobufError(f"{field.name}: expected bytes, got wire type {wire}")
    return value


def _fields(data: memoryview) -> Iterator[tuple[int, int, _Value]]:
    """The fields of a message: number, wire type, value (an unsigned number, or bytes)."""
    position, end = 0, len(data)
    while position < end:
        key, position = _varint(data, position)
        number, wire = key >> 3, key & 7
        if not 0 < number < 1 << 29:
            raise ProtobufError(f"{number} is no field number")
        if wire == _VARINT:
            value, position = _varint(data, position)
            yield number, wire, value
            continue
        if wire == _BYTES:
            length, position = _varint(data, position)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise ProtobufError(f"{wire} is no wire type that Kubernetes uses")
        if position + length > end:
            raise ProtobufError("the message ends too early")
        yield number, wire, bytes(data[position : position + length])
        position += length


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    """An unsigned number of at most 64 bits, and the position after it."""
    number = shift = 0
    while position < len(data):
        byte = data[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:
            if number >> 64:
                raise ProtobufError("a number has more than 64 bits")
            return number, position
        shift += 7
        if shift > 63:
            raise ProtobufError("a number has more than 64 bits")
    raise ProtobufError("the message ends too early")
