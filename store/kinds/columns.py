"""Columns that many kinds print."""

from __future__ import annotations

from store.kinds.kind import Column

UNKNOWN = "<unknown>"  # what a date column prints of a time that is not known
AGE = Column("Age", "date", ".metadata.creationTimestamp")


def text(name: str, path: str, *, wide: bool = False) -> Column:
    """A column of text at a JSONPath. wide: only shown with -o wide."""
    return Column(name, "string", path, priority=int(wide))


def condition(type_: str) -> Column:
    """The status of a condition under the name of its type."""
    return text(type_, f'.status.conditions[?(@.type=="{type_}")].status')
