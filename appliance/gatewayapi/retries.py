"""Retries of a rule (Gateway API: HTTPRouteRetry; GEP-1731): JSON in, the snapshot's `Retry` out."""

from __future__ import annotations

from typing import Final

from appliance.gatewayapi.durations import parse_duration_s
from appliance.gatewayapi.resources import Json
from proxy.snapshot.routes import Retry

DEFAULT_ATTEMPTS: Final = 1
DEFAULT_BACKOFF_S: Final = 0.025


def retry(body: Json) -> Retry:
    """attempts 0 retries nothing. Raises ValueError for a duration or a code that is none."""
    codes = tuple(sorted(set(body.get("codes") or ())))
    if any(not 400 <= code <= 599 for code in codes):
        raise ValueError(f"retry codes {', '.join(map(str, codes))} are not all between 400 and 599")
    attempts = body.get("attempts")
    backoff_s = parse_duration_s(body["backoff"]) if body.get("backoff") else DEFAULT_BACKOFF_S
    return Retry(codes, DEFAULT_ATTEMPTS if attempts is None else max(0, attempts), backoff_s)
