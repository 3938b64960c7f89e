"""Both selectors of a request as one: a predicate over objects, and the one name that can match, comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from store.objects.field_selectors import Fields, FieldTerm
from store.objects.label_selectors import Labels, Requirement


@dataclass(frozen=True, slots=True)
class Selector:
    """Both selectors of a request."""

    labels: tuple[Requirement, ...] = ()
    fields: tuple[FieldTerm, ...] = ()

    @property
    def name(self) -> str:
        """The one name that can match, "" when many can."""
        return next((term.value for term in self.fields if term.equal and term.path == "metadata.name"), "")

    def predicate(self) -> Callable[[Mapping[str, Any]], bool] | None:
        """A test of parsed objects; None when everything matches."""
        if not self.labels and not self.fields:
            return None
        labels, fields = Labels(self.labels), Fields(self.fields)
        return lambda obj: labels.match(obj["metadata"].get("labels") or {}) and fields.match(obj)
