"""X-Forwarded-For, -Proto and -Host: who asked, how and for what, told to the backend.

What a client sends of them is dropped; what a trusted proxy sends is believed and extended.
"""

from __future__ import annotations

from collections.abc import Sequence

from proxy.protocols.h1_lines import line_name, line_value


def forwarded_lines(client: bytes, scheme: bytes, authority: bytes, trusted: Sequence[bytes] = ()) -> list[bytes]:
    """The lines to send.

    client: the peer's address; scheme: b"http" or b"https"; authority: the Host as received; trusted: the X-Forwarded-*
    and Forwarded lines of a trusted peer, or nothing.
    """
    received: dict[bytes, list[bytes]] = {}
    for line in trusted:
        received.setdefault(line_name(line), []).append(line)
    chain = [line_value(line) for line in received.pop(b"x-forwarded-for", ())]
    lines = [b"X-Forwarded-For: " + b", ".join([*chain, client])]
    for name, spelling, own in (
        (b"x-forwarded-proto", b"X-Forwarded-Proto: ", scheme),
        (b"x-forwarded-host", b"X-Forwarded-Host: ", authority),
    ):
        lines.append(received.pop(name, [spelling + own])[-1])
    return [*lines, *(line for rest in received.values() for line in rest)]
