"""Metrics: plain counters that hot paths add to, read when somebody asks (a prometheus_client collector).

Series are bounded: past `ROUTES_LIMIT` routes, further ones are counted together as "other".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

ROUTES_LIMIT = 2000
DURATIONS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class RouteCounts:
    """Requests of one route by the first digit of their status; index 0 counts those that got no answer."""

    __slots__ = ("by_class",)

    def __init__(self) -> None:
        self.by_class = [0] * 10


class StreamCounts:
    """Connections or UDP sessions of one route. moved: bytes from clients, bytes to clients; counted as they go."""

    __slots__ = ("ended", "moved", "opened")

    def __init__(self) -> None:
        self.opened = 0
        self.ended = 0
        self.moved = [0, 0]


class Metrics(Collector):
    """What the data plane counts. Written on the loop's thread; read from any, a reader may see a moment's half."""

    def __init__(self) -> None:
        self.routes: dict[str, RouteCounts] = {}
        self.unrouted = self.route("")
        self.streams: dict[tuple[str, str], StreamCounts] = {}
        self.durations = [0] * (len(DURATIONS_S) + 1)
        self.duration_sum_s = 0.0
        self.connections = 0
        self.connections_total = 0
        self.connections_refused = 0
        self.http2_errors: dict[str, int] = {}
        self.upstream_errors: dict[str, int] = {}
        self.upstream_retries = 0
        self.mirrored = 0
        self.mirrors_lost: dict[str, int] = {}
        self.log_dropped: Callable[[], int] = int
        """Asks the access log; zero until there is one."""

    def route(self, name: str) -> RouteCounts:
        """The counts of a route; all routes past the limit share those of "other"."""
        if name not in self.routes and len(self.routes) >= ROUTES_LIMIT:
            name = "other"
        return self.routes.setdefault(name, RouteCounts())

    def stream(self, protocol: str, route: str) -> StreamCounts:
        """The counts of a route that carries "TCP", "TLS" or "UDP"; past the limit, those of "other"."""
        if (protocol, route) not in self.streams and len(self.streams) >= ROUTES_LIMIT:
            route = "other"
        return self.streams.setdefault((protocol, route), StreamCounts())

    def http2_failed(self, code: str) -> None:
        """Count one HTTP/2 connection of a client that was ended for a fault; `code` is that of its GOAWAY."""
        self.http2_errors[code] = self.http2_errors.get(code, 0) + 1

    def upstream_failed(self, reason: str) -> None:
        """Count one failed attempt; `reason` is one of `proxy.reasons`."""
        self.upstream_errors[reason] = self.upstream_errors.get(reason, 0) + 1

    def mirror_lost(self, reason: str) -> None:
        """Count one copy that did not reach its mirror whole; `reason` is one of `proxy.reasons`."""
        self.mirrors_lost[reason] = self.mirrors_lost.get(reason, 0) + 1

    def collect(self) -> Iterator[Metric]:
        """The families, as prometheus_client asks for them."""
        requests = CounterMetricFamily("gatehouse_http_requests", "HTTP requests answered", labels=["route", "status"])
        for route, counts in list(self.routes.items()):
            for digit, count in enumerate(counts.by_class):
                if count:
                    requests.add_metric([route, f"{digit}xx" if digit else "none"], count)
        yield requests
        yield self._histogram()
        yield from self._streams()
        yield GaugeMetricFamily("gatehouse_http_connections", "Client connections now open", value=self.connections)
        yield CounterMetricFamily(
            "gatehouse_http_connections_opened", "Client connections accepted", value=self.connections_total
        )
        yield CounterMetricFamily(
            "gatehouse_http_connections_refused", "Client connections over the limit", value=self.connections_refused
        )
        faults = CounterMetricFamily(
            "gatehouse_http2_connection_errors", "HTTP/2 connections of clients ended for a fault", labels=["code"]
        )
        for code, count in list(self.http2_errors.items()):
            faults.add_metric([code], count)
        yield faults
        errors = CounterMetricFamily("gatehouse_upstream_errors", "Attempts at backends that failed", labels=["reason"])
        for reason, count in list(self.upstream_errors.items()):
            errors.add_metric([reason], count)
        yield errors
        yield CounterMetricFamily(
            "gatehouse_upstream_retries", "Attempts after a first failed one", value=self.upstream_retries
        )
        yield CounterMetricFamily("gatehouse_mirrored_requests", "Copies made for mirrors", value=self.mirrored)
        lost = CounterMetricFamily("gatehouse_mirrored_requests_lost", "Those that got lost", labels=["reason"])
        for reason, count in list(self.mirrors_lost.items()):
            lost.add_metric([reason], count)
        yield lost
        yield CounterMetricFamily(
            "gatehouse_access_log_dropped", "Log lines lost to a full queue or disk", value=self.log_dropped()
        )

    def _streams(self) -> Iterator[Metric]:
        labels = ["protocol", "route"]
        opened = CounterMetricFamily(
            "gatehouse_stream_sessions", "TCP and TLS connections, UDP sessions", labels=labels
        )
        live = GaugeMetricFamily("gatehouse_stream_sessions_open", "Those of them that go on", labels=labels)
        moved = CounterMetricFamily("gatehouse_stream_bytes", "Bytes that they carried", labels=[*labels, "direction"])
        for (protocol, route), counts in list(self.streams.items()):
            opened.add_metric([protocol, route], counts.opened)
            live.add_metric([protocol, route], counts.opened - counts.ended)
            for direction, count in zip(("from_client", "to_client"), counts.moved, strict=True):
                moved.add_metric([protocol, route, direction], count)
        yield from (opened, live, moved)

    def _histogram(self) -> HistogramMetricFamily:
        total, buckets = 0, []
        for bound, count in zip((*map(str, DURATIONS_S), "+Inf"), list(self.durations), strict=True):
            total += count
            buckets.append((bound, float(total)))
        return HistogramMetricFamily(
            "gatehouse_http_request_duration_seconds",
            "From the head of a request to the end of its answer",
            buckets=buckets,
            sum_value=self.duration_sum_s,
        )
