"""HTTP/2 inside TLS through a real proxy: agreed on by ALPN, and true to the listener that the server name chose."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from proxy.snapshot.listeners import HttpsListener
from proxy.snapshot.routes import HttpAction, HttpMatch, HttpRule, Refusal, VirtualHost
from tests.proxy.certificates import bundle, trusting_client
from tests.proxy.gateway import bind, free_port, gateway, run
from tests.proxy.http.h2_client import H2Client

NAMES = ("example.org", "second.org", "a.wild.org", "b.wild.org", "c.wild.org", "unknown.org")


def offering(*protocols: str) -> ssl.SSLContext:
    context = trusting_client()
    context.set_alpn_protocols(protocols)
    return context


def listener(name: str, hostname: str, *served: str) -> HttpsListener:
    """It answers 418 to some hosts and knows no other."""
    action = HttpAction("default/r", "0", refusal=Refusal(418, "teapot"))
    hosts = tuple(VirtualHost(host, (HttpRule(HttpMatch(), action),)) for host in served)
    return HttpsListener(name, hostname, (bundle(*NAMES),), hosts)


LISTENERS = (
    listener("any", "", "example.org"),
    listener("second", "second.org", "second.org"),
    listener("wild", "*.wild.org", "*.wild.org"),
    listener("b", "b.wild.org", "b.wild.org"),
)


@pytest.mark.parametrize(
    ("server_name", "authority", "status"),
    [
        ("example.org", "example.org", 418),
        ("example.org", "second.org", 421),
        ("example.org", "unknown.org", 404),
        ("second.org", "second.org", 418),
        ("second.org", "second.org:8443", 418),
        ("second.org", "SECOND.ORG", 418),
        ("second.org", "example.org", 421),
        ("second.org", "unknown.org", 421),
        ("a.wild.org", "c.wild.org", 418),
        ("a.wild.org", "b.wild.org", 421),
        ("a.wild.org", "second.org", 421),
        ("b.wild.org", "b.wild.org", 418),
        ("b.wild.org", "a.wild.org", 421),
        ("unknown.org", "example.org", 418),
        ("unknown.org", "unknown.org", 404),
    ],
)
def test_a_request_is_for_the_listener_of_its_connection_or_misdirected(
    server_name: str, authority: str, status: int
) -> None:
    async def test() -> None:
        async with gateway() as gate:
            front = free_port()
            await gate.apply([bind(front, *LISTENERS)], {})
            client = await H2Client.connect_tls(front, server_name, offering("h2"))
            assert (await client.ask(authority=authority, scheme="https")).status == status
            assert (await client.ask(authority=authority, scheme="https")).status == status  # and from memory
            await client.close()

    run(test)


@pytest.mark.parametrize(
    ("offered", "agreed"),
    [(("h2", "http/1.1"), "h2"), (("http/1.1", "h2"), "h2"), (("http/1.1",), "http/1.1"), ((), None)],
)
def test_http_2_is_preferred_where_a_client_offers_it(offered: tuple[str, ...], agreed: str | None) -> None:
    async def test() -> None:
        async with gateway() as gate:
            front = free_port()
            await gate.apply([bind(front, *LISTENERS)], {})
            context = offering(*offered) if offered else trusting_client()
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", front, ssl=context, server_hostname="example.org"
            )
            assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == agreed
            if agreed != "h2":
                writer.write(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
                assert (await reader.readline()).startswith(b"HTTP/1.1 418 ")
            writer.close()

    run(test)


def test_a_connection_whose_listener_is_gone_ends_and_the_others_go_on() -> None:
    async def test() -> None:
        async with gateway() as gate:
            front = free_port()
            await gate.apply([bind(front, *LISTENERS)], {})
            going = await H2Client.connect_tls(front, "second.org", offering("h2"))
            staying = await H2Client.connect_tls(front, "example.org", offering("h2"))
            assert (await going.ask(authority="second.org", scheme="https")).status == 418
            await gate.apply([bind(front, *(one for one in LISTENERS if one.name != "second"))], {})
            await going.until(lambda: going.closed)
            assert [code for _, code in going.goaways] == [0, 0]
            assert (await staying.ask(authority="example.org", scheme="https")).status == 418
            assert not staying.goaways
            for client in (going, staying):
                await client.close()

    run(test)
