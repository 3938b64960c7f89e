"""Rules that only the standard channel of the Gateway API states; the built-in kinds follow the experimental one."""

from __future__ import annotations

from typing import Any

from store.schema.structural import Rule

Reference = dict[str, Any]


def _parent(reference: Reference) -> tuple[str, str, str, str]:
    return reference["group"], reference["kind"], reference["name"], reference.get("namespace", "")


def _sections_all_or_none(references: list[Reference], _: Any) -> bool:
    named: dict[tuple[str, ...], bool] = {}
    return all(
        named.setdefault(_parent(one), bool(one.get("sectionName"))) == bool(one.get("sectionName"))
        for one in references
    )


def _sections_unique(references: list[Reference], _: Any) -> bool:
    return len({(*_parent(one), one.get("sectionName", "")) for one in references}) == len(references)


STANDARD_RULES = (
    Rule(
        "sectionName must be specified when parentRefs includes 2 or more references to the same parent",
        _sections_all_or_none,
    ),
    Rule(
        "sectionName must be unique when parentRefs includes 2 or more references to the same parent",
        _sections_unique,
    ),
)
