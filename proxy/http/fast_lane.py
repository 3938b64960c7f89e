"""The fast lane: a plain request goes straight to a waiting backend connection, and a plain answer straight back.

It serves rules with one backend and nothing but edits of header lines, and answers that came in one piece. It only
accepts. Whatever else happens to a request, before it is sent or after, makes it an ordinary exchange: the one that the
general path would have made of the same bytes, so that nothing tells from outside which of the two carried it.
"""

from __future__ import annotations

from bisect import bisect_left
from time import monotonic
from typing import TYPE_CHECKING

from proxy.filters.header_edit import NO_EDIT
from proxy.http.exchange import Exchange
from proxy.http.outgoing import OutgoingHead
from proxy.http.record import constant_part
from proxy.protocols.h1_plain import PlainRequest
from proxy.protocols.h1_request import END_OF_HEAD, scan_request
from proxy.protocols.h1_response import HEADS, scan_response
from proxy.telemetry.metrics import DURATIONS_S
from proxy.upstreams.pool import Stack
from proxy.upstreams.security import pool_key

if TYPE_CHECKING:
    from proxy.http.attempts import Attempts
    from proxy.http.h1_connection import H1Connection
    from proxy.http.h1_turns import H1Turns
    from proxy.http.h1_upstream import H1Upstream
    from proxy.http.plan import BackendPlan, Plan
    from proxy.http.site import HostEntry, Site
    from proxy.protocols.h1_plain import Leading
    from proxy.routing.http import CompiledRule, HostRules
    from proxy.services import Peer

_PEERS_LIMIT = 64


class _Target:
    """A peer, as requests of one rule and client see it. idle: connections that wait; text: the end of log lines."""

    __slots__ = ("idle", "peer", "text")

    def __init__(self, peer: Peer, idle: Stack[H1Upstream], text: bytes) -> None:
        self.peer = peer
        self.idle = idle
        self.text = text


