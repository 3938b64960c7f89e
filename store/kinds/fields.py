"""Short constructors for the declarations of kinds: a field is its description and its bounds, on one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from store.schema.structural import Rule, Schema


def string(
    description: str = "",
    *,
    pattern: str = "",
    at_least: int | None = None,
    at_most: int | None = None,
    one_of: tuple[str, ...] = (),
    stated_one_of: tuple[str, ...] = (),
    default: str | None = None,
    format_: str = "",
    rules: tuple[Rule, ...] = (),
) -> Schema:
    """A string; at_least and at_most count characters. stated_one_of: what a judge of the whole object lets through."""
    return Schema(
        type="string",
        description=description,
        pattern=pattern,
        min_length=at_least,
        max_length=at_most,
        enum=one_of,
        stated_enum=stated_one_of,
        default=default,
        format=format_,
        rules=rules,
    )


def integer(
    description: str = "",
    *,
    at_least: int | None = None,
    at_most: int | None = None,
    one_of: tuple[int, ...] = (),
    default: int | None = None,
    format_: str = "",
) -> Schema:
    """A whole number between two bounds, both included."""
    return Schema(
        type="integer",
        description=description,
        minimum=at_least,
        maximum=at_most,
        enum=one_of,
        default=default,
        format=format_,
    )


def int32(
    description: str = "", *, at_least: int | None = None, at_most: int | None = None, default: int | None = None
) -> Schema:
    """A whole number of 32 bits."""
    return integer(description, at_least=at_least, at_most=at_most, default=default, format_="int32")


def boolean(description: str = "", *, default: bool | None = None) -> Schema:
    """True or false."""
    return Schema(type="boolean", description=description, default=default)


def time(description: str = "", *, format_: str = "date-time", nullable: bool = False) -> Schema:
    """A moment, in RFC 3339."""
    return Schema(type="string", description=description, format=format_, nullable=nullable)


def int_or_string(description: str = "") -> Schema:
    """A number or a name."""
    return Schema(type="", description=description, int_or_string=True)


def record(
    description: str,
    properties: Mapping[str, Schema],
    *,
    required: tuple[str, ...] = (),
    stated_required: tuple[str, ...] = (),
    default: Any = None,
    atomic: bool = False,
    rules: tuple[Rule, ...] = (),
    one_of: tuple[Schema, ...] = (),
) -> Schema:
    """An object with named fields."""
    return Schema(
        type="object",
        description=description,
        properties=properties,
        required=required,
        stated_required=stated_required,
        default=default,
        map_type="atomic" if atomic else "granular",
        rules=rules,
        one_of=one_of,
    )


def mapping(
    description: str,
    values: Schema,
    *,
    at_most: int | None = None,
    atomic: bool = False,
    rules: tuple[Rule, ...] = (),
) -> Schema:
    """An object with free keys."""
    return Schema(
        type="object",
        description=description,
        additional=values,
        max_properties=at_most,
        map_type="atomic" if atomic else "granular",
        rules=rules,
    )


def free_form(description: str = "", *, type_: Any = "object") -> Schema:
    """Content that the schema says nothing about."""
    return Schema(type=type_, description=description, preserve_unknown=True)


def items(
    description: str,
    of: Schema,
    *,
    at_least: int | None = None,
    at_most: int | None = None,
    default: Any = None,
    rules: tuple[Rule, ...] = (),
) -> Schema:
    """A list that has one owner as a whole."""
    return Schema(
        type="array",
        description=description,
        items=of,
        min_items=at_least,
        max_items=at_most,
        default=default,
        rules=rules,
    )


def distinct(
    description: str, of: Schema, *, at_most: int | None = None, strategy: str = "", rules: tuple[Rule, ...] = ()
) -> Schema:
    """A list without equal items, each with an owner of its own."""
    return replace(items(description, of, at_most=at_most, rules=rules), list_type="set", patch_strategy=strategy)


def keyed(
    description: str,
    of: Schema,
    *keys: str,
    at_least: int | None = None,
    at_most: int | None = None,
    default: Any = None,
    merge_key: str = "",
    rules: tuple[Rule, ...] = (),
) -> Schema:
    """A list whose items are told apart by their keys. merge_key: of strategic merge patches."""
    return replace(
        items(description, of, at_least=at_least, at_most=at_most, default=default, rules=rules),
        list_type="map",
        list_map_keys=keys,
        patch_merge_key=merge_key,
        patch_strategy="merge" if merge_key else "",
    )


def described(schema: Schema, description: str) -> Schema:
    """The same field in another place, where it means something more special."""
    return replace(schema, description=description)


def opened(schema: Schema) -> Schema:
    """The record with whatever else a client says."""
    return replace(schema, preserve_unknown=True)
