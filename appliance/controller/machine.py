"""The addresses of this machine, from the kernel (rtnetlink(7)), and word of their changes."""

from __future__ import annotations

import socket
import struct
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

# linux/rtnetlink.h, linux/netlink.h, linux/if_addr.h
_RTM_NEWADDR: Final = 20
_RTM_GETADDR: Final = 22
_NLMSG_ERROR: Final = 2
_NLMSG_DONE: Final = 3
_NLM_F_REQUEST_DUMP: Final = 0x301
_IFA_ADDRESS: Final = 1
_IFA_LOCAL: Final = 2
_IFA_F_UNUSABLE: Final = 0x40 | 0x08  # tentative, duplicate found
_GROUPS: Final = 0x10 | 0x100  # addresses of IPv4, of IPv6

_HEADER = struct.Struct("=IHHII")
_ADDRESS = struct.Struct("=BBBBi")
_ATTRIBUTE = struct.Struct("=HH")
_TIMEOUT_S: Final = 2.0

Address = IPv4Address | IPv6Address


def machine_addresses() -> tuple[str, ...]:
    """All addresses that can be listened on: IPv4 first, loopback last. Without link-local IPv6 addresses, which mean
    nothing without an interface. Raises OSError."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as channel:
        channel.settimeout(_TIMEOUT_S)
        body = _ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
        channel.send(_HEADER.pack(_HEADER.size + len(body), _RTM_GETADDR, _NLM_F_REQUEST_DUMP, 1, 0) + body)
        found: list[Address] = []
        while not _read(channel.recv(1 << 16), found):
            pass
    usable = dict.fromkeys(a for a in found if not (a.version == 6 and a.is_link_local))
    return tuple(str(a) for a in sorted(usable, key=lambda a: (a.is_loopback, a.version)))


def address_events() -> socket.socket:
    """A non-blocking socket that becomes readable when addresses come or go. Raises OSError."""
    channel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
    channel.bind((0, _GROUPS))
    return channel


def _read(data: bytes, found: list[Address]) -> bool:
    """Take the messages of one datagram; True at the end of the dump."""
    start = 0
    while start + _HEADER.size <= len(data):
        length, kind, *_ = _HEADER.unpack_from(data, start)
        if kind == _NLMSG_DONE:
            return True
        if kind == _NLMSG_ERROR:
            (code,) = struct.unpack_from("=i", data, start + _HEADER.size)
            raise OSError(-code, "rtnetlink")
        if kind == _RTM_NEWADDR:
            _, _, flags, *_ = _ADDRESS.unpack_from(data, start + _HEADER.size)
            attributes = _attributes(data[start + _HEADER.size + _ADDRESS.size : start + length])
            raw = attributes.get(_IFA_LOCAL) or attributes.get(_IFA_ADDRESS)
            if raw is not None and not flags & _IFA_F_UNUSABLE:
                found.append(ip_address(raw))
        start += -(-length // 4) * 4
    return False


def _attributes(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    start = 0
    while start + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, start)
        found[kind] = data[start + _ATTRIBUTE.size : start + length]
        start += max(-(-length // 4) * 4, _ATTRIBUTE.size)
    return found
