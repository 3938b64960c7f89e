"""Which value of the old object a node of the new one continues, and so which old mistakes may stay.

As Kubernetes ratchets (KEP-4008): fields correlate by name, items of list-maps by their keys, items of other lists
not at all; whatever did not change since the old object is not refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from store.schema.paths import Path, steps
from store.schema.structural import Schema


def continued(schema: Schema, new: Any, old: Any, path: Path) -> Any:
    """The old value of the node at `path`; None where it had none, or where nothing tells which it was."""
    length = len(steps(path))
    pairs = list(_correlated(schema, new, old, path))
    return pairs[-1][1] if len(pairs) == length + 1 else None


def unchanged(schema: Schema, new: Any, old: Any, path: Path) -> bool:
    """Whether the node at `path`, or something around it, is as it was. The root itself does not count."""
    pairs = _correlated(schema, new, old, path)
    next(pairs, None)
    return any(before is not None and after == before for after, before in pairs)


def _correlated(schema: Schema, new: Any, old: Any, path: Path) -> Iterator[tuple[Any, Any]]:
    node: Schema | None = schema
    yield new, old
    for step in steps(path):
        if node is None or old is None:
            return
        if isinstance(step, int):
            if not isinstance(new, list) or step >= len(new):
                return
            new, old = new[step], _counterpart(node, new[step], old)
            node = node.items
        else:
            if not isinstance(new, dict) or not isinstance(old, dict) or node.map_type == "atomic":
                return
            new, old = new.get(step), old.get(step)
            node = node.properties.get(step, node.additional)
        yield new, old


def _counterpart(schema: Schema, item: Any, old: Any) -> Any:
    if schema.list_type != "map" or not isinstance(old, list) or not isinstance(item, dict):
        return None
    keys = [item.get(name) for name in schema.list_map_keys]
    for candidate in old:
        if isinstance(candidate, dict) and [candidate.get(name) for name in schema.list_map_keys] == keys:
            return candidate
    return None
