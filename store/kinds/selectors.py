"""Label selectors (meta/v1 LabelSelector)."""

from __future__ import annotations

from store.kinds.fields import items, mapping, record, string
from store.schema.structural import Schema


def label_selector(description: str) -> Schema:
    """A selector of objects by their labels; all its parts must hold."""
    expression = record(
        "A requirement on one label.",
        {
            "key": string("Label that the requirement is about."),
            "operator": string("In, NotIn, Exists or DoesNotExist."),
            "values": items("Values for In and NotIn.", string()),
        },
        required=("key", "operator"),
    )
    return record(
        description,
        {
            "matchExpressions": items("Requirements, all of which must hold.", expression),
            "matchLabels": mapping("Labels and the values that they must have.", string()),
        },
        atomic=True,
    )
