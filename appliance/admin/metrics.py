"""The registry of all metrics: the rooms' own collectors, the process, and the manifest files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Gauges(Collector):
    """Gauges read when asked for. read: (name, what it says, value) of each; runs on any thread."""

    def __init__(self, read: Callable[[], Iterable[tuple[str, str, float]]]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """One family for each gauge."""
        for name, documentation, value in self._read():
            yield GaugeMetricFamily(name, documentation, value)


def registry(collectors: Sequence[Collector]) -> CollectorRegistry:
    """A registry of these and of the process."""
    made = CollectorRegistry()
    ProcessCollector(registry=made)
    PlatformCollector(registry=made)
    for collector in collectors:
        made.register(collector)
    return made
