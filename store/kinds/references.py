"""References of the Gateway API: from a route to its parents, to backends, to certificates, to anything local."""

from __future__ import annotations

from typing import Any

from store.kinds.fields import int32, items, record
from store.kinds.names import group, kind, name, namespace, port_number, section_name
from store.schema.structural import Rule, Schema

GATEWAY_API = "gateway.networking.k8s.io"


def _service_has_port(reference: dict[str, Any], _: Any) -> bool:
    return reference["group"] != "" or reference["kind"] != "Service" or "port" in reference


SERVICE_HAS_PORT = Rule("Must have port for Service reference", _service_has_port)


def _sections_all_or_none(references: list[dict[str, Any]], _: Any) -> bool:
    """Among references to the same parent, either all name a section (a port) or none does."""
    seen: dict[tuple[Any, ...], tuple[bool, bool]] = {}
    for ref in references:
        parent = ref["group"], ref["kind"], ref["name"], ref.get("namespace", "")
        named = bool(ref.get("sectionName")), bool(ref.get("port"))
        if seen.setdefault(parent, named) != named:
            return False
    return True


def _sections_unique(references: list[dict[str, Any]], _: Any) -> bool:
    keys = [
        (r["group"], r["kind"], r["name"], r.get("namespace", ""), r.get("sectionName", ""), r.get("port", 0))
        for r in references
    ]
    return len(set(keys)) == len(keys)


def parent_reference(description: str) -> Schema:
    """A reference to a Gateway, a ListenerSet or a Service, or to a part of one."""
    return record(
        description,
        {
            "group": group(default=GATEWAY_API),
            "kind": kind(default="Gateway"),
            "name": name(),
            "namespace": namespace(),
            "port": port_number("Port of the parent that the route attaches to."),
            "sectionName": section_name("Listener of a Gateway, or port of a Service, that the route attaches to."),
        },
        required=("name",),
    )


PARENT_REFS = items(
    "Gateways and other parents that the route wants to be attached to.",
    parent_reference("A parent of the route."),
    at_most=32,
    rules=(
        Rule(
            "sectionName or port must be specified when parentRefs includes 2 or more references to the same parent",
            _sections_all_or_none,
        ),
        Rule(
            "sectionName or port must be unique when parentRefs includes 2 or more references to the same parent",
            _sections_unique,
        ),
    ),
)


def _backend_fields() -> dict[str, Schema]:
    return {
        "group": group(default=""),
        "kind": kind(default="Service"),
        "name": name(),
        "namespace": namespace(),
        "port": port_number("Port of the backend; a Service must have it."),
    }


def backend_object_reference(description: str) -> Schema:
    """A reference to one backend."""
    return record(description, _backend_fields(), required=("name",), rules=(SERVICE_HAS_PORT,))


def backend_reference(filters: Schema | None = None) -> Schema:
    """A backend with its share of the traffic, and with filters of its own where the route has such."""
    own = {"filters": filters} if filters is not None else {}
    weight = int32(
        "Share of the traffic, in proportion to the sum of all weights.", at_least=0, at_most=1000000, default=1
    )
    return record(
        "A backend with its share of the traffic.",
        own | _backend_fields() | {"weight": weight},
        required=("name",),
        rules=(SERVICE_HAS_PORT,),
    )


def secret_reference(description: str) -> Schema:
    """A reference to a Secret, or to another kind that holds a certificate with its key."""
    return record(
        description,
        {"group": group(default=""), "kind": kind(default="Secret"), "name": name(), "namespace": namespace()},
        required=("name",),
    )


def object_reference(description: str) -> Schema:
    """A reference to an object of any kind, perhaps in another namespace."""
    return record(
        description,
        {"group": group(), "kind": kind(), "name": name(), "namespace": namespace()},
        required=("group", "kind", "name"),
    )


def local_reference(description: str) -> Schema:
    """A reference to an object of any kind in the referring object's namespace."""
    return record(description, {"group": group(), "kind": kind(), "name": name()}, required=("group", "kind", "name"))
