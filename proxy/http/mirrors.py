"""Copies of requests for mirrors (Gateway API HTTPRequestMirrorFilter): a request comes in, copies of it go to the
mirrors whose turn it is, and what these say goes nowhere.

A copy that cannot keep up is dropped and counted: no request ever waits for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import TYPE_CHECKING

from proxy.filters.request_mirror import MirrorShare
from proxy.http.errand import Errand
from proxy.protocols.h1_request import RequestHead
from proxy.protocols.h1_response import ResponseHead
from proxy.reasons import Reason
from proxy.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from proxy.http.exchange import Exchange
    from proxy.http.outgoing import OutgoingHead


class Discarded:
    """Hears what a mirror says, and counts what went wrong."""

    __slots__ = ("_metrics",)

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def answered(self, response: ResponseHead) -> None:
        """See Sender."""

    def payload(self, payload: bytes) -> None:
        """See Sender."""

    def finished(self, trailers: tuple[bytes, ...]) -> None:
        """See Sender."""

    def failed(self, reason: Reason) -> None:
        """See Sender."""
        self._metrics.mirror_lost(reason)


def begin_copies(exchange: Exchange, shares: Sequence[MirrorShare], head: OutgoingHead) -> list[Errand]:
    """Copies of a request whose head is `head`, for those of the mirrors whose turn it is, with what has come of its
    body; what comes later is to be written to them. A request that asks for another protocol is not copied.
    """
    port = exchange.client.port
    services = port.services
    options, metrics = services.options, services.metrics
    copies: list[Errand] = []
    for share in shares:
        if not share.takes() or exchange.request.upgrade:
            continue
        metrics.mirrored += 1
        if len(port.copies) >= options.limits.mirror_limit:
            metrics.mirror_lost(Reason.OVERLOADED)
            continue
        sender = Discarded(metrics)
        errand = Errand(
            port,
            share.cluster,
            exchange.request,
            head,
            sender,
            exchange.entry.certificate,
            among=port.copies,
            life_s=options.timeouts.mirror_s,
        )
        errand.begin()
        if exchange.body is not None:
            for piece in exchange.body.held:
                errand.write(piece, end=False)
            if exchange.body.complete:
                errand.write(b"", end=True, trailers=exchange.body.trailers)
        copies.append(errand)
    return copies


def copied(request: RequestHead) -> RequestHead:
    """A head that can be rewritten without the other noticing."""
    twin = copy(request)
    twin.lines = list(request.lines)
    return twin
