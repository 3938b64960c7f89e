"""XMeshes that name this controller: refused, for there is no mesh on one machine (GEP-1709, XMeshSpec)."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.gatewayapi.classes import CONTROLLER_NAME
from appliance.gatewayapi.conditions import bad
from appliance.gatewayapi.drafts import Status
from appliance.gatewayapi.problems import Problem
from appliance.gatewayapi.resources import Objects


def mesh_statuses(objects: Objects) -> Iterator[Status]:
    """Of every mesh of ours; those of other controllers are theirs."""
    for mesh in objects.of("XMesh").values():
        if mesh.spec.get("controllerName") == CONTROLLER_NAME:
            message = f"{CONTROLLER_NAME} carries Gateways and no mesh: routes on Services are not served"
            conditions = [bad("Accepted", Problem("Unsupported", message)).body(mesh.generation)]
            yield Status(mesh.key, mesh.generation, {"conditions": conditions, "supportedFeatures": []})
