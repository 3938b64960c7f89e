"""The record of an exchange: what happened goes into the counters and, as one JSON line, into the access log."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from proxy.http.plan import Plan
from proxy.http.site import HostEntry
from proxy.protocols.h1_lines import line_value
from proxy.routing.http import CompiledRule
from proxy.services import Peer
from proxy.telemetry.log_line import CLOCK, json_text
from proxy.telemetry.metrics import DURATIONS_S

if TYPE_CHECKING:
    from proxy.http.exchange import Exchange
    from proxy.http.passage import Passage

_NO_ROUTE = b'"route":"","rule":""'
_ESCAPED = b'"\\'
_QUOTE, _BACKSLASH = _ESCAPED

_LINE = (
    b'{"time":"%b","method":"%b","path":%b,"status":%d,"reason":"%b","request_bytes":%d,"response_bytes":%d,'
    b'"duration_ms":%.3f,"upstream_ms":%.3f,"protocol":"%b","termination":"%b",%b'
)


def record(exchange: Exchange, now_s: float) -> None:
    """Count the exchange, which ended at `now_s`, and write its line."""
    services = exchange.client.services
    duration_s = _count(exchange, now_s)
    access_log = services.access_log
    if access_log.enabled:
        access_log.write(_line(exchange, duration_s))


def record_plain(passage: Passage, now_s: float) -> None:
    """The same for a passage, which ended as it should have; its line is made beside the loop."""
    client = passage.client
    duration_s = _count(passage, now_s)
    access_log = client.services.access_log
    if access_log.enabled:
        request, entry, rule = passage.request, passage.entry, passage.rule
        method, target = request.method, request.target
        if _QUOTE in target or _BACKSLASH in target or not target.isascii():
            target = json_text(target)[1:-1]
        if not method.isalpha():
            method = json_text(method)[1:-1]
        text = client.log_memory.text(client.log, entry, rule, passage.peer, request.agent)
        sizes = passage.request_bytes, passage.response_bytes
        upstream_s = passage.answered_at - passage.started_at
        access_log.write((now_s, method, target, passage.status, *sizes, duration_s, upstream_s, b"HTTP/2", text))


def _count(exchange: Exchange | Passage, now_s: float) -> float:
    """How long it took."""
    metrics, rule = exchange.client.services.metrics, exchange.rule
    duration_s = now_s - exchange.started_at
    metrics.durations[bisect_left(DURATIONS_S, duration_s)] += 1
    metrics.duration_sum_s += duration_s
    counts = metrics.unrouted.by_class if rule is None else rule.plan.counts
    counts[exchange.status // 100] += 1
    return duration_s


def _line(exchange: Exchange, duration_s: float) -> bytes:
    request = exchange.request
    method, target = request.method, request.target
    attempt = exchange.attempts.last if exchange.attempts is not None else None
    peer, upstream_s = None, 0.0
    if attempt is not None:
        peer = attempt.peer
        upstream_s = attempt.answered_at - attempt.sent_at if attempt.answered_at else 0.0
    client = exchange.client
    return _LINE % (
        CLOCK.now(),
        method if method.isalpha() else json_text(method)[1:-1],
        b'"%b"' % target
        if target.isascii() and len(target.translate(None, _ESCAPED)) == len(target)
        else json_text(target),
        exchange.status,
        exchange.reason.encode(),
        exchange.request_bytes,
        exchange.response_bytes,
        duration_s * 1000,
        upstream_s * 1000,
        request.version,
        exchange.termination.encode(),
        client.log_memory.text(client.log, exchange.entry, exchange.rule, peer, request.agent),
    )


class LogMemory:
    """The part of a connection's log lines that is the same from request to request, and what it was made from."""

    __slots__ = ("_agent", "_entry", "_peer", "_rule", "_text")

    def __init__(self) -> None:
        self._entry: HostEntry | None = None
        self._rule: CompiledRule[Plan] | None = None
        self._peer: Peer | None = None
        self._agent: bytes | None = None
        self._text = b""

    def text(
        self, client: bytes, entry: HostEntry, rule: CompiledRule[Plan] | None, peer: Peer | None, agent: bytes
    ) -> bytes:
        """The constant part for these, as it was before if they are the same."""
        if self._peer is not peer or self._rule is not rule or self._entry is not entry or self._agent != agent:
            self._entry, self._rule, self._peer, self._agent = entry, rule, peer, agent
            self._text = constant_part(client, entry, rule, peer, agent)
        return self._text


def constant_part(
    client: bytes, entry: HostEntry, rule: CompiledRule[Plan] | None, peer: Peer | None, agent: bytes
) -> bytes:
    """Who asked, by which name, rule and endpoint; the end of the line. agent: the User-Agent line, or b""."""
    return b'%b,%b,"endpoint":%b,%b,"user_agent":%b}\n' % (
        entry.log,
        rule.plan.log if rule is not None else _NO_ROUTE,
        json_text(peer.label.encode()) if peer is not None else b'""',
        client,
        json_text(line_value(agent)) if agent else b'""',
    )
