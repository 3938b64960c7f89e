"""How names are looked up on this machine, against a DNS server of our own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from proxy.upstreams.resolve import SystemLookup
from tests.proxy.gateway import datagrams, port_of, run

RECORDS = {
    ("both.test.", "A"): (60, ["192.0.2.1", "192.0.2.2"]),
    ("both.test.", "AAAA"): (30, ["2001:db8::1"]),
    ("four.test.", "A"): (7, ["192.0.2.9"]),
}


def answer(data: bytes) -> bytes:
    query = dns.message.from_wire(data)
    (question,) = query.question
    response = dns.message.make_response(query)
    response.flags |= dns.flags.RA
    name, kind = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
    if (name, kind) in RECORDS:
        ttl, addresses = RECORDS[name, kind]
        response.answer.append(dns.rrset.from_text(question.name, ttl, "IN", kind, *addresses))
    elif not any(known == name for known, _ in RECORDS):
        response.set_rcode(dns.rcode.SERVFAIL if name.startswith("broken") else dns.rcode.NXDOMAIN)
    return response.to_wire()


def look_up(host: str, hosts: Path, respond: Callable[[bytes], bytes] = answer) -> tuple[list[str], float]:
    found: list[tuple[list[str], float]] = []

    async def test() -> None:
        async with datagrams(respond) as server:
            resolver = dns.asyncresolver.Resolver(configure=False)
            resolver.nameservers, resolver.port = ["127.0.0.1"], port_of(server)
            addresses, ttl_s = await SystemLookup(asyncio.get_running_loop(), hosts, resolver)(host)
            found.append((sorted(addresses), ttl_s))

    run(test)
    return found[0]


@pytest.fixture
def hosts(tmp_path: Path) -> Path:
    path = tmp_path / "hosts"
    path.write_text("192.0.2.77 Pinned.test\n")
    return path


@pytest.mark.parametrize(
    ("host", "addresses", "ttl_s"),
    [
        ("both.test", ["192.0.2.1", "192.0.2.2", "2001:db8::1"], 30),
        ("four.test", ["192.0.2.9"], 7),
        ("pinned.test", ["192.0.2.77"], 2),
        ("localhost", ["127.0.0.1", "::1"], 300),
    ],
)
def test_where_addresses_come_from(hosts: Path, host: str, addresses: list[str], ttl_s: float) -> None:
    assert look_up(host, hosts) == (addresses, ttl_s)


@pytest.mark.parametrize(("host", "words"), [("none.test", "NXDOMAIN"), ("broken.test", "DNS failed for broken.test")])
def test_a_failure_says_what_failed(hosts: Path, host: str, words: str) -> None:
    with pytest.raises(OSError, match=words):
        look_up(host, hosts)


def test_a_missing_hosts_file_is_an_empty_one(tmp_path: Path) -> None:
    assert look_up("four.test", tmp_path / "none") == (["192.0.2.9"], 7)


def test_other_servers_are_asked_once_those_of_before_do_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[dns.asyncresolver.Resolver] = []

    async def test() -> None:
        async with datagrams(answer) as server:

            def configured() -> dns.asyncresolver.Resolver:
                resolver = known(configure=False)
                resolver.nameservers, resolver.port = ["127.0.0.1"], port_of(server)
                if not made:  # a machine that is in another network by now
                    monkeypatch.setattr(resolver, "resolve", unanswered)
                made.append(resolver)
                return resolver

            known = dns.asyncresolver.Resolver
            monkeypatch.setattr(dns.asyncresolver, "Resolver", configured)
            lookup = SystemLookup(asyncio.get_running_loop(), tmp_path / "none")
            with pytest.raises(OSError, match="DNS did not answer"):
                await lookup("four.test")
            for _ in range(2):
                assert await lookup("four.test") == (["192.0.2.9"], 7)
            with pytest.raises(OSError, match="NXDOMAIN"):
                await lookup("none.test")
            assert await lookup("four.test") == (["192.0.2.9"], 7)

    async def unanswered(*_: object, **__: object) -> None:
        raise dns.exception.Timeout

    run(test)
    assert len(made) == 2
