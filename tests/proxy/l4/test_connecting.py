"""Connections that are to be inside TLS, and nothing to make that of."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import Any, cast

import pytest

from certs.errors import CertificateError
from proxy.l4.connecting import Connected, join
from proxy.reasons import Reason
from proxy.upstreams.connect import ConnectFailedError
from proxy.upstreams.peer import Peer
from tests.proxy.gateway import run


class Lacking:
    """A peer inside TLS, for which no context can be made."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def security(self, certificate: Any) -> Lacking:
        return self

    async def context(self) -> None:
        raise self._error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (CertificateError("refused"), Reason.UPSTREAM_TLS_FAILED),
        (OSError(errno.EMFILE, "Too many open files"), Reason.OVERLOADED),
    ],
)
def test_the_connection_ends_when_tls_cannot_begin(error: Exception, reason: Reason) -> None:
    async def test() -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            found = Connected(ours, cast(Peer, Lacking(error)))
            with pytest.raises(ConnectFailedError) as failed:
                await join(asyncio.get_running_loop(), found, asyncio.Protocol(), 5.0, None)
            assert failed.value.reason is reason
            assert ours.fileno() == -1

    run(test)
