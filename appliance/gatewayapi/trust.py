"""Whom to believe: references to authorities' certificates, grants, ConfigMaps and Secrets, and what is wrong there.

For backends (BackendTLSPolicy) and for clients (Gateway spec.tls.frontend). A ConfigMap has them in its key ca.crt, and
so has a Secret, which the API leaves to implementations.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appliance.gatewayapi.memo import Cache
from appliance.gatewayapi.problems import Problem
from appliance.gatewayapi.references import Referent, Referrer, allowed
from appliance.gatewayapi.resources import GATEWAY_GROUP, Json, Objects, Resource
from certs.errors import CertificateError
from certs.trust import Trust, merge_trusts, parse_trust

ParsedTrust = Trust | Problem

CA_KEY: Final = "ca.crt"
CA_KINDS: Final = ("ConfigMap", "Secret")
_INVALID: Final = "InvalidCACertificateRef"


@dataclass(frozen=True, slots=True)
class Authorities:
    """trust: what the references that resolve say together; None when none does. problems: for ResolvedRefs."""

    trust: Trust | None
    problems: tuple[Problem, ...] = ()


def authorities(
    owner: Resource, refs: Sequence[Json], objects: Objects, memo: Cache[ParsedTrust], kind_reason: str
) -> Authorities:
    """Resolve caCertificateRefs of `owner`. kind_reason: of a reference to a kind that holds no certificates."""
    found = [_resolve(owner, ref, objects, memo, kind_reason) for ref in refs]
    trusts = [one for one in found if isinstance(one, Trust)]
    problems = tuple(one for one in found if isinstance(one, Problem))
    return Authorities((merge_trusts(trusts) if len(trusts) > 1 else trusts[0]) if trusts else None, problems)


def _resolve(owner: Resource, ref: Json, objects: Objects, memo: Cache[ParsedTrust], kind_reason: str) -> ParsedTrust:
    group, kind = ref.get("group") or "", ref["kind"]
    namespace, name = ref.get("namespace") or owner.namespace, ref["name"]
    if group or kind not in CA_KINDS:
        named = f"{kind}.{group}" if group else kind
        return Problem(kind_reason, f"caCertificateRefs cannot refer to a {named}, only to a ConfigMap or Secret")
    source = Referrer(GATEWAY_GROUP, owner.key.kind, owner.namespace)
    if not allowed(source, Referent("", kind, namespace, name), objects.grants(namespace)):
        owners = f"{owner.key.kind}s of {owner.namespace}"
        message = f"no ReferenceGrant in namespace {namespace} lets {owners} refer to {kind} {name}"
        return Problem("RefNotPermitted", message)
    holder = objects.get(kind, namespace, name)
    if holder is None:
        return Problem(_INVALID, f"{kind} {namespace}/{name} does not exist")
    return memo.get(holder.key, (holder,), lambda: _parse(holder))


def _parse(holder: Resource) -> ParsedTrust:
    try:
        pem = _pem(holder)
        return parse_trust(pem) if pem else Problem(_INVALID, f"{holder.key} has no {CA_KEY}")
    except (CertificateError, binascii.Error) as error:
        return Problem(_INVALID, f"{holder.key}: {error}")


def _pem(holder: Resource) -> bytes:
    """The text itself; in Secrets and in binaryData it is base64."""
    data, binary = holder.body.get("data") or {}, holder.body.get("binaryData") or {}
    if holder.key.kind == "ConfigMap" and data.get(CA_KEY):
        return str(data[CA_KEY]).encode()
    return b64decode((binary if holder.key.kind == "ConfigMap" else data).get(CA_KEY) or "")
