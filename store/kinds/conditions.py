"""The condition list that every status has (meta/v1 Condition)."""

from __future__ import annotations

from typing import Any

from store.kinds.fields import integer, keyed, record, string, time
from store.kinds.names import CONDITION_REASON, CONDITION_TYPE
from store.schema.structural import Schema

CONDITION = record(
    "One thing that is or is not so, and why.",
    {
        "lastTransitionTime": time("When the condition last changed its status."),
        "message": string("What happened, for people.", at_most=32768),
        "observedGeneration": integer(
            "Generation of the object that this was found out about.", at_least=0, format_="int64"
        ),
        "reason": string(
            "What happened, in one word for programs.", pattern=CONDITION_REASON, at_least=1, at_most=1024
        ),
        "status": string("Whether it is so.", one_of=("True", "False", "Unknown")),
        "type": string("What the condition is about.", pattern=CONDITION_TYPE, at_most=316),
    },
    required=("lastTransitionTime", "message", "reason", "status", "type"),
)


def conditions(
    description: str, *, at_least: int | None = None, at_most: int | None = 8, default: Any = None
) -> Schema:
    """A list of conditions, one per type."""
    return keyed(description, CONDITION, "type", at_least=at_least, at_most=at_most, default=default)


def waiting(*types: str) -> list[dict[str, str]]:
    """The conditions that an object shows before any controller has looked at it."""
    return [
        {
            "lastTransitionTime": "1970-01-01T00:00:00Z",
            "message": "Waiting for controller",
            "reason": "Pending",
            "status": "Unknown",
            "type": type_,
        }
        for type_ in types
    ]
