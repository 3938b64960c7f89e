"""Path changes of redirects and rewrites (Gateway API: HTTPPathModifier)."""

from __future__ import annotations

from appliance.gatewayapi.resources import Json
from proxy.snapshot.filters import PathModifier


def path_modifier(body: Json | None) -> PathModifier | None:
    """None stays None. Raises ValueError for a type that is not known."""
    if body is None:
        return None
    match body["type"]:
        case "ReplaceFullPath":
            return PathModifier("full", body.get("replaceFullPath") or "")
        case "ReplacePrefixMatch":
            return PathModifier("prefix", body.get("replacePrefixMatch") or "")
        case unknown:
            raise ValueError(f"path modifier type {unknown} is not supported")
