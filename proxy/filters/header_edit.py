"""Header edits: names to drop and lines to append, applied to a head's lines and composed before any request comes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from proxy.protocols.h1_lines import line_name
from proxy.protocols.hop_by_hop import CONNECTION_FIELDS

FRAMING_FIELDS = CONNECTION_FIELDS | {b"content-length", b"trailer"}
"""Never edited: they belong to the message's framing, and a gateway that lets them be set lets requests be smuggled."""


class HeaderEdit:
    """`drops`: lower-case names of lines that go; `appends`: lines that are added after that."""

    __slots__ = ("appends", "drops")

    def __init__(self, drops: Iterable[bytes] = (), appends: Iterable[bytes] = ()) -> None:
        self.drops = frozenset(drops) - FRAMING_FIELDS
        self.appends = tuple(line for line in appends if line_name(line) not in FRAMING_FIELDS)

    def __bool__(self) -> bool:
        return bool(self.drops or self.appends)

    def then(self, later: HeaderEdit) -> HeaderEdit:
        """The one edit that does this one and then `later`."""
        if not later:
            return self
        if not self:
            return later
        kept = (line for line in self.appends if line_name(line) not in later.drops)
        return HeaderEdit(self.drops | later.drops, (*kept, *later.appends))

    def concerns(self, raw: bytes) -> bool:
        """Whether the head `raw` might hold a field that is dropped. False is certain; true means look at its lines."""
        lowered = raw.lower()
        for name in self.drops:  # noqa: SIM110 - a plain loop: this runs for every request of a rule with a header filter
            if lowered.find(name) >= 0:  # "in" costs twice that: it first asks whether the name is a number
                return True
        return False

    def without_dropped(self, lines: Sequence[bytes]) -> list[bytes]:
        """The start line and the fields that stay; what is appended is not added."""
        return [lines[0], *(line for line in lines[1:] if line_name(line) not in self.drops)]


NO_EDIT = HeaderEdit()


def modifier_edit(set_: Iterable[tuple[str, str]], add: Iterable[tuple[str, str]], remove: Iterable[str]) -> HeaderEdit:
    """The edit of a modifier: set replaces, add appends, remove deletes, in this order (API HTTPHeaderFilter)."""
    replaced = [(name, value) for name, value in set_]
    edit = HeaderEdit((_name(name) for name, _ in replaced), (_line(*pair) for pair in replaced))
    edit = edit.then(HeaderEdit((), (_line(*pair) for pair in add)))
    return edit.then(HeaderEdit(_name(name) for name in remove))


def _name(name: str) -> bytes:
    return name.lower().encode("ascii", "replace")


def _line(name: str, value: str) -> bytes:
    """A field line; a control character in a value becomes a blank, so that no value ever ends its line."""
    clean = "".join(char if char.isprintable() or char == "\t" else " " for char in value)
    return name.encode("ascii", "replace") + b": " + clean.strip().encode()
