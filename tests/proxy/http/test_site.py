"""Sites that follow one another: what is shared, and that nothing old is remembered."""

from __future__ import annotations

import random

import pytest

from proxy.http.plan import Plan
from proxy.http.site import HostEntry, Site, SiteCompiler, host_compiler
from proxy.routing.http import CompiledHost, HostCompiler
from proxy.snapshot.listeners import HttpListener
from proxy.snapshot.routes import HttpAction, HttpMatch, HttpRule, Refusal, VirtualHost
from proxy.telemetry.metrics import Metrics

NAMES = ("", "*.test", "*.a.test", "a.test", "b.a.test", "c.test")


class Counting(HostCompiler[Plan]):
    """Counts what was really compiled."""

    def __init__(self) -> None:
        super().__init__(lambda action: Plan(action, Metrics()))
        self.asked: list[str] = []

    def compile(self, host: VirtualHost, before: CompiledHost[Plan] | None = None) -> CompiledHost[Plan]:
        self.asked.append(host.hostname)
        return super().compile(host, before)


def host(name: str, *routes: str) -> VirtualHost:
    refusal = Refusal(418, "teapot")
    return VirtualHost(name, tuple(HttpRule(HttpMatch(), HttpAction(route, "0", refusal=refusal)) for route in routes))


def listener(*hosts: VirtualHost, name: str = "l", hostname: str = "") -> HttpListener:
    return HttpListener(name, hostname, hosts)


def entry(site: Site, name: str) -> HostEntry:
    return site.entry(b"Host: " + name.encode())


def routes(site: Site, name: str) -> list[str]:
    rules = entry(site, name).rules
    return [each.rule.action.route for seen in rules._hosts for _, each in seen.ranked] if rules else []


def test_one_edit_among_many_hosts_compiles_one() -> None:
    compiler = Counting()
    sites = SiteCompiler(compiler)
    hosts = [host(f"h{number:03}.test", str(number)) for number in range(200)]
    before = sites.compile([listener(*hosts)])
    kept = {name: entry(before, name) for name in ("h000.test", "h100.test", "h199.test", "nobody.test")}
    compiler.asked.clear()
    hosts[100] = host("h100.test", "new")
    after = sites.compile([listener(*hosts)])
    assert compiler.asked == ["h100.test"]
    assert routes(after, "h100.test") == ["new"]
    assert [name for name, old in kept.items() if entry(after, name) is not old] == ["h100.test"]
    assert routes(before, "h100.test") == ["100"]  # whoever still looks at the old site sees the old rules


def test_the_same_listeners_share_everything() -> None:
    compiler = Counting()
    sites = SiteCompiler(compiler)
    same = listener(host("a.test", "a"))
    before = sites.compile([same])
    compiler.asked.clear()
    assert sites.compile([same]).entries is before.entries
    assert not compiler.asked


def test_a_listener_that_goes_gives_its_hosts_to_another() -> None:
    sites = SiteCompiler(Counting())
    wide, narrow = listener(host("", "wide"), name="wide"), listener(host("", "narrow"), name="n", hostname="a.test")
    assert routes(sites.compile([wide, narrow]), "a.test") == ["narrow"]
    after = sites.compile([wide])
    assert (entry(after, "a.test").listener, routes(after, "a.test")) == ("wide", ["wide"])


@pytest.mark.parametrize("seed", range(20))
def test_a_site_made_from_the_one_before_is_the_site_made_anew(seed: int) -> None:
    chance = random.Random(seed)
    sites = SiteCompiler(host_compiler(Metrics()))
    hosts: dict[str, VirtualHost] = {}
    asked = ("a.test", "b.a.test", "c.test", "d.test", "x.y.a.test", "else")
    for step in range(60):
        for _ in range(chance.choice((1, 1, 2, 4))):
            name = chance.choice(NAMES)
            if chance.random() < 0.3:
                hosts.pop(name, None)
            else:
                hosts[name] = host(name, f"{name} {step}")
        listeners = [listener(*(hosts[name] for name in sorted(hosts)))]
        site, anew = sites.compile(listeners), SiteCompiler(host_compiler(Metrics())).compile(listeners)
        for name in chance.sample(asked, 4):
            assert routes(site, name) == routes(anew, name), f"step {step}"
