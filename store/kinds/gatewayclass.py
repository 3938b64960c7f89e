"""GatewayClass (gateway.networking.k8s.io): a kind of gateways, and the controller that runs them."""

from __future__ import annotations

from store.kinds.columns import AGE, condition, text
from store.kinds.conditions import conditions, waiting
from store.kinds.fields import keyed, record, string
from store.kinds.kind import Kind, Version
from store.kinds.names import controller_name
from store.kinds.references import GATEWAY_API, object_reference
from store.schema.structural import Rule, Schema

IMMUTABLE = Rule("Value is immutable", lambda value, old: value == old, on_update_only=True)


def controlled_spec(description: str) -> Schema:
    """A spec that names its controller once and for all."""
    return record(
        description,
        {
            "controllerName": controller_name("Controller that is responsible; it never changes.", rules=(IMMUTABLE,)),
            "description": string("What this is for, for people.", at_most=64),
            "parametersRef": object_reference("Configuration of the implementation's own."),
        },
        required=("controllerName",),
    )


SUPPORTED_FEATURES = keyed(
    "Features of the API that the implementation supports.",
    record("A feature.", {"name": string("Name of the feature.")}, required=("name",)),
    "name",
    at_most=64,
)

_SCHEMA = record(
    "A class of gateways that one controller runs.",
    {
        "spec": controlled_spec("The class as wanted."),
        "status": record(
            "What became of the class.",
            {
                "conditions": conditions("State of the class.", default=waiting("Accepted")),
                "supportedFeatures": SUPPORTED_FEATURES,
            },
            default={"conditions": waiting("Accepted")},
        ),
    },
    required=("spec",),
)
_COLUMNS = (
    text("Controller", ".spec.controllerName"),
    condition("Accepted"),
    AGE,
    text("Description", ".spec.description", wide=True),
)

GATEWAY_CLASS = Kind(
    group=GATEWAY_API,
    name="GatewayClass",
    plural="gatewayclasses",
    singular="gatewayclass",
    namespaced=False,
    short_names=("gc",),
    categories=("gateway-api",),
    subresources=("status",),
    versions=(Version("v1", _SCHEMA, _COLUMNS, storage=True), Version("v1beta1", _SCHEMA, _COLUMNS)),
)
