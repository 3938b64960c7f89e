"""BackendTLSPolicy (gateway.networking.k8s.io): TLS towards backends, and how their certificates are checked."""

from __future__ import annotations

from typing import Any

from store.kinds.columns import AGE
from store.kinds.conditions import conditions
from store.kinds.fields import items, record, string
from store.kinds.kind import Kind, Version
from store.kinds.listeners import tls_options
from store.kinds.names import CA_SET, URI, controller_name, group, hostname, kind, name, precise_hostname, section_name
from store.kinds.references import GATEWAY_API, local_reference, parent_reference
from store.schema.structural import Rule, Schema

Reference = dict[str, Any]


def _target(reference: Reference) -> tuple[str, str, str]:
    return reference["group"], reference["kind"], reference["name"]


def _sections_all_or_none(references: list[Reference], _: Any) -> bool:
    named: dict[tuple[str, str, str], bool] = {}
    return all(
        named.setdefault(_target(one), bool(one.get("sectionName"))) == bool(one.get("sectionName"))
        for one in references
    )


def _sections_unique(references: list[Reference], _: Any) -> bool:
    return len({(*_target(one), one.get("sectionName", "")) for one in references}) == len(references)


_TARGET_REFS = items(
    "Services whose traffic the policy is about.",
    record(
        "A Service, or a port of one.",
        {
            "group": group(),
            "kind": kind(),
            "name": name(),
            "sectionName": section_name("Port of the Service, by name; all ports if unset."),
        },
        required=("group", "kind", "name"),
    ),
    at_least=1,
    at_most=16,
    rules=(
        Rule(
            "sectionName must be specified when targetRefs includes 2 or more references to the same target",
            _sections_all_or_none,
        ),
        Rule(
            "sectionName must be unique when targetRefs includes 2 or more references to the same target",
            _sections_unique,
        ),
    ),
)


def _alternative_name_rules(member: str, type_: str) -> tuple[Rule, ...]:
    shown = "URI" if member == "uri" else "Hostname"
    return (
        Rule(
            f"SubjectAltName element must contain {shown}, if Type is set to {type_}",
            lambda one, _: one["type"] != type_ or bool(one.get(member)),
        ),
        Rule(
            f"SubjectAltName element must not contain {shown}, if Type is not set to {type_}",
            lambda one, _: one["type"] == type_ or not one.get(member),
        ),
    )


_ALTERNATIVE_NAME = record(
    "A name that the certificate may carry.",
    {
        "hostname": hostname("The name, for type Hostname."),
        "type": string("What the name is.", one_of=("Hostname", "URI")),
        "uri": string("The name, for type URI.", pattern=URI, at_least=1, at_most=253),
    },
    required=("type",),
    rules=(*_alternative_name_rules("hostname", "Hostname"), *_alternative_name_rules("uri", "URI")),
)


def _not_both(validation: dict[str, Any], _: Any) -> bool:
    return not (validation.get("caCertificateRefs") and validation.get("wellKnownCACertificates"))


def _one_of_both(validation: dict[str, Any], _: Any) -> bool:
    return bool(validation.get("caCertificateRefs") or validation.get("wellKnownCACertificates"))


def backend_validation(description: str) -> Schema:
    """How the certificate of a backend is checked."""
    return record(
        description,
        {
            "caCertificateRefs": items(
                "Certificate authorities that the certificate must come from.",
                local_reference("A ConfigMap with the key ca.crt, or another kind with certificates."),
                at_most=8,
            ),
            "hostname": precise_hostname("Name that is asked for, and that the certificate must carry."),
            "subjectAltNames": items(
                "Names of which the certificate must carry one, in place of hostname.", _ALTERNATIVE_NAME, at_most=5
            ),
            "wellKnownCACertificates": string(
                "A known set of authorities; System is that of the machine.", pattern=CA_SET, at_least=1, at_most=253
            ),
        },
        required=("hostname",),
        rules=(
            Rule("must not contain both CACertificateRefs and WellKnownCACertificates", _not_both),
            Rule("must specify either CACertificateRefs or WellKnownCACertificates", _one_of_both),
        ),
    )


POLICY_STATUS = record(
    "What became of the policy.",
    {
        "ancestors": items(
            "State of the policy at each Gateway that it has an effect on.",
            record(
                "What became of the policy at one Gateway.",
                {
                    "ancestorRef": parent_reference("The Gateway."),
                    "conditions": conditions("State of the policy at this Gateway.", at_least=1),
                    "controllerName": controller_name("Controller that wrote this."),
                },
                required=("ancestorRef", "conditions", "controllerName"),
            ),
            at_most=16,
        )
    },
    required=("ancestors",),
)
_SCHEMA = record(
    "TLS towards backends.",
    {
        "spec": record(
            "The policy as wanted.",
            {
                "options": tls_options(),
                "targetRefs": _TARGET_REFS,
                "validation": backend_validation("How certificates of the backends are checked."),
            },
            required=("targetRefs", "validation"),
        ),
        "status": POLICY_STATUS,
    },
    required=("spec",),
)

BACKEND_TLS_POLICY = Kind(
    group=GATEWAY_API,
    name="BackendTLSPolicy",
    plural="backendtlspolicies",
    singular="backendtlspolicy",
    short_names=("btlspolicy",),
    categories=("gateway-api",),
    subresources=("status",),
    versions=(
        Version("v1", _SCHEMA, (AGE,), storage=True),
        Version(
            "v1alpha3",
            _SCHEMA,
            deprecation=(
                "The v1alpha3 version of BackendTLSPolicy has been deprecated and will be removed in a future "
                "release of the API. Please upgrade to v1."
            ),
        ),
    ),
)
