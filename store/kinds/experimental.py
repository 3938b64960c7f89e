"""The experimental group gateway.networking.x-k8s.io: XBackend, XBackendTrafficPolicy and XMesh."""

from __future__ import annotations

from typing import Any

from store.kinds.backendtlspolicy import POLICY_STATUS, backend_validation
from store.kinds.columns import AGE, condition
from store.kinds.conditions import conditions, waiting
from store.kinds.durations import seconds
from store.kinds.fields import integer, items, keyed, record, string
from store.kinds.gatewayclass import SUPPORTED_FEATURES, controlled_spec
from store.kinds.kind import Kind, Version
from store.kinds.names import DURATION, SUBDOMAIN, controller_name, port_number
from store.kinds.references import local_reference, parent_reference, secret_reference
from store.kinds.routes import SESSION_PERSISTENCE
from store.kinds.spellings import label_errors
from store.schema.structural import Rule

_GROUP = "gateway.networking.x-k8s.io"


def _hostname_where_wanted(spec: dict[str, Any], _: Any) -> bool:
    return bool(spec["type"] == "ExternalHostname") == ("externalHostname" in spec)


def _certificate_where_wanted(tls: dict[str, Any], _: Any) -> bool:
    return bool(tls["mode"] == "ClientAndServer") == ("clientCertificateRef" in tls)


_EXTERNAL_HOSTNAME = record(
    "A host outside.",
    {
        "hostname": string(
            "Its DNS name.",
            pattern=SUBDOMAIN,
            at_least=1,
            at_most=253,
            rules=(
                Rule(
                    "hostname must not be an IP address or end with .cluster.local",
                    lambda name, _: not name.endswith(".cluster.local"),
                ),
            ),
        )
    },
    required=("hostname",),
)
_PORT = record(
    "Port of the backend.",
    {
        "name": string(
            "Name of the port.",
            at_most=63,
            rules=(Rule("Name must be a valid DNS label", lambda name, _: not name or not any(label_errors(name))),),
        ),
        "port": port_number("Number of the port."),
    },
    required=("port",),
)
_TLS = record(
    "TLS towards the backend.",
    {
        "clientCertificateRef": secret_reference("Certificate that is shown to the backend."),
        "mode": string("Who shows a certificate.", one_of=("None", "ServerOnly", "ClientAndServer")),
        "validation": backend_validation("How the backend's certificate is checked."),
    },
    required=("mode",),
    rules=(Rule("clientCertificateRef must be set if and only if mode is ClientAndServer", _certificate_where_wanted),),
)
_BACKEND_PARENT = record(
    "What became of the backend at one Gateway.",
    {
        "conditions": conditions("State of the backend at this Gateway.", at_most=None),
        "controllerName": controller_name("Controller that wrote this."),
        "parentRef": parent_reference("The Gateway."),
    },
    required=("controllerName", "parentRef"),
)
X_BACKEND = Kind(
    group=_GROUP,
    name="XBackend",
    plural="xbackends",
    singular="xbackend",
    short_names=("xbackend",),
    categories=("gateway-api",),
    subresources=("status",),
    versions=(
        Version(
            "v1alpha1",
            record(
                "A backend that is no Service.",
                {
                    "spec": record(
                        "The backend as wanted.",
                        {
                            "externalHostname": _EXTERNAL_HOSTNAME,
                            "port": _PORT,
                            "protocol": string(
                                "Protocol that the backend speaks.",
                                one_of=("TCP", "HTTP", "HTTP2", "HTTP11", "H2C", "MCP"),
                            ),
                            "tls": _TLS,
                            "type": string("What the backend is.", one_of=("ExternalHostname",)),
                        },
                        required=("port", "type"),
                        rules=(
                            Rule(
                                "externalHostname must be set when type is ExternalHostname "
                                "and must be unset otherwise",
                                _hostname_where_wanted,
                            ),
                        ),
                    ),
                    "status": record(
                        "What became of the backend.",
                        {"parents": items("State of the backend at each Gateway.", _BACKEND_PARENT, at_most=32)},
                    ),
                },
                required=("spec",),
            ),
            (AGE,),
            storage=True,
        ),
    ),
)

_BUDGET = record(
    "How many of all requests may be retries.",
    {
        "interval": string(
            "Time over which requests are counted.",
            pattern=DURATION,
            default="10s",
            rules=(
                Rule(
                    "interval cannot be greater than one hour or less than one second",
                    lambda text, _: 1 <= seconds(text) <= 3600,
                ),
            ),
        ),
        "percent": integer("Share of requests, in percent.", at_least=0, at_most=100, default=20),
    },
    default={"interval": "10s", "percent": 20},
)
_MIN_RETRY_RATE = record(
    "Retries that are allowed in any case.",
    {
        "count": integer("How many.", at_least=1, at_most=1000000),
        "interval": string(
            "In which time.",
            pattern=DURATION,
            rules=(Rule("interval cannot be greater than one hour", lambda text, _: 0 < seconds(text) <= 3600),),
        ),
    },
    default={"count": 10, "interval": "1s"},
)
X_BACKEND_TRAFFIC_POLICY = Kind(
    group=_GROUP,
    name="XBackendTrafficPolicy",
    plural="xbackendtrafficpolicies",
    singular="xbackendtrafficpolicy",
    short_names=("xbtrafficpolicy",),
    categories=("gateway-api",),
    subresources=("status",),
    versions=(
        Version(
            "v1alpha1",
            record(
                "How traffic towards backends behaves.",
                {
                    "spec": record(
                        "The policy as wanted.",
                        {
                            "retryConstraint": record(
                                "Bounds for retries.", {"budget": _BUDGET, "minRetryRate": _MIN_RETRY_RATE}
                            ),
                            "sessionPersistence": SESSION_PERSISTENCE,
                            "targetRefs": keyed(
                                "Backends that the policy is about.",
                                local_reference("A backend."),
                                "group",
                                "kind",
                                "name",
                                at_least=1,
                                at_most=16,
                            ),
                        },
                        required=("targetRefs",),
                    ),
                    "status": POLICY_STATUS,
                },
                required=("spec",),
            ),
            (AGE,),
            storage=True,
        ),
    ),
)

X_MESH = Kind(
    group=_GROUP,
    name="XMesh",
    plural="xmeshes",
    singular="xmesh",
    namespaced=False,
    short_names=("mesh",),
    categories=("gateway-api",),
    subresources=("status",),
    versions=(
        Version(
            "v1alpha1",
            record(
                "A service mesh.",
                {
                    "spec": controlled_spec("The mesh as wanted."),
                    "status": record(
                        "What became of the mesh.",
                        {
                            "conditions": conditions("State of the mesh.", default=waiting("Accepted", "Programmed")),
                            "supportedFeatures": SUPPORTED_FEATURES,
                        },
                        default={"conditions": waiting("Accepted")},
                    ),
                },
                required=("spec",),
            ),
            (condition("Accepted"), AGE),
            storage=True,
        ),
    ),
)
