"""BackendTLSPolicy (GEP-1897, GEP-3155): TLS towards a backend, and how its certificate is verified.

The targets are Services and our own Backends, in the policy's namespace. A backend that a policy governs is reached as
the policy says or not at all: what is wrong with the policy never makes its traffic plain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from appliance.gatewayapi.conditions import Condition, bad, good, judged
from appliance.gatewayapi.memo import Cache
from appliance.gatewayapi.problems import MESSAGE_LIMIT, Problem, worst
from appliance.gatewayapi.resources import GATEHOUSE_GROUP, Json, Key, Objects, Resource
from appliance.gatewayapi.trust import ParsedTrust, authorities
from certs.names import Name
from proxy.snapshot.clusters import UpstreamTls

KIND: Final = "BackendTLSPolicy"
TARGETS: Final = {"Service": "", "Backend": GATEHOUSE_GROUP}


class Reading(NamedTuple):
    """What a policy says by itself. tls: None when it cannot be honoured, and `problem` tells why.

    unresolved: for ResolvedRefs; there can be one although the policy can be honoured.
    """

    tls: UpstreamTls | None
    problem: Problem | None = None
    unresolved: Problem | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What governs a port of a backend. tls: None when it cannot be reached; `refusal` then says why, in a sentence."""

    policy: Resource
    tls: UpstreamTls | None
    refusal: str = ""


class BackendTls:
    """The policies among some objects; `memo` keeps parsed certificates."""

    def __init__(self, objects: Objects, memo: Cache[ParsedTrust]) -> None:
        self._objects = objects
        self._memo = memo

    def ruling(self, target: Key, group: str, section: str | None) -> Ruling | None:
        """What governs a port, `section` by name, of a backend; None: no policy does."""
        policy, attached = self._governing(target, group, section)
        if policy is None:
            return None
        named = f"{KIND} {policy.namespace}/{policy.name}"
        if not attached:
            return Ruling(policy, None, f"{named} names a section that {target} does not have")
        reading = self.read(policy)
        if reading.problem is not None:
            return Ruling(policy, None, f"{named}: {reading.problem.message}")
        return Ruling(policy, reading.tls)

    def read(self, policy: Resource) -> Reading:
        """Judge a policy by itself, whatever its targets."""
        if options := policy.spec.get("options"):
            return Reading(None, Problem("Invalid", f"options {', '.join(sorted(options))} are not supported"))
        return self.read_validation(policy, policy.spec["validation"])

    def read_validation(self, owner: Resource, validation: Json) -> Reading:
        """What a BackendTLSPolicyValidation says; owner: the policy or backend that it is of."""
        hostname = validation["hostname"].lower()
        names = tuple(_name(entry) for entry in validation.get("subjectAltNames") or ())
        refs = validation.get("caCertificateRefs") or ()
        if not refs:
            known = validation.get("wellKnownCACertificates")
            if known != "System":
                message = f"wellKnownCACertificates {known} are not known; there is System"
                return Reading(None, Problem("Invalid", message))
            return Reading(UpstreamTls(hostname, None, names))
        found = authorities(owner, refs, self._objects, self._memo, "InvalidKind")
        unresolved = worst(found.problems)
        if found.trust is None:
            message = unresolved.message if unresolved else "there is no certificate"
            return Reading(None, Problem("NoValidCACertificate", message), unresolved)
        return Reading(UpstreamTls(hostname, found.trust, names), None, unresolved)

    def conditions(self, policy: Resource) -> tuple[Condition, ...]:
        """What the policy's status says towards every Gateway (GEP-713)."""
        reading = self.read(policy)
        accepted = self._conflict(policy) or reading.problem or self._not_found(policy)
        unresolved = reading.unresolved
        return (
            judged("Accepted", accepted),
            bad("ResolvedRefs", unresolved) if unresolved else good("ResolvedRefs"),
        )

    def _governing(self, target: Key, group: str, section: str | None) -> tuple[Resource | None, bool]:
        """The policy, and whether it attaches: one that names the section before one that names none.

        One whose section does not exist does not attach, and leaves the backend's other ports alone; where there is
        but one port, or no sections at all, it cannot mean another, and stops what it cannot secure.
        """
        sections = self._sections(target)
        whole: Resource | None = None
        astray: Resource | None = None
        for policy in self._objects.policies(target):
            for ref in _refs(policy, target, group):
                named = ref.get("sectionName")
                if named and named == section:
                    return policy, True
                if not named:
                    whole = whole or policy
                elif named not in sections and len(sections) < 2:
                    astray = astray or policy
        return (whole, True) if whole else (astray, False)

    def _sections(self, target: Key) -> frozenset[str]:
        backend = self._objects.get(*target)
        ports = backend.spec.get("ports") or () if backend is not None and target.kind == "Service" else ()
        return frozenset(port.get("name") or "" for port in ports)

    def _conflict(self, policy: Resource) -> Problem | None:
        lost: list[str] = []
        for ref in policy.spec.get("targetRefs") or ():
            target, section = Key(ref["kind"], policy.namespace, ref["name"]), ref.get("sectionName") or ""
            holder = next(
                other
                for other in self._objects.policies(target)
                if any(
                    (one.get("sectionName") or "") == section for one in _refs(other, target, ref.get("group") or "")
                )
            )
            if holder is not policy:
                what = f"section {section} of {target}" if section else str(target)
                lost.append(f"{what} is governed by the older {KIND} {holder.namespace}/{holder.name}")
        return Problem("Conflicted", "; ".join(lost)[:MESSAGE_LIMIT]) if lost else None

    def _not_found(self, policy: Resource) -> Problem | None:
        missing: list[str] = []
        for ref in policy.spec.get("targetRefs") or ():
            kind, target = ref["kind"], Key(ref["kind"], policy.namespace, ref["name"])
            if TARGETS.get(kind) != (ref.get("group") or ""):
                missing.append(f"no {kind} can be the target of a {KIND}")
            elif self._objects.get(*target) is None:
                missing.append(f"{target} does not exist")
            elif (section := ref.get("sectionName")) and section not in self._sections(target):
                missing.append(f"{target} has no port named {section}")
        return Problem("TargetNotFound", "; ".join(missing)[:MESSAGE_LIMIT]) if missing else None


def targets(policy: Resource) -> frozenset[Key]:
    """The backends that a policy names; they are in its own namespace."""
    refs = policy.spec.get("targetRefs") or ()
    return frozenset(Key(ref["kind"], policy.namespace, ref["name"]) for ref in refs)


def _refs(policy: Resource, target: Key, group: str) -> list[Json]:
    wanted = (group, target.kind, target.name)
    refs = policy.spec.get("targetRefs") or ()
    return [ref for ref in refs if (ref.get("group") or "", ref["kind"], ref["name"]) == wanted]


def _name(entry: Json) -> Name:
    return ("uri", entry["uri"]) if entry["type"] == "URI" else ("dns", entry["hostname"].lower())
