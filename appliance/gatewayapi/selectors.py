"""Label selectors in their structured form (meta/v1 LabelSelector)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether labels satisfy every requirement; an empty selector selects everything."""
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(name) != value for name, value in wanted.items()):
        return False
    return all(_holds(expression, labels) for expression in selector.get("matchExpressions") or ())


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    present = expression["key"] in labels
    listed = present and labels[expression["key"]] in (expression.get("values") or ())
    match expression["operator"]:
        case "In":
            return listed
        case "NotIn":
            return not listed
        case "Exists":
            return present
        case "DoesNotExist":
            return not present
        case _:
            return False
