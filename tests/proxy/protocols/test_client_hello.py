"""The ClientHello reader against OpenSSL's own hellos, split anywhere, and against rubbish."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.protocols.client_hello import ClientHello, NotTLSError, parse_client_hello


def openssl_hello(name: str | None, alpn: list[str], newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.maximum_version = newest
    if alpn:
        context.set_alpn_protocols(alpn)
    outgoing = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name).do_handshake()
    return outgoing.read()


def in_records(message: bytes, size: int) -> bytes:
    """The same handshake message in records of at most `size` bytes."""
    parts = [message[at : at + size] for at in range(0, len(message), size)]
    return b"".join(b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part for part in parts)


HELLO = openssl_hello("a.Test", ["h2", "http/1.1"])
MESSAGE = HELLO[5:]


@pytest.mark.parametrize("name", ["a.test", "xn--bcher-kva.test", "a" * 60 + ".test", None])
@pytest.mark.parametrize("alpn", [[], ["http/1.1"], ["h2", "http/1.1"]])
def test_it_reads_what_openssl_writes(name: str | None, alpn: list[str]) -> None:
    hello = parse_client_hello(openssl_hello(name, alpn))
    assert hello is not None
    assert (hello.server_name, hello.alpn) == (name or "", tuple(alpn))
    assert 0x0304 in hello.versions


def test_a_hello_of_tls_1_2_tells_its_version() -> None:
    hello = parse_client_hello(openssl_hello("a.test", [], ssl.TLSVersion.TLSv1_2))
    assert hello is not None
    assert hello.versions == (0x0303,)


def test_every_beginning_of_a_hello_asks_for_more() -> None:
    for length in range(len(HELLO)):
        assert parse_client_hello(HELLO[:length]) is None
    assert parse_client_hello(HELLO) == parse_client_hello(HELLO + b"early data")


@given(st.integers(1, 600))
def test_records_of_any_size_give_the_same(size: int) -> None:
    if len(MESSAGE) / size > 64:
        with pytest.raises(NotTLSError, match="too many records"):
            parse_client_hello(in_records(MESSAGE, size))
    else:
        assert parse_client_hello(in_records(MESSAGE, size)) == parse_client_hello(HELLO)


@given(st.binary(max_size=200))
def test_rubbish_is_refused_or_incomplete(data: bytes) -> None:
    try:
        assert parse_client_hello(data) is None or len(data) > 40
    except NotTLSError:
        pass


@given(st.data())
def test_a_damaged_hello_never_does_anything_else(data: st.DataObject) -> None:
    damaged = bytearray(HELLO)
    for place in data.draw(st.lists(st.integers(0, len(HELLO) - 1), min_size=1, max_size=8)):
        damaged[place] = data.draw(st.integers(0, 255))
    try:
        hello = parse_client_hello(bytes(damaged))
    except NotTLSError:
        return
    assert hello is None or isinstance(hello, ClientHello)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"GET / HTTP/1.1\r\n", "not a TLS"),
        (b"\x16\x02\x01\x00\x10", "not a TLS"),
        (b"\x16\x03\x01\x00\x00", "impossible length"),
        (b"\x16\x03\x01\xff\xff", "impossible length"),
        (in_records(b"\x02\x00\x00\x04abcd", 100), "no ClientHello"),
        (in_records(b"\x01\x01\x00\x00", 100), "too large"),
        (in_records(b"\x01\x00\x00\x04abcd", 100), "past its end"),
    ],
)
def test_what_is_no_hello_is_refused_at_once(data: bytes, words: str) -> None:
    with pytest.raises(NotTLSError, match=words):
        parse_client_hello(data)


def test_a_server_name_with_a_nul_is_refused() -> None:
    with pytest.raises(NotTLSError):
        parse_client_hello(HELLO.replace(b"a.Test", b"a\0Test").replace(b"a.test", b"a\0test"))
