"""Pod: kept for whoever runs workloads beside the appliance; nothing here runs them.

What clusters say about containers and volumes is kept as it comes: this schema knows the fields that select, count and
address Pods, and the defaults and columns that clients show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from store.errors import Cause
from store.kinds.columns import AGE
from store.kinds.fields import (
    boolean,
    free_form,
    int32,
    items,
    keyed,
    mapping,
    opened,
    record,
    string,
    time,
)
from store.kinds.kind import Column, Kind, Version
from store.schema.causes import required

_GRACE_S = 30

CONDITIONS = keyed(
    "State of the object.",
    opened(
        record(
            "One aspect of it.",
            {
                "lastTransitionTime": time("When the condition last changed its status.", nullable=True),
                "message": string("What happened, for people."),
                "reason": string("What happened, in one word for programs."),
                "status": string("True, False or Unknown."),
                "type": string("What the condition is about."),
            },
            stated_required=("type", "status"),
        )
    ),
    "type",
    merge_key="type",
)

_CONTAINER_PORT = opened(
    record(
        "A port that the container listens on.",
        {
            "containerPort": int32("Number of the port."),
            "name": string("Name, for the targetPort of Services."),
            "protocol": string("TCP, UDP or SCTP.", default="TCP"),
        },
        stated_required=("containerPort",),
    )
)
_CONTAINER = opened(
    record(
        "A program to run.",
        {
            "args": items("Arguments of the program.", string()),
            "command": items("The program, in place of the image's.", string()),
            "env": keyed("Environment.", opened(record("A variable.", {"name": string("Its name.")})), "name"),
            "image": string("What to run."),
            "name": string("Name of the container."),
            "ports": keyed(
                "Ports that it listens on.", _CONTAINER_PORT, "containerPort", "protocol", merge_key="containerPort"
            ),
            "resources": replace(free_form("What it needs and may use."), default={}),
            "terminationMessagePath": string("Where it leaves its last words.", default="/dev/termination-log"),
            "terminationMessagePolicy": string("Where last words come from.", default="File"),
            "volumeMounts": keyed(
                "Where volumes appear.",
                opened(record("A mount.", {"mountPath": string("Where."), "name": string("Which volume.")})),
                "mountPath",
                merge_key="mountPath",
            ),
        },
        stated_required=("name",),
    )
)
POD_SPEC = opened(
    record(
        "The Pod as wanted.",
        {
            "containers": keyed("Programs of the Pod.", _CONTAINER, "name", merge_key="name"),
            "dnsPolicy": string("How names are resolved.", default="ClusterFirst"),
            "initContainers": keyed("Programs that run first.", _CONTAINER, "name", merge_key="name"),
            "nodeName": string("Machine that the Pod runs on."),
            "nodeSelector": mapping("Labels that the machine must have.", string(), atomic=True),
            "restartPolicy": string("Always, OnFailure or Never.", default="Always"),
            "schedulerName": string("Who chooses the machine.", default="default-scheduler"),
            "securityContext": replace(free_form("Privileges."), default={}),
            "serviceAccountName": string("Identity of the Pod."),
            "terminationGracePeriodSeconds": replace(
                int32("Seconds from the wish to stop to the end.", default=_GRACE_S), format="int64"
            ),
            "volumes": keyed(
                "Files for the programs.",
                opened(record("A volume.", {"name": string("Its name.")})),
                "name",
                merge_key="name",
            ),
        },
        stated_required=("containers",),
    )
)
_CONTAINER_STATUS = opened(
    record(
        "State of a program.",
        {
            "name": string("Name of the container."),
            "ready": boolean("Whether it takes requests."),
            "restartCount": int32("How often it was begun again."),
        },
    )
)
_POD_STATUS = opened(
    record(
        "What became of the Pod.",
        {
            "conditions": CONDITIONS,
            "containerStatuses": items("State of each program.", _CONTAINER_STATUS),
            "hostIP": string("Address of the machine."),
            "message": string("What happened, for people."),
            "phase": string("Pending, Running, Succeeded, Failed or Unknown.", default="Pending"),
            "podIP": string("Address of the Pod."),
            "podIPs": keyed("Addresses of the Pod.", record("One.", {"ip": string("It.")}), "ip", merge_key="ip"),
            "reason": string("What happened, in one word for programs."),
            "startTime": time("When it was taken on."),
        },
        default={"phase": "Pending"},
    )
)


def containers_missing(where: str, spec: Mapping[str, Any]) -> Iterator[Cause]:
    """What the containers of a Pod's spec, found at a path, lack."""
    containers = spec.get("containers") or ()
    if not containers:
        yield required(f"{where}.containers")
    for index, container in enumerate(containers):
        for name in ("name", "image"):
            if not container.get(name):
                yield required(f"{where}.containers[{index}].{name}")


def _judge_pod(value: dict[str, Any], _: dict[str, Any] | None) -> Iterator[Cause]:
    return containers_missing("spec", value.get("spec") or {})


def _statuses(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list((value.get("status") or {}).get("containerStatuses") or ())


def _ready(value: dict[str, Any]) -> str:
    total = len((value.get("spec") or {}).get("containers") or ())
    return f"{sum(bool(status.get('ready')) for status in _statuses(value))}/{total}"


def _phase(value: dict[str, Any]) -> str:
    if "deletionTimestamp" in value["metadata"]:
        return "Terminating"
    status = value.get("status") or {}
    return str(status.get("reason") or status.get("phase") or "")


def _restarts(value: dict[str, Any]) -> str:
    return str(sum(status.get("restartCount") or 0 for status in _statuses(value)))


POD: Final = Kind(
    group="",
    name="Pod",
    plural="pods",
    singular="pod",
    custom=False,
    generation=True,
    short_names=("po",),
    categories=("all",),
    subresources=("status",),
    versions=(
        Version(
            "v1",
            replace(
                record("Programs that share an address.", {"spec": POD_SPEC, "status": _POD_STATUS}), judge=_judge_pod
            ),
            (
                Column("Ready", "string", cell=_ready),
                Column("Status", "string", cell=_phase),
                Column("Restarts", "string", cell=_restarts),
                AGE,
                Column("IP", "string", cell=lambda v: (v.get("status") or {}).get("podIP") or "<none>", priority=1),
                Column("Node", "string", cell=lambda v: (v.get("spec") or {}).get("nodeName") or "<none>", priority=1),
            ),
            storage=True,
        ),
    ),
)
