"""Who has which hostnames, so that whoever overlaps with a hostname is found without asking everybody."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class NameIndex(Generic[T]):
    """Owners by their names, exact or patterns as in `hostnames`. Looking up costs the labels of a name, and what is
    found, however many others there are. Owners come back in the order in which they were added."""

    def __init__(self) -> None:
        self._having: dict[str, dict[T, None]] = {}
        self._below: dict[str, dict[T, int]] = {}

    def __bool__(self) -> bool:
        """Whether anybody has a name."""
        return bool(self._having)

    def add(self, owner: T, names: Iterable[str]) -> None:
        """An owner that is not there yet, with all its names."""
        for name in dict.fromkeys(names):
            self._having.setdefault(name, {})[owner] = None
            for suffix in _suffixes(name):
                below = self._below.setdefault(suffix, {})
                below[owner] = below.get(owner, 0) + 1

    def remove(self, owner: T, names: Iterable[str]) -> None:
        """The owner with the names that it was added with."""
        for name in dict.fromkeys(names):
            del self._having[name][owner]
            if not self._having[name]:
                del self._having[name]
            for suffix in _suffixes(name):
                below = self._below[suffix]
                below[owner] -= 1
                if not below[owner]:
                    del below[owner]
                if not below:
                    del self._below[suffix]

    def overlapping(self, names: Iterable[str]) -> Iterator[T]:
        """Owners of a name that some host matches as well, perhaps more than once."""
        for name in names:
            yield from self._having.get(name, ())
            for suffix in _suffixes(name):
                yield from self._having.get(f"*{suffix}" if suffix else "", ())
            if name.startswith("*.") or not name:
                yield from self._below.get(name[1:], ())


def _suffixes(name: str) -> Iterator[str]:
    """ ".b.c", ".c" and "" of "a.b.c": what is below "*.b.c", "*.c" and ""; nothing is above ""."""
    place = name.find(".", 2 if name.startswith("*.") else 0)
    while place >= 0:
        yield name[place:]
        place = name.find(".", place + 1)
    if name:
        yield ""
