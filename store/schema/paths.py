"""Where in an object something lies: a chain that costs one tuple per step and becomes text only when it is read."""

from __future__ import annotations

from typing import Any, TypeAlias

# (where the holder lies, key or index); None is the object itself.
Path: TypeAlias = "tuple[Path, str | int] | None"

NOWHERE = "<nil>"  # how Kubernetes writes the path of an error that belongs to no field


def steps(path: Path) -> list[str | int]:
    """The keys and indexes from the root to the node."""
    found: list[str | int] = []
    while path is not None:
        path, step = path
        found.append(step)
    found.reverse()
    return found


def render(path: Path) -> str:
    """spec.rules[0].matches; the root is ""."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps(path))
    return text.removeprefix(".")


def below(path: Path, field: str) -> Path:
    """The path of a field, which may be several steps down ("status.phase"), below a node. "" is the node itself."""
    for step in field.split(".") if field else ():
        path = (path, step)
    return path


def at(value: Any, found: list[str | int]) -> Any:
    """The value that these steps lead to; None where they lead nowhere."""
    for step in found:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value
