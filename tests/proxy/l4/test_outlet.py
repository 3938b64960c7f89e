"""Datagrams sent in runs arrive as they were."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.l4.outlet import SEGMENT_LIMIT_BYTES, SEGMENTS_LIMIT, Outlet

SO_NO_CHECK = 11  # Linux; the kernel refuses runs of a socket without checksums


def receiver(family: socket.AddressFamily = socket.AF_INET) -> socket.socket:
    """A bound socket with room for all that a test sends."""
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.setblocking(False)
    return sock


def connected(to: socket.socket) -> socket.socket:
    """A socket towards it."""
    sock = socket.socket(to.family, socket.SOCK_DGRAM)
    sock.connect(to.getsockname())
    sock.setblocking(False)
    return sock


def arrived(sock: socket.socket) -> list[bytes]:
    """All that lies there: over loopback, what was sent has arrived."""
    found = []
    try:
        while True:
            found.append(sock.recv(65535))  # it ends with an error
    except BlockingIOError:
        return found


@pytest.fixture(params=[socket.AF_INET, pytest.param(socket.AF_INET6, marks=pytest.mark.needs("IPv6"))])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Sender and receiver."""
    with receiver(request.param) as there, connected(there) as here:
        yield here, there


def numbered(sizes: list[int]) -> list[bytes]:
    """Datagrams of these sizes, each with a content of its own."""
    return [random.Random(number).randbytes(size) for number, size in enumerate(sizes)]


@given(st.lists(st.sampled_from([0, 1, 2, 100, SEGMENT_LIMIT_BYTES, SEGMENT_LIMIT_BYTES + 1]), max_size=12))
def test_any_mixture_of_sizes_arrives_as_it_was(sizes: list[int]) -> None:
    with receiver() as there, connected(there) as here:
        datagrams = numbered(sizes)
        assert Outlet(here).send(datagrams) == (len(datagrams), None)
        assert arrived(there) == datagrams


@pytest.mark.parametrize("size", [1, 100, SEGMENT_LIMIT_BYTES])
def test_a_run_longer_than_the_kernel_takes_is_several(pair: tuple[socket.socket, socket.socket], size: int) -> None:
    here, there = pair
    datagrams = numbered([size] * (2 * SEGMENTS_LIMIT + 3))
    outlet = Outlet(here)
    assert outlet.send(datagrams) == (len(datagrams), None)
    assert arrived(there) == datagrams
    assert outlet.runs


def test_where_the_kernel_takes_no_runs_they_go_one_by_one() -> None:
    with receiver() as there, connected(there) as here:
        here.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
        outlet, datagrams = Outlet(here), numbered([100] * 5)
        assert outlet.send(datagrams) == (5, None)
        assert arrived(there) == datagrams
        assert not outlet.runs


def test_a_socket_that_is_not_connected_sends_to_the_address() -> None:
    with receiver() as there, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
        datagrams = numbered([100, 100, 100, 7])
        assert Outlet(here, there.getsockname()).send(datagrams) == (4, None)
        assert arrived(there) == datagrams


@pytest.mark.parametrize("runs", [True, False])
def test_a_refusal_says_what_had_gone_before(runs: bool) -> None:
    with receiver() as there:
        here = connected(there)
    with here:
        assert here.send(b"x") == 1  # nobody is there any more, which the next one hears
        sent, error = Outlet(here, runs=runs).send(numbered([100] * 3))
        assert sent == 0
        assert isinstance(error, ConnectionRefusedError)
        sent, error = Outlet(here, runs=False).send(numbered([100] * 3))
        assert sent == 1
        assert isinstance(error, ConnectionRefusedError)
