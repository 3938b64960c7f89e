"""Hostnames: a table of exact names, wildcards and the empty catch-all; names come in, matches go out, best first.

Gateway API: an exact name beats a wildcard, a longer suffix beats a shorter one; "*.a.b" stands for one label or more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class HostnameTable(Generic[T]):
    """Hostnames as a snapshot spells them, each with its value. A name that comes twice keeps its first value."""

    __slots__ = ("_any", "_exact", "_suffixes")

    def __init__(self, entries: Iterable[tuple[str, T]]) -> None:
        self._exact: dict[bytes, T] = {}
        self._suffixes: dict[bytes, T] = {}
        self._any: list[T] = []
        for hostname, value in entries:
            name = _spelled(hostname)
            if not name:
                self._any.append(value)
            elif name.startswith(b"*."):
                self._suffixes.setdefault(name[1:], value)
            else:
                self._exact.setdefault(name, value)

    def changed(self, gone: Iterable[str], come: Iterable[tuple[str, T]]) -> HostnameTable[T]:
        """A new table without some hostnames and with others. Of names that came once only."""
        new: HostnameTable[T] = HostnameTable(())
        new._exact, new._suffixes, new._any = self._exact.copy(), self._suffixes.copy(), self._any
        for hostname in gone:
            name = _spelled(hostname)
            if not name:
                new._any = []
            elif name.startswith(b"*."):
                new._suffixes.pop(name[1:], None)
            else:
                new._exact.pop(name, None)
        for hostname, value in come:
            name = _spelled(hostname)
            if not name:
                new._any = [value]
            elif name.startswith(b"*."):
                new._suffixes[name[1:]] = value
            else:
                new._exact[name] = value
        return new

    def matches(self, host: bytes) -> list[T]:
        """Every value whose hostname covers `host` (lower case, no port), the most specific first."""
        found = []
        if (exact := self._exact.get(host)) is not None:
            found.append(exact)
        if self._suffixes:
            dot = host.find(b".", 1)
            while dot > 0:
                if (wild := self._suffixes.get(host[dot:])) is not None:
                    found.append(wild)
                dot = host.find(b".", dot + 1)
        return found + self._any[:1]

    def best(self, host: bytes) -> T | None:
        """The value with the most specific hostname that covers `host`, or None."""
        found = self.matches(host)
        return found[0] if found else None


def _spelled(hostname: str) -> bytes:
    return hostname.lower().encode("ascii", "replace")
