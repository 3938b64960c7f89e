"""What a patch refuses, in the words that clients of Kubernetes know."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace


class PatchError(Exception):
    """A patch that cannot be applied. code: the HTTP status for it (400 malformed, 413 too large, 422 does not fit)."""

    def __init__(self, message: str, code: int = 422) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass(frozen=True, slots=True)
class Conflict:
    """Fields that another manager owns and an apply would change.

    operation: "Apply" or "Update"; paths: texts such as `.spec.ports[port=80,protocol="TCP"].name`, in order.
    """

    manager: str
    api_version: str
    operation: str
    subresource: str
    paths: tuple[str, ...]

    def without(self, paths: Collection[str]) -> Conflict | None:
        """The conflict over all but these paths; None when nothing is left."""
        left = tuple(path for path in self.paths if path not in paths)
        return replace(self, paths=left) if left else None

    def __str__(self) -> str:
        """The manager as the messages of Kubernetes name it; only an Update is qualified by its version."""
        text = f'"{self.manager}"'
        if self.subresource:
            text += f' with subresource "{self.subresource}"'
        return f"{text} using {self.api_version}" if self.operation == "Update" else text


class ApplyConflictError(Exception):
    """An apply without force that would change what others own. conflicts: one per manager, never empty."""

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        self.conflicts = tuple(conflicts)
        super().__init__(_message(self.conflicts))


def _message(conflicts: Sequence[Conflict]) -> str:
    count = sum(len(conflict.paths) for conflict in conflicts)
    if count == 1:
        return f"Apply failed with 1 conflict: conflict with {conflicts[0]}: {conflicts[0].paths[0]}"
    lines: list[str] = []
    for conflict in conflicts:
        lines.append(f"conflicts with {conflict}:")
        lines.extend(f"- {path}" for path in conflict.paths)
    return f"Apply failed with {count} conflicts: " + "\n".join(lines)
