"""The admissionregistration group: ValidatingAdmissionPolicy and its binding. They are stored and not enforced."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from store.errors import Cause
from store.kinds.columns import AGE
from store.kinds.conditions import CONDITION
from store.kinds.fields import distinct, integer, items, keyed, record, string
from store.kinds.kind import Column, Kind, Version
from store.kinds.selectors import label_selector
from store.schema.causes import required
from store.schema.structural import Schema

_GROUP = "admissionregistration.k8s.io"
# What the service says in a Warning header at every write of these kinds.
NOT_ENFORCED = "{kind} is stored but not enforced yet"

_SCOPES = ("*", "Cluster", "Namespaced")
_RULE = record(
    "Operations on resources.",
    {
        "apiGroups": items("Groups; * is all.", string()),
        "apiVersions": items("Versions; * is all.", string()),
        "operations": items("CREATE, UPDATE, DELETE, CONNECT or *.", string()),
        "resourceNames": items("Names; all if empty.", string()),
        "resources": items("Resources; * is all.", string()),
        "scope": string("Cluster, Namespaced or *.", stated_one_of=_SCOPES, default="*"),
    },
    atomic=True,
)


def _match_resources(description: str) -> Schema:
    return record(
        description,
        {
            "excludeResourceRules": items("Requests that are left out.", _RULE),
            "matchPolicy": string(
                "Whether other versions of a resource count as well.",
                stated_one_of=("Equivalent", "Exact"),
                default="Equivalent",
            ),
            "namespaceSelector": replace(label_selector("Labels of the namespaces that are meant."), default={}),
            "objectSelector": replace(label_selector("Labels of the objects that are meant."), default={}),
            "resourceRules": items("Requests that are meant.", _RULE),
        },
        atomic=True,
    )


_NAMED = {"expression": string("CEL expression."), "name": string("Name.")}
_POLICY_SCHEMA = record(
    "Conditions that requests must meet.",
    {
        "spec": record(
            "The policy as wanted.",
            {
                "auditAnnotations": items(
                    "Annotations for the audit log.",
                    record(
                        "An annotation.",
                        {"key": string("Its key."), "valueExpression": string("CEL expression of its value.")},
                        required=("key", "valueExpression"),
                    ),
                ),
                "failurePolicy": string(
                    "Fail or Ignore, when an expression fails.", stated_one_of=("Fail", "Ignore"), default="Fail"
                ),
                "matchConditions": keyed(
                    "Further conditions for requests to be meant.",
                    record("A condition.", _NAMED, required=("name", "expression")),
                    "name",
                    merge_key="name",
                ),
                "matchConstraints": _match_resources("Requests that are meant."),
                "paramKind": record(
                    "Kind of the policy's parameters.",
                    {"apiVersion": string("Group and version."), "kind": string("Kind.")},
                    atomic=True,
                ),
                "validations": items(
                    "What must hold.",
                    record(
                        "Something that must hold.",
                        {
                            "expression": string("CEL expression that must be true."),
                            "message": string("What is said otherwise."),
                            "messageExpression": string("CEL expression of what is said otherwise."),
                            "reason": string("Reason in the refusal."),
                        },
                        required=("expression",),
                    ),
                ),
                "variables": keyed(
                    "Named expressions for use in others.",
                    record("A variable.", _NAMED, required=("name", "expression"), atomic=True),
                    "name",
                    merge_key="name",
                ),
            },
        ),
        "status": record(
            "What became of the policy.",
            {
                "conditions": keyed("State of the policy.", CONDITION, "type"),
                "observedGeneration": integer("Generation that this was found out about.", format_="int64"),
                "typeChecking": record(
                    "Doubts about types in expressions.",
                    {
                        "expressionWarnings": items(
                            "Doubts.",
                            record(
                                "A doubt.",
                                {"fieldRef": string("The expression."), "warning": string("The doubt.")},
                                required=("fieldRef", "warning"),
                            ),
                        )
                    },
                ),
            },
        ),
    },
)
_BINDING_SCHEMA = record(
    "A policy put to use.",
    {
        "spec": record(
            "The binding as wanted.",
            {
                "matchResources": _match_resources("Requests that the policy is used on."),
                "paramRef": record(
                    "Parameters of the policy.",
                    {
                        "name": string("Name of the object."),
                        "namespace": string("Namespace of the object."),
                        "parameterNotFoundAction": string("Allow or Deny, when there is none."),
                        "selector": label_selector("Labels of the objects."),
                    },
                    atomic=True,
                ),
                "policyName": string("The policy."),
                "validationActions": distinct("Deny, Warn or Audit.", string()),
            },
            stated_required=("policyName", "validationActions"),
        )
    },
    stated_required=("spec",),
)


def _judge_policy(value: dict[str, Any], _: dict[str, Any] | None) -> Iterator[Cause]:
    spec = value.get("spec") or {}
    if not spec.get("matchConstraints"):
        yield required("spec.matchConstraints")
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        for field in ("validations", "auditAnnotations"):
            yield required(f"spec.{field}", "validations or auditAnnotations must contain at least one item")


def _judge_binding(value: dict[str, Any], _: dict[str, Any] | None) -> Iterator[Cause]:
    spec = value.get("spec") or {}
    if not spec.get("policyName"):
        yield required("spec.policyName")
    if not spec.get("validationActions"):
        yield required("spec.validationActions", "at least one validation action is required")


def _param_kind(value: dict[str, Any]) -> str:
    kind = (value.get("spec") or {}).get("paramKind") or {}
    return f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind else "<unset>"


def _param_ref(value: dict[str, Any]) -> str:
    reference = (value.get("spec") or {}).get("paramRef") or {}
    name = reference.get("name")
    return f"{reference.get('namespace') or '*'}/{name}" if name else "<unset>"


def _count_validations(value: dict[str, Any]) -> int:
    return len((value.get("spec") or {}).get("validations") or ())


def _kind(name: str, plural: str, schema: Schema, *columns: Column, status: bool) -> Kind:
    return Kind(
        group=_GROUP,
        name=name,
        plural=plural,
        singular=name.lower(),
        namespaced=False,
        custom=False,
        generation=True,
        categories=("api-extensions",),
        subresources=("status",) if status else (),
        versions=(Version("v1", schema, (*columns, AGE), storage=True, status=status),),
    )


VALIDATING_ADMISSION_POLICY = _kind(
    "ValidatingAdmissionPolicy",
    "validatingadmissionpolicies",
    replace(_POLICY_SCHEMA, judge=_judge_policy),
    Column("Validations", "integer", cell=_count_validations),
    Column("ParamKind", "string", cell=_param_kind),
    status=True,
)
VALIDATING_ADMISSION_POLICY_BINDING = _kind(
    "ValidatingAdmissionPolicyBinding",
    "validatingadmissionpolicybindings",
    replace(_BINDING_SCHEMA, judge=_judge_binding),
    Column("PolicyName", "string", ".spec.policyName"),
    Column("ParamRef", "string", cell=_param_ref),
    status=False,
)
