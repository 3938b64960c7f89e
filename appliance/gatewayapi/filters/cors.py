"""CORS (Gateway API: HTTPCORSFilter; GEP-1767)."""

from __future__ import annotations

from typing import Final

from appliance.gatewayapi.resources import Json
from proxy.snapshot.filters import Cors

DEFAULT_MAX_AGE_S: Final = 5


def cors(body: Json) -> Cors:
    """Raises ValueError where "*" stands beside others, so that nobody knows which of them was meant."""
    lists = {field: tuple(body.get(field) or ()) for field in ("allowOrigins", "allowMethods", "allowHeaders")}
    for field, values in lists.items():
        if "*" in values and len(values) > 1:
            raise ValueError(f"cors.{field} cannot contain '*' alongside others")
    exposed = tuple(body.get("exposeHeaders") or ())
    return Cors(
        lists["allowOrigins"],
        lists["allowMethods"],
        lists["allowHeaders"],
        ("*",) if "*" in exposed else exposed,
        bool(body.get("allowCredentials")),
        body.get("maxAge") or DEFAULT_MAX_AGE_S,
    )
