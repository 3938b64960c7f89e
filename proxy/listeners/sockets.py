"""Sockets to listen on: a bind's key comes in, a bound non-blocking socket goes out, or the system's reason why not.

SO_REUSEADDR lets a restart take its ports at once. SO_REUSEPORT is never set: it would let two gateways share a port by
mistake, and it drops connections when one of them goes.
"""

from __future__ import annotations

import errno
import socket

from proxy.snapshot.listeners import BindKey

BACKLOG = 4096
UDP_BUFFER_BYTES = 4 << 20
NO_IPV6 = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT)


def open_socket(key: BindKey) -> socket.socket:
    """A socket that is bound, and listens if its transport is TCP. Raises OSError.

    Address "" is one dual-stack socket on [::], or 0.0.0.0 where the machine has no IPv6.
    """
    if key.address:
        return _bound(key, socket.AF_INET6 if ":" in key.address else socket.AF_INET, key.address)
    try:
        return _bound(key, socket.AF_INET6, "::")
    except OSError as error:
        if error.errno not in NO_IPV6:
            raise
    return _bound(key, socket.AF_INET, "0.0.0.0")


def _bound(key: BindKey, family: socket.AddressFamily, address: str) -> socket.socket:
    stream = key.transport == "tcp"
    made = socket.socket(family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if address == "::" and not key.address else 1)
        if stream:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UDP_BUFFER_BYTES)
        made.bind((address, key.port))
        if stream:
            made.listen(BACKLOG)
    except BaseException:
        made.close()
        raise
    return made


def client_text(address: object) -> str:
    """A peer's address for logs, "192.0.2.1:4711"; IPv4 that came in through a dual-stack socket is shown as IPv4."""
    if not isinstance(address, tuple):
        return str(address or "")
    host, port = str(address[0]).removeprefix("::ffff:"), address[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
