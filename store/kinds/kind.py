"""What a kind is: names, versions, schema and the columns that `kubectl get` prints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from store.schema.structural import Schema


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the Table form. path: JSONPath as in additionalPrinterColumns; or `cell` computes it from the object.

    type, format: OpenAPI ("string", "integer", "date", ...). priority 0 always shows, 1 with -o wide.
    """

    name: str
    type: str
    path: str = ""
    description: str = ""
    format: str = ""
    priority: int = 0
    cell: Callable[[dict[str, Any]], Any] | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """One served version. status: has a status subresource (status writes only there, generation counts the rest)."""

    name: str
    schema: Schema
    columns: tuple[Column, ...] = ()
    storage: bool = False
    served: bool = True
    status: bool = True
    deprecation: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind with all its versions. All versions share one meaning; conversion changes apiVersion alone.

    custom: behaves like a custom resource (PUT needs a resourceVersion, no strategic merge patch, generation counted);
    the kinds of core, discovery, coordination and events groups are not custom.
    generation: the kind counts its generations although it is not custom, as a few of Kubernetes' own do.
    reset_fields: paths that a writer of the main endpoint never owns, such as ("status",).
    """

    group: str
    name: str
    plural: str
    singular: str
    versions: tuple[Version, ...]
    namespaced: bool = True
    custom: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[Literal["status", "finalize", "scale", "approval"], ...] = ()
    generation: bool = False

    @property
    def resource(self) -> str:
        """PLURAL.GROUP, or PLURAL in the core group: the kind's key in the log, and its name in messages."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def counts_generation(self) -> bool:
        """Whether metadata.generation follows the object's content."""
        return self.custom or self.generation

    @property
    def storage_version(self) -> Version:
        """The version that objects at rest carry; there is exactly one."""
        return next(v for v in self.versions if v.storage)

    def api_version(self, version: str) -> str:
        """GROUP/VERSION, or VERSION in the core group."""
        return f"{self.group}/{version}" if self.group else version
