"""Why a connection did not come about, and whose fault that is."""

from __future__ import annotations

import asyncio
import errno
import os
from typing import Any

import pytest

from proxy.reasons import Reason
from proxy.upstreams.connect import ConnectFailedError, connect


class Refusing(asyncio.SelectorEventLoop):
    """A loop on which connecting fails as the test says."""

    code = 0

    async def create_connection(self, *_: Any, **__: Any) -> Any:
        raise OSError(self.code, os.strerror(self.code))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.ECONNREFUSED, Reason.CONNECT_FAILED),
        (errno.EHOSTUNREACH, Reason.CONNECT_FAILED),
        (errno.EMFILE, Reason.OVERLOADED),
        (errno.ENFILE, Reason.OVERLOADED),
        (errno.ENOBUFS, Reason.OVERLOADED),
    ],
)
def test_running_out_of_our_own_is_nobody_elses_fault(code: int, reason: Reason) -> None:
    loop = Refusing()
    loop.code = code
    with asyncio.Runner(loop_factory=lambda: loop) as runner, pytest.raises(ConnectFailedError) as failed:
        runner.run(connect(loop, asyncio.Protocol, ("192.0.2.1", 80), 1.0))
    assert failed.value.reason is reason
