"""Log lines: values come in, one JSON object with its line end goes out, formatted straight into bytes."""

from __future__ import annotations

import json
import re
from time import gmtime, strftime, time

_NEEDS_ESCAPE = re.compile(rb"[^ !#-\[\]-~]").search


def json_text(value: bytes) -> bytes:
    """`value` as a JSON string with its quotes; bytes outside UTF-8 become U+FFFD."""
    if _NEEDS_ESCAPE(value) is None:
        return b'"%b"' % value
    return json.dumps(value.decode("utf-8", "replace")).encode()


def members(**values: str) -> bytes:
    """Members of a JSON object, without braces, for parts of a line that are made once and used often."""
    return b",".join(b'"%b":%b' % (name.encode(), json_text(value.encode())) for name, value in values.items())


class Clock:
    """The time of day as RFC 3339 in UTC with milliseconds; each second and millisecond is formatted once.

    For one thread alone.
    """

    __slots__ = ("_millisecond", "_prefix", "_second", "_text")

    def __init__(self) -> None:
        self._second = self._millisecond = -1
        self._prefix = self._text = b""

    def now(self) -> bytes:
        """The time of day, such as b"2026-01-31T12:00:00.123Z"."""
        return self.at(time())

    def at(self, time_s: float) -> bytes:
        """The time of day at a `time.time()`."""
        millisecond = int(time_s * 1000)
        if millisecond != self._millisecond:
            self._millisecond = millisecond
            second, rest = divmod(millisecond, 1000)
            if second != self._second:
                self._second = second
                self._prefix = strftime("%Y-%m-%dT%H:%M:%S.", gmtime(second)).encode()
            self._text = b"%b%03dZ" % (self._prefix, rest)
        return self._text


CLOCK = Clock()
"""Of the event loop's thread."""

PlainExchange = tuple[float, bytes, bytes, int, int, int, float, float, bytes, bytes]
"""An HTTP exchange without surprises, not yet a line: when it ended (`time.monotonic()`), method and target as JSON has
them inside quotes, status, bytes of the request and of the answer, how long it took and how long the backend took to
begin its answer, in seconds, the protocol, and the members that end the line.
"""

_PLAIN_LINE = (
    b'{"time":"%b","method":"%b","path":"%b","status":%d,"reason":"ok","request_bytes":%d,"response_bytes":%d,'
    b'"duration_ms":%b,"upstream_ms":%b,"protocol":"%b","termination":"complete",%b'
)


def plain_line(exchange: PlainExchange, clock: Clock, offset_s: float) -> bytes:
    """The line of a plain exchange. offset_s: what `time.time()` is ahead of `time.monotonic()`."""
    ended_s, method, target, status, received, sent, duration_s, upstream_s, protocol, constant_part = exchange
    duration = b"%.3f" % (duration_s * 1000)
    upstream = duration if upstream_s is duration_s else b"%.3f" % (upstream_s * 1000)
    stamp = clock.at(ended_s + offset_s)
    return _PLAIN_LINE % (stamp, method, target, status, received, sent, duration, upstream, protocol, constant_part)


def connection_line(
    *,
    protocol: str,
    client: str,
    listener: str,
    route: str,
    rule: str,
    endpoint: str,
    reason: str,
    termination: str,
    request_bytes: int,
    response_bytes: int,
    duration_s: float,
    host: str = "",
    tls_version: str = "",
) -> bytes:
    """The line of a TCP or TLS connection or a UDP session, in the fields that HTTP lines have too.

    protocol: "TCP", "TLS" or "UDP". host: the server name a client asked for. Bytes: from the client, to the client.
    """
    text = members(
        protocol=protocol,
        client=client,
        host=host,
        listener=listener,
        route=route,
        rule=rule,
        endpoint=endpoint,
        reason=reason,
        termination=termination,
        tls_version=tls_version,
    )
    return b'{"time":"%b","request_bytes":%d,"response_bytes":%d,"duration_ms":%.3f,%b}\n' % (
        CLOCK.now(),
        request_bytes,
        response_bytes,
        duration_s * 1000,
        text,
    )
