"""The structural schema: one tree of frozen nodes from which validation, OpenAPI and merge rules all derive.

The vocabulary is a CustomResourceDefinition's openAPIV3Schema (kubernetes.io: "Specifying a structural schema"),
plus the merge keys that built-in kinds have (x-kubernetes-patch-merge-key).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from store.errors import Cause

Type = Literal["object", "array", "string", "integer", "number", "boolean", ""]


@dataclass(frozen=True, slots=True)
class Rule:
    """A cross-field rule in plain Python.

    check(value, old): True when the rule holds; `old` is the value before the update, or None when there was none.
    message: what clients read, word for word. field: added to the path of the node that carries the rule ("": itself).
    reason: of the cause. on_update_only: the rule compares with the old value and is skipped without one.
    """

    message: str
    check: Callable[[Any, Any], bool]
    field: str = ""
    reason: str = "FieldValueInvalid"
    on_update_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """One node. type "" with int_or_string or preserve_unknown means what those say."""

    type: Type
    description: str = ""
    format: str = ""
    nullable: bool = False
    default: Any = None
    enum: tuple[Any, ...] = ()
    stated_enum: tuple[Any, ...] = ()  # documented as an enum, while a judge refuses other values in better words
    # objects
    properties: Mapping[str, Schema] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    stated_required: tuple[str, ...] = ()  # documented as required, while a Rule refuses its absence in better words
    additional: Schema | None = None
    min_properties: int | None = None
    max_properties: int | None = None
    map_type: Literal["granular", "atomic"] = "granular"
    preserve_unknown: bool = False
    embedded_resource: bool = False
    # arrays
    items: Schema | None = None
    min_items: int | None = None
    max_items: int | None = None
    list_type: Literal["atomic", "set", "map"] = "atomic"
    list_map_keys: tuple[str, ...] = ()
    patch_merge_key: str = ""
    patch_strategy: str = ""
    # strings and numbers
    pattern: str = ""
    min_length: int | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False
    multiple_of: float | None = None
    int_or_string: bool = False
    # whatever else holds
    rules: tuple[Rule, ...] = ()
    one_of: tuple[Schema, ...] = ()
    any_of: tuple[Schema, ...] = ()
    all_of: tuple[Schema, ...] = ()
    negated: Schema | None = None
    # of whole objects of built-in kinds, whose checks need more words than a Rule has
    prepare: Callable[[dict[str, Any]], None] | None = None  # fills in what depends on other fields, before defaults
    judge: Callable[[dict[str, Any], dict[str, Any] | None], Iterable[Cause]] | None = None  # (new, old) -> causes
