"""RequestMirror (Gateway API: HTTPRequestMirrorFilter)."""

from __future__ import annotations

from appliance.gatewayapi.resources import Json
from proxy.snapshot.filters import RequestMirror


def request_mirror(body: Json, cluster: str) -> RequestMirror:
    """cluster: what the filter's backendRef leads to. Raises ValueError for a share that is none."""
    fraction = body.get("fraction")
    if fraction is not None:
        numerator, denominator = fraction["numerator"], fraction.get("denominator") or 100
    else:
        percent = body.get("percent")
        numerator, denominator = 100 if percent is None else percent, 100
    if not 0 <= numerator <= denominator:
        raise ValueError(f"{numerator} of {denominator} requests cannot be mirrored")
    return RequestMirror(cluster, numerator, denominator)
