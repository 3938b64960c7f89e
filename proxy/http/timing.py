"""When an exchange has had its time: the rule's timeouts, and idleness of either side.

Times are `time.monotonic()` seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.reasons import Reason, Termination

if TYPE_CHECKING:
    from proxy.http.exchange import Exchange
    from proxy.http.plan import Plan


def limit(exchange: Exchange, plan: Plan) -> None:
    """Note when the rule's time for the whole exchange is over, or that which a gRPC client has set."""
    timeout_s = plan.request_timeout_s
    if exchange.call is not None and exchange.call.timeout_s:
        timeout_s = min(timeout_s or exchange.call.timeout_s, exchange.call.timeout_s)
    if timeout_s:
        exchange.request_due_s = exchange.started_at + timeout_s
        exchange.downstream.watch(exchange.request_due_s)


def due_s(exchange: Exchange) -> float:
    """When to call `overdue`, if nothing moves until then."""
    timeouts = exchange.client.services.options.timeouts
    waits_for_client = exchange.stalled_at or (exchange.body is not None and not exchange.body.complete)
    active_at = exchange.active_at
    if exchange.joint is not None:
        active_at = max(active_at, exchange.joint.moved_at)
    due = active_at + (timeouts.client_idle_s if waits_for_client else timeouts.upstream_idle_s)
    return min(due, _rule_due_s(exchange) or due)


def overdue(exchange: Exchange, now_s: float) -> None:
    """Nothing moved for too long, or a timeout of the rule has passed."""
    in_time = not exchange.head_sent and now_s < (exchange.request_due_s or now_s + 1)
    if in_time and exchange.attempts is not None and exchange.attempts.timed_out(now_s):
        return
    exchange.termination = Termination.TIMEOUT
    by_rule = now_s >= (_rule_due_s(exchange) or now_s + 1)
    if by_rule or exchange.body is None or exchange.body.complete:
        exchange.client.services.metrics.upstream_failed(Reason.UPSTREAM_TIMEOUT)
        exchange.refuse(504, Reason.UPSTREAM_TIMEOUT)
    else:
        exchange.refuse(408, Reason.REQUEST_TIMEOUT)


def _rule_due_s(exchange: Exchange) -> float:
    """The earlier of the rule's two timeouts; 0.0 for neither."""
    attempt_due = exchange.attempts.due_s if exchange.attempts is not None else 0.0
    if exchange.request_due_s and attempt_due:
        return min(exchange.request_due_s, attempt_due)
    return exchange.request_due_s or attempt_due
