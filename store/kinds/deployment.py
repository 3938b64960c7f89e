"""Deployment: kept for whoever runs workloads beside the appliance; nothing here runs them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from store.errors import Cause
from store.kinds.columns import AGE
from store.kinds.fields import (
    boolean,
    int32,
    int_or_string,
    mapping,
    opened,
    record,
    string,
)
from store.kinds.kind import Column, Kind, Version
from store.kinds.pod import CONDITIONS, POD_SPEC, containers_missing
from store.kinds.selectors import label_selector
from store.schema.causes import cause, required

_REVISIONS_KEPT, _PROGRESS_DEADLINE_S = 10, 600

_TEMPLATE = record(
    "The Pods to make.",
    {
        "metadata": opened(
            record(
                "Their labels and annotations.",
                {"annotations": mapping("Annotations.", string()), "labels": mapping("Labels.", string())},
            )
        ),
        "spec": POD_SPEC,
    },
)
_STRATEGY = record(
    "How Pods of another template take over.",
    {
        "rollingUpdate": record(
            "Bounds of a gradual change.",
            {
                "maxSurge": int_or_string("How many more than wanted."),
                "maxUnavailable": int_or_string("How many fewer than wanted."),
            },
        ),
        "type": string("RollingUpdate or Recreate.", default="RollingUpdate"),
    },
    default={},
)
_DEPLOYMENT_SPEC = record(
    "The Deployment as wanted.",
    {
        "minReadySeconds": int32("Seconds for which a new Pod must be ready before it counts."),
        "paused": boolean("Whether changes wait."),
        "progressDeadlineSeconds": int32("Seconds that a change may take.", default=_PROGRESS_DEADLINE_S),
        "replicas": int32("How many Pods.", default=1),
        "revisionHistoryLimit": int32("How many former templates are kept.", default=_REVISIONS_KEPT),
        "selector": label_selector("Which Pods are its own."),
        "strategy": _STRATEGY,
        "template": _TEMPLATE,
    },
    stated_required=("selector", "template"),
)
_DEPLOYMENT_STATUS = record(
    "What became of the Deployment.",
    {
        "availableReplicas": int32("Pods that are ready for long enough."),
        "collisionCount": int32("Names that were taken."),
        "conditions": CONDITIONS,
        "observedGeneration": replace(int32("Generation that this speaks of."), format="int64"),
        "readyReplicas": int32("Pods that are ready."),
        "replicas": int32("Pods that there are."),
        "terminatingReplicas": int32("Pods that are about to end."),
        "unavailableReplicas": int32("Pods that are missing."),
        "updatedReplicas": int32("Pods of the present template."),
    },
    default={},
)


def _prepare_deployment(value: dict[str, Any]) -> None:
    """Bounds of a rolling update, which a strategy of another type lacks (Kubernetes: SetDefaults_Deployment)."""
    spec = value.get("spec")
    if not isinstance(spec, dict):
        return
    strategy = spec.setdefault("strategy", {})
    if isinstance(strategy, dict) and strategy.get("type") in (None, "", "RollingUpdate"):
        bounds = strategy.setdefault("rollingUpdate", {})
        if isinstance(bounds, dict):
            bounds.setdefault("maxSurge", "25%")
            bounds.setdefault("maxUnavailable", "25%")


def _judge_deployment(value: dict[str, Any], old: dict[str, Any] | None) -> Iterator[Cause]:
    spec = value.get("spec") or {}
    template, selector = spec.get("template") or {}, spec.get("selector") or {}
    yield from containers_missing("spec.template.spec", template.get("spec") or {})
    if not selector:
        yield required("spec.selector")
    labels = (template.get("metadata") or {}).get("labels") or {}
    if any(labels.get(key) != wanted for key, wanted in (selector.get("matchLabels") or {}).items()):
        yield cause(
            "FieldValueInvalid", "spec.template.metadata.labels", labels, "`selector` does not match template `labels`"
        )
    if old is not None and selector != ((old.get("spec") or {}).get("selector") or {}):
        yield cause("FieldValueInvalid", "spec.selector", selector, "field is immutable")


def _deployment_ready(value: dict[str, Any]) -> str:
    ready = (value.get("status") or {}).get("readyReplicas") or 0
    return f"{ready}/{(value.get('spec') or {}).get('replicas', 1)}"


def _count(name: str, field: str) -> Column:
    return Column(name, "string", cell=lambda value: (value.get("status") or {}).get(field) or 0)


def _of_containers(field: str) -> Column:
    def cell(value: dict[str, Any]) -> str:
        pod = ((value.get("spec") or {}).get("template") or {}).get("spec") or {}
        return ",".join(container.get(field) or "" for container in pod.get("containers") or ())

    return Column({"name": "Containers", "image": "Images"}[field], "string", cell=cell, priority=1)


DEPLOYMENT: Final = Kind(
    group="apps",
    name="Deployment",
    plural="deployments",
    singular="deployment",
    custom=False,
    generation=True,
    short_names=("deploy",),
    categories=("all",),
    subresources=("status",),
    versions=(
        Version(
            "v1",
            replace(
                record("Equal Pods, and how many.", {"spec": _DEPLOYMENT_SPEC, "status": _DEPLOYMENT_STATUS}),
                prepare=_prepare_deployment,
                judge=_judge_deployment,
            ),
            (
                Column("Ready", "string", cell=_deployment_ready),
                _count("Up-to-date", "updatedReplicas"),
                _count("Available", "availableReplicas"),
                AGE,
                _of_containers("name"),
                _of_containers("image"),
            ),
            storage=True,
        ),
    ),
)
