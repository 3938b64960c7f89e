"""What a new snapshot changes about the sockets."""

from __future__ import annotations

import pytest

from proxy.listeners.binds import changes
from proxy.snapshot.listeners import Bind, BindKey, TcpListener


def bind(port: int, address: str = "") -> Bind:
    return Bind(BindKey(address, port, "tcp"), (TcpListener("l", None),))


@pytest.mark.parametrize(
    ("live", "wanted", "expected"),
    [
        ([], [], ([], [], [])),
        ([], [1, 2], ([], [1, 2], [])),
        ([1, 2], [], ([1, 2], [], [])),
        ([1, 2], [2, 3], ([1], [3], [2])),
    ],
)
def test_ports_come_and_go(
    live: list[int], wanted: list[int], expected: tuple[list[int], list[int], list[int]]
) -> None:
    change = changes([bind(port).key for port in live], [bind(port) for port in wanted])
    close = [key.port for key in change.close]
    assert (close, [b.key.port for b in change.open], [b.key.port for b in change.update]) == expected


def test_another_address_is_another_socket() -> None:
    change = changes([bind(80).key], [bind(80, "192.0.2.1")])
    assert change.close == (BindKey("", 80, "tcp"),)
    assert change.open == (bind(80, "192.0.2.1"),)
