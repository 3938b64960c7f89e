"""Upstreams over consecutive snapshots: picking, leaving out, names that change, reports."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import pytest

from proxy.options import ProxyOptions
from proxy.snapshot.clusters import Cluster, Endpoint, RetryBudget, UpstreamTls
from proxy.snapshot.report import EndpointReport, NameReport, Report
from proxy.upstreams.peer import Peer
from proxy.upstreams.registry import Registry, Upstream

A, B, C = (Endpoint("ip", f"192.0.2.{last}", 80) for last in (1, 2, 3))


class Names:
    """A name service that we own: answers are set by the test, times to live are short."""

    def __init__(self) -> None:
        self.answers: dict[str, Sequence[str] | Exception] = {}
        self.asked: Counter[str] = Counter()

    async def __call__(self, host: str) -> tuple[Sequence[str], float]:
        self.asked[host] += 1
        answer = self.answers[host]
        if isinstance(answer, Exception):
            raise answer
        return answer, 300.0


class Bench:
    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.names = Names()
        self.serial = 0
        self.registry = Registry(asyncio.get_running_loop(), ProxyOptions(), self.reports.append, self.names)

    def cluster(self, *endpoints: Endpoint) -> Upstream:
        self.serial += 1
        self.registry.apply(self.serial, {"c": Cluster("c", "http", endpoints)})
        upstream = self.registry.get("c")
        assert upstream is not None
        return upstream

    def down(self) -> set[str]:
        """The endpoints whose last word is "down"."""
        states = {report.address: report.state for report in self.reports if isinstance(report, EndpointReport)}
        return {address for address, state in states.items() if state == "down"}


def run(test: Callable[[Bench], Awaitable[None]]) -> None:
    async def inside() -> None:
        bench = Bench()
        try:
            await test(bench)
        finally:
            bench.registry.close()

    asyncio.run(inside())


def picked(upstream: Upstream, avoid: Sequence[Peer] = ()) -> Peer:
    peer = upstream.pick(avoid)
    assert peer is not None
    return peer


def labels(upstream: Upstream, count: int) -> Counter[str]:
    return Counter(picked(upstream).label for _ in range(count))


def test_weights_are_honoured() -> None:
    async def test(bench: Bench) -> None:
        upstream = bench.cluster(Endpoint("ip", "192.0.2.1", 80, 3), B)
        assert labels(upstream, 8) == {"192.0.2.1:80": 6, "192.0.2.2:80": 2}

    run(test)


def test_no_endpoints_no_peer() -> None:
    async def test(bench: Bench) -> None:
        assert bench.cluster().pick() is None
        assert bench.registry.get("other") is None

    run(test)


def test_a_peer_that_refuses_is_left_out_and_reported_and_comes_back() -> None:
    async def test(bench: Bench) -> None:
        upstream = bench.cluster(A, B)
        bad = picked(upstream)
        bad.failed("Connection refused")
        assert bad.label not in labels(upstream, 6)
        bad.failed("Connection refused")
        assert bench.reports == [EndpointReport(1, "c", bad.label, "down", "Connection refused")]
        bad.succeeded()
        assert bad.label in labels(upstream, 6)
        assert bench.reports[-1] == EndpointReport(1, "c", bad.label, "up")

    run(test)


def test_when_all_are_left_out_trying_is_better() -> None:
    async def test(bench: Bench) -> None:
        upstream = bench.cluster(A, B)
        for _ in range(2):
            picked(upstream).failed("refused")
        assert len(labels(upstream, 4)) == 2

    run(test)


def test_avoided_peers_are_not_picked_again_even_if_the_rest_is_left_out() -> None:
    async def test(bench: Bench) -> None:
        upstream = bench.cluster(A, B)
        first = picked(upstream)
        second = picked(upstream, [first])
        assert second is not first
        second.failed("refused")
        assert picked(upstream, [first]) is second
        assert upstream.pick([first, second]) is None
        single = bench.cluster(A)
        assert single.pick([picked(single)]) is None

    run(test)


def test_what_is_unchanged_keeps_its_objects_and_its_health() -> None:
    async def test(bench: Bench) -> None:
        before = bench.cluster(A, B)
        bad = picked(before)
        bad.failed("refused")
        after = bench.cluster(A, B, C)
        assert after is before
        assert bad.label not in labels(after, 6)
        assert len(labels(after, 6)) == 2

    run(test)


def test_another_way_of_being_reached_is_another_peer() -> None:
    """Whatever was learnt of the address holds for the way that it was learnt on."""

    async def test(bench: Bench) -> None:
        upstream = bench.cluster(A, B)
        plain = picked(upstream)
        plain.failed("no TLS")
        assert plain.security(None) is None
        tls = UpstreamTls("a.test")
        bench.registry.apply(9, {"c": Cluster("c", "http", (A, B), tls=tls)})
        assert {peer.health.failures for peer in upstream.peers} == {0}
        assert plain not in upstream.peers
        assert picked(upstream).security(None) is picked(upstream).security(None) is not None
        health = [report.state for report in bench.reports if isinstance(report, EndpointReport)]
        assert health == ["down", "up"]
        kept = set(upstream.peers)
        bench.registry.apply(10, {"c": Cluster("c", "http", (B, A), tls=tls)})
        assert set(upstream.peers) == kept

    run(test)


def test_an_upstream_that_is_gone_still_serves_those_who_hold_it() -> None:
    async def test(bench: Bench) -> None:
        upstream = bench.cluster(A)
        bench.registry.apply(9, {})
        assert bench.registry.get("c") is None
        picked(upstream).failed("refused")
        assert bench.reports == []

    run(test)


def test_names_resolve_and_report_and_the_last_good_answer_stays() -> None:
    async def test(bench: Bench) -> None:
        bench.names.answers["b.test"] = ["192.0.2.8", "192.0.2.7"]
        upstream = bench.cluster(Endpoint("name", "b.test", 80))
        assert upstream.pick() is None
        await asyncio.wait_for(upstream.resolved(), 30)
        assert len(labels(upstream, 2)) == 2
        assert bench.reports == [NameReport(1, "b.test", ("192.0.2.7", "192.0.2.8"))]
        bench.cluster(Endpoint("name", "b.test", 80), A)
        assert bench.names.asked == {"b.test": 1}
        assert bench.reports[1:] == [NameReport(2, "b.test", ("192.0.2.7", "192.0.2.8"))]

    run(test)


@pytest.mark.parametrize("kind", [OSError, ValueError])
def test_a_name_that_fails_is_told_and_tried_again(kind: type[Exception]) -> None:
    """Whatever the failure: of one that nobody foresaw, too, it depends how long requests wait."""

    async def test(bench: Bench) -> None:
        bench.names.answers["b.test"] = kind("b.test does not exist (NXDOMAIN)")
        upstream = bench.cluster(Endpoint("name", "b.test", 80))
        await asyncio.wait_for(upstream.resolved(), 30)
        assert upstream.pick() is None
        assert bench.reports == [NameReport(1, "b.test", (), "b.test does not exist (NXDOMAIN)")]
        bench.names.answers["b.test"] = ["192.0.2.7"]
        async with asyncio.timeout(30):
            while upstream.pick() is None:
                await asyncio.sleep(0.02)
        assert bench.reports[-1] == NameReport(1, "b.test", ("192.0.2.7",))

    run(test)


def test_what_is_gone_is_down_no_longer() -> None:
    """An address that comes back is another peer, which nobody has refused."""

    async def test(bench: Bench) -> None:
        denied = Endpoint("ip", "169.254.169.254", 80)
        upstream = bench.cluster(A, B, C, denied)
        first, second = (peer for peer in upstream.peers if peer.label in ("192.0.2.1:80", "192.0.2.2:80"))
        first.failed("refused")
        second.failed("refused")
        assert bench.down() == {first.label, second.label, "169.254.169.254:80"}
        bench.cluster(B, C, denied)
        assert bench.down() == {second.label, "169.254.169.254:80"}
        bench.cluster(A, B, C)
        assert bench.down() == {second.label}
        bench.registry.apply(9, {})
        bench.cluster(A, B, C, denied)
        assert bench.down() == {"169.254.169.254:80"}
        bench.registry.apply(10, {})
        assert bench.down() == set()

    run(test)


def test_a_denied_address_is_reported_with_its_reason() -> None:
    async def test(bench: Bench) -> None:
        upstream = bench.cluster(Endpoint("ip", "169.254.169.254", 80))
        assert upstream.pick() is None
        assert bench.reports == [EndpointReport(1, "c", "169.254.169.254:80", "down", "169.254.169.254 is link-local")]

    run(test)


def test_only_clusters_that_are_other_objects_are_stale() -> None:
    async def test(bench: Bench) -> None:
        clusters = {name: Cluster(name, "http", (A,)) for name in "abcd"}
        bench.registry.apply(1, clusters)
        kept = {name: bench.registry.get(name) for name in "abcd"}
        assert bench.registry.stale(clusters) == {}
        changed = {**clusters, "b": Cluster("b", "http", (B,)), "e": Cluster("e", "http", (C,))}
        del changed["d"]
        assert set(bench.registry.stale(changed)) == {"b", "e"}
        bench.registry.apply(2, changed)
        assert bench.registry.stale(changed) == {}
        assert all(bench.registry.get(name) is kept[name] for name in "abc")
        assert bench.registry.get("d") is None

    run(test)


def test_a_peer_is_found_by_its_mark_while_it_serves() -> None:
    async def test(bench: Bench) -> None:
        upstream = bench.cluster(A, B)
        first, second = picked(upstream), picked(upstream)
        assert first.mark != second.mark
        assert upstream.marked(first.mark) is first and upstream.marked(second.mark) is second
        assert upstream.marked(b"") is None
        first.failed("refused")
        assert upstream.marked(first.mark) is None
        bench.cluster(C)
        assert upstream.marked(second.mark) is None

    run(test)


def test_retries_of_a_cluster_stay_within_its_budget() -> None:
    async def test(bench: Bench) -> None:
        upstream = bench.cluster(A)
        assert all(upstream.may_retry() for _ in range(100))
        budget = RetryBudget(percent=50, interval_s=3600.0, least=0, least_interval_s=3600.0)
        bench.registry.apply(9, {"c": Cluster("c", "http", (A,), retry_budget=budget)})
        for _ in range(9):
            picked(upstream)
        taken = 0
        while upstream.may_retry():
            picked(upstream)
            taken += 1
        assert taken == 9

    run(test)
