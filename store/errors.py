"""Errors with the words and numbers of Kubernetes' Status (kubernetes.io: API conventions, "Response Status Kind").

Everything a verb refuses is a StatusError; the HTTP layer turns it into a Status object, in-process callers catch it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause in details.causes. reason as in field errors ("FieldValueInvalid", ...); field is a path or ""."""

    reason: str
    message: str
    field: str = ""


@dataclass(slots=True)
class StatusError(Exception):
    """A refusal. code: HTTP status; reason: machine-readable; message: the sentence that clients print.

    details: group, kind, name, uid as far as known. retry_after_s: seconds, also sent as Retry-After.
    metadata: fields of the Status' own metadata (a fresh continue token with reason Expired). warnings: what is to be
    said besides.
    """

    code: int
    reason: str
    message: str
    group: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    causes: Sequence[Cause] = ()
    retry_after_s: int = 0
    metadata: dict[str, Any] = field(default_factory=dict)
    warnings: Sequence[str] = ()

    def __str__(self) -> str:
        return self.message

    def status(self) -> dict[str, Any]:
        """The v1 Status object."""
        details: dict[str, Any] = {}
        for key in ("name", "group", "kind", "uid"):
            if value := getattr(self, key):
                details[key] = value
        if self.causes:
            details["causes"] = [
                {"reason": c.reason, "message": c.message} | ({"field": c.field} if c.field else {})
                for c in self.causes
            ]
        if self.retry_after_s:
            details["retryAfterSeconds"] = self.retry_after_s
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        }
        if details:
            status["details"] = details
        return status | {"code": self.code}
