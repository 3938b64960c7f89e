"""Session persistence (Gateway API: SessionPersistence; GEP-1619), of rules and of policies."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import Final

from appliance.gatewayapi.durations import parse_duration_s
from appliance.gatewayapi.resources import Json
from proxy.snapshot.routes import SessionPersistence

_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}").fullmatch
_RESERVED: Final = frozenset(
    ("host", "cookie", "set-cookie", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer",
     "authorization", "expect", "via", "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
     "date", "content-type", "location")
)  # fmt: skip
"""Headers with a meaning of their own; a session in one of them would break the message."""


def session_persistence(body: Json) -> SessionPersistence:
    """Without a sessionName the name is "" (see `named`). Raises ValueError for what cannot be kept."""
    kind = body.get("type") or "Cookie"
    if kind not in ("Cookie", "Header"):
        raise ValueError(f"sessionPersistence type {kind} is not supported")
    name = body.get("sessionName") or ""
    if name and not _NAME(name):
        raise ValueError(f"sessionPersistence: {name!r} is no name of a {kind.lower()}")
    if kind == "Header" and name.lower() in _RESERVED:
        raise ValueError(f"sessionPersistence: the header {name} has a meaning of its own")
    timeout_s = parse_duration_s(body["absoluteTimeout"]) if body.get("absoluteTimeout") else 0.0
    permanent = kind == "Cookie" and (body.get("cookieConfig") or {}).get("lifetimeType") == "Permanent"
    if permanent and not timeout_s:
        raise ValueError("sessionPersistence: a permanent cookie needs an absoluteTimeout")
    return SessionPersistence("cookie" if kind == "Cookie" else "header", name, timeout_s or None, permanent)


def named(session: SessionPersistence, rule: str) -> SessionPersistence:
    """With a name that no other rule has, unless it has one."""
    return session if session.name else replace(session, name=f"gatehouse-session-{_mark(rule)}")


def shared(session: SessionPersistence, rule: str) -> SessionPersistence:
    """One that several rules use: rules share no sessions, so each has its own cookie (GEP-1619, edge cases)."""
    if session.name and session.kind == "cookie":
        return replace(session, name=f"{session.name}-{_mark(rule)}")
    return named(session, rule)


def _mark(rule: str) -> str:
    return hashlib.sha256(rule.encode()).hexdigest()[:8]
