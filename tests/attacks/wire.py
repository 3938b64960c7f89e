"""What a backend really received: raw bytes come in; the requests that a strict reader sees, or a complaint, go out.

Written apart from the proxy's own parser on purpose: it shares no line with it, forgives nothing, and so says whether a
forwarded request can be understood in one way only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (/[!\"$-~]*|\*) HTTP/1\.1")
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([!-~\x80-\xff](?:[\t !-~\x80-\xff]*[!-~\x80-\xff])?)?[ \t]*")
HOST = re.compile(rb"([A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{0,5})?")
CHUNK = re.compile(rb"([0-9a-fA-F]{1,8})\r\n")
NEVER_FORWARDED = {b"keep-alive", b"proxy-connection", b"te", b"http2-settings", b"proxy-authorization"}
FRAMING = {b"host", b"content-length", b"transfer-encoding", b"connection"}
OURS = (b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host")
MARKER = b"smuggled"
"""Stands in whatever an attack wants to be taken for a request of its own."""


class UncleanError(AssertionError):
    """Bytes that two readers could understand differently."""


@dataclass(frozen=True)
class Seen:
    """One request as a backend understands it. fields: lower-case name -> values in order."""

    method: bytes
    target: bytes
    fields: dict[bytes, list[bytes]]
    body: bytes
    trailers: dict[bytes, list[bytes]]

    def one(self, name: bytes) -> bytes:
        """The only value of a field."""
        (value,) = self.fields[name]
        return value


def read_requests(data: bytes) -> list[Seen]:
    """Every request in what one backend connection received. Raises UncleanError."""
    found = []
    while data:
        seen, data = _read(data)
        found.append(seen)
    return found


def _read(data: bytes) -> tuple[Seen, bytes]:
    head, end, rest = data.partition(b"\r\n\r\n")
    if not end:
        raise UncleanError(f"half a head: {data[:80]!r}")
    if re.search(rb"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]", head) or re.search(rb"(?<!\r)\n|\r(?!\n)", head):
        raise UncleanError(f"a control character or a bare line end: {head[:200]!r}")
    start, *lines = head.split(b"\r\n")
    line = REQUEST_LINE.fullmatch(start)
    if line is None:
        raise UncleanError(f"a request line of its own kind: {start!r}")
    fields = _fields(lines)
    if len(fields.get(b"host", ())) != 1 or HOST.fullmatch(fields[b"host"][0]) is None:
        raise UncleanError(f"not one good Host: {fields.get(b'host')}")
    if NEVER_FORWARDED & fields.keys():
        raise UncleanError(f"hop-by-hop fields went on: {NEVER_FORWARDED & fields.keys()}")
    for name in fields:
        dashed = name.replace(b"_", b"-")
        if dashed != name and (dashed in FRAMING or dashed.startswith(b"x-forwarded-")):
            raise UncleanError(f"{name!r} reads as {dashed!r} to many an application server")
    if any(len(fields.get(name, ())) != 1 for name in OURS):
        raise UncleanError("not exactly one X-Forwarded-For, -Proto and -Host")
    body, trailers, rest = _body(fields, rest)
    return Seen(line[1], line[2], fields, body, trailers), rest


def _fields(lines: list[bytes]) -> dict[bytes, list[bytes]]:
    fields: dict[bytes, list[bytes]] = {}
    for line in lines:
        match = FIELD.fullmatch(line)
        if match is None:
            raise UncleanError(f"a field line of its own kind: {line!r}")
        name = match[1].lower()
        if name in FRAMING and line[len(name) + 1 :].strip(b" ") != (match[2] or b""):
            raise UncleanError(f"odd blanks in a field that frames: {line!r}")
        fields.setdefault(name, []).append(match[2] or b"")
    return fields


def _body(fields: dict[bytes, list[bytes]], rest: bytes) -> tuple[bytes, dict[bytes, list[bytes]], bytes]:
    codings, lengths = fields.get(b"transfer-encoding", []), fields.get(b"content-length", [])
    if len(codings) + len(lengths) > 1:
        raise UncleanError(f"two framings: {codings} {lengths}")
    if lengths:
        if not re.fullmatch(rb"[0-9]{1,18}", lengths[0]):
            raise UncleanError(f"Content-Length {lengths[0]!r}")
        length = int(lengths[0])
        if len(rest) < length:
            raise UncleanError("half a body")
        return rest[:length], {}, rest[length:]
    if not codings:
        return b"", {}, rest
    if codings[0].lower() != b"chunked":
        raise UncleanError(f"Transfer-Encoding {codings[0]!r}")
    body = b""
    while True:
        size = CHUNK.match(rest)
        if size is None:
            raise UncleanError(f"a chunk size of its own kind: {rest[:40]!r}")
        rest, length = rest[size.end() :], int(size[1], 16)
        if not length:
            break
        if len(rest) < length + 2 or rest[length : length + 2] != b"\r\n":
            raise UncleanError("half a chunk, or one that does not end where it should")
        body, rest = body + rest[:length], rest[length + 2 :]
    lines, end, rest = (b"\r\n" + rest).partition(b"\r\n\r\n")
    if not end:
        raise UncleanError("trailers without an end")
    trailers = _fields(lines.split(b"\r\n")[1:])
    if trailers.keys() & (FRAMING | NEVER_FORWARDED | set(OURS) | {b"authorization", b"trailer", b"cookie"}):
        raise UncleanError(f"trailers that frame, route or authenticate: {trailers}")
    return body, trailers, rest
