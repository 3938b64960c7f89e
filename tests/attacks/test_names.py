"""Names of backends that resolve to where no backend may be, or not at all, or each time to something else."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from proxy.options import ProxyOptions
from proxy.snapshot.clusters import Cluster, Endpoint
from proxy.snapshot.report import NameReport
from proxy.upstreams.denials import Denials
from tests.proxy.gateway import ask, backend, eventually, free_port, gateway, http, run

GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

REFUSED = {
    "link-local, where metadata is": "169.254.169.254",
    "link-local of IPv6": "fe80::1",
    "link-local with a zone": "fe80::1%lo",
    "link-local, mapped": "::ffff:169.254.169.254",
    "link-local, through NAT64": "64:ff9b::a9fe:a9fe",
    "link-local, through 6to4": "2002:a9fe:a9fe::1",
    "metadata of AWS over IPv6": "fd00:ec2::254",
    "metadata of Alibaba": "100.100.100.200",
    "the host of Azure": "168.63.129.16",
    "multicast": "224.0.0.1",
    "multicast of IPv6": "ff02::1",
    "unspecified": "0.0.0.0",
    "unspecified of IPv6": "::",
    "unspecified, mapped": "::ffff:0.0.0.0",
    "broadcast": "255.255.255.255",
    "our own API": "127.0.0.1",
    "our own API, mapped": "::ffff:127.0.0.1",
    "not an address": "localhost",
}


@pytest.mark.parametrize("address", REFUSED.values(), ids=REFUSED)
def test_addresses_that_are_no_backends(address: str) -> None:
    assert Denials((), (("127.0.0.1", 6443),)).reason(address, 6443)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "192.0.2.1", "10.0.0.1", "2001:db8::1", "::1", "fd00::1", "64:ff9b::a00:1"]
)
def test_addresses_that_are(address: str) -> None:
    assert Denials((), (("127.0.0.1", 6443),)).reason(address, 80) == ""


class Changing:
    """A resolver that gives one answer after the other, with no time to live; None is a name that does not exist."""

    def __init__(self, *answers: tuple[str, ...] | None) -> None:
        self.answers = list(answers)

    async def __call__(self, host: str) -> tuple[Sequence[str], float]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            raise OSError(f"{host} does not exist (NXDOMAIN)")
        return answer, 0.0


async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")


@pytest.mark.parametrize(
    ("answers", "statuses"),
    [
        ((("127.0.0.1",),), ["200"]),
        ((("127.0.0.9", "127.0.0.1"),), ["200", "200", "200"]),
        ((("169.254.169.254", "127.0.0.1"),), ["200", "200", "200"]),
        ((("169.254.169.254",),), ["503"]),
        ((("127.0.0.2",),), ["503"]),
        ((None,), ["503"]),
    ],
    ids=["plain", "one of two listens", "one of two is denied", "denied", "our own", "NXDOMAIN"],
)
def test_a_request_goes_only_where_it_may(answers: tuple[tuple[str, ...] | None, ...], statuses: list[str]) -> None:
    """Decided on the address that is then connected to, so a name cannot change its mind in between."""

    async def test() -> None:
        async with backend(served) as number:
            options = ProxyOptions(access_log="off", own_addresses=(("127.0.0.2", number),))
            async with gateway(options=options, lookup=Changing(*answers)) as gate:
                port = free_port()
                clusters = {"c": Cluster("c", "http", (Endpoint("name", "it.test", number),), 0.5)}
                await gate.apply([http(port, "c")], clusters)
                for status in statuses:
                    assert (await ask(port, GET))[9:12].decode() == status

    run(test)


@pytest.mark.parametrize(
    ("answers", "statuses"),
    [
        ((("127.0.0.1",), ("169.254.169.254",)), ["200", "503"]),
        ((None, ("127.0.0.1",)), ["503", "200"]),
        ((("127.0.0.1",), None), ["200", "200"]),
    ],
    ids=["rebinding", "NXDOMAIN, then there", "there, then NXDOMAIN: the last good answer stays"],
)
def test_a_name_that_changes(answers: tuple[tuple[str, ...] | None, ...], statuses: list[str]) -> None:
    async def test() -> None:
        options = ProxyOptions(access_log="off")
        async with backend(served) as number, gateway(options=options, lookup=Changing(*answers)) as gate:
            port = free_port()
            clusters = {"c": Cluster("c", "http", (Endpoint("name", "it.test", number),))}
            await gate.apply([http(port, "c")], clusters)
            for seen, status in enumerate(statuses, 1):
                await eventually(lambda seen=seen: _reports(gate.reports) >= seen)  # type: ignore[misc]
                assert (await ask(port, GET))[9:12].decode() == status

    run(test)


def _reports(reports: Sequence[object]) -> int:
    return sum(isinstance(report, NameReport) for report in reports)
