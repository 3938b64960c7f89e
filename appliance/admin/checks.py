"""The checks behind /livez and /readyz.

Named questions come in; a text in the form that kube-apiserver's health endpoints have goes out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """A question. ask: "" when all is well, otherwise what is wrong or still to come. Never blocks."""

    name: str
    ask: Callable[[], str]


def report(title: str, checks: Sequence[Check], *, verbose: bool) -> tuple[bool, str]:
    """Whether all is well, and the text of the answer: "ok", or a line for every check."""
    answers = [(check.name, check.ask()) for check in checks]
    healthy = not any(wrong for _, wrong in answers)
    if healthy and not verbose:
        return True, "ok"
    lines = [f"[-]{name} failed: {wrong}" if wrong else f"[+]{name} ok" for name, wrong in answers]
    return healthy, "\n".join([*lines, f"{title} check {'passed' if healthy else 'failed'}"]) + "\n"
