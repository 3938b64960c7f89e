"""The names of the types that Kubernetes' own kinds are made of: `kubectl explain service` and decoders say them.

By kind, then by path: list items lie behind [], and a part is named before what it contains. Kinds that definitions
bring have no named types.
"""

from __future__ import annotations

from collections.abc import Mapping

# Types that several groups share; they belong to meta/v1.
SHARED = ("Condition", "LabelSelector", "LabelSelectorRequirement")


def _selector(path: str) -> dict[str, str]:
    return {path: "LabelSelector", f"{path}.matchExpressions[]": "LabelSelectorRequirement"}


def _rules(path: str) -> dict[str, str]:
    return {
        f"{path}[]": "NamedRuleWithOperations",
        f"{path}[].operations[]": "OperationType",
        f"{path}[].scope": "ScopeType",
    }


def _matches(path: str) -> dict[str, str]:
    return {
        path: "MatchResources",
        f"{path}.matchPolicy": "MatchPolicyType",
        **_rules(f"{path}.excludeResourceRules"),
        **_rules(f"{path}.resourceRules"),
        **_selector(f"{path}.namespaceSelector"),
        **_selector(f"{path}.objectSelector"),
    }


_DEFINITION = "CustomResourceDefinition"
_NAMES = f"{_DEFINITION}Names"
_POLICY = "ValidatingAdmissionPolicy"
_EVENT = {
    "involvedObject": "ObjectReference",
    "regarding": "ObjectReference",
    "related": "ObjectReference",
    "series": "EventSeries",
    "source": "EventSource",
    "deprecatedSource": "EventSource",
}

TYPE_NAMES: Mapping[str, Mapping[str, str]] = {
    "Namespace": {
        "spec": "NamespaceSpec",
        "spec.finalizers[]": "FinalizerName",
        "status": "NamespaceStatus",
        "status.conditions[]": "NamespaceCondition",
        "status.phase": "NamespacePhase",
    },
    "Secret": {"type": "SecretType"},
    "Service": {
        "spec": "ServiceSpec",
        "spec.externalTrafficPolicy": "ServiceExternalTrafficPolicy",
        "spec.internalTrafficPolicy": "ServiceInternalTrafficPolicy",
        "spec.ipFamilies[]": "IPFamily",
        "spec.ipFamilyPolicy": "IPFamilyPolicy",
        "spec.ports[]": "ServicePort",
        "spec.ports[].protocol": "Protocol",
        "spec.sessionAffinity": "ServiceAffinity",
        "spec.sessionAffinityConfig": "SessionAffinityConfig",
        "spec.sessionAffinityConfig.clientIP": "ClientIPConfig",
        "spec.type": "ServiceType",
        "status": "ServiceStatus",
        "status.conditions[]": "Condition",
        "status.conditions[].status": "ConditionStatus",
        "status.loadBalancer": "LoadBalancerStatus",
        "status.loadBalancer.ingress[]": "LoadBalancerIngress",
        "status.loadBalancer.ingress[].ports[]": "PortStatus",
    },
    "Event": _EVENT,
    "EndpointSlice": {
        "addressType": "AddressType",
        "endpoints[]": "Endpoint",
        "endpoints[].conditions": "EndpointConditions",
        "endpoints[].hints": "EndpointHints",
        "endpoints[].hints.forNodes[]": "ForNode",
        "endpoints[].hints.forZones[]": "ForZone",
        "endpoints[].targetRef": "ObjectReference",
        "ports[]": "EndpointPort",
        "ports[].protocol": "Protocol",
    },
    "Lease": {"spec": "LeaseSpec", "spec.strategy": "CoordinatedLeaseStrategy"},
    _DEFINITION: {
        "spec": f"{_DEFINITION}Spec",
        "spec.conversion": "CustomResourceConversion",
        "spec.conversion.strategy": "ConversionStrategyType",
        "spec.conversion.webhook": "WebhookConversion",
        "spec.conversion.webhook.clientConfig": "WebhookClientConfig",
        "spec.conversion.webhook.clientConfig.service": "ServiceReference",
        "spec.names": _NAMES,
        "spec.scope": "ResourceScope",
        "spec.versions[]": f"{_DEFINITION}Version",
        "spec.versions[].additionalPrinterColumns[]": "CustomResourceColumnDefinition",
        "spec.versions[].schema": "CustomResourceValidation",
        "spec.versions[].schema.openAPIV3Schema": "JSONSchemaProps",
        "spec.versions[].selectableFields[]": "SelectableField",
        "spec.versions[].subresources": "CustomResourceSubresources",
        "spec.versions[].subresources.scale": "CustomResourceSubresourceScale",
        "spec.versions[].subresources.status": "CustomResourceSubresourceStatus",
        "status": f"{_DEFINITION}Status",
        "status.acceptedNames": _NAMES,
        "status.conditions[]": f"{_DEFINITION}Condition",
    },
    _POLICY: {
        "spec": f"{_POLICY}Spec",
        "spec.auditAnnotations[]": "AuditAnnotation",
        "spec.failurePolicy": "FailurePolicyType",
        "spec.matchConditions[]": "MatchCondition",
        **_matches("spec.matchConstraints"),
        "spec.paramKind": "ParamKind",
        "spec.validations[]": "Validation",
        "spec.variables[]": "Variable",
        "status": f"{_POLICY}Status",
        "status.conditions[]": "Condition",
        "status.conditions[].status": "ConditionStatus",
        "status.typeChecking": "TypeChecking",
        "status.typeChecking.expressionWarnings[]": "ExpressionWarning",
    },
    f"{_POLICY}Binding": {
        "spec": f"{_POLICY}BindingSpec",
        **_matches("spec.matchResources"),
        "spec.paramRef": "ParamRef",
        **_selector("spec.paramRef.selector"),
        "spec.validationActions[]": "ValidationAction",
    },
}
