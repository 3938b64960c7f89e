"""RequestMirror: which requests are copied, evenly spread and without chance (Gateway API HTTPRequestMirrorFilter)."""

from __future__ import annotations

from proxy.snapshot.filters import RequestMirror


class MirrorShare:
    """A compiled mirror. `cluster`: where the copies go."""

    __slots__ = ("_credit", "_denominator", "_numerator", "cluster")

    def __init__(self, mirror: RequestMirror) -> None:
        self.cluster = mirror.cluster
        self._numerator = mirror.numerator
        self._denominator = mirror.denominator
        self._credit = 0

    def takes(self) -> bool:
        """Whether the next request is copied; of `denominator` in a row, exactly `numerator` are."""
        self._credit += self._numerator
        if self._credit < self._denominator:
            return False
        self._credit -= self._denominator
        return True


def compile_request_mirror(mirror: RequestMirror) -> MirrorShare:
    """The compiled form of a mirror."""
    return MirrorShare(mirror)
