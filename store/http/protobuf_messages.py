"""The messages of the built-in kinds, as far as clients may send them: which number is which field.

A table, and how it is read. Numbers are facts of the generated.proto files of Kubernetes v1.36. Notation of a field:
NUMBER NAME [list|map] [TYPE]; the type is "string" unless named; "?" after it marks what is a pointer in Go, whose zero
value means something and is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal


@dataclass(frozen=True, slots=True)
class Field:
    """type: string, int, bool, double, bytes, json, time, microtime or a message; in lists and maps that of items."""

    name: str
    type: str
    shape: Literal["one", "list", "map"]
    optional: bool


Message = Mapping[int, Field]

_META = "1 metadata ObjectMeta"

_MESSAGES: dict[str, str] = {
    # runtime, intstr, resource
    "TypeMeta": "1 apiVersion, 2 kind",
    "IntOrString": "1 type int, 2 intVal int, 3 strVal",
    "Quantity": "1 string",
    # meta/v1
    "ObjectMeta": """1 name, 2 generateName, 3 namespace, 4 selfLink, 5 uid, 6 resourceVersion, 7 generation int,
        8 creationTimestamp time, 9 deletionTimestamp time?, 10 deletionGracePeriodSeconds int?, 11 labels map,
        12 annotations map, 13 ownerReferences list OwnerReference, 14 finalizers list,
        17 managedFields list ManagedFieldsEntry""",
    "OwnerReference": "1 kind, 3 name, 4 uid, 5 apiVersion, 6 controller bool?, 7 blockOwnerDeletion bool?",
    "ManagedFieldsEntry": """1 manager, 2 operation, 3 apiVersion, 4 time time?, 6 fieldsType, 7 fieldsV1 FieldsV1?,
        8 subresource""",
    "FieldsV1": "1 raw json?",
    "Time": "1 seconds int?, 2 nanos int?",
    "Condition": """1 type, 2 status, 3 observedGeneration int, 4 lastTransitionTime time, 5 reason, 6 message""",
    "FieldSelectorRequirement": "1 key, 2 operator, 3 values list",
    "LabelSelectorRequirement": "1 key, 2 operator, 3 values list",
    "DeleteOptions": """1 gracePeriodSeconds int?, 2 preconditions Preconditions?, 3 orphanDependents bool?,
        4 propagationPolicy string?, 5 dryRun list, 6 ignoreStoreReadErrorWithClusterBreakingPotential bool?""",
    "Preconditions": "1 uid string?, 2 resourceVersion string?",
    # core/v1
    "Namespace": f"{_META}, 2 spec NamespaceSpec, 3 status NamespaceStatus",
    "NamespaceSpec": "1 finalizers list",
    "NamespaceStatus": "1 phase, 2 conditions list NamespaceCondition",
    "NamespaceCondition": "1 type, 2 status, 4 lastTransitionTime time, 5 reason, 6 message",
    "Service": f"{_META}, 2 spec ServiceSpec, 3 status ServiceStatus",
    "ServiceSpec": """1 ports list ServicePort, 2 selector map, 3 clusterIP, 4 type, 5 externalIPs list,
        7 sessionAffinity, 8 loadBalancerIP, 9 loadBalancerSourceRanges list, 10 externalName,
        11 externalTrafficPolicy, 12 healthCheckNodePort int, 13 publishNotReadyAddresses bool,
        14 sessionAffinityConfig SessionAffinityConfig?, 17 ipFamilyPolicy string?, 18 clusterIPs list,
        19 ipFamilies list, 20 allocateLoadBalancerNodePorts bool?, 21 loadBalancerClass string?,
        22 internalTrafficPolicy string?, 23 trafficDistribution string?""",
    "ServicePort": """1 name, 2 protocol, 3 port int?, 4 targetPort IntOrString, 5 nodePort int,
        6 appProtocol string?""",
    "ServiceStatus": "1 loadBalancer LoadBalancerStatus, 2 conditions list Condition",
    "LoadBalancerStatus": "1 ingress list LoadBalancerIngress",
    "LoadBalancerIngress": "1 ip, 2 hostname, 3 ipMode string?, 4 ports list PortStatus",
    "PortStatus": "1 port int?, 2 protocol, 3 error string?",
    "SessionAffinityConfig": "1 clientIP ClientIPConfig?",
    "ClientIPConfig": "1 timeoutSeconds int?",
    "Secret": f"{_META}, 2 data map bytes, 3 type, 4 stringData map, 5 immutable bool?",
    "ConfigMap": f"{_META}, 2 data map, 3 binaryData map bytes, 4 immutable bool?",
    "Event": f"""{_META}, 2 involvedObject ObjectReference, 3 reason, 4 message, 5 source EventSource,
        6 firstTimestamp time, 7 lastTimestamp time, 8 count int, 9 type, 10 eventTime microtime,
        11 series EventSeries?, 12 action, 13 related ObjectReference?, 14 reportingComponent, 15 reportingInstance""",
    "EventSource": "1 component, 2 host",
    "EventSeries": "1 count int, 2 lastObservedTime microtime",
    "ObjectReference": "1 kind, 2 namespace, 3 name, 4 uid, 5 apiVersion, 6 resourceVersion, 7 fieldPath",
    # discovery/v1, coordination/v1
    "EndpointSlice": f"{_META}, 2 endpoints list Endpoint, 3 ports list EndpointPort, 4 addressType",
    "Endpoint": """1 addresses list, 2 conditions EndpointConditions, 3 hostname string?, 4 targetRef ObjectReference?,
        5 deprecatedTopology map, 6 nodeName string?, 7 zone string?, 8 hints EndpointHints?""",
    "EndpointConditions": "1 ready bool?, 2 serving bool?, 3 terminating bool?",
    "EndpointHints": "1 forZones list NamedHint, 2 forNodes list NamedHint",
    "NamedHint": "1 name",
    "EndpointPort": "1 name string?, 2 protocol string?, 3 port int?, 4 appProtocol string?",
    "Lease": f"{_META}, 2 spec LeaseSpec",
    "LeaseSpec": """1 holderIdentity string?, 2 leaseDurationSeconds int?, 3 acquireTime microtime?,
        4 renewTime microtime?, 5 leaseTransitions int?, 6 strategy string?, 7 preferredHolder string?""",
    # events.k8s.io/v1
    "events.k8s.io Event": f"""{_META}, 2 eventTime microtime, 3 series EventSeries?, 4 reportingController,
        5 reportingInstance, 6 action, 7 reason, 8 regarding ObjectReference, 9 related ObjectReference?, 10 note,
        11 type, 12 deprecatedSource EventSource, 13 deprecatedFirstTimestamp time, 14 deprecatedLastTimestamp time,
        15 deprecatedCount int""",
    # authentication.k8s.io/v1, authorization.k8s.io/v1
    "SelfSubjectReview": f"{_META}, 2 status SelfSubjectReviewStatus",
    "SelfSubjectReviewStatus": "1 userInfo UserInfo",
    "UserInfo": "1 username, 2 uid, 3 groups list",
    "SelfSubjectAccessReview": f"{_META}, 2 spec SelfSubjectAccessReviewSpec",
    "SelfSubjectAccessReviewSpec": """1 resourceAttributes ResourceAttributes?,
        2 nonResourceAttributes NonResourceAttributes?""",
    "ResourceAttributes": """1 namespace, 2 verb, 3 group, 4 version, 5 resource, 6 subresource, 7 name,
        8 fieldSelector FieldSelectorAttributes?, 9 labelSelector LabelSelectorAttributes?""",
    "NonResourceAttributes": "1 path, 2 verb",
    "FieldSelectorAttributes": "1 rawSelector, 2 requirements list FieldSelectorRequirement",
    "LabelSelectorAttributes": "1 rawSelector, 2 requirements list LabelSelectorRequirement",
    "SelfSubjectRulesReview": f"{_META}, 2 spec SelfSubjectRulesReviewSpec",
    "SelfSubjectRulesReviewSpec": "1 namespace",
    # apiextensions.k8s.io/v1
    "CustomResourceDefinition": f"""{_META}, 2 spec CustomResourceDefinitionSpec,
        3 status CustomResourceDefinitionStatus""",
    "CustomResourceDefinitionSpec": """1 group, 3 names CustomResourceDefinitionNames, 4 scope,
        7 versions list CustomResourceDefinitionVersion, 9 conversion CustomResourceConversion?,
        10 preserveUnknownFields bool""",
    "CustomResourceDefinitionNames": "1 plural, 2 singular, 3 shortNames list, 4 kind, 5 listKind, 6 categories list",
    "CustomResourceDefinitionVersion": """1 name, 2 served bool?, 3 storage bool?, 4 schema CustomResourceValidation?,
        5 subresources CustomResourceSubresources?, 6 additionalPrinterColumns list CustomResourceColumnDefinition,
        7 deprecated bool, 8 deprecationWarning string?, 9 selectableFields list SelectableField""",
    "CustomResourceDefinitionStatus": """1 conditions list CustomResourceDefinitionCondition,
        2 acceptedNames CustomResourceDefinitionNames, 3 storedVersions list, 4 observedGeneration int""",
    "CustomResourceDefinitionCondition": """1 type, 2 status, 3 lastTransitionTime time, 4 reason, 5 message,
        6 observedGeneration int""",
    "CustomResourceColumnDefinition": "1 name, 2 type, 3 format, 4 description, 5 priority int, 6 jsonPath",
    "CustomResourceConversion": "1 strategy, 2 webhook WebhookConversion?",
    "WebhookConversion": "2 clientConfig WebhookClientConfig?, 3 conversionReviewVersions list",
    "WebhookClientConfig": "1 service ServiceReference?, 2 caBundle bytes, 3 url string?",
    "ServiceReference": "1 namespace, 2 name, 3 path string?, 4 port int?",
    "CustomResourceSubresources": "1 status Empty?, 2 scale CustomResourceSubresourceScale?",
    "Empty": "",
    "CustomResourceSubresourceScale": "1 specReplicasPath, 2 statusReplicasPath, 3 labelSelectorPath string?",
    "CustomResourceValidation": "1 openAPIV3Schema JSONSchemaProps?",
    "SelectableField": "1 jsonPath",
    "JSONSchemaProps": """1 id, 2 $schema, 3 $ref string?, 4 description, 5 type, 6 format, 7 title, 8 default JSON?,
        9 maximum double?, 10 exclusiveMaximum bool, 11 minimum double?, 12 exclusiveMinimum bool, 13 maxLength int?,
        14 minLength int?, 15 pattern, 16 maxItems int?, 17 minItems int?, 18 uniqueItems bool, 19 multipleOf double?,
        20 enum list JSON, 21 maxProperties int?, 22 minProperties int?, 23 required list,
        24 items JSONSchemaPropsOrArray?, 25 allOf list JSONSchemaProps, 26 oneOf list JSONSchemaProps,
        27 anyOf list JSONSchemaProps, 28 not JSONSchemaProps?, 29 properties map JSONSchemaProps,
        30 additionalProperties JSONSchemaPropsOrBool?, 31 patternProperties map JSONSchemaProps,
        33 additionalItems JSONSchemaPropsOrBool?, 34 definitions map JSONSchemaProps,
        35 externalDocs ExternalDocumentation?, 36 example JSON?, 37 nullable bool,
        38 x-kubernetes-preserve-unknown-fields bool?, 39 x-kubernetes-embedded-resource bool,
        40 x-kubernetes-int-or-string bool, 41 x-kubernetes-list-map-keys list, 42 x-kubernetes-list-type string?,
        43 x-kubernetes-map-type string?, 44 x-kubernetes-validations list ValidationRule""",
    "JSON": "1 raw json?",
    "JSONSchemaPropsOrBool": "1 allows bool, 2 schema JSONSchemaProps?",
    "JSONSchemaPropsOrArray": "1 schema JSONSchemaProps?, 2 schemas list JSONSchemaProps",
    "ExternalDocumentation": "1 description, 2 url",
    "ValidationRule": """1 rule, 2 message, 3 messageExpression, 4 reason string?, 5 fieldPath,
        6 optionalOldSelf bool?""",
}

# The kinds that a body may be of, by group; every served version of a kind has the same numbers.
_KINDS: dict[str, tuple[str, ...]] = {
    "": ("Namespace", "Service", "Secret", "ConfigMap", "Event"),
    "discovery.k8s.io": ("EndpointSlice",),
    "coordination.k8s.io": ("Lease",),
    "events.k8s.io": ("Event",),
    "authentication.k8s.io": ("SelfSubjectReview",),
    "authorization.k8s.io": ("SelfSubjectAccessReview", "SelfSubjectRulesReview"),
    "apiextensions.k8s.io": ("CustomResourceDefinition",),
}


def message_of(api_version: str, name: str) -> Message:
    """The message of a kind; with api_version "" any message of the table. Raises KeyError for what is unknown.

    DeleteOptions come with the version of whatever is being deleted.
    """
    if not api_version or name == "DeleteOptions":
        return _message(name)
    group = api_version.partition("/")[0] if "/" in api_version else ""
    if name not in _KINDS.get(group, ()):
        raise KeyError(name)
    return _message(f"{group} {name}" if f"{group} {name}" in _MESSAGES else name)


@cache
def _message(name: str) -> Message:
    fields: dict[int, Field] = {}
    for entry in filter(None, (entry.split() for entry in _MESSAGES[name].split(","))):
        number, field, *rest = entry
        shape: Literal["one", "list", "map"] = "one"
        if rest and rest[0] in ("list", "map"):
            shape = "list" if rest.pop(0) == "list" else "map"
        kind = rest[0] if rest else "string"
        fields[int(number)] = Field(field, kind.rstrip("?"), shape, kind.endswith("?"))
    return fields
