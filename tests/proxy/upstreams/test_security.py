"""TLS towards backends over loopback: who is believed, what is shown, and what is shared."""

from __future__ import annotations

import asyncio
import errno
import gc
import ssl
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from certs.bundle import Bundle
from certs.contexts import client_context, server_context
from certs.trust import Trust, parse_trust
from proxy.reasons import Reason
from proxy.snapshot.clusters import Protocol, UpstreamTls
from proxy.upstreams import security
from proxy.upstreams.connect import ConnectFailedError, connect
from proxy.upstreams.pool import Pool
from proxy.upstreams.security import Securities, Wants, pool_key
from tests.certs.material import certificate, ec_key, pem
from tests.proxy.certificates import authority, bundle
from tests.proxy.gateway import backend, eventually, run, says

OWN = parse_trust(authority().ca_pem)
OTHER = parse_trust(certificate(ec_key(), (), authority=True))


class Reader(asyncio.Protocol):
    """Keeps what it receives."""

    def __init__(self) -> None:
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.received += data


def has(reader: Reader, received: bytes) -> bool:
    return reader.received == received


def wants(
    hostname: str = "a.test",
    trust: Trust | None = OWN,
    names: tuple[tuple[str, str], ...] = (),
    shown: Bundle | None = None,
    protocol: Protocol = "http",
) -> Wants:
    return Wants(UpstreamTls(hostname, trust, names), shown, protocol)  # type: ignore[arg-type]


async def reach(port: int, wanted: Wants, timeout_s: float = 5.0) -> Reader:
    loop = asyncio.get_running_loop()
    return await connect(loop, Reader, ("127.0.0.1", port), timeout_s, Securities().find(wanted))


async def refusal(port: int, wanted: Wants, timeout_s: float = 5.0) -> ConnectFailedError:
    with pytest.raises(ConnectFailedError) as failed:
        await reach(port, wanted, timeout_s)
    return failed.value


def test_a_backend_is_believed_by_name_or_by_one_of_several() -> None:
    async def test() -> None:
        async with backend(says(b"hello"), server_context(bundle("a.test", "b.test"))) as port:
            for wanted in (wants(), wants("b.test"), wants("x.test", names=(("dns", "no.test"), ("dns", "b.test")))):
                reader = await reach(port, wanted)
                await eventually(partial(has, reader, b"hello"))
                reader.transport.close()

    run(test)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (wants("c.test"), "Hostname mismatch"),
        (wants(trust=OTHER), "unable to get local issuer"),
        (wants(trust=None), "unable to get local issuer"),
        (wants(names=(("dns", "c.test"),)), "none of the wanted names"),
        (wants(names=(("uri", "spiffe://a.test/x"),)), "none of the wanted names"),
    ],
    ids=["name", "authority", "system", "names", "uris"],
)
def test_others_are_not_believed(wanted: Wants, words: str) -> None:
    async def test() -> None:
        async with backend(says(b"hello"), server_context(bundle("a.test"))) as port:
            error = await refusal(port, wanted)
            assert (error.reason, error.unhealthy) == (Reason.UPSTREAM_UNTRUSTED, True)
            assert words in str(error)

    run(test)


