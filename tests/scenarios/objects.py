"""Objects of the tests: written as YAML, applied through the API, their conditions read back."""

from __future__ import annotations

from typing import Any

import yaml

from tests.scenarios.appliance import Appliance
from tests.scenarios.waiting import wait_for

CLUSTER_SCOPED = {"Namespace", "GatewayClass", "ManifestFile", "CustomResourceDefinition"}


def documents(text: str) -> list[dict[str, Any]]:
    """The objects of a YAML text."""
    return [document for document in yaml.safe_load_all(text) if document]


def collection(obj: dict[str, Any]) -> str:
    """The URL path of an object's collection."""
    api_version, kind = obj["apiVersion"], obj["kind"]
    root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    plural = kind.lower() + ("es" if kind.endswith("s") else "s")
    if kind in CLUSTER_SCOPED:
        return f"{root}/{plural}"
    return f"{root}/namespaces/{obj['metadata'].get('namespace', 'default')}/{plural}"


def path(obj: dict[str, Any]) -> str:
    """The URL path of an object."""
    return f"{collection(obj)}/{obj['metadata']['name']}"


def apply(appliance: Appliance, text: str) -> None:
    """Server-side apply of every object in the text."""
    for obj in documents(text):
        appliance.request("PATCH", f"{path(obj)}?fieldManager=tests", obj, "application/apply-patch+yaml")


def conditions(obj: dict[str, Any], parent: int = 0) -> dict[str, dict[str, Any]]:
    """The conditions of a Gateway, or of a route's `parent`-th parent, by type; empty when nothing is said yet."""
    status = obj.get("status", {})
    if "parents" in status:
        status = dict(enumerate(status["parents"])).get(parent, {})
    return {c["type"]: c for c in status.get("conditions", [])}


def wait_for_condition(
    appliance: Appliance, obj_path: str, kind: str, status: str = "True", reason: str = "", deadline_s: float = 30.0
) -> dict[str, Any]:
    """The condition, once it has this status and reason and speaks of the object's present generation."""

    def seen() -> dict[str, Any]:
        obj = appliance.request("GET", obj_path)
        found = conditions(obj).get(kind)
        assert found is not None, f"no condition {kind} yet: {obj.get('status')}"
        fits = found["status"] == status and reason in ("", found["reason"])
        assert fits and found["observedGeneration"] == obj["metadata"]["generation"], found
        return found

    return wait_for(f"{obj_path} {kind}={status} {reason}", seen, deadline_s)
