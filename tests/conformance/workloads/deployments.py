"""What Pods a Deployment means. Pure: a Deployment and its Pods come in; Pods to make and to delete, and its status,
go out."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

Json = dict[str, Any]
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
HASH_LABEL = "pod-template-hash"


@dataclass(frozen=True, slots=True)
class Plan:
    """create: whole Pods. delete: names."""

    create: tuple[Json, ...]
    delete: tuple[str, ...]
    status: Json


def template_hash(deployment: Json) -> str:
    """The same for equal templates."""
    template = orjson.dumps(deployment["spec"]["template"], option=orjson.OPT_SORT_KEYS)
    digest = hashlib.sha256(template).digest()[:10]
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest)


def owned(deployment: Json, pod: Json) -> bool:
    """Whether the Pod belongs to the Deployment."""
    owners = pod["metadata"].get("ownerReferences") or ()
    return any(owner["uid"] == deployment["metadata"]["uid"] for owner in owners)


def is_ready(pod: Json) -> bool:
    """Whether the Pod's condition says so."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


def plan(deployment: Json, pods: Iterable[Json], node: str) -> Plan:
    """pods: those that it owns. All Pods of a former template go at once, as with strategy Recreate."""
    wanted_hash = template_hash(deployment)
    everyone = sorted(pods, key=lambda pod: (not is_ready(pod), str(pod["metadata"]["name"])))
    current = [pod for pod in everyone if (pod["metadata"].get("labels") or {}).get(HASH_LABEL) == wanted_hash]
    stale = [pod for pod in everyone if pod not in current]
    wanted = deployment["spec"].get("replicas", 1)
    return Plan(
        create=tuple(_pod(deployment, wanted_hash, node) for _ in range(wanted - len(current))),
        delete=tuple(pod["metadata"]["name"] for pod in (*stale, *current[wanted:])),
        status=_status(deployment, current[:wanted], wanted),
    )


def _pod(deployment: Json, wanted_hash: str, node: str) -> Json:
    metadata, template = deployment["metadata"], deployment["spec"]["template"]
    suffix = "".join(secrets.choice(_ALPHABET) for _ in range(5))
    given = template.get("metadata") or {}
    owner = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{metadata['name']}-{wanted_hash}-{suffix}",
            "namespace": metadata["namespace"],
            "labels": {**(given.get("labels") or {}), HASH_LABEL: wanted_hash},
            "annotations": given.get("annotations") or {},
            "ownerReferences": [owner],
        },
        "spec": {**template["spec"], "nodeName": node},
    }


def _status(deployment: Json, pods: list[Json], wanted: int) -> Json:
    ready = sum(map(is_ready, pods))
    status: Json = {"observedGeneration": deployment["metadata"].get("generation", 0)}
    counts = {
        "replicas": len(pods),
        "updatedReplicas": len(pods),
        "readyReplicas": ready,
        "availableReplicas": ready,
        "unavailableReplicas": wanted - ready,
    }
    return status | {name: count for name, count in counts.items() if count}