def test_the_systems_trust_is_openssls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And can be named as OpenSSL lets it be named."""
    file = tmp_path / "roots.pem"
    file.write_bytes(authority().ca_pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))

    async def test() -> None:
        async with backend(says(b"hello"), server_context(bundle("a.test"))) as port:
            (await reach(port, wants(trust=None))).transport.close()

    run(test)


def test_a_name_that_is_only_sent_chooses_the_certificate() -> None:
    """With names to look for, the hostname is the server name and nothing else (GEP-3155)."""
    asked: list[str | None] = []
    context = server_context(bundle("other.test"))
    context.sni_callback = lambda _, name, __: asked.append(name)

    async def test() -> None:
        async with backend(says(b"hello"), context) as port:
            reader = await reach(port, wants("sent.test", names=(("dns", "other.test"),)))
            reader.transport.close()
            assert asked == ["sent.test"]

    run(test)


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


def test_a_backend_without_tls_and_one_that_says_nothing() -> None:
    async def test() -> None:
        async with backend(says(b"SSH-2.0 hello\r\n")) as plain, backend(silent) as mute:
            for port, words in ((plain, "TLS with the backend failed"), (mute, "no TLS handshake within 0.2 s")):
                error = await refusal(port, wants(), 0.2)
                assert (error.reason, error.unhealthy) == (Reason.UPSTREAM_TLS_FAILED, False)
                assert words in str(error)

    run(test)


def test_http2_must_be_agreed_on_and_http1_is_offered() -> None:
    async def test() -> None:
        async with (
            backend(says(b""), server_context(bundle("a.test"), ["h2", "http/1.1"])) as both,
            backend(says(b""), server_context(bundle("a.test"), ["http/1.1"])) as old,
            backend(says(b""), server_context(bundle("a.test"))) as mute,
        ):
            (await reach(both, wants(protocol="http2"))).transport.close()
            for port in (both, old, mute):
                (await reach(port, wants())).transport.close()
            for port in (old, mute):
                assert "does not speak h2" in str(await refusal(port, wants(protocol="http2")))

    run(test)


def test_a_certificate_is_shown_to_who_asks() -> None:
    async def test() -> None:
        strict = server_context(bundle("a.test"), clients=OWN)
        async with backend(says(b"come in"), strict) as port:
            reader = await reach(port, wants(shown=authority().issue_client("gateway")))
            await eventually(lambda: reader.received == b"come in")
            reader.transport.close()

    run(test)


def test_giving_up_leaves_no_connection_behind() -> None:
    begun, ends = asyncio.Event(), list[bytes]()

    async def until_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)  # of the ClientHello, which gets no answer
        begun.set()
        try:
            ends.append(await reader.read())
        except ConnectionError:
            ends.append(b"")

    async def test() -> None:
        async with backend(until_end) as port:
            attempt = asyncio.create_task(reach(port, wants()))
            await asyncio.wait_for(begun.wait(), 30)
            attempt.cancel()
            with pytest.raises(asyncio.CancelledError):
                await attempt
            await eventually(lambda: ends)

    run(test)


def test_equal_wants_are_one_security_and_others_share_nothing() -> None:
    securities, pool = Securities(), Pool[Reader]()  # type: ignore[type-var]
    one, shown = securities.find(wants()), authority().issue_client("gateway")
    assert securities.find(wants()) is one
    assert securities.find(Wants(UpstreamTls("a.test", parse_trust(authority().ca_pem)), None, "http")) is one
    others = [
        wants("b.test"),
        wants(trust=None),
        wants(trust=OTHER),
        wants(names=(("dns", "a.test"),)),
        wants(shown=shown),
        wants(protocol="http2"),
    ]
    address = ("192.0.2.1", 443)
    found = [securities.find(each) for each in others]
    keys = [pool_key(address, each) for each in (None, one, *found)]
    stacks = [pool.stack(key) for key in keys]
    assert len({id(stack) for stack in stacks}) == len(keys)


def test_contexts_are_shared_built_once_and_forgotten() -> None:
    async def differing(securities: Securities) -> int:
        one, other = securities.find(wants()), securities.find(wants("b.test"))
        third = securities.find(wants(shown=authority().issue_client("x")))
        made = [*await asyncio.gather(one.context(), one.context()), await other.context(), await third.context()]
        return len({id(context) for context in made})

    async def test() -> None:
        securities = Securities()
        assert await differing(securities) == 2
        await asyncio.sleep(0)  # the loop lets go of what it is running
        gc.collect()
        assert not securities._known
        assert not securities._contexts

    run(test)


def test_a_failure_that_passes_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without descriptors no context can be made; when there are some again, the backend is reached."""
    lacking = [OSError(errno.EMFILE, "Too many open files")]

    def made(*args: Any, **options: Any) -> ssl.SSLContext:
        if lacking:
            raise lacking.pop()
        return client_context(*args, **options)

    monkeypatch.setattr(security, "client_context", made)

    async def test() -> None:
        loop, one = asyncio.get_running_loop(), Securities().find(wants())
        async with backend(says(b"hello"), server_context(bundle("a.test"))) as port:
            with pytest.raises(ConnectFailedError) as failed:
                await connect(loop, Reader, ("127.0.0.1", port), 5.0, one)
            assert (failed.value.reason, failed.value.unhealthy) == (Reason.OVERLOADED, False)
            reader = await connect(loop, Reader, ("127.0.0.1", port), 5.0, one)
            await eventually(partial(has, reader, b"hello"))
            reader.transport.close()

    run(test)


def test_a_certificate_that_openssl_refuses_fails_and_is_not_the_backends_fault() -> None:
    key = ec_key()
    broken = Bundle(certificate(key), pem(ec_key()), (), 0, 0, "", "ecdsa")

    async def test() -> None:
        async with backend(says(b""), server_context(bundle("a.test"))) as port:
            for _ in range(2):
                error = await refusal(port, wants(shown=broken))
                assert (error.reason, error.unhealthy) == (Reason.UPSTREAM_TLS_FAILED, False)

    run(test)
