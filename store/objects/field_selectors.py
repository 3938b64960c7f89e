"""Field selectors: the text of a query parameter comes in, a test of objects comes out.

Grammar and error texts: kubernetes.io, "Field Selectors".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from store.objects.selector_error import SelectorError


@dataclass(frozen=True, slots=True)
class FieldTerm:
    """One term of a field selector: path, value, and whether it must equal or differ."""

    path: str
    value: str
    equal: bool


COMMON_FIELDS = ("metadata.name", "metadata.namespace")
FIELDS_OF_RESOURCE: Mapping[str, tuple[str, ...]] = {
    "namespaces": ("status.phase",),
    "secrets": ("type",),
    "services": ("spec.clusterIP", "spec.type"),
    "events": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
}
# events.k8s.io serves the same facts under other names.
EVENT_FIELDS = {
    "source": ("source", "component"),
    "reportingComponent": ("reportingController",),
}


def parse_fields(text: str, resource: str, custom: bool, selectable: Sequence[str] = ()) -> tuple[FieldTerm, ...]:
    """The terms of a field selector. selectable: paths that the kind itself declares. Raises SelectorError."""
    terms = []
    for part in re.split(r"(?<!\\),", text) if text else ():
        if not part:
            continue
        match = re.fullmatch(r"([^=!]*)(!=|==|=)(.*)", part, re.DOTALL)
        if match is None:
            raise SelectorError(f"invalid selector: '{text}'; can't understand '{part}'")
        path, operator, value = match.groups()
        if path not in COMMON_FIELDS and path not in FIELDS_OF_RESOURCE.get(resource, ()) and path not in selectable:
            if custom:
                raise SelectorError(f"field label not supported: {path}")
            raise SelectorError(f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"')
        terms.append(FieldTerm(path, re.sub(r"\\(.)", r"\1", value), operator != "!="))
    return tuple(terms)


def field_value(obj: Mapping[str, Any], path: str) -> str:
    """The text that a field selector compares; "" for what is missing."""
    value: Any = obj
    for name in EVENT_FIELDS.get(path) or path.removeprefix(".").split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


class Fields:
    """The terms of a field selector as one test; each path is looked up once, however many terms name it."""

    def __init__(self, terms: Iterable[FieldTerm]) -> None:
        self._equal: dict[str, set[str]] = {}
        self._unequal: dict[str, set[str]] = {}
        for term in terms:
            (self._equal if term.equal else self._unequal).setdefault(term.path, set()).add(term.value)

    def match(self, obj: Mapping[str, Any]) -> bool:
        """Whether an object satisfies every term."""
        return all({field_value(obj, path)} == values for path, values in self._equal.items()) and all(
            field_value(obj, path) not in values for path, values in self._unequal.items()
        )
