"""Endpoints that refuse connections: the proxy's reports come in, what is left out now goes out.

Bounded; `note` belongs to the thread that reports, reading may happen on any other.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from proxy.snapshot.clusters import Cluster, Endpoint
from proxy.snapshot.report import EndpointReport

_LOG = logging.getLogger(__name__)
ENDPOINTS_LIMIT = 10_000


class EndpointHealth:
    """The endpoints whose last word is "down"."""

    def __init__(self) -> None:
        self._down: dict[tuple[str, str], EndpointReport] = {}

    def note(self, report: EndpointReport) -> None:
        """An endpoint went down; or it came up again, or is gone. All is logged, once each."""
        place = report.cluster, report.address
        if report.state == "up":
            if self._down.pop(place, None) is not None:
                _LOG.info("endpoint %s of %s is left out no longer", report.address, report.cluster)
            return
        while len(self._down) >= ENDPOINTS_LIMIT:
            self._down.pop(next(iter(self._down)))
        self._down[place] = report
        _LOG.warning("endpoint %s of %s is left out for a while: %s", report.address, report.cluster, report.error)

    def down(self, clusters: Mapping[str, Cluster]) -> list[dict[str, str]]:
        """What is down of the clusters in force, sorted: cluster, address and error of each."""
        reports = sorted(self._down.copy().items())
        return [
            {"cluster": name, "address": address, "error": report.error}
            for (name, address), report in reports
            if (cluster := clusters.get(name)) is not None and _is_of(cluster, address)
        ]


def _is_of(cluster: Cluster, address: str) -> bool:
    """Whether an endpoint with this address is still asked for; names may stand for any address."""
    return any(endpoint.kind == "name" or address == _label(endpoint) for endpoint in cluster.endpoints)


def _label(endpoint: Endpoint) -> str:
    """As the proxy's reports write an address."""
    if endpoint.kind == "unix":
        return f"unix:{endpoint.host}"
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    return f"{host}:{endpoint.port}"
