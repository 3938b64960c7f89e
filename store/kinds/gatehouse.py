"""Our own group, gatehouse.dev: ManifestFile, what became of a file in the folder, and Backend, a bare backend."""

from __future__ import annotations

from typing import Any

from store.kinds.columns import AGE, condition, text
from store.kinds.conditions import CONDITION, conditions
from store.kinds.fields import int32, integer, items, keyed, record, string
from store.kinds.kind import Column, Kind, Version
from store.kinds.names import port_number, precise_hostname
from store.schema.structural import Rule, Schema

GROUP = "gatehouse.dev"
_LONGEST_PATH = 4096

_PROBLEM = record(
    "Something in the file that is not right, and what to do about it.",
    {
        "column": integer("Column, counted from 1.", at_least=0),
        "field": string("Field of the object that is meant."),
        "file": string("The file."),
        "line": integer("Line, counted from 1.", at_least=0),
        "message": string("What is wrong."),
        "object": string("Object that is meant, as KIND NAMESPACE/NAME."),
        "remedy": string("What would put it right."),
    },
    required=("message",),
)
_FILE_CONDITION = record(
    CONDITION.description,
    {
        **CONDITION.properties,
        **{name: child for name, child in _PROBLEM.properties.items() if name != "message"},
    },
    required=CONDITION.required,
)
_OBJECT = record(
    "An object that the file describes.",
    {
        "apiVersion": string("Group and version."),
        "kind": string("Kind."),
        "name": string("Name."),
        "namespace": string("Namespace; none for cluster-scoped kinds."),
    },
    required=("apiVersion", "kind", "name"),
)


def _count_objects(value: dict[str, Any]) -> int:
    return len((value.get("status") or {}).get("objects") or ())


MANIFEST_FILE = Kind(
    group=GROUP,
    name="ManifestFile",
    plural="manifestfiles",
    singular="manifestfile",
    namespaced=False,
    short_names=("mf",),
    categories=("gatehouse",),
    subresources=("status",),
    versions=(
        Version(
            "v1alpha1",
            record(
                "A file of the watched folder, and what became of it.",
                {
                    "spec": record(
                        "Which file it is.",
                        {"path": string("Path of the file.", at_least=1, at_most=_LONGEST_PATH)},
                        required=("path",),
                    ),
                    "status": record(
                        "What became of it.",
                        {
                            "conditions": keyed("State of the file.", _FILE_CONDITION, "type"),
                            "objects": items("Objects that the file describes.", _OBJECT),
                            "observedHash": string("Digest of the content that this was found out about."),
                            "problems": items("Everything that is not right.", _PROBLEM),
                        },
                    ),
                },
                required=("spec",),
            ),
            (
                Column("Name", "string", ".metadata.name", format="name", priority=1),
                text("File", ".spec.path"),
                Column("Objects", "integer", cell=_count_objects),
                condition("Ready"),
                text("Message", '.status.conditions[?(@.type=="Ready")].message'),
                AGE,
            ),
            storage=True,
        ),
    ),
)


def _one_address(endpoint: dict[str, Any], _: Any) -> bool:
    return sum(member in endpoint for member in ("ip", "hostname", "unix")) == 1


def _port_unless_unix(endpoint: dict[str, Any], _: Any) -> bool:
    return ("unix" in endpoint) != ("port" in endpoint)


def _an_ip(text_: str) -> Schema:
    return Schema(
        type="string",
        description=text_,
        any_of=(Schema(type="", format="ipv4"), Schema(type="", format="ipv6")),
    )


_ENDPOINT = record(
    "Something that serves: an address, a DNS name or a Unix socket.",
    {
        "hostname": precise_hostname("DNS name; all its addresses are used."),
        "ip": _an_ip("Address."),
        "port": port_number("Port; not for Unix sockets."),
        "unix": string("Path of a Unix socket.", pattern="^/", at_least=2, at_most=107),
        "weight": int32(
            "Share of the traffic, in proportion to the sum of all weights.", at_least=0, at_most=1000000, default=1
        ),
    },
    rules=(
        Rule("exactly one of ip, hostname and unix must be specified", _one_address),
        Rule("port must be specified for ip and hostname, and must not be specified for unix", _port_unless_unix),
    ),
)
_RESOLVED = record(
    "An endpoint and the addresses that it has now.",
    {
        "addresses": items("Addresses in use.", string()),
        "endpoint": string("The endpoint as spec names it."),
        "message": string("Why there are none."),
    },
    required=("endpoint",),
)


def _shown_endpoints(value: dict[str, Any]) -> str:
    def shown(endpoint: dict[str, Any]) -> str:
        if "unix" in endpoint:
            return f"unix:{endpoint['unix']}"
        host = endpoint.get("ip") or endpoint.get("hostname") or ""
        return f"[{host}]:{endpoint.get('port')}" if ":" in host else f"{host}:{endpoint.get('port')}"

    endpoints = (value.get("spec") or {}).get("endpoints") or []
    more = f" + {len(endpoints) - 3} more..." if len(endpoints) > 3 else ""
    return ",".join(map(shown, endpoints[:3])) + more


BACKEND = Kind(
    group=GROUP,
    name="Backend",
    plural="backends",
    singular="backend",
    categories=("gatehouse",),
    subresources=("status",),
    versions=(
        Version(
            "v1alpha1",
            record(
                "A backend on bare machines, in one object; it may stand wherever a backendRef is.",
                {
                    "spec": record(
                        "The backend as wanted.",
                        {
                            "appProtocol": string(
                                "Protocol of the endpoints, as Services name it.", at_least=1, at_most=253
                            ),
                            "endpoints": items("What serves.", _ENDPOINT, at_least=1, at_most=1000),
                        },
                        required=("endpoints",),
                    ),
                    "status": record(
                        "What became of the backend.",
                        {
                            "conditions": conditions("State of the backend."),
                            "resolved": items("Addresses of the endpoints.", _RESOLVED),
                        },
                    ),
                },
                required=("spec",),
            ),
            (Column("Endpoints", "string", cell=_shown_endpoints), condition("Ready"), AGE),
            storage=True,
        ),
    ),
)
