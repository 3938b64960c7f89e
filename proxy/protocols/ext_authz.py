"""Envoy's ext_authz v3 (envoy.service.auth.v3.Authorization/Check): a request comes in, a CheckRequest goes out; a
CheckResponse comes in, a verdict goes out.

Of the messages only what an HTTP request needs; metadata for other filters is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from proxy.protocols.h1_lines import line_name, line_value
from proxy.protocols.protobuf import ProtobufError, data, entry, fields, number

CHECK_PATH = b"/envoy.service.auth.v3.Authorization/Check"
_FORBIDDEN = 403


@dataclass(frozen=True, slots=True)
class CheckedRequest:
    """What the authority is told. client: (address, port); lines: field lines; size: -1 is not known."""

    method: bytes
    target: bytes
    host: bytes
    scheme: bytes
    protocol: bytes
    client: tuple[str, int]
    lines: Sequence[bytes] = ()
    body: bytes = b""
    size: int = -1


@dataclass(frozen=True, slots=True)
class Verdict:
    """permitted: the request may pass, with `drops` (lower-case names) gone from it and `appends` added. Otherwise the
    client gets `status`, `appends` and `body`. answer_appends: for the answer of a request that passed."""

    permitted: bool
    status: int = 200
    drops: tuple[bytes, ...] = ()
    appends: tuple[bytes, ...] = ()
    answer_appends: tuple[bytes, ...] = ()
    body: bytes = b""


def check_request(request: CheckedRequest) -> bytes:
    """The CheckRequest message."""
    http = (
        data(2, request.method)
        + b"".join(entry(3, name, value) for name, value in _merged(request.lines).items())
        + data(4, request.target)
        + data(5, request.host)
        + data(6, request.scheme)
        + number(9, request.size)
        + data(10, request.protocol)
        + (data(11, request.body) if _is_text(request.body) else data(12, request.body))
    )
    host, port = request.client
    socket_address = data(2, host.encode()) + number(3, port)
    source = data(1, data(1, data(1, socket_address)))
    return data(1, source + data(4, data(2, http)))


def check_response(message: bytes) -> Verdict:
    """The verdict of a CheckResponse message. Raises ProtobufError."""
    status, denied, permitted = b"", b"", b""
    for field, value in fields(message):
        if field == 1:
            status = _message(value)
        elif field == 2:
            denied = _message(value)
        elif field == 3:
            permitted = _message(value)
    code = next((value for field, value in fields(status) if field == 1), 0)
    return _permission(permitted) if code == 0 else _denial(denied)


def _permission(message: bytes) -> Verdict:
    drops: list[bytes] = []
    appends: list[bytes] = []
    answer_appends: list[bytes] = []
    for field, value in fields(message):
        if field == 2:
            name, line, append = _header(_message(value))
            appends.append(line)
            if not append:
                drops.append(name)
        elif field == 5:
            drops.append(_message(value).lower())
        elif field == 6:
            answer_appends.append(_header(_message(value))[1])
    return Verdict(True, 200, tuple(drops), tuple(appends), tuple(answer_appends))


def _denial(message: bytes) -> Verdict:
    status, body = _FORBIDDEN, b""
    appends: list[bytes] = []
    for field, value in fields(message):
        if field == 1:
            code = next((code for field, code in fields(_message(value)) if field == 1), _FORBIDDEN)
            status = code if isinstance(code, int) and 300 <= code <= 599 else _FORBIDDEN
        elif field == 2:
            appends.append(_header(_message(value))[1])
        elif field == 3:
            body = _message(value)
    return Verdict(False, status, (), tuple(appends), (), body)


def _header(message: bytes) -> tuple[bytes, bytes, bool]:
    """(lower-case name, field line, whether it is added to others) of a HeaderValueOption.

    Raises ProtobufError for what is no field: it would become part of a head.
    """
    header, append = b"", False
    for field, value in fields(message):
        if field == 1:
            header = _message(value)
        elif field == 2:
            append = any(field == 1 and value for field, value in fields(_message(value)))
    key, text, raw = b"", b"", b""
    for field, value in fields(header):
        if field == 1:
            key = _message(value)
        elif field == 2:
            text = _message(value)
        elif field == 3:
            raw = _message(value)
    value_sent = (text or raw).strip(b" \t")
    if not _is_name(key) or any((byte < 0x20 and byte != 9) or byte == 0x7F for byte in value_sent):
        raise ProtobufError("a header is none")
    return key.lower(), key + b": " + value_sent, append


def _message(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ProtobufError("a message was expected, and a number came")
    return value


def _merged(lines: Iterable[bytes]) -> dict[bytes, bytes]:
    """Lower-case names to values, those of a repeated name joined; a string field holds UTF-8 only."""
    found: dict[bytes, bytes] = {}
    for line in lines:
        name, value = line_name(line), line_value(line).decode("utf-8", "replace").encode()
        found[name] = found[name] + b"," + value if name in found else value
    return found


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_name(name: bytes) -> bool:
    return bool(name) and not name.translate(None, _TOKEN)


_TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
