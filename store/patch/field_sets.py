"""Sets of fields: which parts of an object somebody owns, changed or removed.

A set is a tree in the very shape of FieldsV1 (kubernetes.io: "Server-Side Apply", field management), so that reading
and writing metadata.managedFields costs little: each node maps elements (store.patch.elements) to nodes; the empty node
is a field of the set with nothing below it, a node with the mark "." is one with something below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self

from store.patch.elements import MEMBER, canonical, order, text

Tree = dict[str, "Tree"]

_LEAF: Tree = {}


class FieldSet:
    """A set of paths. Values: no operation changes a set, except `insert` while one is being built."""

    __slots__ = ("tree",)

    def __init__(self, tree: Tree | None = None) -> None:
        """tree: nodes as described above, taken over without a copy."""
        self.tree: Tree = {} if tree is None else tree

    @classmethod
    def of(cls, *paths: Sequence[str]) -> Self:
        """The set of these paths of elements."""
        result = cls()
        for path in paths:
            result.insert(path)
        return result

    @classmethod
    def from_json(cls, fields: Any) -> Self:
        """From FieldsV1. Raises ValueError for what is none."""
        return cls(_read(fields))

    def to_json(self) -> dict[str, Any]:
        """FieldsV1, in sorted order. Shares nothing with the set."""
        return _written(self.tree)

    def insert(self, path: Sequence[str]) -> None:
        """Add one path of elements. The empty path is the object itself, which nobody owns."""
        if path:
            _insert(self.tree, path)

    def has(self, path: Sequence[str]) -> bool:
        """Whether exactly this path is in the set."""
        node = self.tree
        for element in path:
            if element not in node:
                return False
            node = node[element]
        return bool(path) and is_member(node)

    def union(self, other: FieldSet) -> FieldSet:
        return FieldSet(union(self.tree, other.tree))

    def intersection(self, other: FieldSet) -> FieldSet:
        return FieldSet(intersection(self.tree, other.tree))

    def difference(self, other: FieldSet) -> FieldSet:
        """Without the paths of `other`; what lies below those paths stays."""
        return FieldSet(difference(self.tree, other.tree))

    def without(self, other: FieldSet) -> FieldSet:
        """Without the paths of `other` and everything below them."""
        return FieldSet(_pruned(self.tree, other.tree))

    def paths(self) -> list[str]:
        """Every path as messages spell it, sorted: a node's own members before what is below them."""
        return ["".join(map(text, path)) for path in _paths(self.tree, ())]

    def __bool__(self) -> bool:
        return bool(self.tree)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FieldSet) and self.tree == other.tree

    __hash__ = None  # type: ignore[assignment]  # sets grow while they are built

    def __repr__(self) -> str:
        return f"FieldSet({self.paths()})"


def is_member(node: Tree) -> bool:
    """Whether a node stands for a path of the set, not only for the way to one."""
    return not node or MEMBER in node


def node(member: bool, below: Tree) -> Tree | None:
    """A node from its two halves; None when there is nothing in it. `below` has no mark and is taken over."""
    if not below:
        return {} if member else None
    if member:
        below[MEMBER] = {}
    return below


def union(left: Tree, right: Tree) -> Tree:
    """The union of two trees. Shares nodes with both."""
    if not left or not right:
        return left or right
    result = dict(left)
    for element, there in right.items():
        here = result.get(element)
        if here is None:
            result[element] = there
        elif here is not there:
            result[element] = _joined(here, there)
    return result


def _joined(here: Tree, there: Tree) -> Tree:
    if here and there:
        return union(here, there)
    return here | {MEMBER: {}} if here else (there | {MEMBER: {}} if there else here)


def intersection(left: Tree, right: Tree) -> Tree:
    """The paths that are in both."""
    result: Tree = {}
    for element, here in left.items():
        if element in right and element != MEMBER:
            there = right[element]
            below = intersection(here, there) if here and there else {}
            kept = node(is_member(here) and is_member(there), below)
            if kept is not None:
                result[element] = kept
    return result


def difference(left: Tree, right: Tree) -> Tree:
    """The paths of `left` that are not in `right`. Shares nodes with `left`."""
    result: Tree = {}
    for element, here in left.items():
        if element == MEMBER:
            continue
        there = right.get(element)
        if there is None:
            result[element] = here
            continue
        below = difference(here, there) if here else {}
        kept = node(is_member(here) and not is_member(there), below)
        if kept is not None:
            result[element] = kept
    return result


def _pruned(left: Tree, right: Tree) -> Tree:
    result: Tree = {}
    for element, here in left.items():
        if element == MEMBER:
            continue
        there = right.get(element)
        if there is None:
            result[element] = here
        elif not is_member(there):
            kept = node(is_member(here), _pruned(here, there))
            if kept is not None:
                result[element] = kept
    return result


def _insert(tree: Tree, path: Sequence[str]) -> None:
    for position, element in enumerate(path):
        below = tree.get(element)
        if below is None:
            # What is new on the way is no member; the last node is one by being empty.
            for missing in path[position:]:
                tree[missing] = tree = {}
            return
        if not below and position < len(path) - 1:
            below[MEMBER] = {}
        tree = below
    if tree:
        tree[MEMBER] = {}


def _read(fields: Any) -> Tree:
    if not isinstance(fields, dict):
        raise ValueError("FieldsV1 is a tree of objects")
    return {element if element == MEMBER else canonical(element): _read(below) for element, below in fields.items()}


def _written(tree: Tree) -> dict[str, Any]:
    return {element: _written(tree[element]) for element in sorted(tree)}


def _paths(tree: Tree, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    elements = sorted((element for element in tree if element != MEMBER), key=order)
    for element in elements:
        if is_member(tree[element]):
            yield (*above, element)
    for element in elements:
        yield from _paths(tree[element], (*above, element))
