"""What is decided about requests of HTTP/2 is what the site in force says, whatever was asked before."""

from __future__ import annotations

import random

from proxy.http.decisions import Decisions
from proxy.http.site import Site, SiteCompiler, host_compiler
from proxy.protocols.h2.fields import Field
from proxy.protocols.h2.names import named
from proxy.protocols.h2.request_blocks import RequestBlock, judge_request
from proxy.snapshot.listeners import HttpListener
from proxy.snapshot.routes import HttpAction, HttpMatch, HttpRule, Refusal, VirtualHost
from proxy.telemetry.metrics import Metrics

LONG = "/long/" + "x" * 500
MATCHES = (
    HttpMatch("exact", "/one"),
    HttpMatch("prefix", "/one", method="POST"),
    HttpMatch("prefix", "/one", method="PUT"),
    HttpMatch("prefix", "/two"),
    HttpMatch("exact", LONG, method="POST"),
)
METHODS, PATHS, HOSTS = ("GET", "POST", "PUT"), ("/", "/one", "/one/a", "/two", LONG, "/%2e%2e/x"), ("a", "b", "c", "")


def host(name: str, *matches: HttpMatch) -> VirtualHost:
    refusal = Refusal(418, "teapot")
    return VirtualHost(
        name, tuple(HttpRule(match, HttpAction(f"{name}{match.path}", "0", refusal=refusal)) for match in matches)
    )


def site(sites: SiteCompiler, *matches: HttpMatch) -> Site:
    listeners = [HttpListener("l", "a", (host("a", *matches),)), HttpListener("m", "b", (host("b", *matches),))]
    return sites.compile(listeners)


def asked(method: str, path: str, authority: str) -> RequestBlock:
    pairs = [(":method", method), (":scheme", "http"), (":path", path), (":authority", authority)]
    fields = [Field(named(name.encode()), value.encode()) for name, value in pairs if value]
    return judge_request(fields, oversized=False, target_limit_bytes=10_000)


def test_what_was_asked_before_changes_nothing() -> None:
    chance = random.Random(5)
    sites = SiteCompiler(host_compiler(Metrics()))
    both = [site(sites, *MATCHES), site(sites, *MATCHES[:3])]
    for tls_listener in (None, "l", "m"):
        decisions = Decisions(tls_listener)
        taken = 0
        for _ in range(2000):
            current = chance.choice(both) if chance.random() < 0.1 else both[0]
            request = asked(chance.choice(METHODS), chance.choice(PATHS), chance.choice(HOSTS))
            head = request.head(True)
            entry = current.entry(head.host_line or b"Host:")
            rule = None if request.refusal is not None else entry.find(head, tls_listener)
            assert decisions.decide(current, request, head) == (current, entry, rule, None)
            taken += rule is not None
        assert taken > 100
