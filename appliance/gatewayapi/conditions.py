"""Conditions as the API spells them, without the times that only the status writer knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from appliance.gatewayapi.problems import Problem


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition (meta/v1 Condition) before observedGeneration and lastTransitionTime are added."""

    type: str
    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str = ""

    def body(self, generation: int) -> dict[str, Any]:
        """The JSON form; the writer adds lastTransitionTime."""
        return {
            "type": self.type,
            "status": self.status,
            "reason": self.reason,
            "message": self.message,
            "observedGeneration": generation,
        }


def good(type_: str, reason: str = "", message: str = "") -> Condition:
    """A condition that is True; its reason is its type unless another is given."""
    return Condition(type_, "True", reason or type_, message)


def bad(type_: str, problem: Problem) -> Condition:
    """A condition that is False because of a problem."""
    return Condition(type_, "False", problem.reason, problem.message)


def judged(type_: str, problem: Problem | None) -> Condition:
    """False with the problem, or True without one."""
    return bad(type_, problem) if problem else good(type_)
