"""The certificates of a Listener, and the one that its Gateway shows to backends: references, grants, Secrets, and what
is wrong with them."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from appliance.gatewayapi.hostnames import covers
from appliance.gatewayapi.memo import Cache
from appliance.gatewayapi.problems import Problem
from appliance.gatewayapi.references import Referent, Referrer, allowed
from appliance.gatewayapi.resources import GATEWAY_GROUP, Json, Objects, Resource
from appliance.gatewayapi.trust import ParsedTrust
from certs.bundle import Bundle, parse_bundle
from certs.errors import CertificateError

Parsed = Bundle | Problem

_INVALID: Final = "InvalidCertificateRef"


@dataclass(slots=True)
class CertificateMemo:
    """What was parsed, by the key of the Secret or ConfigMap."""

    bundles: Cache[Parsed] = field(default_factory=Cache)
    trusts: Cache[ParsedTrust] = field(default_factory=Cache)

    def turn(self) -> None:
        """The translation ended."""
        self.bundles.turn()
        self.trusts.turn()


@dataclass(frozen=True, slots=True)
class Certificates:
    """usable: in the order of their references; problems: for ResolvedRefs; remarks: worth saying, yet no fault."""

    usable: tuple[Bundle, ...] = ()
    problems: tuple[Problem, ...] = ()
    remarks: tuple[str, ...] = ()


def certificates(
    owner: Resource, refs: Sequence[Json], hostname: str, objects: Objects, now: int, memo: Cache[Parsed]
) -> Certificates:
    """Resolve certificateRefs of a Gateway or ListenerSet. A certificate out of its validity is a problem and is served
    all the same: clients judge it themselves, and traffic of those that do not must not stop. A Secret that a change
    left without a usable pair, as when key and certificate are written one after the other, is a problem too, and what
    it held before is served."""
    if not refs:
        return Certificates(problems=(Problem(_INVALID, "the listener terminates TLS and has no certificateRefs"),))
    usable: list[Bundle] = []
    problems: list[Problem] = []
    remarks: list[str] = []
    for ref in refs:
        found = _resolve(owner, ref, "certificateRefs", objects, memo)
        if isinstance(found, Problem):
            kept = _pair_before(owner, ref, objects, memo) if found.reason == _INVALID else None
            if kept is None:
                problems.append(found)
                continue
            problems.append(Problem(found.reason, f"{found.message}; what the Secret held before is served"))
            usable.append(kept)
            continue
        usable.append(found)
        named = f"Secret {ref.get('namespace') or owner.namespace}/{ref['name']}"
        if not found.not_before <= now <= found.not_after:
            problems.append(Problem(_INVALID, f"{named}: {_validity(found, now)}; it is served all the same"))
        if hostname and not any(covers(name, hostname) or covers(hostname, name) for name in found.names):
            remarks.append(f"{named}: the certificate is for {', '.join(found.names) or 'no name'}, not for {hostname}")
    return Certificates(tuple(usable), tuple(problems), tuple(remarks))


def _validity(bundle: Bundle, now: int) -> str:
    if now > bundle.not_after:
        return f"the certificate expired at {_when(bundle.not_after)}"
    return f"the certificate is not valid before {_when(bundle.not_before)}"


def _when(posix_s: int) -> str:
    return datetime.fromtimestamp(posix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def client_certificate(gateway: Resource, objects: Objects, memo: Cache[Parsed]) -> Parsed | None:
    """What backends that speak TLS are shown on behalf of a Gateway (Gateway API: GatewayBackendTLS); None: nothing."""
    ref = ((gateway.spec.get("tls") or {}).get("backend") or {}).get("clientCertificateRef")
    if not ref:
        return None
    found = _resolve(gateway, ref, "clientCertificateRef", objects, memo)
    if isinstance(found, Problem) and found.reason == _INVALID:
        return Problem("InvalidClientCertificateRef", f"{found.message}; no client certificate is shown to backends")
    return found


def _resolve(owner: Resource, ref: Json, field: str, objects: Objects, memo: Cache[Parsed]) -> Parsed:
    group, kind = ref.get("group") or "", ref.get("kind") or "Secret"
    namespace, name = ref.get("namespace") or owner.namespace, ref["name"]
    if (group, kind) != ("", "Secret"):
        return Problem(_INVALID, f"{field} cannot refer to a {kind}{'.' + group if group else ''}, only to a Secret")
    source = Referrer(GATEWAY_GROUP, owner.key.kind, owner.namespace)
    if not allowed(source, Referent("", "Secret", namespace, name), objects.grants(namespace)):
        owners = f"{owner.key.kind}s of {owner.namespace}"
        message = f"no ReferenceGrant in namespace {namespace} lets {owners} refer to Secret {name}"
        return Problem("RefNotPermitted", message)
    secret = objects.get("Secret", namespace, name)
    if secret is None:
        return Problem(_INVALID, f"Secret {namespace}/{name} does not exist")
    return memo.get(secret.key, (secret,), lambda: _parse(secret))


def _pair_before(owner: Resource, ref: Json, objects: Objects, memo: Cache[Parsed]) -> Bundle | None:
    """What a Secret that is there, and may be referred to, held before its pair was spoiled."""
    secret = objects.get("Secret", ref.get("namespace") or owner.namespace, ref["name"])
    before = secret.before if secret is not None else None
    if before is None:
        return None
    found = memo.get((before.key, "before"), (before,), lambda: _parse(before))
    return found if isinstance(found, Bundle) else None


def last_pair(secret: Resource, old: Resource) -> Resource | None:
    """What to remember of a Secret's past (see Resource.before) when `old` becomes `secret`."""
    if isinstance(_parse(secret), Bundle):
        return None
    return old if isinstance(_parse(old), Bundle) else old.before


def _parse(secret: Resource) -> Parsed:
    data = secret.body.get("data") or {}
    named = f"Secret {secret.namespace}/{secret.name}"
    if missing := [field for field in ("tls.crt", "tls.key") if not data.get(field)]:
        return Problem(_INVALID, f"{named} has no {missing[0]}")
    try:
        return parse_bundle(b64decode(data["tls.crt"]), b64decode(data["tls.key"]))
    except (CertificateError, binascii.Error) as error:
        return Problem(_INVALID, f"{named}: {error}")
