"""The first message of TLS: bytes as they arrive come in, server name, protocols and versions go out.

Pure, bounded, and it only reads: the same bytes then go to OpenSSL or to a backend, which judge them. RFC 8446, 4.1.2;
RFC 6066, 3 (server name); RFC 7301 (ALPN). A hello may be spread over several records and arrive in any pieces.
"""

from __future__ import annotations

from dataclasses import dataclass

HANDSHAKE, CLIENT_HELLO = 22, 1
SERVER_NAME, ALPN, SUPPORTED_VERSIONS = 0, 16, 43
RECORD_LIMIT_BYTES = 16384
HELLO_LIMIT_BYTES = 65536
RECORDS_LIMIT = 64
TLS13 = 0x0304


@dataclass(frozen=True, slots=True)
class ClientHello:
    """server_name: lower case, "" when not sent. alpn: in the client's order. versions: numbers such as 0x0304."""

    server_name: str
    alpn: tuple[str, ...]
    versions: tuple[int, ...]


class NotTLSError(ValueError):
    """The bytes are no ClientHello; more of them will not change that."""


def parse_client_hello(data: bytes) -> ClientHello | None:
    """The hello at the start of `data`, whatever follows it; None while bytes are missing. Raises NotTLSError."""
    message = _message(data)
    if message is None:
        return None
    try:
        return _parsed(message)
    except IndexError:
        raise NotTLSError("a length in the ClientHello points past its end") from None


def _message(data: bytes) -> bytes | None:
    """The handshake message inside the records; None when it is not all there."""
    parts: list[bytes] = []
    have, need, at = 0, 4, 0
    while have < need:
        if len(parts) == RECORDS_LIMIT:
            raise NotTLSError("the ClientHello is in too many records")
        header = data[at : at + 5]
        if header[:1] not in (b"", b"\x16") or header[1:2] not in (b"", b"\x03"):
            raise NotTLSError("not a TLS handshake record")
        if len(header) < 5:
            return None
        length = int.from_bytes(header[3:5], "big")
        if not 0 < length <= RECORD_LIMIT_BYTES:
            raise NotTLSError("a TLS record of impossible length")
        part = data[at + 5 : at + 5 + length]
        parts.append(part)
        have += len(part)
        at += 5 + length
        if need == 4 and have >= 4:
            start = b"".join(parts)
            if start[0] != CLIENT_HELLO:
                raise NotTLSError("the first handshake message is no ClientHello")
            need = 4 + int.from_bytes(start[1:4], "big")
            if need > HELLO_LIMIT_BYTES:
                raise NotTLSError("the ClientHello is too large")
        if len(part) < length and have < need:
            return None
    return b"".join(parts)[4:need]


def _parsed(message: bytes) -> ClientHello:
    version = _number(message, 0)
    at = 34  # past version and random
    at = _past(message, at, 1)  # session id
    at = _past(message, at, 2)  # cipher suites
    at = _past(message, at, 1)  # compression methods
    server_name = ""
    alpn: tuple[str, ...] = ()
    versions: tuple[int, ...] = (version,)
    if at == len(message):
        return ClientHello(server_name, alpn, versions)  # no extensions at all
    end = _past(message, at, 2)
    at += 2
    while at < end:
        kind, start = _number(message, at), at + 4
        at = _past(message, at + 2, 2)
        if at > end:
            raise NotTLSError("an extension points past the end of its list")
        body = message[start:at]
        if kind == SERVER_NAME:
            server_name = _server_name(body)
        elif kind == ALPN:
            alpn = _protocols(body)
        elif kind == SUPPORTED_VERSIONS:
            versions = tuple(_number(body, place) for place in range(1, 1 + body[0], 2))
    return ClientHello(server_name, alpn, versions)


def _server_name(body: bytes) -> str:
    at, end = 2, _past(body, 0, 2)
    while at < end:
        start, after = at + 3, _past(body, at + 1, 2)
        if body[at] == 0:  # host_name, the only kind there is
            name = body[start:after]
            if b"\0" in name or not name.isascii():
                raise NotTLSError("the server name is not a host name")
            return name.decode("ascii").lower()
        at = after
    return ""


def _protocols(body: bytes) -> tuple[str, ...]:
    at, end = 2, _past(body, 0, 2)
    found: list[str] = []
    while at < end:
        after = _past(body, at, 1)
        found.append(body[at + 1 : after].decode("latin-1"))
        at = after
    return tuple(found)


def _number(data: bytes, at: int) -> int:
    return data[at] << 8 | data[at + 1]


def _past(data: bytes, at: int, width: int) -> int:
    """The place after a vector whose length stands in `width` bytes at `at`."""
    length = data[at] if width == 1 else _number(data, at)
    after = at + width + length
    if after > len(data):
        raise IndexError(after)
    return after
