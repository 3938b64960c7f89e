"""What log and metrics will say of one connection or session: gathered as it goes, logged once at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from proxy.reasons import Reason, Termination
from proxy.snapshot.routes import Forward
from proxy.telemetry.access_log import AccessLog
from proxy.telemetry.log_line import connection_line
from proxy.telemetry.metrics import Metrics, StreamCounts


@dataclass(slots=True)
class SessionRecord:
    """protocol: "TCP", "TLS" or "UDP". host: the server name that the client asked for. counts: those of its route."""

    access_log: AccessLog
    metrics: Metrics
    protocol: str
    client: str
    listener: str
    forward: Forward | None
    host: str = ""
    tls_version: str = ""
    endpoint: str = ""
    clock: Callable[[], float] = monotonic
    started_s: float = field(init=False)
    counts: StreamCounts = field(init=False)

    def __post_init__(self) -> None:
        self.started_s = self.clock()
        self.counts = self.metrics.stream(self.protocol, self.forward.route if self.forward else "")
        self.counts.opened += 1

    def end(self, reason: str, how: Termination, to_upstream: int = 0, to_client: int = 0) -> None:
        """Count it as ended, and write the line. Once."""
        self.counts.ended += 1
        if not self.access_log.enabled:
            return
        line = connection_line(
            protocol=self.protocol,
            client=self.client,
            listener=self.listener,
            route=self.forward.route if self.forward else "",
            rule=self.forward.rule if self.forward else "",
            endpoint=self.endpoint,
            reason=reason,
            termination=how,
            request_bytes=to_upstream,
            response_bytes=to_client,
            duration_s=self.clock() - self.started_s,
            host=self.host,
            tls_version=self.tls_version,
        )
        self.access_log.write(line)


REASONS = {
    Termination.COMPLETE: Reason.OK,
    Termination.CLIENT: Reason.CLIENT_CLOSED,
    Termination.UPSTREAM: Reason.UPSTREAM_RESET,
    Termination.TIMEOUT: Reason.UPSTREAM_TIMEOUT,
    Termination.GATEWAY: Reason.SHUTDOWN,
}
"""Why a connection that was carried came to its end."""
