"""ExternalAuth (Gateway API: HTTPExternalAuthFilter; GEP-1494)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal

from appliance.gatewayapi.resources import Json
from proxy.snapshot.filters import ExternalAuth

_PROTOCOLS: Final[dict[str, tuple[Literal["http", "grpc"], str]]] = {"HTTP": ("http", "http"), "GRPC": ("grpc", "grpc")}
_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch


def external_auth(body: Json, cluster: str) -> ExternalAuth:
    """cluster: what the filter's backendRef leads to. Raises ValueError for what cannot be asked as it is told."""
    if body["protocol"] not in _PROTOCOLS:
        raise ValueError(f"externalAuth protocol {body['protocol']} is not supported by this version")
    protocol, member = _PROTOCOLS[body["protocol"]]
    settings = body.get(member) or {}
    limit = (body.get("forwardBody") or {}).get("maxSize") or 0
    if limit < 0:
        raise ValueError(f"externalAuth.forwardBody.maxSize cannot be {limit}")
    return ExternalAuth(
        protocol,
        cluster,
        _path(settings.get("path") or ""),
        _names(settings.get("allowedHeaders") or ()),
        _names(settings.get("allowedResponseHeaders") or ()),
        limit,
    )


def _path(prefix: str) -> str:
    """What the paths of requests are appended to: "" or "/a/b"."""
    segments = prefix.strip("/").split("/")
    if any(segment in (".", "..") for segment in segments):
        raise ValueError(f"externalAuth path {prefix} has dot segments")
    return "/" + "/".join(segments) if prefix.strip("/") else ""


def _names(names: Iterable[str]) -> tuple[str, ...]:
    for name in names:
        if not _NAME(name):
            raise ValueError(f"externalAuth: {name!r} is no name of a header")
    return tuple(sorted({name.lower() for name in names}))