class FastLane:
    """The fast lane of one client connection, and what it remembers from request to request.

    open: the connection waits for a request, with nothing received and nothing left to send. connection: the backend's,
    while a request is under way here; the connection's `lane` is then this one.
    """

    __slots__ = ("_agent", "_answers", "_backend", "_client", "_connection", "_data", "_entry", "_host_line",
                 "_leading", "_logs", "_metrics", "_plan", "_pool", "_port", "_registry", "_request", "_rule", "_rules",
                 "_site", "_started_at", "_tail", "_target", "_targets", "_turns", "connection", "open")  # fmt: skip

    _backend: BackendPlan
    _data: bytes
    _entry: HostEntry
    _plan: Plan
    _started_at: float
    _target: _Target

    def __init__(self, connection: H1Connection, turns: H1Turns) -> None:
        """For a client that has connected; `turns` go on with what the lane does not carry to its end."""
        client = turns.client
        services, limits = client.services, client.services.options.limits
        self.open = False
        self.connection: H1Upstream | None = None
        self._connection = connection
        self._turns = turns
        self._answers = turns.answers
        self._client = client
        self._port = client.port
        self._registry = services.registry
        self._pool = services.pool
        self._metrics = services.metrics
        self._logs = services.access_log
        head_limit_bytes = min(limits.head_limit_bytes, limits.target_limit_bytes)
        self._request = PlainRequest(head_limit_bytes, limits.field_count_limit, believing=client.outgoing.trusted)
        self._site: Site | None = None
        self._host_line = b""
        self._rules: HostRules[Plan] | None = None
        self._rule: CompiledRule[Plan] | None = None
        self._leading: Leading | None = None
        self._agent = b""
        self._tail = b""
        self._targets: dict[Peer, _Target] = {}

    # The request

    def request(self, data: bytes) -> bool:
        """Carry a request; False leaves it to the general path, untouched."""
        request = self._request
        if not request.scan(data):
            return False
        if self._port.site is not self._site or request.host_line != self._host_line:
            self._enter(request.host_line)
        rules = self._rules
        if rules is None:
            return False
        candidates = rules.candidates(request.line[3])
        if not candidates:
            return False
        rule = candidates[0]
        if (
            rule is not self._rule or request.leading is not self._leading or request.agent != self._agent
        ) and not self._follow(rule):
            return False
        backend, plan = self._backend, self._plan
        if backend.request_edit.drops and backend.request_edit.concerns(request.rest):
            return False
        upstream = self._registry.get(backend.cluster)
        if upstream is None or (peer := upstream.pick()) is None:
            return False
        self.open = False
        self._data = data
        self._started_at = now = monotonic()
        out = request.head + self._tail
        end = request.end + 4
        out = out if end == len(data) else out + data[end:]
        self._target = target = self._targets.get(peer) or self._aim(peer)
        if not target.idle:
            self._exchange().at(upstream, peer, fresh=True)
            return True
        self.connection = connection = target.idle.pop()
        connection.lane = self
        connection.transport.write(out)
        if plan.request_timeout_s or plan.backend_timeout_s:
            self._connection.watch(now + min(filter(None, (plan.request_timeout_s, plan.backend_timeout_s))))
        return True

    def _enter(self, host_line: bytes) -> None:
        """Remember whose a Host line is on the site in force."""
        site = self._site = self._port.site
        entry = site.entry(host_line)
        self._host_line = host_line
        self._entry = entry
        self._rules = None if entry.belongs_elsewhere(self._client.tls_listener) else entry.rules
        self._rule = None

    def _follow(self, rule: CompiledRule[Plan]) -> bool:
        """Remember what a rule does to requests that begin as this one does; False for more than the lane can do."""
        backend, request = rule.plan.direct, self._request
        if backend is None or rule.conditions is not None or backend.request_edit.concerns(request.leading.wire):
            return False
        self._rule, self._leading, self._agent = rule, request.leading, request.agent
        self._plan, self._backend = rule.plan, backend
        self._tail = self._client.outgoing.tail(backend, self._entry.authority)
        self._targets = {}
        return True

    def _aim(self, peer: Peer) -> _Target:
        """Remember a peer."""
        if len(self._targets) >= _PEERS_LIMIT:
            self._targets.clear()
        text = constant_part(self._client.log, self._entry, self._rule, peer, self._agent)
        key = pool_key(peer.address, peer.security(self._entry.certificate))
        idle: Stack[H1Upstream] = Stack() if peer.http2 else self._pool.stack(key)
        target = self._targets[peer] = _Target(peer, idle, text)
        return target

    # The answer

    def answer(self, data: bytes) -> bool:
        """Give an answer to the client; False leaves it, and the request with it, to the general path."""
        end = data.find(END_OF_HEAD)
        head = data[:end]
        response = HEADS.young.get(head) or scan_response(head)
        if response is None or response.payload_bytes != len(data) - end - 4 or not response.keep_alive:
            self.leave()
            return False
        client, connection = self._connection, self.connection
        assert connection is not None
        client.since = now = monotonic()
        client.served = True
        self.connection = None
        connection.rest(now)
        edit = self._backend.response_edit
        head = response.whole if edit is NO_EDIT and response.has_date else self._answers.whole_head(response, edit)
        out = head + data[end + 4 :]
        client.transport.write(out)
        self.open = not client.full
        duration_s = now - self._started_at
        status = response.status
        metrics = self._metrics
        metrics.durations[bisect_left(DURATIONS_S, duration_s)] += 1
        metrics.duration_sum_s += duration_s
        self._plan.counts[status // 100] += 1
        if self._logs.enabled:
            line, text = self._request.line, self._target.text
            self._logs.write(
                (now, line[1], line[2], status, len(self._data), len(out), duration_s, duration_s, b"HTTP/1.1", text)
            )
        return True

    # The way out

    def leave(self) -> None:
        """Make the request under way an ordinary exchange, of the client and of the backend's connection."""
        connection, self.connection = self.connection, None
        assert connection is not None
        connection.lane = None
        self._exchange().sent_before(self._target.peer, connection, self._started_at)

    def _exchange(self) -> Attempts:
        """The request as an exchange, whose first attempt is still to be told of."""
        data, end = self._data, self._request.end
        request = scan_request(data[:end])
        assert request is not None, "a plain request is one that the scanner accepts"
        exchange = Exchange(self._turns, request, self._entry, self._rule, self._started_at, len(data))
        self._turns.begin(exchange)
        head = OutgoingHead(self._request.head, self._tail)
        return exchange.take_over(self._backend, self._plan, head, data[end + 4 :])
