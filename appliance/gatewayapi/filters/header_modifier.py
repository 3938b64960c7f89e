"""RequestHeaderModifier and ResponseHeaderModifier (Gateway API: HTTPHeaderFilter)."""

from __future__ import annotations

from appliance.gatewayapi.resources import Json
from proxy.snapshot.filters import RequestHeaderModifier, ResponseHeaderModifier


def request_header_modifier(body: Json) -> RequestHeaderModifier:
    return RequestHeaderModifier(_pairs(body, "set"), _pairs(body, "add"), tuple(body.get("remove") or ()))


def response_header_modifier(body: Json) -> ResponseHeaderModifier:
    return ResponseHeaderModifier(_pairs(body, "set"), _pairs(body, "add"), tuple(body.get("remove") or ()))


def _pairs(body: Json, field: str) -> tuple[tuple[str, str], ...]:
    """(name, value) pairs; of entries whose names differ in case only, the first counts, as the API says."""
    first: dict[str, tuple[str, str]] = {}
    for entry in body.get(field) or ():
        first.setdefault(entry["name"].lower(), (entry["name"], entry["value"]))
    return tuple(first.values())
