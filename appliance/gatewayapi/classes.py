"""GatewayClasses of ours, and the features that they may promise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from appliance.gatewayapi.conditions import Condition, bad, good
from appliance.gatewayapi.drafts import Status
from appliance.gatewayapi.problems import Problem
from appliance.gatewayapi.resources import GATEWAY_GROUP, X_GROUP, Objects, Resource

CONTROLLER_NAME: Final = "gatehouse.dev/gateway-controller"
CLASS_NAME: Final = "gatehouse"
BUNDLE_VERSION: Final = "v1.6"
BUNDLE_ANNOTATION: Final = "gateway.networking.k8s.io/bundle-version"

SUPPORTED_FEATURES: Final = (
    "BackendTLSPolicy",
    "BackendTLSPolicySANValidation",
    "GRPCRoute",
    "GRPCRouteNamedRouteRule",
    "Gateway",
    "GatewayAddressEmpty",
    "GatewayBackendClientCertificate",
    "GatewayFrontendClientCertificateValidation",
    "GatewayFrontendClientCertificateValidationInsecureFallback",
    "GatewayHTTPListenerIsolation",
    "GatewayHTTPSListenerDetectMisdirectedRequests",
    "GatewayInfrastructurePropagation",
    "GatewayPort8080",
    "GatewayStaticAddresses",
    "HTTPRoute",
    "HTTPRoute303RedirectStatusCode",
    "HTTPRoute307RedirectStatusCode",
    "HTTPRoute308RedirectStatusCode",
    "HTTPRouteBackendProtocolH2C",
    "HTTPRouteBackendProtocolWebSocket",
    "HTTPRouteBackendRequestHeaderModification",
    "HTTPRouteBackendTimeout",
    "HTTPRouteCORS",
    "HTTPRouteDestinationPortMatching",
    "HTTPRouteHostRewrite",
    "HTTPRouteMethodMatching",
    "HTTPRouteNamedRouteRule",
    "HTTPRouteParentRefPort",
    "HTTPRoutePathRedirect",
    "HTTPRoutePathRewrite",
    "HTTPRoutePortRedirect",
    "HTTPRouteQueryParamMatching",
    "HTTPRouteRequestMirror",
    "HTTPRouteRequestMultipleMirrors",
    "HTTPRouteRequestPercentageMirror",
    "HTTPRouteRequestTimeout",
    "HTTPRouteResponseHeaderModification",
    "HTTPRouteRetry",
    "HTTPRouteRetryBackendTimeout",
    "HTTPRouteRetryConnectionError",
    "HTTPRouteSchemeRedirect",
    "ListenerSet",
    "ReferenceGrant",
    "TCPRoute",
    "TLSRoute",
    "TLSRouteModeMixed",
    "TLSRouteModeTerminate",
    "UDPRoute",
)
"""Names of the API's features (GEP-2162), sorted; only what the appliance really does."""


def own_classes(objects: Objects) -> Mapping[str, Resource]:
    """The GatewayClasses that name this controller, by name."""
    found = objects.of("GatewayClass").values()
    return {c.name: c for c in found if c.spec.get("controllerName") == CONTROLLER_NAME}


def class_problem(gateway_class: Resource) -> Problem | None:
    """Why a class of ours cannot be accepted."""
    if ref := gateway_class.spec.get("parametersRef"):
        return Problem(
            "InvalidParameters", f"parametersRef to a {ref['kind']} is not supported; there are no parameters"
        )
    return None


def class_status(gateway_class: Resource, objects: Objects) -> Status:
    """Accepted, SupportedVersion and the supported features (Gateway API: GatewayClassStatus)."""
    problem = class_problem(gateway_class)
    accepted = bad("Accepted", problem) if problem else good("Accepted")
    conditions = (accepted, _version(objects))
    return Status(
        gateway_class.key,
        gateway_class.generation,
        {
            "conditions": [condition.body(gateway_class.generation) for condition in conditions],
            "supportedFeatures": [{"name": name} for name in SUPPORTED_FEATURES] if problem is None else [],
        },
    )


def _version(objects: Objects) -> Condition:
    """Whether the installed definitions are of a known release; others are served as well as can be."""
    versions = {
        definition.annotations.get(BUNDLE_ANNOTATION, "")
        for definition in objects.of("CustomResourceDefinition").values()
        if definition.name.partition(".")[2] in (GATEWAY_GROUP, X_GROUP)
    }
    unknown = sorted(v for v in versions if v != BUNDLE_VERSION and not v.startswith(BUNDLE_VERSION + "."))
    if not unknown:
        return good("SupportedVersion")
    detected = ", ".join(version or f"no release (without the annotation {BUNDLE_ANNOTATION})" for version in unknown)
    message = f"installed definitions are of {detected}; this version knows {BUNDLE_VERSION}"
    return bad("SupportedVersion", Problem("UnsupportedVersion", message))
